"""What a message says without what belongs to the single event: in bulk as one by one."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.pipeline.counting import gist
from retrolog.pipeline.counting.gist import gists, plain

NGINX = 'connect() failed, client: 10.0.0.1, server: s, request: "GET / HTTP/1.1"'
MESSAGES = [
    ("[84008.012] eth0: link down", "eth0: link down", "the kernel's seconds"),
    ("[    0.000000] booting", "booting", "padded seconds"),
    ("[12] x", "[12] x", "a number that is none of seconds"),
    ("[1.2]x", "[1.2]x", "no space behind"),
    ("[1.2] ", "", "nothing behind"),
    ("[", "[", "a bracket alone"),
    ("[main] started [1.5] s", "[main] started [1.5] s", "a later bracket"),
    (NGINX, "connect() failed", "nginx's request"),
    ("a, client: b", "a, client: b", "a client without a server"),
    ("", "", "nothing"),
]


@pytest.mark.parametrize(("message", "expected", "why"), MESSAGES, ids=[case[2] for case in MESSAGES])
def test_message(message: str, expected: str, why: str) -> None:
    assert plain(message) == expected, why
    assert bulk([message]) == [expected], why
    assert bulk(["[7.5] before", message, "[after", message]) == ["before", expected, "[after", expected], why


def bulk(messages: list[str | None]) -> list[str | None]:
    column = pa.chunked_array([pa.array(messages, pa.string())])
    found = gists(column, pa.chunked_array([pa.nulls(len(messages), pa.string())]))
    return list(found.to_pylist())


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text("[]. 019ab,\n", max_size=14)), max_size=12))
def test_many_are_told_as_one_by_one(messages: list[str | None]) -> None:
    assert bulk(messages) == [None if text is None else plain(text) for text in messages]


#: The rule as a pattern, which is slow on long rows.
_MIDDLE = re.compile(r"(?s)^(.{0,20})[^\n]*\n.*\n([^\s][^\n]{0,4})[^\n]*[\t\n\f\r ]*$")


@settings(deadline=None)
@given(st.text("ab \n", max_size=60))
def test_a_long_record_is_its_beginning_and_its_last_row(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("_LONG", 0), ("_BEGINNING", 20), ("_ENDING", 5)):
            patch.setattr(gist, name, value)
        assert bulk([text]) == [_MIDDLE.sub("\\1\n\\2", text)]
