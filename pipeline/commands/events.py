"""Events for other programs: every event of the window as JSON lines, CSV or Parquet, in order of time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

from ..reading.ingest import Reader
from ..reading.reach import plan
from ..reading.rules import Reading
from ..safe import spreadsheet
from .in_order import AT_ONCE, InOrder

if TYPE_CHECKING:
    import pyarrow as pa

    from ..options import Options
    from ..reading.logfile import Source
    from ..reading.reach import Head
    from ..reports import SourceReport

_ROW_GROUP = 1 << 17  # rows of Parquet that are written at once
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = ("time", "file", "line", "lines", "format", "severity", "host", "service", "pid", "message", "fields")
#: What is never masked.
_AS_THEY_ARE = ("time", "file", "source", "format", "severity", "method")
#: Columns of the event table that stand in `fields` of the output, under their names there.
_IN_FIELDS = (
    ("client", "client"), ("method", "method"), ("path", "path"), ("status", "status"), ("bytes", "bytes"),
    ("duration", "request_time"), ("upstream", "upstream"), ("request_id", "request_id"),
)  # fmt: skip


def read(sources: Sequence[Source], options: Options, known: list[Head] | None = None) -> tuple[InOrder, list[SourceReport]]:
    """All events of the window, to be taken in order of time, and what was read of each file.

    Times are as written; clock offsets are not applied. Without a window undated events are in. `known` keeps what was learnt
    of how files are written, for who asks again.
    """
    reading = Reading(
        window=options.window, wanted=options.window, zone=options.zone, zone_name=options.zone_name,
        zone_given=options.zone_given, year=options.year, zone_from=options.zone_from, rules=options.rules,
        formats=options.formats, asked=options.asked,
        undated=options.window.start is None and options.window.end is None, count=False,
    )  # fmt: skip
    events, reports = InOrder(), []
    for source, file, reach in plan(sources, reading, known):
        reader = Reader(file, source, reading, reach)
        events.add(reader.tables())
        reports.append(reader.report())
    return events, reports


def collect(sources: Sequence[Source], options: Options, known: list[Head] | None = None) -> tuple[pa.Table, list[SourceReport]]:
    """What `read` gives, the events as one table; one without columns where there are none."""
    import pyarrow as pa

    events, reports = read(sources, options, known)
    tables = list(events.tables())
    if not tables:
        return pa.Table.from_batches([], pa.schema([])), reports
    return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries(), reports


def rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """The objects of the contract, one an event, in the order of the table."""
    for batch in table.to_batches(max_chunksize=AT_ONCE):
        columns = {name: batch.column(name).to_pylist() for name in batch.schema.names if name not in ("source", "time")}
        times = batch.column("time").cast("int64").to_pylist() if batch.num_rows else []
        in_fields = [(column, name, columns[column]) for column, name in _IN_FIELDS if columns[column].count(None) < batch.num_rows]
        for i in range(batch.num_rows):
            fields: dict[str, Any] = {}
            for _, name, values in in_fields:
                if values[i] is not None:
                    fields[name] = values[i]
            if columns["fields"][i]:
                fields |= {k: v for k, v in json.loads(columns["fields"][i]).items() if k not in fields}
            yield {
                "time": iso(times[i]),
                **{name: columns[name][i] for name in _COLUMNS if name not in ("time", "fields")},
                "fields": fields,
            }


def iso(micros: int | None) -> str | None:
    """ISO 8601 in UTC with microseconds, None for an event without a time or one outside the calendar."""
    if micros is None:
        return None
    try:
        return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds")
    except OverflowError:
        return None


def write(tables: Iterable[pa.Table], form: str, out: IO[bytes], mask: Callable[[str], str] | None = None) -> None:
    """Write events as `jsonl`, `csv` or `parquet`, a table after the other.

    `mask` is applied to the message and every text in `fields`. A CSV cell that a spreadsheet would take as a
    formula is made text.
    """
    if form == "parquet":
        _parquet(tables if mask is None else (_masked_table(table, mask) for table in tables), out)
        return
    if form == "jsonl" and mask is None:
        from .json_rows import json_lines

        for table in tables:
            for batch in table.to_batches(max_chunksize=AT_ONCE):
                out.write(json_lines(batch, _IN_FIELDS, _slowly))
        return
    written = (row for table in tables for row in rows(table))
    if mask is not None:
        written = (_masked(row, mask) for row in written)
    if form == "csv":
        text = io.TextIOWrapper(out, "utf-8", newline="\n")
        _csv(written, text)
        text.detach()
        return
    for row in written:
        out.write(_line(row))


def _parquet(tables: Iterable[pa.Table], out: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ...parsers.base import event_schema

    text = pa.dictionary(pa.int32(), pa.string())
    schema = event_schema().append(pa.field("source", text)).append(pa.field("file", text))
    held: list[pa.Table] = []
    with pq.ParquetWriter(out, schema) as writer:
        for table in tables:
            held.append(table)
            if sum(map(len, held)) >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(held).unify_dictionaries())
                held = []
        if held:
            writer.write_table(pa.concat_tables(held).unify_dictionaries())


def _masked_table(table: pa.Table, mask: Callable[[str], str]) -> pa.Table:
    """The table with its texts masked, each distinct one once."""
    import pyarrow as pa

    from ...parsers.arrays import texts

    for at, field in enumerate(table.schema):
        if field.name in _AS_THEY_ARE or not (pa.types.is_string(field.type) or pa.types.is_dictionary(field.type)):
            continue
        column = table.column(at).combine_chunks()
        encoded = column if pa.types.is_dictionary(field.type) else column.dictionary_encode()
        said = [_masked_fields(v, mask) if field.name == "fields" else None if v is None else mask(v) for v in encoded.dictionary.to_pylist()]
        shown = pa.DictionaryArray.from_arrays(encoded.indices, texts(said))
        table = table.set_column(at, field, shown if pa.types.is_dictionary(field.type) else shown.cast(pa.string()))
    return table


def _masked_fields(said: str | None, mask: Callable[[str], str]) -> str | None:
    return None if said is None else json.dumps(_masked(json.loads(said), mask), ensure_ascii=False, separators=(",", ":"))


def _slowly(batch: pa.RecordBatch) -> bytes:
    import pyarrow as pa

    return b"".join(map(_line, rows(pa.Table.from_batches([batch]))))


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "surrogateescape")


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {k: v if k in _AS_THEY_ARE else _masked(v, mask) for k, v in value.items()}
    return [_masked(v, mask) for v in value] if isinstance(value, list) else value


def _csv(written: Iterable[dict[str, Any]], out: IO[str]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in written:
        values = [row[c] for c in _COLUMNS[:-1]] + [json.dumps(row["fields"], ensure_ascii=False) if row["fields"] else ""]
        writer.writerow([spreadsheet(v) if isinstance(v, str) else v for v in values])
        if buffer.tell() > 1 << 16:
            out.write(buffer.getvalue())
            buffer.seek(0)
            buffer.truncate()
    out.write(buffer.getvalue())
