"""Records of several rows with their time inside: pretty-printed JSON, and XML (log4j, log4net, JUL, Windows, Oracle, Subversion).

A record runs from its opening row to the row that closes it; what stands between records belongs to the one before. Columns are
found by name as in JSON rows; an XML record's attributes and elements are its keys. `message` is the message key's value. They
begin only in files where no other format's rows have a time: elsewhere they are what a row printed.
References: RFC 8259; logging.apache.org/log4j (XMLLayout of 1.x, XmlLayout of 2.x); logging.apache.org/log4net (XmlLayout);
docs.oracle.com java.util.logging.XMLFormatter; learn.microsoft.com Windows Event Schema; docs.oracle.com alert log (log.xml).
"""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from ..base import Event, Format
from ..lazy import lazily
from ..timestamps import TimeContext, read_time
from .json_lines import NAMED_TIMES, load, record_event

_OBJECT = lazily(r'[\[,}\]]{0,3}\s{0,9}\{\s*(?:"|$)')
_INSIDE = lazily(r'\s*(?:["{}\[\]]|(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\s*,?\s*$|$)')
_NEXT = lazily(r"\s*\}\s*,\s*\{")
_DECODER = json.JSONDecoder(strict=False)
_STRING = lazily(r'"(?:[^"\\]|\\.)*"?')
_OPEN = lazily(
    r"(?:<\?xml[^>]{0,200}\?>\s*)?(?:<Events[^>]{0,200}>\s*)?<(?P<name>(?P<known>log4j:event|log4net:event|Event|record|LogEntry|"
    r"logentry|AuditRecord|AUDIT_RECORD|E2ETraceEvent)|[A-Za-z][\w:.-]{0,63})(?P<rest>\s[^<>]*|(?=>)|$)(?P<end>/?>)?"
)
_STAMPED = lazily(r"""\s(?:time|timestamp|date|datetime|at|ts|timeMillis)\s*=\s*["'][\w :.,+/-]{10,48}["']""", re.IGNORECASE)
#: ... or among the elements of a record that one row holds.
_TIMED = lazily(r"<(?:time|timestamp|date|datetime|eventtime)>[\w :.,+/-]{10,48}</", re.IGNORECASE)
_ATTRIBUTE = lazily(r"""([\w:.-]{1,64})\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TAG = lazily(r"<(?P<name>[A-Za-z][\w:.-]{0,63})(?P<rest>\s[^<>]*)?>(?:<!\[CDATA\[(?P<data>[^\]]*(?:\](?!\]>)[^\]]*)*)(?:\]\]>|$)|(?P<text>[^<]*))")
_SCANNED = 1 << 18  # characters of a record that are looked through for values
#: What elements and attributes are called where other names stand for the columns of JSON rows.
_NAMES = {
    "timeMillis": "time", "millis": "time", "TIMESTAMP": "time", "TimeCreated.SystemTime": "time", "Extended_Timestamp": "time",
    "at": "time", "Instant.epochSecond": "seconds", "Instant.nanoOfSecond": "nanos", "log4j:message": "message",
    "log4net:message": "message", "txt": "message", "msg": "message", "Message": "message", "Computer": "host", "host_id": "host",
    "Execution.ProcessID": "pid", "loggerName": "logger", "Provider.Name": "logger", "Level": "level",
}  # fmt: skip
_WINDOWS_LEVELS = {"0": "info", "1": "critical", "2": "error", "3": "warning", "4": "info", "5": "debug"}


def _depth(text: str) -> int:
    """How many more objects and arrays a row opens than it closes."""
    bare = _STRING.sub("", text)
    return bare.count("{") + bare.count("[") - bare.count("}") - bare.count("]")


#: What exports call the list of their records: CloudWatch, CloudTrail, Kubernetes lists, Elasticsearch, Loki, and others.
_LIST = lazily(
    r'\s*"(?i:events|log_?events|records|items|entries|log_?entries|logs|hits|results?|data|values?|rows|messages|streams|alerts|activities)"\s*:\s*\[\s*$'
)
#: Where a comma is missing between two members, as in records put together by hand.
_NO_COMMA = lazily(r'(?<=[\d"\]}el])[ \t\r]{0,8}\n[ \t]{0,80}(?=")')
_BROKEN = lazily(
    r"""\{\s?(?:"[^"\\]{1,64}"\s?:\s?(?:"[^"\\]{0,200}"|-?\d{1,20}(?:\.\d{1,20})?|true|false|null)\s?,\s?){0,8}?"(?:"""
    + "|".join(NAMED_TIMES)
    + r""")"\s?:\s?(?P<time>"[^"\\]{8,48}"|\d{10}(?:\.\d{1,9}|\d{3}|\d{6}|\d{9})?)\s?[,}]"""
)
_STAMP_KEY = lazily(r'\s*"[^"]*(?i:time|date|stamp|_at)"\s*:\s*["\d]')


