"""Reads the two bounds of a window as people write them, into microseconds since the epoch (UTC)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import BadOption, BadWindow

_CLOCK_ONLY = re.compile(r"^\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?\s*$")
_RELATIVE = re.compile(r"^\s*now\s*(?:([+-])\s*(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d|w)\w*)?\s*$", re.IGNORECASE)
_EPOCH = re.compile(r"^\s*(\d{9,19})(\.\d+)?\s*$")
_UNIT = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open span `[start, end)` in microseconds since the epoch (UTC); None is unbounded."""

    start: int | None = None
    end: int | None = None

    def __contains__(self, time: int) -> bool:
        return (self.start is None or time >= self.start) and (self.end is None or time < self.end)

    def widened(self, before: int, after: int) -> Window:
        """The window with so many microseconds more on either side."""
        return Window(
            None if self.start is None else self.start - before, None if self.end is None else self.end + after
        )


def read_zone(name: str | None) -> tzinfo:
    """The zone of that IANA name or offset (`Europe/Berlin`, `UTC`, `+05:30`); UTC when none is given.

    Raises `BadOption` for a name that no zone has.
    """
    if not name:
        return UTC
    offset = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", name.strip(), re.IGNORECASE)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes >= 24 * 60:
            raise BadOption(f"the zone offset {name!r} is a day or more; try one like +05:30")
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    if name.strip().upper() in ("UTC", "Z", "GMT"):
        return UTC
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise BadOption(f"{name!r} is no time zone; try an IANA name such as Europe/Berlin, or an offset such as +05:30") from exc


def read_window(start: str | None, end: str | None, zone: tzinfo, now: datetime | None = None) -> Window:
    """The window of two bounds as written by the user.

    A bound is anything dateutil reads, `HH:MM` on the date of the other bound, `now-2h`, or an epoch; without an offset
    it is in `zone`. `now` is only asked for a relative bound. Raises `BadWindow` with a sentence.
    """
    if start is None and end is None:
        return Window()
    now = now or datetime.now(UTC)
    first, last = _absolute(start, zone, now, "--from"), _absolute(end, zone, now, "--to")
    if isinstance(first, timedelta) and isinstance(last, timedelta):
        raise BadWindow(f"--from {start} and --to {end} name no day; give a date with one of them, such as '2026-11-23 {start}'")
    if isinstance(first, timedelta) and last is None:
        raise BadWindow(f"--from {start} names no day; give a date with it, such as '2026-11-23 {start}'")
    if isinstance(last, timedelta) and first is None:
        raise BadWindow(f"--to {end} names no day; give a date with it, such as '2026-11-23 {end}'")
    if isinstance(first, timedelta):
        assert isinstance(last, datetime)
        day = last.astimezone(zone)
        first = _on_day(day, first)
        if first > last:  # 23:50 to 00:10 of the next day
            first = _on_day(day - timedelta(days=1), _clock(start or ""))
    elif isinstance(last, timedelta):
        assert isinstance(first, datetime)
        day = first.astimezone(zone)
        last = _on_day(day, last)
        if last < first and _clock(end or "") < timedelta(hours=12) <= timedelta(hours=day.hour, minutes=day.minute):
            last = _on_day(day + timedelta(days=1), _clock(end or ""))
    window = Window(_micros(first), _micros(last))
    if window.start is not None and window.end is not None and window.end <= window.start:
        raise BadWindow(f"the window ends ({end}) before or when it starts ({start}); swap --from and --to, or add the date")
    return window


def moment(text: str, window: Window, zone: tzinfo, option: str) -> int:
    """A moment as people write one, in microseconds (UTC); a time of day alone is on the day on which the window ends, or before its end.

    Raises `BadWindow` with a sentence.
    """
    at = _absolute(text, zone, datetime.now(UTC), option)
    if isinstance(at, timedelta):
        bound = window.end if window.end is not None else window.start
        if bound is None:
            raise BadWindow(f"{option} {text!r} names no day; give a date with it, such as '2026-11-23 {text}'")
        last = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=bound)).astimezone(zone)
        day = _on_day(last, at)
        at = day if day <= last or window.end is None else _on_day(last - timedelta(days=1), at)
    found = _micros(at)
    assert found is not None
    return found


def _absolute(text: str | None, zone: tzinfo, now: datetime, option: str) -> datetime | timedelta | None:
    if text is None:
        return None
    if relative := _RELATIVE.match(text):
        sign, amount, unit = relative.groups()
        if not sign:
            return now
        seconds = float(amount) * _UNIT[unit.lower()]
        return now + timedelta(seconds=seconds if sign == "+" else -seconds)
    if _CLOCK_ONLY.match(text):
        return _clock(text)
    if epoch := _EPOCH.match(text):
        digits = len(epoch[1])
        scale = 1 if digits <= 11 else 10**3 if digits <= 14 else 10**6 if digits <= 17 else 10**9
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(epoch[1] + (epoch[2] or "")) / scale)
    try:
        moment = _parse(text)
    except (ValueError, OverflowError) as exc:
        raise BadWindow(f"{option} {text!r} is no time that can be read; try '2026-11-23 10:21', '10:47' or 'now-2h'") from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _parse(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        from dateutil import parser

        # two different defaults: a text that leaves the day open reads differently with each, and is refused
        a = parser.parse(text, default=datetime(2001, 1, 1))
        b = parser.parse(text, default=datetime(2002, 2, 2))
        if a.replace(tzinfo=None) != b.replace(tzinfo=None):
            raise ValueError("incomplete date") from None
        return a


def _clock(text: str) -> timedelta:
    match = _CLOCK_ONLY.match(text)
    if not match or int(match[1]) > 24 or int(match[2]) > 59 or int(match[3] or 0) > 60:
        raise BadWindow(f"{text!r} is no time of day; try 10:47 or 10:47:30")
    hours, minutes, seconds, fraction = match.groups()
    return timedelta(
        hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0), microseconds=int((fraction or "0").ljust(6, "0"))
    )


def _on_day(day: datetime, clock: timedelta) -> datetime:
    # wall-clock arithmetic on purpose: 10:47 is what the clock on the wall showed, also on a day of 23 hours
    return (day.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).replace(tzinfo=None) + clock).replace(tzinfo=day.tzinfo)


def _micros(moment: datetime | timedelta | None) -> int | None:
    if moment is None:
        return None
    assert isinstance(moment, datetime)
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
