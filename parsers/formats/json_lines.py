"""JSON lines of any schema: a record is a JSON object in one row.

Columns are found by the names that loggers use (ECS, logstash, bunyan, pino, zap, zerolog, slog, structlog, Serilog CLEF,
log4j2, GELF, CloudWatch, Stackdriver, docker json-file, journald, systemd, MongoDB, PostgreSQL jsonlog), at the top first, then
nested: so the time of an envelope wins. Where no known name has a time, any key whose value is a stamp gives it, those first
whose names sound most like a record's time; where there is none, the record that one value is as text. `message` is the message key's value, else a short text from what tells most. Keys
that filled no column go to `fields`.
References: elastic.co/guide/en/ecs, getpino.io, pkg.go.dev/go.uber.org/zap, clef-json.org, go2docs.graylog.org (GELF 1.1),
cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry, systemd.io/JOURNAL_EXPORT_FORMATS.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from typing import Any

from ..base import Event, Format
from ..columns import HTTP_KEYS, integer, present, severity_of, take_http
from ..lazy import lazily
from ..timestamps import TimeContext, epoch_time, read_time
from .containers import adopt

_TIME_KEYS = (
    "time", "timestamp", "@timestamp", "ts", "@t", "t", "datetime", "asctime", "StartUTC", "__REALTIME_TIMESTAMP",
    "_SOURCE_REALTIME_TIMESTAMP", "eventTime", "event_time", "eventtime", "date", "Timestamp", "Time", "timeMillis",
    "instant", "time_iso8601", "time_local", "timegenerated", "start_time", "StartLocal", "logged_at", "log_time", "logtime",
    "created_at", "created", "createdAt", "time_unix_nano", "timeUnixNano", "observedTimeUnixNano", "msec", "request_time_local", "receiveTimestamp",
    "ingestionTime", "record_time", "isotime", "localtime", "UtcTime", "EventTime", "TimeGenerated", "when", "dt", "epoch",
    "timeStamp", "time_stamp", "TimeStamp",
)  # fmt: skip
_NESTED_TIME_KEYS = frozenset((*_TIME_KEYS[:14], "created"))
#: Names before numbers: what a program's own numbers mean, its names tell.
LEVEL_KEYS = (
    "levelname", "levelName", "level_name", "severity_text", "severityText", "SeverityText", "level", "severity", "log.level", "lvl", "@l",
    "loglevel", "log_level", "logLevel", "LogLevel", "Level", "PRIORITY", "priority", "l", "s", "error_severity", "syslog.severity.name",
    "Severity", "sev", "log.severity", "Priority", "status_level", "severityNumber", "labels.severity",
)  # fmt: skip
MESSAGE_KEYS = (
    "message", "msg", "@message", "@m", "MESSAGE", "event", "short_message", "log", "textPayload", "Message", "text",
    "body", "Body", "@mt", "RenderedMessage", "MessageTemplate", "jsonPayload.message", "jsonPayload.msg", "msg.message", "error.message",
    "data.message", "M", "m", "log.message", "full_message", "line", "fields.message",
)  # fmt: skip
_HOST_KEYS = (
    "hostname", "host", "host.name", "_HOSTNAME", "Hostname", "HostName", "machine", "MachineName", "source_host", "syslog.hostname",
    "host.hostname", "resource.labels.pod_name", "node",
)  # fmt: skip
_SERVICE_KEYS = (
    "service", "service.name", "app", "application", "SYSLOG_IDENTIFIER", "logger", "log.logger", "loggerName", "logger_name", "name",
    "component", "appname", "program", "app_name", "SourceContext", "Properties.SourceContext", "c", "facility", "_COMM", "serviceName",
    "resource.labels.container_name", "kubernetes.container_name", "kubernetes.container.name", "category", "Category", "N", "ident", "svc",
)  # fmt: skip
_PID_KEYS = ("pid", "process.pid", "_PID", "SYSLOG_PID", "process_id", "process.id", "processId", "ProcessId", "x-pid")
_MAX_DEPTH = 6
#: A program's name or a short remark before an object: `parcels: {"ts": ...}`.
_LABELLED = lazily(r"(?s)(?P<label>[A-Za-z_@][\w.@/ -]{0,60}?)\]?(?:[:|>]| -)\s{0,4}(?P<record>\{\s?\".*\})\s*$")
NAMED_TIMES = _TIME_KEYS[:14]
_NAMED = frozenset(NAMED_TIMES)
_SAYING = frozenset(MESSAGE_KEYS[:9])
#: Keys whose value, not only their being there, decides what a record's other members mean.
SENSITIVE_KEYS = frozenset((*LEVEL_KEYS, *HTTP_KEYS["status"], *HTTP_KEYS["method"]))
#: What a key that no list knows must sound like for its number to be taken as a time, and for its text to be asked early.
_SOUNDS_LIKE_TIME = lazily(r"(?i)time|stamp|date|epoch|(?:_|\b)(?:ts|at|when)$")
_CAMEL_AT = lazily(r"[a-z](?:At|TS|Ts|On)$|published")
#: Times that a record speaks of rather than has: never taken.
_OTHER_TIMES = lazily(r"(?i)expir|build|compile|not_?(?:after|before)|valid|until|deadline|\bnext|schedul|birth|timeout|duration|uptime|elapsed|retention|\bend|zone")
#: Names in the order in which they are asked among those that sound like a time: when it happened, when it was written, when its subject began.
_RANKS = (
    ("lasttimestamp", "eventtime", "event_time", "requestreceivedtimestamp", "stagetimestamp", "firsttimestamp"),
    ("startsat", "occurred", "event", "happened", "log", "published", "generated", "received", "request", "start"),
    ("timestamp", "datetime", "time", "last", "updated", "modified"),
    ("first", "creationtimestamp", "created", "creation"),
)
_NEXTCLOUD = ("debug", "info", "warning", "error", "critical")  # its admin manual's loglevel; other numbers are syslog's
_OFFSET = lazily(r"[+-][01]\d:?[0-5]\d$")
_CARRIED = 1 << 16  # characters of a record in a record that is looked into for a time
_CLOCK_LENGTH, _EPOCH_LENGTH = 18, 20  # characters
_ZONES_APART = 14 * 3600 * 1_000_000  # microseconds from UTC to the farthest zone
_SHORT = 200  # characters of a message made from a record's values
_TELLING = (
    "error", "err", "exception", "reason", "note", "description", "summary", "title", "eventName", "operationName", "displayMessage",
    "labels.alertname", "alert.signature", "verb", "requestURI", "event_type", "eventType", "action", "operation", "op", "type", "kind",
)  # fmt: skip


def parse(text: str, context: TimeContext) -> Event | None:
    """The event of a row that is one JSON object; None for any other row."""
    body = text.strip()
    record = load(body)
    if not record or is_docker(record):
        return None
    if body[:1] == "[" and body[-1:] == ",":
        context.state["json_array"] = True
    event = record_event(record, text, context)
    if event.time is None or event.severity is not None or not context.state.get("text_first") or not context.far_off(event.time):
        return event
    return None  # an object of another day that a text log shows: an answer, a row of a table


def parse_after(text: str, context: TimeContext) -> Event | None:
    """A row of a label and an object with a time, a level and a message, in a file that no text leads; None for any other row."""
    match = _LABELLED.match(text) if not context.state.get("text_first") else None
    record = load(match["record"]) if match is not None else None
    if match is None or record is None or not (_NAMED & record.keys() and _SAYING & record.keys()):
        return None
    event = record_event(record, match["record"], context)
    if event.time is None or event.severity is None:
        return None
    if event.service is None:
        event.service = match["label"].strip()
    return event


def load(body: str) -> dict[str, Any] | None:
    """The object of a row: one by itself, an element of an array that spans rows, or the first of an array in one row."""
    if body.startswith("["):
        if not body.startswith(("[{", "[ {")):
            return None
        if body.endswith("]"):
            record = _loaded(body)
            return record[0] if isinstance(record, list) and isinstance(record[0], dict) else None
        body = body[1:]
    elif body.startswith(","):
        body = body[1:]
    if body.endswith((",", "]")):
        body = body[:-1].rstrip()
    if not body.endswith("}"):
        return None
    record = _loaded(body)
    if record is None and body.endswith("}}"):
        record = _loaded(body[:-1])  # a template of a shipper that closes once too often
    return record if isinstance(record, dict) else None


def _loaded(body: str) -> Any:
    try:
        return json.loads(body, strict=False)
    except (ValueError, RecursionError):
        return None


def record_event(record: dict[str, Any], text: str, context: TimeContext, name: str = "json") -> Event:
    """The event of a JSON object; `text` is its message when it names none."""
    flat = flatten(record)
    used: set[str] = set()
    time = _time(record, flat, used, context)
    event = Event(time, "", name)
    for key in LEVEL_KEYS:
        severity = severity_of(flat.get(key))
        if severity is not None:
            event.severity = severity
            used.add(key)
            break
    if "reqId" in record and "app" in record and type(level := record.get("level")) is int and 0 <= level < len(_NEXTCLOUD):
        event.severity = _NEXTCLOUD[level]
    if event.severity is None and flat.get("type") in ("Warning", "Error"):  # Kubernetes events
        event.severity = severity_of(flat["type"])
    used |= take_http(event, flat)
    named = False
    for key in MESSAGE_KEYS:
        value = flat.get(key)
        if isinstance(value, list) and key == "MESSAGE":
            value = _of_bytes(value)
        if isinstance(value, str) and key not in used and (value or key in ("message", "msg", "log")):
            event.message = value.rstrip("\n")
            used.add(key)
            named = True
            break
    event.host = _text(flat, _HOST_KEYS, used)
    event.service = _text(flat, _SERVICE_KEYS, used)
    if event.service is None and "fields.message" in used:  # Rust's tracing
        event.service = _text(flat, ("target",), used)
    for key in _PID_KEYS:
        pid = integer(flat.get(key))
        if pid is not None:
            event.pid = pid
            used.add(key)
            break
    event.fields = {
        key: value for key, value in record.items() if key not in used and not _all_used(key, value, used)
    }
    if not named:
        event.message = _described(event, flat, text)
    elif is_envelope(flat):
        adopt(event, event.message, context)
    return event


#: Keys beside which a message is a whole row of another program: docker and Fluent Bit, journald, GELF, Loki, CloudWatch, Filebeat, Stackdriver.
_ENVELOPES = {
    "log": ("stream", "kubernetes.pod_name", "container_id", "container_name", "docker.container_id"),
    "MESSAGE": ("__REALTIME_TIMESTAMP", "_BOOT_ID", "__CURSOR"),
    "short_message": ("version",),
    "line": ("labels.job", "labels.app", "labels.container", "labels.filename", "labels.pod", "labels.namespace"),
    "message": ("ingestionTime", "logStreamName", "kubernetes.pod_name", "kubernetes.pod.name", "log.file.path", "container.id", "log.offset"),
    "textPayload": ("insertId", "logName", "resource.type"),
}


def is_docker(record: dict[str, Any]) -> bool:
    """Whether a record is one of docker's `json-file` driver, which `docker.py` reads."""
    return isinstance(record.get("log"), str) and isinstance(record.get("stream"), str) and isinstance(record.get("time"), str)


