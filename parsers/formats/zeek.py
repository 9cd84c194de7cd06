"""Zeek's (Bro's) logs of tab-separated values, whose `#fields` row names the columns; Zeek's JSON is read as JSON.

Columns: time, client, method, path, status, bytes, duration, host (of an HTTP request), message; everything else goes to
`fields`. The rows that begin with `#` are undated events of their own.
Reference: docs.zeek.org/en/master/log-formats.html.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import decimal, integer, path_of, present, status_code
from ..timestamps import TimeContext, epoch_time, read_time

_DIRECTIVES = ("separator", "set_separator", "empty_field", "unset_field", "path", "open", "close", "fields", "types")
_EMPTY = ("-", "(empty)", "")


def parse(text: str, context: TimeContext) -> Event | None:
    """A directive, or a row of values in the order that `#fields` gave; None for any other row."""
    if text.startswith("#"):
        name, *values = text[1:].replace(" ", "\t", 1).split("\t") if text.startswith("#separator") else text[1:].split("\t")
        if name not in _DIRECTIVES or not values:
            return None
        if name == "fields":
            context.state["zeek"] = values
        elif name == "path":
            context.state["zeek_path"] = values[0]
        context.begin()
        return Event(None, text, "zeek")
    names: list[str] | None = context.state.get("zeek")
    if names is None or names[0] != "ts" or "\t" not in text:
        return None
    row = {name: value for name, value in zip(names, text.split("\t"), strict=False) if value not in _EMPTY}
    stamp = row.pop("ts", "")
    number = decimal(stamp)
    if number is not None:
        context.begin()
        context.counts["epoch"] += 1
        time = epoch_time(int(stamp.partition(".")[0])) if "." not in stamp else _exact(stamp)
    else:  # with LogAscii::use_json=F and ISO timestamps
        reading = read_time(stamp, context)
        if reading is None:
            return None
        time = reading[1]
    event = Event(time, text, "zeek", service=context.state.get("zeek_path"))
    event.client = present(row.pop("id.orig_h", None))
    event.duration = decimal(row.pop("duration", None))
    if "method" in row:
        event.method = row.pop("method")
        event.path = path_of(row.pop("uri", "")) or None
        event.status = status_code(row.pop("status_code", None))
        event.bytes = integer(row.pop("response_body_len", None))
        event.host = row.pop("host", None)
    event.message = next((row.pop(name) for name in ("message", "msg", "note") if name in row), text)
    event.fields = dict(row)
    return event


def _exact(stamp: str) -> int | None:
    whole, _, fraction = stamp.partition(".")
    seconds = epoch_time(int(whole)) if whole.isdecimal() and len(whole) < 12 else None
    return None if seconds is None or not fraction.isdecimal() else seconds + int((fraction + "000000")[:6])


FORMATS = (
    Format(
        name="zeek",
        title="Zeek (Bro) logs with tabs",
        samples=("#fields\tts\tuid\tid.orig_h\tmethod\turi\tstatus_code", "#path\thttp", "#close\t2026-11-23-10-40-29"),
        reference="docs.zeek.org/en/master/log-formats.html",
        parse=parse,
        priority=13,
    ),
)
