"""logfmt: rows of key=value pairs in any order (Go loggers, Heroku, Grafana, structlog).

A row is logfmt when it is pairs from its start to near its end and names a time or a level; columns are found by the names that
JSON loggers use too. `message` is the message key's value.
Reference: brandur.org/logfmt, pkg.go.dev/github.com/go-logfmt/logfmt, pkg.go.dev/log/slog#TextHandler.
"""

from __future__ import annotations

import re

from ..base import Event, Format
from ..columns import syslog_severity
from ..lazy import lazily
from ..timestamps import TimeContext
from .json_lines import record_event

_START = lazily(r'(?:<(\d{1,3})>\s{0,2})?(?:(\d{1,3}(?:\.\d{1,3}){3})\s{1,2})?(?=[A-Za-z_@][\w.@/-]{0,63}=(?:"|\S|$))')
_PAIR = lazily(r'\s*([A-Za-z_@][\w.@/:-]{0,127})(?:=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s"]*)))?(?=\s|$)')
_LABEL = lazily(r"[\w.-]{1,64}$")
_ESCAPE = lazily(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_MARKS = frozenset("time timestamp ts t @timestamp level lvl severity msg message event at log_level datetime Timestamp Time Level Severity SeverityText Body".split())

_SURE = 3  # names of a record's own (its time, level and message) that make it one, whatever a value without quotes holds


def pairs_of(text: str) -> dict[str, object] | None:
    """The pairs of a logfmt row; None when the row is something else."""
    record: dict[str, object] = {}
    position, bare = 0, 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            break
        key, quoted, plain = match.groups()
        if quoted is not None:
            record.setdefault(key, _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), quoted) if "\\" in quoted else quoted)
        elif plain is not None:
            record.setdefault(key, plain)
        else:
            bare += 1
        position = match.end()
    rest = text[position:].strip()
    if len(record) < 2 or bare > len(record):
        return None
    if len(rest) > len(text) // 2 and len(_MARKS & record.keys()) < _SURE:
        return None
    if rest:
        record.setdefault("rest", rest)
    return record


def parse_ltsv(text: str, context: TimeContext) -> Event | None:
    """The event of a row of labelled tab-separated values that names a time; None for any other row."""
    if text.count("\t") < 2:
        return None
    record: dict[str, object] = {}
    for piece in text.split("\t"):
        label, colon, value = piece.partition(":")
        if not colon or _LABEL.match(label) is None:
            return None
        record.setdefault(label, value)
    event = record_event(record, text, context, "ltsv")
    return event if event.time is not None else None


def parse(text: str, context: TimeContext) -> Event | None:
    """The event of a logfmt row; None for any other row."""
    start = _START.match(text)
    if start is None:
        return None
    record = pairs_of(text[start.end() :])
    if record is None or not _MARKS & record.keys():
        return None
    event = record_event(record, text, context, "logfmt")
    if event.time is None and not context.year_missing and event.severity is None:
        return None
    if start[1] and event.severity is None:
        event.severity = syslog_severity(int(start[1]))
    if start[2] and event.host is None:
        event.host = start[2]  # a collector put the sender's address before what it wrote
    return event


FORMATS = (
    Format(
        name="ltsv",
        title="Labelled tab-separated values",
        samples=(
            "time:2026-11-23T10:40:29Z\thost:192.0.2.1\treq:GET / HTTP/1.1\tstatus:200",
            "host:192.0.2.1\ttime:[23/Nov/2026:10:40:29 +0900]\tmethod:GET\turi:/a\tstatus:404",
        ),
        reference="ltsv.org",
        parse=parse_ltsv,
        priority=38,
    ),
    Format(
        name="logfmt",
        title="logfmt",
        samples=(
            'ts=2026-11-23T11:07:41.727737Z level=info event="order placed" order=20557 request_id=1da3871d logger=shop',
            'level=error msg="connect: \\"refused\\"" err=EOF time="2026-11-23T10:40:29+01:00"',
            "time=2026-11-23T10:40:29.123Z level=WARN msg=slow duration_ms=5301 path=/checkout status=200",
        ),
        reference="brandur.org/logfmt; pkg.go.dev/log/slog#TextHandler",
        parse=parse,
        priority=40,
    ),
)
