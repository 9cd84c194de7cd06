"""The `draft` command that `find` proposes reads the logs as `find` read them."""

from __future__ import annotations

import shlex
from pathlib import Path

from retrolog.pipeline.analysis.traffic import Span
from retrolog.pipeline.commands import finding
from retrolog.pipeline.findings import Bound
from retrolog.pipeline.wording import Clock

MINUTE = 60_000_000


def test_the_proposed_command_repeats_how_logs_are_read() -> None:
    onset = 29_000_000 * MINUTE
    span = Span(Bound(onset, onset, onset, ""), Bound(onset + MINUTE, onset, onset, ""), "failures", False, 0, 9, 10)
    said = {
        "start": "10:00", "end": "12:00", "zone": "Asia/Tokyo", "year": None, "include": ("*.log", "a b*"), "exclude": (),
        "config": Path("of logs.toml"), "jobs": None, "engine": "local",
    }  # fmt: skip
    words = shlex.split(finding.command(span, ["my logs"], said, Clock("Asia/Tokyo")))
    assert words[:3] == ["retrolog", "draft", "my logs"]
    pairs = list(zip(words[3::2], words[4::2], strict=True))
    assert ("--tz", "Asia/Tokyo") in pairs
    assert ("--config", "of logs.toml") in pairs
    assert [value for flag, value in pairs if flag == "--include"] == ["*.log", "a b*"]
    assert [flag for flag, _ in pairs if flag in ("--year", "--exclude", "--jobs", "--engine")] == []
    assert dict(pairs)["--from"] < dict(pairs)["--to"]
