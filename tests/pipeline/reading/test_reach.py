"""Which parts of many files are read: heads that are written alike are not all looked at, and tell the same all the same."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retrolog.pipeline.reading.reach import Head, Reach, plan
from retrolog.pipeline.reading.rules import Reading
from retrolog.pipeline.reading.sources import discover
from retrolog.pipeline.window import Window

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
ROWS = {
    "access": '10.0.0.1 - - [{t:%d/%b/%Y:%H:%M:%S} +0000] "GET /{n} HTTP/1.1" 200 5 "-" "curl/8"',
    "zoned": '10.0.0.1 - - [{t:%d/%b/%Y:%H:%M:%S} +0130] "GET /{n} HTTP/1.1" 200 5 "-" "curl/8"',
    "text": "{t:%Y-%m-%d %H:%M:%S},{n:03} ERROR [main] com.shop.Cart - could not save {n}",
    "brackets": "[{t:%Y-%m-%d %H:%M:%S}] production.ERROR: could not save {n}",
    "syslog": "{t:%b %d %H:%M:%S} web app[12]: could not save {n}",
    "untimed": "could not save {n}",
}


def written(folder: Path, name: str, row: str, rows: int = 60) -> None:
    text = "".join(row.format(t=START + timedelta(seconds=7 * n), n=n) + "\n" for n in range(rows))
    (folder / name).write_text(text)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for name, row in ROWS.items():
        for copy in range(3):
            written(tmp_path, f"{name}-{copy}.log", row, 60 + copy)
    (tmp_path / "mixed.log").write_text("".join((tmp_path / f"{name}-0.log").read_text() for name in ("access", "text", "untimed")))
    return tmp_path


def test_a_head_like_another_tells_what_looking_at_it_tells(logs: Path) -> None:
    reading = Reading()
    known: list[Head] = []
    shared = 0
    for file in discover([str(logs)]).files:
        alike, own = Head.alike(file, reading, known).dated(), Head.of(file, reading).dated()
        shared += any(alike.parser is other.parser and alike is not other for other in known)
        assert (alike.times, alike.format, alike.yearless) == (own.times, own.format, own.yearless), file.file
        for row in Path(file.path).read_bytes().splitlines():
            assert alike.probe(row) == own.probe(row)
    assert shared >= 4


@pytest.mark.parametrize("minute", [0, 2, 30])
def test_many_small_files_are_searched_and_none_of_the_window_is_lost(tmp_path: Path, minute: int) -> None:
    for n in range(70):
        written(tmp_path, f"host{n}x.log", ROWS["access"], 30 if n else 12_000)
    begin = int((START + timedelta(minutes=minute)).timestamp()) * 1_000_000
    window = Window(begin, begin + 60_000_000)
    reaches = {file.file: reach for _, file, reach in plan(discover([str(tmp_path)]).sources, Reading(window=window, wanted=window))}
    large = reaches["host0x.log"]
    assert large.stop is not None
    assert large.stop - large.start < 200_000
    assert all(reach.unread for name, reach in reaches.items() if name != "host0x.log") == (minute == 30)


def test_a_head_does_not_travel_to_workers(logs: Path) -> None:
    file = discover([str(logs)]).files[0]
    reach = Reach(start=5, format="access", head=Head.of(file, Reading()))
    assert pickle.loads(pickle.dumps(reach)) == replace(reach, head=None)
    assert pickle.loads(pickle.dumps(reach)).head is None


DIRT = {
    "a continuation": "    at com.shop.Cart.save(Cart.java:7)",
    "a text that begins like a row": '10.0.0.1 - - [23/Nov/2026:10:00:99 +0000] "GET / HTTP/1.1" 200 5 "-" "x"',
    "another format": "2026-11-23 10:00:03 ERROR could not save",
    "colour": '\x1b[31m10.0.0.1 - - [23/Nov/2026:10:00:03 +0000] "GET / HTTP/1.1" 200 5 "-" "x"\x1b[0m',
    "nothing": "",
}


@pytest.mark.parametrize("name", DIRT)
def test_where_a_file_has_its_times_is_asked_of_every_row_that_was_not_read_alike(tmp_path: Path, name: str) -> None:
    rows = [ROWS["access"].format(t=START + timedelta(seconds=n), n=n) for n in range(190)]
    rows[50:50] = [DIRT[name]]
    (tmp_path / "access.log").write_text("\n".join(rows) + "\n")
    head = Head.of(discover([str(tmp_path)]).files[0], Reading())
    told = [head.probe(row.encode()) for row in rows]
    head.stamp = None
    assert told == [head.probe(row.encode()) for row in rows]
    assert sum(time is not None for time in told) >= 190
