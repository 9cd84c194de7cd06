"""MySQL and MariaDB (error, general and slow log), MongoDB before 4.4. Newer MongoDB is read as JSON.

Columns: time, severity, pid (the connection), message. Fields: user, host, query_time, lock_time, rows_sent, rows_examined of a slow
query. A slow query's rows, from its `# Time` or `# User@Host` row to the SQL, are one event.
References: dev.mysql.com/doc/refman/8.4/en/server-logs.html, mariadb.com/kb/en/error-log,
mongodb.com/docs/v4.2/reference/log-messages.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import decimal
from ..lazy import lazily
from ..shapes import CLOCK, ISO
from ..timestamps import TimeContext, epoch_time, read_time

_SLOW_TIME = lazily(r"# Time: (?P<time>\d[^#]{0,60})(?P<user># User@Host: .*)?$")
_SLOW_USER = lazily(r"# User@Host: (?P<user>[^\s\[]{0,128})\[[^\]\s]{0,128}\] @ {1,4}(?P<host>[^\s\[]{0,256}) ?\[(?P<address>[^\]\s]{0,256})\]")
_SLOW_STATS = lazily(r"(Query_time|Lock_time|Rows_sent|Rows_examined|Thread_id|Schema): *(\S+)")
_SET_TIMESTAMP = lazily(r"(?im)^SET timestamp=(\d{10}(?:\.\d+)?);")


def parse_slow(text: str, context: TimeContext) -> Event | None:
    """The event that begins with a `# Time` row, or with a `# User@Host` row that follows no `# Time`; None for any other row."""
    match = _SLOW_TIME.match(text)
    if match is not None:
        reading = read_time(match["time"].strip(), context)
        if reading is None:
            return None
        context.state["slow_headed"] = match["user"] is None  # some versions write no line feed after the time
        return Event(reading[1], text, "mysql_slow")
    if _SLOW_USER.match(text) and not context.state.pop("slow_headed", False):
        return Event(None, text, "mysql_slow")
    return None


def continues_slow(text: str, context: TimeContext) -> bool:
    """Rows of a slow query that look like others: statistics, SQL, and the user row right after the time."""
    del context
    return text.startswith(("# Query_time", "# Thread_id", "# Schema", "# Bytes_sent", "SET timestamp=", "use "))


def close_slow(event: Event, context: TimeContext) -> None:
    """Reads user, statistics and, where no `# Time` stood, the time from the rows of a slow query."""
    text = event.message
    user = _SLOW_USER.search(text)
    if user is not None:
        event.fields["user"] = user["user"]
        event.client = user["address"] or user["host"] or None
    for key, value in _SLOW_STATS.findall(text[:2000]):
        number = decimal(value)
        event.fields[key.lower()] = number if number is not None else value
    taken = event.fields.get("query_time")
    if isinstance(taken, float):
        event.duration = taken
    stamp = _SET_TIMESTAMP.search(text)
    if event.time is None and stamp is not None:
        event.time = epoch_time(float(stamp[1]))
        context.counts["epoch"] += 1


FORMATS = (
    Format(
        name="mysql_slow",
        title="MySQL slow query log",
        samples=(
            "# Time: 2026-11-23T10:40:29.123456Z",
            "# Time: 261123 10:40:29",
            "# User@Host: app[app] @ localhost [127.0.0.1]  Id:    12",
        ),
        reference="dev.mysql.com/doc/refman/8.4/en/slow-query-log.html",
        parse=parse_slow,
        continues=continues_slow,
        close=close_slow,
        priority=15,
        first="#",
    ),
    Format(
        name="mysql",
        title="MySQL and MariaDB error and general log",
        samples=(
            "2026-11-23T10:40:29.123456Z 0 [System] [MY-010116] [Server] mysqld starting as process 1",
            "2026-11-23 10:40:29 12 [Note] InnoDB: Buffer pool(s) load completed",
            "261123 10:40:29 [ERROR] mysqld: Table is marked as crashed",
            "2026-11-23T10:40:29.123456Z\t   12 Query\tSELECT 1",
        ),
        reference="dev.mysql.com/doc/refman/8.4/en/error-log-format.html",
        pattern=lazily(
            rf"(?s)(?P<time>{ISO}|\d{{6}} {{1,2}}\d{{1,2}}:\d\d:\d\d)(?:\s+(?P<pid>\d+))? "
            r"(?:\[(?P<level>System|Note|Warning|ERROR|Error)\] (?:\[(?P<code>MY-\d+)\] )?(?:\[(?P<service>\w+)\] )?)(?P<message>.*)$"
            rf"|(?P<time2>{ISO}|\d{{6}} {{1,2}}\d{{1,2}}:\d\d:\d\d)\t\s*(?P<pid2>\d+) (?P<command>[A-Z][a-z]+(?: [A-Z][a-z]+)?)\t?(?P<message2>.*)$"
        ),
        priority=31,
        first="0123456789",
    ),
    Format(
        name="mongodb",
        title="MongoDB before 4.4",
        samples=(
            "2026-11-23T10:40:29.123+0100 I NETWORK  [initandlisten] waiting for connections on port 27017",
            "2026-11-23T10:40:29.123+0000 W -        [conn12] slow",
        ),
        reference="mongodb.com/docs/v4.2/reference/log-messages",
        pattern=lazily(
            rf"(?s)(?P<time>\d{{4}}-\d\d-\d\dT{CLOCK}(?:Z|[+-]\d{{4}})) (?P<level>[FEWID]\d?)\s+(?P<service>[A-Z_-]+)\s+\[(?P<thread>[^\]]+)\] ?(?P<message>.*)$"
        ),
        priority=31,
        first="12",
    ),
)

