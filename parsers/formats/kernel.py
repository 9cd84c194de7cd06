"""The kernel's ring buffer, the audit daemon, traces of system calls, and login records.

Ring rows carry seconds since boot: their time is null unless a wall clock stands there (`dmesg -T` is read as text). Columns:
severity (where `<N>` or a level word stands), message; fields: uptime. Audit rows have an epoch: time, service (the record type),
message; fields: serial and host where `node=` is given.
References: man dmesg(1), Documentation/ABI/testing/dev-kmsg, Documentation/admin-guide/printk, man auditd.conf(5), github.com/linux-audit/audit-documentation.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import integer, severity_of, syslog_severity
from ..lazy import lazily
from ..timestamps import TimeContext, read_time

_RING = lazily(
    r"(?s)(?:<(?P<pri>\d{1,3})>)?\[ *(?P<uptime>\d{1,9}\.\d{3,6})\]"  # ten digits are seconds since 1970, as conntrack has
    r"(?:\[ *[TC]\d+\])? ?(?P<message>.*)$"
)
_DECODED = lazily(
    r"(?s)(?P<facility>kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7]) *:(?P<level>emerg|alert|crit|err|warn|notice|info|debug) *: "
    r"(?:\[ *(?P<uptime>\d{1,9}\.\d{3,6})\]|\[(?P<time>[^\]]{15,40})\]|(?P<iso>\d{4}-\d\d-\d\dT[\d:.,+-]{8,24}))(?:\[ *[TC]\d+\])? ?(?P<message>.*)$"
)
#: /dev/kmsg: priority and facility, number, microseconds since boot, flags; what is said.
_RECORD = lazily(r"(?s)(?P<pri>\d{1,4}),(?P<number>\d{1,12}),(?P<micros>\d{1,16}),[-c](?:,[\w=,-]{0,80})?;(?P<message>.*)$")
#: strace -f -ttt: the process, seconds since 1970, the call.
_TRACED = lazily(r"(?s)(?:\[pid +(?P<pid>\d{1,7})\]|(?P<pid2>\d{1,7})) +(?P<time>1\d{9}\.\d{6}) (?P<message>[\w<+-].*)$")
#: utmpdump: kind, process, id, user, terminal, host or kernel, address, time.
_LOGIN = lazily(
    r"\[(?P<kind>\d{1,2})\] \[(?P<pid>\d{1,10})\] \[[^\]]{0,8}\] \[(?P<user>[^\]]{0,40})\] \[(?P<line>[^\]]{0,40})\] \[(?P<from>[^\]]{0,260})\] "
    r"\[(?P<client>[^\]]{0,64})\] \[(?P<time>[^\]]{15,40})\]\s*$"
)
#: What the kinds of login records are called (utmp(5)).
_LOGINS = (
    "empty", "run level", "boot", "new time", "old time", "init process", "login process", "user process", "dead process", "accounting",
)  # fmt: skip
#: X.Org's marks for where a row comes from (man Xorg, LOG FILE); most of them are plain news.
_XORG = lazily(r"\((?P<mark>EE|WW|II|NI|==|--|\+\+|\*\*|\?\?|!!)\) ")
_XORG_LEVELS = {"EE": "error", "WW": "warning", "NI": "notice", "??": "notice", "!!": "notice"}
_AUDIT = lazily(
    r"(?s)(?:node=(?P<host>\S+) )?(?:type=(?P<type>\w*(?:\[\d+\])?) )?msg=audit\((?:(?P<time>\d{1,11}(?:\.\d{3})?)(?::(?P<serial>\d+))?)?\): ?(?P<message>.*)$"
)
_AUDIT_TEXT = lazily(r"(?s)(?:node=(?P<host>\S+) )?type=(?P<type>\w+) msg=audit\((?P<time>[^)]{8,40}):(?P<serial>\d+)\) ?: ?(?P<message>.*)$")
_PID = lazily(r"\bpid=(\d+)")


def parse_ring(text: str, context: TimeContext) -> Event | None:
    """A row of the ring buffer, without a time; None for any other row."""
    del context
    match = _RING.match(text)
    if match is None:
        return None
    event = Event(None, match["message"], "kernel", service="kernel")
    xorg = _XORG.match(event.message)
    if match["pri"]:
        event.severity = syslog_severity(int(match["pri"]))
    elif xorg is not None:
        event.service, event.severity = "Xorg", _XORG_LEVELS.get(xorg["mark"], "info")
    event.fields["uptime"] = float(match["uptime"])
    return event


def parse_decoded(text: str, context: TimeContext) -> Event | None:
    """A row of `dmesg -x`, which names facility and level, with seconds since boot or (`-T`) a wall clock; None for any other row."""
    match = _DECODED.match(text)
    if match is None:
        return None
    context.begin()
    event = Event(None, match["message"], "kernel", service="kernel", severity=severity_of(match["level"]))
    event.fields["facility"] = match["facility"]
    if match["uptime"]:
        event.fields["uptime"] = float(match["uptime"])
        return event
    reading = read_time(match["time"] or match["iso"], context)
    if reading is None:
        return None
    event.time = reading[1]
    return event


def parse_record(text: str, context: TimeContext) -> Event | None:
    """A record of /dev/kmsg, whose time is since boot; None for any other row."""
    del context
    match = _RECORD.match(text)
    if match is None:
        return None
    event = Event(None, match["message"], "kernel_records", service="kernel", severity=syslog_severity(int(match["pri"])))
    event.fields["uptime"] = int(match["micros"]) / 1e6
    return event


def parse_traced(text: str, context: TimeContext) -> Event | None:
    """A system call of one of several processes with seconds since 1970; None for any other row."""
    match = _TRACED.match(text)
    reading = read_time(match["time"], context) if match is not None else None
    if match is None or reading is None:
        return None
    return Event(reading[1], match["message"], "strace", pid=integer(match["pid"] or match["pid2"]))


def parse_login(text: str, context: TimeContext) -> Event | None:
    """A login record as utmpdump shows it; None for any other row."""
    match = _LOGIN.match(text)
    reading = read_time(match["time"], context) if match is not None else None
    if match is None or reading is None:
        return None
    parts = {name: match[name].strip() for name in ("user", "line", "from", "client")}
    kind = int(match["kind"])
    said = _LOGINS[kind] if kind < len(_LOGINS) else f"kind {kind}"
    event = Event(reading[1], " ".join(part for part in (said, parts["user"], parts["line"], parts["from"]) if part), "utmpdump")
    event.pid = integer(match["pid"])
    event.client = parts["client"] if parts["client"] not in ("", "0.0.0.0", "::") else None
    if parts["user"]:
        event.fields["user"] = parts["user"]
    return event


def parse_audit(text: str, context: TimeContext) -> Event | None:
    """A row of audit.log; None for any other row."""
    match = _AUDIT.match(text) or _AUDIT_TEXT.match(text)
    if match is None:
        return None
    time: int | None = None
    if match["time"]:
        reading = read_time(match["time"], context)
        if reading is None:
            return None
        time = reading[1]
    elif not match["type"]:
        return None
    event = Event(time, match["message"], "audit", host=match["host"], service=match["type"] or None)
    if match["serial"]:
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
            "[    55.630] (EE) Failed to load module",
        ),
        reference="man 1 dmesg; man 1 Xorg",
        parse=parse_ring,
        priority=44,
    ),
    Format(
        name="kernel_decoded",
        title="Kernel ring buffer with facility and level (dmesg -x)",
        samples=(
            "kern  :warn  : [   12.345678] ACPI: no clock",
            "kern  :err   : [Mon Nov 23 10:40:29 2026] EXT4-fs error",
        ),
        reference="man 1 dmesg, --decode",
        parse=parse_decoded,
        alone=True,
        priority=28,
        first="kumdaslncf",
    ),
    Format(
        name="kernel_records",
        title="Kernel records (/dev/kmsg, microseconds since boot)",
        samples=(
            "6,339,5140900,-;NET: Registered PF_INET6 protocol family",
            "30,340,5690716,-,caller=T1;udevd[80]: starting version 252",
        ),
        reference="docs.kernel.org/admin-guide/abi-testing.html (/dev/kmsg)",
        parse=parse_record,
        priority=45,
        first="0123456789",
    ),
    Format(
        name="strace",
        title="strace of several processes, with seconds since 1970",
        samples=(
            '10002 1763893229.123456 openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 5 <0.000044>',
            "[pid 10003] 1763893229.123999 +++ exited with 0 +++",
        ),
        reference="man 1 strace, -f and -ttt",
        parse=parse_traced,
        priority=46,
        first="[0123456789",
    ),
    Format(
        name="utmpdump",
        title="Login records as utmpdump shows them",
        samples=(
            "[7] [08241] [ts/0] [anna    ] [pts/0       ] [gate.example.net    ] [192.0.2.7      ] [2026-11-23T10:40:29,123456+00:00]",
            "[2] [00000] [~~  ] [reboot  ] [~           ] [6.1.0-13-amd64      ] [0.0.0.0        ] [Mon Nov 23 10:40:29 2026 CET]",
        ),
        reference="man 1 utmpdump; man 5 utmp",
        parse=parse_login,
        priority=30,
        first="[",
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
        alone=True,
        priority=30,
        first="ntm",
    ),
)
