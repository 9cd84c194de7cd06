"""Logs that lie in Parquet: each row is an event, each column that is named like one of an event is that column.

What `retrolog events --format parquet` wrote is read back as the same events, with the file and line they came from as `origin`
among their fields; of other tables `time` and `message` are needed. As a text, which is what evidence cites and `verify` looks up, a
row is its message with line ends made blanks, and its number is its line.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .unpack import ReadNote

if TYPE_CHECKING:
    import pyarrow as pa

    from ...parsers.timestamps import TimeContext
    from .slices import Slice

MAGIC = b"PAR1"
KIND = "parquet"
_AT_ONCE = 1 << 16  # rows


def refusal(place: Slice) -> str:
    """Why the rows of a Parquet file cannot be read as events, in words; "" where they can."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.ParquetFile(place).schema_arrow
    except (pa.ArrowException, OSError) as error:
        return f"a Parquet file that cannot be read ({' '.join(str(error).split())[:120]})"
    missing = [name for name in ("time", "message") if name not in schema.names]
    if missing:
        return f"a Parquet file without a column {' and '.join(missing)}; give it columns time and message, or export it as JSON lines"
    if not _is_text(schema.field("message").type):
        return "a Parquet file whose column message is no text"
    kind = schema.field("time").type
    if not (pa.types.is_timestamp(kind) or _is_text(kind)):
        return "a Parquet file whose column time is neither a timestamp nor a text"
    return ""


class RowsAsText(io.RawIOBase):
    """The rows of a Parquet file as a text of one line a row, from its start."""

    def __init__(self, place: Slice, notes: list[ReadNote]) -> None:
        self._place = place
        self._chunks = _messages(place, notes)
        self._held = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Read `size` bytes, fewer only at the end; all of them when it is negative or None."""
        most = -1 if size is None else size
        parts, length = [self._held], len(self._held)
        while most < 0 or length < most:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            parts.append(chunk)
            length += len(chunk)
        data = b"".join(parts)
        end = length if most < 0 else most
        self._held = data[end:]
        return data[:end]

    def close(self) -> None:
        if not self.closed:
            self._place.close()
        super().close()


def _messages(place: Slice, notes: list[ReadNote]) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(place).iter_batches(_AT_ONCE, columns=["message"]):
            said = batch.column(0).cast(pa.string()).to_pylist()
            yield b"".join(_line_of(text or "") for text in said)
    except (pa.ArrowException, OSError) as error:
        notes.append(ReadNote("corrupt", f"the Parquet data is damaged ({' '.join(str(error).split())[:120]}); the rows before that were read"))


def _line_of(text: str) -> bytes:
    return text.encode("utf-8", "replace").replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


def tables(opened: Callable[[], Slice], context: TimeContext, notes: list[ReadNote]) -> Iterator[pa.Table]:
    """The rows of a file as tables of events (see `retrolog.parsers.base.event_schema`), with `own_source` where it has a column `source`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = offset = 0
    try:
        with opened() as place:
            for batch in pq.ParquetFile(place).iter_batches(_AT_ONCE):
                if batch.num_rows:
                    table = _events(batch, row, offset, context)
                    row += batch.num_rows
                    offset = table["offset"][-1].as_py() + table["size"][-1].as_py() + 1
                    yield table
    except (pa.ArrowException, OSError) as error:
        notes.append(ReadNote("corrupt", f"the Parquet data is damaged ({' '.join(str(error).split())[:120]}); the {row:,} rows before that were read"))


