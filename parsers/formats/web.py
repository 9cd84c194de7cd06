"""Proxies and load balancers: HAProxy, Envoy, AWS (ALB, ELB, NLB, S3, VPC flows), Squid, and W3C extended logs (IIS, CloudFront).

Columns: time, client, method, path, status, bytes, duration in seconds, upstream. Fields: what else the row names.
References: docs.haproxy.org (8. Logging), envoyproxy.io access log usage, docs.aws.amazon.com (access logs of each service),
wiki.squid-cache.org/Features/LogFormat, w3.org/TR/WD-logfile.html.
"""

from __future__ import annotations

import re
from typing import Any

from ..base import Event, Format
from ..columns import decimal, integer, present, status_code, take_http, take_request
from ..lazy import lazily
from ..shapes import CLOCK, MONTH
from ..timestamps import TimeContext, read_time

_ALB = lazily(
    r"(?P<type>http|https|h2|grpcs|ws|wss) (?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z) (?P<balancer>\S+) (?P<client>\S+) (?P<upstream>\S+) "
    r"(?P<t1>[\d.-]+) (?P<t2>[\d.-]+) (?P<t3>[\d.-]+) (?P<status>\d+|-) (?P<target_status>\d+|-) (?P<received>\d+|-) (?P<bytes>\d+|-) "
    r'"(?P<request>.*?)" "(?P<user_agent>.*?)"(?P<rest>.*)$'
)
_ELB = lazily(
    r"(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z) (?P<balancer>[\w-]+) (?P<client>\S+:\d+) (?P<upstream>\S+:\d+|-) (?P<t1>[\d.-]+) (?P<t2>[\d.-]+) "
    r"(?P<t3>[\d.-]+) (?P<status>\d+|-) (?P<target_status>\d+|-) (?P<received>\d+|-) (?P<bytes>\d+|-) "
    r'"(?P<request>.*?)"(?: "(?P<user_agent>.*?)")?(?P<rest>.*)$'
)
_NLB = lazily(
    r"(?P<type>tls|tcp) \d\.\d (?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z?) (?P<balancer>\S+) (?P<listener>\S+) (?P<client>\S+:\d+) (?P<upstream>\S+:\d+|-) "
    r"(?P<millis>\d+|-) (?P<handshake>\d+|-) (?P<received>\d+|-) (?P<bytes>\d+|-) (?P<rest>.*)$"
)
_ENVOY = lazily(
    r'(?s)\[(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z)\] "(?P<request>[^"]*)" (?P<status>\d+) (?P<flags>\S+)(?P<details>(?: [^\s"]+| "[^"]*")*?) '
    r"(?P<received>\d+) (?P<bytes>\d+) (?P<millis>\d+) (?P<service_time>\d+|-) \"(?P<forwarded_for>[^\"]*)\" \"(?P<user_agent>[^\"]*)\" "
    r'"(?P<request_id>[^"]*)" "(?P<authority>[^"]*)" "(?P<upstream>[^"]*)"(?P<rest>.*)$'
)
_S3 = lazily(
    r'(?P<owner>[0-9a-f]{40,64}) (?P<bucket>\S+) \[(?P<time>[^\]]{20,30})\] (?P<client>\S+) (?P<requester>\S+) (?P<request_id>\S+) '
    r'(?P<operation>\S+) (?P<key>\S+) (?:"(?P<request>.*?)"|-) (?P<status>\d+|-) (?P<error>\S+) (?P<bytes>\d+|-) (?P<object>\S+) (?P<millis>\d+|-)(?P<rest>.*)$'
)
_FLOW = lazily(
    r"2 (?P<account>\S+) (?P<interface>eni-\S+) (?P<client>\S+) (?P<destination>\S+) (?P<source_port>\S+) (?P<port>\S+) (?P<protocol>\S+) "
    r"(?P<packets>\S+) (?P<bytes>\S+) (?P<time>\d{10}) (?P<end>\d{10}) (?P<message>(?:ACCEPT|REJECT|-) \S+)$"
)
_INTERFACE = lazily(r" eni-[0-9a-f]{8,17} ")
#: VPC flow logs with fields that their owner chose: an interface, and the seconds at which the flow began and ended side by side.
_FLOW_CHOSEN = lazily(r"(?:[\w.:/,-]{1,80} ){2,40}?(?P<time>1\d{9}) (?P<end>1\d{9})(?P<message>(?: [\w.:/,-]{1,80}){0,40})$")
_SQUID = lazily(
    r"(?P<time>\d{10}\.\d{3}) +(?P<millis>-?\d+) (?P<client>\S+) (?P<cache>[A-Z_]+(?:/[A-Z_]+)*)/(?P<status>\d{3}) (?P<bytes>\d+) (?P<method>[A-Z_]+) "
    r"(?P<path>\S+) (?P<user>\S+) (?P<hierarchy>[A-Z_]+)/(?P<upstream>\S+)(?: (?P<type>\S+))?(?P<rest>.*)$"
)
_HAPROXY = lazily(
    rf"(?P<client>[0-9A-Fa-f.:]+|unix):(?P<port>\d+) \[(?P<time>\d\d/{MONTH}/\d{{4}}:{CLOCK})\] (?P<frontend>\S+) (?P<backend>[^\s/]+)/(?P<upstream>\S+) "
    r"(?P<timers>[-+\d]+(?:/[-+\d]+)*) (?:(?P<status>-?\d+) )?\+?(?P<bytes>\d+) (?P<rest>.*)$"
)
_QUOTED = lazily(r'"([^"]*)"?\s*$')


