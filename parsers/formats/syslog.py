"""Syslog in all its ages: RFC 3164 and its many liberties, RFC 3339 stamps (rsyslog, journald), RFC 5424.

Columns: time, host, service (the tag), pid, severity (PRI mod 8, or a level in the host's place), message. Fields: facility,
msgid, structured data (`sd`), mnemonic (Cisco). A message that is itself an access row fills the request columns.
References: RFC 3164, RFC 5424, rsyslog.com/doc/configuration/templates.html, Cisco "System Message Logging".
"""

from __future__ import annotations

import re
from typing import Any

from ..base import Event, Format
from ..columns import LEVELS, integer, present, severity_of, syslog_severity
from ..lazy import lazily
from ..shapes import ISO, RFC3339, WEEKDAY
from ..timestamps import TimeContext, match_time, read_time
from .access import take_body, take_clients
from .packages import take_cef
from .web import take_haproxy

_OLD = lazily(
    r"(?:\d{1,6} (?=<))?(?:<(?P<pri>\d{1,5})>)?(?:(?P<sequence>\d{1,10}): |: )?(?:(?P<before>[A-Za-z0-9_.:-]{1,64}): )?"
    rf"[*.]?(?=(?:{WEEKDAY} |(?:19|20)\d\d )?[^\W\d_]{{3,10}}\.? {{1,2}}\d\d? )"
)
_NEW_STAMP = lazily(
    rf"(?:\d{{1,6}} )?(?:<(?P<pri>\d{{1,5}})>)?(?P<time>{RFC3339}|{ISO}) (?P<rest>.*)$", re.DOTALL
)
_RFC5424 = lazily(
    r"(?:\d{1,7} )?(?:<(?P<pri>\d{1,5})>)?[1-9]\d? (?P<time>\d{4}-\d\d-\d\dT\S{8,40}|-) (?P<host>\S{1,255}) (?P<service>\S{1,255}) "
    r"(?P<pid>\S{1,128}) (?P<msgid>\S{1,64})(?: (?P<rest>.*))?$",
    re.DOTALL,
)
_SD = lazily(r'\[([^\s=\]"]{1,64})((?: [^\s=\]"]{1,64}="(?:[^"\\]|\\.)*")*) ?\]')
_SD_PARAM = lazily(r' ([^\s=\]"]{1,64})="((?:[^"\\]|\\.)*)"')
_SD_ESCAPE = lazily(r'\\(["\\\]])')
_LEVEL_WORD = lazily(
    r"<?(?:(?P<facility>kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|ntp|security|console|local[0-7])\.)?"
    rf"(?P<level>{LEVELS})>?:?$"
)
_TAG = lazily(
    r"(?P<service>[A-Za-z0-9_/.][^\s\[\]:<>{}\"=]{0,128}?(?:\([^)\s]{0,64}\))?)(?: ?\[(?P<pid>\d{1,10})(?:[.:/][^\]]{0,40})?\]| ?\[[^\]\s]{0,64}\])?"
    r"(?: \([^)]{1,100}\))?(?: <(?P<level>[A-Za-z]+)>)?:(?:\s+|$|(?=\S))(?P<message>.*)$",
    re.DOTALL,
)
_HOST = lazily(r"(?!-{2,}$|:$)(?:[A-Za-z0-9_.:/@%-]{1,255}|\[[0-9A-Fa-f.:]{3,45}\])$")
_DATED = lazily(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) |.* \d{4}$")
_TAG_START = lazily(r"[^\s\[\]:<>]{1,128}(?:\[[^\]\s]{0,64}\])?:$|%[A-Z0-9_-]+-[0-7]-[A-Z0-9_]+:$")
_CISCO = lazily(r"%(?P<mnemonic>[A-Z0-9_-]+-(?P<level>[0-7])-[A-Z0-9_]+)")
_LEADING = lazily(
    rf"(?:\[\d+\.\d+\] )?(?:\[\s*(?P<bracketed>{LEVELS})\s*\]|<(?P<angled>{LEVELS})>|(?P<colon>{LEVELS}):|"
    r"(?P<upper>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|ALERT|EMERG)(?=[\s:]))"
)
_ACCESS = lazily(r"(?s)(?P<before>[^\[\"]{1,200})\[\d\d/[A-Z][a-z]{2}/\d{4}:[^\]]{8,24}\] (?P<after>\".*)$")
#: A priority and a few words before the time: sequence numbers, sender and host of devices and relays; or no time at all.
_FRAMED = lazily(
    r"(?:\d{1,7} )?<(?P<pri>\d{1,3})>(?=[A-Za-z0-9%*.:\[ ])(?P<before>(?:[^\s<>\"]{0,64} {1,2}){0,6}?)[*.]?"
    r"(?=(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2} |(?:19|20)\d\d-\d\d-\d\dT)"
)
_PRIORITY = lazily(r"(?:\d{1,7} )?<(?P<pri>\d{1,3})> ?(?=[A-Za-z0-9%*.:\[ ])")
_WORDY = lazily(r"[A-Za-z0-9][\w.:-]{0,254}$")
FACILITIES = (
    "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock "
    "local0 local1 local2 local3 local4 local5 local6 local7"
).split()


