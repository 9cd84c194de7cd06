"""Servers whose stamp is no date at the start of a row: IBM MQ, MinIO, OpenLDAP, ntpd's statistics, Apple's system log as stored.

IBM MQ writes a date in the order of the machine's locale and, since version 9.1, the same moment in UTC a few rows below: then
that is the time. MinIO's blocks have theirs in their second row. OpenLDAP's debug rows begin with seconds since 1970 in
hexadecimal digits, ntpd's with the Modified Julian Day and the second of that day in UTC; a record of Apple's system log is
pairs of a key and its value in brackets. Columns: time, severity, host, service, pid, message; fields: what else is named.
References: ibm.com/docs/en/ibm-mq (Error logs on AIX, Linux, and Windows; messages end in I, W, E, S or T);
github.com/minio/minio/blob/master/internal/logger/console.go; openldap.org slapd(8), -d; ntp.org documentation, Monitoring
Options (monopt); syslog(1) of macOS, -F raw.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import integer, syslog_severity
from ..lazy import lazily
from ..timestamps import TimeContext, epoch_time, match_time, read_time

_MQ = lazily(r"\d\d?[/.-]\d\d?[/.-]\d{2,4},? {1,2}\d\d?:\d\d:\d\d(?: [AP]M)? - Process\((?P<pid>\d{1,10})\.\d{1,10}\)")
_MQ_UTC = lazily(r"\n\s+Time\((\d{4}-\d\d-\d\dT[\d:.]{8,18}Z)\)")
_MQ_PROGRAM = lazily(r"Program\(([^)\n]{1,200})\)")
_MQ_HOST = lazily(r"Host\(([^)\n]{1,200})\)")
_MQ_SAID = lazily(r"(?m)^(AMQ\d{4,5}([IWEST])?: .*)$")
_MQ_SEVERITY = {"I": "info", "W": "warning", "E": "error", "S": "critical", "T": "critical"}
_MQ_HEAD = 4000  # characters of a record in which what it says begins

_MINIO = lazily(r"API: (?P<call>[A-Za-z]\w{0,60}\([^)]{0,2000}\))\s*$")
_MINIO_TIME = lazily(r"\s*Time: (\d\d:\d\d:\d\d(?:\.\d{1,9})?) ([A-Z]{1,5}|[+-]\d\d(?:\d\d)?) (\d\d)/(\d\d)/(\d{4})\s*$")
_MINIO_ERROR = lazily(r"(?m)^\s*Error: (.*)$")

#: Behind the stamp: a connection, the daemon's own name and version, a function's name or the arrows of its trace.
_LDAP = lazily(
    r"(?s)(?P<seconds>[3-7][0-9a-f]{7})(?:\.(?P<nanos>[0-9a-f]{8}))? (?:0x(?P<thread>[0-9a-f]{4,16}) )?"
    r"(?P<message>(?:conn=\d|slapd\b|daemon: |@\(#\) \$?OpenLDAP|[=<>]{2,3} ?\w|[a-z]{2,16}_[a-z_]{2,40}\b|connection_|ber_|tls_|TLS|syncprov|config |hdb_|mdb_|bdb_).*)$"
)
_YEAR_2000, _YEAR_2100 = 946_684_800, 4_102_444_800

#: peerstats and rawstats name a peer, loopstats an offset in seconds, sysstats the seconds since its last row: all with three decimals of a second.
_NTP = lazily(r"(?P<day>[45678]\d{4}) (?P<second>\d{1,5})\.(?P<milli>\d{3}) (?P<message>(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]{2,39}|-?\d{1,9}\.\d{3,9}|\d{1,9}) .*)$")
_NTP_EPOCH = 40_587  # the Modified Julian Day of 1970-01-01

_ASL = lazily(r"\[(?:ASLMessageID|Time|Sender|Host) [^\[\]]{1,200}\](?: \[|$)")
_ASL_PAIR = lazily(r"\[([A-Za-z_][\w.]{0,60}) ((?:[^\[\]\\]|\\.)*)\]")
_ASL_KEYS = {"Message", "Level", "Host", "Sender", "PID", "Time", "TimeNanoSec"}


def parse_mq(text: str, context: TimeContext) -> Event | None:
    """The first row of a record of IBM MQ's error log; None for any other row."""
    match = _MQ.match(text)
    reading = match_time(text, 0, context) if match is not None else None
    if match is None or reading is None:
        return None
    return Event(reading[1], text, "ibm_mq", pid=integer(match["pid"]))


