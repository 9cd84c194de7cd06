"""What container runtimes put around a row: CRI, docker's JSON, docker compose, kubectl and stern prefixes.

The runtime's own time wins; a compose prefix has none, so the row inside speaks for itself and `service` is the container. What
the row inside says by its own format (access, JSON, a logger's) fills the event. A row that the runtime cut in parts is one
event, and so is one with the indented rows that its writer put below it.
References: github.com/kubernetes/design-proposals-archive (kubelet-cri-logging), docs.docker.com/reference/cli/docker/compose/logs,
kubernetes.io/docs/reference/kubectl/generated/kubectl_logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..base import Event, Format
from ..lazy import lazily
from ..shapes import RFC3339
from ..timestamps import TimeContext, read_time
from .generic import leading_level

ADOPTED = (
    "host", "severity", "service", "pid", "client", "method", "path", "status", "bytes", "duration", "upstream", "request_id",
)  # fmt: skip
_RECORDS = ("json", "logfmt")
LAST_RESORTS = ("text", "epoch", "embedded")  # a date that begins a message may be a part of it
_CRI = lazily(rf"(?s)(?P<time>{RFC3339}) (?P<stream>stdout|stderr) (?P<tag>[FP](?::\S*)?)(?: (?P<message>.*)|)$")
#: A level in capitals before the bar is a logger's, not a container.
_COMPOSE = lazily(
    r"(?s)(?!(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL) *\|)(?P<service>[A-Za-z][\w.-]{0,80}?) *\| (?P<rest>.*)$"
)
#: What follows the rows of a trace that are indented.
_TRACE_END = lazily(r"(?:Caused by: |\.\.\. \d+ more|[A-Za-z_][\w.]{0,100}(?:Error|Exception|Interrupt|Exit|Warning)\b)")
_TRACE = "Traceback (most recent call last):"
_PREFIXED = lazily(r"^(?:[A-Za-z][\w.-]{0,80}? *\| ?|\[pod/[\w.-]+/[\w.-]+\] )")
_KUBECTL = lazily(r"(?s)\[pod/(?P<host>[\w.-]+)/(?P<service>[\w.-]+)\] (?P<rest>.*)$")


def parse_cri(text: str, context: TimeContext) -> Event | None:
    """A row of the CRI log of a container; None for any other row."""
    match = _CRI.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], match["message"] or "", "cri")
    event.fields["stream"] = match["stream"]
    open_row(context, match["stream"], event.message, whole=match["tag"][0] == "F")
    if match["tag"][0] == "P":
        event.fields["partial"] = True
    adopt(event, event.message, context)
    return event


def continues_cri(text: str, context: TimeContext) -> bool:
    """The rest of a row that was cut in parts, and indented rows of the same stream."""
    match = _CRI.match(text)
    return match is not None and row_goes_on(context, match["stream"], match["message"] or "", whole=match["tag"][0] == "F")


def close_cri(event: Event, context: TimeContext) -> None:
    """Puts the parts of a row together, and the rows of a trace below it, without what the runtime wrote before them."""

    def inside(row: str) -> tuple[str, bool]:
        match = _CRI.match(row)
        return (row, True) if match is None else (match["message"] or "", match["tag"][0] == "F")

    put_together(event, inside, context)


def put_together(event: Event, inside: Callable[[str], tuple[str, bool]], context: TimeContext) -> None:
    """Makes one message of an envelope's rows; `inside` tells what a row holds, and whether a line of the program ends with it."""
    if event.lines == 1:
        return
    message, *rows = event.message.rsplit("\n", event.lines - 1)
    whole = not event.fields.pop("partial", False)
    for row in rows:
        text, ends = inside(row)
        message += ("\n" if whole else "") + text
        whole = ends
    cut, event.message = message != event.message and "\n" not in message, message
    if cut:
        adopt(event, message, context)


def open_row(context: TimeContext, stream: str, text: str, *, whole: bool) -> None:
    """Remembers the row that an envelope's event begins with: its stream, whether it was whole, whether it opens a trace."""
    context.state["wrapped_row"] = (stream, whole, text.startswith(_TRACE))


def wrapped_row(context: TimeContext, stream: str) -> None:
    """Remembers a whole row that opens no trace, without looking at it."""
    context.state["wrapped_row"] = (stream, True, False)


