"""Recorded outages: what real servers logged while a fault was put in, and what the clients of that time saw.

Each folder holds `logs/` and `truth.json`. The truth comes from the programs that sent the requests, not from a log: `onset` and
`recovery` are the ends of the first and the last failed request, `failed_percent` the share of requests that failed between
them, `trigger` a regular expression for the line that shows the cause. To add a case, add a folder.
"""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from retrolog.pipeline.cli import main

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/truth.json"))
ONSET_WITHIN = 3.0  # seconds
RECOVERY_WITHIN = 5.0
PERCENT_WITHIN = 2.0  # points


@cache
def truth(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((case / "truth.json").read_text(encoding="utf-8"))
    return found


@cache
def answer(case: Path) -> dict[str, Any]:
    """What `retrolog draft` answers for the recording."""
    asked = truth(case)
    window = asked["window"]
    result = CliRunner().invoke(
        main,
        ["draft", str(case / "logs"), "--from", window["start"], "--to", window["end"], "--tz", asked["timezone"], "--format", "json"],
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def line_of(case: Path, cited: dict[str, Any]) -> str:
    """The event that a piece of evidence points at; a typed command stands below its time."""
    data = (case / "logs" / cited["file"]).read_bytes()
    text = (gzip.decompress(data) if cited["file"].endswith(".gz") else data).decode(errors="replace")
    rows = text.split("\n")[cited["line"] - 1 :]
    return "\n".join(rows[: 2 if re.fullmatch(r"#\d+", rows[0]) else 1])


def seconds(later: str, earlier: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


PAIRS = [
    pytest.param(case, n, id=f"{case.name}-{n + 1}")
    for case in CASES
    for n in range(len(truth(case)["outages"]))
]


def test_recordings_are_found() -> None:
    assert {len(truth(case)["outages"]) > 0 for case in CASES} == {True, False}, (
        "an outage and a quiet time are both needed"
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_outage_and_no_other(case: Path) -> None:
    assert len(answer(case)["incidents"]) == len(truth(case)["outages"])


@pytest.mark.parametrize(("case", "n"), PAIRS)
def test_the_ends(case: Path, n: int) -> None:
    found, true = answer(case)["incidents"][n], truth(case)["outages"][n]
    assert abs(seconds(found["onset"], true["onset"])) <= ONSET_WITHIN
    assert found["recovery"] is not None
    # the last failure and the success that follows it both stand for the end
    assert (
        min(abs(seconds(found["recovery"], true[end])) for end in ("recovery", "first_ok")) <= RECOVERY_WITHIN
    )


@pytest.mark.parametrize(("case", "n"), PAIRS)
def test_the_impact(case: Path, n: int) -> None:
    true = truth(case)["outages"][n]
    if "failed_percent" not in true:
        pytest.skip("no log tells of the requests")
    found = answer(case)["incidents"][n]["impact"]
    assert abs(found["failed_percent"] - true["failed_percent"]) <= PERCENT_WITHIN


@pytest.mark.parametrize(("case", "n"), PAIRS)
def test_the_trigger(case: Path, n: int) -> None:
    trigger = answer(case)["incidents"][n]["trigger"]
    assert trigger is not None
    lines = [line_of(case, cited) for cited in trigger["evidence"]]
    assert any(re.search(truth(case)["outages"][n]["trigger"], line) for line in lines), lines
