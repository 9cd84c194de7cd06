"""What survives a block of events: small tables of counts and first examples that merge.

`merge([summarize(a), summarize(b)])` equals `summarize(a + b)`, whatever the split, so the same map and merge runs in one process,
in several, and on a cluster, and memory does not grow with the logs: a table that outgrows its cap is counted in
bins twice as wide (or, for clients, in a sample half as large), which is the same whether it is done before or after a merge.

Tables (Arrow; `second` is the start of the bin in whole seconds since the epoch, UTC, as written by the source's clock):

==========  ==================================================================================================
seconds     source, second -> events, errors, warnings, requests, failed, closed, probes, probes_failed
requests    source, second, host, endpoint, method, upstream, status, probe, bot -> count, duration_sum, timed
latency     source, second, endpoint, failed, bucket -> count  (bucket: see `BUCKETS`)
clients     source, second, client (64-bit hash), bot -> count, failed, closed
failures    source, second, closed -> the first and the last failed request (time, file, line, path, status ...)
patterns    source, second, host, service, format, severity, signature -> count and the first such event
request_ids source, request_id -> time of the first event that names it (a sample that is the same in all sources)
==========  ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import requests as rq
from .endpoints import endpoints
from .folding import fold
from .gist import gists
from .patterns import mixed, signatures

#: Upper edges of the latency histogram in seconds: 32 buckets a doubling from 0.1 ms to an hour, so a percentile is within 1.1 %.
PER_DOUBLING = 32
BUCKETS = 0.0001 * 2.0 ** (np.arange(0, 25 * PER_DOUBLING) / PER_DOUBLING)

#: A sampled table's bins double so often (to 68 minutes) before its sample is halved; no table coarsens beyond `HIGHEST`.
MOST_DOUBLINGS = 12
HIGHEST = 60

WHERE = ("time", "file", "line", "lines", "offset", "size")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table of the summary is keyed and merged; `cap` is the number of rows it may hold before it coarsens."""

    keys: tuple[str, ...]
    sums: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    cap: int = 200_000
    sampled: str = ""  # a column of hashes: once bins have doubled `MOST_DOUBLINGS` times it coarsens by halving its sample of them


LAYOUTS: Mapping[str, Layout] = {
    "seconds": Layout(
        ("source", "second"),
        ("events", "errors", "warnings", "requests", "failed", "closed", "probes", "probes_failed"),
        cap=500_000,
    ),
    "requests": Layout(
        ("source", "second", "host", "endpoint", "method", "upstream", "status", "probe", "bot"),
        ("count", "duration_sum", "timed"),
    ),
    "latency": Layout(("source", "second", "endpoint", "failed", "bucket"), ("count",)),
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
}