def is_envelope(keys: Container[str]) -> bool:
    """Whether a record with these (dotted) keys only carries a row of some program, which speaks for itself."""
    return any(message in keys and any(other in keys for other in others) for message, others in _ENVELOPES.items())


def _of_bytes(value: list[Any]) -> str | None:
    """The text of a journal field that is no UTF-8, which its JSON has as a list of bytes; None where it is another list."""
    if not value or not all(type(item) is int and 0 <= item < 256 for item in value):
        return None
    return bytes(value).decode("utf-8", "replace")


def _described(event: Event, flat: dict[str, Any], text: str) -> str:
    """A short text for a record that has no message: its request, else what tells most, else its first plain values."""
    if event.method is not None and event.path is not None:
        return f"{event.method} {event.path}" + (f" {event.status}" if event.status is not None else "")
    told = [value for key in _TELLING if isinstance(value := flat.get(key), str) and present(value.strip())]
    if told:
        return ": ".join(dict.fromkeys(told[:2]))[:_SHORT]
    left = event.fields
    pairs = (f"{key}={value}" for key, value in flat.items() if key.partition(".")[0] in left and isinstance(value, str | int | float))
    short = ""
    for pair in pairs:
        if len(short) + len(pair) > _SHORT:
            break
        short += f" {pair}" if short else pair
    return short or text


