"""Counts events while they are read, and makes the summary of them; counts of parts add up to the counts of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import flags, holds, numbers, values
from .firsts import Firsts
from .folding import coded, combined
from .gist import gists
from .ledgers import Array, Folder, Ledger
from .patterns import mixed, signatures
from .requests import Marks, mark
from .summary import BUCKETS, LAYOUTS, WHERE, Summary
from .uncaught import with_uncaught

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

_ERRORS = {"error", "critical", "alert", "emergency"}
#: Tables with fewer rows are counted together: each has its price, however few it holds.
_FEW, _ENOUGH = 2000, 4000


class Counts:
    """The tables of a summary in the making: what a worker hands back, small beside the summary's tables."""

    def __init__(self) -> None:
        self.patterns = Firsts()
        self.tables: dict[str, Ledger | Folder | Firsts] = {
            name: self.patterns if name == "patterns" else Folder(name) if layout.first or "second" not in layout.keys else Ledger(name) for name, layout in LAYOUTS.items()
        }

    @property
    def levels(self) -> dict[str, int]:
        """The level that each table was coarsened to so far."""
        return {name: table.level for name, table in self.tables.items()}

    def ledger(self, name: str) -> Ledger:
        """The ledger of a table that counts."""
        table = self.tables[name]
        assert isinstance(table, Ledger)
        return table

    def folder(self, name: str) -> Folder:
        """The folder of a table that keeps events."""
        table = self.tables[name]
        assert isinstance(table, Folder)
        return table

    def absorb(self, other: Counts) -> None:
        """Adds what others counted elsewhere."""
        for mine, theirs in zip(self.tables.values(), other.tables.values(), strict=True):
            mine.absorb(theirs)  # type: ignore[arg-type]  # tables of one name are of one class

    def take(self, summary: Summary) -> None:
        """Adds what a summary says."""
        for name, table in summary.tables.items():
            if table.num_rows:
                self.tables[name].take(table, summary.levels.get(name, 0))

    def settle(self) -> None:
        """Makes rows of equal keys one, as before this is sent."""
        for table in self.tables.values():
            table.settle()

    def summary(self) -> Summary:
        """The summary of all that was counted."""
        made = {name: table.table() for name, table in self.tables.items()}
        some = {name: table for name, table in made.items() if table.num_rows}
        return Summary(some, {name: self.tables[name].level for name in some})


def summarize(events: pa.Table) -> Summary:
    """The summary of one table of events (`parsers.base.event_schema` plus `source` and `file`); undated events are left out."""
    counter = Counter()
    counter.add(events)
    return counter.counts().summary()


def merge(summaries: Iterable[Summary]) -> Summary:
    """One summary that says of all events what the given ones say of theirs (associative, order does not matter)."""
    counts = Counts()
    for summary in summaries:
        counts.take(summary)
    return counts.summary()


