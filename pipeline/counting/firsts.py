"""The first message of every kind in every second, counted while events are read: keys as numbers, texts held once.

What `ledgers` does for tables of counts, for the table `patterns`, which also keeps the first event a key. Sorting is by numbers
only; the texts of an event are moved when its row is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import holds, numbers, texts, values
from . import summary
from .folding import Numbers, added, coded, combined, narrow, packed
from .memory import let_go

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

_NAME = "patterns"
_MEMBERS = ("source", "host", "service", "format", "severity", "signature")
_TOLD = ("lines", "offset", "size", "pid", "message", "fields")
_QUOTED = 2000  # characters kept of a message
_GATHERED = 100_000  # rows of equal keys are made one when so many have come since


@dataclass(frozen=True, slots=True)
class _Rows:
    group: Numbers
    second: Numbers
    count: Numbers
    latest: Numbers
    time: Numbers
    file: Numbers
    line: Numbers
    told: pa.Table

    def __len__(self) -> int:
        return len(self.group)

    @classmethod
    def joined(cls, parts: list[_Rows]) -> _Rows:
        """The rows of all parts."""
        group, second, count, latest, time, file, line = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("group", "second", "count", "latest", "time", "file", "line")
        )
        return cls(group, second, count, latest, time, file, line, pa.concat_tables([part.told for part in parts]).combine_chunks())

    def narrowed(self) -> _Rows:
        """The rows in as few bytes as they need."""
        return _Rows(
            narrow(self.group), narrow(self.second), narrow(self.count), self.latest, self.time, narrow(self.file), narrow(self.line), self.told
        )

    def folded(self, order: Numbers, starts: Numbers, second: Numbers) -> _Rows:
        """One row for each run of rows in this order: its first event, and the counts of all."""
        some = order[starts]
        count, latest = added(self.count[order], starts), np.maximum.reduceat(self.latest[order], starts)
        told = self.told.take(numbers(some)).combine_chunks()
        return _Rows(self.group[some], second[some], count, latest, self.time[some], self.file[some], self.line[some], told)


class Firsts:
    """The table `patterns` of the summary in the making."""

    def __init__(self) -> None:
        self.level = 0
        self._groups: dict[tuple[Any, ...], int] = {}
        self._files: dict[str, int] = {}
        self._parts: list[_Rows] = []
        self._held = self._settled = 0

    def add(self, events: pa.Table) -> None:
        """Adds events (or rows that were counted: `count`, `last_time`) with a `signature` and the `second` they are in."""
        if not events.num_rows:
            return
        code, keys = combined([coded(events[name]) for name in _MEMBERS])
        file, files = coded(events["file"])
        time = values(events["time"].cast(pa.int64()))
        counted = "count" in events.column_names
        rows = _Rows(
            _numbered(self._groups, keys)[code],
            values(events["second"]),
            values(events["count"]) if counted else np.ones(len(code), np.int64),
            values(events["last_time"]) if counted else time,
            time,
            _numbered(self._files, files)[file],
            values(events["line"]),
            events.select(_TOLD),
        )
        self._gather(self._folded(rows))

    def take(self, table: pa.Table, level: int) -> None:
        """Adds a table of a summary that was coarsened to this level."""
        self.level = max(self.level, level)
        self.add(table)

    def absorb(self, other: Firsts) -> None:
        """Adds what another holds."""
        self.level = max(self.level, other.level)
        group, file = narrow(_numbered(self._groups, other._groups)), narrow(_numbered(self._files, other._files))
        for rows in other._parts:
            self._gather(
                _Rows(group[rows.group], rows.second, rows.count, rows.latest, rows.time, file[rows.file], rows.line, rows.told)
            )

    def settle(self) -> None:
        """Makes rows of equal keys one, and coarsens while there are more than the cap.

        In order of group and time, rows of one bin stand together at every width of bins: widths are tried without sorting again.
        """
        if not self._parts:
            return
        rows = _Rows.joined(self._parts)
        self._parts.clear()
        order = self._order(rows, packed([rows.group, rows.time]))
        group, second = rows.group[order], rows.second[order].astype(np.int64)
        while True:
            width = summary.rung(_NAME, self.level).width
            second = second - second % width
            new = (group[1:] != group[:-1]) | (second[1:] != second[:-1])
            if np.count_nonzero(new) < summary.LAYOUTS[_NAME].cap or self.level >= summary.HIGHEST:
                break
            self.level += 1
        starts = np.append(0, np.flatnonzero(new) + 1)
        binned = rows.second.astype(np.int64)
        binned -= binned % width
        rows = rows.folded(order, starts, binned).narrowed()
        self._parts = [rows]
        self._held = self._settled = len(rows)
        if len(order) > _GATHERED:
            let_go()

    def table(self) -> pa.Table:
        """The table of the summary: a row a key, in ascending order of the keys, nulls last."""
        self.settle()
        if not self._parts:
            return summary.empty(_NAME)
        (rows,) = self._parts
        ranks, columns = {"second": rows.second}, {}
        for place, name in enumerate(_MEMBERS):
            known = sorted({key[place] for key in self._groups}, key=lambda value: (value is None, value))
            rank = {value: at for at, value in enumerate(known)}
            ranks[name] = np.array([rank[key[place]] for key in self._groups], np.int64)[rows.group]
            columns[name] = texts(known)
        layout = summary.LAYOUTS[_NAME]
        order = np.lexsort([ranks[name] for name in reversed(layout.keys)])
        columns = {name: known.take(numbers(ranks[name][order])) for name, known in columns.items()}
        columns |= {name: rows.told[name].take(numbers(order)) for name in _TOLD}
        plain = {"second": rows.second, "count": rows.count, "time": rows.time, "line": rows.line, "last_time": rows.latest}
        columns |= {name: numbers(column[order]) for name, column in plain.items()}
        columns["file"] = texts(list(self._files)).take(numbers(rows.file[order]))
        return pa.table({name: columns[name].cast(summary.type_of(_NAME, name)) for name in summary.columns_of(_NAME)}).combine_chunks()

    def _folded(self, rows: _Rows) -> _Rows:
        """The rows one a key, with as much of their texts as is kept."""
        width = summary.rung(_NAME, self.level).width
        second = rows.second - rows.second % width
        code = packed([rows.group, rows.time])
        order = self._order(rows, code)
        ordered = packed([rows.group, second])[order]
        starts = np.append(0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)
        if len(starts) < len(order) or width > 1:
            rows = rows.folded(order, starts, second)
        told = rows.told
        for name in ("message", "fields"):
            if holds(pc.greater(pc.binary_length(told[name]), numbers(np.array([_QUOTED], np.int32))[0])).any():
                cut = pc.utf8_slice_codeunits(told[name], 0, _QUOTED)
                told = told.set_column(told.schema.get_field_index(name), name, cut)
        return _Rows(rows.group, rows.second, rows.count, rows.latest, rows.time, rows.file, rows.line, told)

    def _order(self, rows: _Rows, code: Numbers) -> Numbers:
        """The rows by group and time (`code`), those of one time by file and line."""
        order = np.argsort(code, kind="stable")
        equal = code[order[1:]] == code[order[:-1]]
        line, file = rows.line[order], rows.file[order]
        if not (equal & ((file[1:] != file[:-1]) | (line[1:] < line[:-1]))).any():
            return order
        ranks = np.empty(len(self._files), np.int64)
        ranks[[self._files[name] for name in sorted(self._files)]] = np.arange(len(self._files))
        return np.lexsort([rows.line, ranks[rows.file], code])

    def _gather(self, rows: _Rows) -> None:
        self._parts.append(rows)
        self._held += len(rows)
        cap = summary.LAYOUTS[_NAME].cap
        if self._held - self._settled > max(_GATHERED, self._settled) or self._held > 2 * cap:
            self.settle()


def _numbered(known: dict[Any, int], keys: Iterable[Any]) -> Numbers:
    """The numbers that stand for these keys, new ones given the next."""
    return np.array([known.setdefault(key, len(known)) for key in keys], np.int64)
