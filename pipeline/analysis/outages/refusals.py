"""Outages in which requests were answered, but turned away: 429, 401, 403, 404 where the same endpoints used to succeed.

One such answer is the client's fault; that half of all clients get it from one second to the next is the service's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.requests import CLOSED
from ...findings import Bound
from ..edge import edge_sources
from ..traffic import SECOND, Span, between, extent
from . import scan

if TYPE_CHECKING:
    from ...counting.summary import Summary

#: What turns a request away; a client that gave up (499) or took too long (408) was not turned away.
STATUSES = tuple(s for s in range(400, 452) if s not in (CLOSED, 408, 444))
#: An endpoint counts when it succeeded this often; what never succeeds is asked by scanners.
SUCCEEDED = 5
#: A span must last so many seconds and turn away this share of the requests.
LASTS, LEAST = 10, 0.2
#: Many clients must be turned away: without the busiest three, at least this share of the refusals remains.
BUSIEST, OTHERS = 3, 0.3


def refused(summary: Summary, sources: list[str], window_spans: list[Span]) -> list[Span]:
    """Spans in which endpoints that succeed began to turn requests away, apart from the spans given."""
    table, whole = summary.table("requests"), extent(summary)
    table = table.filter(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())))
    table = table.filter(pc.invert(pc.or_(table["probe"], table["bot"])))
    if table.num_rows == 0 or whole is None:
        return []
    away = pc.is_in(table["status"], value_set=pa.array(STATUSES, pa.int16()))
    if not pc.any(away).as_py():
        return []
    table = table.append_column("away", pc.if_else(away, table["count"], 0))
    table = table.append_column("fine", pc.if_else(pc.less(table["status"], 400), table["count"], 0))
    sums = table.group_by("endpoint").aggregate([("fine", "sum")])
    known = sums.filter(pc.greater_equal(sums["fine_sum"], SUCCEEDED))["endpoint"]
    table = table.filter(pc.is_in(table["endpoint"], value_set=known.combine_chunks()))
    width = summary.width("requests")
    bins = (whole[1] - whole[0] + width - 1) // width
    at = np.clip((table["second"].to_numpy() - whole[0]) // width, 0, max(0, bins - 1))
    turned, asked = (np.bincount(at, table[name].to_numpy(), bins) for name in ("away", "count"))
    spans = []
    for part in scan.segments(turned, asked):
        first, last = whole[0] + part.start_bin * width, whole[0] + part.stop_bin * width
        if part.is_blip or last - first < LASTS or part.failed < LEAST * part.total:
            continue
        inside = table.filter(pc.and_(pc.greater_equal(table["second"], first), pc.less(table["second"], last)))
        by = inside.filter(pc.greater(inside["away"], 0)).group_by("status").aggregate([("away", "sum")]).to_pylist()
        statuses = tuple(sorted(r["status"] for r in by if r["away_sum"] >= 0.05 * part.failed))
        span = _span(part, whole[0], width, statuses)
        near = any(span.onset.time <= s.end + 30 * SECOND and s.onset.time <= span.end + 30 * SECOND for s in window_spans if not s.is_blip)
        if not near and _many(summary, sources, span):
            spans.append(span)
    return spans


def _span(part: scan.Segment, start: int, width: int, statuses: tuple[int, ...]) -> Span:
    def bound(at: int, bins: tuple[int, int]) -> Bound:
        early, late = ((start + b * width) * SECOND for b in bins)
        time = (start + at * width) * SECOND
        return Bound(time, min(early, time), max(late, time + width * SECOND), "segment scan of requests turned away")

    return Span(
        onset=bound(part.start_bin, part.onset), recovery=None if part.open_end else bound(part.stop_bin - 1, part.recovery),
        signal="refusals", is_blip=False, flaps=part.flaps, failed=int(part.failed), requests=int(part.total), llr=part.llr,
        open_start=part.open_start, refused=statuses, last=(start + part.stop_bin * width) * SECOND,
    )  # fmt: skip


def _many(summary: Summary, sources: list[str], span: Span) -> bool:
    """Whether many clients were turned away; where a log names hardly any client (all come by one proxy) nobody can tell."""
    everyone = summary.table("clients").filter(pc.is_in(summary.table("clients")["source"], value_set=pa.array(sources, pa.string())))
    if pc.count_distinct(everyone["client"]).as_py() <= BUSIEST:
        return True
    table = between(summary, "clients", sources, span.onset.time, span.end)
    counts = np.sort(table.group_by("client").aggregate([("count", "sum")])["count_sum"].to_numpy())[::-1] if table.num_rows else np.zeros(0)
    scale = 1 / summary.share("clients")
    return bool(span.failed - scale * counts[:BUSIEST].sum() >= OTHERS * span.failed)


def with_first_and_last(summary: Summary, span: Span, look: Callable[[int, int], pa.Table]) -> tuple[Summary, Span]:
    """The summary with the first and the last request that a span turned away among its failures, and the span cut at these.

    `look(first, last)` gives the events of a short time (microseconds, half-open).
    """
    if span.signal != "refusals":
        return summary, span
    sources = set(edge_sources(summary))
    width = SECOND * summary.width("requests")
    begun = _turned_away(look(span.onset.time, span.onset.time + width + 2 * SECOND), sources, span)
    ended = _turned_away(look(span.end - width - 2 * SECOND, span.end + width), sources, span)
    if not begun or not ended:
        return summary, span
    table = summary.table("failures")
    rows = [_row(begun[0], begun[0]), _row(ended[-1], ended[-1])]
    both = pa.concat_tables([table, pa.Table.from_pylist(rows, schema=table.schema)])
    span = replace(span, onset=replace(span.onset, time=begun[0]["time"]), last=ended[-1]["time"])
    if span.recovery is not None:
        span = replace(span, recovery=replace(span.recovery, time=ended[-1]["time"]))
    return replace(summary, tables={**summary.tables, "failures": both}), span


def _turned_away(table: pa.Table, sources: set[str], span: Span) -> list[dict[str, Any]]:
    rows = [r for r in table.to_pylist() if r["source"] in sources and r["path"] and r["status"] in span.refused]
    for row in rows:
        if not isinstance(row["time"], int):
            row["time"] = round(row["time"].timestamp() * SECOND)
    return sorted(rows, key=lambda r: (r["time"], r["file"], r["line"]))


def _row(first: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    names = ("time", "file", "line", "lines", "offset", "size", "method", "path", "status")
    both = {n: first[n] for n in names} | {f"last_{n}": last[n] for n in names}
    return both | {"source": first["source"], "second": first["time"] // SECOND, "closed": False, "count": 1}
