"""Chat logs whose rows have a time of day and whose day stands in rows of its own: irssi, mIRC, XChat, Pidgin.

A log is opened, and a new day is told, by a row with a date; the rows below have hours and minutes alone. Where a row's clock
stands more than twelve hours before that of the row above and no row told a new day, midnight has passed. Before any such row there
is no day, and these formats read nothing. Columns: time, message; fields: nick.
References: irssi.org/documentation/settings (autolog, log_open_string, log_day_changed); mirc.com/help (Logging);
hexchat.readthedocs.io (text logs); pidgin.im, the plain text log reader in libpurple/log.c.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ..base import Event, Format
from ..lazy import lazily
from ..timestamps import TimeContext, match_time, read_time
from ..zones import offset_of

_OPENING = lazily(
    r"(?:-{3} Log (?:opened|closed) |Session (?:Start|Time|Close): |\*{4} (?:BEGIN|ENDING) LOGGING AT |Conversation with .{1,200}? at (?=[A-Z0-9]))"
)
_DAY = lazily(r"-{3} Day changed (?:to )?(?P<date>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{4}|\d{4}-\d\d-\d\d)\s*$")
_ROW = lazily(r"(?s)[\[(]?(?P<clock>[012]?\d:[0-5]\d(?::[0-5]\d)?)(?P<half> [AP]M)?[\])]?\s+(?P<message>\S.*)$")
_NICK = lazily(r"<[ @+%&~]?([^<> ]{1,60})> ?|([^\s:]{1,60}): ")
_ZONE = lazily(r"\d\d:\d\d:\d\d (?:[AP]M )?([A-Z]{2,5}|[+-]\d\d:?\d\d)\b")
_HALF_A_DAY = 12 * 3600


def parse(text: str, context: TimeContext) -> Event | None:
    """A row that opens or closes a log, tells a new day, or has a time on the day that such a row told; None for any other row."""
    first = text[:1]
    if first in "-S*C":
        return _day_row(text, context) if first == "-" and "Day" in text[:8] else _opening(text, context)
    day = context.state.get("chat_day")
    match = _ROW.match(text) if day is not None else None
    if day is None or match is None:
        return None
    hour, minute, *rest = (int(part) for part in match["clock"].split(":"))
    if match["half"]:
        hour = hour % 12 + (12 if "P" in match["half"] else 0)
    if hour > 23:
        return None
    clock = hour * 3600 + minute * 60 + (rest[0] if rest else 0)
    if clock < context.state.get("chat_clock", 0) - _HALF_A_DAY:
        context.state["chat_day"] = day = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    context.state["chat_clock"] = clock
    zone = context.state.get("chat_zone", "")
    reading = read_time(f"{day} {hour:02}:{minute:02}:{rest[0] if rest else 0:02}{zone}", context)
    if reading is None:
        return None
    event = Event(reading[1], match["message"], "chat")
    nick = _NICK.match(event.message)
    if nick is not None:
        event.fields["nick"] = nick[1] or nick[2]
    return event


def _opening(text: str, context: TimeContext) -> Event | None:
    """A row that opens or closes a log: its own clock is on its own day."""
    opening = _OPENING.match(text)
    reading = match_time(text, opening.end(), context) if opening is not None else None
    if opening is None or reading is None or reading[1] is None or context.year_left_open:
        return None
    zone = _ZONE.search(text, opening.end())
    offset = offset_of(zone[1]) if zone is not None else None
    context.state["chat_zone"] = f" {zone[1]}" if zone is not None and offset is not None else ""
    _set_day(reading[1], context)
    return Event(reading[1], text, "chat")


def _set_day(time: int, context: TimeContext) -> None:
    """Notes the day of a time where the log is written: in the zone that its opening row names, else in the context's."""
    offset = offset_of(context.state.get("chat_zone", ""))
    written = datetime.fromtimestamp(time // 1_000_000, context.zone if offset is None else timezone(timedelta(seconds=offset)))
    context.state["chat_day"], context.state["chat_clock"] = written.date().isoformat(), 0


def _day_row(text: str, context: TimeContext) -> Event | None:
    """A row that tells a new day: the midnight with which it begins."""
    match = _DAY.match(text)
    if match is None:
        return None
    date = match["date"]
    stamp = f"{date} 00:00:00" if date[0].isdigit() else f"{date[:10]} 00:00:00 {date[11:]}"
    reading = read_time(stamp + context.state.get("chat_zone", ""), context)
    if reading is None or reading[1] is None:
        return None
    _set_day(reading[1], context)
    return Event(reading[1], text, "chat")


FORMATS = (
    Format(
        name="chat",
        title="Chat logs with a row for each day (irssi, mIRC, XChat, Pidgin)",
        samples=(
            "--- Log opened Mon Nov 23 10:40:29 2026",
            "--- Log closed Tue Nov 24 00:10:00 2026",
            "Session Start: Mon Nov 23 10:40:29 2026",
            "**** BEGIN LOGGING AT Mon Nov 23 10:40:29 2026",
        ),
        reference="irssi.org/documentation/settings/#log; mirc.com/help/html/logging.html",
        parse=parse,
        priority=30,
        first="-S*C[(0123456789",
    ),
)
