"""Fetches cited lines back from their files, so that a sentence quotes what the log really says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from ..findings import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable

#: Characters of a quoted line that are kept.
QUOTE = 500


def evidence(row: Mapping[str, Any], prefix: str = "") -> Evidence:
    """The evidence that a row of the summary (columns file, line, lines, offset, size, time) points at."""
    return Evidence(
        file=row[prefix + "file"],
        line=row[prefix + "line"],
        lines=row[prefix + "lines"],
        offset=row[prefix + "offset"],
        size=row[prefix + "size"],
        time=row[prefix + "time"],
    )


def digest(data: bytes) -> str:
    """The first 16 hex digits of the SHA-256 of the cited bytes (carriage return before the last line feed left out)."""
    return hashlib.sha256(data.removesuffix(b"\n").removesuffix(b"\r")).hexdigest()[:16]


def quotations(value: Any) -> Iterator[Evidence]:
    """All evidence inside findings, in the order in which it stands there."""
    if isinstance(value, Evidence):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from quotations(getattr(value, one.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from quotations(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from quotations(item)


def quoted(items: Iterable[Evidence], fetch: Callable[[str, list[Evidence]], Mapping[int, bytes]]) -> dict[Evidence, Evidence]:
    """Each evidence with its text and digest; `fetch(file, items)` gives the bytes of each by line number."""
    by_file: dict[str, list[Evidence]] = {}
    for item in dict.fromkeys(items):
        by_file.setdefault(item.file, []).append(item)
    answer: dict[Evidence, Evidence] = {}
    for file, wanted in sorted(by_file.items()):
        found = fetch(file, wanted)
        for item in wanted:
            data = found.get(item.line)
            answer[item] = item if data is None else replace(item, text=_shown(data), digest=digest(data))
    return answer


def _shown(data: bytes) -> str:
    """The event's first line, and its last one too when it is a stack trace (that is where the exception stands)."""
    rows = [r for r in data.decode("utf-8", "replace").split("\n") if r.strip()]
    if not rows:
        return ""
    text = rows[0]
    if len(rows) > 1 and not rows[-1][:1].isspace():
        text = f"{text} … {rows[-1].strip()}"
    return text[:QUOTE]
