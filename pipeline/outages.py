"""Finds every outage in a summary: when users began to be failed, when that ended, and how sure each end is.

Three signals, in order of proof: failed requests (5xx or no answer; the total, and each endpoint, upstream and host),
requests far slower than the baseline, and silence (traffic that stops while other logs go on). Where there is no access
log at all, a surge of error lines stands in. Each is a scan of `retrolog.pipeline.scan`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import scan
from .findings import Bound
from .requests import failing
from .summary import BUCKETS, PER_DOUBLING, Summary

if TYPE_CHECKING:
    from .window import Window

#: Two spans of failures more than this many seconds apart are two incidents.
APART = 60
#: Failures within fewer seconds than this are a blip, however many: a restart, not an outage.
LASTS = 3
#: Segments of different signals that overlap within this many seconds are one outage.
NEAR = 30
SECOND = 1_000_000
#: What one endpoint adds to an outage of all traffic must be longer than this to move its ends.
STRAY = 10 * SECOND


@dataclass(frozen=True, slots=True)
class Span:
    """An outage (or a blip) as found: its ends, what showed it, and where it was narrower than "everything"."""

    onset: Bound
    recovery: Bound | None
    signal: str  # failures, latency, silence, errors
    is_blip: bool
    flaps: int
    failed: int
    requests: int
    dimension: str | None = None  # endpoint, upstream or host that the scan found it in; None for all traffic
    value: str | None = None
    llr: float = 0.0
    open_start: bool = False
    closed: bool = False  # clients that gave up (499) count as failed

    @property
    def end(self) -> int:
        """The recovery, or the last moment it is known to have lasted."""
        return self.recovery.time if self.recovery else self.onset.latest


def edge_sources(summary: Summary) -> list[str]:
    """The sources whose requests count as users' requests: access logs nearest to the user, each request once.

    A proxy and the application behind it may both log a request. Where sampled request ids are shared, the source with
    fewer requests is left out; where its counts are an echo of another's, likewise.
    """
    seconds = summary.table("seconds")
    if seconds.num_rows == 0:
        return []
    totals = seconds.group_by("source").aggregate([("requests", "sum"), ("probes", "sum"), ("events", "sum")]).to_pylist()
    named = sorted(
        ((t["requests_sum"], t["source"]) for t in totals if t["requests_sum"] + t["probes_sum"] >= 0.5 * t["events_sum"] and t["requests_sum"]),
        key=lambda pair: (-pair[0], pair[1]),
    )
    ids = summary.table("request_ids")
    sampled = {source: set(ids.filter(pc.equal(ids["source"], source))["request_id"].to_pylist()) for _, source in named}
    kept: list[str] = []
    for _, source in named:
        mine = sampled[source]
        if any(mine and len(mine & sampled[other]) > 0.3 * len(mine) for other in kept):
            continue
        if any(_echoes(summary, source, other) for other in kept):
            continue
        kept.append(source)
    return kept


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


def gave_up(summary: Summary, sources: list[str]) -> bool:
    """Whether clients closed their connections (499) in a cluster: then they were failed, else they were impatient."""
    closed = series(summary, sources, ("requests", "closed"))
    return closed is not None and any(not s.is_blip for s in scan.segments(closed.failed, closed.requests))


def failed_series(summary: Summary, sources: list[str], closed: bool) -> Timeseries | None:
    """Requests and failures per bin, clients that gave up among the failures when `closed`."""
    total = series(summary, sources)
    if total is None or not closed:
        return total
    more = series(summary, sources, ("requests", "closed"))
    assert more is not None
    return replace(total, failed=total.failed + more.failed)


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


def find(summary: Summary, window: Window) -> list[Span]:
    """Every outage and blip whose onset or course touches the window, in order of time."""
    sources = edge_sources(summary)
    spans = _failures(summary, sources, gave_up(summary, sources)) if sources else []
    if sources:
        spans += _slow(summary, sources, spans)
        spans += _silent(summary, sources, spans)
    else:
        spans += _errors(summary)
    return [s for s in _joined(spans) if _touches(s, window)]


def _touches(span: Span, window: Window) -> bool:
    return (window.end is None or span.onset.time < window.end) and (window.start is None or span.end >= window.start)


def _failures(summary: Summary, sources: list[str], closed: bool) -> list[Span]:
    total = failed_series(summary, sources, closed)
    if total is None:
        return []
    width = summary.width("seconds")
    spans = [
        _from_segment(summary, sources, closed, s, total.start, width, None, None) for s in scan.segments(total.failed, total.requests)
    ]
    # a partial outage drowns in the total: look at each endpoint, upstream and host that failed at all
    table = summary.table("requests")
    table = table.filter(
        pc.and_(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())), pc.invert(table["probe"]))
    )
    width = summary.width("requests")
    for dimension in ("endpoint", "upstream", "host"):
        for value, failed, requests in _by(table, dimension, total.start, total.stop, width, closed):
            for segment in scan.segments(failed, requests):
                span = _from_segment(summary, sources, closed, segment, total.start, width, dimension, value)
                if not segment.is_blip or not any(_overlap(span, other, NEAR) for other in spans):
                    spans.append(span)
    return spans


def _by(table: pa.Table, dimension: str, start: int, stop: int, width: int, closed: bool) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Failures and requests per bin for each value of a column that failed at least eight times (at most 40 values)."""
    counts = table.append_column("failed_count", pc.if_else(failing(table["status"], closed), table["count"], 0))
    counts = counts.filter(pc.is_valid(counts[dimension]))
    if counts.num_rows == 0:
        return []
    totals = counts.group_by(dimension).aggregate([("failed_count", "sum")]).sort_by(
        [("failed_count_sum", "descending"), (dimension, "ascending")]
    )
    if totals.num_rows < 2:
        return []  # one value is the total again
    names = [r[dimension] for r in totals.slice(0, 40).to_pylist() if r["failed_count_sum"] >= 8]
    bins = (stop - start + width - 1) // width
    answer = []
    for name in names:
        rows = counts.filter(pc.equal(counts[dimension], name))
        at = np.clip((rows["second"].to_numpy() - start) // width, 0, bins - 1)
        answer.append(
            (name, np.bincount(at, rows["failed_count"].to_numpy(), bins), np.bincount(at, rows["count"].to_numpy(), bins))
        )
    return answer


def _from_segment(
    summary: Summary, sources: list[str], closed: bool, segment: scan.Segment, start: int, width: int, dimension: str | None,
    value: str | None,
) -> Span:  # fmt: skip
    """A segment of bins as a span of times: each end at the single failed request nearest inside its bin."""
    first, last = start + segment.start_bin * width, start + segment.stop_bin * width
    table = failures(summary, sources, closed)
    second = table["second"].to_numpy()
    inside = table.filter(pa.array((second >= first) & (second < last)))
    onset, recovery = first * SECOND, (last - 1) * SECOND
    if inside.num_rows:
        onset = max(onset, pc.min(inside["time"]).as_py())
        recovery = pc.max(inside["last_time"]).as_py()
    step = width * SECOND

    def bound(time: int, bins: tuple[int, int]) -> Bound:
        early, late = ((start + b * width) * SECOND for b in bins)
        # a stamp of whole seconds is the start of the second that the request ended in
        return Bound(time, min(early, time), max(late, time + step), "segment scan of failed requests")

    return Span(
        onset=bound(onset, segment.onset),
        recovery=None if segment.open_end else bound(recovery, segment.recovery),
        signal="failures",
        is_blip=segment.is_blip or (segment.stop_bin - segment.start_bin) * width < LASTS,
        flaps=segment.flaps,
        failed=int(segment.failed),
        requests=int(segment.total),
        dimension=dimension,
        value=value,
        llr=segment.llr,
        open_start=segment.open_start,
        closed=closed,
    )


def _slow(summary: Summary, sources: list[str], found: list[Span]) -> list[Span]:
    """Spans in which requests took far longer than the baseline, outside the ones where they failed.

    Slow is four times the third quartile of the calm time, and at least a second: below that users are not failed. The
    span must hold for half a minute with at least a fifth of the requests slow.
    """
    table = summary.table("latency")
    table = table.filter(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())))
    span = extent(summary)
    if table.num_rows == 0 or span is None:
        return []
    bucket, count = table["bucket"].to_numpy(), table["count"].to_numpy()
    width = summary.width("latency")
    bins = (span[1] - span[0] + width - 1) // width
    at = np.clip((table["second"].to_numpy() - span[0]) // width, 0, bins - 1)
    calm = np.ones(bins, bool)
    for s in found:
        calm[max(0, (s.onset.time // SECOND - 60 - span[0]) // width) : (s.end // SECOND + 60 - span[0]) // width + 1] = False
    usual = np.bincount(bucket[calm[at]], count[calm[at]], len(BUCKETS) + 1) if calm[at].any() else np.zeros(1)
    if usual.sum() < 50:
        return []
    # the calmer half sets the baseline: the slow span itself must not
    p75 = int(np.searchsorted(np.cumsum(usual), 0.75 * usual.sum()))
    limit = max(p75 + 2 * PER_DOUBLING, int(np.searchsorted(BUCKETS, 1.0)))
    slow = np.bincount(at, np.where(bucket > limit, count, 0), bins)
    total = np.bincount(at, count, bins)
    spans: list[Span] = []
    for part in scan.segments(slow, total):
        long = (part.stop_bin - part.start_bin) * width >= 30
        if part.is_blip or not long or part.failed < 0.2 * part.total:
            continue
        first, last = (span[0] + part.start_bin * width) * SECOND, (span[0] + part.stop_bin * width - 1) * SECOND
        method = f"segment scan of requests slower than {BUCKETS[limit]:.1f} s"
        spans.append(
            Span(
                Bound(first, first, first + width * SECOND, method),
                None if part.open_end else Bound(last, last, last + width * SECOND, method),
                "latency", False, part.flaps, int(part.failed), int(part.total), llr=part.llr, open_start=part.open_start,
            )
        )  # fmt: skip
    return [s for s in spans if not any(_overlap(s, other, APART) and not other.is_blip for other in found)]


def _silent(summary: Summary, sources: list[str], found: list[Span]) -> list[Span]:
    """Spans in which requests stopped altogether while other logs went on.

    An access log whose server is down says nothing, so the gap is the signal. At least 30 requests must have been due,
    and other sources must have written before, in and after the gap: else the logs end there, not the traffic.
    """
    total = series(summary, sources)
    if total is None or total.requests.sum() < 60:
        return []
    width = summary.width("seconds")
    table = summary.table("seconds")
    others = table.filter(pc.invert(pc.is_in(table["source"], value_set=pa.array(sources, pa.string()))))
    alive = np.sort(others["second"].to_numpy())
    spans = []
    busy = np.flatnonzero(total.requests)
    for a, b in pairwise(busy.tolist()):
        gap = (b - a - 1) * width
        if gap < 10:
            continue
        around = total.requests[max(0, a - 300 // width) : a + 1]
        after = total.requests[b : b + 300 // width]
        rate = min(around.mean(), after.mean()) / width
        first, last = total.start + a * width, total.start + b * width
        inside = np.searchsorted(alive, last) - np.searchsorted(alive, first + 1)
        if rate * gap >= 30 and inside >= 2:
            method = "requests stopped and came back"
            spans.append(
                Span(
                    Bound(first * SECOND, first * SECOND, (first + width) * SECOND, method),
                    Bound(last * SECOND, (last - width) * SECOND, last * SECOND, method),
                    "silence", False, 0, round(rate * gap), round(rate * gap),
                )
            )  # fmt: skip
    return spans


def _errors(summary: Summary) -> list[Span]:
    """Surges of error lines, where no access log tells of the requests."""
    table = summary.table("seconds")
    span = extent(summary)
    if span is None:
        return []
    total = series(summary, sorted(set(table["source"].to_pylist())), ("events", "errors"))
    if total is None:
        return []
    width = summary.width("seconds")
    spans = []
    for s in scan.surges(total.failed, expected=_calm_rate(total.failed, width)):
        if s.failed < 4 * s.total:
            continue
        first, last = (span[0] + s.start_bin * width) * SECOND, (span[0] + s.stop_bin * width) * SECOND
        method = "surge of error lines (no access log)"
        spans.append(
            Span(
                Bound(first, first, first + width * SECOND, method),
                None if s.open_end else Bound(last - SECOND, last - width * SECOND, last, method),
                "errors", s.is_blip, s.flaps, int(s.failed), 0, llr=s.llr, open_start=s.open_start,
            )
        )  # fmt: skip
    return spans


def _calm_rate(errors: np.ndarray, width: int) -> np.ndarray:
    """The error lines a bin that are usual: of the calmer quarter of the half minutes, for the outage may be most of the logs."""
    block = max(1, 30 // width)
    edges = np.arange(0, max(len(errors), 1), block)
    rates = np.add.reduceat(errors, edges) / block if len(errors) else np.zeros(1)
    return np.full(len(errors), max(float(np.quantile(rates, 0.25)), 0.02 * width))


def _overlap(a: Span, b: Span, slack: int) -> bool:
    return a.onset.time <= b.end + slack * SECOND and b.onset.time <= a.end + slack * SECOND


def _joined(spans: list[Span]) -> list[Span]:
    """Spans that overlap are one outage: the union of their ends, described by the strongest."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.onset.time, -s.llr)):
        if out and not (out[-1].is_blip or span.is_blip) and _overlap(out[-1], span, APART):
            out[-1] = _union(out[-1], span)
        elif out and (out[-1].is_blip or span.is_blip) and _overlap(out[-1], span, NEAR):
            out[-1] = out[-1] if span.is_blip else span
        else:
            out.append(span)
    return out


def _union(a: Span, b: Span) -> Span:
    strong, weak = (a, b) if (a.dimension is None, a.llr) >= (b.dimension is None, b.llr) else (b, a)
    open_end = (a.recovery is None and a.end >= b.end) or (b.recovery is None and b.end >= a.end)
    recovery = None if open_end else max((s.recovery for s in (a, b) if s.recovery), key=lambda r: r.time, default=None)
    onset = min(a.onset, b.onset, key=lambda o: o.time)
    if strong.dimension is None and weak.dimension is not None:
        # one endpoint's stray failure right before or after must not move the ends that all traffic gave
        if strong.onset.time - onset.time <= STRAY:
            onset = strong.onset
        if recovery and strong.recovery and recovery.time - strong.recovery.time <= STRAY:
            recovery = strong.recovery
    return replace(
        strong, onset=onset, recovery=recovery, flaps=max(a.flaps, b.flaps), open_start=a.open_start or b.open_start
    )
