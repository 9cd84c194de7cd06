"""What failed requests share in fields that are not counted is told with its numbers, and speaks for the candidate that names it."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from retrolog.pipeline.analysis.impact import attributes

from ...traffic import requests, said
from ..test_story import study

Row = dict[str, Any]
AGENTS = ("okhttp/4.12.0", "Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0", "Mozilla/5.0 (Macintosh) Safari/537.36")


def dressed(key: str, values: tuple[str, ...], bad: str | None, share: float = 1.0, **answer: Any) -> list[Row]:
    """Requests with a field of these values, of which `bad` fails from second 200 to 320; `answer` is told by those that fail."""
    chance = random.Random(3)

    def fault(t: float, row: Row) -> Row:
        value = chance.choice(values)
        failed = 200 <= t < 320 and (value == bad or bad is None) and chance.random() < share
        record = {key: value, "level": "error" if failed else "info"} | (answer if failed else {})
        return row | {"fields": json.dumps(record), "status": 503 if failed else 200}

    return requests(fault=fault)


def told(rows: list[Row], *lines: Row) -> tuple[str, list[Any]]:
    (incident,) = study(rows, list(lines)).incidents
    return "\n".join(incident.scope), list(incident.candidates)


@pytest.mark.parametrize(
    ("key", "values", "bad", "words"),
    [
        ("ua", AGENTS, "okhttp/4.12.0", "have the user agent okhttp/4.12.0; of "),
        ("user_agent", AGENTS, "okhttp/4.12.0", "have the user agent okhttp/4.12.0; of "),
        ("tenant", ("acme", "birch", "otter"), "birch", "have tenant birch; of "),
        ("region", ("north", "south"), "south", "have region south; of "),
        ("version", ("4.1.0", "4.2.0-rc1", "4.0.9"), "4.2.0-rc1", "have version 4.2.0-rc1; of "),
    ],
)
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_the_value_that_all_failures_have_is_told(key: str, values: tuple[str, ...], bad: str, words: str, share: float) -> None:
    assert words in told(dressed(key, values, bad, share))[0]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (dressed("tenant", ("acme", "birch"), None, 0.4), "each tenant fails alike"),
        (dressed("tenant", ("acme",), "acme", 0.4), "there is but one"),
        (dressed("tenant", tuple(f"t{n}" for n in range(90)), "t7", 1.0) + dressed("tenant", ("acme", "birch"), None, 0.3), "it has too many values"),
        (dressed("tenant", ("acme", "birch"), None, 0.4, verdict="given up"), "only failures say so of themselves"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_is_told_where_no_field_sets_them_apart(rows: list[Row], why: str) -> None:
    scope = told(rows)[0]
    assert not any(word in scope for word in (" have tenant", " have level", " have verdict")), why


def test_a_change_that_names_what_failed_requests_share_is_the_first_candidate() -> None:
    rule = said(170, "fetched rules 2026.47.2 (one more: deny ua ~ okhttp/4)", service="rulesync", source="rules.log")
    other = said(190, "starting deploy of blog 4.2.0", service="deploy", source="syslog", host="a1")
    first = told(dressed("ua", AGENTS, "okhttp/4.12.0"), rule, other)[1][0]
    assert "okhttp" in first.summary
    assert any("names okhttp, which the failed requests have in common" in reason for reason in first.reasons_for)


def test_of_an_outage_with_very_many_requests_the_first_ones_are_looked_at_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = dressed("tenant", ("acme", "birch", "otter"), "birch")
    every = "\n".join(study(rows, []).incidents[0].scope)
    assert "In the first" not in every
    monkeypatch.setattr(attributes, "MOST", 1_000)
    (incident,) = study(rows, []).incidents
    (told_of,) = [line for line in incident.scope if "have tenant birch" in line]
    assert told_of.startswith("In the first ")
    monkeypatch.setattr(attributes, "MOST", 10)  # all of it lies before the onset
    assert "tenant" not in "\n".join(study(rows, []).incidents[0].scope)
