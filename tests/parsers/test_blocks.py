"""Laws of the block parser: lines are conserved, pieces equal the whole, and no bytes whatsoever raise."""

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.parsers.base import Event, event_schema
from retrolog.parsers.blocks import BlockParser, parse_lines
from retrolog.parsers.detect import registry
from retrolog.parsers.rowwise import MESSAGE_LIMIT
from retrolog.parsers.timestamps import TimeContext

REFERENCE = 1_795_564_800_000_000  # 2026-11-25 00:00:00 UTC
SAMPLES = [row.encode() for form in registry() for sample in form.samples for row in sample.split("\n")]
NOISE = [
    b"", b" ", b"\tat a.b.C(C.java:1)", b"Traceback (most recent call last):", b"ValueError: time data '2026-01-01 00:00:00'", b"{", b"}",
    b"\xff\xfe\x00", b"\0\0\0", b"panic: x", b"2026-01-01 00:00:00", b"\r", b"a\rb", b"\x1b[31mred\x1b[0m", b"\x0b\x0c\x1c\x85", b"-- x --",
    "\u2028\u2029\x85".encode(), b'"', b"[", b"2026-11-23T10:40:29Z", b"0" * 400,
]  # fmt: skip
rows = st.lists(
    st.one_of(st.sampled_from(SAMPLES), st.sampled_from(NOISE), st.binary(max_size=80).map(lambda b: b.replace(b"\n", b""))),
    max_size=30,
)


def context() -> TimeContext:
    return TimeContext(reference=REFERENCE)


def whole(data: bytes) -> pa.Table:
    parser = BlockParser(context())
    return pa.concat_tables([parser.feed(data, 1, 0), parser.finish()]).unify_dictionaries()


@settings(max_examples=200, deadline=None)
@given(rows, st.booleans())
def test_every_line_is_in_exactly_one_event(lines: list[bytes], ended: bool) -> None:
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    physical = data.split(b"\n")
    if not physical[-1]:
        physical.pop()
    table = whole(data)
    expected = 1
    offset = 0
    for event in table.select(["line", "lines", "offset", "size"]).to_pylist():
        assert event["line"] == expected
        assert event["offset"] == offset
        text = b"\n".join(physical[expected - 1 : expected - 1 + event["lines"]])
        assert event["size"] == len(text)
        assert data[offset : offset + event["size"]] == text
        expected += event["lines"]
        offset += len(text) + 1
    assert expected == len(physical) + 1


@settings(max_examples=150, deadline=None)
@given(rows, st.lists(st.integers(0, 30), max_size=3))
def test_a_file_in_pieces_reads_as_the_whole(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    parser = BlockParser(context())
    tables = []
    borders = sorted({0, len(lines), *(cut for cut in cuts if cut <= len(lines))})
    offset = 0
    for begin, end in pairwise(borders):
        piece = b"".join(line + b"\n" for line in lines[begin:end])
        tables.append(parser.feed(piece, begin + 1, offset))
        offset += len(piece)
    tables.append(parser.finish())
    assert pa.concat_tables(tables).to_pylist() == whole(data).to_pylist()
    assert parser.counts["lines"] == len(lines)
    assert parser.counts["events"] == whole(data).num_rows


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    assert whole(data).schema == event_schema()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_damaged_rows_do_not_raise(row: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(row)))
    junk = data.draw(st.binary(max_size=6))
    cut = data.draw(st.integers(0, 8))
    whole(row[:at] + junk + row[at + cut :])


@given(rows)
@settings(max_examples=50, deadline=None)
def test_a_table_says_what_the_events_say(lines: list[bytes]) -> None:
    events = list(parse_lines(lines, context()))
    table = whole(b"".join(line + b"\n" for line in lines)).to_pylist()
    assert [(e.line, e.lines, e.format or None, e.severity) for e in events] == [
        (row["line"], row["lines"], row["format"] or None, row["severity"]) for row in table
    ]


def read(text: str) -> list[Event]:
    return list(parse_lines(text.split("\n"), context()))


def test_only_a_line_feed_ends_a_line() -> None:
    data = "2026-11-23 10:40:29 a\x0bb\x0cc\x1cd\x85e\u2028f\rg\n2026-11-23 10:40:30 h".encode()
    events = whole(data).to_pylist()
    assert [event["line"] for event in events] == [1, 2]
    assert events[0]["message"] == "a\x0bb\x0cc\x1cd\x85e\u2028f\rg"


