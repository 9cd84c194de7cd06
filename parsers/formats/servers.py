"""Servers whose rows say level, component or process in a way of their own behind a usual time.

Icinga, BIND, FreeRADIUS, Samba, FreeSWITCH, ClickHouse, ESXi, WebSphere, WebLogic, RabbitMQ, SSHKit (Capistrano), yum. Columns: time, severity,
service, pid, message. Fields: what else the row's head has (`thread`, `caller`, `query_id`, `run`).
References: icinga.com/docs/icinga-2 (FileLogger), bind9.readthedocs.io (logging statement), freeradius.org (radiusd.conf, log),
samba.org smb.conf(5) "log level", developer.signalwire.com/freeswitch (mod_logfile), clickhouse.com/docs (logger),
docs.vmware.com (ESXi log file formats), ibm.com/docs "WebSphere log and trace format", docs.oracle.com "WebLogic log message format",
rabbitmq.com/docs/logging,
github.com/capistrano/sshkit, man yum.conf(5).
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import integer, severity_of
from ..lazy import lazily
from ..shapes import CLOCK, ISO, MONTH, RFC3339, WEEKDAY
from ..timestamps import TimeContext, match_time, read_time

_SAMBA = lazily(r"(?s)\[(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d\d(?:\d\d)?)?), {1,3}(?P<debug>\d{1,2})(?P<rest>(?:, [^\]]{1,200})?)\] ?(?P<message>.*)$")
_SAMBA_LEVELS = ("error", "warning", "notice", "info")
_SAMBA_PID = lazily(r"pid=(\d{1,9})")
_WEBSPHERE = lazily(
    r"(?s)(?=\[\d\d?/\d\d?/\d\d \d\d?:)\[(?P<time>[^\]]{15,40})\] (?P<thread>[0-9a-f]{8}) (?P<service>\S{1,120}(?: \S{1,80})?) {1,12}(?P<level>[AIWEFORDC123<>])(?: {1,4}|$)(?P<message>.*)$"
)
_WEBSPHERE_LEVELS = {"A": "info", "I": "info", "O": "info", "R": "info", "C": "info", "W": "warning", "E": "error", "F": "critical"}
_WEBLOGIC = lazily(
    r"(?s)####<(?P<time>[^<>]{12,60})> <(?P<level>[A-Za-z]{1,12})> <(?P<subsystem>[^<>]{0,80})> <(?P<host>[^<>]{0,120})> <(?P<service>[^<>]{0,80})> (?P<rest>.*)$"
)
_WEBLOGIC_RAW = lazily(r"> <(1\d{12})> <")
_QUARTER = 900 * 1_000_000
_RADIUS = lazily(rf"(?s)(?P<time>{WEEKDAY} {MONTH} [ \d]\d \d\d:\d\d:\d\d \d{{4}}) : (?:(?P<level>Error|Warn|Info|Debug|Auth|Proxy|Acct): ?)(?P<message>.*)$")
_RADIUS_LEVELS = {"Auth": "info", "Proxy": "info", "Acct": "info"}
_YUM = lazily(rf"(?P<time>{MONTH} \d\d \d\d:\d\d:\d\d) (?P<message>(?:Installed|Updated|Erased|Dep-Installed|Obsoleted|Reinstalled|Downgraded): \S.*)$")
_ESXI = lazily(r"(?s)(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) (?P<rest>(?:(?P<pri>[A-Z][a-z])\((?P<number>\d{1,3})\)|(?=cpu\d|[\w.-]{1,60}\[\d{1,10}\]: )).*)$")
_ESXI_BODY = lazily(r"(?s) ?(?:(?!cpu\d)(?P<service>[A-Za-z][\w.-]{0,60})(?:\[(?P<pid>\d{1,10})\])?: ?)?(?P<message>(?:cpu\d+:\d+(?: opID=\w+)?\)(?P<warning>WARNING|ALERT)?)?.*)$")
_ESXI_LEVELS = {"Em": "emergency", "Al": "alert", "Cr": "critical", "Er": "error", "Wa": "warning", "No": "notice", "In": "info", "Db": "debug"}

_VMWARE = lazily(rf"(?s)(?P<time>{RFC3339}) (?P<level>verbose|trivia|info|warning|error|panic) (?P<service>[A-Za-z][\w-]{{0,40}})\[(?P<pid>[0-9A-F]{{1,10}})\] (?P<message>.*)$")
_NSX = lazily(
    rf"(?s)(?P<time>{RFC3339}) (?P<host>[\w.:-]{{1,255}}) (?P<service>[\w.-]{{1,48}}) (?P<pid>\d{{1,10}}|-) (?:[\w.-]{{1,32}}) "
    r"\[\w+@\d+ (?:[^\]]{0,2000}?level=\"(?P<level>[A-Za-z]+)\")?[^\]]{0,2000}\] ?(?P<message>.*)$"
)


def parse_samba(text: str, context: TimeContext) -> Event | None:
    """The heading row of a Samba message, whose debug level tells the severity; None for any other row."""
    match = _SAMBA.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    debug = int(match["debug"])
    event = Event(reading[1], match["message"], "samba")
    event.severity = _SAMBA_LEVELS[debug] if debug < len(_SAMBA_LEVELS) else "debug"
    pid = _SAMBA_PID.search(match["rest"])
    event.pid = integer(pid[1]) if pid is not None else None
    return event


def parse_websphere(text: str, context: TimeContext) -> Event | None:
    """A row of WebSphere's basic format; None for any other row."""
    match = _WEBSPHERE.match(text)
    if match is None:
        return None
    reading = match_time(text, 1, context)
    if reading is None or reading[0] != match.end("time"):
        return None
    event = Event(reading[1], match["message"], "websphere", service=match["service"].split()[0])
    event.severity = _WEBSPHERE_LEVELS.get(match["level"], "debug")
    event.fields["thread"] = match["thread"]
    return event


