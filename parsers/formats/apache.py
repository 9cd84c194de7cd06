"""Apache httpd error log, 2.2 and 2.4 (its access log is read by `access`).

Columns: time, severity, pid, client, message. Fields: module, tid, referrer.
Reference: httpd.apache.org/docs/2.4/mod/core.html#errorlogformat.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import integer, severity_of
from ..lazy import lazily
from ..timestamps import TimeContext, read_time

_ROW = lazily(
    r"(?s)\[(?P<time>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d(?:\.\d{1,6})? \d{4})\]"
    r"(?P<brackets>(?: \[[^\]]*\])*) ?(?P<message>.*)$"
)
_BRACKET = lazily(r"\[([^\]]*)\]")
_LEVEL = lazily(r"(?:(?P<module>[\w-]*):)?(?P<level>[a-z]+\d?)$")
_PID = lazily(r"pid (\d+)(?::tid (\d+))?$")
_CLIENT = lazily(r"(?:remote|client) (.+?)(?::(\d+))?$")
_REFERRER = lazily(r", referer: (\S+)$")


def parse(text: str, context: TimeContext) -> Event | None:
    """The event that begins with a row of the error log; None for any other row."""
    match = _ROW.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], match["message"], "apache_error")
    for content in _BRACKET.findall(match["brackets"]):
        level, process, client = _LEVEL.match(content), _PID.match(content), _CLIENT.match(content)
        if event.severity is None and level is not None and severity_of(level["level"].rstrip("0123456789")):
            event.severity = severity_of(level["level"].rstrip("0123456789"))
            if level["module"]:
                event.fields["module"] = level["module"]
        elif process is not None:
            event.pid = integer(process[1])
            if process[2]:
                event.fields["tid"] = process[2]
        elif client is not None:
            event.client = client[1]
    if event.severity is None and event.pid is None and event.client is None:
        return None  # a bracketed ctime stamp alone: dmesg -T and others
    referrer = _REFERRER.search(event.message)
    if referrer is not None:
        event.fields["referrer"] = referrer[1]
    return event


FORMATS = (
    Format(
        name="apache_error",
        title="Apache error log",
        samples=(
            "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187:5] File does not exist: /x",
            "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied by server configuration: /export/home/live",
            "[Mon Nov 23 10:40:29.123456 2026] [mpm_event:notice] [pid 1:tid 2] AH00489: Apache/2.4.58 configured",
        ),
        reference="httpd.apache.org/docs/2.4/mod/core.html#errorlogformat",
        parse=parse,
        priority=22,
        first="[",
    ),
)
