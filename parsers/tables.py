"""Events as rows of an Arrow table with the schema of `retrolog.parsers.base.event_schema`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .base import Event, event_schema

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = (
    "time", "line", "lines", "offset", "size", "format", "host", "service", "pid", "severity", "message", "client",
    "method", "path", "status", "bytes", "duration", "upstream", "request_id",
)  # fmt: skip


def events_table(events: Iterable[Event]) -> pa.Table:
    """One row an event, in the order given; `fields` is a JSON object as text, null where empty."""
    import pyarrow as pa

    from .arrays import optional, texts

    schema = event_schema()
    rows = list(events)
    arrays: list[Any] = []
    for name in _COLUMNS:
        kind = schema.field(name).type
        values = [getattr(event, name) for event in rows]
        if pa.types.is_dictionary(kind):
            arrays.append(texts([_sound(value) for value in values]).dictionary_encode())
        elif pa.types.is_string(kind):
            arrays.append(texts([_sound(value) for value in values]))
        else:
            arrays.append(optional(values, kind))
    arrays.append(texts([fields_text(event.fields) for event in rows]))
    return pa.Table.from_arrays(arrays, schema=schema)


def fields_text(fields: dict[str, Any]) -> str | None:
    """The JSON text of an event's further fields, None when it has none."""
    return _sound(json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=str)) if fields else None


def _sound(text: str | None) -> str | None:
    """The text with lone surrogates (JSON escapes can make them) replaced: Arrow holds UTF-8 only."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")
