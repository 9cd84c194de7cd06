"""What a format is, and what an event is: the two words every parser is written in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from .timestamps import TimeContext

#: Severities from least to most severe; an event without one has None.
SEVERITIES = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


@dataclass(slots=True)
class Event:
    """What one record says: one or more lines, at most one time, one severity.

    `time` is microseconds since the epoch in UTC, None when none could be read; `duration` is seconds.
    `line` counts from 1 in the unpacked text, `lines` is how many physical lines the event has, `offset` and
    `size` are bytes in the unpacked text (UTF-8), with the last line feed left out. `message` is the text after time, host, tag and
    level, continuation lines joined with line feeds. `fields` is what else the format knows (JSON types only).
    """

    time: int | None
    message: str
    format: str = ""
    severity: str | None = None
    host: str | None = None
    service: str | None = None
    pid: int | None = None
    client: str | None = None
    method: str | None = None
    path: str | None = None
    status: int | None = None
    bytes: int | None = None
    duration: float | None = None
    upstream: str | None = None
    request_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    line: int = 0
    lines: int = 1
    offset: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """A way of writing log lines, declared in one file of `parsers/formats/`.

    `pattern` is a regular expression that RE2 and `re` both understand; its named groups are the event's columns plus
    `time`. `parse` overrides it for formats that no pattern fits (JSON, logfmt): it answers None for "this line is
    not mine". `continues` says that a line after this format's event belongs to it, timed or not (None: the general
    rule). `close` completes an event of several lines once its last line is known. `spans` says that its records are
    several rows that others print too (pretty JSON, XML): they begin only where no other format's rows have a time. `first` lists the characters a row
    can begin with (empty: any), so that other rows are not asked. `alone` says that a row of it without a time is an event by itself
    also amid timed rows of other formats. `prepare` is given (cleaned) rows
    that `parse` will be asked about soon, for own formats that read many rows faster than one. `samples` are real lines that must parse; a test walks them all. `reference` cites the manual, RFC or source.
    """

    name: str
    title: str
    samples: tuple[str, ...]
    reference: str
    pattern: re.Pattern[str] | None = None
    parse: Callable[[str, TimeContext], Event | None] | None = None
    continues: Callable[[str, TimeContext], bool] | None = None
    close: Callable[[Event, TimeContext], None] | None = None
    spans: bool = False
    alone: bool = False
    first: str = ""
    prepare: Callable[[Sequence[str]], None] | None = None
    priority: int = 50  # lower is asked first when no favourite is known


def event_schema() -> pa.Schema:
    """The Arrow schema of an event table, one row an event (`pandas` frames made from it are Arrow-backed).

    Text that repeats is dictionary-encoded. `fields` is a JSON object as text, or null. `source` and `file` are added
    by `retrolog.pipeline.reading.ingest`: a parser does not know where its text came from.
    """
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            ("time", pa.timestamp("us", tz="UTC")),
            ("line", pa.int64()),
            ("lines", pa.int32()),
            ("offset", pa.int64()),
            ("size", pa.int32()),
            ("format", text),
            ("host", text),
            ("service", text),
            ("pid", pa.int64()),
            ("severity", text),
            ("message", pa.string()),
            ("client", text),
            ("method", text),
            ("path", pa.string()),
            ("status", pa.int16()),
            ("bytes", pa.int64()),
            ("duration", pa.float64()),
            ("upstream", text),
            ("request_id", pa.string()),
            ("fields", pa.string()),
        ]
    )
