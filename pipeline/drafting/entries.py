"""Reads an entry of the timeline as it stands in a document: its time, label and words.

Drafts write `- 12:03:51 — **Onset** words [E1]`. People write the time with or without seconds, with a date or an offset,
and another bullet or dash; all of that is an entry for every command.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from ..wording import SECOND, Clock, zone

TIME = r"(?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[+-]\d\d:\d\d)?"
#: An entry, as a whole line or a list item of several lines.
ENTRY = re.compile(
    rf"\s{{0,3}}[-*+][ \t]+(?:\*\*)?(?P<time>{TIME})(?:\*\*)?[ \t]+[—–-][ \t]+"
    r"(?:\*\*(?P<label>[^*\n]{1,40})\*\*:?[ \t]*)?(?P<words>.*)",
    re.DOTALL,
)
HEADING = re.compile(r"#{1,6}\s")
_ITEM = re.compile(r" ?[-*+][ \t]")
_HALF_A_DAY = 43_200 * SECOND


def instant(value: Any) -> int | None:
    """A front matter time (ISO text, or what YAML made of it) as microseconds since the epoch; None when it is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    at = value if value.tzinfo else value.replace(tzinfo=UTC)
    return round(at.timestamp() * SECOND)


def clock_of(metadata: dict[str, Any]) -> Clock:
    """The clock that a document is written in: its zone, and its window, from whose first day on times need no date.

    Without a window the first onset stands for its beginning.
    """
    window = metadata.get("window")
    bounds = window if isinstance(window, dict) else {}
    start = instant(bounds.get("start"))
    if start is None:
        found = metadata.get("incidents")
        rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        start = next((at for one in rows if (at := instant(one.get("onset"))) is not None), None)
    return Clock(str(metadata.get("zone") or "UTC"), start, instant(bounds.get("end")))


def moment(text: str, clock: Clock) -> int | None:
    """A time as the timeline writes it (`10:43:05`, with a date or an offset where needed) in microseconds.

    Without a date it is on the day of the clock's first moment; a time before that by more than half a day belongs to
    the day after, so that a window across midnight needs no date. None when it is no time.
    """
    match = re.fullmatch(
        r"(?:(\d{4}-\d\d-\d\d)[ T])?(\d{1,2}:\d\d)(:\d\d)?(\.\d{1,6})?\s?([+-]\d\d:\d\d|Z)?", text.strip()
    )
    if match is None:
        return None
    day, hour, second, fraction, offset = match.groups()
    if day is None and clock.first is None:
        return None
    date = day or clock.date(clock.first or 0)
    try:
        at = datetime.fromisoformat(f"{date}T{hour.zfill(5)}{second or ':00'}{fraction or ''}{offset or ''}")
    except ValueError:
        return None
    value = _micros(at, clock)
    if day is None and clock.first is not None and clock.first - value > _HALF_A_DAY:
        value = _micros(at + timedelta(days=1), clock)
    return value


def _micros(at: datetime, clock: Clock) -> int:
    aware = at if at.tzinfo else at.replace(tzinfo=zone(clock.zone_name))
    return round(aware.timestamp() * SECOND)


def items(lines: list[str]) -> list[tuple[int, int, str]]:
    """The entries among lines that people wrote, as (first line, line after the last, time); up to the first heading.

    An entry goes on in the lines below it, in what is indented under it, and has the empty lines that follow it.
    """
    found: list[tuple[int, int, str]] = []
    at = 0
    while at < len(lines) and not HEADING.match(lines[at]):
        entry = ENTRY.fullmatch(lines[at].rstrip())
        stop = _end_of_item(lines, at + 1) if entry else at + 1
        if entry is not None:
            found.append((at, stop, entry["time"]))
        at = stop
    return found


def _end_of_item(lines: list[str], at: int) -> int:
    empty = False
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            empty = True
        elif not line.startswith(("  ", "\t")) and (empty or _ITEM.match(line) or HEADING.match(line)):
            break
        else:
            empty = False
        at += 1
    return at
