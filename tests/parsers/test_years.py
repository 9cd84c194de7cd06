"""The year of year-less rows: stated, implied by the window, or the latest that leaves no row after the reference."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.parsers.blocks import parse_lines, plan_for
from retrolog.parsers.timestamps import TimeContext
from retrolog.parsers.years import days_before, plan_years, scan_years, told_year, year_of, yearless_stamp


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]


def row(stamp: str) -> str:
    return f"{stamp} web-1 app[1]: x"


def years(stamps: list[str], *, planned: bool = True, **settings: object) -> list[int | None]:
    """The years the rows get, with the whole file scanned first or row by row."""
    context = TimeContext(**settings)  # type: ignore[arg-type]
    rows = [row(stamp) for stamp in stamps]
    if planned:
        plan_for(enumerate((text.encode() for text in rows), 1), context)
    return [None if e.time is None else year_of(e.time) for e in parse_lines(rows, context)]


CASES = [
    (["Dec 30 10:00:00", "Dec 31 10:00:00"], {"reference": us(2024, 1, 2)}, [2023, 2023], "a December log read in January"),
    (["Dec 31 23:59:58", "Jan  1 00:00:01"], {"reference": us(2024, 1, 2)}, [2023, 2024], "the turn of the year"),
    (["Nov 20 10:00:00", "Nov 21 10:00:00"], {"year": 2019}, [2019, 2019], "as stated"),
    (["Dec 31 23:59:58", "Jan  1 00:00:01"], {"year": 2019}, [2019, 2020], "the stated year is the first row's"),
    (["Feb 28 10:00:00", "Feb 29 10:00:00"], {"reference": us(2026, 6, 1)}, [2024, 2024], "29 February needs a leap year"),
    (["Dec 31 10:00:00", "Jan  1 10:00:00", "Dec 31 10:00:01", "Jan  1 10:00:02"], {"reference": us(2024, 2, 1)},
     [2023, 2024, 2023, 2024], "a late row of December does not step again"),
    (["Oct  5 10:00:00", "Jan  1 00:00:00", "Oct  5 10:00:02", "Oct  6 10:00:00"], {"reference": us(2024, 10, 7)},
     [2024, 2024, 2024, 2024], "a clock that was reset moves no other row"),
    (["Nov 20 10:00:00", "Nov 21 10:00:00", "Nov 20 09:00:00"], {"reference": us(2024, 11, 22)}, [2024] * 3,
     "a row a day back stays in its year"),
    (["Nov 20 10:00:00"], {}, [None], "nothing tells the year"),
    (["Nov 20 10:00:00", "Dec 24 10:00:00"], {"window": (us(2022, 11, 20, 9), us(2022, 11, 20, 11)), "reference": us(2024, 6, 1)},
     [2022, 2022], "the window lies in the file; rows after it do not move it"),
]  # fmt: skip


@pytest.mark.parametrize(("stamps", "settings", "expected", "why"), CASES, ids=[case[3] for case in CASES])
def test_years_of_a_scanned_file(stamps, settings, expected, why) -> None:  # type: ignore[no-untyped-def]
    assert years(stamps, **settings) == expected, why


#: Files that have the newest row first: only a scan tells.
BACKWARD = [
    (["Jan  2 10:00:00", "Jan  1 10:00:00", "Dec 31 10:00:00", "Dec 30 10:00:00", "Dec 29 10:00:00"], {"reference": us(2024, 1, 3)},
     [2024, 2024, 2023, 2023, 2023]),
    (["Mar  1 10:00:00", "Feb 28 10:00:00", "Jan  1 10:00:00", "Dec 31 10:00:00", "Aug  1 10:00:00", "Feb 29 10:00:00"], {"reference": us(2026, 6, 1)},
     [2025, 2025, 2025, 2024, 2024, 2024]),
    (["Jan  2 10:00:00", "Jan  1 10:00:00", "Dec 31 10:00:00", "Dec 30 10:00:00"], {"year": 2019}, [2019, 2019, 2018, 2018]),
    (["Nov  3 10:00:00", "Nov  2 10:00:00", "Nov  1 10:00:00", "Nov  4 10:00:00"], {"reference": us(2024, 11, 5)}, [2024] * 4),
]  # fmt: skip


@pytest.mark.parametrize(("stamps", "settings", "expected"), BACKWARD)
def test_years_of_a_file_with_the_newest_row_first(stamps, settings, expected) -> None:  # type: ignore[no-untyped-def]
    assert years(stamps, **settings) == expected


#: Without a scan the first row cannot know of a 29 February below it.
ROW_BY_ROW = [case for case in CASES if "leap year" not in case[3]]


@pytest.mark.parametrize(("stamps", "settings", "expected", "why"), ROW_BY_ROW, ids=[case[3] for case in ROW_BY_ROW])
def test_years_row_by_row(stamps, settings, expected, why) -> None:  # type: ignore[no-untyped-def]
    found = years(stamps, planned=False, **settings)
    stray = [at for at, (one, other) in enumerate(zip(found, expected, strict=True)) if one != other]
    assert len(stray) <= ("reset" in why), why  # without a scan the stray row itself may be taken at its word


def test_several_years_in_a_file_end_at_the_reference() -> None:
    stamps = [f"{month} {day:2d} 12:00:00" for _ in range(3) for month in ("Jan", "May", "Sep", "Dec") for day in (3, 9)]
    found = years(stamps, reference=us(2024, 12, 20))
    assert found == [2022] * 8 + [2023] * 8 + [2024] * 8


def test_the_plan_says_why() -> None:
    context = TimeContext(reference=us(2024, 1, 2))
    plan = plan_for([(1, row("Dec 30 10:00:00").encode())], context, "the gzip header's time")
    assert plan is not None
    assert plan.reason == "the latest year with no row after the gzip header's time"


@pytest.mark.parametrize(
    "text", ["<34>Oct 11 22:14:15 h su: x", "I1123 10:40:29.123456 1 a.go:1] x", "11-23 10:40:29.123 1 2 D T: m", "[10.30 16:49:06] x"]
)
def test_year_less_rows_are_seen(text: str) -> None:
    assert yearless_stamp(text.encode()) is not None


@pytest.mark.parametrize("text", ["Nov 23 2026 10:40:29 x", "2026-11-23 10:40:29 x", "", "Nov 23 10:40:29 2026 x"])
def test_rows_with_a_year_are_not(text: str) -> None:
    assert yearless_stamp(text.encode()) is None


@given(st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1)))
def test_calendar_arithmetic_agrees_with_datetime(moment: datetime) -> None:
    days = days_before(moment.year, moment.month, moment.day)
    assert datetime(1970, 1, 1) + timedelta(days=days) == moment.replace(hour=0, minute=0, second=0, microsecond=0)
    assert year_of(days * 86_400_000_000) == moment.year


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
    st.lists(st.integers(1, 100 * 86_400), min_size=1, max_size=40),
)
def test_an_ordered_file_gets_back_its_years(start: datetime, gaps: list[int]) -> None:
    moments = [start]
    for gap in gaps:
        moments.append(moments[-1] + timedelta(seconds=gap))
    stamps = [f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S}" for moment in moments]
    found = years(stamps, year=start.year)
    assert found == [moment.year for moment in moments]


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_bytes_scan(rows: list[bytes]) -> None:
    scan_years(enumerate(rows, 1))




TOLD = [
    ([b"Nov 23 10:40:29 fw-1 1,2024/11/23 10:40:28,0011,THREAT"], (2024, 1)),
    ([b"Nov 23 10:40:29 web-1 app: ready", b"Nov 23 10:40:30 lb-1 haproxy[7]: 192.0.2.1:5 [23/Nov/2019:10:40:29.143] in"], (2019, 2)),
    ([b"Dec 31 23:59:29 a b: [31/Dec/2018:23:59:29]", b"Jan  1 00:00:29 a b: [01/Jan/2019:00:00:29]"], (2018, 1)),
    ([b'Nov 23 02:52:23 fw-1 device_name="a" timestamp="2024-11-22T20:52:23-0600" x'], (2024, 1)),  # the same moment elsewhere
    ([b"Nov 23 15:19:05 fw-1 (2024-11-23T09:49:05) firewall: x"], (2024, 1)),
    ([b"Nov 23 10:40:29 192.0.2.2 sw-1: 3132779: Nov 23 2024 10:40:28.398 UTC: %LINK-3-UPDOWN: x"], (2024, 1)),
    ([b"Nov 23 10:40:29 web-1 app: expires 2027-11-23 09:00:00"], None),  # another minute: no stamp of this row
    ([b"Nov 23 10:40:29 web-1 app: due 2027-12-23 10:40:00"], None),
    ([b"Nov 23 10:40:29 a b: 2019-11-23 10:40:29", b"Nov 23 10:41:29 a b: 2024-11-23 10:41:29"], None),
    ([b"2026-11-23 10:40:29 a b: 2019-11-23 10:40:29"], None),
    # no date inside: that of the nearest row which has one
    ([b"2019-11-23T10:40:28Z a b: x", b"Nov 23 10:40:29 a b: x"], (2019, 1)),
    ([b"Dec 31 23:59:29 a b: x", b"2019-01-01T00:00:29Z a b: x", b"2024-01-01T00:00:29Z a b: x"], (2018, 2)),
    ([b"7:M 23 Nov 10:40:29.123 * x", b"7:signal-handler (1574505629) Received SIGTERM"], (2019, 2)),
    ([b"Mon Nov 23 10:40:28 2026 x", b"7:M 23 Nov 10:40:29.123 * x"], (2026, 1)),
    ([b"7:C 23 Nov 2026 10:40:28.1 # x", b"Nov 23 10:40:29 a b: x"], (2026, 1)),
    ([b"2019-11-23T10:40:28Z a b: x", b"Mar  3 10:40:29 a b: x"], None),  # months apart: no neighbour
    ([b"Log file created at: 2019/07/18 06:07:40", b"Running on machine: web-1", b"I1231 23:59:59.000001 7 a.cc:65] x"], (2019, 3)),
    ([b"Log file created at: 2019/12/31 23:59:40", b"I0301 23:59:59.000001 7 a.cc:65] x"], (2020, 2)),
    ([b"Foo 23 10:40:28 2026 x", b"2026-13-41 10:40:28 x", b"Nov 23 10:40:29 a b: x"], None),
]


@pytest.mark.parametrize(("rows", "told"), TOLD)
def test_whole_dates_inside_rows_tell_the_year(rows: list[bytes], told: tuple[int, int] | None) -> None:
    assert told_year(enumerate(rows, 1)) == told


def test_a_told_year_is_followed_from_its_line() -> None:
    rows = [(1, b"Dec 31 23:59:29 a b: x"), (2, b"Jan  1 00:00:29 a b: [01/Jan/2019:00:00:29]"), (3, b"Jan  1 00:01:29 a b: x")]
    plan = plan_years(scan_years(rows), reference=1_900_000_000_000_000, told=told_year(rows))
    assert plan is not None
    assert (plan.first_year, plan.reason) == (2018, "as a date in line 2 says")
