"""Event tables as JSON lines, put together column by column.

The bytes are those of `json.dumps(row, ensure_ascii=False, separators=(",", ":"))` for every row of `events.rows`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import flags, holds, joined, one, texts

if TYPE_CHECKING:
    import numpy.typing as npt

    Buffer = bytes | memoryview

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999
_CONTROL = r"[\x00-\x1f]"


def json_lines(batch: pa.RecordBatch, in_fields: Sequence[tuple[str, str]], slow: Callable[[pa.RecordBatch], bytes]) -> Buffer:
    """The rows of a batch as JSON lines; `slow` writes batches that this cannot (a field that is a column as well)."""
    if not batch.num_rows:
        return b""
    column = {name: batch.column(name) for name in batch.schema.names}
    names = "|".join(name for _, name in in_fields)
    twice = pc.match_substring_regex(column["fields"], rf'"(?:{names})":')
    time = column["time"]
    moment = pc.min_max(time.cast(pa.int64())).as_py()
    outside = moment["min"] is not None and (moment["min"] < _FIRST or moment["max"] > _LAST)
    if outside or holds(twice).any():
        return slow(batch)
    row = _Row(batch.num_rows)
    row.say('{"time":')
    row.time(time)
    for name in ("file", "line", "lines", "format", "severity", "host", "service", "pid", "message"):
        row.say(f',"{name}":')
        row.value(column[name])
    row.say(',"fields":{')
    present = [(name, column[source]) for source, name in in_fields if column[source].null_count < batch.num_rows]
    row.fields(present, column["fields"])
    row.say("}}\n")
    return row.joined()


class _Row:
    """What each row is put together from: texts that are the same in all rows, and columns of texts."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pieces: list[Any] = []

    def say(self, text: str) -> None:
        """A text that every row has; neighbours become one, since joining costs by the piece."""
        if self._pieces and isinstance(self._pieces[-1], str):
            self._pieces[-1] += text
        else:
            self._pieces.append(text)

    def time(self, time: Any) -> None:
        """Times as `"2026-11-23T10:40:29.000000+00:00"`, null where there is none."""
        if time.null_count == self._count:
            self.say("null")
            return
        text = time.cast(pa.timestamp("us")).cast(pa.string())  # 2026-11-23 10:40:29.000000
        text = pc.binary_replace_slice(text, 10, 11, "T")
        if time.null_count:
            text = pc.binary_join_element_wise(one('"'), text, one('+00:00"'), one(""))
            self._pieces.append(pc.coalesce(text, one("null")))
        else:
            self.say('"')
            self._pieces.append(text)
            self.say('+00:00"')

    def value(self, column: Any) -> None:
        """Each value as JSON text, null where there is none."""
        if column.null_count == self._count:
            self.say("null")
        elif column.null_count:
            self._pieces.append(pc.coalesce(_json(column), one("null")))
        elif (same := _the_same(column)) is not None:
            self.say(same)
        elif pa.types.is_string(column.type):
            self.say('"')
            self._pieces.append(_escaped(column))
            self.say('"')
        else:
            self._pieces.append(_json(column))

    def fields(self, present: Sequence[tuple[str, Any]], rest: Any) -> None:
        """The inside of an object: the columns that have a value, then what `rest` has, an object as text or null."""
        inner = pc.utf8_slice_codeunits(rest, 1, -1)
        inner = pc.if_else(pc.equal(inner, one("")), one(None), inner)
        if not present or present[0][1].null_count:
            members = [pc.binary_join_element_wise(one(f'"{name}":'), _json(column), one("")) for name, column in present]
            self._pieces.append(joined([*members, inner], ",", self._count))
            return
        for at, (name, column) in enumerate(present):
            comma = "," if at else ""
            if column.null_count:
                member = pc.binary_join_element_wise(one(f'{comma}"{name}":'), _json(column), one(""))
                self._pieces.append(pc.coalesce(member, one("")))
            else:
                self.say(f'{comma}"{name}":')
                self.value(column)
        if inner.null_count < self._count:
            self._pieces.append(pc.coalesce(pc.binary_join_element_wise(one(","), inner, one("")), one("")))

    def joined(self) -> Buffer:
        """The bytes of all rows."""
        pieces = [one(piece) if isinstance(piece, str) else piece for piece in self._pieces]
        lines = pc.binary_join_element_wise(*pieces, one(""))
        _, starts, data = lines.buffers()
        offsets = np.frombuffer(starts, np.int32)[lines.offset : lines.offset + len(lines) + 1]
        return memoryview(data)[offsets[0] : offsets[-1]]


def _the_same(column: Any) -> str | None:
    """The JSON text of a column's value where all rows have the same one."""
    if pa.types.is_dictionary(column.type):
        ends = pc.min_max(column.indices)
        return _dumped(column.dictionary[ends["min"].as_py()].as_py()) if ends["min"] == ends["max"] else None
    if pa.types.is_integer(column.type):
        ends = pc.min_max(column)
        return str(ends["min"]) if ends["min"] == ends["max"] else None
    return None


def _json(column: Any) -> Any:
    """Each value as JSON text, null where there is none."""
    if pa.types.is_dictionary(column.type):
        return _json(column.dictionary.cast(pa.string())).take(column.indices)
    if pa.types.is_string(column.type):
        return pc.binary_join_element_wise(one('"'), _escaped(column), one('"'), one(""))
    if pa.types.is_floating(column.type):
        encoded = column.dictionary_encode()
        return texts([_dumped(value) for value in encoded.dictionary.to_pylist()]).take(encoded.indices)
    return column.cast(pa.string())


def _escaped(column: Any) -> Any:
    """Texts as they stand between quotes; those with control characters, which are rare, are escaped one by one (RFC 8259, section 7)."""
    said = _bytes_of(column)
    text = column
    for special in ("\\", '"'):
        if (said == ord(special)).any():
            text = pc.replace_substring(text, special, "\\" + special)
    if not (said < 32).any():
        return text
    control = flags(holds(pc.match_substring_regex(column, _CONTROL)))
    return pc.replace_with_mask(text, control, texts([json.dumps(v, ensure_ascii=False)[1:-1] for v in column.filter(control).to_pylist()]))


def _bytes_of(column: Any) -> npt.NDArray[np.uint8]:
    """The bytes of all texts: a look at all of them at once is quicker than at each text."""
    _, starts, data = column.buffers()
    if data is None or not len(column):
        return np.zeros(0, np.uint8)
    offsets = np.frombuffer(starts, np.int32)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]


def _dumped(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