def close_mq(event: Event, context: TimeContext) -> None:
    """Takes the time in UTC, the program, the host and how bad it is from the rows of the record."""
    head = event.message[:_MQ_HEAD]
    utc, program, host, said = _MQ_UTC.search(head), _MQ_PROGRAM.search(head), _MQ_HOST.search(head), _MQ_SAID.search(head)
    if program is not None:
        event.service = program[1]
    if host is not None:
        event.host = host[1]
    if said is not None:
        event.severity = _MQ_SEVERITY.get(said[2])
        event.fields["record"], event.message = event.message, said[1]
    if utc is None:
        return
    with context.aside():
        reading = read_time(utc[1], context)
        if reading is not None:
            event.time = reading[1]
            context.accept(event.time)


def parse_minio(text: str, context: TimeContext) -> Event | None:
    """The first row of a block that MinIO writes of an error; None for any other row."""
    match = _MINIO.match(text)
    if match is None:
        return None
    context.begin()
    context.state["minio_open"] = True
    return Event(None, text, "minio", "error", service="minio", fields={"api": match["call"]})


def continues_minio(text: str, context: TimeContext) -> bool:
    """The rows up to the one with the time; those behind it are like those of any event."""
    if not context.state.get("minio_open") or _MINIO.match(text):
        return False
    context.state["minio_open"] = ": " in text and not _MINIO_TIME.match(text)
    return True


def close_minio(event: Event, context: TimeContext) -> None:
    """Takes the time and what went wrong from the rows of the block."""
    rows = event.message.split("\n", 6)[1:6]
    found = next((match for row in rows if (match := _MINIO_TIME.match(row))), None)
    error = _MINIO_ERROR.search(event.message)
    if error is not None:
        event.fields["block"], event.message = event.message, error[1]
    if found is None:
        return
    clock, zone, month, day, year = found.groups()
    with context.aside():
        reading = read_time(f"{year}-{month}-{day} {clock} {zone}", context)
        if reading is not None:
            event.time = reading[1]
            context.accept(event.time)


def parse_ldap(text: str, context: TimeContext) -> Event | None:
    """A debug row of OpenLDAP's slapd; None for any other row."""
    match = _LDAP.match(text)
    if match is None:
        return None
    seconds = int(match["seconds"], 16)
    if not _YEAR_2000 <= seconds < _YEAR_2100:
        return None
    context.begin()
    context.counts["epoch"] += 1
    event = Event(seconds * 1_000_000, match["message"], "openldap", service="slapd")
    if match["nanos"]:  # since version 2.6
        event.time = seconds * 1_000_000 + min(int(match["nanos"], 16), 999_999_999) // 1000
    if match["thread"]:
        event.fields["thread"] = match["thread"]
    return event


def parse_ntp(text: str, context: TimeContext) -> Event | None:
    """A row of ntpd's statistics; None for any other row."""
    match = _NTP.match(text)
    if match is None or int(match["second"]) > 86_400:
        return None
    context.begin()
    context.counts["epoch"] += 1
    seconds = (int(match["day"]) - _NTP_EPOCH) * 86_400 + int(match["second"])
    return Event(seconds * 1_000_000 + int(match["milli"]) * 1000, match["message"], "ntp_statistics", service="ntpd")


