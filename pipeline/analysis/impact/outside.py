"""The requests of an outage's first and last second that ended before its first failure or after its last one.

Counts are kept by the second, and most servers stamp whole seconds; a queue that is served at once after the last failure puts
hundreds of good answers into its second. A log is written in the order in which requests end, so what stands before the line
of the first failed request ended before it, whatever the stamps say. Only of another log with whole seconds that order is
not known: there the same part of the second is taken, and the figure is given as a range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.counts import merge, summarize
from ...counting.summary import LAYOUTS, Summary
from ..edge import edge_sources
from ..traffic import SECOND, Span, failures

#: Bins of more seconds than this are not read again: their outages are told from finer parts, or roughly.
WIDEST = 8
#: Read beside a bin, to see in which order a log is written.
BESIDE = 2 * SECOND
#: The tables that count requests in sums, from which rows can be taken away.
_SUMS = ("seconds", "requests", "latency", "clients")

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outside:
    """Requests in the bins of both ends that are not the outage's: counted (`summary`), and how many it may be too few or too many."""

    summary: Summary
    fewer: int = 0
    more: int = 0


def outside(summary: Summary, span: Span, look: Callable[[int, int], pa.Table]) -> Outside | None:
    """What ended before the first failure or after the last one, in their bins; None where single failures are not known.

    `look(first, last)` gives the events of a short time (microseconds, half-open).
    """
    width = summary.width("seconds")
    if span.signal not in ("failures", "refusals") or width > WIDEST:
        return None
    sources = edge_sources(summary)
    rows = [r for r in failures(summary, sources, span.closed).to_pylist() if r["last_time"] >= span.onset.time and r["time"] <= span.end]
    if not rows:
        return None
    begun, ended = min(r["time"] for r in rows), max(r["last_time"] for r in rows)
    parts = []
    fewer = more = 0
    for moment, late in ((max(begun, span.onset.time), False), (min(ended, span.end), True)):
        first = moment // SECOND // width * width
        table = _requests(look(first * SECOND - BESIDE, (first + width) * SECOND + BESIDE), sources)
        if table.num_rows:
            ends = {(r[p + "file"], r[p + "line"]) for r in rows for p in ("", "last_") if begun <= r[p + "time"] <= ended}
            taken, less, plus = _beyond(table, ends, moment, (first, first + width), late)
            parts.append(table.filter(pa.array(taken)))
            fewer, more = fewer + less, more + plus
    return Outside(merge(summarize(part) for part in parts if part.num_rows), fewer, more)


def without(summary: Summary, other: Outside | None) -> Summary:
    """The summary less these requests, which are among those it counts: their counts stand in it a second time, negative."""
    if other is None:
        return summary
    tables = dict(summary.tables)
    for name in _SUMS:
        taken = other.summary.table(name)
        if not taken.num_rows or name not in tables or summary.share(name) < 1:
            continue
        for column in LAYOUTS[name].sums:
            taken = taken.set_column(taken.schema.get_field_index(column), column, pc.negate(taken[column]))
        tables[name] = pa.concat_tables([tables[name], taken], promote_options="permissive")
    return replace(summary, tables=tables)


def _requests(table: pa.Table, sources: list[str]) -> pa.Table:
    """The requests of these sources, as one chunk."""
    if not table.num_rows:
        return table
    theirs = pc.is_in(table["source"].cast(pa.string()), value_set=pa.array(sources, pa.string()))
    asked = pc.and_(pc.is_valid(table["path"]), pc.is_valid(table["status"]))
    return table.filter(pc.and_(theirs, asked)).unify_dictionaries().combine_chunks()


def _beyond(table: pa.Table, ends: set[tuple[str, int]], moment: int, seconds: tuple[int, int], late: bool) -> tuple[Mask, int, int]:
    """Which requests of a bin ended before the first failure (or, `late`, after the last one), and by how much that may be off.

    `ends` are the places (file, line) of each log's first and last failure of a second.
    """
    time = table["time"].cast(pa.int64()).to_numpy()
    second = time // SECOND
    bad = np.array([place in ends for place in zip(table["file"].to_pylist(), table["line"].to_pylist(), strict=True)])
    binned = (second >= seconds[0]) & (second < seconds[1])
    at = moment // SECOND
    taken = binned & ((second > at) if late else (second < at))
    order = _in_order(table, time)
    sides: list[_Side] = []
    for name in sorted(set(table["source"].to_pylist())):
        rows = order[np.array(pc.equal(table["source"].cast(pa.string()), name))[order]]
        here = rows[(second == at)[rows]]
        if len(here):
            here = here[::-1] if late else here
            failed = np.flatnonzero(bad[here])
            sides.append(_Side(here, int(failed[0]) if len(failed) else None, bool((time[rows] % SECOND).any())))
    known = any(side.fine and side.before is not None and time[side.rows[side.before]] == moment for side in sides)
    part = min((s.before / len(s.rows) for s in sides if s.before is not None and not s.fine), default=0.0)
    cut = moment if known else SECOND * at + round((1 - part if late else part) * SECOND)
    if known:
        part = 1 - moment % SECOND / SECOND if late else moment % SECOND / SECOND
    fewer = more = 0
    for side in sides:
        most = len(side.rows) if side.before is None else side.before
        if side.fine:
            outer = side.rows[:most]  # beside them no failure of this log
            stamps = time[outer]
            taken[outer[(stamps > cut) if late else (stamps < cut)]] = True
            if side.before is not None:
                taken[outer[stamps == cut]] = True
            continue
        count = min(most, round(part * len(side.rows)))
        taken[side.rows[:count]] = True
        if count < most or side.before is None:
            fewer, more = fewer + most - count, more + count
    return taken, fewer, more


@dataclass(frozen=True, slots=True)
class _Side:
    """The requests of one log in the second of an end, from outside inwards; how many stand before its first failure; are its stamps finer."""

    rows: npt.NDArray[np.int64]
    before: int | None
    fine: bool


def _in_order(table: pa.Table, time: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The places of the rows in the order they were written in: by time, then by line, downwards in a file that was written newest first."""
    file = table["file"].combine_chunks().dictionary_encode().indices.to_numpy()
    line = table["line"].to_numpy().copy()
    first = np.full(int(file.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, file, time)
    for one in np.unique(file):
        mine = np.flatnonzero(file == one)
        top, bottom = mine[np.argmin(line[mine])], mine[np.argmax(line[mine])]
        if time[top] > time[bottom]:
            line[mine] *= -1
    return np.lexsort((line, first[file], time))
