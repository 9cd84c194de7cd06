"""Phones and desktops: Android logcat (threadtime, time, brief), Proxifier, Windows CBS is read as text, SCCM.

Columns: time, severity, service (the tag), pid, message. Fields: tid. logcat's usual layouts have no year.
References: developer.android.com/tools/logcat, learn.microsoft.com (CMTrace log format), proxifier.com/docs.
"""

from __future__ import annotations

import re

from ..base import Event, Format
from ..columns import integer, severity_of
from ..lazy import lazily
from ..timestamps import TimeContext, read_time
from .golang import yearless_clock

_LOGCAT = lazily(
    r"(?s)(?:(?P<year>\d{4})-)?(?P<month>[01]\d)-(?P<day>[0-3]\d) (?P<clock>\d\d:\d\d:\d\d\.\d{3,6})(?P<zone> [+-]\d{4})?\s+(?:"
    r"(?P<pid>\d+)\s+(?P<tid>\d+) (?P<level>[VDIWEFAS]) (?P<service>[^:\n]{0,120}): ?|(?P<level2>[VDIWEFAS])/(?P<service2>[^(\n]{0,120})\(\s*(?P<pid2>\d+)\): ?)"
    r"(?P<message>.*)$"
)
_PROXIFIER = lazily(r"(?s)\[(?P<month>[01]\d)\.(?P<day>[0-3]\d) (?P<clock>\d\d:\d\d:\d\d)\] (?P<message>.*)$")
_SNORT = lazily(r"(?s)(?P<month>[01]\d)/(?P<day>[0-3]\d)-(?P<clock>\d\d:\d\d:\d\d\.\d{3,6}) +(?P<message>.*)$")
_CHROMIUM = lazily(
    r"(?s)\[(?:(?P<pid>\d{1,9}):(?:(?P<tid>\d{1,9}):)?)?(?P<month>[01]\d)/?(?P<day>[0-3]\d)/(?P<clock>\d{6}(?:\.\d{3,6})?|\d\d:\d\d:\d\d(?:\.\d{3,6})?):"
    r"(?P<level>[A-Z]{3,8}\d{0,2}):(?P<caller>[^\]\n]{0,300})\] ?(?P<message>.*)$"
)
_SCCM = lazily(
    r'(?s)<!\[LOG\[(?P<message>.*?)\]LOG\]!><time="(?P<clock>\d\d?:\d\d:\d\d\.\d{3})\d*(?P<bias>[+-]\d+)?" date="(?P<month>\d\d?)-(?P<day>\d\d?)-(?P<year>\d{4})"'
    r' component="(?P<service>[^"]*)"(?:[^>]*? type="(?P<type>\d)")?(?:[^>]*? thread="(?P<thread>\d+)")?'
)
_SCCM_TYPES = {"1": "info", "2": "warning", "3": "error"}


#: SkyDrive's rows: an American date, the file and line of its source, a function, a level.
_SKYDRIVE = lazily(
    r"(?s)(?P<month>[01]\d)-(?P<day>[0-3]\d)-(?P<year>20\d\d) (?P<clock>\d\d:\d\d:\d\d\.\d{3}) "
    r"(?P<message>\w{1,60}\.(?:cpp|h):\d{1,6}!(?P<service>[^\s(]{1,120}) \((?P<level>[A-Z]{3,9})\):.*)$"
)


def parse_logcat(text: str, context: TimeContext) -> Event | None:
    """A row of logcat; None for any other row."""
    match = _LOGCAT.match(text)
    if match is None:
        return None
    month, day = int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if match["year"] or match["zone"]:
        reading = read_time(f"{match['year'] or 1970}-{month:02}-{day:02} {match['clock']}{match['zone'] or ''}", context)
        if reading is None:
            return None
        time = reading[1]
    else:
        time = yearless_clock(month, day, match["clock"], context)
    event = Event(time, match["message"], "logcat", severity=severity_of((match["level"] or match["level2"]).replace("A", "F")))
    event.service = (match["service"] or match["service2"] or "").strip() or None
    event.pid = integer(match["pid"] or match["pid2"])
    if match["tid"]:
        event.fields["tid"] = match["tid"]
    return event


def parse_proxifier(text: str, context: TimeContext) -> Event | None:
    """A row of Proxifier's log; None for any other row."""
    return _yearless(_PROXIFIER.match(text), "proxifier", context)


def parse_skydrive(text: str, context: TimeContext) -> Event | None:
    """A row of SkyDrive's log, whose dates have the month first wherever it runs; None for any other row."""
    match = _SKYDRIVE.match(text)
    reading = read_time("{year}-{month}-{day} {clock}".format(**match.groupdict()), context) if match is not None else None
    if match is None or reading is None:
        return None
    return Event(reading[1], match["message"], "skydrive_rows", severity=severity_of(match["level"]), service=match["service"])


def parse_snort(text: str, context: TimeContext) -> Event | None:
    """A row of Snort's fast alert log without a year; None for any other row."""
    return _yearless(_SNORT.match(text), "snort", context)


def _yearless(match: re.Match[str] | None, name: str, context: TimeContext) -> Event | None:
    if match is None or not (1 <= int(match["month"]) <= 12 and 1 <= int(match["day"]) <= 31):
        return None
    time = yearless_clock(int(match["month"]), int(match["day"]), match["clock"], context)
    return Event(time, match["message"], name)


