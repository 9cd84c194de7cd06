"""What a message says, without what belongs to the single event, and with what a structured record says beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import flags, holds, numbers, one, texts
from ...parsers.kernels.rows import bytes_of, cut
from ...parsers.kernels.words import collapsed, rows_with

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

#: Left out of a message before it is told or compared (RE2 and `re` alike): the kernel's seconds since boot (printk), and the
#: request that nginx appends to an error, with which every endpoint would be a message of its own.
_SINGLE = r"^\[ *\d+\.\d+\] |, client: [^,]*, server: .*"
_LEAVE_OUT = re.compile(_SINGLE)
#: Where structured records keep a stack trace: the names of Python's logging, structlog, logback, pino, zap, slog, ECS, serilog.
_TRACE = (
    r'"(?:exception|exc_info|stack_?[tT]race|stack|traceback|backtrace|error\.stack_trace|exception\.stacktrace|err\.stack|@x)"'
    r':\s*"(?P<trace>(?:[^"\\]|\\.)*)"'
)
_WORDS_OF_TRACE = ("exception", "exc_info", "stack", "traceback", "backtrace", "@x")
#: Fields that say how a record was written or which single request it is about, not what happened.
_DULL = re.compile(
    r"(?i)^(v|version|lang|caller|logger|lineno?|line|file(name)?|func(tion)?|module|thread(_?name|_?id)?|pid|tid|process|level|seq|index|"
    r"ts|time(stamp)?|.*(_|\.|-)?(request|trace|span|correlation|session|transaction|event|message)(_|\.|-)?id|rid|uuid|hash|"
    r"user_agent|referrer|stream|labels?|tags?|host(name)?|service|app|env(ironment)?|exception|exc_info|stack.*|traceback|[@_].*)$"
)
#: What a record is about, where it holds that as a record of its own; and names of a headline.
_ABOUT = re.compile(r"(?i)(?:alert|alarm|incident|monitor|check|problem|issue|heartbeat)$")
_TITLE = re.compile(r"(?i)(?:title|subject|headline|summary)$")
_DULL_VALUE = re.compile(r"(?i)^[0-9a-f]{16,}$|^[0-9a-f]{8}-[0-9a-f]{4}-|^\d{4}-\d\d-\d\d[T ]|<|^\[")
#: Formats whose records are fields in the first place; what other formats put aside is not what the line says.
_STRUCTURED = re.compile(r"json|logfmt|cri|docker|kube|gelf|otel|structured", re.IGNORECASE)
_MOST_FIELDS = 6
_LONGEST = 60


def plain(message: str) -> str:
    """A message without its single event's marks: `[84008.0] eth0: link down` says `eth0: link down`."""
    return _LEAVE_OUT.sub("", message)


#: A long record is kept as its beginning and its last row, if that is not indented: there Python names the exception.
_LONG, _BEGINNING, _ENDING = 1500, 1000, 301
_BLANK = "\t\n\f\r "
_CLOSING = 24  # bytes within which the bracket of the kernel's seconds closes


def gists(messages: pa.ChunkedArray, fields: pa.ChunkedArray) -> pa.ChunkedArray:
    """The messages as they are compared: plain, and with the exception that a structured record holds as their last row."""
    said = _shortened(_bare(pa.concat_arrays([messages.combine_chunks(), pa.nulls(0, pa.string())])))  # no slice of another
    if fields.null_count == len(fields) or not _mentions(fields, _WORDS_OF_TRACE):
        return pa.chunked_array([said])
    traced = holds(pc.match_substring_regex(fields, '"(?:' + "|".join(_WORDS_OF_TRACE) + ")"))
    if not traced.any():
        return pa.chunked_array([said])
    found = pc.struct_field(pc.extract_regex(fields.combine_chunks(), _TRACE), "trace").dictionary_encode()
    exceptions = texts([_exception(text) for text in found.dictionary.to_pylist()]).take(found.indices)
    whole = pc.binary_join_element_wise(said, exceptions, one("\n"), null_handling="skip")
    return pa.chunked_array([whole])


