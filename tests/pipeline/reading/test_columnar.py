"""Parquet as logs: what `events` wrote is read back, other tables need time and message, and evidence is found again."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrolog.parsers.base import Event
from retrolog.parsers.tables import events_table
from retrolog.pipeline.commands import events as module
from retrolog.pipeline.options import Options
from retrolog.pipeline.reading.read import read_blocks, read_lines
from retrolog.pipeline.reading.sources import discover
from retrolog.pipeline.window import Window

EVENTS = [
    Event(1_000_000, 'GET "x"', "access", "error", "web", "nginx", 5, "10.0.0.1", "GET", "/x", 502, 7, 0.5, "up", "r1", {"user": "é"}, 3),
    Event(2_000_000, "a\nb\r\nc", "text", line=4),
    Event(None, "", "", line=9),
]


def with_names(table: pa.Table) -> pa.Table:
    for name, value in (("source", "web/access.log"), ("file", "web/access.log.1")):
        table = table.append_column(name, pa.array([value] * len(table), pa.string()).dictionary_encode())
    return table


@pytest.fixture
def written(tmp_path: Path) -> Path:
    with (tmp_path / "events.parquet").open("wb") as out:
        module.write([with_names(events_table(EVENTS))], "parquet", out)
    return tmp_path


def test_events_come_back_and_name_where_they_came_from(written: Path) -> None:
    table, reports = module.collect(discover([str(written)]).sources, Options())
    back = {name: table[name].to_pylist() for name in table.column_names}
    was = with_names(events_table(EVENTS))
    for name in ("time", "severity", "host", "service", "pid", "message", "client", "method", "path", "status", "bytes", "duration", "upstream", "request_id"):
        assert back[name] == was[name].to_pylist(), name
    assert back["format"] == ["access", "text", ""]
    assert back["source"] == ["web/access.log"] * 3
    assert (back["file"], back["line"]) == (["events.parquet"] * 3, [1, 2, 3])
    assert back["fields"] == ['{"user":"é","origin":"web/access.log.1:3"}', '{"origin":"web/access.log.1:4"}', '{"origin":"web/access.log.1:9"}']
    report = reports[0]
    assert (report.lines, report.events, report.container, report.fates["undated"]) == (3, 3, "parquet", 1)


def test_a_window_cuts_it(written: Path) -> None:
    table, _ = module.collect(discover([str(written)]).sources, Options(window=Window(1_500_000, None)))
    assert table["message"].to_pylist() == ["a\nb\r\nc"]


def test_rows_are_found_again_where_the_table_says(written: Path) -> None:
    file = discover([str(written)]).files[0]
    table, _ = module.collect(discover([str(written)]).sources, Options())
    places = list(zip(*(table[name].to_pylist() for name in ("line", "offset", "size")), strict=True))
    assert read_lines(file, places) == {1: b'GET "x"', 2: b"a b  c", 3: b""}
    assert b"".join(block.data for block in read_blocks(file)) == b'GET "x"\na b  c\n\n'


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"when": [1], "message": ["a"]}, "without a column time"),
        ({"a": [1]}, "without a column time and message"),
        ({"time": [1], "message": ["a"]}, "neither a timestamp nor a text"),
        ({"time": ["2026-11-23T10:00:00Z"], "message": [1]}, "message is no text"),
    ],
)
def test_other_tables_are_skipped_with_a_reason(tmp_path: Path, columns: dict[str, list[object]], reason: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (tmp_path / "b.log").write_text("PAR1 begins this row\n")
    found = discover([str(tmp_path)])
    assert [file.file for file in found.files] == ["b.log"]
    assert reason in found.skipped[0].reason


def test_tables_of_others_are_read_by_time_and_message(tmp_path: Path) -> None:
    rows = {"time": ["2026-11-23T10:00:00Z", "soon", None], "message": ["a", None, "c"], "level": ["ERROR", None, "x?"], "k": [1, None, 3]}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    table, _ = module.collect(discover([str(tmp_path)]).sources, Options())
    assert table["time"].cast(pa.int64()).to_pylist() == [1_795_428_000_000_000, None, None]
    assert table["severity"].to_pylist() == ["error", None, None]
    assert table["fields"].to_pylist() == ['{"k":1}', None, '{"k":3}']


@pytest.mark.parametrize("damage", [b"PAR1\0\0\0\0PAR1", b"PAR1" + b"\xff\0" * 200])
def test_a_damaged_file_is_skipped(written: Path, damage: bytes) -> None:
    (written / "bad.parquet").write_bytes(damage)
    assert [skip.file for skip in discover([str(written)]).skipped] == ["bad.parquet"]