def parse_chromium(text: str, context: TimeContext) -> Event | None:
    """A row of Chromium and what is built on it (base/logging.cc); None for any other row."""
    match = _CHROMIUM.match(text)
    if match is None or not (1 <= int(match["month"]) <= 12 and 1 <= int(match["day"]) <= 31):
        return None
    clock = match["clock"] if ":" in match["clock"] else f"{match['clock'][:2]}:{match['clock'][2:4]}:{match['clock'][4:]}"
    if int(clock[:2]) > 23 or int(clock[3:5]) > 59 or int(clock[6:8]) > 60:
        return None
    time = yearless_clock(int(match["month"]), int(match["day"]), clock, context)
    event = Event(time, match["message"], "chromium", severity=severity_of(match["level"].rstrip("0123456789")), pid=integer(match["pid"]))
    event.fields["caller"] = match["caller"]
    return event


def parse_sccm(text: str, context: TimeContext) -> Event | None:
    """A record of Configuration Manager whose first row this is; None for any other row. Its time stands at its end."""
    if not text.startswith("<![LOG["):
        return None
    context.begin()
    event = Event(None, text, "sccm")
    close_sccm(event, context)
    return event


def close_sccm(event: Event, context: TimeContext) -> None:
    """Reads time, component and type from the end of a record."""
    match = _SCCM.match(event.message)
    if match is None:
        return
    stamp = f"{match['year']}-{int(match['month']):02}-{int(match['day']):02} {match['clock']}"
    bias = integer((match["bias"] or "").lstrip("+"))
    reading = read_time(stamp + ("Z" if bias is not None else ""), context)
    if reading is None or reading[1] is None:
        return
    event.time = reading[1] + (bias or 0) * 60_000_000  # the bias is minutes to add to the local time to get UTC
    event.message = match["message"]
    event.service = match["service"] or None
    event.severity = _SCCM_TYPES.get(match["type"] or "")
    if match["thread"]:
        event.fields["thread"] = match["thread"]


FORMATS = (
    Format(
        name="logcat",
        title="Android logcat",
        samples=(
            "03-17 16:13:38.811  1702  2395 D WindowManager: printFreezingDisplayLogsopening app wtoken",
            "2026-11-23 10:40:29.123 +0100  1702  2395 E AndroidRuntime: FATAL EXCEPTION: main",
            "11-23 10:40:29.123 W/ActivityManager( 1702): Slow operation",
        ),
        reference="developer.android.com/tools/logcat#outputFormat",
        parse=parse_logcat,
        priority=25,
        first="012",
    ),
    Format(
        name="proxifier",
        title="Proxifier",
        samples=("[10.30 16:49:06] chrome.exe - proxy.example.com:5070 open through proxy", "[07.27 10:05:12] Log file created"),
        reference="proxifier.com/docs",
        parse=parse_proxifier,
        priority=25,
        first="[",
    ),
    Format(
        name="snort",
        title="Snort fast alerts without a year",
        samples=("08/28-12:55:38.765402  [**] [1:2000:1] PING [**] {ICMP} 192.0.2.1 -> 192.0.2.2", "11/23-10:40:29.123456 [**] [1:1:1] x"),
        reference="docs.snort.org, alert_fast",
        parse=parse_snort,
        priority=25,
        first="01",
    ),
    Format(
        name="chromium",
        title="Chromium, Electron and relatives",
        samples=(
            "[1234:5678:1123/104029.123456:ERROR:gpu_init.cc(440)] Passthrough is not supported",
            "[1123/104029.123:VERBOSE1:setup_util.cc(445)] Initial command line:",
        ),
        reference="chromium.googlesource.com/chromium/src, base/logging.cc",
        parse=parse_chromium,
        priority=24,
        first="[",
    ),
    Format(
        name="sccm",
        title="Microsoft Configuration Manager (CMTrace)",
        samples=(
            '<![LOG[Service started]LOG]!><time="10:40:29.123+000" date="11-23-2026" component="CcmExec" context="" type="1" thread="123" file="x.cpp:1">',
            '<![LOG[Failed]LOG]!><time="10:40:29.123-060" date="11-23-2026" component="CAS" context="" type="3" thread="12" file="">',
        ),
        reference="learn.microsoft.com/mem/configmgr/core/support/cmtrace",
        parse=parse_sccm,
        close=close_sccm,
        priority=16,
        first="<",
    ),
    Format(
        name="skydrive_rows",
        title="Microsoft SkyDrive",
        samples=(
            "11-23-2026 10:40:29.123 global.cpp:626!logVersionInfo (DETAIL): 17.0.2011.0627 (Ship)",
            "11-23-2026 10:40:29.123 user.cpp:145!User::GetServiceTicket (ERROR): no ticket",
        ),
        reference="forensics.wiki (SkyDrive and OneDrive logs)",
        parse=parse_skydrive,
        priority=25,
        first="01",
    ),
    Format(
        name="skydrive",
        title="Where Microsoft SkyDrive and OneDrive begin to log",
        samples=(
            "######Logging started. Version=17.0.2011.0627 StartSystemTime:2026-11-23-104029.291 StartLocalTime:2026-11-23-114029.291 PID=0x8f4",
            "######Logging started. Version=16.4 StartSystemTime:2026-11-23-104029.291 PID=0x14",
        ),
        reference="forensics.wiki (SkyDrive and OneDrive logs)",
        pattern=lazily(r"(?s)#{6}(?P<message>Logging started\..{1,200}? StartSystemTime:(?P<time>\d{4}-\d\d-\d\d-\d{6}\.\d{3}) .*)$"),
        priority=91,  # what the rows below it look like is for them to show
        first="#",
    ),
)
