"""Texts told apart in bulk give what telling them apart one by one gives."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.parsers.arrays import texts
from retrolog.parsers.base import Event
from retrolog.parsers.columns import take_trailing
from retrolog.parsers.kernels import words
from retrolog.parsers.kernels.words import Text, by_kind, collapsed, grouped, request_ids, rows_with

TEXTS = st.lists(st.one_of(st.none(), st.text("ab 09.é", max_size=12)), max_size=20)


@given(said=TEXTS)
def test_runs_of_digits_become_one_zero(said: list[str | None]) -> None:
    expected = [None if text is None else re.sub(r"[0-9]+", "0", text) for text in said]
    assert collapsed(texts(said)).to_pylist() == expected
    with pytest.MonkeyPatch.context() as patch:  # so small that runs and texts go on in the next piece
        patch.setattr(words, "_STEP", 8)
        assert collapsed(texts(said)).to_pylist() == expected


@given(said=st.lists(st.text("ab\n,é", max_size=12), max_size=20), sought=st.text("ab\n,é", min_size=1, max_size=3))
def test_rows_with_some_bytes(said: list[str], sought: str) -> None:
    assert rows_with(texts(said), sought.encode()).tolist() == [row for row, text in enumerate(said) if sought in text]


@given(codes=st.lists(st.integers(-5, 5), max_size=30))
def test_groups_are_numbered_as_they_come(codes: list[int]) -> None:
    first, group = grouped(np.array(codes, np.int64))
    known = list(dict.fromkeys(codes))
    assert group.tolist() == [known.index(code) for code in codes]
    assert first.tolist() == [codes.index(code) for code in known]


@given(data=st.binary(min_size=1, max_size=40), at=st.integers(0, 39), size=st.integers(0, 12))
def test_words_are_the_bytes_at_a_place(data: bytes, at: int, size: int) -> None:
    at = min(at, len(data) - 1)
    word = Text(np.frombuffer(data, np.uint8)).words(np.array([at]), np.array([size]))
    assert int(word[0]).to_bytes(8, "little") == data[at : at + min(size, 8)].ljust(8, b"\0")


@pytest.mark.parametrize(
    ("message", "hinting"),
    [
        ("done request_id=ab12cd", False), ('"requestId": "x-1-y"', False), ("rid:9abb took 5 ms", False), ("traceparent=00-ab-cd", False),
        ("grid=5555 is no id", False), ("id=5555", False), ("", False), ("=", False), (":", False), ("d=", False),
        ("path=/a status=500", True), ("GET uri=/b", True), ("request_id=caf\u00e9", True), ("X-Request-Id: abcd-1", False),
    ],
)  # fmt: skip
def test_request_ids_are_those_of_single_messages(message: str, hinting: bool) -> None:
    event = Event(0, message)
    take_trailing(event)
    found, hints = request_ids(texts(["before", message, "after: 5=5"]), np.ones(3, np.bool_))
    assert hints.tolist() == [False, hinting, False]
    if not hinting:
        assert found.to_pylist() == [None, event.request_id, None]


def test_rows_are_not_asked_for_a_request_id_that_have_one() -> None:
    found, hints = request_ids(texts(["request_id=abcd", "path=/x"]), np.zeros(2, np.bool_))
    assert found.null_count == 2
    assert not hints.any()


@given(told=st.lists(st.one_of(st.none(), st.sampled_from(["error", "info", ""])), min_size=1, max_size=5), data=st.data())
def test_a_column_of_kinds(told: list[str | None], data: st.DataObject) -> None:
    kind = data.draw(st.lists(st.integers(0, len(told) - 1), max_size=9))
    column = by_kind(told, np.array(kind, np.int64))
    assert column.to_pylist() == [told[k] for k in kind]
    assert len(set(column.dictionary.to_pylist())) == len(column.dictionary)
