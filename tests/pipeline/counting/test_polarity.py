"""Ill or well, done or not done: what the state word of a message says, whatever else stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.counting.changes import Lexicon
from retrolog.pipeline.counting.polarity import is_ill, is_undone, turn

LEXICON = Lexicon.load()


@pytest.mark.parametrize(
    ("text", "ill"),
    [
        ("sending page because alert for endpoint=core has been TRIGGERED", True),
        ("sending page because alert for endpoint=core has been RESOLVED", False),
        ("rule=slow from=Pending to=Alerting", True),
        ("rule=slow from=Alerting to=Normal", False),
        ("alert=Refused[6a1b][active]", True),
        ("alert=Refused[6a1b][resolved]", False),
        ("api | Down | no answer in 4000 ms", True),
        ("api | Up | 200 in 31 ms | was closed", False),
        ("breaker cache CLOSED -> OPEN for 12 s", True),
        ("breaker cache HALF_OPEN -> CLOSED", False),
        ("target accounts: marking unavailable after 3 attempts", True),
        ("SERVICE;OK;HARD", False),
        ("ALERT HTTP OK", None),
        ("look it up in the open book", None),
        ('rendered "(dynamic)" => "/etc/app/redis.env"', None),
        ("", None),
    ],
)
def test_the_state_word_decides(text: str, ill: bool | None) -> None:
    assert is_ill(text) is ill


def test_a_turn_names_both_states() -> None:
    assert turn("probe=home from=up to=down code=503") == ("up", "down")
    assert turn("nothing of the kind") is None


@pytest.mark.parametrize(
    ("text", "undone"),
    [
        ("deploy of shop: skipped, nothing changed", True),
        ("canary check of 9.14.2 postponed, no slot free", True),
        ("cannot refresh: snap has no updates available", True),
        ("configuration unchanged", True),
        ("restart of web is not needed", True),
        ("dry run: would restart web", True),
        ("release 1.2 rolled out, migration skipped", False),
        ("3 resources changed, 4 unchanged", False),
        ("deploy of shop: health check skipped for 1 host", False),
        ("starting deploy of shop 4.2.0", False),
    ],
)
def test_a_change_that_is_taken_back_is_none(text: str, undone: bool) -> None:
    assert is_undone(text) is undone


def test_marks_follow_the_state() -> None:
    ill = LEXICON.mark("watch", "Sending page because alert for endpoint=core with reason='checks failed 2 times in a row' has been TRIGGERED")
    well = LEXICON.mark("watch", "Sending page because alert for endpoint=core with reason='checks failed 2 times in a row' has been RESOLVED")
    assert ill is not None
    assert well is not None
    assert (ill.role, well.role) == ("detection", "resolved")
    skipped = LEXICON.mark("deploy", "deploy of shop 4.2.0 skipped, nothing changed")
    assert skipped is None or skipped.routine


@pytest.mark.parametrize(("text", "kind"), [("breaker 'cache' CLOSED -> OPEN for 12 s", "unhealthy"), ("breaker 'cache' HALF_OPEN -> CLOSED", "recovered")])
def test_a_circuit_breaker_opens_and_closes(text: str, kind: str) -> None:
    mark = LEXICON.mark("shop", text)
    assert mark is not None
    assert mark.kind == kind


@given(st.text(max_size=2000))
def test_any_text_is_judged(text: str) -> None:
    assert is_ill(text) in (True, False, None)
    assert is_undone(text) in (True, False)
