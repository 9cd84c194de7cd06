"""The day of rows that have a time of day alone: planned once for a file, stepped at midnight.

Dates stand in rows of their own (a header, a row that tells a new day), in a message beside the same time of day, or in the file's
name; without any, the day is that of a window of less than a day, if the rows can lie in it on one day only. Where the clock falls far back a
new day has begun, once the next row agrees. Where nothing tells the day there is none: a time is never made up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from .lazy import lazily
from .years import DAY, MONTHS, days_before

#: A clock that falls back by more has passed midnight: rows out of order lie nearer, and so does an hour that is repeated.
FELL = 2 * 3600
#: Rows of other kinds at the head of a file in which any date counts; further down only those that speak of logs or days.
_HEADER = 20
#: A window must be shorter than this to tell a day.
_SHORT = DAY * 1_000_000

#: A row that begins with a time of day, as the formats without a date have it.
CLOCK = lazily(rb"(?:\[[A-Z] |\[[a-z]\w{0,20}\] |\d{1,5} )?\[?([012]\d):([0-5]\d):([0-5]\d)(?!\d)")
_DATE = lazily(
    rb"(?<![\d.])(?P<y>(?:19|20)\d\d)[-/.](?P<m>\d\d)[-/.](?P<d>\d\d)(?:[T _](?P<t>[012]\d:[0-5]\d)(?::\d\d)?)?(?!\d)"
    rb"|\b(?P<b>[A-Z][a-z]{2})[a-z]{0,6} {1,2}(?P<d2>\d{1,2}),? (?:(?P<t2>[012]?\d:[0-5]\d)(?::\d\d)? )?(?:[A-Z]{2,5} )?(?P<y2>(?:19|20)\d\d)\b"
    rb"|\b(?P<d3>\d{1,2})[- .](?P<b3>[A-Z][a-z]{2})[a-z]{0,6}[- ](?P<y3>(?:19|20)\d\d)(?:[ :](?P<t3>[012]\d:[0-5]\d))?\b"
)
_SPEAKS = lazily(rb"(?i)\b(?:log(?:s|ging)?|day|date|session|opened|started|begins?|began|created|rotated|changed|midnight)\b")
#: A row that tells that a new day has begun, wherever the clocks before it stood.
_NEW_DAY = lazily(rb"(?i)\b(?:day|date) changed\b|\bnew day\b|\bmidnight\b")


@dataclass(slots=True)
class DayHints:
    """What a file of rows with a time of day tells of its days.

    `steps` are the lines at which a further day begins, `spans` the least and greatest second of each of these days, `told` the dates
    that stand in it: line, number of the day, and the date in days since 1970.
    """

    steps: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    told: list[tuple[int, int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The day of every row of a file (days since 1970), and in words how it was chosen."""

    days: tuple[int, ...]
    steps: tuple[int, ...] = ()
    reason: str = ""

    def day_at(self, line: int) -> int:
        """The day of the row at this line (1-based)."""
        return self.days[bisect_right(self.steps, line)]


def clock_of(row: bytes) -> int | None:
    """The second of the day that a row begins with, None for any other row."""
    match = CLOCK.match(row)
    if match is None:
        return None
    hour, minute, second = (int(part) for part in match.groups())
    return hour * 3600 + minute * 60 + second if hour < 24 else None


