"""Rows with a time of day alone, through the readers: dated where something tells the day, left undated where nothing does."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from retrolog.pipeline.cli import main

ROWS = "10:05:04.123 [main] INFO  shop - started\n10:05:05.000 [main] ERROR shop - boom\njava.lang.Error: x\n\tat a.b\n10:06:00.000 [main] INFO  shop - ready\n"
WINDOW = ["--from", "2026-11-23 10:00", "--to", "10:30"]
CASES = [
    ({"app.log": ROWS}, [], None, "", "nothing tells the day"),
    ({"app.log": ROWS}, WINDOW, "2026-11-23T10:05:04.123000+00:00", "the day on which its rows lie in the window", "the window"),
    ({"app.log": ROWS}, [*WINDOW, "--tz", "+02:00"], "2026-11-23T08:05:04.123000+00:00", "in the window", "the window, in a zone"),
    ({"app.log": ROWS}, ["--from", "2026-11-23 20:00", "--to", "20:30"], None, "", "a window in which it does not lie"),
    ({"app.log": ROWS}, ["--from", "2026-11-22 10:00", "--to", "2026-11-24 10:00"], None, "", "a window of two days"),
    ({"app-2026-11-20.log": ROWS}, [], "2026-11-20T10:05:04.123000+00:00", "as the file's name says", "the name"),
    ({"app.log": f"Log started 2026-11-21\n{ROWS}"}, [], "2026-11-21T10:05:04.123000+00:00", "as line 1 says", "a header"),
    ({"app.log-20261123": ROWS}, [], None, "", "the name says when it was rotated, not of what day its rows are"),
]


@pytest.mark.parametrize(("files", "window", "first", "said", "why"), CASES, ids=[case[-1] for case in CASES])
def test_the_day_is_told_or_left_open(tmp_path: Path, files: dict[str, str], window: list[str], first: str | None, said: str, why: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    told = CliRunner().invoke(main, ["events", str(tmp_path), *window, "--format", "jsonl"])
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    rows = [row for row in rows if row["format"] == "clock"]
    if first is None:
        assert all(row["time"] is None for row in rows), why
    else:
        assert rows[0]["time"] == first, why
        assert [row["lines"] for row in rows] == [1, 3, 1], why
    inspected = CliRunner().invoke(main, ["inspect", str(tmp_path), *window])
    assert (said or "not known") in inspected.stdout, why


def test_a_large_log_is_searched_and_dated_alike(tmp_path: Path) -> None:
    rows = [f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}.{n % 3}00 [main] INFO  shop - served request number {n}" for n in range(60_000) for at in (n // 2 + 3600,)]
    (tmp_path / "app-2026-11-23.log").write_text("\n".join(rows) + "\n")
    told = CliRunner().invoke(main, ["events", str(tmp_path), "--from", "2026-11-23 03:00", "--to", "03:01", "--format", "jsonl"])
    times = [json.loads(line)["time"] for line in told.stdout.splitlines()]
    assert len(times) == 120
    assert times[0].startswith("2026-11-23T03:00:00")


def test_the_draft_says_which_day_was_assumed(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(ROWS)
    told = CliRunner().invoke(main, ["draft", str(tmp_path), *WINDOW, "--format", "json"])
    assert any(text.startswith("day 2026-11-23") and "app.log" in text for text in json.loads(told.stdout)["assumptions"])
