"""Says times, durations and numbers the same way in every document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IANA = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[/_+-][A-Za-z0-9]+)*")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")
SECOND = 1_000_000


def zone(name: str) -> tzinfo:
    """The zone called `name`: an IANA name, `UTC`, or an offset such as `+05:30`; unknown names are UTC.

    The command line has refused unknown names before; a document edited by hand may still hold one.
    """
    match = _OFFSET.fullmatch(name.strip())
    if match:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


@dataclass(frozen=True, slots=True)
class Clock:
    """Writes moments (microseconds since the epoch, UTC) in one zone; `day` is the date that needs no mention.

    `first` and `last` are the ends of what the document covers: where the zone's offset changes between them,
    each time of day carries its offset, since the hour may occur twice.
    """

    zone_name: str
    first: int | None = None
    last: int | None = None

    def at(self, moment: int) -> datetime:
        return (_EPOCH + timedelta(microseconds=moment)).astimezone(zone(self.zone_name))

    def iso(self, moment: int | None) -> str | None:
        """ISO 8601 with offset, at the precision of the moment; None stays None."""
        if moment is None:
            return None
        at = self.at(moment)
        digits = (
            "seconds" if moment % SECOND == 0 else "milliseconds" if moment % 1000 == 0 else "microseconds"
        )
        return at.isoformat(timespec=digits)

    @property
    def shifts(self) -> bool:
        """True where the zone's offset at both ends differs."""
        if self.first is None or self.last is None:
            return False
        return self.at(self.first).utcoffset() != self.at(self.last).utcoffset()

    def time(self, moment: int) -> str:
        """`12:03:51`, with the date before it on another day than `first`, with the offset where that shifts."""
        at = self.at(moment)
        text = at.strftime("%H:%M:%S")
        if self.first is not None and at.date() != self.at(self.first).date():
            text = f"{at:%Y-%m-%d} {text}"
        return f"{text}{self._offset(at)}" if self.shifts else text

    def date(self, moment: int) -> str:
        return f"{self.at(moment):%Y-%m-%d}"

    def stamp(self, moment: int) -> str:
        """`2026-11-23 12:03:51`, without the zone."""
        return f"{self.at(moment):%Y-%m-%d %H:%M:%S}"

    def label(self, moment: int) -> str:
        """The zone as a reader needs it: `Europe/Berlin, UTC+01:00`; plain `UTC` for itself."""
        offset = self._offset(self.at(moment))
        if self.zone_name.upper() in ("UTC", "Z", "ETC/UTC"):
            return "UTC"
        # Only what can be the name of a zone is shown, so that the label is safe to print anywhere.
        named = _IANA.fullmatch(self.zone_name) and not _OFFSET.fullmatch(self.zone_name)
        return f"{self.zone_name}, UTC{offset}" if named else f"UTC{offset}"

    @staticmethod
    def _offset(at: datetime) -> str:
        seconds = int((at.utcoffset() or timedelta()).total_seconds())
        sign = "-" if seconds < 0 else "+"
        return f"{sign}{abs(seconds) // 3600:02}:{abs(seconds) % 3600 // 60:02}"


def duration(microseconds: int) -> str:
    """`850 ms`, `37 s`, `2 min 7 s`, `1 h 4 min`, `2 d 3 h`: at most two units, the smaller one rounded."""
    total = abs(microseconds)
    if total < SECOND:
        return f"{round(total / 1000)} ms" if total else "0 s"
    seconds = round(total / SECOND)
    if seconds < 60:
        return f"{seconds} s"
    for big, small, size, names in (
        (60, 1, 3600, "min s"),
        (3600, 60, 86400, "h min"),
        (86400, 3600, 0, "d h"),
    ):
        whole, rest = divmod(round(seconds / small) * small, big)
        if not size or whole * big + rest < size:
            first, second = names.split()
            return f"{whole} {first} {rest // small} {second}" if rest else f"{whole} {first}"
    raise AssertionError("the last unit takes every duration")


def span(before: int, after: int) -> str:
    """How far two moments are apart, in order: `5 s after`, `37 s before`, `at the same second as`."""
    gap = after - before
    if abs(gap) < SECOND // 2:
        return "at the same second as"
    return f"{duration(gap)} {'after' if gap > 0 else 'before'}"


def number(value: int) -> str:
    return f"{value:,}"


def percent(value: float) -> str:
    """A percentage (0 to 100) at one decimal, two below one; never rounded to 0 or 100 unless it is."""
    if 0 < value < 0.005:
        return "under 0.01 %"
    if 99.95 <= value < 100:
        return "over 99.9 %"
    return (
        f"{value:.2f} %" if 0 < value < 1 else f"{value:.1f} %" if value not in (0, 100) else f"{value:.0f} %"
    )


def seconds(value: float | None) -> str:
    """A length in seconds as `4 ms` or `1.25 s`; a dash where it was not logged."""
    if value is None:
        return "–"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def plural(count: int, noun: str, many: str = "") -> str:
    return f"{number(count)} {noun if count == 1 else many or noun + 's'}"


def brief(text: str, limit: int = 96) -> str:
    """Text cut at a word within `limit` characters, for places that repeat what an entry says in full."""
    text = text.strip()
    if len(text) <= limit:
        return text
    return f"{text[:limit].rsplit(None, 1)[0].rstrip(' ,;:.(')} …"


def sentence(text: str) -> str:
    """Text with a full stop at its end."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."
