"""From what a pattern or a record names to the columns of an event: severities, numbers, requests."""

from __future__ import annotations

import re
from typing import Any

from .base import SEVERITIES, Event
from .lazy import lazily
from .timestamps import TimeContext, read_time

_WORDS = {
    "debug": "trace trce dbug trc finest finer fine verbose vrb verb debug dbg deb debug1 debug2 debug3 debug4 debug5 all d v t",
    "info": "info inf information informational informative config log statement hint detail context location query "
    "message success audit status i",
    "notice": "notice note system n",
    "warning": "warn warning wrn warnings w",
    "error": "error fail err eror errors failure failed severe e x serious",
    "critical": "critical crit fatal ftl panic dpanic c f",
    "alert": "alert a",
    "emergency": "emerg emergency",
}
_SEVERITY = {word: name for name, words in _WORDS.items() for word in words.split()}
_SYSLOG = tuple(reversed(SEVERITIES))

#: Level words that may stand in a text row without a label (single letters would be any word).
LEVELS = (
    r"(?:TRACE|DEBUG[1-5]?|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|CRITICAL|CRIT|FATAL|ALERT|EMERG|EMERGENCY|"
    r"PANIC|CONFIG|FINE|FINER|FINEST|VERBOSE|trace|debug|info|information|notice|warn|warning|error|err|crit|critical|fatal|"
    r"alert|emerg|panic|verbose|Trace|Debug|Info|Information|Notice|Warn|Warning|Error|Critical|Fatal|Verbose|"
    r"INF|DBG|WRN|FTL|VRB|TRC|Note|System|SYSTEM)"
)


def severity_of(word: object) -> str | None:
    """The severity that a level word, letter or number says; None when it is no level.

    Numbers: 0 to 7 as in syslog (RFC 5424), 10 to 60 as in bunyan, 100 to 600 as in Monolog. Trace is debug, fatal and
    panic are critical.
    """
    if isinstance(word, bool) or word is None:
        return None
    if isinstance(word, int | float):
        return _severity_number(int(word)) if abs(word) < 10_000 else None  # false for NaN too
    if not isinstance(word, str):
        return None
    key = word.strip(" []<>:()").lower()
    found = _SEVERITY.get(key)
    if found is not None:
        return found
    if key.isascii() and key.isdigit() and len(key) < 4:
        return _severity_number(int(key))
    return None


