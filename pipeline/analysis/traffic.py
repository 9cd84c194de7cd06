"""What a summary says of users' requests: which logs count, and how many were asked and failed when; a span of time in it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
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
#: A log that names so few clients names none: proxies, or nobody.
NOBODY = 3
#: Requests answered well that show a log to tell of them all, and not of trouble alone.
ANSWERED = 20


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


def edge_sources(summary: Summary) -> list[str]:
    """The sources whose requests count as users' requests: access logs nearest to the user, each request once.

    A proxy and the application behind it may both log a request. Where sampled request ids are shared, the source that tells
    fewer clients apart, or has fewer requests, is left out; where its counts are an echo of another's, likewise.

    A log of which half of the lines are requests is an access log. Where none has more requests, a log in which they stand among
    other lines counts too: the more trouble, the more other lines there are. Beside such a log only others of its kind count, which
    serve the same endpoints.
    """
    seconds = summary.table("seconds")
    if seconds.num_rows == 0:
        return []
    totals = seconds.group_by("source").aggregate([("requests", "sum"), ("probes", "sum"), ("events", "sum")]).to_pylist()
    clients = summary.table("clients").group_by("source").aggregate([("client", "count_distinct")]).to_pylist()
    by_name = {r["source"]: r["client_count_distinct"] > NOBODY for r in clients}
    told = {t["source"]: (t["requests_sum"] + t["probes_sum"], t["events_sum"]) for t in totals if t["requests_sum"]}
    pure = {source for source, (requests, events) in told.items() if requests >= 0.5 * events}
    most = max((told[source][0] for source in pure), default=0)
    mixed = {source for source in _answering(summary, told.keys() - pure) if told[source][0] > most}
    named = sorted(
        pure | mixed,
        # who is told apart by address asked this server itself; behind it all come from one, or from nobody
        key=lambda source: (source in mixed, not by_name.get(source, False), -told[source][0], source),
    )
    ids = summary.table("request_ids")
    sampled = {source: set(ids.filter(pc.equal(ids["source"], source))["request_id"].to_pylist()) for source in named}
    kept: list[str] = []
    for source in named:
        mine = sampled[source]
        if any(mine and len(mine & sampled[other]) > 0.3 * len(mine) for other in kept):
            continue
        if any(_echoes(summary, source, other) for other in kept):
            continue
        if source in mixed and not all(_serve_the_same(summary, source, other) for other in kept if other in mixed):
            continue
        kept.append(source)
    return kept


def access_logs(summary: Summary) -> set[str]:
    """The sources of which nearly every line is a request: what else stands there is a request that could not be read."""
    totals = summary.table("seconds").group_by("source").aggregate([("requests", "sum"), ("probes", "sum"), ("events", "sum")]).to_pylist()
    return {r["source"] for r in totals if r["requests_sum"] and r["requests_sum"] + r["probes_sum"] >= 0.95 * r["events_sum"]}


def _answering(summary: Summary, sources: AbstractSet[str]) -> list[str]:
    """Those of the sources that tell of requests answered well, too: an error log tells of the others alone."""
    table = summary.table("requests")
    if not sources:
        return []
    well = pc.and_(pc.less(table["status"], 400), pc.greater_equal(table["status"], 100))
    table = table.filter(pc.and_(pc.is_in(table["source"], value_set=pa.array(sorted(sources), pa.string())), well))
    counted = table.group_by("source").aggregate([("count", "sum")]).to_pylist()
    return [row["source"] for row in counted if row["count_sum"] >= ANSWERED]


def _serve_the_same(summary: Summary, source: str, other: str) -> bool:
    """Whether most requests of a source are for endpoints of the other: one service on several hosts, no service behind it."""
    table = summary.table("requests")
    mine, others = (table.filter(pc.equal(table["source"], name)) for name in (source, other))
    shared = mine.filter(pc.is_in(mine["endpoint"], value_set=pc.unique(others["endpoint"])))
    return bool(shared["count"].to_numpy().sum() > 0.5 * mine["count"].to_numpy().sum())


def _echoes(summary: Summary, source: str, other: str) -> bool:
    """Whether a source logs again what another logged: their counts of single endpoints waver together.

    Two servers that share the traffic rise and fall together too, but which of them gets a request for this endpoint in
    these seconds is chance; a proxy and the server behind it see the same ones. Seconds with failures are left out: there
    the two tell different stories (one a time-out, the other a late success).
    """
    table = summary.table("requests")
    span = extent(summary)
    if span is None:
        return False
    step = max(3, summary.width("requests"))
    bins = (span[1] - span[0]) // step + 1
    rows = table.filter(pc.is_in(table["source"], value_set=pa.array([source, other])))
    failed = rows.filter(failing(rows["status"], closed=True))
    calm = np.ones(bins, bool)
    calm[(failed["second"].to_numpy() - span[0]) // step] = False
    mine = rows.filter(pc.equal(rows["source"], source)).group_by("endpoint").aggregate([("count", "sum")])
    likeness = []
    for row in mine.sort_by([("count_sum", "descending"), ("endpoint", "ascending")]).slice(0, 5).to_pylist():
        same = rows.filter(pc.equal(rows["endpoint"], row["endpoint"]))
        counts = []
        for name in (source, other):
            part = same.filter(pc.equal(same["source"], name))
            counts.append(np.bincount((part["second"].to_numpy() - span[0]) // step, part["count"].to_numpy(), bins))
        if min(c[calm].sum() for c in counts) >= 20:
            likeness.append(_waver_together(counts[0], counts[1], calm))
    return bool(likeness) and float(np.median(likeness)) > 0.5


def _waver_together(one: np.ndarray, two: np.ndarray, where: np.ndarray) -> float:
    """The correlation of two series' deviations from their running means, on the bins given."""
    window = np.ones(21) / 21
    parts = [(c - np.convolve(c, window, "same"))[where] for c in (one, two)]
    spread = float(parts[0].std() * parts[1].std())
    return float(((parts[0] - parts[0].mean()) * (parts[1] - parts[1].mean())).mean() / spread) if spread else 0.0


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