def _events(batch: pa.RecordBatch, row: int, offset: int, context: TimeContext) -> pa.Table:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute

    from ...parsers.arrays import numbers, one, texts, values
    from ...parsers.base import event_schema

    pc: Any = pyarrow.compute
    count = batch.num_rows
    names = batch.schema.names
    message = pc.coalesce(batch.column("message").cast(pa.string()), one(""))
    size = values(pc.binary_length(message))
    ends = np.cumsum(size.astype(np.int64) + 1)
    found: dict[str, Any] = {
        "time": _times(batch.column("time"), context),
        "line": numbers(np.arange(row + 1, row + count + 1)),
        "lines": numbers(np.ones(count, np.int32)),
        "offset": numbers(offset + np.append(0, ends[:-1])),
        "size": numbers(size.astype(np.int32)),
        "message": message,
        "severity": _severities(batch, names),
        "fields": _fields(batch, names),
    }
    schema = event_schema()
    for field in schema:
        if field.name not in found:
            found[field.name] = _column(batch.column(field.name), field.type) if field.name in names else pa.nulls(count, field.type)
    if "format" not in names:
        found["format"] = pa.DictionaryArray.from_arrays(numbers(np.zeros(count, np.int32)), texts([KIND]))
    table = pa.Table.from_arrays([found[field.name] for field in schema], schema=schema)
    if "source" in names:
        table = table.append_column("own_source", _column(batch.column("source"), pa.dictionary(pa.int32(), pa.string())))
    return table


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or (pa.types.is_dictionary(kind) and _is_text(kind.value_type)))


def _column(column: Any, kind: pa.DataType) -> Any:
    """A column in the type that events have it in; nothing where it cannot be had so."""
    import pyarrow as pa

    try:
        if pa.types.is_dictionary(kind):
            return column.cast(pa.string()).dictionary_encode()
        return column.cast(kind)
    except pa.ArrowException:
        return pa.nulls(len(column), kind)


def _times(column: Any, context: TimeContext) -> Any:
    """Times in UTC; those without a zone are of the zone that was stated."""
    import pyarrow as pa

    from ...parsers.arrays import optional
    from ...parsers.timestamps import read_time

    micros = pa.timestamp("us", tz="UTC")
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return column.cast(micros, safe=False)
    times = []
    for text in column.cast(pa.string()).to_pylist():
        found = None if text is None else read_time(text, context)
        times.append(None if found is None else found[1])
    return optional(times, micros)


def _severities(batch: pa.RecordBatch, names: list[str]) -> Any:
    import pyarrow as pa

    from ...parsers.arrays import texts
    from ...parsers.columns import severity_of

    name = next((name for name in ("severity", "level") if name in names), None)
    if name is None:
        return pa.nulls(batch.num_rows, pa.dictionary(pa.int32(), pa.string()))
    encoded = _column(batch.column(name), pa.dictionary(pa.int32(), pa.string()))
    known = [severity_of(word) for word in encoded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(encoded.indices, texts(known)).cast(pa.string()).dictionary_encode()


def _fields(batch: pa.RecordBatch, names: list[str]) -> Any:
    """What rows have beside the columns of events, as JSON; of our own events also where they came from."""
    import pyarrow as pa

    from ...parsers.arrays import texts
    from ...parsers.base import event_schema

    ours = {*event_schema().names, "source", "file", "" if "severity" in names else "level"}
    others = [name for name in names if name not in ours]
    own = batch.column("fields").to_pylist() if "fields" in names and _is_text(batch.column("fields").type) else [None] * batch.num_rows
    origin = zip(batch.column("file").to_pylist(), batch.column("line").to_pylist(), strict=True) if {"file", "line"} <= set(names) else None
    more = [batch.column(name).to_pylist() for name in others]
    out: list[str | None] = []
    for at, text in enumerate(own):
        said: dict[str, Any] = {}
        if text:
            try:
                said = json.loads(text)
            except ValueError:
                said = {"fields": text}
            said = said if isinstance(said, dict) else {"fields": said}
        for name, column in zip(others, more, strict=True):
            if column[at] is not None:
                said.setdefault(name, column[at])
        if origin is not None:
            file, line = next(origin)
            said.setdefault("origin", f"{file}:{line}")
        out.append(json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=str) if said else None)
    return texts(out) if out else pa.nulls(0, pa.string())
