"""The day of rows that have a time of day alone: told by dates in the file, by its name or the window, else not at all."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from retrolog.parsers.days import clock_of, plan_days, scan_days
from retrolog.parsers.years import days_before

MONDAY = days_before(2026, 11, 23)
DAY = (datetime(2026, 11, 23, 10, tzinfo=UTC), datetime(2026, 11, 23, 11, tzinfo=UTC))

CASES = [
    ("10:00:01 a|10:00:02 b", None, None, None, "nothing tells it"),
    ("Log started 2026-11-23|10:00:01 a|10:00:02 b", None, None, [0, 0], "a header with a date"),
    ("Log opened Mon Nov 23 23:59:00 2026|23:59:30 a|00:00:10 b|00:00:11 c", None, None, [0, 1, 1], "midnight passes"),
    ("Log opened Mon Nov 23 23:59:58 2026|00:00:10 b|00:00:11 c", None, None, [1, 1], "midnight passes behind the header"),
    ("10:00:01 a|10:00:02 b|--- Day changed Tue Nov 24 2026|10:00:03 c|10:00:04 d", None, None, [0, 0, 1, 1], "a row tells a new day that the clocks do not show"),
    ("22:00:01 a|--- Day changed to 2026-11-24|08:00:02 b|08:00:03 c", None, None, [0, 1, 1], "a row tells the day that the clocks show"),
    ("10:00:01 a|10:00:02 Log closed at 2026-11-23 10:00:02", None, None, [0, 0], "a message says the date beside the same time"),
    ("10:00:01 a|10:00:02 the certificate ends on 2027-01-01 12:00:00|10:00:03 b", None, None, None, "a date that is something else"),
    ("10:00:01 a|10:00:02 b", MONDAY, None, [0, 0], "the file's name"),
    ("22:00:00 a|22:00:01 b|03:00:00 c|03:00:01 d", MONDAY, None, [0, 0, 1, 1], "the file's name is of its first day"),
    ("10:00:01 a|10:30:02 b", None, DAY, [0, 0], "a window in which it lies"),
    ("22:00:01 a|22:30:02 b", None, DAY, None, "a window in which it lies on no day"),
    ("00:00:01 a|23:59:00 b|00:00:01 c|00:01:00 d|23:59:00 e", None, DAY, None, "two whole days: either may be the window's"),
    ("10:00:01 a|07:00:00 late|10:00:02 b|10:00:03 c", MONDAY, None, [0, None, 0, 0], "a row that is late"),
    ("11:00:00 a|10:05:00 b|10:05:01 c", MONDAY, None, [0, 0, 0], "an hour that is repeated is no new day"),
]


@pytest.mark.parametrize(("text", "named", "window", "days", "why"), CASES, ids=[case[-1] for case in CASES])
def test_the_days_of_rows(text: str, named: int | None, window: tuple[datetime, datetime] | None, days: list[int | None] | None, why: str) -> None:
    rows = list(enumerate(text.encode().split(b"|"), 1))
    bounds = (None, None) if window is None else (round(window[0].timestamp() * 1e6), round(window[1].timestamp() * 1e6))
    plan = plan_days(scan_days(rows), named=named, window=bounds)
    if days is None:
        assert plan is None, why
        return
    assert plan is not None, why
    found = [plan.day_at(line) - MONDAY for line, row in rows if clock_of(row) is not None]
    assert all(wanted is None or day == wanted for day, wanted in zip(found, days, strict=True)), (why, found)


def test_a_window_is_looked_at_on_the_clock_of_the_rows() -> None:
    window = datetime(2026, 11, 23, 22, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC)
    bounds = round(window[0].timestamp() * 1e6), round(window[1].timestamp() * 1e6)
    rows = list(enumerate([b"00:10:00 a", b"00:20:00 b"], 1))
    plan = plan_days(scan_days(rows), window=bounds, zone=timezone(timedelta(hours=2)))
    assert plan is not None
    assert plan.days == (MONDAY + 1,)
