"""The work of reading a row grows with its length, whatever the row repeats: no pattern goes over the same text again and again.

Each sample of each format is cut where a pattern could begin to guess (after spaces, brackets, quotes and the like) and goes on with
thousands of the same characters. Only rows that take long at all are measured again, at a quarter of the length: a quadratic
pattern takes sixteen times as long for the whole as for the quarter, a linear one four times.
"""

import re
import time

import pytest

from retrolog.parsers.base import Format
from retrolog.parsers.blocks import parse_lines
from retrolog.parsers.detect import parse_with, registry
from retrolog.parsers.timestamps import TimeContext

REFERENCE = 1_795_564_800_000_000  # 2026-11-25 00:00:00 UTC
REPEATS = [
    " ", "[", "]", '"', "a", "1", ":", "-", "(", "<", "{", "=", ",", ".", "/", "|", "\t", "a ", "[a] ", "a:", "a=b ", "a.", "1.", '\\"',
    "::a", ", client: ", "{}", "<1>", "INFO ", "2026-11-23 10:40:29 ", '"" ', "[1", "é",
]  # fmt: skip
MANY = 1000
LONG = 8000
NOTABLE = 0.008  # seconds: a row of this length that is read faster is not looked at


def heads(form: Format) -> list[str]:
    """Where samples are cut: at most a dozen places a format."""
    places = {""}
    for sample in form.samples:
        row = sample.split("\n")[0]
        places |= {row, *(row[: mark.end()] for mark in re.finditer(r"[\s\[\]\"(:,=|<>/]", row))}
    ordered = sorted(places)
    return ordered[:: max(1, len(ordered) // 12)]


def seconds(form: Format, row: str) -> float:
    context = TimeContext(reference=REFERENCE)
    begin = time.process_time()
    parse_with(form, row, context)
    return time.process_time() - begin


@pytest.mark.parametrize("form", registry(), ids=lambda form: form.name)
def test_work_grows_with_the_length(form: Format) -> None:
    for head in heads(form):
        for repeat in REPEATS:
            for tail in ("", "\x01"):
                row = head + repeat * (LONG // len(repeat)) + tail
                if seconds(form, row) < NOTABLE:
                    continue
                whole = min(seconds(form, row) for _ in range(3))
                quarter = min(seconds(form, head + repeat * (LONG // 4 // len(repeat)) + tail) for _ in range(3))
                assert whole < NOTABLE or whole < 10 * quarter, (head, repeat, whole, quarter)


SPANNING = [form for form in registry() if form.close is not None or form.continues is not None]
ROWS = [
    " x", "<a><![CDATA[", "<![CDATA[", '<a b="', "<a>", "Completed 200 ", "# User@Host: ", "# Query_time: 1", "SET timestamp=", '"', '""', "{", "}, {",
    '"a": {', "]", "MESSAGE=", "INFO: ", "]LOG]!>", ", client: ", "Section start ",
]  # fmt: skip


def seconds_of(rows: list[str]) -> float:
    begin = time.process_time()
    assert sum(event.lines for event in parse_lines(rows, TimeContext(reference=REFERENCE))) == len(rows)
    return time.process_time() - begin


@pytest.mark.parametrize("form", SPANNING, ids=lambda form: form.name)
def test_work_grows_with_the_number_of_rows(form: Format) -> None:
    for sample in form.samples[:1]:
        head = sample.split("\n")
        for row in ROWS:
            for opening in (head, head[:1]):
                if seconds_of([*opening, *[row] * MANY]) < 0.1:
                    continue
                whole, quarter = (min(seconds_of([*opening, *[row] * count]) for _ in range(3)) for count in (MANY, MANY // 4))
                assert whole < 0.1 or whole < 10 * quarter, (sample, row, whole, quarter)


@pytest.mark.parametrize("repeat", REPEATS)
def test_a_row_of_any_repeats_is_one_event(repeat: str) -> None:
    for head in ("", "2026-11-23 10:40:29 ", "Nov 23 10:40:29 web-1 app: ", '192.0.2.1 - - [23/Nov/2026:10:40:29 +0000] "', "{"):
        events = list(parse_lines([head + repeat * (200_000 // len(repeat))], TimeContext(reference=REFERENCE)))
        assert [event.lines for event in events] == [1]
