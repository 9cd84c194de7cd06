"""Redis and Valkey server log: pid, role (master, replica, child, sentinel), time, level mark.

Columns: time, pid, severity (`.` debug, `-` verbose, `*` notice, `#` warning), message. Fields: role.
Reference: redis.io/docs/latest/operate/oss_and_stack/management, src/server.c serverLogRaw.
"""

from __future__ import annotations

import re

from ..base import Event, Format
from ..shapes import MONTH
from ..timestamps import TimeContext, read_time

_ROW = re.compile(
    rf"(?s)\[?(?P<pid>\d{{1,9}})\]?(?::(?P<role>[XCSM]))? (?P<time>\d\d? {MONTH} (?:\d{{4}} )?\d\d:\d\d:\d\d(?:\.\d{{1,6}})?) "
    r"(?P<mark>[.*#-]) ?(?P<message>.*)$"
)
_MARKS = {".": "debug", "-": "info", "*": "notice", "#": "warning"}
_ROLES = {"X": "sentinel", "C": "child", "S": "replica", "M": "master"}


def parse(text: str, context: TimeContext) -> Event | None:
    """The event of a row of the server log; None for any other row."""
    match = _ROW.match(text)
    if match is None:
        return None
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
