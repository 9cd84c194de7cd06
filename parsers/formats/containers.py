"""What container runtimes put around a row: CRI, docker compose, kubectl and stern prefixes.

The runtime's own time wins; a compose prefix has none, so the row inside speaks for itself and `service` is the container.
References: github.com/kubernetes/design-proposals-archive (kubelet-cri-logging), docs.docker.com/reference/cli/docker/compose/logs,
kubernetes.io/docs/reference/kubectl/generated/kubectl_logs.
"""

from __future__ import annotations

import re

from ..base import Event, Format
from ..shapes import RFC3339
from ..timestamps import TimeContext, read_time

_ADOPTED = (
    "severity", "service", "pid", "client", "method", "path", "status", "bytes", "duration", "upstream", "request_id",
)  # fmt: skip
_RECORDS = ("json", "logfmt")
_CRI = re.compile(rf"(?s)(?P<time>{RFC3339}) (?P<stream>stdout|stderr) (?P<tag>[FP](?::\S*)?)(?: (?P<message>.*)|)$")
_COMPOSE = re.compile(r"(?s)(?P<service>[A-Za-z][\w.-]{0,80}?) *\| (?P<rest>.*)$")
_KUBECTL = re.compile(r"(?s)\[pod/(?P<host>[\w.-]+)/(?P<service>[\w.-]+)\] (?P<rest>.*)$")


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
    if match["tag"][0] == "P":
        event.fields["partial"] = True
    adopt(event, event.message, context)
    return event


def adopt(event: Event, text: str, context: TimeContext) -> None:
    """Gives an envelope's event what the row inside knows: its severity and request, and of a JSON or logfmt record all but the time."""
    with context.aside():
        inner = inner_event(text, context)
    if inner is None:
        return
    for name in _ADOPTED:
        if getattr(event, name) is None:
            setattr(event, name, getattr(inner, name))
    if inner.format in _RECORDS:
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


def _parse_prefix(match: re.Match[str] | None, context: TimeContext) -> Event | None:
    if match is None:
        return None
    event = inner_event(match["rest"], context)
    if event is None or (event.time is None and not context.year_missing and event.format not in _RECORDS):
        return None
    event.service = match["service"]
    if "host" in match.re.groupindex:
        event.host = match["host"]
    return event


def parse_compose(text: str, context: TimeContext) -> Event | None:
    """A row with a compose prefix whose rest begins an event; None for any other row."""
    return _parse_prefix(_COMPOSE.match(text), context)


def parse_kubectl(text: str, context: TimeContext) -> Event | None:
    """A row with a `kubectl logs --prefix` prefix whose rest begins an event; None for any other row."""
    return _parse_prefix(_KUBECTL.match(text), context)


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
        priority=19,
        first="[",
    ),
)
