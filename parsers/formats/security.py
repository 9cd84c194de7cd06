"""Alerts of host and network guards: OSSEC and Wazuh, ModSecurity's audit log, Snort's full alerts, PAN-OS, virus scanners; CEF and LEEF are read by what wraps them.

Columns: time, host, service, severity, client, message. An alert of OSSEC, from its `** Alert` row to the next one, and a transaction of
ModSecurity, from its section A to its section Z, are one event each. Symantec writes a time as six bytes in hexadecimal: years
since 1970, month from 0, day, hour, minute, second.
References: ossec.net/docs (alert format), documentation.wazuh.com; github.com/owasp-modsecurity/ModSecurity (serial audit log);
SNORT Users Manual 2.9, 2.6.3 (alert_full); docs.paloaltonetworks.com (syslog field descriptions); techdocs.broadcom.com (Symantec AntiVirus log format);
docs.trendmicro.com (OfficeScan, virus and web reputation logs).
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import integer
from ..lazy import lazily
from ..timestamps import TimeContext, epoch_time, read_time
from .golang import yearless_clock

_ALERT = lazily(r"(?s)\*\* Alert (?P<time>\d{10})\.\d+: ?(?:mail +)?-? ?(?P<message>.*)$")
_LEVEL = lazily(r"Rule: (?P<rule>\d+) \(level (?P<level>\d+)\) -> '(?P<text>[^'\n]*)'")
_PLACE = lazily(r"\n\d{4} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d (?:\((?P<agent>[^)\n]*)\) )?(?P<host>[^\s>]+)->(?P<place>[^\n]*)")
_SECTION = lazily(r"--(?P<id>[0-9A-Za-z]{6,32})-(?P<part>[A-Z])--\s*$")
_TRANSACTION = lazily(r"\n\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4})\] (?P<id>\S+) (?P<client>\S+)")
_REQUEST = lazily(r"-B--\n(?P<method>[A-Z]{3,10}) (?P<path>\S+)")
_STATUS = lazily(r"-F--\nHTTP/[\d.]+ (?P<status>\d{3})")
_PANOS = lazily(
    r"(?s)[^,\s]{1,16},(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d),(?P<serial>\w*),(?P<service>[A-Z]{4,12}),(?P<message>.*)$"
)
_HEX_TIMED = lazily(r"(?P<time>[0-9A-F]{12}),(?P<event>\d{1,3}),(?P<category>\d{1,2}),(?P<logger>\d{1,3}),(?P<host>[^,]{0,64}),")
_SNORT_FULL = lazily(r"\[\*\*\] \[(?P<rule>\d{1,10}:\d{1,10}:\d{1,6})\] (?P<message>.{0,2000}?) ?\[\*\*\]\s*$")
_SNORT_TIME = lazily(r"(?P<month>[01]\d)/(?P<day>[0-3]\d)(?:/(?P<year>\d\d))?-(?P<clock>[0-2]\d:[0-5]\d:[0-6]\d\.\d{3,6}) ")
_SNORT_RANK = lazily(r"\[Priority: (\d)\]")
_SNORT_RANKS = {"1": "error", "2": "warning", "3": "notice"}
_MARKED = lazily(r"(?P<date>\d{8})<;>(?P<clock>\d{4}(?:\d\d)?)<;>")


def parse_snort_full(text: str, context: TimeContext) -> Event | None:
    """The first row of a full alert of Snort, whose time stands in a row below; None for any other row."""
    match = _SNORT_FULL.match(text)
    if match is None:
        return None
    context.begin()
    context.state["snort_untimed"] = True
    event = Event(None, text, "snort_full")
    event.fields["rule"] = match["rule"]
    return event


def continues_snort_full(text: str, context: TimeContext) -> bool:
    """Whether a row is the one of an open alert that has its time."""
    return bool(context.state.get("snort_untimed") and _SNORT_TIME.match(text) and context.state.pop("snort_untimed"))


def close_snort_full(event: Event, context: TimeContext) -> None:
    """Reads time and priority from the rows of an alert."""
    _, _, below = event.message[:4000].partition("\n")
    rank = _SNORT_RANK.search(below)
    event.severity = _SNORT_RANKS.get(rank[1]) if rank is not None else None
    for row in below.split("\n")[:4]:
        stamp = _SNORT_TIME.match(row)
        month, day = (int(stamp["month"]), int(stamp["day"])) if stamp is not None else (0, 0)
        if stamp is None or not (1 <= month <= 12 and 1 <= day <= 31):
            continue
        with context.aside():
            if stamp["year"]:
                reading = read_time(f"20{stamp['year']}-{stamp['month']}-{stamp['day']} {stamp['clock']}", context)
                event.time = reading[1] if reading is not None else None
            else:
                event.time = yearless_clock(month, day, stamp["clock"], context)
                context.counts["year_less"] += 1
        return


def parse_alert(text: str, context: TimeContext) -> Event | None:
    """The event that begins with the `** Alert` row of OSSEC and Wazuh; None for any other row."""
    match = _ALERT.match(text)
    if match is None:
        return None
    context.begin()
    context.counts["epoch"] += 1
    return Event(epoch_time(int(match["time"])), text, "ossec")


def continues_alert(text: str, context: TimeContext) -> bool:
    """Every row up to the next alert, whatever it quotes."""
    del context
    return not text.startswith("** Alert ")


def close_alert(event: Event, context: TimeContext) -> None:
    """Reads rule, level and place once the alert is whole."""
    del context
    rule = _LEVEL.search(event.message)
    if rule is not None:
        level = int(rule["level"])
        event.severity = "info" if level < 4 else "notice" if level < 7 else "warning" if level < 12 else "critical"
        event.fields["rule"] = rule["rule"]
    place = _PLACE.search(event.message)
    if place is not None:
        event.host, event.fields["location"] = place["agent"] or place["host"], place["place"]


def parse_audit(text: str, context: TimeContext) -> Event | None:
    """The event that begins with the marker of a transaction's section A; None for any other row."""
    match = _SECTION.match(text)
    if match is None or match["part"] != "A":
        return None
    context.begin()
    context.state["modsecurity_open"] = True
    return Event(None, text, "modsecurity")


