"""Events of many files in order of time, with bounded memory: what does not fit waits in an unnamed temporary file.

A file's events may come in any order, and where the earliest stands is known at the end only; so all of them are gathered, but
what is sorted is one number each. Files that are in order, the usual case, are handed on as they were read.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import numbers, values

if TYPE_CHECKING:
    from typing import IO

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

#: Bytes of events that are held in memory.
HELD = 48 << 20
#: Rows that are handed on at once: large beside the cost of a call, small in memory.
AT_ONCE = 8_000


class InOrder:
    """Takes the tables of one file after the other, then hands on all events in order of time.

    An undated event stands at the time of the event before it in its file (at the head: of the one after). Events of the same time
    stand in the order of their files, and of the lines therein.
    """

    def __init__(self, held: int = HELD) -> None:
        self._limit, self._held = held, 0
        self._tables: list[pa.Table | None] = []  # None: in the temporary file
        self._keys: list[npt.NDArray[np.int64]] = []
        self._waiting: IO[bytes] | None = None
        self._places: dict[int, tuple[int, int]] = {}  # of tables in it: offset and size
        self._mapped: pa.Buffer | None = None

    def __len__(self) -> int:
        return sum(len(keys) for keys in self._keys)

    def add(self, tables: Iterable[pa.Table]) -> None:
        """Takes the tables of one file, in the order of its lines."""
        last: int | None = None
        undated: list[npt.NDArray[np.int64]] = []  # at its head, whose time is that of the first dated event
        for table in tables:
            if not len(table):
                continue
            time = table["time"].combine_chunks() if table["time"].num_chunks != 1 else table["time"].chunk(0)
            order = values(time).astype(np.int64)  # a copy: the table's own memory may not be written
            if time.null_count:
                known = values(time.is_valid())
                at = np.maximum.accumulate(np.where(known, np.arange(len(order)), -1))
                order = np.where(at >= 0, order[at], 0 if last is None else last)
                if last is None:
                    head = int(np.count_nonzero(at < 0))
                    if head < len(order):
                        for keys in [*undated, order[:head]]:
                            keys[:] = order[head]
                        undated = []
                    else:
                        undated.append(order)
                        self._keep(table, order)
                        continue
            elif last is None:
                for keys in undated:
                    keys[:] = order[0]
                undated = []
            last = int(order[-1])
            self._keep(table, order)

    def _keep(self, table: pa.Table, order: npt.NDArray[np.int64]) -> None:
        self._keys.append(order)
        self._tables.append(table)
        self._held += table.nbytes
        if self._held > self._limit:
            self._put_away()

    def _put_away(self) -> None:
        """Moves the tables in memory to the temporary file."""
        if self._waiting is None:
            self._waiting = tempfile.TemporaryFile(prefix="retrolog-")  # noqa: SIM115 - it lives as long as this
        for at, table in enumerate(self._tables):
            if table is None:
                continue
            begin = self._waiting.tell()
            with pa.ipc.new_stream(self._waiting, table.schema) as stream:
                stream.write_table(table)
            self._places[at] = begin, self._waiting.tell() - begin
            self._tables[at] = None
        self._held = 0

    def tables(self, at_once: int = AT_ONCE) -> Iterator[pa.Table]:
        """All events in order, so many rows at a time; call it when all files were added."""
        if not self._keys:
            return
        if self._waiting is not None:
            self._waiting.flush()
            self._mapped = pa.py_buffer(mmap.mmap(self._waiting.fileno(), 0, access=mmap.ACCESS_READ))
        if self._sorted():
            for at in range(len(self._tables)):
                table = self._table(at)
                for begin in range(0, len(table), at_once):
                    yield table.slice(begin, at_once)
            return
        starts = np.cumsum([0, *(len(keys) for keys in self._keys)])
        ranks = np.argsort(np.concatenate(self._keys), kind="stable")
        for begin in range(0, len(ranks), at_once):
            yield self._gathered(ranks[begin : begin + at_once], starts)

    def _sorted(self) -> bool:
        latest = -(1 << 63)
        for keys in self._keys:
            if keys[0] < latest or (keys[1:] < keys[:-1]).any():
                return False
            latest = int(keys[-1])
        return True

    def _gathered(self, rows: npt.NDArray[Any], starts: npt.NDArray[Any]) -> pa.Table:
        """The rows of these places among all, in their order."""
        owner = np.searchsorted(starts, rows, "right") - 1
        grouped = np.argsort(owner, kind="stable")
        parts = []
        for at in np.unique(owner).tolist():
            mine = rows[grouped[owner[grouped] == at]] - starts[at]
            parts.append(self._table(at).take(numbers(mine)))
        if len(parts) == 1:
            return parts[0]
        back = np.empty(len(rows), np.int64)
        back[grouped] = np.arange(len(rows))
        return pa.concat_tables(parts, promote_options="permissive").unify_dictionaries().combine_chunks().take(numbers(back))

    def _table(self, at: int) -> pa.Table:
        held = self._tables[at]
        if held is not None:
            return held
        begin, size = self._places[at]
        assert self._mapped is not None
        return pa.ipc.open_stream(self._mapped.slice(begin, size)).read_all()