def _all_used(key: str, value: Any, used: set[str]) -> bool:
    """Whether a nested object has nothing that did not fill a column."""
    if not isinstance(value, dict) or not value:
        return False
    return all(f"{key}.{inner}" in used for inner in value)


def flatten(record: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested objects as dotted keys (`http.request.method`), as deep as logs go; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            flat |= flatten(value, f"{prefix}{key}.", depth + 1)
        else:
            flat[prefix + key] = value
    return flat


def _text(flat: dict[str, Any], keys: tuple[str, ...], used: set[str]) -> str | None:
    for key in keys:
        value = flat.get(key)
        if isinstance(value, str) and value and value != "-" and key not in used and len(value) < 300:
            used.add(key)
            return value
    return None


def _time(record: dict[str, Any], flat: dict[str, Any], used: set[str], context: TimeContext) -> int | None:
    if "date" in record and "time" in record:
        time = _apart(record, context)
        if time is not None:
            used.update(("date", "time"))
            return time
    zone = record.get("tz")  # Stormshield and others write the offset beside the time
    for key in _TIME_KEYS:
        if key in record:
            time = _time_value(record[key], context)
            if time is not None and isinstance(zone, str) and isinstance(record[key], str) and _OFFSET.match(zone) and context.zone_left_open:
                time = _time_value(f"{record[key]} {zone}", context)
            if time is not None or context.year_missing:
                context.state["json_named"] = True
                used.add(key)
                used.update(f"{key}.{inner}" for inner in record[key]) if isinstance(record[key], dict) else None
                return time
    for key, value in flat.items():
        if "." in key and key.rpartition(".")[2] in _NESTED_TIME_KEYS:
            time = _time_value(value, context)
            if time is not None:
                used.add(key)
                return time
    named = "json_named" in context.state  # then a stamp far from the records around is rather what a record speaks of
    for _, key, value in sorted(_stamped(flat), key=lambda found: found[0]):
        time = _time_value(value, context)
        if time is not None and not (named and context.far_off(time)):
            used.add(key)
            return time
    return _carried_time(flat, context)


def _apart(record: dict[str, Any], context: TimeContext) -> int | None:
    """The time of a record that has date and time of day apart, as firewalls write them; None where it has not.

    The zone stands in `tz` (Fortinet: an offset) or `timezone` (Sophos: a word). Where neither does, a Fortinet's `eventtime` tells it: it
    is seconds or nanoseconds since 1970, and where the device could not fill it in, or it is of another day, it tells nothing.
    """
    date, clock = record["date"], record["time"]
    if not isinstance(date, str) or not isinstance(clock, str) or ":" not in clock[:3] or len(clock) > _CLOCK_LENGTH:
        return None
    zone = record.get("tz") or record.get("timezone")
    if isinstance(zone, str):
        stated = _time_value(f"{date} {clock}[{zone}]" if "/" in zone else f"{date} {clock} {zone}", context)
        if stated is not None:
            return stated
    time = _time_value(f"{date} {clock}", context)
    if time is None:
        return None
    since = record.get("eventtime")
    told = epoch_time(int(since)) if isinstance(since, str) and since.isdecimal() and len(since) < _EPOCH_LENGTH else None
    if told is None or abs(told - time) > _ZONES_APART:
        return time
    context.begin()
    return told


def _carried_time(flat: dict[str, Any], context: TimeContext) -> int | None:
    """The time of the one record that an envelope without a time carries as text; None where it carries none."""
    carried = [value for value in flat.values() if isinstance(value, str) and value[:1] == "{" and value.rstrip()[-1:] == "}"]
    record = _loaded(carried[0]) if len(carried) == 1 and len(carried[0]) < _CARRIED else None
    return _time(record, flatten(record), set(), context) if isinstance(record, dict) and record else None


def _stamped(flat: dict[str, Any]) -> Iterator[tuple[tuple[int, int, int], str, Any]]:
    """Keys whose values may be times, with how little they look like the record's own (name, depth, order)."""
    for order, (key, value) in enumerate(flat.items()):
        name = key.rpartition(".")[2]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for _, inner, found in _stamped(flatten(value[0])):
                yield (len(_RANKS) + 2, _rank(inner.rpartition(".")[2]), order), f"{key}[0].{inner}", found
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float) or _OTHER_TIMES.search(name):
            continue
        sounds = _SOUNDS_LIKE_TIME.search(name) or _CAMEL_AT.search(name)
        if sounds:
            yield (_rank(name), key.count("."), order), key, value
        elif isinstance(value, str) and 15 < len(value) < 48:
            yield (len(_RANKS) + 1, key.count("."), order), key, value


