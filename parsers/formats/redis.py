"""Redis and Valkey server log: pid, role (master, replica, child, sentinel), time, level mark.

Columns: time, pid, severity (`.` debug, `-` verbose, `*` notice, `#` warning), message. Fields: role.
Reference: redis.io/docs/latest/operate/oss_and_stack/management, src/server.c serverLogRaw.
"""

from __future__ import annotations

from ..base import Event, Format
from ..lazy import lazily
from ..shapes import MONTH
from ..timestamps import TimeContext, epoch_time, read_time

_ROW = lazily(
    rf"(?s)\[?(?P<pid>\d{{1,9}})\]?(?::(?P<role>[XCSM]))? (?P<time>\d\d? {MONTH} (?:\d{{4}} )?\d\d:\d\d:\d\d(?:\.\d{{1,6}})?) "
    r"(?P<mark>[.*#-]) ?(?P<message>.*)$"
)
_SIGNAL = lazily(r"(?P<pid>\d{1,9}):signal-handler \((?P<time>\d{9,11})\) (?P<message>.*)$")
_MARKS = {".": "debug", "-": "info", "*": "notice", "#": "warning"}
_ROLES = {"X": "sentinel", "C": "child", "S": "replica", "M": "master"}


def _parse_signal(text: str, context: TimeContext) -> Event | None:
    """A row that a signal handler wrote, with an epoch in place of a date (serverLogRawFromHandler in src/server.c)."""
    match = _SIGNAL.match(text)
    if match is None:
        return None
    context.begin()
    context.counts["epoch"] += 1
    return Event(epoch_time(int(match["time"])), match["message"], "redis", severity="notice", pid=int(match["pid"]))


def parse(text: str, context: TimeContext) -> Event | None:
    """The event of a row of the server log; None for any other row."""
    match = _ROW.match(text)
    if match is None:
        return _parse_signal(text, context)
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], match["message"], "redis", severity=_MARKS[match["mark"]], pid=int(match["pid"]))
    if match["role"]:
        event.fields["role"] = _ROLES[match["role"]]
    return event


FORMATS = (
    Format(
        name="redis",
        title="Redis and Valkey",
        samples=(
            "15137:C 23 Nov 2026 10:40:29.318 # Redis version=7.0.15, bits=64, just started",
            "15137:M 23 Nov 2026 10:40:29.328 * monotonic clock: POSIX clock_gettime",
            "[4018] 14 Nov 07:01:22.119 * Background saving terminated with success",
        ),
        reference="redis.io/docs/latest/operate/oss_and_stack/management/config",
        parse=parse,
        priority=20,
        first="[0123456789",
    ),
)
