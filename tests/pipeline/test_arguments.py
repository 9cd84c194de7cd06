"""A document's own command is read back: the same options again, however often, and nothing from a line that is none."""

from __future__ import annotations

import pytest

from retrolog.pipeline.arguments import recorded


def test_a_command_is_read_back_however_often() -> None:
    line = "retrolog draft logs 'more logs' --from '2026-11-23 12:02' --to 12:08 --tz Europe/Berlin --year 2026 --exclude '*.gz' --slo 99.9 -o out.md"
    first, second = recorded(line), recorded(line)
    assert first == second
    assert first["paths"] == ("logs", "more logs")
    assert (first["start"], first["end"], first["zone"], first["year"]) == ("2026-11-23 12:02", "12:08", "Europe/Berlin", 2026)
    assert (first["exclude"], first["slo"]) == (("*.gz",), 99.9)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "a document without a command"),
        ("rm -rf /", "another program"),
        ("retrolog render x.md", "another command"),
        ("retrolog draft 'logs", "a quote that is never closed"),
    ],
)
def test_a_line_that_is_no_draft_says_nothing(line: str, why: str) -> None:
    assert recorded(line) == {}, why


def test_a_newer_versions_words_do_not_cost_the_known_ones() -> None:
    found = recorded("retrolog draft logs --from-the-future 3 --tz Asia/Tokyo")
    assert found["paths"][0] == "logs"
    assert found["zone"] == "Asia/Tokyo"
