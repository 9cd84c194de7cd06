"""Was it the traffic itself: a surge of requests that began before the failures did, and who sent it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...findings import Candidate
from ...wording import duration, percent
from .. import traffic
from ..edge import edge_sources
from ..evidence import evidence
from ..outages import scan
from ..traffic import SECOND

if TYPE_CHECKING:
    from ...counting.summary import Summary
    from ...window import Window
    from ..traffic import Span

#: Events of a short span: (first, last) in microseconds to a table of events, in order of time; a column `agent` may stand for
#: the user agent in `fields`.
Look = Callable[[int, int], "pa.Table"]

#: A surge counts as a cause when it begins within this long before the onset, holds, and at least doubles the rate.
BEFORE = 120 * SECOND
HOLDS = 10
FACTOR = 1.8
#: What is read after the onset, and requests a second beyond which the look is too dear.
AFTER = 30 * SECOND
MOST = 500
#: Weight of the kind, as in the lexicon of changes.
WEIGHT = 2.4


def flood(summary: Summary, span: Span, window: Window, look: Look) -> Candidate | None:
    """The surge of requests that may have set the outage off, with the sender or the target most of it has in common.

    Requests count when they arrived, which is their stamp less their duration: what times out is logged late. Retries make
    traffic rise during an outage, so a surge that begins after the onset is an effect and is left out.
    """
    sources = set(edge_sources(summary))
    onset = span.onset.time
    total = traffic.series(summary, sorted(sources)) if sources else None
    if total is None or total.requests.sum() > MOST * len(total.requests):
        return None
    begin = onset - 2 * BEFORE
    asked = _requests(look(begin, onset + AFTER), sources)
    if asked.num_rows < 60:
        return None
    took = np.nan_to_num(asked["duration"].to_numpy()) if asked["duration"].null_count < asked.num_rows else np.zeros(asked.num_rows)
    arrived = asked["time"].to_numpy() - np.round(took * SECOND).astype(np.int64)
    first = int(max(begin, arrived.min())) // SECOND
    counts = np.bincount(np.clip(arrived // SECOND - first, 0, None), minlength=(onset + AFTER) // SECOND - first + 1)
    for surge in scan.surges(counts):
        start = (first + surge.start_bin) * SECOND
        length = surge.stop_bin - surge.start_bin
        factor = surge.failed / surge.total if surge.total else 0.0
        if not (onset - BEFORE <= start <= onset + SECOND and start in window and length >= HOLDS and factor >= FACTOR):
            continue
        rate, usual = surge.failed / length, surge.total / length
        now, before = (
            _told(asked.filter(pa.array((arrived >= since) & (arrived < since + 10 * SECOND)))) for since in (start, start - 10 * SECOND)
        )
        common, shown = _in_common(now, before, usual)
        shown = [r for r in shown if r["time"] in window]
        if not shown:
            continue
        who = f", most of it {common}" if common else ""
        delay = onset - start
        return Candidate(
            time=start,
            summary=f"requests rose from {usual:.0f} to {rate:.0f} a second{who}",
            kind="flood",
            score=round(1.5 * WEIGHT + (1.0 if common else 0.0) - 0.6 * log(1 + max(0, delay) / SECOND / 10), 3),
            evidence=tuple(evidence(r) for r in shown[:5]),
            reasons_for=(f"{duration(delay)} before the onset" if delay > 0 else "at the onset", f"{factor:.1f} times the usual rate"),
            reasons_against=() if common else ("no client, path or user agent stands out in it",),
            subject=common or None,
        )
    return None


def _in_common(
    after: list[dict[str, Any]], before: list[dict[str, Any]], usual: float
) -> tuple[str, list[dict[str, Any]]]:
    """What most of the added requests of the first ten seconds share, in words, and the first requests that have it."""
    added = max(1.0, len(after) - usual * 10)
    best: tuple[float, str, str] = (0.5, "", "")
    for key in ("client", "user_agent", "path"):
        now, then = (Counter(r[key] for r in rows if r[key]) for rows in (after, before))
        for value, count in now.most_common(1):
            share = (count - then[value]) / added
            if share > best[0]:
                best = (share, key, value)
    if not best[1]:
        return "", after[:3]
    words = {"client": "from", "user_agent": "by", "path": "to"}[best[1]]
    return f"{words} {best[2]} ({percent(min(100.0, 100 * best[0]))})", [r for r in after if r[best[1]] == best[2]]


def _requests(table: pa.Table, sources: set[str]) -> pa.Table:
    """The requests of these sources, with times in microseconds."""
    if not table.num_rows:
        return table
    ours = pc.is_in(table["source"].cast(pa.string()), value_set=pa.array(sorted(sources), pa.string()))
    full = pc.fill_null(pc.not_equal(table["path"].cast(pa.string()), ""), False)
    table = table.filter(pc.and_(pc.and_(ours, full), pc.is_valid(table["status"])))
    return table.set_column(table.schema.get_field_index("time"), "time", table["time"].cast(pa.int64()))


def _told(table: pa.Table) -> list[dict[str, Any]]:
    """Requests as values, with the user agent, and the path without what was asked of it."""
    rows = []
    for row in table.to_pylist():
        if row.get("agent") is not None:
            agent = json.loads(f'"{row["agent"]}"')  # as it stands in JSON
        else:
            agent = json.loads(row["fields"]).get("user_agent") if row["fields"] else None
        rows.append(row | {"user_agent": agent, "path": row["path"].split("?", 1)[0]})
    return rows
