"""Clocks that were set amid their logs: made nodes of which one or two are set, drafted through the whole chain, against the truth."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from retrolog.pipeline.cli import main
from retrolog.pipeline.reading.jumps import Cut, Jump, Jumps, stretch_of

BEGIN = datetime(2026, 11, 23, 10, tzinfo=UTC)
SECONDS = 1500
DEPLOYED, ONSET, RECOVERY = 594.0, 600.0, 900.0
SECOND = 1_000_000

#: Host -> (second from which on, how far ahead): the first one holds from the start.
Steps = dict[str, list[tuple[float, float]]]


def write(folder: Path, steps: Steps, said: bool = True, ids: bool = True) -> Path:
    """Three nodes with an outage that a deploy set off; request ids name what an edge and what is behind it share."""
    chance = random.Random(7)
    rows: dict[tuple[str, str], list[tuple[float, str]]] = {}

    def ahead(host: str, at: float) -> float:
        return [0.0, *(seconds for since, seconds in steps.get(host, []) if at >= since)][-1]

    def put(host: str, name: str, at: float, text: Callable[[datetime], str]) -> None:
        rows.setdefault((host, name), []).append((at, text(BEGIN + timedelta(seconds=at + ahead(host, at)))))

    def system(host: str, at: float, text: str) -> None:
        put(host, "syslog", at, lambda stamp: f"{stamp:%b %d %H:%M:%S} {host} {text}")

    at = 0.0
    while (at := at + chance.expovariate(2)) < SECONDS:
        failed = ONSET <= at < RECOVERY and chance.random() < 0.9
        name, path, size = f"{chance.getrandbits(60):015x}0", chance.choice(["/cart", "/pay", f"/item/{chance.randrange(40)}"]), chance.randrange(500, 5000)
        tail = f" request_id={name}" if ids else ""
        put("edge", "access.log", at + 0.05, lambda s: f'198.51.100.7 - - [{s:%d/%b/%Y:%H:%M:%S} +0000] "GET {path} HTTP/1.1" {502 if failed else 200} {size} "-" "-"{tail}')  # noqa: B023
        told = {"level": "error", "msg": f"no setting pool.size for {path}"} if failed else {"msg": "served", "method": "GET", "path": path, "status": 200, "bytes": size}
        named = {"request_id": name} if ids else {}
        put("app-1", "app.log", at + 0.03, lambda s: json.dumps({"ts": s.isoformat(timespec="milliseconds"), **told, **named}))  # noqa: B023
        if chance.random() < 0.4:
            put("db-1", "db.log", at + 0.01, lambda s: f"{s:%Y-%m-%d %H:%M:%S}.{s.microsecond // 1000:03} UTC [211] LOG:  statement took 12 ms{tail}")  # noqa: B023
    system("app-1", DEPLOYED, "deployer[88]: deployed shop release 2026.47.1")
    system("app-1", RECOVERY, "deployer[91]: rolled back shop to release 2026.46.9")
    for host in ("app-1", "db-1", "edge"):
        for tick in range(5, SECONDS, 97):
            system(host, tick, f"CRON[{tick}]: (root) CMD (true)")
        for (_, before), (since, after) in zip(steps.get(host, [])[:-1], steps.get(host, [])[1:], strict=True):
            if said:
                system(host, since, f"chronyd[501]: System clock was stepped by {after - before:.6f} seconds")
    for (host, name), lines in rows.items():
        (folder / host).mkdir(exist_ok=True)
        (folder / host / name).write_text("".join(f"{text}\n" for _, text in sorted(lines, key=lambda row: row[0])))
    return folder


def drafted(folder: Path, *more: str) -> dict[str, Any]:
    asked = ["draft", str(folder), "--from", "2026-11-23 10:03", "--to", "10:22", "--format", "json", *more]
    told = CliRunner().invoke(main, asked)
    assert told.exit_code == 0, told.stderr
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def true(seconds: float) -> float:
    return (BEGIN + timedelta(seconds=seconds)).timestamp()


def told(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


BACK: Steps = {"app-1": [(0, 45), (750, 0)]}
CASES = [
    (BACK, True, True, "set back by its time service, which says so"),
    (BACK, False, True, "set back without a word: request ids tell"),
    (BACK, False, False, "set back without a word: requests alike tell"),
    ({"app-1": [(0, 45), (750, 0)], "db-1": [(0, -180), (840, 0)]}, True, True, "two clocks, one forwards"),
    ({"db-1": [(0, -180), (750, 0)]}, False, True, "set forwards without a word"),
    ({"edge": [(0, -180), (750, 0)]}, True, True, "the clock that the others are compared with"),
    ({"app-1": [(0, 0), (300, -90), (1200, 0)]}, True, True, "a machine that stood still, set right later"),
    ({"app-1": [(0, 0), (450, 45)]}, False, True, "a clock that was set wrong"),
    ({"app-1": [(0, 3600), (750, 0)]}, True, True, "an hour, although its rows name a zone"),
]


@pytest.mark.parametrize(("steps", "said", "ids", "why"), CASES, ids=[case[-1] for case in CASES])
def test_an_outage_is_told_in_true_time(tmp_path: Path, steps: Steps, said: bool, ids: bool, why: str) -> None:
    answer = drafted(write(tmp_path, steps, said, ids))
    (incident,) = answer["incidents"]
    assert told(incident["onset"]) == pytest.approx(true(ONSET), abs=2), why
    assert told(incident["recovery"]) == pytest.approx(true(RECOVERY), abs=2), why
    assert "deployed shop" in incident["trigger"]["summary"], why
    assert told(incident["trigger"]["time"]) == pytest.approx(true(DEPLOYED), abs=1.5), why
    for row in answer["sources"]:
        host = row["file"].split("/")[0]
        expected = [seconds for _, seconds in steps.get(host, [])]
        found = [one["clock_offset_s"] for one in row.get("clock_steps", [])]
        assert found == pytest.approx(expected, abs=1), (why, row["file"])


def test_a_set_clock_can_be_stated(tmp_path: Path) -> None:
    folder = write(tmp_path, BACK, said=False, ids=False)
    answer = drafted(folder, "--clock-offset", "app-1/*=44", "--clock-offset", "app-1/*=1@10:12:30")
    offsets = {row["file"]: [one["clock_offset_s"] for one in row.get("clock_steps", [])] for row in answer["sources"]}
    assert offsets["app-1/app.log"] == offsets["app-1/syslog"] == [44.0, 1.0]
    assert not offsets["edge/access.log"]
    assert told(answer["incidents"][0]["trigger"]["time"]) == true(DEPLOYED) + 1


def test_a_lone_host_is_believed_once_its_time_service_speaks(tmp_path: Path) -> None:
    folder = write(tmp_path, {"edge": [(0, 45), (750, 0)]})
    answer = drafted(folder / "edge")
    assert {tuple(one["clock_offset_s"] for one in row["clock_steps"]) for row in answer["sources"]} == {(45.0, 0.0)}
    assert told(answer["incidents"][0]["onset"]) == pytest.approx(true(ONSET), abs=2)
    (folder / "edge" / "syslog").unlink()
    inspected = CliRunner().invoke(main, ["inspect", str(folder / "edge")])
    assert "which side is right is not known" in inspected.stdout
    assert "clock_steps" not in drafted(folder / "edge")["sources"][0]


@cache
def stamps() -> np.ndarray:
    """A minute of stamps, one of them late, the clock set back by 45 s after the fortieth and on by an hour after the hundredth."""
    times = np.arange(0, 150, dtype=np.int64) * SECOND
    times[20] -= 30 * SECOND
    times[40:] -= 45 * SECOND
    times[100:] += 3600 * SECOND
    return times


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 40, 41, 150])
def test_jumps_are_the_same_however_a_file_is_cut(size: int) -> None:
    times = stamps()
    lines = np.arange(1, len(times) + 1)
    expected = (Jump(41, 39 * SECOND, -5 * SECOND), Jump(101, 54 * SECOND, 3655 * SECOND))
    whole, pieces = Jumps(), []
    for at in range(0, len(times), size):
        part = slice(at, at + size)
        whole.see(lines[part], times[part])
        pieces.append(Jumps())
        pieces[-1].see(lines[part], times[part])
    assert whole.all() == expected
    if size >= 10:
        assert Jumps.added(pieces).all() == expected


def test_rows_out_of_order_are_no_jump() -> None:
    lines = np.arange(1, 201)
    late = np.arange(200) * SECOND
    late[::7] -= 60 * SECOND
    turns = np.arange(200) * SECOND + np.where(np.arange(200) % 10 < 5, 0, -300 * SECOND)
    for times in (late, turns):
        seen = Jumps()
        seen.see(lines, times)
        assert seen.all() == ()


def test_rows_belong_to_the_stretch_behind_as_many_cuts() -> None:
    lines, times = np.array([1, 2, 3, 4]), np.array([10, 20, 5, 99])
    assert stretch_of((Cut(line=3), Cut(time=50)), lines, times).tolist() == [0, 0, 1, 2]
