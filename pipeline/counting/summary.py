"""What survives a block of events: small tables of counts and first examples that merge.

`merge([summarize(a), summarize(b)])` (both of `counts`) equals `summarize(a + b)`, whatever the split, so the same map and merge
runs in one process, in several, and on a cluster, and memory does not grow with the logs: a table that outgrows its cap is counted in
bins twice as wide (then, for clients, in a sample half as large; for latency, by fewer buckets; for both tables with endpoints, by the
first parts of these), which is the same whether it is done before or after a merge.

Tables (Arrow; `second` is the start of the bin in whole seconds since the epoch, UTC, as written by the source's clock):

==========  ==================================================================================================
seconds     source, second -> events, errors, warnings, requests, failed, closed, probes, probes_failed
requests    source, second, host, endpoint, method, upstream, status, probe, bot -> count, duration_sum, timed
latency     source, second, endpoint, failed, bucket -> count  (bucket: see `BUCKETS`)
clients     source, second, client (64-bit hash), bot -> count, failed, closed
failures    source, second, closed -> the first and the last failed request (time, file, line, path, status ...)
patterns    source, second, host, service, format, severity, signature -> count and the first such event
request_ids source, request_id -> time of the first event that names it (a sample that is the same in all sources)
likes       source, key, time -> count of requests alike in method, path, status and bytes (the same sample in all sources)
==========  ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ...parsers.arrays import flags, numbers, values
from .endpoints import coarser
from .folding import fold

#: Upper edges of the latency histogram in seconds: 32 buckets a doubling from 0.1 ms to an hour, so a percentile is within 1.1 %.
PER_DOUBLING = 32
BUCKETS = 0.0001 * 2.0 ** (np.arange(0, 25 * PER_DOUBLING) / PER_DOUBLING)

#: Bins double so often (to 68 minutes) before a table's sample is halved, its buckets widen or its endpoints are cut; those
#: that have nothing of these left double on. No table coarsens beyond `HIGHEST`.
MOST_DOUBLINGS = 12
HIGHEST = 60
#: Buckets double so often, to one a doubling of the latency; endpoints are cut so often, to nothing but "(other)".
STEPS, CUTS = 5, 4

WHERE = ("time", "file", "line", "lines", "offset", "size")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table of the summary is keyed and merged; `cap` is the number of rows it may hold before it coarsens."""

    keys: tuple[str, ...]
    sums: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    cap: int = 200_000
    # what coarsens once bins have doubled `MOST_DOUBLINGS` times, in this order
    sampled: str = ""  # a column of hashes, of which it keeps a sample
    stepped: str = ""  # a column of buckets
    endpoints: str = ""  # a column of endpoints


LAYOUTS: Mapping[str, Layout] = {
    "seconds": Layout(
        ("source", "second"),
        ("events", "errors", "warnings", "requests", "failed", "closed", "probes", "probes_failed"),
        cap=500_000,
    ),
    "requests": Layout(
        ("source", "second", "host", "endpoint", "method", "upstream", "status", "probe", "bot"),
        ("count", "duration_sum", "timed"),
        endpoints="endpoint",
    ),
    "latency": Layout(("source", "second", "endpoint", "failed", "bucket"), ("count",), stepped="bucket", endpoints="endpoint"),
    "clients": Layout(("source", "second", "client", "bot"), ("count", "failed", "closed"), sampled="client"),
    "failures": Layout(
        ("source", "second", "closed"),
        ("count",),
        (*WHERE, "method", "path", "status"),
        ("last_time", "last_file", "last_line", "last_lines", "last_offset", "last_size", "last_method", "last_path", "last_status"),
    ),
    "patterns": Layout(
        ("source", "second", "host", "service", "format", "severity", "signature"),
        ("count",),
        (*WHERE, "pid", "message", "fields", "last_time"),
    ),
    "request_ids": Layout(("source", "request_id"), (), ("time",), sampled="request_id"),
    "likes": Layout(("source", "key", "time"), ("count",), cap=100_000, sampled="key"),
}


