"""Formats that a user or another package declares: by named groups or grok, matched by RE2 in time linear in the row.

Python's `re` may take time exponential in a row that an attacker wrote (`(a+)+$`). Own patterns are therefore matched by
the RE2 that Arrow brings along (arrow.apache.org/docs/cpp/compute.html, "String component extraction"): one call for
many rows, so it is no slower than `re`.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .base import SEVERITIES, Event, Format
from .columns import decimal, fill, integer, present, seconds_of, severity_of, take_http
from .grok import PatternError, expand, pieces, portable
from .timestamps import TimeContext, read_time

#: The entry point group by which a package adds formats: each names a `Format` or a tuple of them.
GROUP = "retrolog.formats"
#: Own formats are asked before all others unless they say otherwise; those below 10 are asked of every row.
PRIORITY = 5
_EPOCH = datetime(1970, 1, 1)
_REST = "rest"
_GROUP = re.compile(r"\(\?P<g(\d+)>")
#: What other tools call our columns: legacy and ECS names of the grok filter, and common ones.
_ALIASES = {
    "timestamp": "time", "@timestamp": "time", "ts": "time", "datetime": "time", "logdate": "time",
    "loglevel": "level", "severity": "level", "log.level": "level", "log-level": "level", "priority_name": "level",
    "msg": "message", "log": "message", "log_message": "message", "greedydata": "message",
    "hostname": "host", "logsource": "host", "host.hostname": "host", "host.name": "host", "syslog_hostname": "host",
    "program": "service", "syslog_program": "service", "process.name": "service", "service.name": "service", "app": "service",
    "syslog_pid": "pid", "process.pid": "pid", "syslog_message": "message", "syslog_timestamp": "time",
    "response": "status", "http.response.status_code": "status", "status_code": "status",
    "verb": "method", "http.request.method": "method", "http_method": "method",
    "url.original": "path", "uri": "path", "uripath": "path", "url": "path", "clientip": "client", "client_ip": "client",
    "source.address": "client", "remote_addr": "client", "client.ip": "client",
    "http.response.body.bytes": "bytes", "agent": "user_agent", "user_agent.original": "user_agent", "trace.id": "request_id", "trace_id": "request_id",
}  # fmt: skip
_COLUMNS = frozenset(("host", "service", "pid", "client", "method", "path", "status", "bytes", "upstream", "request_id"))


def own_format(
    name: str,
    pattern: str | None = None,
    grok: str | None = None,
    *,
    title: str = "",
    samples: Sequence[str] = (),
    severity: Mapping[str, str] | None = None,
    time_format: str | None = None,
    priority: int = PRIORITY,
    patterns: Mapping[str, str] | None = None,
    reference: str = "own declaration",
) -> Format:
    """A format from one pattern: `pattern` with named groups, or `grok`; what the groups are named for is in `docs/configuration.md`.

    The pattern must fit from the start of the row. `severity` says which severity a level word stands for, where it is
    not one that is known; `time_format` is a `strptime` format with a year for stamps that retrolog does not know;
    `patterns` are further grok pieces. Raises PatternError when the pattern cannot be matched in linear time, when it
    has no group, or when a sample does not fit.
    """
    if (pattern is None) == (grok is None):
        raise PatternError("it needs either `pattern` or `grok`")
    kinds: dict[str, str] = {}
    text = pattern or ""
    if grok is not None:
        text, kinds = expand(grok, patterns)
    compiled = portable(text)
    if not compiled.names:
        raise PatternError("it names no group; write (?P<time>...) or %{TIMESTAMP_ISO8601:time} and (?P<message>...)")
    levels = {word.lower(): level for word, level in (severity or {}).items()}
    unknown = next((level for level in levels.values() if level not in SEVERITIES), None)
    if unknown is not None:
        raise PatternError(f"{unknown!r} is no severity; use one of {', '.join(SEVERITIES)}")
    if time_format is not None and not any(code in time_format for code in ("%Y", "%y")):
        raise PatternError(f"its time_format {time_format!r} has no year; add %Y, or leave it out for stamps that retrolog knows")
    if time_format is not None and any(code in time_format for code in ("%Z", "%c", "%x", "%X")):
        raise PatternError(f"its time_format {time_format!r} depends on the machine; write %z and the single parts instead")
    names = tuple(_ALIASES.get(group.lower(), group) for group in compiled.names)
    reader = OwnPattern(name, compiled.text, names, kinds, levels, time_format)
    reader.prepare([])
    form = Format(name, title or name, tuple(samples), reference, parse=reader, prepare=reader.prepare, priority=priority)
    for number, sample in enumerate(samples, 1):
        if reader(sample.split("\n")[0], TimeContext(year=2000)) is None:
            raise PatternError(f"its sample {number} does not fit, or has no time that can be read: {sample[:80]!r}")
    return form


def declared(taken: Collection[str] = ()) -> list[Format]:
    """The formats that installed packages declare under the entry point group `retrolog.formats`.

    A name that is `taken`, an entry that cannot be loaded, and one that is no format are left out with a warning: a broken
    package must not keep logs from being read (packaging.python.org/specifications/entry-points).
    """
    found: list[Format] = []
    if not _any_declared():
        return found
    from importlib.metadata import entry_points

    for entry in sorted(entry_points(group=GROUP), key=lambda item: (item.name, item.value)):
        try:
            loaded: Any = entry.load()
        except Exception as error:  # noqa: BLE001  # the code of another package may raise anything
            warnings.warn(f"the log format {entry.name} ({entry.value}) cannot be loaded: {error}", stacklevel=2)
            continue
        for form in (loaded,) if isinstance(loaded, Format) else loaded if isinstance(loaded, tuple | list) else (None,):
            if not isinstance(form, Format):
                warnings.warn(f"the entry point {entry.name} ({entry.value}) names no Format or tuple of them", stacklevel=2)
            elif form.name in taken or form.name in (other.name for other in found):
                warnings.warn(f"the log format {form.name} of {entry.value} is left out: its name is taken", stacklevel=2)
            else:
                found.append(form)
    return found


def _any_declared() -> bool:
    """Whether a package beside this one may declare formats: `importlib.metadata`, which tells which, takes long to import.

    Entry points are written in `entry_points.txt` of a package's metadata folder; what lies in an archive is not looked into here.
    """
    group = f"[{GROUP}]".encode()
    for place in sys.path:
        try:
            entries = [entry.path for entry in os.scandir(place or ".") if entry.name.endswith((".dist-info", ".egg-info"))]
        except NotADirectoryError:
            return True
        except OSError:
            continue
        for entry in entries:
            try:
                with open(os.path.join(entry, "entry_points.txt"), "rb") as declared_there:
                    if group in declared_there.read():
                        return True
            except OSError:
                continue
    return False


@dataclass(slots=True)
class OwnPattern:
    """What reads a row by an own pattern: call it like `Format.parse`; `prepare` matches rows to come all at once."""

    name: str
    pattern: str  # as `grok.portable` makes it
    names: tuple[str, ...]
    kinds: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)
    time_format: str | None = None
    _ready: dict[str, dict[str, str] | None] = field(default_factory=dict, repr=False)

    def __call__(self, text: str, context: TimeContext) -> Event | None:
        """The event that begins with this row; None when the pattern does not fit, or its stamp cannot be read."""
        found = self._ready[text] if text in self._ready else self._groups([text])[0]
        if found is None:
            return None
        values: dict[str, str] = {}
        for at, name in enumerate(self.names):
            value = found[f"g{at}"]
            if value:
                values.setdefault(name, value)
        time = self._time(values, context)
        if time is _UNREAD:
            return None
        return self._event(time, values, found[_REST], text)

    def prepare(self, texts: Sequence[str]) -> None:
        """Matches rows that will be asked for next; forgets those before. Raises PatternError when RE2 refuses the pattern."""
        self._ready = dict(zip(texts, self._groups(texts), strict=True))

    def stops(self, text: str) -> tuple[int, str]:
        """How many characters of a row the pattern fits before it stops, and at what: a group's name, or a piece of the pattern."""
        parts = pieces(self.pattern)
        fitted, stop = 0, 0
        for count in range(1, len(parts) + 1):
            found = _extract([text], f"^(?P<{_REST}>{''.join(parts[:count])})")[0]
            if found is not None:
                fitted, stop = len(found[_REST]), count
        if stop == len(parts):
            return fitted, "a time that can be read"
        named = _GROUP.match(parts[stop])
        return fitted, self.names[int(named[1])] if named else parts[stop]

    def _groups(self, texts: Sequence[str]) -> list[dict[str, str] | None]:
        return _extract(texts, f"^(?:{self.pattern})(?P<{_REST}>.*)$")

    def _time(self, values: dict[str, str], context: TimeContext) -> Any:
        """The event's time, None where the pattern has none; `_UNREAD` where there is a stamp that cannot be read."""
        stamp = values.pop("time", None)
        if stamp is None:
            return None
        if "date" in values:
            stamp = f"{values.pop('date')} {stamp}"
        if self.time_format is None:
            reading = read_time(stamp.strip(), context)
            return _UNREAD if reading is None else reading[1]
        try:
            moment = datetime.strptime(stamp.strip(), self.time_format)
        except ValueError:
            return _UNREAD
        word = moment.strftime("%z")[:5] or None
        passed = moment.replace(tzinfo=None) - _EPOCH
        context.begin()
        return context.local(passed.days * 86_400 + passed.seconds, passed.microseconds, word)

    def _event(self, time: int | None, values: dict[str, str], rest: str, text: str) -> Event:
        message = values.pop("message", None)
        event = Event(time, (rest.strip() or text) if message is None else message, self.name)
        if message is not None and rest.strip():
            event.fields[_REST] = rest.strip()
        level = values.pop("level", None)
        if level is not None:
            event.severity = self.levels.get(level.strip().lower()) or severity_of(level)
            if event.severity is None:
                event.fields["level"] = level
        others: dict[str, Any] = {}
        for name, value in values.items():
            known = present(_unquoted(value.strip()))
            if known is None:
                continue
            if name == "request":
                fill(event, "request" if " " in known else "path", known)
            elif name in _COLUMNS:
                fill(event, name, known)
            elif name.startswith("duration"):
                event.duration = seconds_of(name, known)
            else:
                others[name] = _number(known, self.kinds.get(name))
        used = take_http(event, others) if event.path is not None or event.method is not None else set[str]()
        event.fields |= {name: value for name, value in others.items() if name not in used}
        return event


_UNREAD = object()


def _extract(texts: Sequence[str], regex: str) -> list[dict[str, str] | None]:
    """The named groups of each text, None where the expression does not fit."""
    import pyarrow as pa
    import pyarrow.compute

    pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them
    sound = [t if t.isascii() else t.encode("utf-8", "replace").decode() for t in texts]
    try:
        found: list[dict[str, str] | None] = pc.extract_regex(pa.array(sound, pa.string()), regex).to_pylist()
    except pa.ArrowInvalid as error:
        said = str(error).removeprefix("Invalid regular expression: ").split(": ^(?:")[0]
        raise PatternError(f"RE2 cannot match it ({said}); see github.com/google/re2/wiki/Syntax") from error
    return found


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _number(text: str, kind: str | None) -> str | int | float:
    """The text as the number that grok's third part asks for (`int`, `float`); as it is where it is none."""
    number = integer(text) if kind == "int" else decimal(text) if kind == "float" else None
    return text if number is None else number