class Counter:
    """Takes tables of events, of any files and in any order, into `Counts`, coarsened to these levels at least."""

    def __init__(self, levels: Mapping[str, int] | None = None) -> None:
        self._counts = Counts()
        for name, level in (levels or {}).items():
            self._counts.tables[name].level = level
        self._few: list[pa.Table] = []

    def add(self, events: pa.Table) -> None:
        """Counts a table of events (see `summarize`); a column `agent` may stand for the user agent in `fields`."""
        dated = holds(pc.is_valid(events["time"]))
        if not dated.all():
            events = events.filter(flags(dated))
        if self._few and self._few[0].schema != events.schema:
            self._count_few()
        if events.num_rows < _FEW:
            self._few.append(events)
            if sum(table.num_rows for table in self._few) > _ENOUGH:
                self._count_few()
        else:
            self._count(events.unify_dictionaries().combine_chunks())

    def counts(self) -> Counts:
        """What was counted so far; it grows when more is added."""
        self._count_few()
        return self._counts

    def _count_few(self) -> None:
        if self._few:
            events = pa.concat_tables(self._few).unify_dictionaries().combine_chunks()
            self._few = []
            if events.num_rows:
                self._count(events)

    def _count(self, events: pa.Table) -> None:
        events = with_uncaught(events)
        micros = values(events["time"].cast(pa.int64()))
        second = np.floor_divide(micros, 1_000_000)
        events = events.set_column(events.schema.get_field_index("time"), "time", numbers(micros))
        events = events.append_column("second", numbers(second))
        marks = mark(events)
        self._seconds(events, second, marks)
        if marks.request.any():
            self._requests(events, second, marks)
        if not marks.request.all():
            self._patterns(events.filter(flags(~marks.request)) if marks.request.any() else events)
        self._request_ids(events)

    def _seconds(self, events: pa.Table, second: Array, marks: Marks) -> None:
        severity, severities = coded(events["severity"])
        is_error = np.array([word in _ERRORS for word in severities] or [False], np.bool_)
        is_warning = np.array([word == "warning" for word in severities] or [False], np.bool_)
        served, probed = marks.request & ~marks.probe, marks.request & marks.probe
        kinds = {
            "events": np.ones(len(second), np.int64), "errors": is_error[severity], "warnings": is_warning[severity],
            "requests": served, "failed": served & marks.failed, "closed": served & marks.closed,
            "probes": probed, "probes_failed": probed & marks.failed,
        }  # fmt: skip
        ledger = self._counts.ledger("seconds")
        source, sources = coded(events["source"])
        group = ledger.group((name,) for name in sources)[source]
        ledger.add(group, second, {name: mask.astype(np.int64) for name, mask in kinds.items()})

    def _requests(self, events: pa.Table, second: Array, marks: Marks) -> None:
        """The tables that are made from requests alone."""
        if not marks.request.all():
            picked = marks.request
            events, second = events.filter(flags(picked)), second[picked]
            marks = marks.pick(picked)
        both = [False, True]
        code, keys = combined(
            [
                coded(events["source"]), coded(events["host"]), (marks.endpoint, marks.endpoints), coded(events["method"]), coded(events["upstream"]),
                coded(events["status"]), (marks.probe.astype(np.int64), both), (marks.bot.astype(np.int64), both),
                (marks.failed.astype(np.int64), both),
            ]
        )  # fmt: skip
        timed = holds(pc.is_valid(events["duration"]))
        duration = np.where(timed, values(events["duration"]), 0.0)
        requests = self._counts.ledger("requests")
        sums = {
            "count": np.ones(len(second), np.int64),
            # to the nearest 2^-20 s (a microsecond): sums of these are exact, in whatever order they are added
            "duration_sum": np.round(duration * float(1 << 20)) / float(1 << 20),
            "timed": timed.astype(np.int64),
        }
        requests.add(requests.group(key[:-1] for key in keys)[code], second, sums)
        real = ~marks.probe
        if (picked := real & timed).any():
            latency = self._counts.ledger("latency")
            group = latency.group((key[0], key[2], key[-1]) for key in keys)[code]
            bucket = np.searchsorted(BUCKETS, duration[picked], side="left").astype(np.int16)
            latency.add(group[picked], second[picked], {"count": np.ones(len(bucket), np.int64)}, bucket)
        self._clients(events, second, marks, real)
        self._likes(events, real)
        bad = real & (marks.failed | marks.closed)
        if bad.any():
            self._failures(events.filter(flags(bad)), marks.closed[bad])

    def _clients(self, events: pa.Table, second: Array, marks: Marks, real: Array) -> None:
        known = real & holds(pc.is_valid(events["client"]))
        if not known.any():
            return
        ledger = self._counts.ledger("clients")
        client = events["client"].combine_chunks()
        encoded = client if pa.types.is_dictionary(client.type) else client.dictionary_encode()
        source, sources = coded(events["source"])
        code, keys = combined([(source, sources), (marks.bot.astype(np.int64), [False, True])])
        group = ledger.group(keys)[code]
        sums = {"count": np.ones(len(second), np.int64), "failed": marks.failed.astype(np.int64), "closed": marks.closed.astype(np.int64)}
        place = values(encoded.indices).astype(np.int64)
        ledger.add(group[known], second[known], {name: x[known] for name, x in sums.items()}, place[known], _hashes(encoded.dictionary))

    def _likes(self, events: pa.Table, real: Array) -> None:
        """Requests that a proxy and what is behind it both log, told by what both write; one in four sizes, the same ones in all sources."""
        told = real & holds(pc.is_valid(events["bytes"])) & holds(pc.is_valid(events["path"]))
        size = mixed(values(events["bytes"]).astype(np.uint64))
        told &= (size & np.uint64(3)) == 0
        if not told.any():
            return
        alike = events.select(["source", "time", "method", "path", "status"]).filter(flags(told))
        status = values(pc.fill_null(alike["status"], numbers(np.zeros(1, np.int16))[0])).astype(np.uint64)
        with np.errstate(over="ignore"):
            key = mixed(values(_hashed(alike["path"])) + size[told] + values(_hashed(alike["method"])) * np.uint64(3) + status)
        table = pa.table({"source": alike["source"], "key": numbers(key), "time": alike["time"], "count": numbers(np.ones(len(key), np.int64))})
        self._counts.folder("likes").add(table)

    def _failures(self, bad: pa.Table, closed: Array) -> None:
        columns: dict[str, Any] = {
            "source": bad["source"], "second": bad["second"], "closed": flags(closed), "count": numbers(np.ones(bad.num_rows, np.int64)),
        }  # fmt: skip
        for name in (*WHERE, "method", "path", "status"):
            columns[name] = columns["last_" + name] = bad[name]
        self._counts.folder("failures").add(pa.table(columns))

    def _patterns(self, said: pa.Table) -> None:
        """Messages of everything that is no request, by signature; the requests have their own tables."""
        told = gists(said["message"], said["fields"])
        said = said.set_column(said.schema.get_field_index("message"), "message", told)
        self._counts.patterns.add(said.append_column("signature", signatures(told.combine_chunks())))

    def _request_ids(self, events: pa.Table) -> None:
        """One in sixteen of the request ids (those that end in 0), so that a pair is sampled in both of its sources."""
        if events["request_id"].null_count == events.num_rows:
            return
        named = events.filter(pc.ends_with(events["request_id"], "0"))
        if named.num_rows:
            table = pa.table({"source": named["source"], "request_id": _hashed(named["request_id"]), "time": named["time"]})
            self._counts.folder("request_ids").add(table)


