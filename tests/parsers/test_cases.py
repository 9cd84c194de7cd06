"""Golden cases: each folder holds a log and, written by hand from the format's manual, what its events must say.

`expected.jsonl` has one object an event with the keys that matter; `settings.json` the zone and year a user would give. To add a
case, add a folder.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from retrolog.parsers.base import Event
from retrolog.parsers.blocks import BlockParser
from retrolog.parsers.tables import events_table
from retrolog.parsers.timestamps import TimeContext

FOLDERS = sorted(path.parent for path in (Path(__file__).parent / "cases").glob("*/input.log"))


def test_cases_are_found() -> None:
    assert len(FOLDERS) >= 20


def shown(event: Event, key: str) -> Any:
    if key != "time":
        return getattr(event, key)
    if event.time is None:
        return None
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=event.time)).isoformat(timespec="microseconds")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    settings = json.loads((folder / "settings.json").read_text()) if (folder / "settings.json").exists() else {}
    parser = BlockParser(TimeContext(zone=ZoneInfo(settings.get("zone", "UTC")), year=settings.get("year")))
    events = [*parser.events((folder / "input.log").read_bytes(), 1, 0), *parser.last_event()]
    expected = [json.loads(row) for row in (folder / "expected.jsonl").read_text().splitlines()]
    found = [
        {key: shown(event, key) for key in wanted} for event, wanted in zip(events, expected, strict=False)
    ]
    assert found == expected
    assert len(events) == len(expected)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_case_many_times_over_reads_the_same_by_columns(folder: Path) -> None:
    text = (folder / "input.log").read_bytes().removesuffix(b"\n") + b"\n"
    many = text * (30_000 // len(text) + 1)
    by_columns, by_rows = (BlockParser(TimeContext(year=2026)) for _ in range(2))
    table = pa.concat_tables([by_columns.feed(many, 1, 0), by_columns.finish()])
    assert table.to_pylist() == events_table([*by_rows.events(many, 1, 0), *by_rows.last_event()]).to_pylist()
    assert by_columns.counts == by_rows.counts
