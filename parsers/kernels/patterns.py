"""Formats that one strict pattern tells by columns: nginx error logs, RFC 5424 with structured data, and klog.

The pattern takes fewer rows than the format does, but reads those it takes as the format does: nginx's tail in nginx's order,
structured data without escapes. The rest is left to the format.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..arrays import flags, holds, joined, one, texts, values
from ..base import Format
from ..columns import severity_of, syslog_severity
from ..formats.golang import header_time
from ..formats.syslog import FACILITIES, structured_ids
from ..timestamps import read_time
from .access import present, through
from .kernel import Kernel, encode
from .rows import Alone, Mask, ReadTime, Rows, Unsure, pc, stamps_between
from .words import request_ids

if TYPE_CHECKING:
    from ..rowwise import RowParser

_Columns = Callable[[Any, int], tuple[dict[str, Any], Mask, Mask]]
_KEYS = "client|server|request|subrequest|upstream|host|referrer"
_NGINX = (
    r"^(?P<lead>)(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) \[(?P<level>[a-z]+)\] (?:(?P<pid>\d+)#(?P<tid>\d+): )?(?:\*(?P<connection>\d+) )?"
    r'(?P<message>(?P<said>.*?)(?:, client: (?P<client>[^,\s"\\]+))?(?:, server: (?P<server>[^,\s"\\]*))?'
    r'(?:, request: "(?P<method>[A-Z][A-Z_-]{1,20}) (?P<path>/[^ "\\]*) HTTP/[0-9.]+")?(?:, subrequest: "(?P<subrequest>[^"\\\t]*)")?'
    r'(?:, upstream: "(?P<upstream>[^"\\]*)")?(?:, host: "(?P<host>[^"\\\t]*)")?(?:, referrer: "(?P<referrer>[^"\\\t]*)")?)$'
)
_PARAM = r'[^\s=\]"\[,]+="[^"\\\[\]\t]*"'
_RFC5424 = (
    r"^(?P<lead><(?P<pri>\d{1,3})>1 )(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (?P<host>[^\s\"\\]+) (?P<service>[^\s\"\\]+) "
    rf'(?P<pid>-|\d+) (?P<msgid>[^\s"\\]+) (?P<sd>-|(?:\[[^\s=\]"\[,]+(?: {_PARAM})*\])+)(?: (?P<message>[^\s].*)|(?P<nothing>))$'
)

_KLOG = (
    r"^(?P<lead>[IWEF])(?P<time>\d{4}(?:\d{4})? \d\d:\d\d:\d\d(?:\.\d{1,9})?Z?)\s+(?P<pid>\d+) "
    r'(?P<caller>[^\]\s"\\]+)\] ?(?P<message>.*)$'
)


@dataclass(frozen=True, slots=True)
class _Layout:
    """The rows of a format that are told by columns: an RE2 pattern with `lead` and `time`, and what its groups mean.

    The columns come with the rows they are certain of, and with those that begin an event in any case.
    """

    pattern: str
    columns: _Columns
    read: ReadTime = read_time


def _nginx(matched: Any, count: int) -> tuple[dict[str, Any], Mask, Mask]:
    """The columns of rows of nginx's error log."""
    level = encode(matched.field("level"))
    said = [severity_of(word) for word in level.dictionary.to_pylist()]
    severity = through(level.indices, texts(said))
    begins = holds(pc.is_valid(severity))
    pid = matched.field("pid")
    ok = begins & holds(pc.less(pc.binary_length(pid), one(18)))
    ok &= ~holds(pc.match_substring_regex(matched.field("said"), f", (?:{_KEYS}): "))
    path = matched.field("path")
    ok &= ~holds(pc.match_substring(pc.utf8_slice_codeunits(path, 0, 12), "://"))
    parts: dict[str, Any] = {"severity": severity, "message": matched.field("message"), "path": present(path)}
    parts["pid"] = pc.if_else(flags(ok), present(pid), one(None)).cast(pa.int64())
    for name in ("client", "method", "upstream"):
        parts[name] = encode(present(matched.field(name)))
    told = [_told(name, present(matched.field(name))) for name in ("tid", "connection", "server", "subrequest", "host", "referrer")]
    parts["fields"] = _object(told, count)
    return parts, ok, begins