@dataclass(frozen=True, slots=True)
class Summary:
    """The mergeable summary: `tables` by name, and the `levels` they were coarsened to (0: as counted)."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)

    def table(self, name: str) -> pa.Table:
        """The table of that name, empty when nothing was seen."""
        return self.tables.get(name, _empty(name))

    def width(self, name: str) -> int:
        """Seconds a bin of that table spans (1 until it outgrew its cap)."""
        return _rung(name, self.levels.get(name, 0))[0]

    def share(self, name: str) -> float:
        """The share of clients (or request ids) that table holds: 1, or a half, a quarter ... once it is a sample."""
        return 0.5 ** _rung(name, self.levels.get(name, 0))[1]


_TYPES: Mapping[str, pa.DataType] = {
    "source": pa.string(), "second": pa.int64(), "host": pa.string(), "service": pa.string(), "format": pa.string(),
    "severity": pa.string(), "signature": pa.string(), "endpoint": pa.string(), "method": pa.string(),
    "upstream": pa.string(), "status": pa.int16(), "probe": pa.bool_(), "bot": pa.bool_(), "bucket": pa.int16(),
    "client": pa.uint64(), "request_id": pa.uint64(), "duration_sum": pa.float64(),
    "time": pa.int64(), "file": pa.string(), "line": pa.int64(), "lines": pa.int32(), "offset": pa.int64(),
    "size": pa.int32(), "path": pa.string(), "pid": pa.int64(), "message": pa.string(),
    "fields": pa.string(),
}  # fmt: skip


def _type(table: str, column: str) -> pa.DataType:
    if (table, column) in (("latency", "failed"), ("failures", "closed")):
        return pa.bool_()
    if (table, column) == ("clients", "client"):
        return pa.uint64()
    return _TYPES.get(column.removeprefix("last_"), pa.int64())


def _columns(name: str) -> tuple[str, ...]:
    layout = LAYOUTS[name]
    return (*layout.keys, *layout.sums, *layout.first, *layout.last)


def _empty(name: str) -> pa.Table:
    return pa.table({c: pa.array([], _type(name, c)) for c in _columns(name)})


def refold(name: str, table: pa.Table) -> pa.Table:
    """One row a key: sums added, `first` from the earliest event, `last` from the latest (ties: file, then line)."""
    layout = LAYOUTS[name]
    if table.num_rows == 0:
        return _empty(name)
    greatest = ("last_time",) if "last_time" in layout.first else ()
    order = [c for c in ("time", "file", "line") if c in layout.first]
    folded = fold(
        table, layout.keys, layout.sums, greatest,
        (order, [c for c in layout.first if c not in greatest]),
        (("last_time", "last_file", "last_line"), layout.last),
    )  # fmt: skip
    return pa.table({c: folded[c].cast(_type(name, c)) for c in _columns(name)}).combine_chunks()


def _rung(name: str, level: int) -> tuple[int, int]:
    """Bin width in seconds and halvings of the sample at a level: a ladder, so that levels of two summaries compare."""
    layout = LAYOUTS[name]
    steps = 0 if "second" not in layout.keys else MOST_DOUBLINGS if layout.sampled else level
    return 1 << min(level, steps), min(max(0, level - steps), 60)


def _at(name: str, table: pa.Table, level: int) -> pa.Table:
    """The table folded to a level, which must not be below the one it has."""
    width, halvings = _rung(name, level)
    if width > 1:
        second = table["second"].to_numpy()
        table = table.set_column(table.schema.get_field_index("second"), "second", pa.array(second - second % width))
    if halvings:
        hashed = table[LAYOUTS[name].sampled].to_numpy()
        table = table.filter(pa.array(hashed < np.uint64(1) << np.uint64(64 - halvings)))
    return refold(name, table)


def _coarsen(name: str, table: pa.Table, level: int) -> tuple[pa.Table, int]:
    """A folded table at the lowest level from `level` on at which it fits its cap."""
    while table.num_rows > LAYOUTS[name].cap and level < HIGHEST:
        level += 1
        table = _at(name, table, level)
    return table, level


def merge(summaries: Iterable[Summary]) -> Summary:
    """One summary that says of all events what the given ones say of theirs (associative, order does not matter)."""
    parts = list(summaries)
    tables: dict[str, pa.Table] = {}
    levels: dict[str, int] = {}
    for name in LAYOUTS:
        have = [p for p in parts if name in p.tables and p.tables[name].num_rows]
        if have:
            level = max(p.levels.get(name, 0) for p in have)
            joined = _at(name, pa.concat_tables([p.tables[name] for p in have]), level)
            tables[name], levels[name] = _coarsen(name, joined, level)
    return Summary(tables, levels)


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
        coarse = {n: _at(n, summary.tables[n], level) for n in names}
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


def summarize(events: pa.Table) -> Summary:
    """The summary of one table of events (`parsers.base.event_schema` plus `source` and `file`); undated events are left out."""
    events = events.filter(pc.is_valid(events["time"])).unify_dictionaries().combine_chunks()
    if events.num_rows == 0:
        return Summary()
    micros = events["time"].cast(pa.int64()).to_numpy()
    events = events.set_column(events.schema.get_field_index("time"), "time", pa.array(micros))
    events = events.append_column("second", pa.array(np.floor_divide(micros, 1_000_000)))
    events = rq.mark_requests(events)
    tables = {
        "seconds": _seconds(events),
        "patterns": _patterns(events),
        "request_ids": _request_ids(events),
        **_requests(events),
    }
    done = {name: _coarsen(name, refold(name, table), 0) for name, table in tables.items() if table.num_rows}
    return Summary({name: table for name, (table, _) in done.items()}, {name: level for name, (_, level) in done.items()})


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _flag(mask: Any) -> pa.Array:
    return pc.fill_null(mask, False).cast(pa.int64())


def _seconds(events: pa.Table) -> pa.Table:
    request, probe = events["request"], events["probe"]
    served = pc.and_(request, pc.invert(probe))
    probed = pc.and_(request, probe)
    failed = events["failed"]
    severity = events["severity"]
    is_error = pc.is_in(severity, value_set=pa.array(["error", "critical", "alert", "emergency"]))
    return pa.table(
        {
            "source": _text(events["source"]),
            "second": events["second"],
            "events": pa.array(np.ones(events.num_rows, np.int64)),
            "errors": _flag(is_error),
            "warnings": _flag(pc.equal(_text(severity), "warning")),
            "requests": _flag(served),
            "failed": _flag(pc.and_(served, failed)),
            "closed": _flag(pc.and_(served, events["closed"])),
            "probes": _flag(probed),
            "probes_failed": _flag(pc.and_(probed, failed)),
        }
    )


def _requests(events: pa.Table) -> dict[str, pa.Table]:
    """The tables that are made from requests alone."""
    served = events.filter(events["request"])
    if served.num_rows == 0:
        return {}
    ones = pa.array(np.ones(served.num_rows, np.int64))
    endpoint = endpoints(served["path"].combine_chunks()).cast(pa.string())
    duration = served["duration"]
    base = {"source": _text(served["source"]), "second": served["second"]}
    tables = {
        "requests": pa.table(
            {
                **base,
                "host": _text(served["host"]),
                "endpoint": endpoint,
                "method": _text(served["method"]),
                "upstream": _text(served["upstream"]),
                "status": served["status"],
                "probe": served["probe"],
                "bot": served["bot"],
                "count": ones,
                "duration_sum": _exact(duration),
                "timed": _flag(pc.is_valid(duration)),
            }
        )
    }
    real = pc.invert(served["probe"])
    timed = pc.and_(real, pc.is_valid(duration))
    if pc.any(timed).as_py():
        seconds = duration.filter(timed).to_numpy()
        tables["latency"] = pa.table(
            {
                "source": base["source"].filter(timed),
                "second": base["second"].filter(timed),
                "endpoint": endpoint.filter(_one(timed)),
                "failed": served["failed"].filter(timed),
                "bucket": pa.array(np.searchsorted(BUCKETS, seconds, side="left").astype(np.int16)),
                "count": pa.array(np.ones(len(seconds), np.int64)),
            }
        )
    known = pc.and_(real, pc.is_valid(served["client"]))
    if pc.any(known).as_py():
        tables["clients"] = pa.table(
            {
                "source": base["source"].filter(known),
                "second": base["second"].filter(known),
                "client": _hashes(served["client"].filter(known)),
                "bot": served["bot"].filter(known),
                "count": pa.array(np.ones(pc.sum(known).as_py(), np.int64)),
                "failed": _flag(served["failed"].filter(known)),
                "closed": _flag(served["closed"].filter(known)),
            }
        )
    bad = served.filter(pc.and_(real, pc.or_(served["failed"], served["closed"])))
    if bad.num_rows:
        columns: dict[str, Any] = {
            "source": _text(bad["source"]),
            "second": bad["second"],
            "closed": bad["closed"],
            "count": pa.array(np.ones(bad.num_rows, np.int64)),
        }
        for name in (*WHERE, "method", "path", "status"):
            columns[name] = columns["last_" + name] = _text(bad[name])
        tables["failures"] = pa.table(columns)
    return tables


def _exact(seconds: pa.ChunkedArray) -> pa.ChunkedArray:
    """Durations to the nearest 2^-20 s (a microsecond), null as 0: sums of these are exact, in whatever order they are added."""
    return pc.divide(pc.round(pc.multiply(pc.fill_null(seconds, 0.0), float(1 << 20))), float(1 << 20))


def _one(mask: Any) -> pa.Array:
    return mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask


def _hashes(values: pa.ChunkedArray) -> pa.Array:
    """A 64-bit hash of each text, the same in every process.

    Multilinear hashing (Lemire and Kaser 2014): a sum of bytes, each times a number of its place, then well mixed.
    """
    encoded = _one(values.cast(pa.string())).dictionary_encode()
    known = pa.concat_arrays([encoded.dictionary, pa.array([], pa.string())])
    _, starts, data = known.buffers()
    offsets = np.frombuffer(starts, np.int32, len(known) + 1).astype(np.int64)
    letters = np.frombuffer(data, np.uint8, int(offsets[-1])).astype(np.uint64) if data else np.zeros(0, np.uint64)
    place = np.arange(len(letters)) - np.repeat(offsets[:-1], np.diff(offsets))
    with np.errstate(over="ignore"):
        total = np.concatenate([np.zeros(1, np.uint64), np.cumsum((letters + np.uint64(1)) * mixed(place.astype(np.uint64)))])
        hashed = mixed(total[offsets[1:]] - total[offsets[:-1]] + np.diff(offsets).astype(np.uint64))
    return pa.array(hashed[encoded.indices.to_numpy(zero_copy_only=False)])


def _patterns(events: pa.Table) -> pa.Table:
    """Messages of everything that is no request, by signature; the requests have their own tables."""
    said = events.filter(pc.invert(events["request"]))
    if said.num_rows == 0:
        return _empty("patterns")
    columns: dict[str, Any] = {
        c: _text(said[c]) for c in ("source", "second", "host", "service", "format", "severity")
    }
    told = gists(said["message"], said["fields"])
    columns["signature"] = signatures(told.combine_chunks()).cast(pa.string())
    columns["count"] = pa.array(np.ones(said.num_rows, np.int64))
    for name in (*WHERE, "pid"):
        columns[name] = _text(said[name])
    columns["message"] = pc.utf8_slice_codeunits(told, 0, 2000)
    columns["fields"] = pc.utf8_slice_codeunits(said["fields"], 0, 2000)
    columns["last_time"] = said["time"]
    return pa.table(columns)


def _request_ids(events: pa.Table) -> pa.Table:
    """One in sixteen of the request ids (those that end in 0), so that a pair is sampled in both of its sources."""
    named = events.filter(pc.fill_null(pc.ends_with(events["request_id"], "0"), False))
    if named.num_rows == 0:
        return _empty("request_ids")
    return pa.table(
        {"source": _text(named["source"]), "request_id": _hashes(named["request_id"]), "time": named["time"]}
    )
