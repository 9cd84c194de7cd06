"""Where no access log tells of requests: surges of error lines, or of warnings, as signs that users were failed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...counting.summary import Summary
from ...findings import Bound
from ..likelihood import poisson_tail
from ..traffic import SECOND, Span, Timeseries, extent, series
from . import scan

#: A short burst with a pause of so many seconds between it and the outage is its forerunner, not its beginning,
#: when it holds at most this share of the lines.
PAUSE, FORERUNNER = 30, 0.1
#: Warnings are said for many reasons: a surge of them lasts, and is dense.
WARNINGS_LAST, WARNINGS_A_SECOND = 20, 1.0

#: A surge of which this share lies in bursts (so many lines, no pause of so many seconds) that last fewer seconds in all is a
#: job that complained now and then, not an outage.
BURSTS, BURST, APART, SECONDS = 2 / 3, 8, 2, 10
#: So is one of fewer lines than this, whose bursts fill a lesser part of its time than this.
FEW, FILLED = 60, 0.2
#: Bursts up to so many times as large, and as long, as those at other times are of the same kind; that some of them fall
#: together, or more single lines between them, is chance unless its probability in all the logs is less than this.
LIKE, BY_CHANCE = 2, 1e-4
#: The part of a burst's lines that tells how long it is.
MIDDLE = (0.1, 0.9)
#: Where none came at other times nobody knows how often they do: that so many fall into so short a part of the logs must be this unlikely.
ALONE = 1e-2

Counts = npt.NDArray[np.float64]


def surges(summary: Summary) -> list[Span]:
    """Surges of error lines of all sources; where there is none, of warnings that come in great number for a while."""
    span = extent(summary)
    if span is None:
        return []
    sources = sorted(set(summary.table("seconds")["source"].to_pylist()))
    errors = series(summary, sources, ("events", "errors"))
    warnings = series(summary, sources, ("events", "warnings"))
    if errors is None or warnings is None:
        return []
    found = _surges(errors, "surge of error lines (no access log)")
    if any(not s.is_blip for s in found):
        return found
    return found + [s for s in _surges(warnings, "surge of warnings (no access log)") if _lasting(s)]


def _lasting(span: Span) -> bool:
    length = (span.end - span.onset.time) / SECOND
    return not span.is_blip and length >= WARNINGS_LAST and span.failed >= WARNINGS_A_SECOND * length


def _surges(total: Timeseries, method: str) -> list[Span]:
    width = total.width
    spans = []
    counts = total.failed.astype(np.float64)
    for part in scan.surges(counts, expected=calm_rate(counts, width)):
        if part.failed < 4 * part.total:
            continue
        low, high = _without_forerunners(counts, part.start_bin, part.stop_bin, width)
        first, last = (total.start + low * width) * SECOND, (total.start + high * width) * SECOND
        spans.append(
            Span(
                Bound(first, min(first, (total.start + part.start_bin * width) * SECOND), first + width * SECOND, method),
                None if part.open_end else Bound(last - SECOND, last - width * SECOND, last, method),
                "errors", part.is_blip or _in_bursts(counts, low, high, width), part.flaps, int(counts[low:high].sum()), 0, llr=part.llr, open_start=part.open_start,
            )
        )  # fmt: skip
    return spans


def _in_bursts(counts: Counts, low: int, high: int, width: int) -> bool:
    """Whether a surge is but a few short bursts, or bursts as they come at other times too, of which some fell together by chance."""
    inside = counts[low:high]
    sizes, lasting, _ = _bursts(inside, width)
    within = sizes.sum() >= BURSTS * inside.sum()
    short = lasting.sum() < SECONDS or (inside.sum() < FEW and lasting.sum() < FILLED * len(inside) * width)
    if within and short:
        return True
    return bool(len(sizes)) and len(inside) < len(counts) and _by_chance(counts, low, high, width)


def _by_chance(counts: Counts, low: int, high: int, width: int) -> bool:
    """Whether bursts and single lines as they come at all times may have come together here by chance."""
    inside = counts[low:high]
    sizes, lasting, core = _bursts(inside, width)
    others, _, cores = (np.concatenate(both) for both in zip(_bursts(counts[:low], width), _bursts(counts[high:], width), strict=True))
    elsewhere = (len(counts) - len(inside)) * width
    # what is said between the bursts comes as often without them
    single, rest = inside.sum() - sizes.sum(), counts.sum() - inside.sum() - others.sum()
    if poisson_tail(single, (rest + 1) * len(inside) * width / elsewhere) < BY_CHANCE:
        return False
    if len(others):
        alike = sizes.max() <= LIKE * others.max() and core.max() <= LIKE * cores.max()
        # the others after the first of them, in a time as long as this one
        together = poisson_tail(len(sizes) - 1, len(others) * len(inside) * width / elsewhere) * (len(sizes) + len(others))
        return bool(alike and together >= BY_CHANCE)
    # all there are: each as large as the next, mostly silence between them, and too few to fall together for a reason
    alike = len(sizes) > 1 and sizes.max() <= LIKE * np.median(sizes) and lasting.sum() < FILLED * len(inside) * width
    return bool(alike and len(sizes) * (len(inside) / len(counts)) ** (len(sizes) - 1) >= ALONE)


def _bursts(counts: Counts, width: int) -> tuple[Counts, Counts, Counts]:
    """The lines and the seconds of each burst, and the seconds of its middle four fifths: single lines beside it are not its own.

    A burst has at least `BURST` lines without a pause of more than `APART` seconds.
    """
    busy = np.flatnonzero(counts)
    groups = [group for group in np.split(busy, np.flatnonzero(np.diff(busy) * width > APART) + 1) if counts[group].sum() >= BURST]
    sizes: Counts = np.array([counts[group].sum() for group in groups], np.float64)
    lasting = np.array([(group[-1] - group[0] + 1.0) * width for group in groups], np.float64)
    middles = (np.searchsorted(np.cumsum(counts[group]), np.array(MIDDLE) * counts[group].sum()) for group in groups)
    core = np.array([(group[last] - group[first] + 1.0) * width for group, (first, last) in zip(groups, middles, strict=True)], np.float64)
    return sizes, lasting, core


def _without_forerunners(counts: Counts, low: int, high: int, width: int) -> tuple[int, int]:
    """The bins without the short bursts before a long pause: what fails some seconds and is well again is a sign of its own."""
    busy = low + np.flatnonzero(counts[low:high])
    for place in (np.flatnonzero(np.diff(busy) * width > PAUSE) + 1).tolist():
        if counts[low : busy[place]].sum() <= FORERUNNER * counts[low:high].sum():
            low = int(busy[place])
    return low, high


def calm_rate(errors: Counts, width: int) -> Counts:
    """The error lines a bin that are usual: of the calmer quarter of the half minutes, for the outage may be most of the logs."""
    block = max(1, 30 // width)
    edges = np.arange(0, max(len(errors), 1), block)
    rates = np.add.reduceat(errors, edges) / block if len(errors) else np.zeros(1)
    return np.full(len(errors), max(float(np.quantile(rates, 0.25)), 0.02 * width))
