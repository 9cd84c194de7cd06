"""Where no access log tells of requests: which lines say that a thing was done, and which came in their place.

A mail server, a queue or a batch job writes a line of its own for each thing it does. When that line, steady for a while, all
but stops and others come in its place, users were failed, whatever the words and the severity. As many things were asked for
as before, so the lines that came instead are as many as those that went missing: that tells which belong together, and how large
a part failed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.patterns import templates
from ...findings import Bound
from ..traffic import SECOND, Span, extent
from . import scan

if TYPE_CHECKING:
    from ...counting.summary import Summary

Counts = npt.NDArray[np.float64]

#: Kinds of line that are looked at, busiest first, and the lines one must have.
KINDS, LINES = 100, 20
#: Longer logs are looked at in wider bins, so that a year takes no longer than an hour.
BINS = 20_000
#: A line is steady when it comes this often a second, in most stretches of so many seconds.
STEADY, STRETCH, MOSTLY = 0.3, 10, 0.9
#: It has stopped when this share of it is left, for so many seconds, and came back for as long.
LEFT, LASTS = 0.2, 15
#: Another came in its place when it is this much rarer elsewhere, and began and ended within so many seconds of the gap.
ELSEWHERE, BESIDE = 0.05, 10
#: A job that goes on to its next step says other things too: one of the lines must tell of trouble, by its severity or these words.
TROUBLE = re.compile(
    r"(?i)\b(?:reject|refus|den(?:y|ied)|fail|err(?:or)?\b|unable|can(?:no|')t|could not|unavailable|not available|time[d -]?out|lost\b|abort|"
    r"exception|problem|bounce|defer|declin|dropp|invalid|exhaust|exceed|too many|unreachable|no route|not ready|stuck|retry)"
)
SEVERE = frozenset({"warning", "error", "critical", "alert", "emergency"})
#: What is done and what came in its place make as many as before, within these factors.
AS_MANY = (0.75, 4 / 3)
#: To judge a share, the line that says "done" must have fallen to this part, and so many have failed.
FALLEN, FAILED = 0.85, 10
#: How many standard deviations of chance a steady line must have fallen by.
SURE = 4.0
#: Seconds around a span that are neither calm nor outage, and calm seconds that are needed.
MARGIN, CALM = 15, 30


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of line of one source: its pattern, its counts a bin, and the times of its first and last line in each bin."""

    source: str
    pattern: str
    troubled: bool  # said with a severity of warning or above, or in words of trouble
    counts: Counts
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many things failed and how many were done in a span, and the kinds of line that were counted."""

    failed: int
    done: int
    failing: str
    succeeding: str
    source: str


def replaced(summary: Summary) -> list[Span]:
    """Spans in which steady lines of a source all but stopped, or a part of them, and lines of trouble came in their place."""
    whole = extent(summary)
    if whole is None:
        return []
    kinds, width = _kinds(summary, whole)
    spans: list[Span] = []
    for kind in kinds:
        if not _steady(kind.counts, width):
            continue
        for part in scan.silences(kind.counts):
            low, high = part.start_bin, part.stop_bin
            inner = kind.counts[low:high].sum() <= LEFT * max(part.total, 1.0) and not part.open_start and not part.open_end
            if not inner or (high - low) * width < LASTS or min(low, len(kind.counts) - high) * width < LASTS:
                continue
            others = [k for k in kinds if k.source == kind.source and _in_place(k, low, high, part.total, width)]
            if any(k.troubled for k in others):
                spans.append(_span(others, low, high, part, width))
    spans += _partly(kinds, width)
    best: list[Span] = []
    for span in sorted(spans, key=lambda s: (-s.llr, s.onset.time)):
        if not any(span.onset.time <= s.end and s.onset.time <= span.end for s in best):
            best.append(span)
    return sorted(best, key=lambda s: s.onset.time)


def _partly(kinds: list[Kind], width: int) -> list[Span]:
    """Spans in which lines of trouble came in place of a part of the steady ones, as many as of these went missing."""
    spans = []
    for kind in (k for k in kinds if k.troubled):
        for part in scan.surges(kind.counts, expected=np.full(len(kind.counts), 0.01 * width)):
            low, high = part.start_bin, part.stop_bin
            long = (high - low) * width >= LASTS and min(low, len(kind.counts) - high) * width >= LASTS
            if part.is_blip or not long or not _in_place(kind, low, high, 0.0, width):
                continue
            calm = np.ones(len(kind.counts), bool)
            calm[max(0, low - MARGIN // width) : high + MARGIN // width] = False
            if calm.sum() * width >= CALM and any(_makes_up(kind, other, low, high, calm, width) for other in kinds if other.source == kind.source):
                spans.append(_span([kind], low, high, part, width))
    return spans


def _makes_up(kind: Kind, other: Kind, low: int, high: int, calm: npt.NDArray[np.bool_], width: int) -> bool:
    """Whether a steady kind of line fell, beyond chance, by as much as this one came."""
    usual, now, came = other.counts[calm].mean(), other.counts[low:high].mean(), kind.counts[low:high].mean()
    fell = (usual - now) * (high - low) > SURE * np.sqrt(usual * (high - low))
    return bool(fell and now <= FALLEN * usual and AS_MANY[0] <= (came + now) / usual <= AS_MANY[1] and _steady(other.counts[calm], width))


def outcomes(summary: Summary, span: Span) -> Outcomes | None:
    """What part of the things asked for failed in a span, from the lines of one source; None when these do not tell."""
    whole = extent(summary)
    if whole is None:
        return None
    kinds, width = _kinds(summary, whole)
    low, high = (int((at // SECOND - whole[0]) // width) for at in (span.onset.time, span.end))
    bins = np.arange((whole[1] - whole[0] + width - 1) // width)
    inside = (bins >= low) & (bins <= high)
    calm = (bins < low - MARGIN // width) | (bins > high + MARGIN // width)
    if calm.sum() * width < CALM or not inside.any():
        return None
    best: tuple[float, Outcomes] | None = None
    for done in kinds:
        usual, now = done.counts[calm].mean(), done.counts[inside].mean()
        if now > FALLEN * usual or not _steady(done.counts[calm], width):
            continue
        for failing in kinds:
            count = failing.counts[inside].sum()
            if failing.source != done.source or count < FAILED or failing.counts[calm].mean() > ELSEWHERE * failing.counts[inside].mean():
                continue
            ratio = (failing.counts[inside].mean() + now) / usual
            if not AS_MANY[0] <= ratio <= AS_MANY[1]:
                continue
            # lines of the same kind of thing, that never come else, are the likeliest pair
            off = abs(float(np.log(ratio))) + 0.1 * (not _alike(failing.pattern, done.pattern)) + 0.1 * bool(failing.counts[calm].any())
            if best is None or off < best[0]:
                best = (off, Outcomes(int(count), int(done.counts[inside].sum()), failing.pattern, done.pattern, done.source))
    return best[1] if best else None


def _kinds(summary: Summary, whole: tuple[int, int]) -> tuple[list[Kind], int]:
    """The busiest kinds of line, with their counts over the whole extent, and the seconds a bin of these has."""
    table = summary.table("patterns")
    width = max(summary.width("patterns"), -(-(whole[1] - whole[0]) // BINS))
    if not table.num_rows:
        return [], width
    bins = (whole[1] - whole[0] + width - 1) // width
    signature = pc.fill_null(table["signature"], "").combine_chunks().dictionary_encode()
    known = signature.dictionary.to_pylist()
    order = sorted(range(len(known)), key=known.__getitem__)
    made = dict(zip((known[i] for i in order), templates([known[i] for i in order]), strict=True))
    pattern, patterns = np.unique([made[text] for text in known], return_inverse=True)
    source = table["source"].combine_chunks().dictionary_encode()
    sources = source.dictionary.to_pylist()
    key = source.indices.to_numpy() * len(pattern) + patterns[signature.indices.to_numpy()]
    count = table["count"].to_numpy()
    keys, place = np.unique(key, return_inverse=True)
    sums = np.bincount(place, count)
    busiest = sorted((k for k in np.flatnonzero(sums >= LINES).tolist()), key=lambda k: (-sums[k], sources[keys[k] // len(pattern)], pattern[keys[k] % len(pattern)]))
    at = np.clip((table["second"].to_numpy() - whole[0]) // width, 0, bins - 1)
    time, last_time = table["time"].to_numpy(), table["last_time"].to_numpy()
    severe = pc.is_in(table["severity"], value_set=pa.array(sorted(SEVERE))).to_numpy(zero_copy_only=False)
    out = []
    for k in busiest[:KINDS]:
        rows = place == k
        text = str(pattern[keys[k] % len(pattern)])
        troubled = bool(severe[rows].any()) or bool(TROUBLE.search(text))
        first, last = np.full(bins, np.iinfo(np.int64).max), np.zeros(bins, np.int64)
        np.minimum.at(first, at[rows], time[rows])
        np.maximum.at(last, at[rows], last_time[rows])
        counts = np.bincount(at[rows], count[rows], bins).astype(np.float64)
        out.append(Kind(str(sources[keys[k] // len(pattern)]), text, troubled, counts, first, last))
    return out, width


def _steady(counts: Counts, width: int) -> bool:
    """Whether a line comes all the time, apart from one gap that may be long: in nearly all stretches outside of it."""
    step = max(1, STRETCH // width)
    blocks = np.add.reduceat(counts, np.arange(0, len(counts), step)) if len(counts) else np.zeros(0)
    busy = np.flatnonzero(blocks)
    if len(busy) < 4:
        return False
    blocks = blocks[busy[0] : busy[-1] + 1]
    gap = max(np.diff(np.flatnonzero(blocks)).max() - 1, 0)
    among = blocks[blocks > 0]
    dense = len(among) >= MOSTLY * (len(blocks) - gap)
    return bool(dense and np.median(among) >= STEADY * step * width)


def _in_place(kind: Kind, low: int, high: int, due: float, width: int) -> bool:
    """Whether a kind of line came in these bins and next to never elsewhere, about as often as what was due."""
    count = kind.counts
    slack = BESIDE // width
    inner = count[max(0, low - slack) : high + slack].sum()
    elsewhere = count[: max(0, low - slack)].sum() + count[high + slack :].sum()
    rest = max(1, len(count) - (high - low) - 2 * slack)
    busy = np.flatnonzero(count[low:high])
    filled = len(busy) and busy[0] <= slack and busy[-1] >= high - low - slack
    return bool(filled and inner >= max(FAILED, 0.3 * due) and elsewhere / rest <= ELSEWHERE * inner / (high - low))


def _span(others: list[Kind], low: int, high: int, part: scan.Segment, width: int) -> Span:
    """The span from the first to the last of the lines that came in place of the steady ones."""
    slack = BESIDE // width
    near = slice(max(0, low - slack), high + slack)
    alone = [k for k in others if k.counts.sum() == k.counts[near].sum()]
    busiest = max([k for k in others if k.troubled], key=lambda k: (k in alone, k.counts[near].sum(), k.pattern))
    # a line that comes now and then elsewhere too says nothing of the ends
    ends = alone or [busiest]
    edges = near if alone else slice(low, high)
    onset = min(int(k.first[edges].min()) for k in ends)
    recovery = max(int(k.last[edges].max()) for k in ends)
    method = "lines that came in place of steady ones (no access log)"
    return Span(
        Bound(onset, onset, onset + width * SECOND, method), Bound(recovery, recovery - width * SECOND, recovery + width * SECOND, method),
        "errors", False, part.flaps, int(busiest.counts[near].sum()), 0, llr=part.llr,
    )  # fmt: skip


def _alike(one: str, two: str) -> bool:
    """Whether two patterns begin with the same word that is no value, and so tell of the same kind of thing."""
    first, second = ([w for w in text.split() if "<" not in w][:1] for text in (one, two))
    return bool(first) and first == second
