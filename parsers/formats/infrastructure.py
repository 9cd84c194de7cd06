"""Servers with a layout of their own: Zabbix, Couchbase, Meraki, uWSGI requests, su's log, Nagios, and Windows device setup.

Columns: time, severity, host, service, pid, message; request columns for uWSGI. A section of setupapi.dev.log, from its heading to
its exit status, is one event.
References: zabbix.com/documentation (log file), docs.couchbase.com (manage-logging), documentation.meraki.com (syslog),
uwsgi-docs.readthedocs.io/en/latest/LogFormat.html, learn.microsoft.com SetupAPI text logs.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import integer, take_request
from ..lazy import lazily
from ..timestamps import TimeContext, read_time
from .golang import yearless_clock

_ZABBIX = lazily(r"(?s)(?P<pid>\d{1,9}):(?P<day>\d{8}):(?P<clock>\d{6})\.(?P<fraction>\d{3}) (?P<message>.*)$")
_UWSGI = lazily(
    r"\[pid: (?P<pid>\d+)\|app: \S+?\|req: \S{1,40}\] (?P<client>\S{1,100}) \([^)]{0,100}\) \{[^}]{0,100}\} \[(?P<time>[^\]]{20,40})\] "
    r"(?P<request>[A-Z]+ \S*) => generated (?P<bytes>\d+) bytes in (?P<took>\d+) (?P<unit>msecs|micros)(?:.{0,40}?\(HTTP/[\d.]+ (?P<status>\d{3})\))?(?P<rest>.*)$"
)
_SULOG = lazily(r"SU (?P<month>\d\d)/(?P<day>\d\d) (?P<clock>\d\d:\d\d) (?P<message>(?P<result>[+-]) (?P<terminal>\S{1,60}) (?P<from>[^\s-]{1,60})-(?P<to>\S{1,60}))\s*$")
#: What Nagios calls its rows: an alert's and a notification's have hosts, services and states set apart by semicolons.
_NAGIOS = lazily(
    r"\[(?P<time>\d{10})\] (?P<message>(?P<kind>(?:(?:CURRENT|INITIAL|PASSIVE|GLOBAL|EXTERNAL|LOG|SERVICE|HOST|FLAPPING|DOWNTIME|EVENT) ){1,3}"
    r"(?:ALERT|NOTIFICATION|STATE|CHECK|HANDLER|COMMAND|VERSION|ROTATION)|Warning|Error|Auto-save of retention data|Caught SIG[A-Z]+|"
    r"Nagios [\d.]+ (?:starting|shutting down)|Local time is|Successfully shutdown)\b(?P<rest>.*))$"
)
_NAGIOS_STATES = {
    "OK": "info", "UP": "info", "RECOVERY": "info", "WARNING": "warning", "UNKNOWN": "warning", "CRITICAL": "critical", "DOWN": "critical",
    "UNREACHABLE": "critical",
}  # fmt: skip
_SECTION = lazily(r"[>]{3} {1,2}\[")
_SECTION_START = lazily(r">>>  ?Section start (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3})")


def parse_zabbix(text: str, context: TimeContext) -> Event | None:
    """A row of a Zabbix server, proxy or agent; None for any other row."""
    match = _ZABBIX.match(text)
    if match is None:
        return None
    reading = read_time(f"{match['day']}T{match['clock']}.{match['fraction']}", context)
    return None if reading is None else Event(reading[1], match["message"], "zabbix", pid=integer(match["pid"]))


def parse_uwsgi(text: str, context: TimeContext) -> Event | None:
    """A request row of uWSGI's default layout; None for any other row."""
    match = _UWSGI.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], text[match.start("request") :], "uwsgi", pid=integer(match["pid"]), client=match["client"])
    take_request(event, match["request"])
    event.bytes, event.status = integer(match["bytes"]), integer(match["status"])
    event.duration = int(match["took"][:12]) / (1e3 if match["unit"] == "msecs" else 1e6)
    return event


def parse_nagios(text: str, context: TimeContext) -> Event | None:
    """A row of Nagios' own log: the kind of a row is part of what it says; None for any other row."""
    match = _NAGIOS.match(text)
    reading = read_time(match["time"], context) if match is not None else None
    if match is None or reading is None:
        return None
    kind = match["kind"] or ""
    event = Event(reading[1], match["message"], "nagios", service="nagios")
    if kind in ("Warning", "Error"):
        event.severity = kind.lower()
    elif kind.endswith(("ALERT", "NOTIFICATION", "STATE")):
        event.severity = next((_NAGIOS_STATES[part] for part in match["rest"].split(";")[:5] if part in _NAGIOS_STATES), None)
    return event


def parse_sulog(text: str, context: TimeContext) -> Event | None:
    """A row in which su notes who became whom; None for any other row."""
    match = _SULOG.match(text)
    if match is None:
        return None
    time = yearless_clock(int(match["month"]), int(match["day"]), f"{match['clock']}:00", context)
    if time is None and not context.year_missing:
        return None
    event = Event(time, match["message"], "sulog", "info" if match["result"] == "+" else "warning", service="su")
    event.fields = {key: match[key] for key in ("terminal", "from", "to")}
    return event


