"""Kinds of message: what is told apart, what is not, and that neither blocks nor their order matter."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.pipeline.counting import patterns
from retrolog.pipeline.counting.patterns import OTHER, PatternTable, coarser, signatures, templates


def signature(message: str) -> str:
    (kind,) = signatures(pa.array([message])).to_pylist()
    return str(kind)


SIGNATURES = [
    ("worker 17 took 3201 ms", "worker 0 took 0 ms", "digit runs"),
    ("id=4f9c2e1b-77aa-4c0e-9b1d-0c1d2e3f4a5b done", "id=0 done", "uuid"),
    ("id=abcdefab-cdef-abcd-efab-cdefabcdefab done", "id=0 done", "uuid without a digit"),
    ("commit 9f8e7d6c5b4a by deploy", "commit 0 by deploy", "hexadecimal"),
    ("at 0xdeadbeef", "at 0", "address"),
    ("token A1b2C3d4E5f6", "token 0", "random token"),
    ("decade cafe added", "decade cafe added", "words of hexadecimal letters stay"),
    ("eth0 up", "eth0 up", "a short name with a digit stays"),
    ("größe 12 日本 34", "größe 0 日本 0", "other scripts"),
    ("", "", "nothing"),
]


@pytest.mark.parametrize(("message", "kind", "why"), SIGNATURES, ids=[case[2] for case in SIGNATURES])
def test_signature(message: str, kind: str, why: str) -> None:
    assert signature(message) == kind, why


def test_signature_of_a_stack_trace_is_its_first_line_and_its_cause() -> None:
    python = "Traceback (most recent call last):\n  File a.py\nValueError: no 5\n"
    java = "request failed\n\tat a.B(C.java:12)\nCaused by: java.io.IOException: reset\n\tat a.D(E.java:9)"
    other = "two lines\nof which the second is 7"
    kinds = signatures(pa.array([python, java, other])).to_pylist()
    assert kinds == [
        "Traceback (most recent call last): | ValueError: no 0",
        "request failed | Caused by: java.io.IOException: reset",
        "two lines",
    ]


def test_signatures_keep_nulls_slices_and_dictionaries() -> None:
    messages = pa.array(["x12", "3", "", None, "a 55 b", "99"])
    expected = ["x0", "0", "", None, "a 0 b", "0"]
    assert signatures(messages).to_pylist() == expected
    assert signatures(messages[1:5]).to_pylist() == expected[1:5]
    assert signatures(messages.dictionary_encode()).to_pylist() == expected
    assert signatures(pa.chunked_array([messages[:2], messages[2:]])).to_pylist() == expected
    assert signatures(messages.cast(pa.large_string())).to_pylist() == expected
    assert signatures(messages[:0]).to_pylist() == []
    assert signatures(pa.array([None, None])).to_pylist() == [None, None]


def test_long_messages_are_cut() -> None:
    assert len(signature("x" * 100_000)) == patterns.LONGEST
    assert signature("é" * 5000) == "é" * patterns.LONGEST


def grouped(*messages: str) -> list[set[int]]:
    table = PatternTable.of(signatures(pa.array(messages)).to_pylist())
    found: dict[str, set[int]] = {}
    for number, kind in enumerate(signatures(pa.array(messages)).to_pylist()):
        found.setdefault(table.pattern(kind), set()).add(number)
    return sorted(found.values(), key=min)


NAMES = ("anna", "bela", "carl", "dora", "emil")

TOGETHER = [
    (["GET /a/1 took 3 ms", "GET /a/b?q=2 took 14 ms"], "paths and numbers"),
    (["from 10.0.0.1:99 to 10.0.0.2", "from fe80::1 to 192.168.1.7:80"], "addresses"),
    (["see https://a.example/x", "see http://b.example:80/y?z=1"], "urls"),
    (["mail to ann@a.example", "mail to bob@mx.b.example"], "mail addresses"),
    (["on host a.b.example.com", "on host web-7.example.org"], "host names"),
    (["sent 12 bytes", "sent 1234567 bytes (1.2 MB)"], "an amount and the same amount said again"),
    (["at Mon Nov 23 10:00:00 2026", "at Tue Dec 1 9:10:11 CET 2026"], "dates"),
    ([f"user {name} logged in" for name in NAMES], "names"),
    ([f"picked {name} as the next one" for name in NAMES], "any word that changes alone"),
    (["peer 1.2.3.4 lost", "peer 5.6.7.8 lost", "peer gateway lost"], "a word where values stand"),
    (["nodes n1 n2 n3", "nodes n4 n5 n6 n7 n8"], "lists of any length"),
    (["opened C:\\Temp\\a.txt", "opened D:\\x\\y\\z.log"], "paths with backslashes"),
]


@pytest.mark.parametrize(("messages", "why"), TOGETHER, ids=[case[1] for case in TOGETHER])
def test_one_pattern(messages: list[str], why: str) -> None:
    assert len(grouped(*messages)) == 1, why


APART = [
    ([f"link {state}" for state in ("up", "down", "enabled", "disabled", "lost")], "states"),
    (
        [f"service shop {state} by systemd" for state in ("started", "stopped", "failed", "killed")],
        "what was done",
    ),
    (
        ["connection refused by peer", "connection reset by peer", "connection closed by peer"],
        "three ways to fail",
    ),
    (
        ["boot 1 command", "halt 2 command", "wait 3 command", "ping 4 command"],
        "the first word says what happens",
    ),
    (["alpha", "beta", "gamma", "delta", "epsilon"], "single words"),
    (["disk full", "disk almost full"], "a word more"),
]


@pytest.mark.parametrize(("messages", "why"), APART, ids=[case[1] for case in APART])
def test_patterns_of_their_own(messages: list[str], why: str) -> None:
    assert len(grouped(*messages)) == len(messages), why


def test_pattern_reads_like_its_messages() -> None:
    assert templates([signature("worker 17 took 3201 ms for /a/b")]) == ["worker <*> took <*> for <*>"]
    assert templates([]) == []


def test_unknown_signatures_are_other() -> None:
    assert PatternTable.of(["a b"]).pattern("c d") == OTHER


def test_more_kinds_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "MOST", 20)
    kinds = ["kind " + chr(97 + k // 26) + chr(97 + k % 26) + " xyz" * (k % 7) for k in range(100)]
    table = PatternTable.of(kinds)
    assert 0 < sum(table.pattern(kind) == OTHER for kind in kinds) <= 80
    assert PatternTable.of(reversed(kinds)) == table
    assert PatternTable.merge([PatternTable.of(kinds[:50]), PatternTable.of(kinds[50:])]) == table


words = st.sampled_from(
    ["user", "host", "open", "closed", "for", "by", "anna", "bela", "carl", "dora", "7", "/x/y", "a=1"]
)
message = st.lists(words, min_size=0, max_size=6).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(message, max_size=30), st.integers(0, 30), st.randoms(use_true_random=False))
def test_blocks_and_their_order_do_not_matter(messages: list[str], cut: int, chance: random.Random) -> None:
    whole = signatures(pa.array(messages, pa.string())).to_pylist()
    parts = [signatures(pa.array(part, pa.string())).to_pylist() for part in (messages[:cut], messages[cut:])]
    assert parts[0] + parts[1] == whole
    table = PatternTable.of(whole)
    assert PatternTable.merge(PatternTable.of(part) for part in reversed(parts)) == table
    chance.shuffle(whole)
    assert PatternTable.of(whole) == table


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text()), max_size=20))
def test_any_text_has_a_pattern(messages: list[str | None]) -> None:
    kinds = signatures(pa.array(messages, pa.string()))
    kinds.validate(full=True)
    assert len(kinds) == len(messages)
    known = [kind for kind in kinds.to_pylist() if kind is not None]
    table = PatternTable.of(known)
    assert all(table.pattern(kind) in table.patterns for kind in known)


@pytest.mark.parametrize(
    "hostile", ["<*>" * 5000, "(" * 5000, "a1" * 5000, "<*>a" * 300 + " " * 500, "=" * 900 + "0"]
)
def test_hostile_messages_are_quick(hostile: str) -> None:
    assert grouped(hostile, hostile + "x", hostile + " y")


def test_coarser_in_steps_is_coarser_at_once() -> None:
    kinds = pa.array(["a b c d e f g h i j", "a b", "", None, "x\ny z w v"])
    for low in range(5):
        for high in range(low, 5):
            assert coarser(coarser(kinds, low), high).equals(coarser(kinds, high))
    assert coarser(kinds, 4).to_pylist() == [OTHER, OTHER, OTHER, None, OTHER]