def _take_priority(event: Event, pri: str | None) -> None:
    if pri is None:
        return
    value = int(pri)
    event.severity = syslog_severity(value)
    if value <= 191:
        event.fields["facility"] = FACILITIES[value // 8]


def _take_message(event: Event) -> None:
    """What the message itself tells: a level at its start, a Cisco mnemonic, an access row."""
    message = event.message
    cisco = _CISCO.search(message[:120]) if "%" in message[:120] else None
    if cisco is not None:
        event.fields["mnemonic"] = cisco["mnemonic"]
        if event.severity is None:
            event.severity = severity_of(int(cisco["level"]))
    elif event.severity is None:
        leading = _LEADING.match(message)
        if leading is not None:
            event.severity = severity_of(leading[leading.lastgroup or 0])
    if event.service == "haproxy":
        take_haproxy(event)
    elif '] "' in message:
        access = _ACCESS.match(message)
        if access is not None:
            take_clients_keeping_host(event, access["before"])
            take_body(event, access["after"])


def take_clients_keeping_host(event: Event, before: str) -> None:
    """The client of an access row inside a message, the message's own host kept."""
    host = event.host
    take_clients(event, before)
    if event.host != host:
        event.fields["virtual_host"] = event.host
        event.host = host


def _take_rest(event: Event, rest: str) -> bool:
    """Host, level, tag and message of what follows the time; False when it is no syslog row."""
    rest = rest.lstrip(" ")
    tagged = False
    for position in range(2):
        word, _, after = rest.partition(" ")
        level = _LEVEL_WORD.match(word)
        if level is not None and after:
            event.severity = event.severity or severity_of(level["level"])
            if level["facility"]:
                event.fields["facility"] = level["facility"]
            rest = after.lstrip(" ")
            tagged = tagged or bool(level["facility"])
            continue
        if position == 0 or event.host is None:
            if _TAG_START.match(word) or not word or word.startswith("%"):
                break
            if not _HOST.match(word):
                break
            event.host = word
            rest = after.lstrip(" ")
    rest = rest.removeprefix(": ")
    if rest.startswith(("CEF:", "LEEF:")):
        event.message = rest
        take_cef(event)
        return True
    tag = _TAG.match(rest)
    if tag is None or rest.startswith("%"):
        event.message = rest
    else:
        event.service = tag["service"]
        event.pid = integer(tag["pid"])
        if tag["level"]:
            event.severity = event.severity or severity_of(tag["level"])
        event.message = tag["message"]
        tagged = True
    _take_message(event)
    return tagged


def parse_old(text: str, context: TimeContext) -> Event | None:
    """A row of RFC 3164 or one of its relatives; None for any other row."""
    match = _OLD.match(text)
    if match is None:
        return None
    reading = match_time(text, match.end(), context)
    if reading is None:
        return None
    end, time = reading
    if end < len(text) and text[end] not in " :":
        return None
    rest = text[end:]
    event = Event(time, "", "syslog")
    _take_priority(event, match["pri"])
    if match["before"]:
        event.host = match["before"]
        event.message = rest.lstrip(": ")
        tag = _TAG.match(event.message)
        if tag is not None and not event.message.startswith("%"):
            event.service, event.pid, event.message = tag["service"], integer(tag["pid"]), tag["message"]
        _take_message(event)
    elif not _take_rest(event, rest.lstrip(":")) and match["pri"] is None and _DATED.match(text[match.end() : end]):
        return None  # a ctime stamp before plain text: some other program's log
    return event


def parse_framed(text: str, context: TimeContext) -> Event | None:
    """A row that begins with a priority and is written as no other syslog row; None for any other row."""
    priority = _PRIORITY.match(text)
    if priority is None or int(priority["pri"]) > 191:
        return None
    framed = _FRAMED.match(text)
    reading = match_time(text, framed.end(), context) if framed is not None else None
    if framed is None or reading is None:
        context.begin()
        event = Event(None, text[priority.end() :], "syslog_framed")
    else:
        event = Event(reading[1], text[reading[0] :].lstrip(": "), "syslog_framed")
        words = [word.rstrip(":") for word in framed["before"].split()]
        event.host = next((word for word in reversed(words) if not word.isdigit() and _WORDY.match(word)), None)
    _take_priority(event, priority["pri"])
    _take_message(event)
    return event


def structured_ids(text: str) -> bool:
    """Whether structured data whose values were taken out is made of elements and keys that stand once each."""
    found: list[str] = []
    position = 0
    while (element := _SD.match(text, position)) is not None:
        keys = [key for key, _ in _SD_PARAM.findall(element[2])]
        if len(set(keys)) < len(keys):
            return False
        found.append(element[1])
        position = element.end()
    return position == len(text) and len(set(found)) == len(found)


def parse_new(text: str, context: TimeContext) -> Event | None:
    """A row with an ISO stamp, host and tag, as rsyslog and journald write it; None for any other row."""
    match = _NEW_STAMP.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], "", "syslog_iso")
    _take_priority(event, match["pri"])
    first = match["rest"].partition(" ")[0]
    if match["pri"] is None and (_TAG_START.match(first) or not re.match(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}$", first)):
        return None
    if match["pri"] is None and (_LEVEL_WORD.match(first) or first.isdigit()):
        return None
    tagged = _take_rest(event, match["rest"])
    if match["pri"] is None and not (tagged and event.host and (event.pid is not None or ": " in match["rest"])):
        return None  # without host and tag it is an application's row
    return event


def parse_5424(text: str, context: TimeContext) -> Event | None:
    """A row of RFC 5424; None for any other row."""
    match = _RFC5424.match(text)
    if match is None:
        return None
    time: int | None = None
    if match["time"] != "-":
        reading = match_time(match["time"], 0, context)
        if reading is None or reading[0] != len(match["time"]):
            return None
        time = reading[1]
    elif match["pri"] is None:
        return None
    event = Event(time, "", "syslog_5424")
    _take_priority(event, match["pri"])
    event.host = present(match["host"])
    event.service = present(match["service"])
    event.pid = integer(match["pid"])
    if event.pid is None and present(match["pid"]):
        event.fields["procid"] = match["pid"]
    if present(match["msgid"]):
        event.fields["msgid"] = match["msgid"]
    rest = match["rest"] or ""
    data: dict[str, Any] = {}
    if rest.startswith("["):
        position = 0
        while (element := _SD.match(rest, position)) is not None:
            pairs = _SD_PARAM.findall(element[2])
            data[element[1]] = {key: _SD_ESCAPE.sub(r"\1", value) for key, value in pairs}
            position = element.end()
        if position and (position == len(rest) or rest[position] == " "):
            rest = rest[position:]
            event.fields["sd"] = data
    elif rest.startswith("-"):
        rest = rest[1:]
    event.message = rest.strip(" ").removeprefix("\ufeff").strip(" ")
    _take_message(event)
    return event


FORMATS = (
    Format(
        name="syslog_5424",
        title="Syslog, RFC 5424",
        samples=(
            ('<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" '
            'eventSource="Application"] An application event log entry'),
            "<34>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
            "<46>1 - host app - - - no clock",
        ),
        reference="RFC 5424",
        parse=parse_5424,
        alone=True,
        priority=25,
        first="<123456789",
    ),
    Format(
        name="syslog",
        title="Syslog, RFC 3164 and relatives",
        samples=(
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
            "Nov  3 10:40:29 web-1 sshd[15153]: Server listening on 0.0.0.0 port 22.",
            "Nov 23 10:40:29 web-1 last message repeated 2 times",
            "<189>29: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by vty2",
            "Nov 23 2026 10:40:29 fw-1 : %ASA-6-302013: Built inbound TCP connection",
        ),
        reference="RFC 3164; Cisco System Message Logging",
        parse=parse_old,
        priority=30,
    ),
    Format(
        name="syslog_framed",
        title="Syslog with a priority before anything else",
        samples=(
            "<190>3132811: sw01: 3132807: Jul 14 2023 08:23:43.398 UTC: %LINK-3-UPDOWN: Interface Gi1/0/2 is down",
            "<13>192.0.2.7 relay 1 2026-11-23T10:40:29.123Z started",
            "<188>%SNMP-W-AUTHFAIL: no clock yet",
        ),
        reference="RFC 3164, 4.3.2 and 4.3.3; Cisco System Message Logging (sequence numbers, logging origin-id)",
        parse=parse_framed,
        alone=True,
        priority=96,
        first="<123456789",
    ),
    Format(
        name="syslog_iso",
        title="Syslog with RFC 3339 stamps (rsyslog, journald short-iso)",
        samples=(
            "2026-11-23T04:47:36.289899-05:00 shop-prod-2 cron[8550]: (CRON) INFO (pidfile fd = 3)",
            "<13>2026-11-23T04:47:36Z web-1 app: started",
            "2026-11-23T10:40:29+0100 web-1 kernel: Linux version 6.1",
        ),
        reference="rsyslog RSYSLOG_FileFormat; man journalctl, short-iso",
        parse=parse_new,
        priority=35,
        first="<123456789",
    ),
)