def _hashed(column: pa.ChunkedArray) -> pa.Array:
    """The hash of each text of a column, 0 where there is none."""
    encoded = column.combine_chunks().dictionary_encode()
    known = np.append(_hashes(encoded.dictionary), np.uint64(0))
    # what stands for null is undefined: it may be the place of any text of the block
    codes = np.where(holds(pc.is_valid(encoded.indices)), values(encoded.indices), len(known) - 1)
    return numbers(known[codes])


def _hashes(known: pa.Array) -> Array:
    """A 64-bit hash of each text, the same in every process.

    Multilinear hashing (Lemire and Kaser 2014): a sum of bytes, each times a number of its place, then well mixed.
    """
    known = pa.concat_arrays([known.cast(pa.string()), pa.nulls(0, pa.string())])  # no slice of another
    _, starts, data = known.buffers()
    offsets = np.frombuffer(starts, np.int32, len(known) + 1).astype(np.int64)
    letters = np.frombuffer(data, np.uint8, int(offsets[-1])).astype(np.uint64) if data else np.zeros(0, np.uint64)
    length = np.diff(offsets)
    place = np.arange(len(letters)) - np.repeat(offsets[:-1], length)
    weight = mixed(np.arange(length.max(initial=0), dtype=np.uint64))
    with np.errstate(over="ignore"):
        total = np.concatenate([np.zeros(1, np.uint64), np.cumsum((letters + np.uint64(1)) * weight[place])])
        hashed: Array = mixed(total[offsets[1:]] - total[offsets[:-1]] + length.astype(np.uint64))
    return hashed