def row_goes_on(context: TimeContext, stream: str, text: str, *, whole: bool) -> bool:
    """Whether the row inside an envelope goes on the one before: of one stream, the rest of a cut row, indented, or a trace's end."""
    known = context.state.get("wrapped_row")
    if known is None or known[0] != stream:
        return False
    _, ended, trace = known
    if ended and text[:1] not in (" ", "\t") and not (trace and _TRACE_END.match(text)) and not text.startswith("Caused by: "):
        return False
    context.state["wrapped_row"] = (stream, whole, trace or text.startswith(_TRACE))
    return True


def adopt(event: Event, text: str, context: TimeContext) -> None:
    """Gives an envelope's event what the row inside says: all but the time of a row with a time or of a record, else severity and request."""
    with context.aside():
        inner = inner_event(text, context)
    if inner is None:
        event.severity = leading_level(text) if event.severity is None else event.severity
        return
    for name in ADOPTED:
        if getattr(event, name) is None:
            setattr(event, name, getattr(inner, name))
    dated = inner.time is not None and (inner.format not in LAST_RESORTS or inner.severity is not None)
    if inner.format in _RECORDS or dated or inner.method is not None:
        event.message = inner.message
        event.fields = {**inner.fields, **event.fields}


def inner_event(text: str, context: TimeContext) -> Event | None:
    """The event in a row that a runtime has wrapped, read by whichever format knows it."""
    from ..detect import Detector, registry

    detector = context.state.get("wrapped")
    if detector is None:
        others = tuple(form for form in registry() if form.name not in ("compose", "kubectl", "cri"))
        detector = context.state["wrapped"] = Detector(context, others)
    found = detector.parse(text.lstrip(" "))
    return None if found is None else found[1]


def _parse_prefix(match: re.Match[str] | None, name: str, context: TimeContext) -> Event | None:
    if match is None:
        return None
    event = inner_event(match["rest"], context)
    source = context.state.get("prefixed")
    if event is None or (event.time is None and not context.year_missing and event.format not in _RECORDS):
        if source is None or source == match["service"]:
            return None
        event = Event(None, match["rest"], name)  # a row of another container goes on no event of this one
    context.state["prefixed"] = match["service"]
    event.service = match["service"]
    if "host" in match.re.groupindex:
        event.host = match["host"]
    return event


def close_prefix(event: Event, context: TimeContext) -> None:
    """Takes the prefix from the rows that go on an event."""
    del context
    if event.lines > 1:
        event.message = "\n".join(_PREFIXED.sub("", row, count=1) for row in event.message.split("\n"))


def parse_compose(text: str, context: TimeContext) -> Event | None:
    """A row with a compose prefix whose rest begins an event; None for any other row."""
    return _parse_prefix(_COMPOSE.match(text), "compose", context)


def parse_kubectl(text: str, context: TimeContext) -> Event | None:
    """A row with a `kubectl logs --prefix` prefix whose rest begins an event; None for any other row."""
    return _parse_prefix(_KUBECTL.match(text), "kubectl", context)


FORMATS = (
    Format(
        name="cri",
        title="Container Runtime Interface (containerd, CRI-O)",
        samples=(
            "2016-10-06T00:17:09.669794202Z stdout F The content of the log entry 1",
            "2016-10-06T00:17:10.113242941+02:00 stderr P partial text",
        ),
        reference="kubernetes design proposal kubelet-cri-logging",
        parse=parse_cri,
        continues=continues_cri,
        close=close_cri,
        priority=18,
        first="12",
    ),
    Format(
        name="compose",
        title="docker compose logs",
        samples=(
            'web-1  | 192.0.2.1 - - [23/Nov/2026:10:40:29 +0000] "GET / HTTP/1.1" 200 5',
            'db_1   | 2026-11-23 10:40:29.343 UTC [1] LOG:  ready',
            'api-1  | {"time":"2026-11-23T10:40:29Z","level":"info","msg":"up"}',
        ),
        reference="docs.docker.com/reference/cli/docker/compose/logs",
        parse=parse_compose,
        close=close_prefix,
        alone=True,
        priority=63,
    ),
    Format(
        name="kubectl",
        title="kubectl logs --prefix",
        samples=(
            "[pod/web-5d4/app] 2026-11-23T10:40:29Z INFO started",
            '[pod/web-5d4/app] {"ts":1763893229.5,"level":"info","msg":"up"}',
        ),
        reference="kubernetes.io/docs/reference/kubectl/generated/kubectl_logs",
        parse=parse_kubectl,
        close=close_prefix,
        alone=True,
        priority=19,
        first="[",
    ),
)