def test_one_carriage_return_before_the_line_feed_is_dropped_and_offsets_stay() -> None:
    data = b"2026-11-23 10:40:29 a\r\n2026-11-23 10:40:30 b\r\r\n"
    events = whole(data).to_pylist()
    assert [event["message"] for event in events] == ["a", "b\r"]
    assert events[1]["offset"] == 23


def test_untimed_rows_continue_blank_ones_too() -> None:
    events = read("intro\n\n2026-11-23 10:40:29 boom\nTraceback:\n\n  deep\nValueError: 2026-01-01\n2026-11-23 10:40:30 next")
    assert [(event.line, event.lines) for event in events] == [(1, 1), (2, 1), (3, 5), (8, 1)]
    assert events[2].message == "boom\nTraceback:\n\n  deep\nValueError: 2026-01-01"


def test_a_file_without_times_is_an_event_a_row() -> None:
    assert [(event.line, event.lines) for event in read("a\n\nb\n c")] == [(1, 1), (2, 1), (3, 1), (4, 1)]


def test_rows_that_begin_with_spaces_can_be_events() -> None:
    events = read("    2026/11/23 10:40:29 [INFO] a\n    2026/11/23 10:40:30 [INFO] b")
    assert [event.line for event in events] == [1, 2]


def test_nul_bytes_before_a_row_do_not_hide_it() -> None:
    (event,) = read("\0\0\0\0Nov 23 10:40:29 web-1 app[1]: back")
    assert (event.host, event.message) == ("web-1", "back")


def test_colours_are_taken_off() -> None:
    (event,) = read("\x1b[2m2026-11-23T10:40:29.123456Z\x1b[0m \x1b[32m INFO\x1b[0m shop: up")
    assert (event.severity, event.message) == ("info", "up")


def test_a_line_of_megabytes_is_kept_whole() -> None:
    row = b"2026-11-23 10:40:29 " + b"x" * (3 << 20)
    (event,) = whole(row).to_pylist()
    assert len(event["message"]) == 3 << 20


def test_endless_continuation_lines_are_counted_but_not_all_kept() -> None:
    parser = BlockParser(context())
    line, offset = 1, 0
    block = b"y" * 999 + b"\n"
    parser.feed(b"2026-11-23 10:40:29 start\n", 1, 0)
    line, offset = 2, 26
    for _ in range(6):
        parser.feed(block * 1000, line, offset)
        line, offset = line + 1000, offset + 1_000_000
    (event,) = parser.finish().to_pylist()
    assert event["lines"] == 6001
    assert event["size"] == 25 + 6_000_000
    assert len(event["message"]) <= MESSAGE_LIMIT + 100


def test_counts() -> None:
    parser = BlockParser(context())
    parser.feed(b"what\n2026-11-23 10:40:29 a\n more\n", 1, 0)
    parser.finish()
    assert parser.counts == {
        "lines": 3, "events": 2, "unparsed": 1, "undated": 1, "format:unknown": 1, "format:text": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        '{"a":' * 5000 + "1" + "}" * 5000,
        '{"time": 1e999, "msg": NaN}',
        '{"time": ' + "9" * 5000 + ', "msg": "x"}',
        '{"msg": "\\ud800", "time": "2026-11-23T10:40:29Z"}',
        "k=" * 3000,
        "<" + "9" * 300 + ">1 - - - - - -",
        "[" * 5000 + "2026-11-23 10:40:29",
        "2026-11-23 10:40:29 " + "[a] " * 4000,
        '1.1.1.1 - - [23/Nov/2026:10:40:29 +0000] "' + "\\" * 5001,
        "CEF:0|" + "|" * 2000,
        "# User@Host: " + "[" * 3000,
        "a " * 20000 + "[23/Nov/2026:10:40:29 +0000] x",
        "2026-11-23 10:40:29 " + "a:" * 10000,
    ],
    ids=lambda row: row[:24],
)
def test_hostile_rows_are_read_in_no_time(row: str) -> None:
    assert sum(event.lines for event in read(row)) == 1
