"""Event tables as JSON lines, put together column by column.

The bytes are those of `json.dumps(row, ensure_ascii=False, separators=(",", ":"))` for every row of `events.rows`. Texts with
quotes, backslashes or control characters are escaped one by one, all others are taken as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute

from ..parsers.arrays import flags, holds, joined, one, texts

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

_ESCAPED = r'["\\\x00-\x1f]'
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999


def json_lines(batch: pa.RecordBatch, in_fields: Sequence[tuple[str, str]], slow: Callable[[pa.RecordBatch], str]) -> str:
    """The rows of a batch as JSON lines; `slow` writes batches that this cannot (a field that is a column as well)."""
    if not batch.num_rows:
        return ""
    column = {name: batch.column(name) for name in batch.schema.names}
    inner = pc.utf8_slice_codeunits(column["fields"], 1, None)
    names = "|".join(name for _, name in in_fields)
    twice = pc.match_substring_regex(column["fields"], rf'"(?:{names})":')
    time = column["time"]
    moment = pc.min_max(time.cast(pa.int64())).as_py()
    outside = moment["min"] is not None and (moment["min"] < _FIRST or moment["max"] > _LAST)
    if outside or holds(twice).any():
        return slow(batch)
    fields = [
        pc.binary_join_element_wise(one(f'"{name}":'), _json(column[source]), one("")) for source, name in in_fields
    ]
    # a null piece is left out of the joined object; what is left of the other object ends it
    rest = pc.replace_substring_regex(inner, r"\}$", "")
    inside = joined([*fields, pc.if_else(pc.equal(rest, one("")), one(None), rest)], ",", batch.num_rows)
    stamp = pc.binary_join_element_wise(one('"'), pc.strftime(time, format="%Y-%m-%dT%H:%M:%S"), one('+00:00"'), one(""))
    pieces: list[Any] = [one('{"time":'), pc.coalesce(stamp, one("null"))]
    for name in ("file", "line", "lines", "format", "severity", "host", "service", "pid", "message"):
        pieces += [one(f',"{name}":'), pc.coalesce(_json(column[name]), one("null"))]
    lines = pc.binary_join_element_wise(*pieces, one(',"fields":{'), inside, one("}}\n"), one(""))
    offsets, data = lines.buffers()[1:]
    del offsets
    return data.to_pybytes().decode() if data is not None and not lines.offset else "".join(lines.to_pylist())


def _json(column: Any) -> Any:
    """Each value as JSON text, null where there is none."""
    if pa.types.is_dictionary(column.type):
        return _json(column.dictionary.cast(pa.string())).take(column.indices)
    if pa.types.is_string(column.type):
        special = pc.match_substring_regex(column, _ESCAPED)
        quoted = pc.binary_join_element_wise(one('"'), column, one('"'), one(""))
        if not holds(special).any():
            return quoted
        special = flags(holds(special))
        return pc.replace_with_mask(quoted, special, texts([_dumped(v) for v in column.filter(special).to_pylist()]))
    if pa.types.is_floating(column.type):
        encoded = column.dictionary_encode()
        return texts([_dumped(value) for value in encoded.dictionary.to_pylist()]).take(encoded.indices)
    return column.cast(pa.string())


def _dumped(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
