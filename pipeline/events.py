"""Events for other programs: every event of the window as JSON lines, CSV or Parquet, in order of time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .errors import BadOption
from .ingest import Reader, Reading
from .reach import plan
from .safe import spreadsheet

if TYPE_CHECKING:
    import pyarrow as pa

    from .findings import SourceReport
    from .investigate import Options
    from .sources import Source

_AT_ONCE = 20_000  # events that are turned into text at once
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = ("time", "file", "line", "lines", "format", "severity", "host", "service", "pid", "message", "fields")
#: Columns of the event table that stand in `fields` of the output, under their names there.
_IN_FIELDS = (
    ("client", "client"), ("method", "method"), ("path", "path"), ("status", "status"), ("bytes", "bytes"),
    ("duration", "request_time"), ("upstream", "upstream"), ("request_id", "request_id"),
)  # fmt: skip


def collect(sources: Sequence[Source], options: Options) -> tuple[pa.Table, list[SourceReport]]:
    """All events of the window in order of time, and what was read of each file.

    Adds `order`, the time that an undated event stands at: that of the event before it in its file (of the one after,
    at the head). Times are as written; clock offsets are not applied. Without a window undated events are in.
    """
    import pyarrow as pa

    reading = Reading(
        window=options.window, wanted=options.window, zone=options.zone, zone_name=options.zone_name,
        zone_given=options.zone_given, year=options.year, zone_from=options.zone_from, rules=options.rules,
        formats=options.formats,
        undated=options.window.start is None and options.window.end is None, count=False,
    )  # fmt: skip
    tables, reports = [], []
    for at, (source, file, reach) in enumerate(plan(sources, reading)):
        reader = Reader(file, source, reading, reach)
        parts = list(reader.tables())
        if parts:
            tables.append(_ordered(pa.concat_tables(parts), at))
        reports.append(reader.report())
    if not tables:
        return pa.Table.from_batches([], pa.schema([])), reports
    table = pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
    table = table.sort_by([("order", "ascending"), ("place", "ascending"), ("line", "ascending")])
    return table, reports


def _ordered(table: pa.Table, place: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from ..parsers.arrays import numbers, one

    time = table["time"].cast(pa.int64()).combine_chunks()
    order = pc.coalesce(pc.fill_null_backward(pc.fill_null_forward(time)), one(0))
    return table.append_column("order", order).append_column("place", numbers(np.full(len(table), place)))


def rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """The objects of the contract, one an event, in the order of the table."""
    for batch in table.to_batches(max_chunksize=_AT_ONCE):
        columns = {name: batch.column(name).to_pylist() for name in batch.schema.names if name not in ("order", "place", "source", "time")}
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


def write(table: pa.Table, form: str, out: IO[str], mask: Callable[[str], str] | None = None, path: Path | None = None) -> None:
    """Write the events as `jsonl` or `csv` to `out`, or as `parquet` to the file `path`.

    `mask` is applied to the message and every text in `fields`. A CSV cell that a spreadsheet would take as a
    formula is made text.
    """
    import pyarrow as pa

    if form == "parquet":
        if path is None:
            raise BadOption("Parquet cannot be written to a terminal; name a file with -o events.parquet")
        import pyarrow.parquet as pq

        if table.num_columns:
            pq.write_table(table.drop_columns(["order", "place"]), path)
        return
    if form == "jsonl" and mask is None and table.num_columns:
        from .json_rows import json_lines

        for batch in table.to_batches(max_chunksize=_AT_ONCE):
            out.write(json_lines(batch, _IN_FIELDS, lambda part: "".join(map(_line, rows(pa.Table.from_batches([part]))))))
        return
    written = rows(table) if table.num_columns else iter(())
    if mask is not None:
        written = (_masked(row, mask) for row in written)
    if form == "csv":
        _csv(written, out)
        return
    for row in written:
        out.write(_line(row))


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        keep = ("time", "file", "format", "severity", "method")
        return {k: v if k in keep else _masked(v, mask) for k, v in value.items()}
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
