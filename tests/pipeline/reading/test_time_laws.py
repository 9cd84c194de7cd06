"""Laws of time, through the readers: the hour that happens twice, New Year and 29 February without a year, and any cut of a file."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrolog.parsers.blocks import BlockParser
from retrolog.parsers.timestamps import TimeContext
from retrolog.pipeline.cli import main

BERLIN = ZoneInfo("Europe/Berlin")
WRITTEN: dict[str, Callable[[datetime], str]] = {
    "ISO": lambda at: f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} INFO shop - row",
    "syslog": lambda at: f"{at:%b} {at.day:2} {at:%H:%M:%S} web-1 shop[12]: row",
    "nginx error": lambda at: f"{at:%Y/%m/%d %H:%M:%S} [error] 12#12: *3 row",
    "java": lambda at: f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} [main] INFO  shop.Cart - row",
    "level first": lambda at: f"INFO  [{at:%Y-%m-%d %H:%M:%S},000] shop: row",
    "clock": lambda at: f"{at:%H:%M:%S}.000 [main] INFO  shop - row",
}


def times(path: Path, *more: str) -> list[datetime]:
    told = CliRunner().invoke(main, ["events", str(path), "--format", "jsonl", *more])
    assert told.exit_code == 0, told.stderr
    return [datetime.fromisoformat(row["time"]) for row in map(json.loads, told.stdout.splitlines()) if row["time"]]


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("step", [7, 60], ids=["often", "each minute"])
def test_the_hour_that_happens_twice(tmp_path: Path, form: str, step: int) -> None:
    begin = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    true = [begin + timedelta(seconds=n) for n in range(0, 3 * 3600, step)]
    (tmp_path / "app-2026-10-25.log").write_text("".join(WRITTEN[form](at.astimezone(BERLIN)) + "\n" for at in true))
    assert times(tmp_path, "--tz", "Europe/Berlin", "--year", "2026") == true


@pytest.mark.parametrize("form", WRITTEN)
def test_the_hour_that_is_left_out(tmp_path: Path, form: str) -> None:
    begin = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    true = [begin + timedelta(seconds=n) for n in range(0, 2 * 3600, 60)]
    (tmp_path / "app-2026-03-29.log").write_text("".join(WRITTEN[form](at.astimezone(BERLIN)) + "\n" for at in true))
    assert times(tmp_path, "--tz", "Europe/Berlin", "--year", "2026") == true


@pytest.mark.parametrize(("begin", "hours", "why"), [(datetime(2027, 12, 31, 20, tzinfo=UTC), 8, "New Year"), (datetime(2028, 2, 28, 12, tzinfo=UTC), 48, "29 February")])
def test_stamps_without_a_year(tmp_path: Path, begin: datetime, hours: int, why: str) -> None:
    true = [begin + timedelta(minutes=n) for n in range(hours * 60)]
    (tmp_path / "syslog").write_text("".join(WRITTEN["syslog"](at) + "\n" for at in true))
    window = ["--from", (begin + timedelta(hours=1)).isoformat(), "--to", (begin + timedelta(hours=hours - 1)).isoformat()]
    assert times(tmp_path, *window) == true[60:-60], why


MIXED = "\n".join(
    (
        *(WRITTEN["ISO"](datetime(2026, 10, 25, 0, n, tzinfo=UTC).astimezone(BERLIN)) for n in range(40, 60)),
        "java.lang.IllegalStateException: no cart", "\tat shop.Cart.of(Cart.java:12)", "",
        *(WRITTEN["ISO"](datetime(2026, 10, 25, 1, n, tzinfo=UTC).astimezone(BERLIN)) for n in range(20)),
        WRITTEN["ISO"](datetime(2026, 10, 25, 0, 59, 50, tzinfo=UTC).astimezone(BERLIN)),
        "second line of a late row",
        *(WRITTEN["ISO"](datetime(2026, 10, 25, 1, n, tzinfo=UTC).astimezone(BERLIN)) for n in range(20, 60)),
        *(WRITTEN["ISO"](datetime(2026, 10, 25, 2, n, tzinfo=UTC).astimezone(BERLIN)) for n in range(20)),
    )
).encode() + b"\n"  # fmt: skip


def read(cuts: list[int]) -> list[tuple[int, int, int | None]]:
    """Line, lines and time of the events of `MIXED`, fed in pieces that end behind these lines."""
    parser = BlockParser(TimeContext(zone=BERLIN, zone_given=True))
    lines = MIXED.splitlines(keepends=True)
    found, offset = [], 0
    for begin, end in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        piece = b"".join(lines[begin:end])
        found += parser.events(piece, begin + 1, offset)
        offset += len(piece)
    found += parser.last_event()
    return [(event.line, event.lines, event.time) for event in found]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.integers(1, MIXED.count(b"\n") - 1), max_size=6))
def test_events_are_the_same_however_a_file_is_cut_and_no_line_is_lost(cuts: set[int]) -> None:
    whole = read([])
    assert read(sorted(cuts)) == whole
    assert sum(lines for _, lines, _ in whole) == MIXED.count(b"\n")
    assert [line for line, _, _ in whole] == sorted(line for line, _, _ in whole)