def parse_json(text: str, context: TimeContext) -> Event | None:
    """The event that begins with the opening row of an object, or the row `[` before records; None for any other row."""
    body = text.strip()
    if body != "[":
        if not _OBJECT.match(body):
            return None
        depth = _depth(body[body.index("{") :])
        cut = context.state.get("text_first") is False and body[-1] not in "{[,"
        if depth <= 0 or cut:  # amid JSON lines a row that ends within a member is one that was cut off
            return None
        context.state["json_depth"] = depth
    context.state["json_list"] = "head" if context.line <= 1 else ""
    context.begin()
    return Event(None, text, "json_rows")


def parse_broken(text: str, context: TimeContext) -> Event | None:
    """A row among JSON lines that is no JSON, cut off or garbled behind its time; None for any other row.

    What stands before the time must be whole: an object cut before it says nothing of itself.
    """
    match = _BROKEN.match(text) if not context.state.get("text_first") else None
    if match is None or load(text.strip()) is not None:
        return None
    reading = read_time(match["time"].strip('"'), context)
    return Event(reading[1], text, "json_broken") if reading is not None else None


def continues_json(text: str, context: TimeContext) -> bool:
    """Rows up to the one that closes the object, unless one of them cannot stand in an object."""
    depth = context.state.get("json_depth", 0)
    if depth <= 0:
        return False
    place = context.state.get("json_list")
    if place == "open" and _OBJECT.match(text.strip()):
        context.state["json_list"] = ""
        context.state["json_depth"] = 0
        return False  # the first record of the list that the rows before it opened
    if place == "head":
        context.state["json_list"] = "open" if _LIST.match(text) else "" if _STAMP_KEY.match(text) else "head"
    whole = depth == 1 and text[:2] == '{"' and text.rstrip()[-1:] == "}" and _depth(text) == 0  # no member of an object
    if whole or not _INSIDE.match(text) or (depth == 1 and _NEXT.match(text)):
        context.state["json_depth"] = 0
        return False
    context.state["json_depth"] = depth + _depth(text)
    return True


def close_json(event: Event, context: TimeContext) -> None:
    """Reads the object once its last row is known; what no longer is JSON keeps its text."""
    text = event.message
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0:
        return
    for body in (text[begin : end + 1], text[begin:] + "}", _NO_COMMA.sub(r",\g<0>", text[begin : end + 1])):
        try:
            record, _ = _DECODER.raw_decode(body)  # behind the last record of a list its end may follow
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            _take(event, record, context)
        return


def _take(event: Event, record: dict[str, Any], context: TimeContext) -> None:
    """Gives an event what its record says."""
    with context.aside():
        context.begin()
        found = record_event(record, event.message, context, event.format)
        context.accept(found.time)
    for name in ("time", "message", "severity", "host", "service", "pid", "client", "method", "path", "status", "bytes", "duration",
                 "upstream", "request_id", "fields"):  # fmt: skip
        setattr(event, name, getattr(found, name))


def parse_xml(text: str, context: TimeContext) -> Event | None:
    """The event that begins with the opening row of a record, known by its element, or by a time among its attributes or, in one row, its elements; None for any other row."""
    match = _OPEN.match(text)
    if match is None:
        return None
    whole = match["end"] == "/>" or f"</{match['name']}>" in text
    if not (match["known"] or _STAMPED.search(match["rest"]) or (whole and _TIMED.search(text))):
        return None
    context.begin()
    context.state["xml_open"] = "" if whole else match["name"]
    return Event(None, text, "xml")


