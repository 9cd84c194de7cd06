"""Finds every outage in a summary: when users began to be failed, when that ended, and how sure each end is.

Three signals, in order of proof: failed requests (5xx or no answer; the total, and each endpoint, upstream and host),
requests far slower than the baseline, silence (traffic that stops while other logs go on), and requests turned away. Where there is no access
log at all, a surge of error lines stands in; and lines of trouble that came in place of steady ones tell of outages that no request does.
Each is a scan of `retrolog.pipeline.analysis.outages.scan`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.requests import failing
from ...counting.summary import Summary
from ...findings import Bound
from ..edge import edge_sources
from ..traffic import SECOND, Span, Timeseries, failed_series, failures, series
from . import scan
from .absence import silent
from .bounds import inside, touches
from .complaints import surges
from .fringe import with_fringes
from .outcomes import replaced
from .pauses import with_pauses
from .refusals import refused
from .slowness import slow

if TYPE_CHECKING:
    from ...window import Window

#: Two spans of failures more than this many seconds apart are two incidents.
APART = 60
#: Failures within fewer seconds than this are a blip, however many: a restart, not an outage.
LASTS = 3
#: Segments of different signals that overlap within this many seconds are one outage.
NEAR = 30
#: What one endpoint adds to an outage of all traffic must be longer than this to move its ends.
STRAY = 10 * SECOND
#: A part of the traffic is looked at when it failed this often, and clients are a group from so many on.
LEAST, GROUP = 8, 3


def gave_up(summary: Summary, sources: list[str]) -> bool:
    """Whether clients closed their connections (499) in a cluster: then they were failed, else they were impatient."""
    closed = series(summary, sources, ("requests", "closed"))
    return closed is not None and any(not s.is_blip for s in scan.segments(closed.failed, closed.requests))


def find(summary: Summary, window: Window) -> list[Span]:
    """Every outage and blip whose onset or course touches the window, in order of time."""
    sources = edge_sources(summary)
    spans = _failures(summary, sources, gave_up(summary, sources)) if sources else []
    if sources:
        spans += slow(summary, sources, spans)
        spans += silent(summary, sources)
        spans += refused(summary, sources, spans)
    else:
        spans += surges(summary)
    spans += [s for s in replaced(summary) if not any(_overlap(s, other, APART) and not other.is_blip for other in spans)]
    whole = with_pauses(summary, with_fringes(summary, _joined(spans)))
    return [inside(summary, s, window) for s in whole if touches(s, window)]


def _failures(summary: Summary, sources: list[str], closed: bool) -> list[Span]:
    total = failed_series(summary, sources, closed)
    if total is None:
        return []
    width = summary.width("seconds")
    spans = [
        _from_segment(summary, sources, closed, s, total.start, width, None, None) for s in scan.segments(total.failed, total.requests)
    ]
    # a partial outage drowns in the total: look at each endpoint, upstream, host, method and status that failed at all
    table = summary.table("requests")
    table = table.filter(
        pc.and_(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())), pc.invert(table["probe"]))
    )
    width = summary.width("requests")
    parts = [(name, *part, width) for name in ("endpoint", "upstream", "host", "method", "status") for part in _by(table, name, total, width, closed)]
    parts += _client_group(summary, sources, total, closed)
    for dimension, value, failed, requests, wide in parts:
        for segment in scan.segments(failed, requests):
            span = _from_segment(summary, sources, closed, segment, total.start, wide, dimension, value)
            if not segment.is_blip or not any(_overlap(span, other, NEAR) for other in spans):
                spans.append(span)
    return spans


def _by(table: pa.Table, dimension: str, total: Timeseries, width: int, closed: bool) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Failures and requests per bin for each value of a column that failed at least eight times (at most 40 values).

    A status fails by itself or not at all: its failures are set against all requests.
    """
    counts = table.append_column("failed_count", pc.if_else(failing(table["status"], closed), table["count"], 0))
    counts = counts.filter(pc.is_valid(counts[dimension]))
    if counts.num_rows == 0:
        return []
    totals = counts.group_by(dimension).aggregate([("failed_count", "sum")]).sort_by(
        [("failed_count_sum", "descending"), (dimension, "ascending")]
    )
    if totals.num_rows < 2:
        return []  # one value is the total again
    names = [r[dimension] for r in totals.slice(0, 40).to_pylist() if r["failed_count_sum"] >= LEAST]
    if dimension == "status" and len(names) < 2:
        return []
    bins = (total.stop - total.start + width - 1) // width

    def binned(rows: pa.Table, column: str) -> np.ndarray:
        at = np.clip((rows["second"].to_numpy() - total.start) // width, 0, bins - 1)
        return np.bincount(at, rows[column].to_numpy(), bins)

    parts = ((name, counts.filter(pc.equal(counts[dimension], name))) for name in names)
    return [(str(name), binned(rows, "failed_count"), binned(counts if dimension == "status" else rows, "count")) for name, rows in parts]


def _client_group(
    summary: Summary, sources: list[str], total: Timeseries, closed: bool
) -> list[tuple[str, str, np.ndarray, np.ndarray, int]]:  # fmt: skip
    """Failures and requests per bin of the clients that failed most often, taken together, when they are the lesser part of all.

    A region, a tenant or a network whose requests fail alone drowns among the others; which clients belong to it is seen
    by their failures. One client with failures of its own is no group.
    """
    table, width = summary.table("clients"), summary.width("clients")
    table = table.filter(pc.and_(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())), pc.invert(table["bot"])))
    if table.num_rows == 0 or width != total.width or summary.share("clients") < 1:
        return []
    bad = pc.add(table["failed"], table["closed"]) if closed else table["failed"]
    table = table.append_column("bad", bad)
    by = table.group_by("client").aggregate([("bad", "sum"), ("bad", "max")])
    group = by.filter(pc.greater_equal(by["bad_sum"], LEAST))["client"]
    if not GROUP <= len(group) <= by.num_rows // 2:
        return []
    rows = table.filter(pc.is_in(table["client"], value_set=group.combine_chunks()))
    at = np.clip((rows["second"].to_numpy() - total.start) // width, 0, len(total.requests) - 1)
    failed, requests = (np.bincount(at, rows[name].to_numpy(), len(total.requests)) for name in ("bad", "count"))
    return [("client group", f"{len(group)} of {by.num_rows} clients", failed, requests, width)]


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
        last=recovery if segment.open_end else None,
    )


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
    # a part of the traffic that is not asked for again says nothing of the end
    latest = strong if abs(a.end - b.end) <= STRAY else max(a, b, key=lambda s: s.end)
    open_end = latest.recovery is None
    recovery = None if open_end else max((s.recovery for s in (a, b) if s.recovery), key=lambda r: r.time, default=None)
    onset = min(a.onset, b.onset, key=lambda o: o.time)
    if strong.dimension is None and weak.dimension is not None:
        # one endpoint's stray failure right before or after must not move the ends that all traffic gave
        if strong.onset.time - onset.time <= STRAY:
            onset = strong.onset
        if recovery and strong.recovery and recovery.time - strong.recovery.time <= STRAY:
            recovery = strong.recovery
    last = max(a.end, b.end) if open_end else None
    return replace(
        strong, onset=onset, recovery=recovery, last=last, flaps=max(a.flaps, b.flaps), open_start=a.open_start or b.open_start
    )
