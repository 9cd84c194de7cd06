"""Counts by key while events are read: numbers in NumPy arrays, the texts of the keys held once.

A ledger is one table of the summary in the making. Rows are added as they come, equal keys are made one when enough have gathered,
and what outgrows the cap is coarsened at once, so that later blocks are counted in the wider bins from the start. That gives
what counting everything and coarsening afterwards gives: a level is only ever reached because the whole needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ...parsers.arrays import flags, numbers, texts, values
from . import summary
from .endpoints import coarser
from .folding import Numbers, added, coded, combined, distinct, narrow, packed
from .memory import let_go

Array = npt.NDArray[Any]
#: The texts, flags and small numbers that a row's key has beside its time and what is counted one by one.
Members = tuple[Any, ...]

#: The key of a table that is a number of its own, too many to be held once each.
_EXTRA = {"latency": "bucket", "clients": "client"}
_GATHERED = 100_000  # rows of equal keys are made one when so many have come since


@dataclass(frozen=True, slots=True)
class _Rows:
    group: Numbers
    second: Numbers
    extra: Array
    sums: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.group)

    def pick(self, picked: Any) -> _Rows:
        """Some of the rows, or all in another order."""
        return _Rows(
            self.group[picked], self.second[picked], self.extra[picked], {n: x[picked] for n, x in self.sums.items()}
        )

    def added(self, begins: Numbers) -> _Rows:
        """The sums of runs of rows that begin there, with the keys of their first rows."""
        sums = {name: added(x, begins) for name, x in self.sums.items()}
        return _Rows(self.group[begins], self.second[begins], self.extra[begins], sums)


class Ledger:
    """One table of the summary whose rows are counts, such as `requests`: see `LAYOUTS` there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.level = 0
        self.extra = _EXTRA.get(name, "")
        keys = summary.LAYOUTS[name].keys
        self.members = tuple(key for key in keys if key not in ("second", self.extra))
        self._groups: dict[Members, int] = {}
        self._parts: list[_Rows] = []
        self._held = self._settled = 0

    def group(self, members: Iterable[Members]) -> Numbers:
        """The numbers that stand for these keys here, in the order given."""
        known = self._groups
        return np.array([known.setdefault(key, len(known)) for key in members], np.int64)

    def add(self, group: Numbers, second: Numbers, sums: Mapping[str, Array], extra: Array | None = None, named: Array | None = None) -> None:
        """Adds rows, keys repeated or not; with `named` the `extra` are places in it."""
        rows = _Rows(group, second, np.zeros(len(group), np.int8) if extra is None else extra, sums)
        if len(rows):
            self._gather(self._at(rows, named))

    def absorb(self, other: Ledger) -> None:
        """Adds what another ledger of this table holds."""
        self.level = max(self.level, other.level)
        place = narrow(self.group(other._groups))
        self._gather(*(_Rows(place[rows.group], rows.second, rows.extra, rows.sums) for rows in other._parts))

    def take(self, table: pa.Table, level: int) -> None:
        """Adds a table of a summary that was coarsened to this level."""
        self.level = max(self.level, level)
        columns = [coded(table[name]) for name in self.members]
        code, keys = combined(columns)
        sums = {name: values(table[name]) for name in summary.LAYOUTS[self.name].sums}
        self.add(self.group(keys)[code], values(table["second"]), sums, values(table[self.extra]) if self.extra else None)

    def settle(self) -> None:
        """Makes rows of equal keys one, and coarsens while there are more than the cap."""
        if not self._parts:
            return
        # column by column: what is held meanwhile is the rows, their order and one more column
        keys = [np.concatenate([getattr(part, name) for part in self._parts]) for name in ("extra", "group", "second")]
        keys[2] = keys[2].astype(np.int64)  # bins may be wider than a narrow number holds
        cut = (0, 0)
        order, (extra, group, second) = _sorted(keys)
        while True:
            width, halvings, *told = summary.rung(self.name, self.level)
            if told != list(cut):
                cut = self._cut(keys, *told)
                order, (extra, group, second) = _sorted(keys)
            # sorted so, rows stay sorted when their bins widen: one sort does for all widths
            sampled = None if not halvings else extra < _share(halvings)
            binned = _binned(second, width)
            begins = np.append(True, _differ(extra) | _differ(group) | _differ(binned))[: len(order)]
            if sampled is not None:
                begins &= sampled  # of a key all rows or none are in the sample
            if np.count_nonzero(begins) <= summary.LAYOUTS[self.name].cap or self.level >= summary.HIGHEST:
                break
            self.level += 1
        first = np.flatnonzero(begins)
        group, second, extra = narrow(group[first]), narrow(binned[first]), narrow(extra[first])
        if sampled is not None:
            order, first = order[sampled], np.flatnonzero(begins[sampled])
        names = list(self._parts[0].sums)
        if len(first):
            sums = {name: narrow(added(np.concatenate([part.sums[name] for part in self._parts])[order], first)) for name in names}
            self._parts = [_Rows(group, second, extra, sums)]
        else:
            self._parts = []
        self._held = self._settled = len(first)
        if len(order) > _GATHERED:
            let_go()

    def table(self) -> pa.Table:
        """The table of the summary: a row a key, in ascending order of the keys, nulls last."""
        self.settle()
        layout = summary.LAYOUTS[self.name]
        if not self._parts:
            return summary.empty(self.name)
        (rows,) = self._parts
        keys: dict[str, tuple[Array, pa.Array | None]] = {"second": (rows.second, None)}
        if self.extra:
            keys[self.extra] = (rows.extra, None)
        for place, name in enumerate(self.members):
            known = sorted({key[place] for key in self._groups}, key=lambda value: (value is None, value))
            rank = {value: at for at, value in enumerate(known)}
            keys[name] = (np.array([rank[key[place]] for key in self._groups], np.int64)[rows.group], _array(summary.type_of(self.name, name), known))
        order = np.lexsort([keys[name][0] for name in reversed(layout.keys)])
        columns = {}
        for name in layout.keys:
            codes, named = keys[name]
            columns[name] = numbers(codes[order]) if named is None else named.take(numbers(codes[order]))
        columns |= {name: numbers(rows.sums[name][order]) for name in layout.sums}
        return pa.table({name: columns[name].cast(summary.type_of(self.name, name)) for name in summary.columns_of(self.name)})

    def _cut(self, keys: list[Array], steps: int, cuts: int) -> tuple[int, int]:
        """Makes buckets so much wider and endpoints so much shorter; answers these numbers."""
        layout = summary.LAYOUTS[self.name]
        if steps:
            keys[0] = summary.stepped(keys[0], steps)
        if cuts:
            at = self.members.index(layout.endpoints)
            short = coarser(texts([key[at] for key in self._groups]), cuts).to_pylist()
            groups: dict[Members, int] = {}
            place = [groups.setdefault((*key[:at], name, *key[at + 1 :]), len(groups)) for key, name in zip(self._groups, short, strict=True)]
            self._groups, keys[1] = groups, np.array(place, np.int64)[keys[1]]
        return steps, cuts

    def _gather(self, *rows: _Rows) -> None:
        self._parts += rows
        self._held += sum(map(len, rows))
        cap = summary.LAYOUTS[self.name].cap
        if self._held - self._settled > max(_GATHERED, self._settled) or self._held > 2 * cap:
            self.settle()

    def _at(self, rows: _Rows, named: Array | None) -> _Rows:
        """The rows in the bins (and in the sample) of the level, one a key."""
        width, halvings, *_ = summary.rung(self.name, self.level)
        if halvings:
            sampled = (rows.extra if named is None else named) < _share(halvings)
            rows = rows.pick(sampled if named is None else sampled[rows.extra])
        rows = _Rows(rows.group, _binned(rows.second, width), rows.extra, rows.sums)
        if len(rows) > 1:
            rows = _folded(rows)
        return rows if named is None else _Rows(rows.group, rows.second, named[rows.extra], rows.sums)


