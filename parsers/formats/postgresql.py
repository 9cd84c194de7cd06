"""PostgreSQL: the stderr log with any common line prefix, csvlog (jsonlog is read as JSON).

Columns: time, severity, pid, message. Fields: user, database, client where the prefix has them, kind (LOG, STATEMENT, DETAIL
...). SQL text, DETAIL and HINT rows written with a tab belong to their event.
Reference: postgresql.org/docs/current/runtime-config-logging.html (log_line_prefix, csvlog).
"""

from __future__ import annotations

import csv

from ..base import Event, Format
from ..columns import integer, present, severity_of
from ..lazy import lazily
from ..shapes import CLOCK
from ..timestamps import TimeContext, read_time
from ..zones import PATTERN as ZONE

_KIND = r"(?:DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT|QUERY|LOCATION)"
_ANYONES = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "FATAL")
_STAMP = rf"\d{{4}}-\d\d-\d\d {CLOCK}(?:{ZONE}| [A-Z]{{3,5}}\b)?"
_ROW = lazily(rf"(?s)(?P<time>{_STAMP})(?P<prefix>[^\"']{{0,300}}?)\b(?P<kind>{_KIND}):(?:  ?(?P<message>.*)|)$")
_PID = lazily(r"\[(\d+)(?:-\d+)?\]|(?:^|[\s:])\[?(\d{2,8})\]?(?=[\s:@]|$)|pid=(\d+)")
_USER = lazily(r"(?:user=)?([\w$.-]+|\[unknown\])(?:@|,db=| db=)([\w$.-]+|\[unknown\])")
_CLIENT = lazily(r"(\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]+|\[local\])(?:\((\d+)\))?|client=([^\s,\]]+)")
_CSV = lazily(rf"{_STAMP},(?:\"(?:[^\"]|\"\")*\"|[\w$.-]*),(?:\"(?:[^\"]|\"\")*\"|[\w$.-]*),\d+,")
_ZONE_WORD = lazily(r" [A-Z]{3,5}$")
_CSV_COLUMNS = (
    "user", "database", "pid", "connection", "session", "session_line", "command", "session_start", "virtual_transaction",
    "transaction", "kind", "sqlstate", "message", "detail", "hint", "internal_query", "internal_position", "context", "query",
    "position", "location", "application", "backend_type", "leader_pid", "query_id",
)  # fmt: skip
_KEPT = ("connection", "sqlstate", "detail", "hint", "context", "query", "application", "backend_type")


def parse(text: str, context: TimeContext) -> Event | None:
    """The event that begins with a row of the stderr log; None for any other row."""
    match = _ROW.match(text)
    if match is None:
        return None
    if match["kind"] in _ANYONES and not match["prefix"].strip() and text[match.end("kind") + 1 : match.end("kind") + 3] != "  ":
        return None  # only PostgreSQL writes two spaces after the kind
    reading = read_time(match["time"], context)
    if reading is None:
        reading = read_time(_ZONE_WORD.sub("", match["time"]), context)  # a zone word that is nobody's
        if reading is None:
            return None
    event = Event(reading[1], match["message"] or "", "postgresql", severity=severity_of(match["kind"]))
    event.fields["kind"] = match["kind"]
    prefix = match["prefix"]
    pid = _PID.search(prefix)
    if pid is not None:
        event.pid = integer(pid[1] or pid[2] or pid[3])
    user = _USER.search(prefix)
    if user is not None:
        event.fields["user"], event.fields["database"] = user.groups()
    client = _CLIENT.search(prefix.replace(event.fields.get("user", "\0"), ""))
    if client is not None:
        event.client = client[1] or client[3]
    return event


def parse_csv(text: str, context: TimeContext) -> Event | None:
    """The event that begins with a row of csvlog; None for any other row. Quoted text may go on in later rows."""
    if not _CSV.match(text):
        return None
    event = Event(None, text, "postgresql_csv")
    stamp = text.partition(",")[0]
    reading = read_time(stamp, context) or read_time(_ZONE_WORD.sub("", stamp), context)
    if reading is None:
        return None
    event.time = reading[1]
    context.state["csv_open"] = text.count('"') % 2 == 1
    close_csv(event, context)
    return event


def continues_csv(text: str, context: TimeContext) -> bool:
    """Any row inside a quoted value that is not plainly the next record."""
    if not context.state.get("csv_open") or _CSV.match(text):
        return False
    context.state["csv_open"] = text.count('"') % 2 == 0
    return True


def close_csv(event: Event, context: TimeContext) -> None:
    """Splits a csvlog record once its last row is known."""
    del context
    if "kind" in event.fields or event.message.count('"') % 2:
        return
    try:
        row = next(csv.reader([event.message.replace("\n", "\v")]), [])
    except csv.Error:
        return
    values = dict(zip(_CSV_COLUMNS, (value.replace("\v", "\n") for value in row[1:]), strict=False))
    if "message" not in values:
        return
    event.severity = severity_of(values["kind"])
    event.pid = integer(values["pid"])
    event.client = present(values["connection"].rpartition(":")[0])
    event.message = values["message"]
    event.fields["kind"] = values["kind"]
    event.fields |= {
        name: values[name] for name in ("user", "database", *_KEPT) if present(values.get(name))
    }


FORMATS = (
    Format(
        name="postgresql",
        title="PostgreSQL log (stderr, any usual prefix)",
        samples=(
            "2026-11-23 12:00:51.171 CET [3234] shop@shop LOG:  duration: 931.798 ms  statement: SELECT 1",
            "2026-11-23 09:53:21.305 GMT [19191] root@root FATAL:  role \"root\" does not exist",
            "2026-11-23 10:40:29 UTC [7]: [3-1] user=app,db=shop,app=psql,client=192.0.2.1 ERROR:  deadlock detected",
            "2026-11-23 10:40:29 UTC:192.0.2.1(42410):app@shop:[3170]:ERROR:  syntax error",
        ),
        reference="postgresql.org/docs/current/runtime-config-logging.html",
        parse=parse,
        priority=28,
        first="12",
    ),
    Format(
        name="postgresql_csv",
        title="PostgreSQL csvlog",
        samples=(
            ('2026-11-23 10:40:29.343 UTC,"app","shop",3170,"192.0.2.1:42410",6923,3,"SELECT",2026-11-23 10:40:00 UTC,3/5,0,ERROR,'
            '42601,"syntax error at or near ""FORM""",,,,,,"SELECT * FORM x",10,,"psql","client backend",,0'),
            '2026-11-23 10:40:29.343 UTC,,,3170,,6923,1,,2026-11-23 10:40:00 UTC,,0,LOG,00000,"ready",,,,,,,,,"","postmaster",,0',
        ),
        reference="postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-CSVLOG",
        parse=parse_csv,
        continues=continues_csv,
        close=close_csv,
        priority=27,
        first="12",
    ),
)
