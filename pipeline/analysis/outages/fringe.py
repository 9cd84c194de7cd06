"""The few failures right before and after an outage that are of its own kind: its first and its last ones.

An outage often begins with single failures, seconds apart, before it is dense. A scan of counts cannot tell them from strays:
but failures of the same endpoint with the same status, of which the calm time knows next to none, are no strays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.requests import failing
from ...findings import Bound
from ..edge import edge_sources
from ..traffic import SECOND, Span, failed_series, failures

if TYPE_CHECKING:
    from ...counting.summary import Summary

#: How many seconds may lie between two failures of the fringe.
REACH = 15
#: How many failures of this kind chance may put into such a gap, at the rate of the calm time.
CHANCE = 0.05
#: After the last dense second, a second is of the outage when its share of failures is at least this part of the outage's.
TRAIL = 0.25
#: A kind of failure (endpoint and status) belongs to an outage when it makes up this share of its failures.
SHARE = 0.05


def with_fringes(summary: Summary, spans: list[Span]) -> list[Span]:
    """The spans, those of failed requests widened by the failures of their own kind that lead into them and trail off."""
    return [_widened(summary, span, spans) if span.signal == "failures" and not span.is_blip else span for span in spans]


def _widened(summary: Summary, span: Span, spans: list[Span]) -> Span:
    if summary.width("requests") > 1 or summary.width("failures") > 1:
        return span
    sources = edge_sources(summary)
    seconds, counts = _of_its_kind(summary, sources, span)
    first, last = span.onset.time // SECOND, span.end // SECOND
    calm = np.ones(len(seconds), bool)
    for other in spans:
        calm &= (seconds < other.onset.time // SECOND - REACH) | (seconds > other.end // SECOND + REACH)
    table = summary.table("seconds")
    whole = pc.min_max(table["second"]).as_py()
    length = max(1, whole["max"] - whole["min"] + 1 - sum((o.end - o.onset.time) // SECOND for o in spans))
    rate = (counts[calm].sum() + 0.5) / length
    gap = min(REACH, int(CHANCE / rate))
    low = _walk(-seconds[seconds < first][::-1], -first, gap)
    high = _walk(_trailing(summary, sources, span, seconds[seconds > last]), last, gap)
    out = span
    if -low < first:
        out = _moved(summary, sources, out, -low, first, onset=True)
    if high > last and span.recovery is not None:
        out = _moved(summary, sources, out, last + 1, high + 1, onset=False)
    return out


def _walk(later: npt.NDArray[np.int64], edge: int, gap: int) -> int:
    """The last of the seconds that are reached from the edge in steps of at most `gap`."""
    for second in later.tolist():
        if second - edge > gap:
            break
        edge = second
    return edge


def _trailing(summary: Summary, sources: list[str], span: Span, seconds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Of these seconds those in which requests still failed, and not one late answer came amid a backlog that was served."""
    total = failed_series(summary, sources, span.closed)
    if total is None:
        return seconds
    at = seconds - total.start
    least = TRAIL * span.failed / max(1, span.requests)
    return seconds[total.failed[at] >= least * total.requests[at]]


def _of_its_kind(summary: Summary, sources: list[str], span: Span) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The seconds in which requests failed as they did in the span (endpoint and status), in order, and how many."""
    table = summary.table("requests")
    table = table.filter(pc.and_(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())), pc.invert(table["probe"])))
    table = table.filter(failing(table["status"], span.closed))
    inside = pc.and_(pc.greater_equal(table["second"], span.onset.time // SECOND), pc.less_equal(table["second"], span.end // SECOND))
    kinds = table.filter(inside).group_by(["endpoint", "status"]).aggregate([("count", "sum")])
    total = pc.sum(kinds["count_sum"]).as_py() or 0
    kinds = kinds.filter(pc.greater_equal(kinds["count_sum"], SHARE * total)).drop_columns(["count_sum"])
    rows = table.join(kinds, ["endpoint", "status"], join_type="inner").group_by("second").aggregate([("count", "sum")]).sort_by("second")
    return rows["second"].to_numpy(), rows["count_sum"].to_numpy()


def _moved(summary: Summary, sources: list[str], span: Span, start: int, stop: int, *, onset: bool) -> Span:
    """The span with one end moved to the first (or last) failed request of these seconds (half-open), and its failures added."""
    table = failures(summary, sources, span.closed)
    second = table["second"].to_numpy()
    rows = table.filter(pa.array((second >= start) & (second < stop)))
    if not rows.num_rows:
        return span
    more = int(pc.sum(rows["count"]).as_py())
    span = replace(span, failed=span.failed + more, requests=span.requests + more)
    if onset:
        time = pc.min(rows["time"]).as_py()
        return replace(span, onset=Bound(time, min(time, span.onset.earliest), max(span.onset.latest, time + SECOND), span.onset.method))
    time = pc.max(rows["last_time"]).as_py()
    assert span.recovery is not None
    return replace(span, recovery=Bound(time, min(time, span.recovery.earliest), max(span.recovery.latest, time + SECOND), span.recovery.method))