def continues_xml(text: str, context: TimeContext) -> bool:
    """Rows up to the one with the closing tag, unless a record of the same name begins."""
    name = context.state.get("xml_open")
    if not name or text.lstrip().startswith((f"<{name} ", f"<{name}>")):
        return False
    if f"</{name}>" in text or (text.rstrip().endswith("/>") and "<" not in text):
        context.state["xml_open"] = ""
    return True


def close_xml(event: Event, context: TimeContext) -> None:
    """Reads attributes and elements of a record once its last row is known."""
    record: dict[str, Any] = {}
    root = ""
    for tag in _TAG.finditer(event.message[:_SCANNED]):
        name = tag["name"]
        if name == "Events":
            continue
        root = root or name
        attributes = {key: unescape(double or single) for key, double, single in _ATTRIBUTE.findall(tag["rest"] or "")}
        value = tag["data"] if tag["data"] is not None else unescape(tag["text"])
        if name in ("Data", "log4j:data", "log4net:data"):  # named values
            label = attributes.get("Name") or attributes.get("name") or name
            record.setdefault(label, attributes.get("value", value.strip()))
            continue
        if value.strip():
            record.setdefault(_NAMES.get(name, name), value.strip())
        for key, text in attributes.items():
            if not key.startswith("xmlns"):
                long = key if name == root else f"{name}.{key}"
                record.setdefault(_NAMES.get(long, long), text)
    if root == "Event" and record.get("level") in _WINDOWS_LEVELS:
        record["level"] = _WINDOWS_LEVELS[record["level"]]
    if root == "msg" and "level" in record:  # Oracle's is how much is told, not how bad it is
        record["verbosity"] = record.pop("level")
    seconds, nanos = record.pop("seconds", ""), record.pop("nanos", "0")
    if seconds.isdecimal() and nanos.isdecimal() and len(seconds) < 12:
        record.setdefault("time", f"{seconds}.{nanos[:9].zfill(9)}")
    if record:
        _take(event, record, context)


FORMATS = (
    Format(
        name="json_rows",
        title="JSON objects over several rows, one by one or in an array",
        samples=(
            '{\n  "time": "2026-11-23T10:40:29Z",\n  "msg": "started"\n}',
            '{ "timestamp": 1763893229,\n  "level": "error" }',
        ),
        reference="RFC 8259",
        parse=parse_json,
        continues=continues_json,
        close=close_json,
        spans=True,
        priority=11,
        first="{[,}",
    ),
    Format(
        name="json_broken",
        title="JSON lines that are no JSON behind their time",
        samples=(
            '{"ts":"2026-11-23T10:40:29Z","level":"info",...,"msg":"started"}',
            '{"level":"info","time":1763893229.123,"msg":NaN-1}',
        ),
        reference="RFC 8259",
        parse=parse_broken,
        priority=12,
        first="{",
    ),
    Format(
        name="xml",
        title="XML records (log4j, log4net, java.util.logging, Windows events, Oracle)",
        samples=(
            '<log4j:event logger="com.example.App" timestamp="1763893229123" level="INFO" thread="main">\n<log4j:message><![CDATA[started]]></log4j:message>\n</log4j:event>',
            "<record>\n  <date>2026-11-23T10:40:29</date>\n  <millis>1763893229123</millis>\n  <level>INFO</level>\n</record>",
            "<msg time='2026-11-23T10:40:29.123+00:00' org_id='oracle' level='16' pid='7'>\n <txt>Starting ORACLE instance\n </txt>\n</msg>",
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><TimeCreated SystemTime='2026-11-23T10:40:29.123456700Z'/></System></Event>",
        ),
        reference="logging.apache.org/log4j/2.x/manual/layouts.html; learn.microsoft.com/windows/win32/wes/eventschema-schema",
        parse=parse_xml,
        continues=continues_xml,
        close=close_xml,
        spans=True,
        priority=16,
        first="<",
    ),
)
