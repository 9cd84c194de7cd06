"""The year of stamps that carry none: chosen once for a file, stepped from December to January.

A file's stamps are scanned for the rows where a new year begins (`scan_years`); with a stated year, a window or a
reference time (the gzip header's, the file's) that gives the year of each row (`plan_years`). One row out of place
neither begins a year nor moves the others.
"""

from __future__ import annotations

import datetime
import re
from bisect import bisect_right
from calendar import isleap
from collections.abc import Iterable
from dataclasses import dataclass, field

from .lazy import lazily

DAY = 86_400
_HALF = 183 * DAY
_YEAR = 366 * DAY
#: How far a late row may lie behind and still be a row out of order, not a jump: relays hold messages for days.
LATE = 31 * DAY
#: So many rows at least lie before the one above them in a file that has the newest first.
_BACKWARD = 3
_FORWARD = 100  # after so many that lie after it, the file runs forward
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

#: Rows whose own time has no year: syslog, its relatives, klog, Redis before 3, logcat, Proxifier.
_YEARLESS = re.compile(
    rb"(?:<\d{1,5}>)?(?:\d{1,10}: )?[*.]?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?"
    rb"(?:(?P<b>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}(?P<d>\d{1,2}) (?P<t>\d\d:\d\d:\d\d)(?! (?:19|20)\d\d\b)"
    rb"|[IWEF](?P<km>[01]\d)(?P<kd>\d\d) (?P<kt>\d\d:\d\d:\d\d)\."
    rb"|(?:\[?\d{1,9}\]?(?::[XCSM])? )?(?P<rd>\d{1,2}) (?P<rb>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?P<rt>\d\d:\d\d:\d\d)"
    rb"|\[? ?(?P<nm>[01]?\d)[-./](?P<nd>\d\d?)[ /]{1,2}(?P<nt>\d\d:\d\d:\d\d)"
    rb"|\[(?:\d{1,9}:){0,2}(?P<cm>[01]\d)(?P<cd>\d\d)/(?P<ct>\d{6})(?=[.:]))"
)


#: A date with its year and a time of day: with a number for the month, as access logs have it, or as Cisco's devices do.
_WHOLE = lazily(
    rb"(?:((?:19|20)\d\d)[-/](\d\d)[-/](\d\d)[T :]|(\d\d)/([A-Z][a-z]{2})/((?:19|20)\d\d):|([A-Z][a-z]{2}) {1,2}(\d{1,2}) ((?:19|20)\d\d) )"
    rb"([0-2]\d):([0-5]\d):([0-6]\d)"
)
_ZONES_APART = 14 * 3600  # seconds that clocks of two zones differ at most
_QUARTER = 900  # ... in steps of
#: What Google's loggers write at the top of a file: no row below it is older.
_CREATED = lazily(rb"Log file created at: ((?:19|20)\d\d)[-/](\d\d)[-/](\d\d) \d\d:\d\d")
#: A row that begins with such a date, or with what stands before one: a PRI or facility, a process's number, a bracket, a level.
_DATED = lazily(
    rb"(?:<\d{1,3}>(?:1 )?|[a-z0-9]{2,8}\.[a-z]{3,7} |\*{4} [A-Z]{5,6} LOGGING AT |-{3} Log [a-z]{6} |\[|[A-Z]{4,5} ?\[?|\d{1,9}[:,][A-Za-z]? ?)?(?:"
    rb"(?P<y>(?:19|20)\d\d)[-/](?P<m>\d\d)[-/](?P<d>\d\d)[T :]\d\d:\d\d:\d\d"
    rb"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?P<b>[A-Z][a-z]{2}) {1,2}(?P<d2>\d{1,2}) (?:(?P<y2>(?:19|20)\d\d) )?\d\d:\d\d:\d\d(?:\.\d{1,9})?(?: (?P<y3>(?:19|20)\d\d)\b)?"
    rb"|(?P<d4>\d{1,2}) (?P<b4>[A-Z][a-z]{2}) (?P<y4>(?:19|20)\d\d) \d\d:\d\d:\d\d"
    rb"|signal-handler \((?P<epoch>1\d{9})\))"
)


