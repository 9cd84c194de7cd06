"""The requests that were counted, held as long as they are few, so that a closer look at some seconds need not read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import flags, holds, numbers, values
from ..window import Window
from .requests import agents

if TYPE_CHECKING:
    import numpy.typing as npt

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

#: Bytes of requests that are held: beyond, all are let go of, and who looks closer reads again.
MOST = 24 << 20
#: What is not held, and null in what is handed out.
_LEFT = ("message", "fields")


class Held:
    """Takes the events of a span of time as they are counted, of one file after the other, and keeps the requests among them."""

    def __init__(self, span: Window, most: int = MOST) -> None:
        self._span = span
        self._most = most
        self._size = 0
        self._tables: list[tuple[int, pa.Table]] | None = []

    def keep(self, events: pa.Table, place: int) -> None:
        """Takes a table of the file at this place among all; `agent` may stand for the user agent in `fields`."""
        if self._tables is None or not events.num_rows:
            return
        asked = holds(pc.is_valid(events["time"])) & holds(pc.is_valid(events["status"])) & holds(pc.is_valid(events["path"]))
        if not asked.any():
            return
        table = events if asked.all() else events.filter(flags(asked))
        if "agent" not in table.column_names:
            table = table.append_column("agent", agents(table["fields"], np.ones(table.num_rows, np.bool_)))
        for name in _LEFT:
            table = table.set_column(table.schema.get_field_index(name), name, pa.nulls(table.num_rows, pa.string()))
        self._tables.append((place, table))
        self._size += table.nbytes
        if self._size > self._most:
            self.let_go()

    def let_go(self) -> None:
        """Holds nothing from now on: what is asked must be read again."""
        self._tables = None

    def between(self, first: int, last: int) -> pa.Table | None:
        """The requests from one time to before another (microseconds, as stamped), in order of time, then of files and lines.

        They have `agent` (as it stands in JSON) in place of `message` and `fields`. None where not all of them are held.
        """
        if self._tables is None or first not in self._span or (last > first and last - 1 not in self._span):
            return None
        found: list[pa.Table] = []
        places: list[npt.NDArray[np.int64]] = []
        for place, table in self._tables:
            time = values(table["time"])
            here = (time >= first) & (time < last)
            if here.any():
                part = table.filter(flags(here))
                found.append(part.set_column(part.schema.get_field_index("path"), "path", part["path"].cast(pa.string())))
                places.append(np.full(part.num_rows, place))
        if not found:
            return pa.Table.from_batches([], pa.schema([]))
        table = pa.concat_tables(found, promote_options="permissive").unify_dictionaries().combine_chunks()
        order = np.lexsort((values(table["line"]), np.concatenate(places), values(table["time"])))
        return table.take(numbers(order))