def _severity_number(number: int) -> str | None:
    if 0 <= number <= 7:
        return _SYSLOG[number]
    if 100 <= number <= 600:
        bounds = ((600, 7), (550, 6), (500, 5), (400, 4), (300, 3), (250, 2), (200, 1), (100, 0))
        return next(SEVERITIES[at] for least, at in bounds if number >= least)
    if 10 <= number < 70:
        return ("debug", "debug", "info", "warning", "error", "critical")[number // 10 - 1]
    return None


def syslog_severity(priority: int) -> str:
    """The severity in an RFC 5424 PRI value: its remainder by 8."""
    return _SYSLOG[priority % 8]


def integer(value: object) -> int | None:
    """A whole number that fits 63 bits from text or a JSON value, None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        number = value
    elif isinstance(value, float):
        if not value.is_integer():
            return None
        number = int(value)
    elif isinstance(value, str) and len(value) < 20 and value.lstrip("-").isascii() and value.lstrip("-").isdigit():
        try:
            number = int(value)
        except ValueError:
            return None
    else:
        return None
    return number if -(1 << 63) <= number < 1 << 63 else None


def decimal(value: object) -> float | None:
    """A finite number from text or a JSON value, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None


def status_code(value: object) -> int | None:
    """An HTTP status (100 to 999) from text or a number, None for anything else."""
    number = integer(value)
    return number if number is not None and 100 <= number <= 999 else None


def present(value: str | None) -> str | None:
    """The text, or None for what logs write when there is none: nothing or a dash."""
    return None if value is None or value in ("", "-") else value


_METHOD = lazily(r"[A-Z][A-Z_-]{1,20}$")
_ABSOLUTE = lazily(r"[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)


def take_request(event: Event, request: str) -> None:
    """Fills `method` and `path` (query string included) from a request line; one that is none of HTTP fills nothing."""
    parts = request.split(" ")
    if len(parts) < 2 or not _METHOD.match(parts[0]):
        return
    path = " ".join(parts[1:-1]) if len(parts) > 2 and parts[-1].startswith("HTTP/") else " ".join(parts[1:])
    event.method = parts[0]
    event.path = path_of(path)


def path_of(address: str) -> str | None:
    """Path and query of a request target, whether absolute (`http://host/x`) or not."""
    if "://" in address[:12]:
        rest = _ABSOLUTE.sub("", address, count=1)
        return rest or "/"
    return present(address)


_INTS = {"pid", "bytes"}
_TEXTS = {"host", "service", "client", "method", "path", "upstream", "request_id"}


#: What threads are called: a name in a logger's place that is none.
_THREAD = lazily(
    r"(?i)(?:main|mainthread|rmi .*|.*\bthread\W?\d*|.*thread-?\d+|.*threadpool.*|.*-pool-\d.*|pool-\d+.*|.*-exec-\d+|.*forkpoolworker-\d+|"
    r".*scheduling-\d+|.*dispatcher-\d+|.*ioeventloop.*|.*eventloop.*-\d+)$"
)


def pattern_event(name: str, match: re.Match[str], context: TimeContext) -> Event | None:
    """The event of a matched pattern whose groups are named for columns; None when its `time` is not readable.

    `level` gives the severity, `request` is split into method and path, a group that is no column goes to `fields`.
    """
    groups: dict[str, str] = {}
    for key, value in match.groupdict().items():
        if value:
            groups.setdefault(key.rstrip("0123456789"), value)  # alternatives number their groups: level, level2
    time: int | None = None
    stamp = groups.pop("time", None)
    if stamp is not None:
        reading = read_time(stamp, context)
        if reading is None:
            return None
        time = reading[1]
    event = Event(time, groups.pop("message", ""), name)
    for key, value in groups.items():
        if present(value.strip()):
            fill(event, key, value.strip())
    return event


def fill(event: Event, key: str, value: str) -> None:
    """Puts one named piece of text where it belongs in the event."""
    if key in _TEXTS:
        if key == "service" and _THREAD.match(value):
            key = "thread"
            event.fields.setdefault(key, value)
        else:
            setattr(event, key, value)
    elif key == "level":
        event.severity = severity_of(value)
    elif key == "request":
        take_request(event, value)
    elif key in _INTS:
        setattr(event, key, integer(value))
    elif key == "status":
        event.status = status_code(value)
    elif key == "duration":
        event.duration = decimal(value)
    else:
        event.fields[key] = value


#: Keys under which a request's identity is written in logs.
REQUEST_ID_KEYS = frozenset(
    "request_id requestid req_id reqid rid request-id x-request-id x_request_id http_x_request_id trace_id traceid "
    "correlation_id correlationid traceparent http.request.id trace.id x-correlation-id request.id amzn_trace_id".split()
)

_REQUEST_ID = lazily(
    r"(?:^|[\s\[(,;])\"?(?:request_id|requestId|req_id|rid|request-id|x-request-id|X-Request-I[Dd]|trace_id|traceId|"
    r"correlation_id|correlationId|traceparent)\"?[=:]\s?\"?([\w.:/+-]{4,128})"
)
#: The same for many rows at once: an RE2 pattern.
REQUEST_ID_PATTERN = _REQUEST_ID.pattern.replace("([\\w", "(?P<id>[\\w")
_PAIRS = lazily(r"(?:^|[\s\[(,])(method|path|uri|status|status_code|duration_ms|duration|latency)=(\"[^\"]*\"|[^\s,;\])]+)")


def take_trailing(event: Event) -> None:
    """Fills request columns from `key=value` pairs in an application's message, where it has them."""
    text = event.message
    if "=" not in text and ":" not in text:
        return
    if event.request_id is None:
        found = _REQUEST_ID.search(text)
        if found is not None:
            event.request_id = found[1]
    if event.status is None and event.path is None and "=" in text and ("path=" in text or "uri=" in text or "status" in text):
        pairs = {key: value.strip('"') for key, value in _PAIRS.findall(text[:4000])}
        if "path" in pairs or "uri" in pairs:
            take_http(event, pairs)


def seconds_of(key: str, value: object) -> float | None:
    """A duration in seconds from a number or a Go-style text, its unit told by the key (`_ms`, `_us`, `_ns`) or the text."""
    if isinstance(value, str):
        match = _GO_DURATION.fullmatch(value.strip())
        if match is not None:
            total = 0.0
            for number, unit in _GO_PART.findall(value):
                total += float(number) * _UNITS[unit]
            return total
    number = decimal(value)
    if number is None:
        return None
    lowered = key.lower()
    if lowered.endswith(("_ms", ".ms", "millis", "msec", "_millis", "milliseconds")) or key.endswith("Ms"):
        return number / 1e3
    if lowered.endswith(("_us", ".us", "micros", "usec", "microseconds")) or key.endswith("Us"):
        return number / 1e6
    if lowered.endswith(("_ns", ".ns", "nanos", "nsec", "nanoseconds")) or lowered in ("event.duration",):
        return number / 1e9
    if key in ("Duration", "OriginDuration", "Overhead"):
        return number / 1e9  # Traefik writes nanoseconds (its access log manual)
    if lowered in ("responsetime", "response-time", "elapsed"):
        return number / 1e3
    return number


_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_GO_PART = lazily(r"(\d+(?:\.\d+)?) ?(h|ms|m|s|us|µs|μs|ns)")
_GO_DURATION = lazily(r"(?:\d+(?:\.\d+)? ?(?:h|ms|m|s|us|µs|μs|ns))+")

#: Names of request columns in structured logs, lower case, dotted where nested.
#: Words for a status that mean other things too: believed only beside a method and a path.
VAGUE_STATUS_KEYS = ("code", "rc", "sc", "st", "result")
HTTP_KEYS: dict[str, tuple[str, ...]] = {
    "client": ("remote_addr", "client_ip", "clientip", "remote_ip", "client", "client.ip", "client.address", "source.ip",
               "source.address", "remoteaddr", "clienthost", "remote-addr", "ip", "http.remote_addr", "downstream_remote_address",
               "httprequest.remoteip", "remote", "request.remote_ip", "request.client_ip", "req.remoteaddress", "clientaddr",
               "c-ip", "nginx.access.remote_ip", "network.client.ip", "remote_host", "request.remote_addr"),
    "method": ("method", "request_method", "http_method", "http.method", "http.request.method", "requestmethod", "verb",
               "req.method", "request.method", "httprequest.requestmethod", "cs-method"),
    "path": ("request_uri", "uri", "path", "http.path", "http.target", "http.url", "url.original", "url", "request_path",
             "requestpath", "req.url", "request.uri", "request.url", "request.path", "url.path", "httprequest.requesturl",
             "x-envoy-origin-path", "http.url_details.path", "endpoint"),
    "status": ("status", "status_code", "statuscode", "http_status", "http.status_code", "http.response.status_code",
               "response_code", "res.statuscode", "response.status", "downstreamstatus", "resp_status", "http_status_code",
               "httprequest.status", "response_status", "http.status", "sc-status", "http_code", "response",
               *VAGUE_STATUS_KEYS),
    "bytes": ("bytes", "body_bytes_sent", "bytes_sent", "http.response.body.bytes", "http.response.bytes", "size", "resp_size",
              "response_size", "downstreamcontentsize", "bytes_out", "httprequest.responsesize", "response_bytes",
              "http.response_content_length", "content_length", "response.body_bytes"),
    "duration": ("request_time", "duration", "latency", "duration_ms", "latency_ms", "elapsed_ms", "response_time", "elapsed",
                 "responsetime", "took_ms", "time_taken", "http.duration", "event.duration", "request_time_ms",
                 "response_time_ms", "duration_s", "duration_seconds", "durationms", "latencyms", "httprequest.latency", "duration_us",
                 "duration_ns", "elapsedmilliseconds", "latency_us", "latency_ns", "response-time", "time_taken_ms", "runtime",
                 "elapsed_s", "elapsed_seconds", "secs", "time_s", "took", "rt"),
    "upstream": ("upstream", "upstream_addr", "upstream_host", "upstreamaddr", "serviceaddr", "upstream.address", "serviceurl.host", "backend", "up"),
}  # fmt: skip
_HTTP_COLUMN = {key: column for column, keys in HTTP_KEYS.items() for key in keys}


def take_http(event: Event, flat: dict[str, Any]) -> set[str]:
    """Fills request columns from flattened keys of a structured record; answers the keys it used."""
    used: set[str] = set()
    ranked: dict[str, tuple[int, str]] = {}
    for key, value in flat.items():
        lowered = key.lower()
        column = _HTTP_COLUMN.get(lowered)
        if column is not None:
            rank = HTTP_KEYS[column].index(lowered)
            if column not in ranked or rank < ranked[column][0]:
                ranked[column] = (rank, key)
        elif (
            event.request_id is None
            and lowered in REQUEST_ID_KEYS
            and isinstance(value, str | int)
            and not isinstance(value, bool)
            and present(str(value))
        ):
            event.request_id = str(value)
            used.add(key)
    request = flat.get("request")
    if isinstance(request, str) and "method" not in ranked:
        take_request(event, request)
        if event.method is not None:
            used.add("request")
    elif isinstance(request, str) and "path" not in ranked and request.startswith("/"):
        event.path = request
        used.add("request")
    # Words like status, size or client mean other things too: only a record that names a method, a path or a code is a request's.
    is_request = event.method is not None or "method" in ranked or "path" in ranked
    for column, (_, key) in ranked.items():
        value = flat[key]
        if column == "status":
            code = status_code(value)
            if key.lower() in VAGUE_STATUS_KEYS and not ("method" in ranked and "path" in ranked):
                continue
            if code is not None and (is_request or key.lower() != "status"):
                event.status = code
                used.add(key)
        elif column == "method":
            if isinstance(value, str) and _METHOD.match(value):
                event.method = value
                used.add(key)
        elif column == "path":
            if isinstance(value, str) and (value.startswith("/") or "://" in value[:12] or value == "*"):
                event.path = path_of(value)
                used.add(key)
        elif column == "client":
            if isinstance(value, str) and present(value) and is_request:
                event.client = _without_port(value)
                used.add(key)
        elif not is_request:
            continue
        elif column == "bytes":
            event.bytes = integer(value)
            used.add(key)
        elif column == "duration":
            event.duration = seconds_of(key, value)
            if event.duration is not None:
                used.add(key)
        elif column == "upstream" and isinstance(value, str) and present(value):
            event.upstream = value
            used.add(key)
    return used


_PORT = lazily(r"(\d+\.\d+\.\d+\.\d+|\[[0-9A-Fa-f:.]+\]):\d+$")


def _without_port(address: str) -> str:
    match = _PORT.match(address)
    return match[1].strip("[]") if match is not None else address