def _syslog(matched: Any, count: int) -> tuple[dict[str, Any], Mask, Mask]:
    """The columns of rows of RFC 5424."""
    begins = np.ones(count, np.bool_)
    for name, most in (("host", 255), ("service", 255), ("msgid", 64), ("pid", 18)):  # counted repetitions are slow in RE2
        begins &= holds(pc.less_equal(pc.binary_length(matched.field(name)), one(most)))
    priority = encode(matched.field("pri"))
    numbered = [int(text) for text in priority.dictionary.to_pylist()]
    message = matched.field("message")
    service = encode(present(matched.field("service")))
    sd = matched.field("sd")
    ok = begins & ~holds(pc.equal(service, one("haproxy"))) & ~holds(pc.match_substring(message, '] "'))  # rows within rows
    ok &= ~holds(pc.match_substring_regex(pc.utf8_slice_codeunits(message, 0, 120), r"%[A-Z0-9_-]+-[0-7]-"))
    ok &= ~holds(pc.match_substring_regex(message, r"\s$"))
    kinds = pc.replace_substring_regex(sd, r'="[^"]*"', '=""').dictionary_encode()
    plain = np.array([kind == "-" or structured_ids(kind) for kind in kinds.dictionary.to_pylist()], np.bool_)
    ok &= plain[values(kinds.indices)]
    parts: dict[str, Any] = {
        "severity": through(priority.indices, texts([syslog_severity(number) for number in numbered])),
        "host": encode(present(matched.field("host"))), "service": service, "pid": pc.if_else(flags(ok), present(matched.field("pid")), one(None)).cast(pa.int64()), "message": message,
    }  # fmt: skip
    facility = texts([FACILITIES[number // 8] if number <= 191 else None for number in numbered]).take(priority.indices)
    told = [_told("facility", facility), _told("msgid", present(matched.field("msgid"))), _structured(sd)]
    parts["fields"] = _object(told, count)
    return parts, ok, begins


def _structured(sd: Any) -> Any:
    """Structured data without escapes and brackets within values as the member `sd` of a JSON object, null for a dash."""
    said = pc.replace_substring(sd, "][", "],[")
    said = pc.replace_substring_regex(said, r' ([^\s=\]"]+)="([^"]*)"', r',"\1":"\2"')
    said = pc.replace_substring_regex(said, r'\[([^\s=\]",]+),', r'"\1":{')
    said = pc.replace_substring_regex(said, r'\[([^\s=\]",]+)\]', r'"\1":{}')
    said = pc.replace_substring_regex(said, r'"\]', r'"}')
    made = pc.binary_join_element_wise(one('"sd":{'), said, one("}"), one(""))
    return pc.if_else(pc.equal(sd, one("-")), one(None), made)


def _klog(matched: Any, count: int) -> tuple[dict[str, Any], Mask, Mask]:
    """The columns of rows with a klog header."""
    level = encode(matched.field("lead"))
    begins = holds(pc.less_equal(pc.binary_length(matched.field("caller")), one(200)))
    pid = matched.field("pid")
    ok = begins & holds(pc.less(pc.binary_length(pid), one(18)))
    parts: dict[str, Any] = {
        "severity": through(level.indices, texts([severity_of(word) for word in level.dictionary.to_pylist()])), "message": matched.field("message"),
        "pid": pc.if_else(flags(ok), pid, one(None)).cast(pa.int64()), "fields": _object([_told("caller", matched.field("caller"))], count),
    }  # fmt: skip
    return parts, ok, begins


def _told(key: str, said: Any) -> Any:
    """`"key":"value"` of each row, null where there is no value; the values need no escapes."""
    return pc.binary_join_element_wise(one(f'"{key}":"'), said, one('"'), one(""))


def _object(members: list[Any], count: int) -> Any:
    """A JSON object of each row's members, null where it has none."""
    said = joined(members, ",", count)
    return pc.if_else(pc.equal(said, one("")), one(None), pc.binary_join_element_wise(one("{"), said, one("}"), one("")))


_LAYOUTS = {"nginx_error": _Layout(_NGINX, _nginx), "syslog_5424": _Layout(_RFC5424, _syslog), "klog": _Layout(_KLOG, _klog, header_time)}


def find(rows: Rows, candidates: Mask, form: Format, parser: RowParser, line: int) -> Alone:
    """The rows that fit the format's pattern."""
    layout = _LAYOUTS[form.name]
    at = np.flatnonzero(candidates)
    at = at[np.isin(rows.data[rows.start[at]], np.frombuffer(form.first.encode(), np.uint8))]
    matched = pc.extract_regex(rows.cut(rows.start[at], rows.end[at]), layout.pattern)
    fits = holds(pc.is_valid(matched))
    if not fits.any():
        raise Unsure("no row is written as usual")
    matched, at = matched.filter(flags(fits)), at[fits]
    begin = rows.start[at] + values(pc.binary_length(matched.field("lead")))
    stamps = stamps_between(rows, begin, begin + values(pc.binary_length(matched.field("time"))), parser.context, line, None, layout.read)
    parts, ok, begun = layout.columns(matched, len(at))
    begins = np.zeros(len(rows), np.bool_)
    begins[at[begun & stamps.sound]] = True
    asked = np.ones(len(at), np.bool_) if "method" not in parts else ~holds(pc.is_valid(parts["method"]))
    parts["request_id"], hinting = request_ids(pc.binary_join_element_wise(parts["message"], one(""), one("")), asked)
    ok &= stamps.sound & ~hinting
    parts = {name: part.filter(flags(ok)) for name, part in parts.items()}
    return Alone(rows, at[ok], begins, stamps.pick(ok), parts)


PATTERNS = Kernel(find)
__all__ = ["PATTERNS"]
