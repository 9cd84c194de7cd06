"""An outage that the window cuts: what is told of it comes from inside the window, and its open ends are said to be open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...findings import Bound
from ..edge import edge_sources
from ..traffic import SECOND, Span, Timeseries, failed_series, failures, series

if TYPE_CHECKING:
    from ...counting.summary import Summary
    from ...window import Window


def touches(span: Span, window: Window) -> bool:
    """Whether any of a span lies in the window."""
    return (window.end is None or span.onset.time < window.end) and (window.start is None or span.end >= window.start)


def inside(summary: Summary, span: Span, window: Window) -> Span:
    """The span as far as it lies in the window: an end outside of it is not told, though lines around the window were read.

    Where the window begins inside the outage, the onset is the first failure in the window and the span is marked
    `open_start`; where it ends inside, there is no recovery, and `last` is the last failure in the window.
    """
    low, high = window.start, window.end
    begins = low is not None and span.onset.time < low
    ends = high is not None and span.end >= high
    if not (begins or ends):
        return span
    first, last = _failures(summary, span, low if begins else None, high if ends else None)
    onset, recovery, length = span.onset, span.recovery, max(1, span.end - span.onset.time)
    if begins:
        onset = Bound(first, first, first, "the first failure in the window, which begins inside the outage")
        span = replace(span, onset=onset, open_start=True)
    if ends:
        recovery = None
        span = replace(span, recovery=None, last=last)
    pauses = tuple(p for p in span.pauses if p[0] >= onset.time and p[1] <= span.end)
    flaps = min(span.flaps, len(pauses)) if span.pauses else span.flaps
    failed, requests = _counts(summary, span, max(0.0, min(1.0, (span.end - onset.time) / length)))
    return replace(span, recovery=recovery, pauses=pauses, flaps=flaps, failed=failed, requests=requests)


def _failures(summary: Summary, span: Span, low: int | None, high: int | None) -> tuple[int, int]:
    """The first failure from `low` on and the last one before `high`; the bounds themselves where single failures are not known."""
    start = span.onset.time if low is None else low
    stop = span.end if high is None else high - 1
    if span.signal != "failures":
        return start, stop
    table = failures(summary, edge_sources(summary), span.closed)
    times = np.concatenate([table["time"].to_numpy(), table["last_time"].to_numpy()])
    within = times[(times >= start) & (times <= stop)]
    return (int(within.min()), int(within.max())) if len(within) else (start, stop)


def _counts(summary: Summary, span: Span, part: float) -> tuple[int, int]:
    """Failures and requests of the seconds that are left of a span, which are this part of it; in proportion where these were never logged."""
    total: Timeseries | None
    if span.signal in ("failures", "refusals"):
        total = failed_series(summary, edge_sources(summary), span.closed, span.refused)
    elif span.signal == "errors":
        total = series(summary, sorted(set(summary.table("seconds")["source"].to_pylist())), ("events", "errors"))
    else:
        total = None
    if total is None or span.dimension is not None:
        return round(part * span.failed), round(part * span.requests)
    low, high = (max(0, (at // SECOND - total.start) // total.width) for at in (span.onset.time, span.end))
    failed = int(total.failed[low : high + 1].sum())
    return failed, 0 if span.signal == "errors" else int(total.requests[low : high + 1].sum())