def _bare(said: pa.Array) -> pa.Array:
    """The messages without what belongs to the single event, as `plain` says."""
    row = rows_with(said, b", client")
    if len(row):
        said = _replaced(said, row, pc.replace_substring_regex(said.take(numbers(row)), _SINGLE, ""))
    offsets, letters = bytes_of(said)
    row = np.flatnonzero(letters[np.minimum(offsets[:-1], len(letters) - 1)] == 91) if len(letters) else np.zeros(0, np.int64)
    row = row[offsets[row] < offsets[row + 1]]
    if not len(row):
        return said
    begin, end = offsets[row].astype(np.int64), offsets[row + 1].astype(np.int64)
    closed = np.flatnonzero(letters == 93)
    close = np.append(closed, len(letters))[np.searchsorted(closed, begin)]
    near = (close - begin < _CLOSING) & (close + 1 < end)
    near[near] &= letters[close[near] + 1] == 32
    row, begin, close, end = row[near], begin[near], close[near], end[near]
    seconds = collapsed(cut(said, begin, close)).dictionary_encode()
    told = holds(pc.match_substring_regex(seconds.dictionary, r"^\[ *0\.0$").take(seconds.indices))
    if not told.any():
        return said
    return _replaced(said, row[told], cut(said, close[told] + 2, end[told]))


def _shortened(said: pa.Array) -> pa.Array:
    row = np.flatnonzero(holds(pc.greater(pc.binary_length(said), one(_LONG))))
    if not len(row):
        return said
    short = [_beginning_and_end(text) if len(text) > _LONG else text for text in said.take(numbers(row)).to_pylist()]
    return _replaced(said, row, texts(short))


def _beginning_and_end(text: str) -> str:
    """The first characters of a text and its last row; a text of less than three rows, or whose last one is indented, as it is."""
    body = text.rstrip(_BLANK)
    last = body.rfind("\n")
    before = body.rfind("\n", 0, max(last, 0))
    if before < 0 or body[last + 1] in _BLANK:
        return text
    return f"{text[: min(before, _BEGINNING)]}\n{text[last + 1 : last + 1 + _ENDING].partition(chr(10))[0]}"


def _replaced(said: pa.Array, row: Any, by: pa.Array) -> pa.Array:
    """The texts with those of some rows, by number, written anew."""
    mask = np.zeros(len(said), np.bool_)
    mask[row] = True
    return pc.replace_with_mask(said, flags(mask), by)


def _mentions(column: pa.ChunkedArray, words: tuple[str, ...]) -> bool:
    """Whether any text may hold any of the words: looked for in the bytes of all at once, most blocks have none."""
    buffers = [chunk.buffers()[2] for chunk in column.chunks]
    held = [memoryview(buffer).tobytes() for buffer in buffers if buffer is not None]
    return any(word.encode() in letters for letters in held for word in words)


def _exception(escaped: str) -> str | None:
    """The row of a stack trace that names the exception: Python's last, the others' first."""
    try:
        rows = [r for r in str(json.loads(f'"{escaped}"', strict=False)).split("\n") if r.strip()]
    except ValueError:
        return None
    if not rows:
        return None
    python = rows[0].startswith("Traceback ")
    return (rows[-1] if python else rows[0]).strip()[:300]


def telling(fields: Any, form: str | None = "json") -> dict[str, str]:
    """The fields of a structured record that say what happened: short scalars, at most six, in their order.

    `fields` is a JSON object, or one as the text that the event table holds, or null;
    `form` is the event's format.
    """
    if not form or not _structured(form):
        return {}
    try:
        record = json.loads(fields) if isinstance(fields, str) else fields
    except ValueError:
        return {}
    if not isinstance(record, dict):
        return {}
    out: dict[str, str] = {}
    for key, value in _opened(record):
        if isinstance(value, bool):
            value = str(value).lower()
        dull = _DULL.match(key) or (_DULL_VALUE.match(str(value)) and not _TITLE.match(key))
        if isinstance(value, str | int | float) and not dull and 0 < len(str(value)) <= _LONGEST:
            out[key] = str(value)
        if len(out) == _MOST_FIELDS:
            break
    return out


def _opened(record: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The members of a record, behind them those of what it is about (`alert.message`)."""
    within = [(f"{key}.{name}", value[name]) for key, value in record.items() if isinstance(value, dict) and _ABOUT.match(key) for name in value]
    return [*record.items(), *within]


@lru_cache(maxsize=256)
def _structured(form: str) -> bool:
    return _STRUCTURED.search(form) is not None


def with_fields(message: str, fields: Mapping[str, str]) -> str:
    """`flag rule updated flag=proration-v3 previous=off`: the message's first row with the telling fields behind it."""
    if not fields:
        return message
    head, feed, rest = message.partition("\n")
    missing = [f"{k}={v}" for k, v in fields.items() if f"{k}={v}" not in head]
    return " ".join([head, *missing]) + feed + rest


#: Keys by which records name what they are about, and who did it, in the order they are asked.
SUBJECTS = ("flag", "feature", "feature_flag", "deployment", "release", "app", "application", "component", "unit", "job", "table", "object", "target", "resource", "name", "key")
ACTORS = ("by", "user", "actor", "author", "operator", "who", "requested_by", "changed_by", "initiator")