def _common(event: Event, groups: dict[str, Any]) -> None:
    event.status = status_code(groups.pop("status", None))
    event.bytes = integer(groups.pop("bytes", None))
    client = present(groups.pop("client", None))
    event.client = client.rpartition(":")[0] if client and re.match(r"\d+\.\d+\.\d+\.\d+:\d+$", client) else client
    event.upstream = present(groups.pop("upstream", None))
    event.request_id = present(groups.pop("request_id", None))
    request = groups.pop("request", None)
    if request:
        take_request(event, request)
    millis = integer(groups.pop("millis", None))
    if millis is not None and millis >= 0:
        event.duration = millis / 1000
    rest = groups.pop("rest", None)
    if rest and rest.strip():
        groups["rest"] = rest.strip()
    event.fields |= {key: value.strip() for key, value in groups.items() if present(value)}


def _row(name: str, match: re.Match[str] | None, context: TimeContext) -> Event | None:
    if match is None:
        return None
    groups = match.groupdict()
    stamp = groups.pop("time")
    reading = read_time(stamp, context)
    if reading is None:
        return None
    event = Event(reading[1], match.string[match.end("time") :].lstrip("] "), name)
    if "message" in groups:
        event.message = groups.pop("message")
    timers = [decimal(groups.pop(key)) for key in ("t1", "t2", "t3") if key in groups]
    if timers and all(timer is not None and timer >= 0 for timer in timers):
        event.duration = round(sum(timer or 0.0 for timer in timers), 6)
    _common(event, groups)
    return event


def parse_aws(text: str, context: TimeContext) -> Event | None:
    """A row of an Application or Classic Load Balancer, of S3 or of VPC flow logs; None for any other row."""
    return (
        _row("aws_alb", _ALB.match(text), context)
        or _row("aws_elb", _ELB.match(text), context)
        or _row("aws_nlb", _NLB.match(text), context)
        or _row("aws_s3", _S3.match(text), context)
        or _row("aws_flow", _FLOW.match(text), context)
        or (_row("aws_flow", _FLOW_CHOSEN.match(text), context) if _INTERFACE.search(text) else None)
    )


def parse_envoy(text: str, context: TimeContext) -> Event | None:
    """A row of Envoy's default access log; None for any other row."""
    return _row("envoy", _ENVOY.match(text), context)


def parse_squid(text: str, context: TimeContext) -> Event | None:
    """A row of Squid's native access log; None for any other row."""
    event = _row("squid", _SQUID.match(text), context)
    if event is not None:
        event.method = event.fields.pop("method", None)
        event.path = event.fields.pop("path", None)
    return event


def parse_haproxy(text: str, context: TimeContext) -> Event | None:
    """A row of HAProxy's HTTP or TCP log without a syslog header; None for any other row."""
    match = _HAPROXY.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], text, "haproxy")
    take_haproxy(event)
    return event


def take_haproxy(event: Event) -> None:
    """Fills the request columns from a message in HAProxy's HTTP or TCP log format."""
    match = _HAPROXY.match(event.message)
    if match is None:
        return
    event.client = match["client"]
    event.upstream = match["upstream"]
    event.status = status_code(match["status"])
    event.bytes = integer(match["bytes"])
    event.fields |= {"frontend": match["frontend"].rstrip("~"), "backend": match["backend"], "timers": match["timers"]}
    total = integer(match["timers"].split("/")[-1].lstrip("+"))
    if total is not None and total >= 0:
        event.duration = total / 1000
    request = _QUOTED.search(match["rest"])
    if request is not None:
        take_request(event, request[1])
    state = match["rest"].split(" ")
    if match["status"] is None:
        event.fields["termination"] = state[0]
    elif len(state) > 2:
        event.fields["termination"] = state[2]


#: A value of a W3C extended log: any characters but white space, or a text in quotes.
_W3C_VALUE = lazily(r'"[^"]*"|\S+')


