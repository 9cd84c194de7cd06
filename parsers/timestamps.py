"""Every way of writing a time, read to microseconds since the epoch in UTC.

`match_time` reads a stamp at a place in a line, `read_time` a text that is nothing but a stamp, `epoch_time` a number.
What a stamp leaves open (zone, year, which pass of a doubled hour) comes from the `TimeContext`, which counts what had
to be assumed. Nothing here looks at the machine's zone, clock or locale.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from .days import DayPlan
from .notations import month_of, ordered, shapes_at
from .years import (
    LATE,
    SLACK,
    YearHints,
    YearPlan,
    date_of_day,
    date_of_week,
    days_before,
    nearest_year,
    plan_years,
    second_of_year,
)
from .zones import SHARED, local_offsets, named_zone, offset_of

if TYPE_CHECKING:
    from .units import Unit

#: What a reading is: where in the text it ends, and the time; None where the stamp is plain but its year is not known.
Reading = tuple[int, int | None]

_DAYS_IN_MONTH = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_HALF = 183 * 86_400
_SECOND = 1_000_000
#: How late a row may be and still be of the first pass of a doubled hour, before and after the second has begun.
_LATE_ROW = 600 * _SECOND
_LATE_AGAIN = 60 * _SECOND
_NEARLY_A_DAY = 20 * 3600 * _SECOND
_CACHE_LIMIT = 20_000


@dataclass(slots=True)
class TimeContext:
    """How the times of one file are read: its zone and year where the rows name none, and what was assumed so far.

    `zone_given` tells a stated zone from the default. `year` is that of the first row. `plan` holds the year of every
    year-less row where the file was scanned for them (`retrolog.parsers.years`); without it years are followed row by row
    from `year`, `window` or `reference` (microseconds UTC). `told_year` is a year that a whole date in a row
    tells, and its line. `days` is the day of every row that has a time of day alone (`retrolog.parsers.days`), `asked` the window that may tell it. `order` is that of dates of three numbers (`retrolog.parsers.orders`), `unit` what
    whole numbers at the end of access logs count (`retrolog.parsers.units`). `line` is the row being read. `counts` has, of all events:
    own_offset, zone_less, `word:IST` (a word of several zones, read as its commonest one), year_less, doubled_hour (happened twice; `doubled_hour_second` of them taken as the second pass),
    skipped_hour (never happened), epoch, no_year. `state` is the formats' own: what a header said of the rows below it.
    """

    zone: tzinfo = UTC
    zone_given: bool = False
    year: int | None = None
    reference: int | None = None
    window: tuple[int | None, int | None] | None = None
    plan: YearPlan | None = None
    days: DayPlan | None = None
    asked: tuple[int | None, int | None] | None = None
    order: str | None = None
    unit: Unit | None = None
    told_year: tuple[int, int] | None = None
    line: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    _last: int | None = None  # the last time accepted: tells the passes of a doubled hour apart
    _second_pass: bool = False  # that time was in the second pass of a doubled hour
    _anchor: tuple[int, int] | None = None  # year and second_of_year of the last year-less row
    _before: tuple[int, int] | None = None  # the anchor before the year stepped, until a row confirms the step
    _kinds: tuple[str, ...] = ()
    _read: int | None = None
    _next: tuple[tuple[int, int] | None, tuple[int, int] | None] | None = None
    _offsets: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    _cache: dict[str, tuple[Reading, tuple[str, ...]]] = field(default_factory=dict)

    def accept(self, time: int | None) -> None:
        """Takes the last reading as that of an event with this time: what it assumed is counted, the year follows it."""
        if self._kinds:
            self._second_pass = "doubled_hour_second" in self._kinds
            self.counts.update(self._kinds)
            self._kinds = ()
        if self._next is not None:
            self._anchor, self._before = self._next
            self._next = None
        if time is not None:
            self._last = time

    def begin(self) -> None:
        """Forgets what an earlier attempt at the same row read: called before a stamp is put together by hand."""
        self._kinds = ()
        self._next = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Lets a row inside a row be read without changing what is known of the outer row's time."""
        kinds, following = self._kinds, self._next
        try:
            yield
        finally:
            self._kinds, self._next = kinds, following

    def far_off(self, time: int) -> bool:
        """Whether a time lies more than a day from that of the event before."""
        return self._last is not None and abs(time - self._last) > 86_400 * _SECOND

    @property
    def year_missing(self) -> bool:
        """Whether the last reading was a plain stamp that only lacks a year that nothing tells."""
        return "no_year" in self._kinds

    @property
    def zone_left_open(self) -> bool:
        """Whether the last reading was of a stamp without a zone."""
        return "zone_less" in self._kinds

    @property
    def year_left_open(self) -> bool:
        """Whether the last reading was of a stamp without a year, whether or not something else tells it."""
        return "year_less" in self._kinds

    def local(self, seconds: int, micros: int, word: str | None) -> int:
        """Microseconds UTC of a local time (`seconds` since 1970 on its own clock), by zone word or the context's zone."""
        known = self._offsets.get(seconds // 900)
        if word:
            stripped = word.strip()
            if stripped.isalpha() and stripped not in ("Z", "z", "UTC", "GMT"):
                if known is None:
                    known = self._remember(seconds)
                if known[2] == stripped.upper():  # the source's own word: India, Israel and Ireland all write IST
                    self._kinds += ("own_offset",)
                    return (seconds - known[0]) * _SECOND + micros
            offset = offset_of(stripped)
            if offset is not None:
                self._kinds += ("own_offset", f"word:{stripped.upper()}") if stripped.upper() in SHARED else ("own_offset",)
                return (seconds - offset) * _SECOND + micros
        if known is None:
            known = self._remember(seconds)
        first, second, _ = known
        self._kinds += ("zone_less",)
        time = (seconds - first) * _SECOND + micros
        if first == second:
            return time
        if first < second:
            self._kinds += ("skipped_hour",)
            return time
        self._kinds += ("doubled_hour",)
        later = (seconds - second) * _SECOND + micros
        if self._last is None or time >= self._last:
            return time
        # The clock seems to have gone back: either the hour has begun anew, or the row is merely late.
        if self._last - time <= (_LATE_AGAIN if self._second_pass else _LATE_ROW):
            return time
        self._kinds += ("doubled_hour_second",)
        return later

    def _remember(self, seconds: int) -> tuple[int, int, str]:
        known = local_offsets(self.zone, seconds)
        if len(self._offsets) > _CACHE_LIMIT:
            self._offsets.clear()
        self._offsets[seconds // 900] = known
        return known

    def on_day(self, clock: str) -> int | None:
        """Microseconds UTC of a time of day (`10:40:29.123`) in the row being read; None when nothing tells its day."""
        if self.days is None:
            return None
        hour, minute, rest = clock.split(":")
        second, _, fraction = rest.replace(",", ".").partition(".")
        of_day = int(hour) * 3600 + int(minute) * 60 + int(second)
        micros = int((fraction + "000000")[:6])
        day = self.days.day_at(self.line)
        time = self.local(day * 86_400 + of_day, micros, None)
        if self._last is not None and time - self._last > _NEARLY_A_DAY:
            kinds, self._kinds = self._kinds, ()
            earlier = self.local((day - 1) * 86_400 + of_day, micros, None)
            if abs(earlier - self._last) <= _LATE_ROW:
                return earlier  # a row of the evening that came late
            self._kinds = kinds
        return time

    def yearless(self, month: int, day: int, second: int, micros: int, word: str | None) -> int | None:
        """Microseconds UTC of a stamp without a year; None when nothing tells the year or it has no such day."""
        stamp = second_of_year(month, day, second)
        self._kinds += ("year_less",)
        year = self._year_for(stamp)
        if year is None or not _is_day(year, month, day):
            self._kinds += ("no_year",)
            return None
        kinds = self._kinds
        time = self.local(days_before(year, month, day) * 86_400 + second, micros, word)
        early = self.year is None and self.reference is not None and self.window is None
        if early and time > (self.reference or 0) + SLACK * _SECOND and _is_day(year - 1, month, day):
            self._kinds = kinds  # a clock that ran ahead, or a row from the year before: it must not move the others
            self._next = None
            return self.local(days_before(year - 1, month, day) * 86_400 + second, micros, word)
        return time

    def _year_for(self, stamp: int) -> int | None:
        anchor, before = self._anchor, self._before
        if self.plan is not None:
            year = self.plan.year_at(self.line)
            if anchor is None or anchor[0] != year or self.plan.falling:
                self._next = ((year, stamp), None)
                return year
            if anchor[1] - stamp > _HALF and 366 * 86_400 - (anchor[1] - stamp) <= LATE:
                return year + 1
            near = nearest_year(year, stamp, anchor[1])
            if near == year:
                self._next = ((year, stamp), None)
            return near
        if anchor is None:
            hints = YearHints([], [stamp], [stamp], [stamp // 86_400 == 59])
            plan = plan_years(hints, year=self.year, window=self.window, reference=self.reference, told=self.told_year)
            if plan is None:
                return None
            self._next = ((plan.first_year, stamp), None)
            return plan.first_year
        if before is not None and abs(stamp - before[1]) < abs(stamp - anchor[1]):
            anchor = before  # the row that stepped the year stood alone
        if anchor[1] - stamp > _HALF:
            self._next = ((anchor[0] + 1, stamp), anchor)
            return anchor[0] + 1
        year = nearest_year(anchor[0], stamp, anchor[1])
        if year == anchor[0]:
            self._next = ((year, stamp), None)
        return year


def _is_day(year: int, month: int, day: int) -> bool:
    if not (1 <= month <= 12 and 1 <= day <= _DAYS_IN_MONTH[month]):
        return False
    return not (month == 2 and day == 29 and (year % 4 or (year % 100 == 0 and year % 400)))


_TAI64N = re.compile(r"@([0-9a-fA-F]{16})([0-9a-fA-F]{8})?\b")
#: What Go's `Time.String` and JavaScript's `Date.toString` write behind an offset: the zone's name, the monotonic clock.
_BEHIND_OFFSET = re.compile(r"(?<=[+-]\d{4})(?: (?:[A-Z]{1,5}|[+-]\d\d(?:\d\d)?)(?![\w+-])| \([^()]{1,60}\))?(?: m=[+-]\d{1,20}\.\d{1,9})?$")
_EPOCH_TEXT = re.compile(r"\+?(\d{9,19})(?:[.,](\d{1,9}))?(?![\w.])")
_GROUPS = ("y", "mo", "d", "h", "mi", "s", "f", "p", "z")
_UNORDERED = ("a", "b", "c", "h", "mi", "s", "f", "p", "z")


def match_time(text: str, position: int, context: TimeContext) -> Reading | None:
    """Reads the stamp that begins at `position`: where it ends and its time; None when there is none."""
    if text[position : position + 1] == "@":
        return _tai64n(text, position, context)
    shapes, position = shapes_at(text, position)
    for shape in shapes:
        match = shape.match(text, position)
        if match is not None:
            found = _read(match, context)
            if found is not None:
                return found
    return None


def read_time(text: str, context: TimeContext) -> Reading | None:
    """Reads a text that is nothing but a stamp (any shape, or an epoch of ten digits and more); None when it is not."""
    cached = context._cache.get(text)
    if cached is not None:
        context._kinds = cached[1]
        return cached[0]
    context._kinds = ()
    context._next = None
    stripped = text.strip(" \t\"'")
    if stripped[:1] == "[" and stripped[-1:] == "]":
        stripped = stripped[1:-1]
    found = match_time(stripped, 0, context)
    if found is not None and found[0] != len(stripped) and _BEHIND_OFFSET.match(stripped, found[0]):
        found = (len(stripped), found[1])
    if found is None or found[0] != len(stripped):
        match = _EPOCH_TEXT.fullmatch(stripped)
        time = epoch_text(match) if match is not None else None
        if time is None:
            context._kinds = ()
            return None
        context._kinds = ("epoch",)
        found = (len(stripped), time)
    found = (len(text), found[1])
    if not {"year_less", "doubled_hour"} & set(context._kinds):
        if len(context._cache) > _CACHE_LIMIT:
            context._cache.clear()
        context._cache[text] = (found, context._kinds)
    return found


def _read(match: re.Match[str], context: TimeContext) -> Reading | None:
    """The time of a matched shape; None when its numbers are no date."""
    groups = match.re.groupindex
    if "a" in groups:
        one, two, three, hour, minute, second, fraction, half, zone = match.group(*_UNORDERED)
        year_text, month, day = ordered(one, two, three, match["o"], context.order)
    elif "sd" in groups:
        return _ordinal(match, context)
    elif "yd" in groups:
        year_text, of_year, hour, minute, second, fraction, half, zone = match.group("y", "yd", "h", "mi", "s", "f", "p", "z")
        month, day = date_of_day(int(year_text), int(of_year))
    elif "yw" in groups:
        year_text, week, of_week, hour, minute, second, fraction, half, zone = match.group("y", "yw", "wd", "h", "mi", "s", "f", "p", "z")
        year_text, month, day = date_of_week(int(year_text), int(week), int(of_week))
    else:
        year_text, month_text, day_text, hour, minute, second, fraction, half, zone = match.group(*_GROUPS)
        month, day = month_of(month_text), int(day_text)
        if "z2" in groups:
            zone = match["z2"] or zone
    hours = int(hour)
    if half:
        if hours < 1:
            return None
        if hours <= 12:  # some programs add the word to a clock of 24 hours
            hours = hours % 12 + (12 if half[0] in "pP" else 0)
    if month is None or not 1 <= day <= _DAYS_IN_MONTH[month] or hours > 23:
        return None
    of_day = hours * 3600 + int(minute) * 60 + int(second or 0)
    micros = int((fraction + "000000")[:6]) if fraction else 0
    context._kinds = ()
    context._next = None
    if not year_text:
        return match.end(), context.yearless(month, day, of_day, micros, zone)
    year = int(year_text)
    if year < 100:
        year += 2000 if year < 70 else 1900
    if not _is_day(year, month, day):
        return None
    seconds = days_before(year, month, day) * 86_400 + of_day
    if not zone and "r" in groups and match["r"]:
        region = named_zone("UTC" if match["r"] == "GMT" else match["r"])
        if region is not None:
            context._kinds = ("own_offset",)
            return match.end(), (seconds - local_offsets(region, seconds)[0]) * _SECOND + micros
    if zone and "/" in zone:
        region = named_zone(zone.strip())
        if region is not None:
            context._kinds = ("own_offset",)
            return match.end(), (seconds - local_offsets(region, seconds)[0]) * _SECOND + micros
        return match.end() - len(zone), context.local(seconds, micros, None)
    return match.end(), context.local(seconds, micros, zone)


def _ordinal(match: re.Match[str], context: TimeContext) -> Reading | None:
    """The time of a day of the year and a second of that day; None when there are no such."""
    year, of_year, of_day = (int(part) for part in match.group("y", "yd", "sd"))
    month, day = date_of_day(year, of_year)
    if month is None or of_day >= 86_400 or not _is_day(year, month, day):
        return None
    context._kinds = ()
    context._next = None
    return match.end(), context.local(days_before(year, month, day) * 86_400 + of_day, 0, None)


def _tai64n(text: str, position: int, context: TimeContext) -> Reading | None:
    """TAI64N labels (cr.yp.to/libtai/tai64.html); multilog and svlogd write TAI = UTC + 10 s."""
    match = _TAI64N.match(text, position)
    if match is None:
        return None
    seconds = int(match[1], 16) - (1 << 62) - 10
    nanos = int(match[2] or "0", 16)
    if not 0 <= seconds < 7_258_118_400 or nanos >= 1_000_000_000:
        return None
    context._kinds = ("own_offset",)
    context._next = None
    return match.end(), seconds * _SECOND + nanos // 1000


def epoch_text(match: re.Match[str]) -> int | None:
    """The time of a matched epoch number: whole digits and fraction kept exact."""
    whole, fraction = match.group(1, 2)
    if not fraction:
        return epoch_time(int(whole))
    scale = _scale(int(whole))
    if scale is None:
        return None
    return (int(whole) * 10**9 + int((fraction + "000000000")[:9])) * scale // 10**12


def _scale(whole: int) -> int | None:
    """Nanoseconds times 1000 in a unit of an epoch number, told by its magnitude; None when it is no date after 1973."""
    if 100_000_000 <= whole < 10_000_000_000:
        return 1_000_000_000
    if whole < 100_000_000_000:
        return None
    if whole < 10_000_000_000_000:
        return 1_000_000
    if 100_000_000_000_000 <= whole < 10_000_000_000_000_000:
        return 1_000
    if 100_000_000_000_000_000 <= whole < 9_223_372_036_854_775_808:
        return 1
    return None


def epoch_time(value: float) -> int | None:
    """Microseconds since the epoch of a number of seconds, milli-, micro- or nanoseconds, told by its magnitude."""
    if isinstance(value, float):
        if not 0 < value < 1e19:
            return None
        scale = _scale(int(value))
        return None if scale is None else round(value * scale / 1000)
    scale = _scale(value)
    return None if scale is None else value * scale // 1000