def parse_setup(text: str, context: TimeContext) -> Event | None:
    """The heading of a section of a SetupAPI log; None for any other row."""
    if not _SECTION.match(text):
        return None
    context.begin()
    context.state["setup_open"] = True
    return Event(None, text, "setupapi")


def continues_setup(text: str, context: TimeContext) -> bool:
    """Rows of the section, its exit status the last."""
    if not context.state.get("setup_open") or _SECTION.match(text):
        return False
    context.state["setup_open"] = not text.startswith(("<<<  [", "<<< ["))
    return True


def close_setup(event: Event, context: TimeContext) -> None:
    """Takes the time from the row that says when the section started."""
    start = _SECTION_START.search(event.message[:4000])
    if start is None:
        return
    with context.aside():
        reading = read_time(start[1], context)
        if reading is not None:
            event.time = reading[1]
            context.accept(event.time)


FORMATS = (
    Format(
        name="zabbix",
        title="Zabbix",
        samples=("1234:20261123:104029.123 Starting Zabbix Server", "77:20261123:104029.123 query failed"),
        reference="zabbix.com/documentation/current/en/manual/appendix/config/zabbix_server (LogFile)",
        parse=parse_zabbix,
        priority=25,
        first="0123456789",
    ),
    Format(
        name="uwsgi",
        title="uWSGI requests",
        samples=(
            "[pid: 7|app: 0|req: 1/1] 192.0.2.1 () {32 vars in 400 bytes} [Mon Nov 23 10:40:29 2026] GET /a => generated 12 bytes in 3 msecs (HTTP/1.1 200) 2 headers in 71 bytes",
            "[pid: 7|app: 0|req: 2/2] 192.0.2.1 (bob) {32 vars in 400 bytes} [Mon Nov 23 10:40:30 2026] POST /b => generated 0 bytes in 31 msecs (HTTP/1.1 500) 2 headers",
        ),
        reference="uwsgi-docs.readthedocs.io/en/latest/LogFormat.html",
        parse=parse_uwsgi,
        priority=23,
        first="[",
    ),
    Format(
        name="couchbase",
        title="Couchbase cluster manager",
        samples=(
            "[ns_server:info,2026-11-23T10:40:29.123Z,ns_1@127.0.0.1:ns_log<0.1.0>:ns_log:1]node joined",
            "[user:warn,2026-11-23T10:40:29.123+01:00,ns_1@127.0.0.1:x<0.2.0>:menelaus:7]login failed",
        ),
        reference="docs.couchbase.com/server/current/manage/manage-logging/manage-logging.html",
        pattern=lazily(
            r"(?s)\[(?P<service>[a-z_]{1,40}):(?P<level>[a-z]{4,8}),(?P<time>\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d)),(?P<process>[^\]]{0,300})\](?P<message>.*)$"
        ),
        priority=25,
        first="[",
    ),
    Format(
        name="meraki",
        title="Cisco Meraki",
        samples=(
            "<134>1 1763893229.123456789 MX84 flows src=192.0.2.1 dst=198.51.100.2 protocol=tcp",
            "<134>1 1763893229.123456789 AP1 events type=association radio='0'",
        ),
        reference="documentation.meraki.com, Syslog Event Types and Log Samples",
        pattern=lazily(r"(?s)(?:<\d{1,3}>)?1 (?P<time>\d{10}\.\d{1,9}) (?P<host>\S{1,100}) (?P<service>\S{1,100}) (?P<message>.*)$"),
        priority=24,
        first="<1",
    ),
    Format(
        name="nagios",
        title="Nagios",
        samples=(
            "[1763893229] SERVICE ALERT: web;HTTP;CRITICAL;HARD;3;Connection refused",
            "[1763893289] CURRENT HOST STATE: web;UP;HARD;1;PING OK",
            "[1763893290] Warning: The results of service 'HTTP' on host 'web' are stale",
        ),
        reference="assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/configmain.html (log_file)",
        parse=parse_nagios,
        priority=24,
        first="[",
    ),
    Format(
        name="sulog",
        title="su (sulog)",
        samples=("SU 11/23 10:40 + pts/1 kestrel-root", "SU 11/23 10:41 - pts/2 harrier-root"),
        reference="su(1) of System V and Solaris (/var/adm/sulog)",
        parse=parse_sulog,
        priority=24,
        first="S",
    ),
    Format(
        name="setupapi",
        title="Windows device setup (setupapi.dev.log)",
        samples=(
            ">>>  [Device Install (Hardware initiated) - SWD\\IP\\1]\n>>>  Section start 2026/11/23 10:40:29.123\n<<<  Section end 2026/11/23 10:40:30.123\n<<<  [Exit status: SUCCESS]",
            ">>>  [Boot Session: 2026/11/23 10:00:00.123]\n>>>  Section start 2026/11/23 10:40:29.123",
        ),
        reference="learn.microsoft.com/windows-hardware/drivers/install/format-of-a-text-log-section",
        parse=parse_setup,
        continues=continues_setup,
        close=close_setup,
        priority=22,
        first=">",
    ),
)