def continues_audit(text: str, context: TimeContext) -> bool:
    """Every row up to the marker of section Z."""
    if not context.state.get("modsecurity_open"):
        return False
    match = _SECTION.match(text)
    if match is not None and match["part"] == "A":
        return False
    if match is not None and match["part"] == "Z":
        context.state["modsecurity_open"] = False
    return True


def close_audit(event: Event, context: TimeContext) -> None:
    """Reads the time, the client and the request from a transaction's sections."""
    head = _TRANSACTION.search(event.message)
    if head is not None:
        reading = read_time(head["time"], context)
        if reading is not None:
            event.time = reading[1]
            context.accept(event.time)
        event.request_id, event.client = head["id"], head["client"]
    request = _REQUEST.search(event.message)
    if request is not None:
        event.method, event.path = request["method"], request["path"]
    status = _STATUS.search(event.message)
    event.status = integer(status["status"]) if status is not None else None


def parse_hex_timed(text: str, context: TimeContext) -> Event | None:
    """The event of a row of Symantec AntiVirus; None for any other row."""
    match = _HEX_TIMED.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = bytes.fromhex(match["time"])
    reading = read_time(f"{1970 + year}-{month + 1:02}-{day:02} {hour:02}:{minute:02}:{second:02}", context)
    if reading is None:
        return None
    return Event(reading[1], text[match.end() :], "symantec", host=match["host"] or None, fields={"event": match["event"]})


