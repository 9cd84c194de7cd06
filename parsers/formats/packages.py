"""Package managers and shells: apt history, shell histories with times, CEF and LEEF, and the Sandia supercomputer layouts.

An apt stanza, from `Start-Date` to `End-Date`, is one event. A shell's `#epoch` row belongs to the command after it.
References: apt source apt-pkg/history, gnu.org/software/bash/manual (HISTTIMEFORMAT), zsh EXTENDED_HISTORY,
Micro Focus "ArcSight Common Event Format", IBM "QRadar Log Event Extended Format", usenix.org/cfdr (BGL, Thunderbird, HPC).
"""

from __future__ import annotations

import re

from ..base import Event, Format
from ..columns import integer, severity_of
from ..lazy import lazily
from ..timestamps import TimeContext, epoch_text, match_time, read_time

_APT = lazily(r"(?P<key>Start-Date|Log started): (?P<time>\d{4}-\d\d-\d\d +\d\d:\d\d:\d\d)\s*$")
_BASH = lazily(r"#\+?(1\d{9})()$")
_ZSH = re.compile(r"(?s): (1\d{9})():(?P<seconds>\d+);(?P<message>.*)$")
_CEF = lazily(
    r"(?s)CEF:\d+\|(?P<vendor>(?:[^|\\]|\\.)*)\|(?P<product>(?:[^|\\]|\\.)*)\|(?P<version>(?:[^|\\]|\\.)*)\|(?P<id>(?:[^|\\]|\\.)*)\|(?P<name>(?:[^|\\]|\\.)*)\|"
    r"(?P<severity>[^|]*)\|(?P<extension>.*)$"
)
_CEF_TIME = lazily(r"(?:^|\s)(?:rt|deviceReceiptTime|end|start)=(.{8,40}?)(?=\s\w+=|$)")
_CEF_PARTED = lazily(r"(?:^|\s)date=(\d{4}-\d\d-\d\d) time=(\d\d:\d\d:\d\d)(?: tz=\"?([+-]\d{4}))?")  # Fortinet's
_CEF_SEVERITY = ("info", "info", "info", "info", "warning", "warning", "warning", "error", "error", "critical", "critical")
_CEF_WORDS = {"low": "info", "medium": "warning", "high": "error", "very-high": "critical"}
_LEEF = lazily(r"LEEF:[\d.]{1,5}\|(?P<vendor>[^|]{0,200})\|(?P<product>[^|]{1,200})\|[^|]{0,200}\|(?P<id>[^|]{0,200})\|")
_LEEF_TIME = lazily(r"(?:^|[\t^|\s])devTime=(.{8,40}?)(?=[\t^|]|\s\w+=|$)")
_LEEF_SEVERITY = lazily(r"(?:^|[\t^|\s])sev=(\d{1,2})\b")
_CLUSTER = lazily(
    r"(?s)(?P<label>-|[A-Z][\w-]*) (?P<time>\d{9,10}) (?P<date>\d{4}\.\d\d\.\d\d) (?P<host>\S+) (?P<message>.*)$"
)
_CLUSTER_LEVEL = lazily(r"(?s)\S+ \S+ (?P<type>[A-Z]+) (?P<service>[A-Z_]+) (?P<level>INFO|WARNING|ERROR|SEVERE|FATAL|FAILURE) (?P<message>.*)$")
_CLUSTER_SYSLOG = lazily(r"(?s)[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d \S+ (?P<service>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: ?(?P<message>.*)$")
_HPC = re.compile(r"(?s)(?P<id>\d+) (?P<host>\S+) (?P<service>\S+) (?P<state>\S+) (?P<time>\d{9,10}) \d+ (?P<message>.*)$")


def parse_apt(text: str, context: TimeContext) -> Event | None:
    """The first row of a stanza of apt's history or terminal log; None for any other row."""
    match = _APT.match(text)
    if match is None:
        return None
    reading = match_time(match["time"], 0, context)
    return None if reading is None else Event(reading[1], text, "apt", service="apt")


def parse_history(text: str, context: TimeContext) -> Event | None:
    """A row with a time of a bash or zsh history; None for any other row."""
    match = _BASH.match(text) or _ZSH.match(text)
    if match is None:
        return None
    context.begin()
    return Event(epoch_text(match), match["message"] if match.re is _ZSH else text, "shell_history")


def parse_cef(text: str, context: TimeContext) -> Event | None:
    """A CEF record without a syslog header, timed by its receipt time; None for any other row."""
    match = _CEF.match(text)
    if match is None:
        return None
    context.begin()
    stamp = _CEF_TIME.search(match["extension"])
    parted = _CEF_PARTED.search(match["extension"]) if stamp is None else None
    said = stamp[1] if stamp is not None else f"{parted[1]} {parted[2]}{parted[3] or ''}" if parted is not None else ""
    reading = read_time(said, context) if said else None
    event = Event(reading[1] if reading is not None else None, match["name"], "cef", service=match["product"])
    event.severity = _cef_severity(match["severity"])
    event.fields = {"vendor": match["vendor"], "event_class": match["id"], "extension": match["extension"]}
    return event


