"""What the last whole numbers of an access log count is told by all its rows, with the reason; where they do not tell, nothing is guessed."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from retrolog.parsers.blocks import BlockParser
from retrolog.parsers.formats.access import tail_numbers
from retrolog.parsers.tables import events_table
from retrolog.parsers.timestamps import TimeContext
from retrolog.parsers.units import Row, Unit, plan_unit, share

Numbers = Callable[[random.Random, int, int], tuple[int, ...]]


def rows(numbers: Numbers, count: int = 800, slow: float = 0.0) -> list[Row]:
    """Requests at ten a second, stamped when they end: `numbers(chance, row, size)` is what stands behind them."""
    chance = random.Random(3)
    out = []
    for at in range(count):
        size = chance.choice([120, 340, 2_000, 15_000])
        out.append(Row(at // 100, 1_000_000 + at // 10, f"192.0.2.{chance.randrange(40)}", chance.choice(["GET", "GET", "POST"]), size, numbers(chance, at, size)))
    return out


def took(middle: float, spread: float = 0.9) -> Callable[[random.Random], int]:
    return lambda chance: int(middle * chance.lognormvariate(0, spread))


def with_seconds(number: int, each: int) -> tuple[int, int]:
    return number, number // each


CASES: dict[str, tuple[Numbers, tuple[int, int, float] | None, str]] = {
    "microseconds of a usual service": (lambda c, at, size: (took(30_000)(c),), (0, 1, 1e-6), "in milliseconds half of the requests would have taken more than"),
    "microseconds, some of them minutes": (lambda c, at, size: (took(900)(c) + 30 if c.random() > 0.01 else 3_000_000,), (0, 1, 1e-6), "more than ten minutes"),
    "milliseconds": (lambda c, at, size: (took(25, 1.2)(c),), (0, 1, 1e-3), "nothing takes"),
    "milliseconds of a slow service or microseconds of a fast one": (lambda c, at, size: (150 + took(900)(c),), (0, 1, 0), "its sizes fit more than one"),
    "seconds, or milliseconds of files": (lambda c, at, size: (int(c.random() > 0.9) * c.randrange(20),), None, ""),
    "whole seconds, then microseconds": (lambda c, at, size: with_seconds(took(400_000)(c), 1_000_000)[::-1], (1, 2, 1e-6), "the number beside it is its whole seconds"),
    "milliseconds, then whole seconds": (lambda c, at, size: with_seconds(took(400)(c), 1000), (0, 2, 1e-3), "the number beside it is its whole seconds"),
    "bytes sent with their header": (lambda c, at, size: (size + c.choice([180, 201, 233]),), None, ""),
    "bytes received and sent, then microseconds": (lambda c, at, size: (300 + c.randrange(90), size + 200, took(30_000)(c)), (2, 3, 1e-6), "in milliseconds half"),
    "ports": (lambda c, at, size: (c.randrange(32_768, 61_000),), None, ""),
    "numbers of connections": (lambda c, at, size: (70_000 + at,), None, ""),
    "workers": (lambda c, at, size: (c.choice([31_201, 31_204, 31_377]),), None, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_what_numbers_count(name: str) -> None:
    numbers, expected, reason = CASES[name]
    found = plan_unit(rows(numbers))
    assert (found and (found.place, found.count, found.seconds)) == expected
    assert found is None or reason in str(found)


def test_requests_of_a_connection_are_counted_no_durations() -> None:
    seen: dict[str, int] = {}
    made = rows(lambda c, at, size: (0,))
    out = []
    for row in made:
        seen[row.client or ""] = seen.get(row.client or "", 0) % 100 + 1
        out.append(Row(row.stretch, row.second, row.client, row.method, row.size, (seen[row.client or ""],)))
    assert plan_unit(out) is None


@pytest.mark.parametrize(("each", "middle"), [(1e-6, 1_200), (1e-3, 150), (1.0, 0.2)])
def test_rows_stamped_at_the_begin_stand_late_by_what_they_took(each: float, middle: float) -> None:
    chance = random.Random(5)
    ended = []
    for at in range(1500):
        slow = chance.random() < 0.08
        seconds = chance.uniform(2, 9) if slow else middle * min(1, each) * chance.lognormvariate(0, 0.5)
        begin = 1_000_000 + at / 20
        ended.append((begin + seconds, Row(0, int(begin), None, "GET", 100, (int(seconds / each),))))
    found = plan_unit([row for _, row in sorted(ended, key=lambda pair: pair[0])])
    if each == 1.0:  # whole seconds have few values
        assert found is None or found.seconds == each
    else:
        assert found is not None
        assert (found.seconds, found.reason) == (each, "rows that took long stand as much later than their stamps")


@pytest.mark.parametrize("count", [0, 5, 99])
def test_few_rows_tell_nothing(count: int) -> None:
    assert plan_unit(rows(lambda c, at, size: (took(30_000)(c),), count)) is None


def test_parts_of_a_log_share_what_one_of_them_tells() -> None:
    known, open_, other = Unit(0, 1, 1e-6, "x"), Unit(0, 1, 0, "y"), Unit(0, 1, 1e-3, "z")
    assert [unit and unit.seconds for unit in share([open_, known, None])] == [1e-6, 1e-6, 1e-6]
    assert share([known, other]) == [known, other]
    assert share([None, open_]) == [None, open_]


@pytest.mark.parametrize(
    ("tail", "numbers"),
    [
        ('200 2 31787', (31_787,)), ('200 2 "-" "curl/8" 31787', (31_787,)), ('200 2 "-" "Mozilla/5.0 (X11; rv:3 4)" 0/31787', (0, 31_787)),
        ('200 - "-" "-" 812 2201 31787', (812, 2201, 31_787)), ("200 2326", ()), ('200 2 "-" "-" 1795463872.123 12', (12,)),
        ('200 2 "-" "-" 0.004 12', None), ('200 2 "-" "-" rt=0.004 12', None), ("200 2 node-3 31787 -", (31_787,)),
    ],
)  # fmt: skip
def test_numbers_behind_a_request(tail: str, numbers: tuple[int, ...] | None) -> None:
    found = tail_numbers(f'203.0.113.9 - - [23/Nov/2026:10:40:29 +0000] "GET /a HTTP/1.1" {tail}')
    assert (found and found[2]) == numbers


@pytest.mark.parametrize(
    ("tail", "unit", "seconds"),
    [
        (" {i}", Unit(0, 1, 1e-6, ""), 1e-6), (' "-" "curl/8" {i}', Unit(0, 1, 1e-3, ""), 1e-3), (' "-" "curl/8" {i} 7 up={n}', Unit(0, 2, 1.0, ""), 1.0),
        (" {i}", None, None), (" {i}", Unit(0, 1, 0, ""), None), (" {i} 3", Unit(0, 1, 1e-6, ""), None), (" {i} 0.25", Unit(0, 1, 1e-6, ""), None),
    ],
)  # fmt: skip
def test_rows_are_read_in_the_unit_of_their_log(tail: str, unit: Unit | None, seconds: float | None) -> None:
    numbers = list(range(1000, 3000))
    text = "".join(f'203.0.113.9 - - [23/Nov/2026:10:40:29 +0000] "GET /a HTTP/1.1" 200 5{tail.format(i=i, n=i % 7)}\n' for i in numbers).encode()
    one_by_one, by_columns = (BlockParser(TimeContext(unit=unit)) for _ in range(2))
    rows_read = [*one_by_one.events(text, 1, 0), *one_by_one.last_event()]
    expected = [None if seconds is None else i * seconds for i in numbers] if "0.25" not in tail else [0.25] * len(numbers)
    assert [event.duration for event in rows_read] == expected
    table = by_columns.feed(text, 1, 0)
    told = [*table["duration"].to_pylist(), *events_table(by_columns.last_event())["duration"].to_pylist()]
    assert told == expected