def parse_marked(text: str, context: TimeContext) -> Event | None:
    """The event of a row of Trend Micro, whose values are set apart by `<;>`; None for any other row."""
    match = _MARKED.match(text)
    if match is None:
        return None
    reading = read_time(f"{match['date']} {match['clock'].ljust(6, '0')}", context)
    return Event(reading[1], text[match.end() :], "trendmicro") if reading is not None else None


FORMATS = (
    Format(
        name="ossec",
        title="OSSEC and Wazuh alerts",
        samples=(
            "** Alert 1763893229.1234: - syslog,sshd,",
            "** Alert 1763893229.1234: mail  - web,accesslog,\n2026 Nov 23 10:40:29 web-1->/var/log/access.log\nRule: 31101 (level 5) -> 'Web server 400 error code.'",
        ),
        reference="ossec.net/docs; documentation.wazuh.com",
        parse=parse_alert,
        continues=continues_alert,
        close=close_alert,
        priority=14,
        first="*",
    ),
    Format(
        name="modsecurity",
        title="ModSecurity audit log (serial)",
        samples=(
            "--9f3c2a10-A--\n[23/Nov/2026:10:40:30 +0000] bTL 192.0.2.9 5001 192.0.2.2 443\n--9f3c2a10-B--\nGET /a HTTP/1.1\n--9f3c2a10-Z--",
            "--a1b2c3d4-A--\n[23/Nov/2026:10:40:29 +0000] aSK 192.0.2.1 5000 192.0.2.2 80\n--a1b2c3d4-Z--",
        ),
        reference="github.com/owasp-modsecurity/ModSecurity (Reference Manual, SecAuditLogParts)",
        parse=parse_audit,
        continues=continues_audit,
        close=close_audit,
        priority=14,
        first="-",
    ),
    Format(
        name="panos",
        title="Palo Alto Networks PAN-OS, comma-separated",
        samples=(
            "1,2026/11/23 10:40:29,012801000000,THREAT,url,2049,2026/11/23 10:40:29,192.0.2.1,192.0.2.2",
            "1,2026/11/23 10:40:29,012801000000,TRAFFIC,end,2049,2026/11/23 10:40:28,192.0.2.1,192.0.2.2",
        ),
        reference="docs.paloaltonetworks.com (Syslog Field Descriptions)",
        pattern=_PANOS,
        priority=32,
        first="0123456789",
    ),
    Format(
        name="snort_full",
        title="Snort full alerts",
        samples=(
            "[**] [1:1000006:0] TCP connection [**]\n[Priority: 0] \n11/23-10:40:29.860730 192.0.2.9:57263 -> 192.0.2.7:22",
            "[**] [1:1000004:0] Pinging... [**]\n[Classification: Misc activity] [Priority: 3] \n11/23/26-10:40:29.299988 192.0.2.9 -> 192.0.2.7",
        ),
        reference="SNORT Users Manual 2.9, 2.6.3 (alert_full)",
        parse=parse_snort_full,
        continues=continues_snort_full,
        close=close_snort_full,
        priority=25,
        first="[",
    ),
    Format(
        name="symantec",
        title="Symantec AntiVirus",
        samples=(
            '380A170A281D,46,1,2,WS-17,anna,Trojan.Gen,C:\\Temp\\a.exe,5,4,19,256',
            '380A170A2A00,7,3,8,WS-17,SYSTEM,,,,,,,16777216,"New definitions loaded",0',
        ),
        reference="techdocs.broadcom.com (Symantec AntiVirus, format of log lines)",
        parse=parse_hex_timed,
        priority=32,
        first="0123456789ABCDEF",
    ),
    Format(
        name="trendmicro",
        title="Trend Micro OfficeScan",
        samples=(
            "20261123<;>1040<;>Eicar_test_1<;>10<;>1<;>0<;>C:\\Temp\\<;>a.com<;>",
            "20261123<;>104029<;>1<;>http://example.com/a<;>4E<;>",
        ),
        reference="docs.trendmicro.com (OfficeScan logs)",
        parse=parse_marked,
        priority=32,
        first="0123456789",
    ),
)
