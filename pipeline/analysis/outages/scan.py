"""When did it begin and end: the spans in which a series of counts left its normal state.

Arrays in, spans out; nothing here knows of requests, hosts or clocks. A series is counts per bin, usually one second: failed of
all requests (`segments`), events that came too often (`surges`) or not at all (`silences`). `cut` sharpens the edges of a
span to single requests. The method and its limits stand in `retrolog.pipeline.analysis.outages.spans`, its figures in docs/accuracy.md.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..likelihood import Bernoulli, Poisson
from .edges import Floats, Rule
from .spans import Scan, Segment

__all__ = ["Rule", "Segment", "cut", "segments", "silences", "surges", "usual"]


def segments(
    failed: npt.ArrayLike,
    total: npt.ArrayLike,
    *,
    rule: Rule | None = None,
    baseline: float | None = None,
) -> list[Segment]:
    """Every span in which clearly more than usual failed, in order of time.

    `failed` and `total` are counts per bin: status >= 500 of all requests, of those of one endpoint or upstream, time-outs,
    or requests slower than the baseline's 99th percentile. `baseline` is the normal ratio where it is known from
    elsewhere (else it is estimated from the series itself, also when most of it is outage).
    """
    count, exposure = _series(failed, total)
    known = None if baseline is None else min(max(baseline, 1e-9), 0.9)
    return Scan(Bernoulli(), count, np.maximum(exposure, count), rule or Rule(), rise=True, known=known).run()


def surges(
    counts: npt.ArrayLike, *, expected: npt.ArrayLike | None = None, rule: Rule | None = None
) -> list[Segment]:
    """Every span in which clearly more events than usual came: error lines, requests, restarts.

    `counts` are events per bin; `expected` is what is normal per bin (`usual` gives it when it is left out).
    """
    count = _counts(counts)
    normal = usual(count, low=True) if expected is None else _counts(expected)
    normal = np.maximum(normal, 1.0 / max(len(count), 1))  # what never came before may come once
    rule = rule or Rule(min_rise=1.0, min_factor=2.0)
    return Scan(Poisson((1.5, 2.0, 4.0, 10.0, 40.0, 200.0)), count, normal, rule, rise=True).run()


def silences(
    counts: npt.ArrayLike, *, expected: npt.ArrayLike | None = None, rule: Rule | None = None
) -> list[Segment]:
    """Every span in which clearly fewer events than usual came: traffic that stalls, a heartbeat that stops.

    A series with a beat (gaps of nearly equal length) is judged by its gaps: few missing beats are evidence there that
    they would not be among events that come at random. `failed` of a span is what still came, `total` what was due.
    """
    count = _counts(counts)
    rule = rule or Rule(min_count=0, min_factor=2.0)
    beats = _missed_beats(count, rule)
    if beats is not None:
        return beats
    normal = usual(count, low=False) if expected is None else _counts(expected)
    return Scan(Poisson((0.02, 0.1, 0.3, 0.5)), count, normal, rule, rise=False).run()


def usual(counts: npt.ArrayLike, *, low: bool = False, block: int = 60, reach: int = 30) -> Floats:
    """The normal number of events per bin: the running median over blocks, so that the hour of the day does not alarm.

    `block` is in bins, `reach` in blocks each way; `low` takes the calmer half's upper edge (for surges), else the busier
    half's lower edge (for silences), so that a span of nearly half the reach does not become its own normal.
    """
    count = _counts(counts)
    size = len(count)
    if not size:
        return count
    block = max(1, min(block, size // 8))
    edges = np.arange(0, size + 1, block)
    if len(edges) < 2 or edges[-1] != size:
        edges = np.append(edges, size)
    rates = np.add.reduceat(count, edges[:-1]) / np.diff(edges)
    if len(edges) > 2 and edges[-1] - edges[-2] < block / 2:
        rates[-1] = rates[-2]  # a stub at the end says little about a rate
    width = min(2 * reach + 1, len(rates))
    windows = np.lib.stride_tricks.sliding_window_view(rates, width)
    middle = np.quantile(windows, 0.5 if low else 0.6, axis=1)
    lead = (len(rates) - len(middle)) // 2
    smooth = np.concatenate(
        [np.full(lead, middle[0]), middle, np.full(len(rates) - len(middle) - lead, middle[-1])]
    )
    centres = (edges[:-1] + edges[1:]) / 2
    normal: Floats = np.interp(np.arange(size) + 0.5, centres, smooth)
    return normal


def cut(
    times: npt.ArrayLike,
    failed: npt.ArrayLike,
    onset: float,
    recovery: float,
    *,
    p_in: float,
    p_out: float,
    slack: float = 3.0,
) -> tuple[float, float]:
    """The first and the last failed request of a span, cut at single requests within `slack` of the bins' edges.

    `times` are the requests' times in ascending order, in the unit of `onset`, `recovery` and `slack`; `failed` is true for
    the failed ones. Gives back the bins' edges where no request failed near them.
    """
    when = np.asarray(times, dtype=np.float64)
    bad = np.asarray(failed, dtype=bool)
    p_in, p_out = (min(max(p, 1e-9), 1 - 1e-9) for p in (p_in, p_out))
    gain = np.where(bad, np.log(p_in / p_out), np.log((1 - p_in) / (1 - p_out)))
    first, last = onset, recovery
    near = np.flatnonzero((when >= onset - slack) & (when <= min(onset + slack, recovery)))
    if bad[near].any():
        tail = np.cumsum(gain[near][::-1])[::-1]  # what is gained by beginning at this request
        first = float(when[near[int(np.argmax(np.where(bad[near], tail, -np.inf)))]])
    near = np.flatnonzero((when >= max(recovery - slack, first)) & (when <= recovery + slack))
    if bad[near].any():
        head = np.cumsum(gain[near])
        last = float(when[near[int(np.argmax(np.where(bad[near], head, -np.inf)))]])
    return first, max(first, last)


def _missed_beats(count: Floats, rule: Rule) -> list[Segment] | None:
    """The gaps in a series with a beat; None when it has none.

    A gap's evidence is how far it exceeds the median gap, in units of how much the gaps usually vary: the log-likelihood
    under an exponential tail of the deviations.
    """
    beats = np.flatnonzero(count)
    gaps = np.diff(beats).astype(np.float64)
    if len(gaps) < 8:
        return None
    middle = float(np.median(gaps))
    ordered = np.sort(gaps)
    typical = ordered[: max(int(len(gaps) * 0.9), 7)]
    if middle < 2 or typical[-1] > 1.5 * middle + 1 or ordered[len(gaps) // 20] < 0.5 * middle - 1:
        return None
    unit = max(float(np.abs(typical - middle).mean()), middle / 10, 0.5)
    needed = rule.base_llr + 2 * float(np.log(len(gaps)))
    size = len(count)
    spans = [(int(beats[k]) + 1, int(beats[k + 1]), False) for k in np.flatnonzero(gaps >= 3 * middle)]
    if size - beats[-1] - 1 >= 3 * middle:
        spans.append((int(beats[-1]) + 1, size, True))
    found = []
    for start, stop, is_open in spans:
        llr = (stop - start + 1 - middle) / unit
        if llr >= needed:
            due = (stop - start + 1) / middle - (0 if is_open else 1)
            found.append(
                Segment(
                    start_bin=start,
                    stop_bin=stop,
                    llr=llr,
                    failed=0.0,
                    total=due,
                    p_in=0.0,
                    p_out=1.0,
                    dispersion=unit / middle,
                    onset=(start, min(stop, start + int(np.ceil(middle)))),
                    recovery=(max(start, stop - int(np.ceil(middle))), stop),
                    open_end=is_open,
                )
            )
    return found


def _series(count: npt.ArrayLike, exposure: npt.ArrayLike) -> tuple[Floats, Floats]:
    first, second = _counts(count), _counts(exposure)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} bins of failures but {len(second)} bins of requests")
    return first, second


def _counts(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"a series has one dimension, not {array.ndim}")
    return np.maximum(np.nan_to_num(array, posinf=0.0), 0.0)
