"""The year of stamps that carry none: chosen once for a file, stepped from December to January.

A file's stamps are scanned for the rows where a new year begins (`scan_years`); with a stated year, a window or a
reference time (the gzip header's, the file's) that gives the year of each row (`plan_years`). One row out of place
neither begins a year nor moves the others.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from calendar import isleap
from collections.abc import Iterable
from dataclasses import dataclass, field

DAY = 86_400
_HALF = 183 * DAY
_YEAR = 366 * DAY
#: How far a late row may lie behind and still be a row out of order, not a jump: relays hold messages for days.
LATE = 31 * DAY
#: A zone that was assumed may be wrong by 14 hours, and clocks run ahead: so much may a row lie after the reference.
SLACK = DAY

MONTHS: dict[str, int] = {}
for _number, _name in enumerate(
    "January February March April May June July August September October November December".split(), 1
):
    for _form in (_name, _name[:3]):
        MONTHS |= {_form: _number, _form.lower(): _number, _form.upper(): _number}
    MONTHS |= {str(_number): _number, f"{_number:02}": _number}
MONTHS |= {"Sept": 9, "sept": 9}

_CUMULATIVE = (0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335)

#: Rows whose own time has no year: syslog, its relatives, klog, logcat, Proxifier.
_YEARLESS = re.compile(
    rb"(?:<\d{1,3}>)?(?:\d{1,10}: )?[*.]?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?"
    rb"(?:(?P<b>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}(?P<d>\d{1,2}) (?P<t>\d\d:\d\d:\d\d)(?! (?:19|20)\d\d\b)"
    rb"|[IWEF](?P<km>[01]\d)(?P<kd>\d\d) (?P<kt>\d\d:\d\d:\d\d)\."
    rb"|\[?(?P<nm>[01]\d)[-.](?P<nd>\d\d) (?P<nt>\d\d:\d\d:\d\d))"
)


@dataclass(slots=True)
class YearHints:
    """Where years begin in a file of year-less rows: one entry a year in each list.

    `steps` are the lines at which the second, third ... year begins; `first`, `last` the least and greatest stamp of
    each year in seconds since its start (months counted as in a leap year); `leap` whether it has a 29 February.
    """

    steps: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    leap: list[bool] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class YearPlan:
    """The year of every year-less row of a file, and in words how it was chosen."""

    first_year: int
    steps: tuple[int, ...] = ()
    reason: str = ""

    def year_at(self, line: int) -> int:
        """The year of the row at this line (1-based), rows out of place aside."""
        return self.first_year + bisect_right(self.steps, line)


def second_of_year(month: int, day: int, second: int = 0) -> int:
    """Seconds since the start of a leap year: one number to compare stamps that have no year."""
    return (_CUMULATIVE[month - 1] + day - 1) * DAY + second


def yearless_stamp(row: bytes) -> int | None:
    """The `second_of_year` of a row that starts with a year-less stamp, None for any other row."""
    match = _YEARLESS.match(row)
    if match is None:
        return None
    b, d, t, km, kd, kt, nm, nd, nt = match.groups()
    month = MONTHS.get((b or km or nm).decode(), 0)
    day = int(d or kd or nd)
    clock = t or kt or nt
    if not month or not 1 <= day <= 31:
        return None
    return second_of_year(month, day, int(clock[:2]) * 3600 + int(clock[3:5]) * 60 + int(clock[6:8]))


def _apart(one: int, other: int) -> int:
    """Seconds between two stamps on the circle of the year."""
    gap = abs(one - other)
    return min(gap, _YEAR - gap)


def scan_years(rows: Iterable[tuple[int, bytes]]) -> YearHints:
    """Finds where years begin from (line, row) pairs of a file, in order; rows without a year-less stamp are skipped.

    A jump counts only when the row after it agrees, or at the end of the file when it is the turn of a year.
    """
    hints = YearHints()
    current: int | None = None
    doubtful: tuple[int, int] | None = None  # line and stamp of a jump that no second row has confirmed yet

    def take(line: int, stamp: int) -> None:
        nonlocal current
        if current is None or current - stamp > _HALF:
            if current is not None:
                hints.steps.append(line)
            hints.first.append(stamp)
            hints.last.append(stamp)
            hints.leap.append(False)
        hints.first[-1] = min(hints.first[-1], stamp)
        hints.last[-1] = max(hints.last[-1], stamp)
        hints.leap[-1] |= stamp // DAY == 59
        current = stamp

    for line, row in rows:
        stamp = yearless_stamp(row)
        if stamp is None:
            continue
        if doubtful is not None:
            if _apart(stamp, doubtful[1]) <= _apart(stamp, current or 0):
                take(*doubtful)
            doubtful = None
        if current is None or abs(stamp - current) <= _HALF:
            take(line, stamp)
        else:
            doubtful = (line, stamp)
    if doubtful is not None and current is not None:
        fell = current - doubtful[1] > _HALF
        if fell or _apart(doubtful[1], current) > LATE:
            take(*doubtful)
    return hints


def plan_years(
    hints: YearHints,
    *,
    year: int | None = None,
    window: tuple[int | None, int | None] | None = None,
    reference: int | None = None,
    reference_name: str = "the file's time",
) -> YearPlan | None:
    """Chooses the year of a file's first row: the one stated, else what the window implies, else what the reference does.

    With a window (microseconds UTC) the latest year in which the file touches it is taken. With a reference no row may
    lie after it. 29 February stands only in leap years. None when nothing tells the year.
    """
    steps = tuple(hints.steps)
    if not hints.first:
        return None
    if year is not None:
        return YearPlan(year, steps, "as stated")
    low, high = window if window is not None else (None, None)
    bound = high if high is not None else low
    if bound is None and reference is None:
        return None
    anchor = (bound if bound is not None else reference) or 0
    newest = year_of(anchor) + 1
    years = range(newest, newest - 30 - len(hints.first), -1)
    fitting = [
        y for y in years if all(isleap(y + k) for k, has_leap_day in enumerate(hints.leap) if has_leap_day)
    ]
    if bound is not None:
        least, most = (low if low is not None else bound), (high if high is not None else bound)
        for y in fitting:
            for k in range(len(hints.first)):
                begin, end = _seconds(y + k, hints.first[k]), _seconds(y + k, hints.last[k])
                if begin - SLACK <= most // 1_000_000 and end + SLACK >= least // 1_000_000:
                    return YearPlan(y, steps, "implied by the window")
    limit = anchor // 1_000_000 + SLACK
    for y in fitting:
        if all(_seconds(y + k, last) <= limit for k, last in enumerate(hints.last)):
            why = "the latest year with no row after " + (reference_name if bound is None else "the window")
            return YearPlan(y, steps, why)
    return None


def days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the proleptic Gregorian calendar."""
    month_days = _CUMULATIVE[month - 1] - (1 if month > 2 and not isleap(year) else 0)
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400 - 719_162 + month_days + day - 1


def year_of(us: int) -> int:
    """The year (UTC) of a time in microseconds since the epoch."""
    days = us // 86_400_000_000
    year = 1970 + days * 400 // 146_097
    while days_before(year, 1, 1) > days:
        year -= 1
    while days_before(year + 1, 1, 1) <= days:
        year += 1
    return year


def _seconds(year: int, second: int) -> int:
    """Seconds since the epoch of a `second_of_year` in a year."""
    day = second // DAY
    if day > 59 and not isleap(year):
        second -= DAY
    return days_before(year, 1, 1) * DAY + second


def nearest_year(year: int, stamp: int, anchor: int | None) -> int:
    """The year of one row, given its file's year there and the `second_of_year` of the row before.

    A row from the end of December just after January began came late: it is of the year before; a row of January amid
    December came early. Any other jump is taken as it stands.
    """
    if anchor is None:
        return year
    if stamp - anchor > _HALF and _YEAR - (stamp - anchor) <= LATE:
        return year - 1
    return year
