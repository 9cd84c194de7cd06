"""Go and Kubernetes: klog and glog headers, gin, etcd's capnslog. The standard `log` package is read as text.

Columns: time, severity, pid, message, request columns for gin. Fields: caller. klog headers have no year unless glog was told to
log it.
References: pkg.go.dev/k8s.io/klog/v2, github.com/golang/glog (logging header), github.com/gin-gonic/gin (Logger).
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import integer, path_of, seconds_of, severity_of, status_code
from ..lazy import lazily
from ..shapes import CLOCK
from ..timestamps import Reading, TimeContext, read_time

_KLOG = lazily(
    r"(?s)(?P<level>[IWEF])(?P<date>\d{4}|\d{8}) (?P<clock>\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?P<utc>Z?)\s+(?P<pid>\d+) (?P<caller>[^\]\s]{1,200})\] ?(?P<message>.*)$"
)
_GIN = lazily(
    r"(?s)\[GIN(?:-debug)?\] (?P<date>\d{4}/\d\d/\d\d) - (?P<clock>\d\d:\d\d:\d\d) \|\s*(?P<status>\d{3})\s*\|\s*(?P<took>[\d.]+[a-zµμ]+)\s*\|\s*"
    r"(?P<client>\S+)\s*\|\s*(?P<method>[A-Z]+)\s+\"?(?P<path>[^\"\n]*)\"?(?P<rest>.*)$"
)


def parse_klog(text: str, context: TimeContext) -> Event | None:
    """A row with a klog header; None for any other row."""
    match = _KLOG.match(text)
    if match is None:
        return None
    reading = header_time(f"{match['date']} {match['clock']}{match['utc']}", context)
    if reading is None:
        return None
    event = Event(reading[1], match["message"], "klog", severity=severity_of(match["level"]), pid=integer(match["pid"]))
    event.fields["caller"] = match["caller"]
    return event


def header_time(text: str, context: TimeContext) -> Reading | None:
    """Reads the date and clock of a klog header, `1123 10:40:29.123456`; None where that is no date."""
    date, _, rest = text.partition(" ")
    if len(date) == 8:
        return read_time(text, context)
    month, day = int(date[:2]), int(date[2:])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    clock = rest.removesuffix("Z")
    return len(text), yearless_clock(month, day, clock, context, rest[len(clock) :])


def yearless_clock(month: int, day: int, clock: str, context: TimeContext, zone: str = "") -> int | None:
    """The time of a date without a year and a clock text `hh:mm:ss[.fraction]`, in `zone` or the context's."""
    whole, _, fraction = clock.replace(",", ".").partition(".")
    hours, minutes, seconds = (int(part) for part in whole.split(":"))
    micros = int((fraction + "000000")[:6]) if fraction else 0
    context.begin()
    return context.yearless(month, day, hours * 3600 + minutes * 60 + seconds, micros, zone or None)


_LOGRUS = lazily(r"(?s)(?P<level>TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[(?P<time>\d{4,9}|\d{4}-[^\]\s]{12,40}(?: [^\]]{8,20})?)\] ?(?P<message>.*)$")
_LOGRUS_LEVELS = {"TRAC": "debug", "DEBU": "debug", "INFO": "info", "WARN": "warning", "ERRO": "error", "FATA": "critical", "PANI": "critical"}


def parse_logrus(text: str, context: TimeContext) -> Event | None:
    """A row of logrus on a terminal, whose time may be seconds since the program began (then it has none); None for any other row."""
    match = _LOGRUS.match(text)
    if match is None:
        return None
    context.begin()
    event = Event(None, match["message"], "logrus", severity=_LOGRUS_LEVELS[match["level"]])
    if match["time"].isdecimal():
        event.fields["uptime"] = int(match["time"])
        return event
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event.time = reading[1]
    return event


