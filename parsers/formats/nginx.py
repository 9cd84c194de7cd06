"""nginx error log: level, process, connection, and the request it speaks of.

Columns: time, severity, pid, message, client, method, path, upstream (the address as nginx writes it). Fields: tid, connection,
server, host, referrer. Text that FastCGI sent on stderr may span rows.
Layout: nginx.org/en/docs/ngx_core_module.html#error_log, src/core/ngx_log.c.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import present, severity_of, take_request
from ..lazy import lazily
from ..timestamps import TimeContext, read_time

_ROW = lazily(
    r"(?s)(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) \[(?P<level>[a-z]+)\] (?:(?P<pid>\d+)#(?P<tid>\d+): )?"
    r"(?:\*(?P<connection>\d+) )?(?P<message>.*)$"
)
_KEYS = lazily(r', (client|server|request|subrequest|upstream|host|referrer): (?:"((?:[^"\\]|\\.)*)"|([^,\s]+))')


def parse(text: str, context: TimeContext) -> Event | None:
    """The event that begins with a row of the error log; None for any other row."""
    match = _ROW.match(text)
    if match is None:
        return None
    severity = severity_of(match["level"])
    reading = read_time(match["time"], context)
    if severity is None or reading is None:
        return None
    event = Event(reading[1], match["message"], "nginx_error", severity=severity)
    if match["pid"]:
        event.pid = int(match["pid"]) if len(match["pid"]) < 18 else None
        event.fields["tid"] = match["tid"]
    if match["connection"]:
        event.fields["connection"] = match["connection"]
    take_tail(event)
    return event


def close_rows(event: Event, context: TimeContext) -> None:
    """Reads the end of a message again that went on in further rows: the request is named in the last one."""
    del context
    if event.lines > 1:
        take_tail(event)


def take_tail(event: Event) -> None:
    """What the end of the message says of the request: nginx writes it last, after text of any length."""
    for key, quoted, plain in _KEYS.findall(event.message[-16_384:]):
        value = present(quoted or plain)
        if value is None:
            continue
        if key == "client":
            event.client = value
        elif key == "upstream":
            event.upstream = value
        elif key == "request":
            take_request(event, value)
        else:
            event.fields[key] = value


FORMATS = (
    Format(
        name="nginx_error",
        title="nginx error log",
        samples=(
            '2026/11/23 10:40:29 [notice] 15152#15152: using the "epoll" event method',
            ('2026/11/23 10:41:49 [error] 15156#15156: *3 connect() failed (111: Connection refused) while connecting to '
            'upstream, client: 192.0.2.9, server: shop.example.com, request: "GET /a HTTP/1.1", upstream: '
            '"http://127.0.0.1:8000/a", host: "shop.example.com"'),
            "2026/11/23 10:40:29 [emerg] 7#7: bind() to 0.0.0.0:80 failed (98: Address already in use)",
        ),
        reference="nginx.org/en/docs/ngx_core_module.html#error_log",
        parse=parse,
        close=close_rows,
        priority=20,
        first="12",
    ),
)
