"""What people wrote to each other is theirs, whatever exported it; what programs write is never taken for talk."""

from __future__ import annotations

import json
from typing import Any

import pytest

from retrolog.pipeline.analysis.clues.signs import signs
from retrolog.pipeline.counting.changes import Lexicon

from ...traffic import said, summary

Rows = list[dict[str, Any]]


def marked(rows: Rows) -> list[tuple[str | None, str | None, str]]:
    frame = signs(summary(rows), Lexicon.load(None))
    return [(r["role"], r["who"] if r["role"] == "note" else None, r["message"]) for r in frame.to_dict("records")]


TALK = [("mia", "baskets fail since about a minute, is anyone touching redis?"), ("joel", "I did the switch for the kernel update"), ("mia", "ok, please switch it back")]


@pytest.mark.parametrize("form", ["{name}: {text}", "<{name}> {text}", "<@{name}> {text}"])
def test_rows_of_a_chat_are_notes_of_their_writers(form: str) -> None:
    rows = [said(20 * n, form.format(name=name, text=text), None, source="chat/ops.txt", format="text") for n, (name, text) in enumerate(TALK)]
    assert marked(rows) == [("note", name, text) for name, text in TALK]


@pytest.mark.parametrize("key", ["user", "author", "from"])
def test_an_export_as_records_is_a_chat_too(key: str) -> None:
    rows = [said(20 * n, text, None, source="ops.json", fields=json.dumps({key: name})) for n, (name, text) in enumerate(TALK)]
    assert marked(rows) == [("note", name, text) for name, text in TALK]


def test_what_users_reported_is_a_note() -> None:
    texts = ['48121,"app shows error 403 since a minute"', '48125,"please change my address"']
    rows = [said(30 * n, text, None, source="support/tickets.csv") for n, text in enumerate(texts)]
    assert [role for role, _, _ in marked(rows)] == ["note", None]


@pytest.mark.parametrize(
    ("texts", "severity", "why"),
    [
        (["worker: job 7 done", "worker: job 8 done", "worker: job 9 done"], None, "no sentences"),
        (["mia: it is the old one, I think", "joel: yes, it is"], "info", "programs have severities"),
        (["mia: it is the old one, I think"], None, "a single row is no talk"),
        (["mia: it is the old one, I think", "12 rows in 3 ms", "13 rows in 3 ms", "9 rows in 2 ms"], None, "most rows have no speaker"),
    ],
)
def test_what_programs_write_is_no_talk(texts: list[str], severity: str | None, why: str) -> None:
    rows = [said(20 * n, text, severity, source="app.log") for n, text in enumerate(texts)]
    assert {who for _, who, _ in marked(rows)} <= {None, "app.log"}, why


def test_a_log_that_writes_all_the_time_is_no_talk() -> None:
    rows = [said(n / 4, f"mia: this is the line that I wrote, it is number {n}", None, source="app.log") for n in range(400)]
    assert {who for _, who, _ in marked(rows)} <= {None, "app.log"}


def test_typed_commands_stand_for_themselves() -> None:
    texts = ["#1795461032\nredis-cli -h redis-b replicaof no one", "#1795461142\nredis-cli -h redis-a replicaof no one"]
    rows = [said(110 * n, text, None, source="bash_history", format="shell_history") for n, text in enumerate(texts)]
    frame = signs(summary(rows), Lexicon.load(None))
    assert frame["message"].tolist() == [text.partition("\n")[2] for text in texts]
    assert frame["group"].nunique() == 2
    assert frame["kind"].tolist() == ["failover", "failover"]