@dataclass(slots=True)
class YearHints:
    """Where years begin in a file of year-less rows: one entry a year in each list.

    `steps` are the lines at which the second, third ... year begins; `first`, `last` the least and greatest stamp of
    each year in seconds since its start (months counted as in a leap year); `leap` whether it has a 29 February. `falling`: the
    rows run backward, the newest first, so that each year is the one before.
    """

    steps: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    leap: list[bool] = field(default_factory=list)
    falling: bool = False


@dataclass(frozen=True, slots=True)
class YearPlan:
    """The year of every year-less row of a file, and in words how it was chosen."""

    first_year: int
    steps: tuple[int, ...] = ()
    reason: str = ""
    falling: bool = False

    def year_at(self, line: int) -> int:
        """The year of the row at this line (1-based), rows out of place aside."""
        steps = bisect_right(self.steps, line)
        return self.first_year + (-steps if self.falling else steps)


def second_of_year(month: int, day: int, second: int = 0) -> int:
    """Seconds since the start of a leap year: one number to compare stamps that have no year."""
    return (_CUMULATIVE[month - 1] + day - 1) * DAY + second


def yearless_stamp(row: bytes) -> int | None:
    """The `second_of_year` of a row that starts with a year-less stamp, None for any other row."""
    match = _YEARLESS.match(row)
    if match is None:
        return None
    b, d, t, km, kd, kt, rd, rb, rt, nm, nd, nt, cm, cd, ct = match.groups()
    month = MONTHS.get((b or km or rb or nm or cm).decode(), 0)
    day = int(d or kd or rd or nd or cd)
    clock = t or kt or rt or nt or b":".join((ct[:2], ct[2:4], ct[4:]))
    if not month or not 1 <= day <= 31:
        return None
    return second_of_year(month, day, int(clock[:2]) * 3600 + int(clock[3:5]) * 60 + int(clock[6:8]))