@dataclass(frozen=True, slots=True, eq=False)  # one is itself alone: what is worked out of it can be kept beside it
class Summary:
    """The mergeable summary: `tables` by name, and the `levels` they were coarsened to (0: as counted)."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)

    def table(self, name: str) -> pa.Table:
        """The table of that name, empty when nothing was seen."""
        return self.tables.get(name, empty(name))

    def width(self, name: str) -> int:
        """Seconds a bin of that table spans (1 until it outgrew its cap)."""
        return rung(name, self.levels.get(name, 0)).width

    def share(self, name: str) -> float:
        """The share of clients (or request ids) that table holds: 1, or a half, a quarter ... once it is a sample."""
        return 0.5 ** rung(name, self.levels.get(name, 0)).halvings


_TYPES: Mapping[str, pa.DataType] = {
    "source": pa.string(), "second": pa.int64(), "host": pa.string(), "service": pa.string(), "format": pa.string(),
    "severity": pa.string(), "signature": pa.string(), "endpoint": pa.string(), "method": pa.string(),
    "upstream": pa.string(), "status": pa.int16(), "probe": pa.bool_(), "bot": pa.bool_(), "bucket": pa.int16(),
    "client": pa.uint64(), "request_id": pa.uint64(), "key": pa.uint64(), "duration_sum": pa.float64(),
    "time": pa.int64(), "file": pa.string(), "line": pa.int64(), "lines": pa.int32(), "offset": pa.int64(),
    "size": pa.int32(), "path": pa.string(), "pid": pa.int64(), "message": pa.string(),
    "fields": pa.string(),
}  # fmt: skip


def type_of(table: str, column: str) -> pa.DataType:
    """The Arrow type of a column of a table."""
    if (table, column) in (("latency", "failed"), ("failures", "closed")):
        return pa.bool_()
    if (table, column) == ("clients", "client"):
        return pa.uint64()
    return _TYPES.get(column.removeprefix("last_"), pa.int64())


def columns_of(name: str) -> tuple[str, ...]:
    """The columns of a table, in their order."""
    layout = LAYOUTS[name]
    return (*layout.keys, *layout.sums, *layout.first, *layout.last)


def empty(name: str) -> pa.Table:
    """A table of no rows."""
    return pa.table({c: pa.nulls(0, type_of(name, c)) for c in columns_of(name)})


def refold(name: str, table: pa.Table) -> pa.Table:
    """One row a key: sums added, `first` from the earliest event, `last` from the latest (ties: file, then line)."""
    layout = LAYOUTS[name]
    if table.num_rows == 0:
        return empty(name)
    greatest = ("last_time",) if "last_time" in layout.first else ()
    order = [c for c in ("time", "file", "line") if c in layout.first]
    folded = fold(
        table, layout.keys, layout.sums, greatest,
        (order, [c for c in layout.first if c not in greatest]),
        (("last_time", "last_file", "last_line"), layout.last),
    )  # fmt: skip
    return pa.table({c: folded[c].cast(type_of(name, c)) for c in columns_of(name)}).combine_chunks()


class Rung(NamedTuple):
    """How coarse a table is: the seconds of a bin, how often its sample was halved, its buckets doubled and its endpoints cut."""

    width: int
    halvings: int
    steps: int
    cuts: int


def rung(name: str, level: int) -> Rung:
    """What a level means: a ladder, so that levels of two summaries compare."""
    layout = LAYOUTS[name]
    doublings = min(level, MOST_DOUBLINGS) if "second" in layout.keys else 0
    level -= doublings
    if layout.sampled:
        return Rung(1 << doublings, min(level, 60), 0, 0)
    steps = min(level, STEPS) if layout.stepped else 0
    cuts = min(level - steps, CUTS) if layout.endpoints else 0
    return Rung(1 << (doublings + level - steps - cuts), 0, steps, cuts)


def stepped(bucket: Any, steps: int) -> Any:
    """Buckets that were made wider so often, each told by the one in its middle."""
    return bucket >> steps << steps | 1 << steps >> 1


def at_level(name: str, table: pa.Table, level: int) -> pa.Table:
    """The table folded to a level, which must not be below the one it has."""
    layout, (width, halvings, steps, cuts) = LAYOUTS[name], rung(name, level)

    def changed(column: str, by: Any) -> pa.Table:
        return table.set_column(table.schema.get_field_index(column), column, by)

    if width > 1:
        second = values(table["second"])
        table = changed("second", numbers(second - second % width))
    if halvings:
        hashed = values(table[layout.sampled])
        table = table.filter(flags(hashed < np.uint64(1) << np.uint64(64 - halvings)))
    if steps:
        table = changed(layout.stepped, numbers(stepped(values(table[layout.stepped]), steps)))
    if cuts:
        table = changed(layout.endpoints, coarser(table[layout.endpoints].combine_chunks(), cuts))
    return refold(name, table)


def coarsen(name: str, table: pa.Table, level: int) -> tuple[pa.Table, int]:
    """A folded table at the lowest level from `level` on at which it fits its cap."""
    while table.num_rows > LAYOUTS[name].cap and level < HIGHEST:
        level += 1
        table = at_level(name, table, level)
    return table, level


#: What an analysis looks at in one go, in seconds and in bins.
LONGEST = 400 * 86_400
MOST_BINS = 3_000_000


def focused(summary: Summary) -> tuple[Summary, int]:
    """The summary without stray times that lie far from all others, in bins that an array can hold, and how many events that left out.

    A clock that was reset to 1970, or one wrong year, must not stretch the analysis over decades: of times that span more
    than `LONGEST` the busiest part is kept, with its neighbours as far as they fit.
    """
    table = summary.table("seconds")
    if table.num_rows == 0:
        return summary, 0
    second, events = table["second"].to_numpy(), table["events"].to_numpy()
    left_out = 0
    if second.max() - second.min() > LONGEST:
        low, high = _busiest(second, events)
        left_out = int(events[(second < low) | (second > high)].sum())
        tables = {}
        for name, part in summary.tables.items():
            when = part["second"].to_numpy() if "second" in part.column_names else part["time"].to_numpy() // 1_000_000
            tables[name] = part.filter(pa.array((when >= low) & (when <= high)))
        summary = Summary({n: t for n, t in tables.items() if t.num_rows}, summary.levels)
        second = summary.table("seconds")["second"].to_numpy()
    level = max(0, int(np.ceil(np.log2(max(1.0, (second.max() - second.min()) / MOST_BINS)))))
    names = [n for n in summary.tables if "second" in LAYOUTS[n].keys and not LAYOUTS[n].sampled and summary.levels.get(n, 0) < level]
    if names:
        coarse = {n: at_level(n, summary.tables[n], level) for n in names}
        summary = Summary(summary.tables | coarse, summary.levels | dict.fromkeys(names, level))
    return summary, left_out


def _busiest(second: np.ndarray, events: np.ndarray) -> tuple[int, int]:
    """First and last second of the part with the most events, parts being a day or more apart, and of neighbours that fit."""
    order = np.argsort(second, kind="stable")
    second, events = second[order], events[order]
    cuts = np.flatnonzero(np.diff(second) > 86_400) + 1
    parts = [(int(s[0]), int(s[-1]), int(e.sum())) for s, e in zip(np.split(second, cuts), np.split(events, cuts), strict=True)]
    at = max(range(len(parts)), key=lambda k: (parts[k][2], -k))
    low, high = parts[at][0], parts[at][1]
    for start, _, _ in reversed(parts[:at]):
        if high - start > LONGEST:
            break
        low = start
    for _, stop, _ in parts[at + 1 :]:
        if stop - low > LONGEST:
            break
        high = stop
    return low, high