def _sorted(keys: Sequence[Array]) -> tuple[Numbers, list[Array]]:
    """The order of rows by these numbers, and the numbers in it."""
    order: Numbers = np.argsort(packed(keys))
    return order, [key[order] for key in keys]


def _folded(rows: _Rows) -> _Rows:
    """One row a key, the sums added."""
    code = packed([rows.extra, rows.group, rows.second])
    size = int(code.max()) + 1
    if size <= 2 * len(code):  # counting is faster than sorting
        places, keys = distinct(code, size)
        some = np.zeros(len(keys), np.int64)
        some[places] = np.arange(len(places))
        sums = {name: np.bincount(places, x, len(keys)).astype(x.dtype) for name, x in rows.sums.items()}
        return _Rows(rows.group[some], rows.second[some], rows.extra[some], sums)
    order = np.argsort(code)
    begins = np.flatnonzero(np.append(True, _differ(code[order])))
    return rows.pick(order).added(begins) if len(begins) < len(rows) else rows


def _differ(ordered: Array) -> npt.NDArray[np.bool_]:
    """Which values, but for the first, are not what stands before them."""
    different: npt.NDArray[np.bool_] = ordered[1:] != ordered[:-1]
    return different


def _binned(second: Numbers, width: int) -> Numbers:
    return second - second % width if width > 1 else second