def parse_asl(text: str, context: TimeContext) -> Event | None:
    """A record of Apple's system log as `syslog -F raw` prints it; None for any other row."""
    if not _ASL.match(text):
        return None
    named = dict(_ASL_PAIR.findall(text))
    if "Time" not in named or len(named) < 3:
        return None
    reading = read_time(named["Time"], context)
    if reading is None:
        return None
    time = reading[1]
    if time is not None and named["Time"].isdigit():
        more = epoch_time(int(named["Time"]))
        nanos = integer(named.get("TimeNanoSec"))
        time = more if more is None or nanos is None or not 0 <= nanos < 10**9 else more + nanos // 1000
    event = Event(time, named.get("Message", text), "asl", host=named.get("Host"), service=named.get("Sender"))
    level, pid = integer(named.get("Level")), integer(named.get("PID"))
    event.severity = syslog_severity(level) if level is not None and 0 <= level <= 7 else None
    event.pid = pid if pid is not None and pid >= 0 else None
    event.fields = {key: value for key, value in named.items() if key not in _ASL_KEYS}
    return event


FORMATS = (
    Format(
        name="ibm_mq",
        title="IBM MQ error log",
        samples=(
            ("11/23/2026 10:40:29 - Process(1677.1) User(mqm) Program(strmqm)\n                      Host(mq-1) Installation(Installation1)\n"
            "                      Time(2026-11-23T09:40:29.924Z)\n\nAMQ8003I: Queue manager 'QM1' started.\n\nEXPLANATION:\nNone."),
            "11/23/26  10:40:29 AM - Process(88.4) User(mqm) Program(amqrmppa)\nAMQ9999: Channel ended abnormally.",
        ),
        reference="ibm.com/docs/en/ibm-mq/9.3?topic=problems-error-logs-aix-linux-windows",
        parse=parse_mq,
        close=close_mq,
        priority=22,
        first="0123456789",
    ),
    Format(
        name="minio",
        title="MinIO error blocks",
        samples=(
            "API: SYSTEM()\nTime: 10:40:29 UTC 11/23/2026\nDeploymentID: 6f4d\nError: drive not found\n       2: cmd/erasure.go:12:cmd.heal()",
            "API: PutObject(bucket=parcels, object=a/b)\nTime: 10:40:30 UTC 11/23/2026\nRequestID: 17A\nError: write quorum",
        ),
        reference="github.com/minio/minio/blob/master/internal/logger/console.go",
        parse=parse_minio,
        continues=continues_minio,
        close=close_minio,
        priority=22,
        first="A",
    ),
    Format(
        name="openldap",
        title="OpenLDAP slapd debug rows",
        samples=(
            "6922e5ad conn=1000 fd=12 ACCEPT from IP=192.0.2.7:40112 (IP=0.0.0.0:389)",
            "6922e5ad.1dcd6500 0x7f3a5c1fe640 conn=1000 op=0 BIND dn=\"\" method=128",
        ),
        reference="slapd(8), -d; openldap.org/software/release/changes.html (2.6: time with fractions)",
        parse=parse_ldap,
        priority=46,
        first="34567",
    ),
    Format(
        name="ntp_statistics",
        title="ntpd statistics (peerstats, loopstats, rawstats)",
        samples=(
            "61367 38429.123 192.0.2.1 9614 0.000021 0.01234 0.00123 0.000004",
            "61367 38445.531 0.000006019 13.778190 0.000351733 0.013380 6",
        ),
        reference="ntp.org/documentation/4.2.8-series/monopt",
        parse=parse_ntp,
        priority=46,
        first="45678",
    ),
    Format(
        name="asl",
        title="Apple system log, raw",
        samples=(
            "[ASLMessageID 22] [Time 1763893229] [TimeNanoSec 250000000] [Level 3] [PID 52] [UID 0] [Host mac-1] [Sender loginwindow] [Facility user] [Message no such window]",
            "[Time 2026.11.23 10:40:29 UTC] [Facility auth] [Sender sshd] [PID 77] [Message refused] [Level 4] [Host mac-1]",
        ),
        reference="syslog(1) of macOS, -F raw; asl(3)",
        parse=parse_asl,
        priority=24,
        first="[",
    ),
)