def parse_gin(text: str, context: TimeContext) -> Event | None:
    """A request row of gin's logger; None for any other row."""
    match = _GIN.match(text)
    if match is None:
        return None
    reading = read_time(f"{match['date']} {match['clock']}", context)
    if reading is None:
        return None
    event = Event(reading[1], text[match.end("clock") :].lstrip(" |"), "gin")
    event.status = status_code(match["status"])
    event.duration = seconds_of("duration", match["took"])
    event.client = match["client"]
    event.method = match["method"]
    event.path = path_of(match["path"].strip())
    return event


FORMATS = (
    Format(
        name="klog",
        title="klog and glog",
        samples=(
            "I1123 10:40:29.123456    1234 server.go:59] Serving",
            "E20261123 10:40:29.123456 1234 main.cc:12] failed",
            'W1123 10:40:29.123456       1 reflector.go:324] "watch closed" err="EOF"',
        ),
        reference="pkg.go.dev/k8s.io/klog/v2",
        parse=parse_klog,
        priority=26,
        first="IWEF",
    ),
    Format(
        name="logrus",
        title="logrus on a terminal",
        samples=("INFO[2026-11-23T10:40:29Z] started   port=80", "WARN[0012] no clock   took=3s"),
        reference="github.com/sirupsen/logrus, text_formatter.go",
        parse=parse_logrus,
        alone=True,
        priority=26,
        first="TDIWEFP",
    ),
    Format(
        name="cockroach",
        title="CockroachDB",
        samples=(
            "I261123 10:40:29.123456 1 server/server.go:12  [n1] started",
            "W261123 10:40:29.123456 77 1@kv/store.go:12 ⋮ [n1] 2  slow",
        ),
        reference="cockroachlabs.com/docs/stable/log-formats (crdb-v1, crdb-v2)",
        pattern=lazily(
            r"(?s)(?P<level>[IWEF])(?P<time>\d{6} \d\d:\d\d:\d\d\.\d{6}) \d{1,10} (?P<caller>(?:\d{1,4}@)?[\w./-]{1,200}:\d+) +(?:⋮ )?(?P<message>.*)$"
        ),
        priority=26,
        first="IWEF",
    ),
    Format(
        name="gin",
        title="gin request log",
        samples=(
            '[GIN] 2026/11/23 - 10:40:29 | 200 |     1.204ms |       192.0.2.1 | GET      "/ping"',
            '[GIN] 2026/11/23 - 10:40:29 | 404 |      12.5µs |             ::1 | POST     "/x?y=1"',
        ),
        reference="github.com/gin-gonic/gin, logger.go",
        parse=parse_gin,
        priority=26,
        first="[",
    ),
    Format(
        name="env_logger",
        title="Rust env_logger",
        samples=(
            "[2026-11-23T10:40:29Z INFO  shop::cart] added",
            "[2026-11-23T10:40:29.123Z ERROR shop] failed",
        ),
        reference="docs.rs/env_logger",
        pattern=lazily(
            rf"(?s)\[(?P<time>\d{{4}}-\d\d-\d\dT{CLOCK}Z) (?P<level>TRACE|DEBUG|INFO|WARN|ERROR)\s+(?P<service>[\w:.-]+)\] ?(?P<message>.*)$"
        ),
        priority=33,
        first="[",
    ),
    Format(
        name="tracing",
        title="Rust tracing-subscriber",
        samples=(
            "2026-11-23T10:40:29.123456Z  INFO shop::cart: added item=3",
            '2026-11-23T10:40:29.123456Z ERROR request{method=GET path="/x"}: shop: failed',
        ),
        reference="docs.rs/tracing-subscriber",
        pattern=lazily(
            rf"(?s)(?P<time>\d{{4}}-\d\d-\d\dT{CLOCK}Z) +(?P<level>TRACE|DEBUG|INFO|WARN|ERROR) (?:ThreadId\(\d+\) )?(?P<span>(?:\w+\{{[^}}]*\}}:)+ )?"
            r"(?P<service>[a-z_]\w*(?:::\w+)*): (?P<message>.*)$"
        ),
        priority=58,
        first="12",
    ),
)

