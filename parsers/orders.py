"""The order of day, month and year in dates of three numbers: found out once for a log, never row by row.

`05/06/2026` is a day of May in one country and of June in another. A log is written by one program, so all its rows keep
one order: the one that makes dates of all of them, else the one in which they run forward, lie close together, and
touch the window or come shortly before the file's own time. Where nothing tells, the order is the one that the separator has most often
(slashes: month first, or the year where it is short; dots and dashes: day first), and is said to be assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .lazy import lazily
from .years import DAY, SLACK, days_before, year_of

#: A date of three numbers whose year is not first and whole, and a time of day behind it.
_DATE = lazily(rb"(?:^|[\s\[({<|\"',;=-])(\d\d?)([-/.])(\d\d?)\2((?:19|20|21)\d\d|\d\d)(?:, {0,2}| {1,2}| ?-{1,2} ?|[T:\t_;|*])(\d\d?):\d\d")
#: ... or before it, at the start of a row.
_BEHIND = lazily(rb"[\[(]?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?[A-Z]{1,5})?(?:,? {1,2}|,)(\d\d?)([-/.])(\d\d?)\2((?:19|20|21)\d\d|(?<=/)\d\d(?=[\s,;]|$))(?![\d:/])()")
_SHORT = lazily(rb"(?:^|[\s\[({<|\"',;=-])\d([-/.])\d\d?\1\d\d")  # the first number has one digit
_TIMED = lazily(rb"\d:\d\d|\d{4}[-/]\d\d")  # before it: then it is no stamp
_LOOKED = 200  # bytes of a row in which its date stands
_CLOSER = 5  # times closer together that rows must lie for it to tell
_LAST_DAY = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NAMES = {"mdy": "month, day, year", "dmy": "day, month, year", "ymd": "year, month, day"}

#: Line, the three numbers, whether the last is a whole year, the separator.
Date = tuple[int, int, int, int, bool, str]


@dataclass(frozen=True, slots=True)
class DateOrder:
    """In which order a log writes its dates (`mdy`, `dmy` or `ymd`), why, and whether that is certain."""

    order: str
    reason: str
    certain: bool = False
    usual: bool = False

    @property
    def plain(self) -> bool:
        """Whether nobody would read the dates otherwise: nothing has to be said of them."""
        return self.certain and self.usual

    def __str__(self) -> str:
        return f"dates are read as {_NAMES[self.order]}: {self.reason}"


def numeric_date(row: bytes, line: int = 0) -> Date | None:
    """The date of three numbers that stands in a row with a time behind it, or before it at its start; None where there is none."""
    match = _BEHIND.match(row)
    if match is None:
        match = _DATE.search(row[:_LOOKED])
        if match is None or _TIMED.search(row, 0, match.start() + 1):
            return None
    one, sign, two, three, _ = match.groups()
    return line, int(one), int(two), int(three), len(three) == 4, sign.decode()


def usual_order(whole: bool, sign: str) -> str:
    """The order that a separator has most often, for dates with a whole year or one of two digits."""
    if whole:
        return "mdy" if sign == "/" else "dmy"
    return "ymd" if sign == "/" else "dmy"


def in_order(order: str, one: int, two: int, three: int) -> tuple[int, int, int]:
    """Year, month and day of three numbers in an order; a year of two digits lies between 1970 and 2069."""
    year, month, day = {"mdy": (three, one, two), "dmy": (three, two, one), "ymd": (one, two, three)}[order]
    if year < 100:
        year += 2000 if year < 70 else 1900
    return year, month, day


def plan_order(
    rows: Iterable[tuple[int, bytes]], *, window: tuple[int | None, int | None] | None = None, reference: int | None = None
) -> DateOrder | None:
    """The order of the dates in (line, row) pairs of a log; None where it has none.

    `window` and `reference` (the file's own time) are microseconds UTC; they decide where the rows leave it open.
    """
    dates: list[Date] = []
    short = False
    for line, row in rows:
        found = numeric_date(row, line)
        if found is not None and not short:  # the first number is no year: it has one digit, or the clock stands before it
            short = (found[1] < 10 and _SHORT.search(row[:_LOOKED]) is not None) or (not found[4] and _BEHIND.match(row) is not None)
        if found is not None and (not dates or found[1:] != dates[-1][1:]):
            dates.append(found)
    if not dates:
        return None
    whole, sign = dates[0][4:]
    dates = [date for date in dates if date[4:] == (whole, sign)]  # what is written otherwise is no stamp of this log
    usual = usual_order(whole, sign)
    left = [usual, *(order for order in (("mdy", "dmy") if whole else ("ymd", "dmy", "mdy")) if order != usual)]
    if short:  # a year has two digits at least
        usual = "mdy" if sign == "/" and not whole else usual
        left = [usual, *(order for order in left if order not in ("ymd", usual))]
    latest = None if reference is None else reference // 1_000_000 + SLACK
    fitting = {order: sum(_is_date(order, date, latest) for date in dates) for order in left}
    most = max(fitting.values())
    if not most:
        return None  # what looked like dates are none
    if len(known := [order for order in left if fitting[order] == most]) == 1:
        odd = next((date for date in dates if not all(_is_date(order, date, latest) for order in left)), dates[0])
        return DateOrder(known[0], f"line {odd[0]} can be read in no other order", certain=True, usual=known[0] == usual)
    left = known
    days = {order: [_day(order, date) for date in dates if _is_date(order, date, latest)] for order in left}
    back = {order: sum(later < earlier - 1 for earlier, later in pairwise(days[order])) for order in left}
    if len(known := [order for order in left if back[order] == min(back.values())]) == 1:
        return DateOrder(known[0], "so the rows run forward", certain=True, usual=known[0] == usual)
    left = known
    spans = {order: max(days[order]) - min(days[order]) + 1 for order in left}
    least = min(spans.values())
    if len(known := [order for order in left if spans[order] < least * _CLOSER]) == 1:
        return DateOrder(known[0], "so the days follow one another", certain=len(set(days[known[0]])) > 2, usual=known[0] == usual)
    left = known
    timed = _by_time({order: days[order] for order in left}, window, reference)
    if timed is None and not whole and reference is not None:  # a year of two digits may put a date decades ago
        nearest = max(left, key=lambda order: max(days[order]))
        if len({in_order(order, *dates[0][1:4])[0] for order in left}) > 1:
            return DateOrder(nearest, "so the rows lie nearest to the file's time", usual=nearest == usual)
    if usual not in left:
        usual = usual_order(True, sign)  # short years last: the order that the separator has most often with whole ones
    return timed or DateOrder(usual if usual in left else left[0], "assumed, as nothing in the log tells")


def _by_time(
    days: dict[str, list[int]], window: tuple[int | None, int | None] | None, reference: int | None
) -> DateOrder | None:
    """The one order in which rows lie in the window or shortly before the file's time, None where several or none do."""
    if window is not None:
        low, high = (None if bound is None else bound // (DAY * 1_000_000) for bound in window)
        inside = [
            order
            for order, found in days.items()
            if any((low is None or day >= low - 1) and (high is None or day <= high + 1) for day in found)
        ]
        return DateOrder(inside[0], "so rows lie in the window") if len(inside) == 1 else None
    if reference is not None:
        today = reference // (DAY * 1_000_000)
        near = [order for order, found in days.items() if 0 <= today - max(found) + 1 <= 8]
        return DateOrder(near[0], "so the last row is from shortly before the file's time") if len(near) == 1 else None
    return None


def share(orders: Sequence[DateOrder | None]) -> list[DateOrder | None]:
    """The orders of the parts of one log: what is certain of one part holds for those where it is not."""
    known = next((order for order in orders if order is not None and order.certain), None)
    if known is None:
        return list(orders)
    told = DateOrder(known.order, "as in the other parts of the log", certain=True, usual=known.usual)
    return [told if order is not None and not order.certain else order for order in orders]


def _is_date(order: str, date: Date, latest: int | None) -> bool:
    year, month, day = in_order(order, *date[1:4])
    if not (1 <= month <= 12 and 1 <= day <= _LAST_DAY[month]):
        return False
    return latest is None or date[4] or year <= year_of(latest * 1_000_000)


def _day(order: str, date: Date) -> int:
    return days_before(*in_order(order, *date[1:4]))