def _share(halvings: int) -> np.uint64:
    """Hashes below this are in a sample that was halved so often."""
    return np.uint64(1) << np.uint64(64 - halvings)


def _array(kind: pa.DataType, known: Sequence[Any]) -> pa.Array:
    """Values of a key as an Arrow array; flags and statuses are never null."""
    if pa.types.is_string(kind):
        return texts(known)
    return flags(np.array(known, np.bool_)) if pa.types.is_boolean(kind) else numbers(np.array(known, np.int64))


class Folder:
    """One table of the summary that keeps a first or a last event a key, such as `failures`: tables of Arrow, folded now and then."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.level = 0
        self._parts: list[tuple[pa.Table, int]] = []  # and the level that it is folded to
        self._held = self._settled = 0

    def add(self, table: pa.Table) -> None:
        """Adds rows, keys repeated or not."""
        if table.num_rows:
            self._gather(summary.at_level(self.name, table, self.level), self.level)

    def absorb(self, other: Folder) -> None:
        """Adds what another holds of this table."""
        self.level = max(self.level, other.level)
        for part, level in other._parts:
            self._gather(part, level)

    def take(self, table: pa.Table, level: int) -> None:
        """Adds a table of a summary that was coarsened to this level."""
        self.level = max(self.level, level)
        self._gather(table, level)

    def settle(self) -> None:
        """Makes rows of equal keys one, and coarsens while there are more than the cap."""
        if not self._parts:
            return
        table, level = self._parts[0]
        if len(self._parts) > 1 or level < self.level:
            table = summary.at_level(self.name, pa.concat_tables([part for part, _ in self._parts]), self.level)
        table, self.level = summary.coarsen(self.name, table, self.level)
        self._parts = [(table, self.level)] if table.num_rows else []
        self._held = self._settled = table.num_rows

    def table(self) -> pa.Table:
        """The table of the summary: a row a key, in ascending order of the keys, nulls last."""
        self.settle()
        return self._parts[0][0] if self._parts else summary.empty(self.name)

    def _gather(self, part: pa.Table, level: int) -> None:
        self._parts.append((part, level))
        self._held += part.num_rows
        cap = summary.LAYOUTS[self.name].cap
        if self._held - self._settled > max(_GATHERED, self._settled) or self._held > 2 * cap:
            self.settle()
