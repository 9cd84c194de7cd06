"""One clock for all sources, found through the whole chain: requests that a proxy and its backend both log tell how far they are apart."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from retrolog.pipeline.analysis.clocks.clock import settled
from retrolog.pipeline.analysis.clocks.offsets import Offset
from retrolog.pipeline.cli import main

BEGIN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def write(folder: Path, host: str, ahead: float, requests: int) -> None:
    """A host whose clock is ahead, with traffic so steady that its counts tell nothing of when."""
    (folder / host).mkdir()
    rows, ticks = [], []
    for n in range(requests):
        at = BEGIN + timedelta(seconds=n + ahead)
        rows.append(f'192.0.2.1 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /item/{n % 97} HTTP/1.1" 200 {1000 + n * 7919 % 3001}')
    for n in range(0, requests, 60):
        ticks.append(f"{BEGIN + timedelta(seconds=n + ahead):%Y-%m-%dT%H:%M:%S}+00:00 {host} cron[{n}]: (root) CMD (tick)")
    (folder / host / "access.log").write_text("\n".join(rows) + "\n")
    (folder / host / "syslog").write_text("\n".join(ticks) + "\n")


@pytest.mark.parametrize("ahead", [0, 37, -412])
def test_requests_alike_tell_the_offset_where_counts_do_not(tmp_path: Path, ahead: int) -> None:
    write(tmp_path, "edge", 0, 1500)
    write(tmp_path, "shop", ahead, 1200)
    told = CliRunner().invoke(main, ["inspect", str(tmp_path), "--format", "json"])
    notes = {row["file"]: row.get("clock_note", "") for row in json.loads(told.stdout)}
    assert "request pairs" in notes["shop/access.log"]
    found = float(notes["shop/access.log"].removeprefix("agrees: ").partition(" s")[0])
    assert found == pytest.approx(ahead, abs=1.0)
    assert notes["shop/access.log"].endswith("applied") == (ahead != 0)
    assert not notes["edge/access.log"]


def test_a_whole_zone_is_the_fault_of_the_zone_that_was_assumed() -> None:
    host = Offset(46_803.0, 0.5, 20.0, 50, "counts", sure=True)
    applied, notes = settled({"app.log": host, "syslog": host}, {}, {"syslog"})
    assert applied == {"app.log": 46_803.0, "syslog": 3.0}
    assert notes["app.log"].endswith("as if written +13:00 from the zone assumed")
    alone, _ = settled({"syslog": host}, {}, {"syslog"})
    assert alone == {"syslog": 46_803.0}


def test_a_difference_that_no_zone_has_is_the_clock() -> None:
    host = Offset(5400.2, 0.5, 20.0, 50, "counts", sure=True)
    nepal = 5.75 * 3600
    applied, notes = settled({"app.log": host, "syslog": host}, {}, {"syslog"}, nepal)
    assert applied == {"app.log": 5400.2, "syslog": 5400.2}, "+07:15 is nowhere"
    assert "written" not in notes["app.log"]
    moved, _ = settled({"app.log": host, "syslog": host}, {}, {"syslog"}, 4 * 3600)
    assert moved == {"app.log": 5400.2}, "+05:30 is a zone"


def test_a_lag_without_support_is_not_told() -> None:
    thin = Offset(143.0, 1.0, 4.0, 0, "counts", sure=False)
    some = Offset(143.0, 1.0, 5.5, 9, "counts", sure=False)
    applied, notes = settled({"a": thin, "b": some}, {})
    assert applied == {}
    assert list(notes) == ["b"]


@pytest.mark.parametrize(("shift", "taken"), [(0, True), (-3 * 3600, False)], ids=["ends with the others", "ended hours before"])
def test_a_log_in_utc_beside_local_ones_is_read_so(tmp_path: Path, shift: int, taken: bool) -> None:
    zone = timedelta(hours=5, minutes=30)
    with (tmp_path / "access.log").open("w") as log:
        for n in range(600):
            log.write(f'192.0.2.1 - - [{BEGIN + zone + timedelta(seconds=n):%d/%b/%Y:%H:%M:%S} +0530] "GET / HTTP/1.1" 200 5\n')
    with (tmp_path / "worker.log").open("w") as log:
        for n in range(0, 590, 20):
            log.write(f"{BEGIN + timedelta(seconds=n + shift):%Y-%m-%d %H:%M:%S} INFO job {n} done\n")
    window = ["--from", "2026-11-23T15:31+05:30", "--to", "2026-11-23T15:40+05:30", "--tz", "Asia/Kolkata"]
    told = CliRunner().invoke(main, ["inspect", str(tmp_path), *window, "--format", "json"])
    row = next(row for row in json.loads(told.stdout) if row["file"] == "worker.log")
    assert (row["clock_offset_s"] == -19_800.0) == taken
    assert ("written in UTC" in row["clock_note"]) == taken