def parse_weblogic(text: str, context: TimeContext) -> Event | None:
    """A row of WebLogic, whose raw time tells the zone where the stamp's own word is none; None for any other row."""
    match = _WEBLOGIC.match(text)
    reading = match_time(text, match.start("time"), context) if match is not None else None
    if match is None or reading is None:
        return None
    time = reading[1]
    raw = _WEBLOGIC_RAW.search(match["rest"], 0, 1000)
    if time is not None and raw is not None and context.zone_left_open and not context.zone_given:
        time -= round((time - int(raw[1]) * 1000) / _QUARTER) * _QUARTER
        context.begin()
    said = match["rest"]
    code = said.rfind("> <", 0, 4000)
    event = Event(time, said[code + 3 :] if code >= 0 else said, "weblogic", severity=severity_of(match["level"]))
    event.host, event.service = match["host"] or None, match["service"] or match["subsystem"] or None
    event.fields["subsystem"] = match["subsystem"]
    return event


def parse_radius(text: str, context: TimeContext) -> Event | None:
    """A row of radiusd's own log; None for any other row."""
    match = _RADIUS.match(text)
    if match is None:
        return None
    reading = match_time(text, 0, context)
    if reading is None or reading[0] != match.end("time"):
        return None
    level = match["level"]
    return Event(reading[1], match["message"], "freeradius", severity=_RADIUS_LEVELS.get(level) or severity_of(level), service="radiusd")


def parse_yum(text: str, context: TimeContext) -> Event | None:
    """A row of yum.log, whose first word says what was done; None for any other row."""
    match = _YUM.match(text)
    if match is None:
        return None
    reading = match_time(text, 0, context)
    if reading is None or reading[0] != match.end("time"):
        return None
    return Event(reading[1], match["message"], "yum", service="yum")


def parse_esxi(text: str, context: TimeContext) -> Event | None:
    """A row of an ESXi host: a kernel message, or a daemon's, from version 8 on with its priority; None for any other row."""
    match = _ESXI.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    body = _ESXI_BODY.match(match["rest"], match.end("number") + 1 - match.start("rest") if match["pri"] else 0)
    if reading is None or body is None or (match["pri"] and match["pri"] not in _ESXI_LEVELS):
        return None
    event = Event(reading[1], body["message"], "esxi", service=body["service"], pid=integer(body["pid"]))
    event.severity = _ESXI_LEVELS.get(match["pri"] or "") or severity_of(body["warning"])
    return event


