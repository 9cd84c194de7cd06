"""Access logs: common, combined and what servers add before and after them (nginx, Apache, ingress controllers).

Columns: time, client, method, path (with its query string), status, bytes, duration in seconds, upstream, request_id; the host
is the virtual host where one stands before the client. Fields: user, referrer, user_agent, protocol, forwarded_for,
upstream_time, upstream_status. What a whole number at the end counts is found out for the log (`retrolog.parsers.units`). An
empty, `-` or binary request keeps client, status and bytes.
Layouts: httpd.apache.org/docs/2.4/mod/mod_log_config.html, nginx.org/en/docs/http/ngx_http_log_module.html,
kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/log-format.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..base import Event, Format
from ..columns import REQUEST_ID_KEYS, decimal, integer, present, seconds_of, status_code, take_request
from ..lazy import lazily
from ..shapes import CLF
from ..timestamps import TimeContext, read_time

if TYPE_CHECKING:
    from ..units import Unit

_HEAD = lazily(rf"(?s)(?:\[[A-Za-z][\w-]{{0,30}}\] )?(?P<before>(?:\[[0-9A-Fa-f:.]+\] |\"[^\"\[]{{0,200}}\" |[^\[\"{{]){{0,400}}?)\[(?P<time>{CLF})\](?: (?P<after>.*))?$")
_NOT_CLIENTS = lazily(r"\d:\d\d:\d\d |^<\d| \| ")
_BODY = lazily(r'(?s)"(?P<request>.*?)" (?P<status>\d{3}|-) (?P<bytes>\d+|-)(?P<tail>(?:[ ,].*)?)$')
_STATUS_FIRST = lazily(r'(?s)(?P<status>[1-9]\d\d) "(?P<request>[A-Z][^" ]* [^"]*)" (?P<bytes>\d+|-)(?P<tail>(?:[ ,].*)?)$')
_LOOSE = lazily(r'(?s)"(?P<request>(?:[^"\\]|\\.)*)"(?P<tail>.*)$')
_TOKEN = lazily(r'([\w.-]+)[=:]"((?:[^"\\]|\\.)*)(?:"|\\?$)|"((?:[^"\\]|\\.)*)(?:"|\\?$)|([\w.-]+)=([^\s"]*)|\[([^\]]*)\]|([^\s"]+)')
_ADDRESS = lazily(r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)(?:%\w+)?,?$|unix:")
_PROTOCOL = lazily(r" (HTTP/[\d.]+)$")
_INGRESS = lazily(
    r"(?P<length>\d+) (?P<duration>\d+\.\d+) \[(?P<name>[^\]]*)\] \[(?P<other>[^\]]*)\] (?P<upstream>\S+(?:, \S+)*) "
    r"(?P<size>[\d-]+(?:, [\d-]+)*) (?P<took>[\d.-]+(?:, [\d.-]+)*) (?P<code>[\d-]+(?:, [\d-]+)*)(?: (?P<id>\S+))?"
)
_WHOLE = lazily(r"(\d{1,15})(?:/(\d{1,15}))?,?$")
#: No request takes years: so large a decimal is a moment.
_MOMENT = 1e8
_TRAEFIK = lazily(r'(?P<count>\d+|-) "(?P<router>[^"]*)" "(?P<upstream>[^"]*)" (?P<duration>\d+)ms$')

_DURATION_KEYS = frozenset("rt request_time reqtime req_time duration total_time latency time_taken took response_time".split())
_UPSTREAM_KEYS = frozenset("upstream upstream_addr ups up_addr uaddr upstream_address backend".split())
_UPSTREAM_TIME_KEYS = frozenset("urt upstream_response_time upstream_time ut upt upstream_rt".split())
_UPSTREAM_STATUS_KEYS = frozenset("ust upstream_status us ustatus ups_status".split())


def parse(text: str, context: TimeContext) -> Event | None:
    """The event of an access-log row; None when the row is none."""
    head = _HEAD.match(text)
    if head is None or _NOT_CLIENTS.search(head["before"]):
        return None
    reading = read_time(head["time"], context)
    if reading is None:
        return None
    after = head["after"] or ""
    event = Event(reading[1], after, "access")
    take_clients(event, head["before"])
    take_body(event, after, context.unit)
    named = event.client is not None and _ADDRESS.match(event.client)
    if event.status is None and event.method is None and not after.startswith('"') and not named:
        return None  # a bracketed date alone is some other log
    return event


def take_clients(event: Event, before: str) -> None:
    """Client, virtual host and user from what stands before the time."""
    tokens = before.replace(", ", ",").replace('"', " ").split()
    if not tokens:
        return
    at = next((i for i, token in enumerate(tokens[:3]) if _ADDRESS.match(token.split(",")[0])), 0)
    if at:
        event.host = present(tokens[0])
    clients = tokens[at].split(",")
    event.client = present(clients[0])
    if len(clients) > 1:
        event.fields["forwarded_for"] = tokens[at].replace(",", ", ")
    rest = tokens[at + 1 :]
    if len(rest) >= 2 and present(" ".join(rest[1:])):
        event.fields["user"] = " ".join(rest[1:])


def take_body(event: Event, text: str, unit: Unit | None = None) -> None:
    """Request, status, size and the rest of a row after its time; `unit` is what the log's whole numbers behind them count."""
    body = _BODY.match(text) or _STATUS_FIRST.match(text)
    if body is None:
        loose = _LOOSE.match(text)
        if loose is not None:
            take_request(event, loose["request"])
            _take_tail(event, loose["tail"], unit)
        return
    request = body["request"]
    take_request(event, request)
    protocol = _PROTOCOL.search(request)
    if protocol is not None:
        event.fields["protocol"] = protocol[1]
    if event.method is None and present(request):
        event.fields["request"] = request
    event.status = status_code(body["status"])
    event.bytes = integer(body["bytes"])
    _take_tail(event, body["tail"], unit)