def told_year(rows: Iterable[tuple[int, bytes]]) -> tuple[int, int] | None:
    """The year that whole dates inside of year-less rows tell, else that of the nearest row with a date, and its line; None where neither do.

    Dates inside: a proxy's own stamp behind a syslog header, a firewall's, of the same day and minute of the hour as the row's, or of
    the same moment on the clock of another zone; their years must follow one another. A row with a date counts when it lies within a month of the year-less one, a file's own
    beginning however long before.
    """
    found: dict[int, int] = {}
    dated: tuple[int, int, int] | None = None  # year, stamp and line of the last row that has a whole date
    lone: tuple[int, int] | None = None  # stamp and line of the last row without a year
    near: tuple[int, int, int] | None = None  # lines between, year, line of the row that tells it
    created: tuple[int, int] | None = None  # year and stamp of the file's beginning
    for line, row in rows:
        head = _YEARLESS.match(row)
        stamp = yearless_stamp(row)
        if head is None or stamp is None:
            opened = _CREATED.match(row)
            if opened is not None and 1 <= int(opened[2]) <= 12:
                created = int(opened[1]), second_of_year(int(opened[2]), int(opened[3]))
            whole = _dated_row(row)
            if whole is not None:
                dated = (*whole, line)
                if lone is not None and (near is None or line - lone[1] < near[0]) and _apart(whole[1], lone[0]) <= LATE:
                    near = line - lone[1], _year_near(whole[0], whole[1], lone[0]), line
            continue
        lone = stamp, line
        if created is not None and near is None:
            near = 0, created[0] + (stamp < created[1] - SLACK), line
        if dated is not None and (near is None or line - dated[2] < near[0]) and _apart(dated[1], stamp) <= LATE:
            near = line - dated[2], _year_near(dated[0], dated[1], stamp), dated[2]
        for match in _WHOLE.finditer(row, head.end(), head.end() + 400):
            year, month, day, day2, name2, year2, name3, day3, year3, hour, minute, second = match.groups()
            month_number = int(month) if month else MONTHS.get((name2 or name3).decode(), 0)
            if not 1 <= month_number <= 12:
                continue
            inner = second_of_year(month_number, int(day or day2 or day3), int(hour) * 3600 + int(minute) * 60 + int(second))
            elsewhere = abs(inner - stamp) <= _ZONES_APART and (inner - stamp) % _QUARTER == 0  # the same moment on another zone's clock
            if elsewhere or (inner // DAY == stamp // DAY and inner // 60 % 60 == stamp // 60 % 60):
                found.setdefault(int(year or year2 or year3), line)
    years = list(found)
    if years:
        return next(iter(found.items())) if years == list(range(years[0], years[0] + len(years))) else None
    return near[1:] if near is not None else None


def _dated_row(row: bytes) -> tuple[int, int] | None:
    """Year and `second_of_year` (to the day) of a row that begins with a whole date, None for any other row."""
    match = _DATED.match(row)
    if match is None:
        return None
    if match["epoch"]:
        year = year_of(int(match["epoch"]) * 1_000_000)
        month, day = date_of_day(year, int(match["epoch"]) // DAY - days_before(year, 1, 1) + 1)
        return None if month is None else (year, second_of_year(month, day))
    year_text = match["y"] or match["y2"] or match["y3"] or match["y4"]
    name = match["b"] or match["b4"]
    number = int(match["m"]) if match["m"] else MONTHS.get(name.decode(), 0) if name else 0
    day = int(match["d"] or match["d2"] or match["d4"])
    if not year_text or not 1 <= number <= 12 or not 1 <= day <= 31:
        return None
    return int(year_text), second_of_year(number, day)


def _year_near(year: int, stamp: int, other: int) -> int:
    """The year of another stamp that lies within half a year of one whose year is known."""
    return year + (stamp - other > _HALF) - (other - stamp > _HALF)


def _apart(one: int, other: int) -> int:
    """Seconds between two stamps on the circle of the year."""
    gap = abs(one - other)
    return min(gap, _YEAR - gap)


def scan_years(rows: Iterable[tuple[int, bytes]]) -> YearHints:
    """Finds where years begin from (line, row) pairs of a file, in order; rows without a year-less stamp are skipped.

    A jump counts only when the row after it agrees, or at the end of the file when it is the turn of a year. Where far more rows
    lie before the one above them than after it, the file has the newest first.
    """
    rising = _Follower(YearHints())
    falling: _Follower | None = _Follower(YearHints(falling=True))
    rises = falls = 0
    before: int | None = None
    for line, row in rows:
        stamp = yearless_stamp(row)
        if stamp is None:
            continue
        if before is not None and 0 < abs(stamp - before) <= _HALF:
            rises, falls = rises + (stamp > before), falls + (stamp < before)
        before = stamp
        rising.see(line, stamp)
        if falling is not None:
            falling.see(line, stamp)
            if rises > _FORWARD and rises > 2 * falls:
                falling = None
    return (falling if falling is not None and falls >= _BACKWARD and falls > 2 * rises else rising).end()


class _Follower:
    """Follows the stamps of a file, each year after the one before, or before it where the rows run backward."""

    def __init__(self, hints: YearHints) -> None:
        self.hints = hints
        self._current: int | None = None
        self._doubtful: tuple[int, int] | None = None  # line and stamp of a jump that no second row has confirmed yet

    def see(self, line: int, stamp: int) -> None:
        """Takes the stamp of the next row."""
        if self._doubtful is not None:
            if _apart(stamp, self._doubtful[1]) <= _apart(stamp, self._current or 0):
                self._take(*self._doubtful)
            self._doubtful = None
        if self._current is None or abs(stamp - self._current) <= _HALF:
            self._take(line, stamp)
        else:
            self._doubtful = (line, stamp)

    def end(self) -> YearHints:
        """What was found, once there are no more rows."""
        if self._doubtful is not None and self._current is not None:
            stamp = self._doubtful[1]
            if self._turned(stamp) or _apart(stamp, self._current) > LATE:
                self._take(*self._doubtful)
            self._doubtful = None
        return self.hints

    def _turned(self, stamp: int) -> bool:
        """Whether a year ends between the row before and this one."""
        current = self._current
        return current is not None and (stamp - current if self.hints.falling else current - stamp) > _HALF

    def _take(self, line: int, stamp: int) -> None:
        hints = self.hints
        if self._current is None or self._turned(stamp):
            if self._current is not None:
                hints.steps.append(line)
            hints.first.append(stamp)
            hints.last.append(stamp)
            hints.leap.append(False)
        hints.first[-1] = min(hints.first[-1], stamp)
        hints.last[-1] = max(hints.last[-1], stamp)
        hints.leap[-1] |= stamp // DAY == 59
        self._current = stamp


def plan_years(
    hints: YearHints,
    *,
    year: int | None = None,
    window: tuple[int | None, int | None] | None = None,
    reference: int | None = None,
    reference_name: str = "the file's time",
    told: tuple[int, int] | None = None,
) -> YearPlan | None:
    """Chooses the year of a file's first row: the one stated, else that of a date in a row (`told`: year and line), else what the
    window implies, else what the reference does.

    With a window (microseconds UTC) the latest year in which the file touches it is taken. With a reference no row may
    lie after it. 29 February stands only in leap years. None when nothing tells the year.
    """
    steps = tuple(hints.steps)
    if not hints.first:
        return None
    step = -1 if hints.falling else 1
    if year is not None:
        return YearPlan(year, steps, "as stated", hints.falling)
    if told is not None:
        return YearPlan(told[0] - step * bisect_right(steps, told[1]), steps, f"as a date in line {told[1]} says", hints.falling)
    low, high = window if window is not None else (None, None)
    bound = high if high is not None else low
    if bound is None and reference is None:
        return None
    anchor = (bound if bound is not None else reference) or 0
    newest = year_of(anchor) + 1
    years = range(newest, newest - 30 - len(hints.first), -1)
    fitting = [
        y for y in years if all(isleap(y + step * k) for k, has_leap_day in enumerate(hints.leap) if has_leap_day)
    ]
    if bound is not None:
        least, most = (low if low is not None else bound), (high if high is not None else bound)
        for y in fitting:
            for k in range(len(hints.first)):
                begin, end = _seconds(y + step * k, hints.first[k]), _seconds(y + step * k, hints.last[k])
                if begin - SLACK <= most // 1_000_000 and end + SLACK >= least // 1_000_000:
                    return YearPlan(y, steps, "implied by the window", hints.falling)
    limit = anchor // 1_000_000 + SLACK
    for y in fitting:
        if all(_seconds(y + step * k, last) <= limit for k, last in enumerate(hints.last)):
            why = "the latest year with no row after " + (reference_name if bound is None else "the window")
            return YearPlan(y, steps, why, hints.falling)
    return None


def days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the proleptic Gregorian calendar."""
    month_days = _CUMULATIVE[month - 1] - (1 if month > 2 and not isleap(year) else 0)
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400 - 719_162 + month_days + day - 1


def date_of_day(year: int, day: int) -> tuple[int | None, int]:
    """Month and day of the month of a day of a year, counted from 1; the month is None where the year has no such day."""
    if not 1 <= day <= 365 + isleap(year):
        return None, day
    months = [days_before(year, month, 1) - days_before(year, 1, 1) for month in range(1, 13)]
    month = bisect_right(months, day - 1)
    return month, day - months[month - 1]


def date_of_week(year: int, week: int, day: int) -> tuple[str, int | None, int]:
    """Year, month and day of the month of a day (1 is Monday) of an ISO 8601 week; the month is None where the year has no such week."""
    try:
        date = datetime.date.fromisocalendar(year, week, day)
    except ValueError:
        return str(year), None, day
    return str(date.year), date.month, date.day


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