def parse_leef(text: str, context: TimeContext) -> Event | None:
    """A LEEF record without a syslog header, timed by the device's time; None for any other row."""
    match = _LEEF.match(text)
    if match is None:
        return None
    context.begin()
    stamp = _LEEF_TIME.search(text, match.end() - 1)
    reading = read_time(stamp[1], context) if stamp is not None else None
    event = Event(reading[1] if reading is not None else None, match["id"], "leef", service=match["product"])
    severity = _LEEF_SEVERITY.search(text, match.end() - 1)
    event.severity = _cef_severity(severity[1]) if severity is not None else None
    event.fields = {"vendor": match["vendor"], "extension": text[match.end() :]}
    return event


def take_cef(event: Event) -> None:
    """Product and severity of a CEF or LEEF record that a syslog row carries as its message."""
    match = _CEF.match(event.message)
    if match is not None:
        event.service = match["product"]
        event.severity = _cef_severity(match["severity"]) or event.severity
        return
    leef = _LEEF.match(event.message)
    if leef is not None:
        event.service = leef["product"]


def _cef_severity(text: str) -> str | None:
    """The severity of a CEF header: 0 to 10, or a word (Low, Medium, High, Very-High)."""
    number = integer(text)
    if number is not None and 0 <= number <= 10:
        return _CEF_SEVERITY[number]
    return _CEF_WORDS.get(text.lower()) or severity_of(text)


def parse_cluster(text: str, context: TimeContext) -> Event | None:
    """A row of the supercomputer logs, timed by its epoch; None for any other row."""
    match = _CLUSTER.match(text) or _HPC.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], match["message"], "cluster", host=match["host"])
    if match.re is _HPC:
        event.service = match["service"]
        event.fields["state"] = match["state"]
        return event
    if match["label"] != "-":
        event.fields["label"] = match["label"]
    inner = _CLUSTER_LEVEL.match(event.message)
    if inner is not None:
        event.service, event.message = inner["service"], inner["message"]
        event.severity = severity_of(inner["level"])
        return event
    syslog = _CLUSTER_SYSLOG.match(event.message)
    if syslog is not None:
        event.service, event.message, event.pid = syslog["service"], syslog["message"], integer(syslog["pid"])
    return event


FORMATS = (
    Format(
        name="apt",
        title="apt history",
        samples=("Start-Date: 2026-11-23  10:40:29", "Log started: 2026-11-23  10:40:29"),
        reference="man 5 apt.conf, Dir::Log",
        parse=parse_apt,
        priority=20,
        first="SL",
    ),
    Format(
        name="shell_history",
        title="bash and zsh histories with times",
        samples=("#1763893229", ": 1763893229:0;systemctl restart nginx"),
        reference="gnu.org/software/bash/manual, HISTTIMEFORMAT",
        parse=parse_history,
        priority=20,
        first="#:",
    ),
    Format(
        name="cef",
        title="ArcSight Common Event Format",
        samples=(
            "CEF:0|Security|threatmanager|1.0|100|worm stopped|10|src=10.0.0.1 rt=1763893229123 dst=2.1.2.2",
            "CEF:0|V|P|1|2|name|Low|rt=Nov 23 2026 10:40:29 UTC msg=x",
        ),
        reference="Implementing ArcSight Common Event Format, version 26",
        parse=parse_cef,
        priority=20,
        first="C",
    ),
    Format(
        name="leef",
        title="IBM QRadar Log Event Extended Format",
        samples=(
            "LEEF:1.0|Vendor|Product|2.1|denied|devTime=2026-11-23 10:40:29.123\tdevTimeFormat=yyyy-MM-dd HH:mm:ss.SSS\tsrc=192.0.2.7\tsev=5",
            "LEEF:2.0|Vendor|Product|2.1|denied|^|devTime=Nov 23 2026 10:40:29^src=192.0.2.7^sev=9",
        ),
        reference="ibm.com/docs/en/dsm (LEEF event components; predefined LEEF event attributes)",
        parse=parse_leef,
        priority=20,
        first="L",
    ),
    Format(
        name="cluster",
        title="Supercomputer logs (BGL, Thunderbird, HPC)",
        samples=(
            "- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872 R02-M1-N0-C:J12-U11 RAS KERNEL INFO instruction cache parity error",
            "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: session closed for user root",
            "134681 node-246 unix.hw state_change.unavailable 1077804742 1 Component State Change",
        ),
        reference="usenix.org/cfdr-data",
        parse=parse_cluster,
        priority=23,
    ),
    Format(
        name="popcon",
        title="Where Debian's popularity contest begins and ends a report",
        samples=(
            "POPULARITY-CONTEST-0 TIME:1763893229 ID:0123456789abcdef0123456789abcdef ARCH:amd64 POPCONVER:1.76",
            "END-POPULARITY-CONTEST-0 TIME:1763893229",
        ),
        reference="popcon.debian.org/README (format of the reports); their rows are seconds since 1970 and names",
        pattern=lazily(r"(?s)(?P<message>(?:END-)?POPULARITY-CONTEST-\d+) TIME:(?P<time>1\d{9})(?P<rest>\s.*)?$"),
        priority=20,
        first="PE",
    ),
)
