"""HAProxy's HTTP log within syslog, by columns: what `retrolog.parsers.formats.web.take_haproxy` does for many messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ..arrays import flags, holds, joined, numbers, one
from ..base import Event
from ..shapes import CLOCK, MONTH
from .access import present
from .kernel import encode
from .rows import Mask, pc

#: The name of the service whose messages are rows of requests.
SERVICE = "haproxy"
_FIELDS = ("frontend", "backend", "timers", "termination")
_COLUMNS = ("client", "upstream", "status", "bytes", "duration", "method", "path")
#: What begins every row of a request or a connection; other messages of the service are only text.
_BEGINS = r"^(?:[0-9A-Fa-f.:]+|unix):\d+ \["
_ROW = (
    rf"^(?P<client>[0-9A-Fa-f.:]+|unix):\d+ \[\d\d/{MONTH}/\d{{4}}:{CLOCK}\] (?P<frontend>[^\s\"\\]+) (?P<backend>[^\s/\"\\]+)/(?P<upstream>[^\s\"\\]+) "
    r"(?P<timers>(?:[-+\d]+/)*\+?(?P<total>-?\d+)) (?P<status>-1|[1-9]\d\d) \+?(?P<bytes>\d+) "
    r'[^\s"]+ [^\s"]+ (?P<termination>[^\s"\\]+) [^"]*"(?P<method>[A-Z][A-Z_-]{1,20}) (?P<path>/[^ "]*|\*) HTTP/[0-9.]+"$'
)


def headed(event: Event) -> Event:
    """The event of a row of syslog as its head alone tells it, where its message is one of HAProxy's requests."""
    if event.service == SERVICE and "timers" in event.fields:
        for name in _COLUMNS:
            setattr(event, name, None)
        event.fields = {key: value for key, value in event.fields.items() if key not in _FIELDS}
    return event


def taken(messages: Any, asked: Mask) -> tuple[dict[str, Any], Mask]:
    """The request columns of the messages asked about, and which of those are neither a usual request nor plain text.

    `fields` are members of a JSON object without its braces. All columns are null where a message is no request.
    """
    count = len(messages)
    place = np.flatnonzero(asked)
    some = messages.take(numbers(place))
    matched = pc.extract_regex(some, _ROW)
    request = holds(pc.is_valid(matched))
    for name, most in (("bytes", 18), ("total", 12)):
        request &= holds(pc.less_equal(pc.binary_length(matched.field(name)), one(most)))
    request &= ~holds(pc.match_substring(pc.utf8_slice_codeunits(matched.field("path"), 0, 12), "://"))
    doubtful = np.zeros(count, np.bool_)
    doubtful[place] = ~request & holds(pc.match_substring_regex(some, _BEGINS))
    place, matched = place[request], matched.filter(flags(request))
    spread = np.full(count, -1)
    spread[place] = np.arange(len(place))
    index = pc.if_else(flags(spread >= 0), numbers(np.maximum(spread, 0)), one(None).cast(pa.int64()))

    def column(values: Any) -> Any:
        return values.take(index)

    total = matched.field("total").cast(pa.int64())
    status = matched.field("status").cast(pa.int16())
    parts = {name: encode(column(present(matched.field(name)) if name == "path" else matched.field(name))) for name in ("client", "upstream", "method", "path")}
    parts["path"] = parts["path"].cast(pa.string())
    parts["status"] = column(pc.if_else(pc.less(status, numbers(np.array([0], np.int16))[0]), one(None).cast(pa.int16()), status))
    parts["bytes"] = column(matched.field("bytes").cast(pa.int64()))
    seconds = pc.divide(total.cast(pa.float64()), numbers(np.array([1000.0]))[0])
    parts["duration"] = column(pc.if_else(pc.less(total, one(0)), one(None).cast(pa.float64()), seconds))
    frontend = pc.utf8_rtrim(matched.field("frontend"), characters="~")
    said = [frontend if name == "frontend" else matched.field(name) for name in _FIELDS]
    members = [pc.binary_join_element_wise(one(f'"{name}":"'), value, one('"'), one("")) for name, value in zip(_FIELDS, said, strict=True)]
    parts["fields"] = column(joined(members, ",", len(place)))
    return parts, doubtful


def joined_fields(own: Any, more: Any) -> Any:
    """The head's JSON object (or null) with further members, where there are any."""
    first = pc.binary_join_element_wise(one("{"), more, one("}"), one(""))
    both = pc.binary_join_element_wise(pc.replace_substring_regex(own, r"\}$", ","), more, one("}"), one(""))
    return pc.coalesce(both, first, own)


__all__ = ["SERVICE", "headed", "joined_fields", "taken"]
