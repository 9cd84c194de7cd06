"""What sets the failed requests apart is told with its numbers; what is common to all requests is not."""

from __future__ import annotations

import random
from typing import Any

import pytest

from retrolog.pipeline.analysis.impact.separation import separations, told
from retrolog.pipeline.analysis.outages import search as outages
from retrolog.pipeline.window import Window

from ...traffic import requests, summary

Row = dict[str, Any]


def apart(hit: Any, dress: Any, rate: float = 15) -> list[str]:
    """The sentences about an outage in which the requests fail that `hit` picks, after `dress` gave each its properties."""
    chance = random.Random(6)

    def fault(t: float, row: Row) -> Row:
        row = dress(row, chance)
        return row | {"status": 503} if 200 <= t < 320 and hit(row, chance) else row

    counts = summary(requests(rate=rate, fault=fault))
    span = next(s for s in outages.find(counts, Window()) if not s.is_blip)
    return [told(one) for one in separations(counts, span)]


def methods(row: Row, chance: random.Random) -> Row:
    return row | {"method": chance.choice(["GET", "GET", "GET", "POST"])}


@pytest.mark.parametrize(
    ("hit", "dress", "words"),
    [
        (lambda row, chance: row["method"] == "POST", methods, ("All ", " are POST; of ", " others none failed.")),
        (
            lambda row, chance: row["upstream"] == "b" and chance.random() < 0.7,
            lambda row, chance: row | {"upstream": chance.choice("abc")},
            ("went to the upstream b, one of 3;", "none failed."),
        ),
        (
            lambda row, chance: row["path"].startswith("/globex/"),
            lambda row, chance: row | {"path": f"/{chance.choice(['globex', 'acme'])}/{chance.choice(['boards', 'cards', 'people'])}"},
            ("are for /globex/*;", "none failed."),
        ),
    ],
)
def test_what_all_failures_have_is_told(hit: Any, dress: Any, words: tuple[str, ...]) -> None:
    sentences = apart(hit, dress)
    assert len(sentences) == 1
    assert all(word in sentences[0] for word in words), sentences


def test_a_few_of_the_others_may_fail() -> None:
    def hit(row: Row, chance: random.Random) -> bool:
        return chance.random() < (0.9 if row["method"] == "POST" else 0.005)

    assert " failed requests are POST; of " in apart(hit, methods)[0]


@pytest.mark.parametrize(
    ("hit", "dress", "why"),
    [
        (lambda row, chance: chance.random() < 0.5, methods, "each method fails alike"),
        (lambda row, chance: True, methods, "everything fails"),
        (lambda row, chance: chance.random() < 0.5, lambda row, chance: row | {"method": "GET"}, "there is but one"),
    ],
)
def test_nothing_is_told_where_nothing_sets_them_apart(hit: Any, dress: Any, why: str) -> None:
    assert apart(hit, dress) == [], why
