"""Logs without a zone beside logs that name one: the doubt is said with the option that settles it, and nothing is said where none is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from retrolog.pipeline.cli import main

BEGIN = datetime(2026, 11, 23, 10, tzinfo=UTC)
WINDOW = ["--from", "2026-11-23T10:00Z", "--to", "2026-11-23T10:20Z"]


def write(folder: Path, named: str = "+0200", local: bool = True, hours: int = 2) -> Path:
    """An access log with a zone, and an application's without one that says nothing of what the other says."""
    ahead = timedelta(hours=hours)
    with (folder / "access.log").open("w") as log:
        for second in range(0, 1200, 3):
            log.write(f'192.0.2.1 - - [{BEGIN + ahead + timedelta(seconds=second):%d/%b/%Y:%H:%M:%S} {named}] "GET / HTTP/1.1" 200 5\n')
    with (folder / "worker.log").open("w") as log:
        for second in range(0, 600, 60):
            log.write(f"{BEGIN + (ahead if local else timedelta(0)) + timedelta(seconds=second):%Y-%m-%d %H:%M:%S} INFO cleared {second} rows\n")
    return folder


CASES = [
    (True, [], "in it when read as +02:00", "lies outside of the window as UTC"),
    (False, [], "if this is of local time too, add --tz +02:00", "could be either"),
    (True, ["--tz", "+02:00"], "", "the zone is stated"),
]


@pytest.mark.parametrize(("local", "more", "said", "why"), CASES, ids=[case[-1] for case in CASES])
def test_a_doubtful_zone_is_said_with_the_option_to_add(tmp_path: Path, local: bool, more: list[str], said: str, why: str) -> None:
    told = CliRunner().invoke(main, ["draft", str(write(tmp_path, local=local)), *WINDOW, *more])
    assert told.exit_code == 0, told.stderr
    assert (said in told.stderr) if said else ("--tz" not in told.stderr), why
    if said:
        assert "worker.log" in told.stderr
        assert "\\-\\-tz +02:00" in told.stdout or "--tz +02:00" in told.stdout, "and among the assumptions"


def test_logs_that_name_utc_raise_no_doubt(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["draft", str(write(tmp_path, named="+0000", hours=0)), *WINDOW])
    assert "add --tz" not in told.stderr
