"""Access logs in an order of their own: a `log_format` or `LogFormat` that some administrator wrote.

Whatever the order, a row with a bracketed CLF time and a request line followed later by a status of three digits is an access
row: the client is the first address, the status the first whole number from 100 to 599 after the request, the duration the
first decimal number with three places (nginx's $request_time) or one with a unit, the bytes the last whole number.
Columns: time, client, method, path, status, bytes, duration; fields: protocol, user_agent (the last quoted text).
Directives: nginx.org/en/docs/http/ngx_http_log_module.html#log_format, httpd.apache.org/docs/2.4/mod/mod_log_config.html.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import integer, take_request
from ..lazy import lazily
from ..shapes import CLF
from ..timestamps import TimeContext, read_time

_TIME = lazily(rf"\[(?P<time>{CLF})\]")
_REQUEST = lazily(r'(?P<quote>"?)\b(?P<request>[A-Z]{3,10} (?:/|\*|https?://)[^\s"]{0,8000} HTTP/\d(?:\.\d)?)(?P=quote)')
_STATUS = lazily(r"(?<![\w.:/-])([1-5]\d\d)(?![\w.:/-])")
_SECONDS = lazily(r"(?<![\w.:/-])(\d{1,5}\.\d{3})(?![\w.:/-])")
_UNIT = lazily(r"(?<![\w.:/-])(\d{1,9}(?:\.\d+)?)(ms|us|s)(?![\w.:/-])")
_WHOLE = lazily(r"(?<![\w.:/-])(\d{1,15})(?![\w.:/-])")
_ADDRESS = lazily(r"(?<![\w.:])(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:.]{2,40})(?![\w.])")
_QUOTED = lazily(r'"((?:[^"\\]|\\.)*)(?:"|\\?$)')
_SCALE = {"ms": 1e3, "us": 1e6, "s": 1.0}


def parse(text: str, context: TimeContext) -> Event | None:
    """The event of an access row in any order; None when the row is none."""
    stamp = _TIME.search(text[:2000])
    if stamp is None:
        return None
    bare = text[: stamp.start()] + " " * (stamp.end() - stamp.start()) + text[stamp.end() :]
    request = _REQUEST.search(bare)
    if request is None:
        return None
    status = _STATUS.search(bare, request.end())
    if status is None:
        return None
    reading = read_time(stamp["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], text, "access_custom", status=int(status[1]))
    take_request(event, request["request"])
    tail = bare[status.end() :]
    address = _ADDRESS.search(bare[: request.start()] + bare[request.end() : status.start()]) or _ADDRESS.search(tail)
    if address is not None:
        event.client = address[1]
    _measures(event, tail)
    return event


def _measures(event: Event, tail: str) -> None:
    """Duration, bytes and user agent from what stands after the status."""
    seconds, unit = _SECONDS.search(tail), _UNIT.search(tail)
    if unit is not None:
        event.duration = float(unit[1]) / _SCALE[unit[2]]
    elif seconds is not None:
        event.duration = float(seconds[1])
    whole = _WHOLE.findall(tail)
    if whole:
        event.bytes = integer(whole[-1])
    quoted = [text for text in _QUOTED.findall(tail) if text not in ("", "-")]
    if quoted and "/" in quoted[-1]:
        event.fields["user_agent"] = quoted[-1]


FORMATS = (
    Format(
        name="access_custom",
        title="Access log in an order of its own (CLF time, request line, status)",
        samples=(
            '[23/Nov/2026:14:18:40 +0100] 198.51.100.105 parcels.example.net "GET /static/north.js HTTP/1.1" 200 0.000 - 142',
            "[23/Nov/2026:15:06:10 +0200] pid=<123> GET /ping HTTP/1.1 -> 200 in 12ms",
            'www.example.net "POST /cart HTTP/2.0" 503 [23/Nov/2026:14:18:41 +0100] 192.0.2.7 5.001 512 "Mozilla/5.0"',
        ),
        reference="nginx.org/en/docs/http/ngx_http_log_module.html#log_format",
        parse=parse,
        priority=64,
    ),
)
