"""What a summary says of users' requests: how many were asked and failed when; a span of time in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..counting.requests import failing
from ..counting.summary import Summary
from ..findings import Bound, Evidence

if TYPE_CHECKING:
    from ..window import Window

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """An outage (or a blip) as found: its ends, what showed it, and where it was narrower than "everything"."""

    onset: Bound
    recovery: Bound | None
    signal: str  # failures, latency, silence, refusals, errors
    is_blip: bool
    flaps: int
    failed: int
    requests: int
    dimension: str | None = None  # endpoint, upstream or host that the scan found it in; None for all traffic
    value: str | None = None
    llr: float = 0.0
    open_start: bool = False
    closed: bool = False  # clients that gave up (499) count as failed
    refused: tuple[int, ...] = ()  # statuses that turned requests away, which count as failed here
    last: int | None = None  # the last failure seen, where no recovery was
    pauses: tuple[tuple[int, int], ...] = ()  # last failure before, first after each stretch in which next to nothing failed
    missing: tuple[int, int] | None = None  # of silence: between how many requests (of a log: lines) were missing, 95 %
    ends: tuple[Evidence, Evidence] | None = None  # of a log's silence: its last line before, its first again

    @property
    def end(self) -> int:
        """The recovery, or the last moment it is known to have lasted."""
        return self.recovery.time if self.recovery else self.last if self.last is not None else self.onset.latest

    def fails(self, status: Any) -> Any:
        """Which statuses count as failed in this span."""
        return pc.or_(failing(status, self.closed), pc.fill_null(pc.is_in(status, value_set=pa.array(self.refused, pa.int16())), False))


def access_logs(summary: Summary) -> set[str]:
    """The sources of which nearly every line is a request: what else stands there is a request that could not be read."""
    totals = summary.table("seconds").group_by("source").aggregate([("requests", "sum"), ("probes", "sum"), ("events", "sum")]).to_pylist()
    return {r["source"] for r in totals if r["requests_sum"] and r["requests_sum"] + r["probes_sum"] >= 0.95 * r["events_sum"]}


@dataclass(frozen=True, slots=True)
class Timeseries:
    """Counts per second from `start` on, of the requests that count as users'."""

    start: int
    requests: np.ndarray
    failed: np.ndarray

    width: int = 1

    @property
    def stop(self) -> int:
        return self.start + len(self.requests) * self.width

    def inside(self, window: Window) -> tuple[int, int]:
        """Requests and failures of the bins that begin in the window."""
        second = self.start + np.arange(len(self.requests)) * self.width
        within = np.ones(len(second), bool)
        if window.start is not None:
            within &= (second + self.width) * SECOND > window.start
        if window.end is not None:
            within &= second * SECOND < window.end
        return int(self.requests[within].sum()), int(self.failed[within].sum())


def extent(summary: Summary) -> tuple[int, int] | None:
    """The first and one past the last second that any event was seen in."""
    seconds = summary.table("seconds")
    if seconds.num_rows == 0:
        return None
    ends = pc.min_max(seconds["second"]).as_py()
    return ends["min"], ends["max"] + summary.width("seconds")


def series(summary: Summary, sources: list[str], columns: tuple[str, str] = ("requests", "failed")) -> Timeseries | None:
    """Requests and failures per bin of those sources over the whole extent (two columns of `seconds`)."""
    span = extent(summary)
    if span is None:
        return None
    table = summary.table("seconds")
    table = table.filter(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())))
    width = summary.width("seconds")
    at = (table["second"].to_numpy() - span[0]) // width
    bins = (span[1] - span[0] + width - 1) // width
    requests, failed = (np.bincount(at, table[c].to_numpy(), bins) for c in columns)
    return Timeseries(span[0], requests, failed, width)


def failed_series(summary: Summary, sources: list[str], closed: bool, refused: tuple[int, ...] = ()) -> Timeseries | None:
    """Requests and failures per bin, clients that gave up among the failures when `closed`, and those answered a `refused` status."""
    total = series(summary, sources)
    if total is None:
        return None
    if closed:
        more = series(summary, sources, ("requests", "closed"))
        assert more is not None
        total = replace(total, failed=total.failed + more.failed)
    if refused:
        table = summary.table("requests")
        table = table.filter(pc.and_(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())), pc.invert(table["probe"])))
        table = table.filter(pc.is_in(table["status"], value_set=pa.array(refused, pa.int16())))
        at = np.clip((table["second"].to_numpy() - total.start) // total.width, 0, len(total.failed) - 1)
        total = replace(total, failed=total.failed + np.bincount(at, table["count"].to_numpy(), len(total.failed)))
    return total


def failures(summary: Summary, sources: list[str], closed: bool) -> pa.Table:
    """The rows of `failures` (first and last failed request a bin) that count, of these sources."""
    table = summary.table("failures")
    table = table.filter(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())))
    return table if closed else table.filter(pc.invert(table["closed"]))


def between(summary: Summary, name: str, sources: list[str], first: int, last: int) -> pa.Table:
    """The rows of a table, of these sources, whose bins touch the seconds of `first` to `last` (microseconds)."""
    table = summary.table(name)
    second = table["second"].to_numpy()
    inside = pa.array((second + summary.width(name) > first // SECOND) & (second <= last // SECOND))
    return table.filter(pc.and_(inside, pc.is_in(table["source"], value_set=pa.array(sources, pa.string()))))
