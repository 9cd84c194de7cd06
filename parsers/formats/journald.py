"""systemd's journal as text: short-unix, short-full, short-monotonic, verbose, and the export format (JSON is read as JSON).

Columns: time, host, service, pid, severity (export: PRIORITY), message. Fields: unit and others of an export entry. The rows that
journalctl writes between boots have no time.
References: man journalctl(1), systemd.io/JOURNAL_EXPORT_FORMATS.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import integer, present, severity_of
from ..lazy import lazily
from ..shapes import CLOCK, WEEKDAY
from ..timestamps import TimeContext, epoch_time, read_time
from .containers import adopt

_TAG = r"(?P<host>\S+) (?P<service>[^\s\[\]:]{1,128})(?:\[(?P<pid>\d+)\])?: ?(?P<message>.*)$"
_FIELD = lazily(r"(?:__?)?[A-Z][A-Z0-9_]{0,63}=")
_ENTRY = lazily(r"__CURSOR=|__REALTIME_TIMESTAMP=\d{16}$")
_BETWEEN = lazily(r"-- (?:Reboot|Boot [0-9a-f]{8,32}|No entries|(?:Logs|Journal) begins? at .{1,100}\.) ?--$")
_KEPT = {"_SYSTEMD_UNIT": "unit", "SYSLOG_FACILITY": "facility", "_BOOT_ID": "boot_id", "CODE_FILE": "code_file", "UNIT": "unit"}


def parse_export(text: str, context: TimeContext) -> Event | None:
    """The event that begins with the first field of an export entry; None for any other row."""
    if not _ENTRY.match(text):
        return None
    context.begin()
    event = Event(None, text, "journald_export")
    if text.startswith("__REALTIME"):
        event.time = epoch_time(int(text.partition("=")[2]))
    return event


def continues_export(text: str, context: TimeContext) -> bool:
    """Every field row but the cursor, which begins the next entry."""
    del context
    return bool(_FIELD.match(text)) and not text.startswith("__CURSOR=")


def close_export(event: Event, context: TimeContext) -> None:
    """Reads the fields of an export entry; binary values stay out."""
    values: dict[str, str] = {}
    for row in event.message.split("\n"):
        if _FIELD.match(row):
            key, _, value = row.partition("=")
            values.setdefault(key, value)
    stamp = integer(values.get("__REALTIME_TIMESTAMP"))
    if stamp is not None:
        event.time = epoch_time(stamp)
        context.counts["epoch"] += 1
    event.host = present(values.get("_HOSTNAME"))
    event.service = present(values.get("SYSLOG_IDENTIFIER")) or present(values.get("_COMM"))
    event.pid = integer(values.get("_PID") or values.get("SYSLOG_PID"))
    event.severity = severity_of(values.get("PRIORITY"))
    event.fields = {name: values[key] for key, name in _KEPT.items() if present(values.get(key))}
    if "MESSAGE" in values:
        event.message = values["MESSAGE"]
        adopt(event, event.message, context)


def parse_between(text: str, context: TimeContext) -> Event | None:
    """A row that journalctl itself writes: between boots, or of what span it shows; None for any other row."""
    if not _BETWEEN.match(text):
        return None
    context.begin()
    return Event(None, text, "journald")


def parse_full(text: str, context: TimeContext) -> Event | None:
    """A row of `-o short-full`; None for any other row."""
    match = _FULL.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        reading = read_time(match["time"].rpartition(" ")[0], context)
        if reading is None:
            return None
    event = Event(reading[1], match["message"], "journald_full", host=match["host"], service=match["service"])
    event.pid = integer(match["pid"])
    return event


_FULL = lazily(rf"(?s)(?P<time>{WEEKDAY} \d{{4}}-\d\d-\d\d {CLOCK} (?:[A-Z]{{2,5}}|[+-]\d\d(?:\d\d)?)) {_TAG}")

FORMATS = (
    Format(
        name="journald",
        title="journalctl's own rows",
        samples=("-- Reboot --", "-- Boot 3c9a1b2c3d4e5f60718293a4b5c6d7e8 --", "-- Journal begins at Mon 2026-11-23 10:40:29 UTC, ends at Mon 2026-11-23 11:00:00 UTC. --"),
        reference="man 1 journalctl, --boot and DESCRIPTION",
        parse=parse_between,
        alone=True,
        priority=14,
        first="-",
    ),
    Format(
        name="journald_full",
        title="journalctl -o short-full",
        samples=(
            "Mon 2026-11-23 10:40:29 CET web-1 sshd[123]: Server listening on 0.0.0.0 port 22.",
            "Mon 2026-11-23 10:40:29 UTC web-1 kernel: Linux version 6.1",
        ),
        reference="man 1 journalctl, --output=short-full",
        parse=parse_full,
        priority=26,
        first="MTWFS",
    ),
    Format(
        name="journald_unix",
        title="journalctl -o short-unix",
        samples=("1763893229.123456 web-1 sshd[123]: Server listening", "1763893229.123456 web-1 kernel: Linux version 6.1"),
        reference="man 1 journalctl, --output=short-unix",
        pattern=lazily(rf"(?s)(?P<time>1\d{{9}}\.\d{{6}}) {_TAG}"),
        priority=26,
        first="1",
    ),
    Format(
        name="journald_monotonic",
        title="journalctl -o short-monotonic (no wall clock)",
        samples=("[   12.345678] web-1 systemd[1]: Started foo.", "[84008.008846] web-1 kernel: [UFW BLOCK] IN=eth0"),
        reference="man 1 journalctl, --output=short-monotonic",
        pattern=lazily(rf"(?s)\[ *(?P<uptime>\d+\.\d{{6}})\] {_TAG.replace('[^', '[a-zA-Z][^', 1)}"),
        priority=43,
        first="[",
    ),
    Format(
        name="journald_export",
        title="Journal export format",
        samples=("__CURSOR=s=bcce4fb8;i=88;b=6f7c;m=12;t=4fa;x=f3", "__REALTIME_TIMESTAMP=1342540861416351"),
        reference="systemd.io/JOURNAL_EXPORT_FORMATS",
        parse=parse_export,
        continues=continues_export,
        close=close_export,
        priority=14,
        first="_",
    ),
)
