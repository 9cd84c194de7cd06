"""Requests that are held answer a closer look as reading again does, in the same order, and never with a part of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retrolog.pipeline.commands.events import collect
from retrolog.pipeline.counting import engine
from retrolog.pipeline.counting.engine import run
from retrolog.pipeline.counting.held import Held
from retrolog.pipeline.counting.jobs import Engine
from retrolog.pipeline.investigate import jobs
from retrolog.pipeline.options import Options
from retrolog.pipeline.reading.sources import discover
from retrolog.pipeline.window import Window

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECOND = 1_000_000
BASE = int(START.timestamp()) * SECOND
EVERYTHING = Window(BASE - 3600 * SECOND, BASE + 7200 * SECOND)
OPTIONS = Options(window=Window(BASE, BASE + 3600 * SECOND))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    stamps = [START + timedelta(seconds=n // 3) for n in range(900)]
    access = [f'10.0.0.{n % 9} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /item/{n}?q=\\"a HTTP/1.1" {500 if n % 7 == 0 else 200} {n} "-" "curl \\\\{n % 4} caf\u00e9"\n' for n, at in enumerate(stamps)]
    rows = [{"time": f"{at:%Y-%m-%dT%H:%M:%SZ}", "method": "GET", "path": "/api", "status": 200, "bytes": n, "user_agent": f'say "{n % 5}"'} for n, at in enumerate(stamps)]
    said = [f"{at:%Y-%m-%d %H:%M:%S},000 INFO [shop] order {n} placed\n" for n, at in enumerate(stamps)]
    (tmp_path / "edge.log").write_text("".join(access))
    (tmp_path / "api.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "app.log").write_text("".join(said))
    return tmp_path


def held(folder: Path, most: int = 1 << 24) -> Held:
    made = Held(EVERYTHING, most)
    run(jobs(discover([str(folder)]), OPTIONS), None, Engine(workers=1), made)
    return made


def test_what_is_held_is_what_reading_again_gives(folder: Path) -> None:
    first, last = BASE + 40 * SECOND, BASE + 95 * SECOND
    found = held(folder).between(first, last)
    again = collect(discover([str(folder)]).sources, replace(OPTIONS, window=Window(first, last)))[0]
    assert found is not None
    expected = [row for row in again.to_pylist() if row["path"] and row["status"] is not None]
    rows = found.to_pylist()
    assert len(rows) == 2 * 55 * 3
    for row in (*rows, *expected):
        fields = json.loads(row.pop("fields") or "{}")
        agent = row.pop("agent", None)
        row["agent"] = fields.get("user_agent") if agent is None else json.loads(f'"{agent}"')
        row.pop("message")
    assert rows == expected


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [(EVERYTHING.start, BASE, "nothing was said then"), (BASE + 400 * SECOND, BASE + 500 * SECOND, "the logs had ended")],
)
def test_no_request_is_an_answer(folder: Path, first: int, last: int, why: str) -> None:
    found = held(folder).between(first, last)
    assert found is not None, why
    assert found.num_rows == 0, why


def test_what_is_not_held_whole_is_not_told(folder: Path) -> None:
    assert EVERYTHING.end is not None
    assert held(folder).between(EVERYTHING.end - SECOND, EVERYTHING.end + SECOND) is None
    assert held(folder, most=1000).between(BASE, BASE + SECOND) is None


def test_requests_read_by_others_are_not_held(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WORTH_WORKERS", 1)
    made = Held(EVERYTHING)
    run(jobs(discover([str(folder)]), OPTIONS), None, Engine(workers=2), made)
    assert made.between(BASE, BASE + SECOND) is None