def parse_w3c(text: str, context: TimeContext) -> Event | None:
    """A row of a W3C extended log: a directive, or values in the order that `#Fields` gave; None for any other row.

    Its times are UTC by the standard, whatever the zone of the source, unless the Windows firewall says that they are local. Directives have no time of their own.
    """
    if text.startswith("#"):
        name, colon, value = text[1:].partition(":")
        if not colon or name not in ("Fields", "Version", "Software", "Date", "Start-Date", "End-Date", "Remark", "Time Format", "Log-type", "GMT-Offset"):
            return None
        if name == "Fields":
            context.state["w3c"] = value.split()
        elif name == "Time Format":
            context.state["w3c_local"] = value.strip().lower() == "local"
        elif name in ("Date", "Start-Date"):
            context.state["w3c_date"] = value.strip().split(" ")[0]
        return Event(None, text, "w3c")
    columns: list[str] | None = context.state.get("w3c")
    if columns is None:
        return None
    values = text.split("\t") if "\t" in text else text.split(" ")
    if len(values) != len(columns) and "\t" not in text:  # Oracle's Web Cache pads its columns and quotes what has blanks, as the draft allows
        values = [value.strip('"') for value in _W3C_VALUE.findall(text)]
    row = dict(zip(columns, values, strict=False))
    date, clock = row.pop("date", context.state.get("w3c_date")), row.pop("time", None)
    if clock is None or date is None or not re.match(r"\d\d?:\d\d:\d\d", clock):
        return None
    context.begin()
    local = context.state.get("w3c_local", False)
    reading = read_time(f"{date} {clock.strip(chr(34))}", context if local else TimeContext())
    if reading is None:
        return None
    event = Event(reading[1], text, "w3c")
    named: dict[str, Any] = {key: value for key, value in row.items() if present(value)}
    used = take_http(event, named)
    stem, query = named.get("cs-uri-stem"), named.get("cs-uri-query")
    if stem is not None:
        event.path = f"{stem}?{query}" if query else stem
    taken = decimal(named.get("time-taken"))
    if taken is not None:
        event.duration = taken if "x-edge-location" in named else taken / 1000
    event.bytes = integer(named.get("sc-bytes")) if event.bytes is None else event.bytes
    event.request_id = named.get("x-edge-request-id", event.request_id)
    event.host = named.get("s-computername")
    drop = {*used, "cs-uri-stem", "cs-uri-query", "time-taken", "sc-bytes", "x-edge-request-id", "s-computername"}
    event.fields = {key: value for key, value in named.items() if key not in drop}
    return event


FORMATS = (
    Format(
        name="aws",
        title="AWS load balancers, S3 access, VPC flows",
        samples=(
            ("http 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 "
            '200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - -'),
            ("2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "
            '"GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -'),
            "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
            "3 vpc-0a1b2c3d i-0a1b2c3d eni-0a1b2c3d 198.51.100.7 192.0.2.9 443 40112 6 568 8 1763893229 1763893289 ACCEPT OK",
        ),
        reference="docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
        parse=parse_aws,
        priority=24,
    ),
    Format(
        name="envoy",
        title="Envoy access log",
        samples=(
            ('[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" '
            '"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"'),
            '[2026-11-23T10:40:29.310Z] "GET /x HTTP/1.1" 503 UF 0 91 5 - "-" "curl/8" "id-1" "shop" "10.0.2.1:80"',
        ),
        reference="envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage",
        parse=parse_envoy,
        priority=24,
        first="[",
    ),
    Format(
        name="squid",
        title="Squid access log",
        samples=(
            "1066036250.603     54 192.0.2.20 TCP_MISS/200 1234 GET http://www.example.com/a - DIRECT/203.0.113.4 text/html",
            "1066036251.001    120 192.0.2.21 TCP_DENIED/403 900 CONNECT example.org:443 - HIER_NONE/- text/html",
        ),
        reference="wiki.squid-cache.org/Features/LogFormat",
        parse=parse_squid,
        priority=24,
        first="1",
    ),
    Format(
        name="haproxy",
        title="HAProxy (without a syslog header)",
        samples=(
            ("10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "
            '"GET /index.html HTTP/1.1"'),
            "10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0",
        ),
        reference="docs.haproxy.org/3.0/configuration.html#8",
        parse=parse_haproxy,
        priority=17,
    ),
    Format(
        name="w3c",
        title="W3C extended log (IIS, CloudFront, HTTPERR, Windows firewall)",
        samples=("#Fields: date time c-ip cs-method cs-uri-stem sc-status", "#Version: 1.0", "#Date: 2026-11-23 10:40:29"),
        reference="w3.org/TR/WD-logfile.html",
        parse=parse_w3c,
        priority=12,
    ),
)
