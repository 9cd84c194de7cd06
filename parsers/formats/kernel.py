"""The kernel's ring buffer and the audit daemon.

Ring rows carry seconds since boot: their time is null unless a wall clock stands there (`dmesg -T` is read as text). Columns:
severity (where `<N>` or a level word stands), message; fields: uptime. Audit rows have an epoch: time, service (the record type),
message; fields: serial and host where `node=` is given.
References: man dmesg(1), Documentation/admin-guide/printk, man auditd.conf(5), github.com/linux-audit/audit-documentation.
"""

from __future__ import annotations

import re

from ..base import Event, Format
from ..columns import integer, severity_of, syslog_severity
from ..timestamps import TimeContext, read_time

_RING = re.compile(
    r"(?s)(?:<(?P<pri>\d{1,3})>|(?P<facility>[a-z0-9]+) *:(?P<level>[a-z]+) *: ?)?\[ *(?P<uptime>\d{1,10}\.\d{3,6})\]"
    r"(?:\[ *[TC]\d+\])? ?(?P<message>.*)$"
)
_AUDIT = re.compile(
    r"(?s)(?:node=(?P<host>\S+) )?type=(?P<type>\w+(?:\[\d+\])?) msg=audit\((?P<time>\d{1,11}\.\d{3}):(?P<serial>\d+)\): ?(?P<message>.*)$"
)
_AUDIT_TEXT = re.compile(r"(?s)(?:node=(?P<host>\S+) )?type=(?P<type>\w+) msg=audit\((?P<time>[^)]{8,40}):(?P<serial>\d+)\) ?: ?(?P<message>.*)$")
_PID = re.compile(r"\bpid=(\d+)")


def parse_ring(text: str, context: TimeContext) -> Event | None:
    """A row of the ring buffer, without a time; None for any other row."""
    del context
    match = _RING.match(text)
    if match is None:
        return None
    event = Event(None, match["message"], "kernel", service="kernel")
    if match["pri"]:
        event.severity = syslog_severity(int(match["pri"]))
    elif match["level"]:
        event.severity = severity_of(match["level"])
    event.fields["uptime"] = float(match["uptime"])
    return event


def parse_audit(text: str, context: TimeContext) -> Event | None:
    """A row of audit.log; None for any other row."""
    match = _AUDIT.match(text) or _AUDIT_TEXT.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], match["message"], "audit", host=match["host"], service=match["type"])
    event.fields["serial"] = match["serial"]
    pid = _PID.search(event.message)
    if pid is not None:
        event.pid = integer(pid[1])
    return event


FORMATS = (
    Format(
        name="kernel",
        title="Kernel ring buffer (seconds since boot)",
        samples=(
            "[    0.000000] Linux version 6.1.0-13-amd64",
            "<3>[84008.008846] EXT4-fs error (device sda1): ext4_find_entry",
            "kern  :warn  : [   12.345678] ACPI: thermal zone",
        ),
        reference="man 1 dmesg",
        parse=parse_ring,
        priority=44,
    ),
    Format(
        name="audit",
        title="Linux audit daemon",
        samples=(
            "type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 success=no exit=-13 pid=3538",
            "node=web-1 type=USER_LOGIN msg=audit(1364481363.243:24288): pid=1 uid=0",
        ),
        reference="man 5 auditd.conf",
        parse=parse_audit,
        priority=30,
        first="nt",
    ),
)