def tail_numbers(text: str) -> tuple[str, Event, tuple[int, ...]] | None:
    """The stamp of a row, what it tells of its request, and the whole numbers behind it; None for a row that names durations itself, or is none."""
    head = _HEAD.match(text)
    after = "" if head is None else head["after"] or ""
    body = _BODY.match(after) or _STATUS_FIRST.match(after)
    if head is None or body is None:
        return None
    event = Event(None, "", "access")
    take_clients(event, head["before"])
    take_request(event, body["request"])
    event.bytes = integer(body["bytes"])
    _, rest = _quoted(body["tail"])
    if _INGRESS.match(rest) or _TRAEFIK.match(rest):
        return None
    told = Event(None, "")
    numbers = _take_tokens(told, rest)
    return None if told.duration is not None else (head["time"], event, tuple(numbers))


def _quoted(tail: str) -> tuple[list[str], str]:
    """Referrer and user agent, as far as there are any, and what stands behind them."""
    quoted: list[str] = []
    rest = tail.lstrip(" ,")
    for _ in range(2):
        match = re.match(r'"((?:[^"\\]|\\.)*)"(?:[ ,]+|$)', rest)
        if match is None:
            break
        quoted.append(match[1])
        rest = rest[match.end() :]
    return quoted, rest


def _take_tail(event: Event, tail: str, unit: Unit | None) -> None:
    quoted, rest = _quoted(tail)
    for name, value in zip(("referrer", "user_agent"), quoted, strict=False):
        if present(value):
            event.fields[name] = value
    if not rest:
        return
    ingress = _INGRESS.match(rest)
    if ingress is not None:
        event.duration = decimal(ingress["duration"])
        event.upstream = present(ingress["upstream"])
        event.request_id = present(ingress["id"])
        event.fields |= {
            "upstream_name": ingress["name"], "upstream_time": ingress["took"], "upstream_status": ingress["code"],
        }  # fmt: skip
        return
    traefik = _TRAEFIK.match(rest)
    if traefik is not None:
        event.duration = int(traefik["duration"]) / 1000
        event.upstream = present(traefik["upstream"])
        event.fields["router"] = traefik["router"]
        return
    numbers = _take_tokens(event, rest)
    if event.duration is None and unit is not None:
        event.duration = unit.of(numbers)


def _take_tokens(event: Event, rest: str) -> list[int]:
    """Takes pairs, addresses and decimals behind the user agent; answers the whole numbers among them, which a row does not explain."""
    floats: list[float] = []
    numbers: list[int] = []
    for key, key_quoted, plain, pair, value, _bracket, bare in _TOKEN.findall(rest):
        if key or pair:
            _take_pair(event, key or pair, key_quoted if key else value)
        elif plain:
            if _ADDRESS.match(plain.split(",")[0]) and "forwarded_for" not in event.fields:
                event.fields["forwarded_for"] = plain
        elif "." in bare:
            number = decimal(bare.rstrip(","))
            if number is not None and 0 <= number < _MOMENT:
                floats.append(number)
        elif whole := _WHOLE.match(bare):
            numbers += [int(digits) for digits in whole.groups() if digits]
    if floats and event.duration is None:
        event.duration = floats[0]
        if len(floats) > 1:
            event.fields.setdefault("upstream_time", str(floats[1]))
    return numbers


def _take_pair(event: Event, key: str, value: str) -> None:
    lowered = key.lower()
    if present(value) is None:
        return
    if lowered in _DURATION_KEYS:
        event.duration = seconds_of(key, value)
    elif lowered in _UPSTREAM_KEYS or (lowered == "ua" and _ADDRESS.match(value.rpartition(":")[0] or value)):
        event.upstream = value
    elif lowered in REQUEST_ID_KEYS:
        event.request_id = value
    elif lowered in _UPSTREAM_TIME_KEYS:
        event.fields["upstream_time"] = value
    elif lowered in _UPSTREAM_STATUS_KEYS:
        event.fields["upstream_status"] = value
    else:
        event.fields[key] = value


FORMATS = (
    Format(
        name="access",
        title="Access log: common, combined, virtual hosts, key=value and ingress tails (nginx, Apache)",
        samples=(
            '192.0.2.7 - alice [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326',
            ('203.0.113.9 - - [23/Nov/2026:10:40:29 +0100] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.1" rt=0.004 '
            'urt="0.003" ust="502" rid=5f2c'),
            'shop.example.com:443 192.0.2.1 - - [23/Nov/2026:10:40:29 +0100] "-" 408 0 "-" "-"',
            '203.0.113.9 - [23/Nov/2026:10:40:29 +0100] 502 "POST /cart HTTP/1.1" 7 0.042',
            ('192.0.2.1, 198.51.100.7 - - [23/Nov/2026:10:40:29 +0000] "POST /x HTTP/2.0" 200 5 "-" "app/1" 320 0.011 '
            "[web-80] [] 10.0.0.4:8080 5 0.010 200 9a1b2c"),
        ),
        reference="httpd.apache.org/docs/2.4/logs.html; nginx.org/en/docs/http/ngx_http_log_module.html",
        parse=parse,
        priority=20,
    ),
)