def scan_days(rows: Iterable[tuple[int, bytes]]) -> DayHints:
    """Finds the days of a file from its (line, row) pairs, in order.

    A date that does not fit the days before it (an earlier one) is not taken for that of the rows.
    """
    hints = DayHints()
    last: int | None = None
    doubtful: tuple[int, int] | None = None  # line and second of a fall that no second row has confirmed yet
    pending: tuple[int, int, int] | None = None  # line, date and second of a date that stands before its rows

    changed = False

    def take(line: int, second: int) -> None:
        nonlocal last, pending
        if last is None or last - second > FELL:
            if last is not None:
                hints.steps.append(line)
            hints.spans.append((second, second))
        elif pending is not None and (changed if not hints.told else pending[1] > hints.told[-1][2] + len(hints.spans) - 1 - hints.told[-1][1]):
            hints.steps.append(line)  # a day is told that the clocks do not show: hardly anything was written meanwhile
            hints.spans.append((second, second))
        low, high = hints.spans[-1]
        hints.spans[-1] = min(low, second), max(high, second)
        if pending is not None:
            tell(pending[0], pending[1] + (pending[2] - second > FELL))
            pending = None
        last = second

    def tell(line: int, day: int) -> None:
        if not hints.told or day >= hints.told[-1][2]:
            hints.told.append((line, len(hints.spans) - 1, day))

    for line, row in rows:
        second = clock_of(row)
        if second is None:
            found = None if row[:1] in (b" ", b"\t") or not (line <= _HEADER or _SPEAKS.search(row[:200])) else _dated(row[:200])
            if found is not None:
                if doubtful is not None:
                    take(*doubtful)
                    doubtful = None
                pending, changed = (line, *found), _NEW_DAY.search(row[:200]) is not None
            continue
        if doubtful is not None:
            if abs(second - doubtful[1]) <= abs(second - (last or 0)):
                take(*doubtful)
            doubtful = None
        if last is not None and last - second > FELL and pending is None:
            doubtful = line, second
            continue
        take(line, second)
        beside = _dated(row[:400])
        if beside is not None and abs(beside[1] // 60 - second // 60) <= 1 and beside[1]:
            tell(line, beside[0])
    if doubtful is not None:
        take(*doubtful)
    if pending is not None and hints.spans and not hints.told:  # a date below all rows: when the log was closed
        tell(pending[0], pending[1])
    return hints


def plan_days(
    hints: DayHints, *, named: int | None = None, window: tuple[int | None, int | None] | None = None, zone: tzinfo = UTC
) -> DayPlan | None:
    """The day of each row: from dates in rows, else the file's name (`named`, in days since 1970), else a window (microseconds UTC)
    of less than a day in which the rows can lie on one day only. None when nothing tells it."""
    steps = tuple(hints.steps)
    if not hints.spans:
        return None
    if hints.told:
        days = []
        for number in range(len(hints.spans)):
            before = [told for told in hints.told if told[1] <= number] or [hints.told[0]]
            days.append(before[-1][2] + number - before[-1][1])
        return DayPlan(tuple(days), steps, f"as line {hints.told[0][0]} says")
    count = range(len(hints.spans))
    if named is not None:
        return DayPlan(tuple(named + n for n in count), steps, "as the file's name says")
    if window is None or window[0] is None or window[1] is None or window[1] - window[0] >= _SHORT:
        return None
    start, end = (_local(bound, zone) for bound in (window[0], window[1]))
    fitting = []
    for first in range(start // DAY - len(hints.spans), end // DAY + 1):
        spans = [((first + n) * DAY + low, (first + n) * DAY + high) for n, (low, high) in enumerate(hints.spans)]
        if any(low < end and high >= start for low, high in spans):
            fitting.append(first)
    if len(fitting) != 1:
        return None
    return DayPlan(tuple(fitting[0] + n for n in count), steps, "the day on which its rows lie in the window")


def _dated(row: bytes) -> tuple[int, int] | None:
    """The date in a row (days since 1970) and the second of the day beside it, 0 where there is none."""
    match = _DATE.search(row)
    if match is None:
        return None
    year = int(match["y"] or match["y2"] or match["y3"])
    name = match["b"] or match["b3"]
    month = int(match["m"]) if match["m"] else MONTHS.get(name.decode(), 0)
    day = int(match["d"] or match["d2"] or match["d3"])
    clock = match["t"] or match["t2"] or match["t3"]
    try:
        datetime(year, month, day)
    except ValueError:
        return None
    hour, minute = (int(part) for part in clock.split(b":")) if clock else (0, 0)
    return days_before(year, month, day), hour * 3600 + minute * 60


def _local(moment: int, zone: tzinfo) -> int:
    """A time as seconds since 1970 on the clock of a zone."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
    ahead = at.astimezone(zone).utcoffset() or timedelta()
    return moment // 1_000_000 + int(ahead.total_seconds())