def parse_vmware(text: str, context: TimeContext) -> Event | None:
    """A row of vpxd or hostd, or of NSX (RFC 5424 without priority and version); None for any other row."""
    match = _VMWARE.match(text) or _NSX.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], match["message"], "vmware", service=match["service"], pid=integer(match["pid"]))
    event.severity = severity_of(match["level"])
    if match.re.groupindex.get("host"):
        event.host = match["host"]
    return event


FORMATS = (
    Format(
        name="icinga",
        title="Icinga 2",
        samples=(
            "[2026-11-23 10:40:29 +0100] warning/ApiListener: no connection",
            "[2026-11-23 10:40:30 +0100] information/cli: loading",
        ),
        reference="icinga.com/docs/icinga-2/latest/doc/09-object-types/#filelogger",
        pattern=lazily(
            rf"(?s)\[(?P<time>{ISO})\] (?P<level>debug|notice|information|warning|critical)/(?P<service>[\w:.-]{{1,80}}): ?(?P<message>.*)$"
        ),
        priority=32,
        first="[",
    ),
    Format(
        name="bind",
        title="BIND",
        samples=(
            "23-Nov-2026 10:40:29.123 security: error: client @0x7f 192.0.2.1#62449 (x): denied",
            "23-Nov-2026 10:40:29.123 queries: info: client @0x7f 192.0.2.1#4 (x): query: x IN A",
        ),
        reference="bind9.readthedocs.io/en/latest/reference.html#logging-block-grammar (print-category, print-severity)",
        pattern=lazily(
            rf"(?s)(?P<time>\d\d-{MONTH}-\d{{4}} {CLOCK}) (?P<service>[a-z][a-z-]{{2,20}}): (?P<level>debug(?: \d+)?|info|notice|warning|error|critical): (?P<message>.*)$"
        ),
        priority=32,
        first="0123456789",
    ),
    Format(
        name="freeswitch",
        title="FreeSWITCH",
        samples=(
            "2026-11-23 10:40:29.123456 98.00% [ERR] sofia.c:1 failed",
            "5f0c9a7e-11aa-4bcd-8ef0-123456789abc 2026-11-23 10:40:29.123456 98.00% [NOTICE] switch_channel.c:1 new",
        ),
        reference="developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_logfile",
        pattern=lazily(
            rf"(?s)(?:(?P<request_id>[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}) )?(?P<time>{ISO}) (?:\d{{1,3}}\.\d\d% )?\[(?P<level>DEBUG|INFO|NOTICE|WARNING|ERR|CRIT|ALERT|CONSOLE)\] "
            r"(?P<caller>[\w.-]{1,80}\.(?:cpp|c):\d{1,6}) ?(?P<message>.*)$"
        ),
        priority=31,
        first="0123456789abcdef",
    ),
    Format(
        name="samba",
        title="Samba",
        samples=(
            "[2026/11/23 10:40:29.123456,  0, pid=7, effective(0, 0), real(0, 0)] ../../source3/smbd/x.c:165(f)\n  failed",
            "[2026/11/23 10:40:29.123456,  4] ../source3/nmbd/x.c:165(f)",
        ),
        reference="man 5 smb.conf, log level and debug pid",
        parse=parse_samba,
        priority=31,
        first="[",
    ),
    Format(
        name="clickhouse",
        title="ClickHouse",
        samples=(
            "2026.11.23 10:40:29.123456 [ 7 ] {} <Error> Application: failed",
            "2026.11.23 10:40:29.123456 [ 7 ] {5f0c9a7e-11aa} <Debug> executeQuery: (from 192.0.2.1:1) SELECT 1",
        ),
        reference="clickhouse.com/docs/operations/server-configuration-parameters/settings#logger",
        pattern=lazily(
            r"(?s)(?P<time>\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?) (?:\[[^\]]{1,60}\] )?\[ (?P<pid>\d{1,10}) \] \{(?P<query_id>[^}]{0,80})\} "
            r"<(?P<level>Fatal|Critical|Error|Warning|Notice|Information|Debug|Trace|Test)> (?:(?P<service>[\w.:<>() -]{1,120}?): )?(?P<message>.*)$"
        ),
        priority=31,
        first="12",
    ),
    Format(
        name="esxi",
        title="VMware ESXi",
        samples=(
            "2026-11-23T10:40:29.123Z In(182) vmkernel: cpu21:2099003)started",
            "2026-11-23T10:40:29.123Z cpu1:1234)WARNING: lost a path",
            "2026-11-23T10:40:29.123Z shell[71435]: [root]: ls",
        ),
        reference="docs.vmware.com, ESXi log files and their formats",
        parse=parse_esxi,
        priority=40,
        first="12",
    ),
    Format(
        name="websphere",
        title="WebSphere (basic format)",
        samples=(
            "[11/23/26 10:40:29:123 CET] 00000001 WsServerImpl  A   WSVR0001I: Server open",
            "[11/23/26 10:40:29:123 CET] 0000002a Checkout      E   failed",
        ),
        reference="ibm.com/docs/was, log and trace file description (basic format)",
        parse=parse_websphere,
        priority=31,
        first="[",
    ),
    Format(
        name="weblogic",
        title="WebLogic server and domain logs",
        samples=(
            "####<Nov 23, 2026 10:40:29,123 AM GMT> <Notice> <Server> <host-1> <AdminServer> <main> <<WLS Kernel>> <> <> <1795430429123> <BEA-2> <x> ",
            "####<Nov 23, 2026, 4:10:29,123 PM India Standard Time> <Error> <Security> <WIN-7> <> <Thread-1> <> <> <> <1795430429123> <BEA-1> <x> ",
        ),
        reference="docs.oracle.com, WebLogic Server: Configuring Log Files, Log Message Format",
        parse=parse_weblogic,
        priority=31,
        first="#",
    ),
    Format(
        name="rabbitmq",
        title="RabbitMQ from 3.7 on",
        samples=(
            "2026-11-23 10:40:29.123456+01:00 [info] <0.221.0> started",
            "2026-11-23 10:40:29.123 [error] <0.8.0> closing connection",
        ),
        reference="rabbitmq.com/docs/logging",
        pattern=lazily(
            rf"(?s)(?P<time>{ISO}) \[(?P<level>debug|info|notice|warning|error|critical|alert|emergency|none)\] <(?P<process>\d{{1,6}}\.\d{{1,12}}\.\d{{1,6}})> ?(?P<message>.*)$"
        ),
        priority=31,
        first="12",
    ),
    Format(
        name="freeradius",
        title="FreeRADIUS",
        samples=("Mon Nov 23 10:40:29 2026 : Error: (7) no reply", "Mon Nov 23 10:40:29 2026 : Auth: (12) Login OK"),
        reference="freeradius.org, radiusd.conf, section log",
        parse=parse_radius,
        priority=29,
        first="MTWFS",
    ),
    Format(
        name="sshkit",
        title="SSHKit (Capistrano)",
        samples=(
            "INFO [8c1f0e2a] 2026-11-23 10:40:29 +0100 Running /usr/bin/env git",
            "DEBUG [8c1f0e2a] 2026-11-23 10:40:29 +0100 Finished in 0.1 seconds",
        ),
        reference="github.com/capistrano/sshkit, formatters/pretty.rb with a logger's time",
        pattern=lazily(
            r"(?s)(?P<level>DEBUG|INFO|WARN|ERROR|FATAL) \[(?P<request>[0-9a-f]{8})\] (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}) (?P<message>.*)$"
        ),
        priority=20,
        first="DIWEF",
    ),
    Format(
        name="vmware",
        title="VMware vCenter, ESXi daemons and NSX",
        samples=(
            "2026-11-23T10:40:29.123Z info vpxd[45715] [Originator@6876 sub=vpxLro opID=7e] [VpxLRO] -- begin",
            '2026-11-23T10:40:29.123Z esx-1 NSX 3106 - [nsx@6876 comp="nsx-esx" level="ERROR"] no route',
        ),
        reference="docs.vmware.com, vpxd and hostd logs; NSX log message format",
        parse=parse_vmware,
        priority=33,
        first="12",
    ),
    Format(
        name="yum",
        title="yum.log",
        samples=("Nov 23 10:40:29 Installed: httpd-2.4.6-99.x86_64", "Nov 23 10:40:30 Updated: 1:openssl-1.0.2k"),
        reference="man 5 yum.conf, logfile",
        parse=parse_yum,
        priority=29,
        first="JFMASOND",
    ),
)