def _rank(name: str) -> int:
    lowered = name.lower()
    if lowered in _RANKS[0]:
        return -len(_RANKS[0]) + _RANKS[0].index(lowered)
    return next((rank for rank, words in enumerate(_RANKS) if any(word in lowered for word in words)), len(_RANKS))


def _time_value(value: Any, context: TimeContext) -> int | None:
    if isinstance(value, str):
        reading = read_time(value, context)
        return reading[1] if reading is not None else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return epoch_time(value)
    if isinstance(value, dict):
        if "$date" in value:  # MongoDB extended JSON
            return _time_value(value["$date"], context)
        if "$numberLong" in value:
            return _time_value(value["$numberLong"], context)
        seconds = value.get("epochSecond", value.get("seconds"))  # log4j2; java.time.Instant; protobuf timestamps
        nanos = value.get("nanoOfSecond", value.get("nano", value.get("nanos", 0)))
        if isinstance(seconds, int) and isinstance(nanos, int) and epoch_time(seconds) is not None:
            return seconds * 1_000_000 + nanos // 1000
    return None


FORMATS = (
    Format(
        name="json",
        title="JSON lines of any schema",
        samples=(
            ('{"order": 1, "request_id": "9abb", "event": "order placed", "logger": "shop", "level": "info", "timestamp": '
            '"2026-11-23T09:57:55.875734Z"}'),
            '{"name":"api","hostname":"web-1","pid":7,"level":50,"msg":"boom","time":"2026-11-23T09:57:55.875Z","v":0}',
            '{"level":"error","ts":1763893229.1234,"caller":"a/b.go:12","msg":"failed"}',
            '{"@t":"2026-11-23T09:57:55.8757340Z","@mt":"Hello {User}","@l":"Warning","User":"x"}',
            ('{"time":"2026-11-23T09:55:53+00:00","remote_addr":"192.0.2.97","method":"GET","uri":"/p/2","status":200,"bytes":46,'
            '"request_time":0.005}'),
        ),
        reference="elastic.co/guide/en/ecs; getpino.io; clef-json.org; RFC 8259",
        parse=parse,
        priority=10,
        first="{[,",
    ),
    Format(
        name="json_after",
        title="JSON behind a label",
        samples=(
            'parcels: {"ts":"2026-11-23T10:40:29Z","level":"info","msg":"started"}',
            'worker 3 > {"time":"2026-11-23T10:40:30Z","level":"error","message":"refused"}',
        ),
        reference="RFC 8259",
        parse=parse_after,
        priority=70,
        first="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_@",
    ),
)
