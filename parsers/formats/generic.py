"""Any row that begins with a readable time, with what commonly follows it: thread, level, logger.

The last resort: no other format knew the row. The time may stand in brackets or quotes, or after a level word. Columns: time,
severity, pid where one is bracketed, message. Fields: prefix, what stood between time and level.
Reference: RFC 3339; date and time notations as in `retrolog.parsers.timestamps`.
"""

from __future__ import annotations

import re

from ..base import Event, Format
from ..columns import LEVELS, fill, integer, severity_of
from ..lazy import lazily
from ..timestamps import TimeContext, epoch_text, epoch_time, match_time, read_time

_FACILITY = r"(?:kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7])"
_STAMPED = r"\s?(?:\d{1,4}[-/.]\d|[A-Z][a-z]{2},? {1,2}\d|\d\d:\d)"  # the time itself, not a thread's name
#: What may stand before the time: a file's name, a tag in brackets or a Go logger's prefix; a level, alone or with a thread.
_BEFORE = lazily(
    r"(?:[\w./@-]{1,100}\.(?:log|out|err|txt)[\w.:@-]*[: ]\s*|update-alternatives |\[(?P<tag>[A-Za-z_][\w./:-]{0,40}|[0-9a-f]{1,40}|[0-9A-Fa-f]{1,9}:[\w:.-]{1,40})\]\s*(?=\[?\d{1,4}[-/.][\dA-Z])|"
    r"L (?=\d\d/)|_{2,8} (?=[A-Z])|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} |<\d{1,3}>\s?(?:\d{1,2} )?|\[#\||#{4}(?=<)|[a-z][\w.-]{0,30}: (?=\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )|\*{3,} (?:[A-Z ]+ AT )?)?"
    rf"(?:[\[(<|]?(?P<level>{LEVELS}|[DIWEFTCVN])[\])>|]?[:,|]?(?: *\[(?!{_STAMPED})[^\]]{{0,100}}\])?(?:[\s,:|-]\s*|(?<=[>\]])(?=\d)))?(?:{_FACILITY}\.(?P<rank>{LEVELS}|Notice)\s+)?[\[({{<\"'|*#]?\s?(?=[^\W_]|@)"
)
_BARE_LEVEL = lazily(r"(?P<level>[DIWEFTCVN]) \[(?=\d)")
_ZONE_FIRST = lazily(r"\[(?P<zone>[A-Z]{3,4}) (?P<time>[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d)\](?P<rest>.*)$", re.DOTALL)
_OPENING = lazily(r"[\[(<\"'|*#]?\s?")
_AFTER = lazily(r"[\])>\"']?(?:\s+[-–|:>]{1,2}(?=\s)|[:,;|]|\s*\|)?\s*")
_LEVEL_FIRST = lazily(rf"[\[(<|*]*\s*(?P<level>{LEVELS}|[DIWEFTCVN](?=[\]|: ]))\s*[\])>|*]*(?:\s+-(?=\s)|[:,|;])?(?:\s+|$|(?=\[)|(?<=[:|;)]))")
_BARRED = lazily(
    rf"\|?\s*(?:(?P<level>{LEVELS})\s*\|(?P<logger>\s*[A-Za-z_][\w.:$<>-]{{0,120}}\s*)(?:\||\s-\s)|(?P<logger2>[A-Za-z_][\w.:$<>-]{{0,120}}\s*)\|\s*(?P<level2>{LEVELS})\s*\|)"
)
_UPPER = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|CRIT|FATAL|ALERT|EMERG|PANIC|VERBOSE|FINE|CONFIG)"
_LEVEL_LATER = lazily(
    rf"(?P<prefix>(?:(?:\[[^\]]{{0,120}}\]|\([^)]{{0,120}}\)|<[^>]{{0,120}}>)[|:,;-]?\s*|[\w.$/@:#*,;-]{{1,100}}(?:\s+|\||(?=[\[(<]))|-?\|\s*){{1,4}}?)"
    rf"[\[(<|]?\s?(?P<level>{_UPPER}|(?<=[\[(<])(?:{LEVELS}))\s{{0,2}}[\])>|]?(?:\s+-(?=\s)|[:,|;])?(?:\s+|$)"
)
#: What follows a time that is a value among others, as in a query's result; and what any sentence has.
_SEPARATED = lazily(r"[\"']?\)?\s*[,;|]|[\"']?\t|'|\"\)")
_WORD = lazily(r"[^\W\d_]{2}")
#: What stands before the time of a row that does not lead with it: values with commas, tabs, bars, semicolons or colons after them, a
#: label, or a few words. The stamp must be a whole one, with its year.
_VALUES = lazily(
    r"(?!-- (?:Logs|Journal|Boot) )(?:\[[^\]\s]{1,40}\]\s{0,3}(?=\[)|(?:[^\s,;|]{0,64}[,;|\t] ?|\"[^\"]{0,64}\"[,;|\t]){1,12}?|(?:(?:\"[^\"]{0,300}\"|[^\",]{0,200}),(?! )){3,20}?|(?:[^\s:]{1,64}::){1,4}?|[A-Za-z][\w -]{1,24}:[ \t]{0,12}|(?:\S{1,80}[ \t]{1,4}){1,8}?|"
    r"(?:[^|\t]{0,260}\|\s{0,2}){1,8}?)[\"'\[({<=]{0,2}"
    r"(?=\d{4}[-/.]\d\d[-/.]\d\d[T _+\t]{1,2}\d\d[:-]\d\d|\d{4}\\\d\d?\\\d\d? |\d\d?[/.-]\d\d?[/.-](?:\d{4}|\d\d)[ ,-]{1,3}\d\d?:\d\d|"
    r"\d\d?[/-][A-Za-z]{3,9}\.?[/-]\d{4}[: ]\d\d:|(?i:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}[.,]? {1,2}[a-z0-9]{1,9}\.? {1,2}[a-z0-9]{1,9},? )|"
    r"[A-Z][a-z]{2} [ \d]\d,? (?:\d{4},? )?\d\d:\d\d:\d\d|(?P<epoch>1\d{9}\.\d{3,9}\])|(?P<millis>1\d{12})(?=\s?\|)|"
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d\s*$)"
)
#: A heading between two runs of the same mark, which dumps of a system's state have; OSWatcher's has them before its date only.
_BANNER = lazily(r"(?:(?P<mark>[=*#~+-])(?P=mark){2,80}(?!(?P=mark))\s?(?P<said>.{8,200}?)\s?(?P=mark){3,80}|zzz \*{3}(?P<date>.{10,60}?))\s*$")
_WHOLE_DATE = lazily(
    r"(?<![\w.:/-])(?=\d{4}[-/.]\d\d[-/.]\d\d[T _]\d\d:\d\d|(?i:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? {1,2}[a-z0-9]{1,9} {1,2}[a-z0-9]{1,9},? )|"
    r"[A-Z][a-z]{2} [ \d]\d,? (?:\d{4},? )?\d\d:\d\d:\d\d|\d\d?[/.]\d\d?[/.]\d{4}[ ,]{1,2}\d\d?:\d\d)"
)
_BUILT = lazily(r"#\d{1,6}\S{0,20}(?: [A-Z][A-Z_]{2,12}){1,3} $")  # uname(1), -v: when a kernel was built
_ENDED = lazily(r"$|[ \t,;|:\]\[(\"')}>=]|\.(?:\s|$)")  # behind a stamp among values; a sentence may end with it
_EARLY = 64  # rows within which a file shows whether its times stand there
_LEVEL_WORD = lazily(rf"(?<![\w-])({_UPPER}|{_UPPER.lower()})(?![\w-])")
_HEAD = 400  # characters in which a level is looked for
_PID = lazily(r"(?:^|\s)\[(?:pid[ :=])?#?(\d{1,8})\]|\bpid[=:# ](\d{1,8})\b|^(\d{2,8})(?:\s|$)")
_EPOCH = lazily(r"(?:T )?[\[(]?(1\d{9}|1\d{12}|1\d{15}|1\d{18})(?:\.(\d{1,9}))?[\])]?(?=[\s:,|]|$)")
#: A whole date behind an epoch, with at most a name between; and how far the same moment in another zone may lie off, in microseconds.
_BESIDE = lazily(r"[\s,;|]{1,40}(?:[\w.@\\-]{1,64}[\t;|])?(?=(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-./]\d\d[-./]\d{4})[ T]\d\d:\d\d:\d\d)")
_ZONES_APART = 86_400 * 1_000_000
#: zap's default: seconds since 1970 as a float in scientific notation.
_SCIENTIFIC = lazily(r"1\.\d{6,16}e\+09(?=\s)")


def parse(text: str, context: TimeContext) -> Event | None:
    """The event that begins with a row whose time stands at its start; None for any other row."""
    turned = _ZONE_FIRST.match(text)
    if turned is not None:  # monit writes the zone before the date
        text = f"[{turned['time']} {turned['zone']}]{turned['rest']}"
    before = _BEFORE.match(text)
    if before is None:
        return None
    begin = before.end()
    reading = match_time(text, begin, context)
    if reading is None and before["level"]:
        before = _BARE_LEVEL.match(text) or _OPENING.match(text)
        reading = match_time(text, before.end(), context) if before is not None else None
    if reading is None or before is None:
        return None
    end, time = reading
    if end < len(text) and text[end] not in " \t])}<>[(\"'|:,;-–#" and (begin or (text[end].isdigit() and not (text[end - 3] == ":" and text[end - 6] in "+-")) or context.year_left_open):
        return None  # behind a whole date at the start of the row, text may follow without a blank
    after = _AFTER.match(text, end)
    event = Event(time, text[after.end() if after is not None else end :], "text")
    named = before.groupdict()
    level = named.get("level") or named.get("rank") or named.get("tag")
    if level and level.isdigit():
        event.pid, level = integer(level), None
    elif level and severity_of(level) is None:
        event.service, level = level, None
    if level:
        event.severity = severity_of(level)
    else:
        take_level(event)
    data = event.severity is None and bool(event.message) and bool(_SEPARATED.match(text, end) or not _WORD.search(event.message))
    if data and context.state.get("prose"):
        return None  # a row of a table or a value that an event shows: this file's own rows say something
    return event


def take_level(event: Event) -> None:
    """Moves a level near the start of the message to the severity, and what stood before it to the fields."""
    message = event.message
    if "|" in message[:_HEAD] and _take_barred(event):
        return
    found = _LEVEL_FIRST.match(message)
    if found is not None:
        event.severity = severity_of(found["level"])
        event.message = message[found.end() :]
        return
    later = _LEVEL_LATER.match(message[:_HEAD])
    if later is None:
        return
    prefix = later["prefix"].strip()
    event.severity = severity_of(later["level"])
    pid = _PID.search(prefix)
    if pid is not None:
        event.pid = integer(pid[1] or pid[2] or pid[3])
    if prefix:
        event.fields["prefix"] = prefix
    event.message = message[later.end() :]


def _take_barred(event: Event) -> bool:
    """Level and logger of a message whose parts are set apart by bars, in either order (NLog, loguru); whether it is such."""
    barred = _BARRED.match(event.message)
    if barred is None:
        return False
    event.severity = severity_of(barred["level"] or barred["level2"])
    fill(event, "service", (barred["logger"] or barred["logger2"] or "").strip())
    event.message = event.message[barred.end() :].lstrip()
    return True


def leading_level(text: str) -> str | None:
    """The severity that the first word of a row without a time says, None where it is no level."""
    found = _LEVEL_FIRST.match(text[:_HEAD])
    return severity_of(found["level"]) if found is not None and len(found["level"]) > 2 else None


def parse_epoch(text: str, context: TimeContext) -> Event | None:
    """A row that begins with seconds (or milli-, micro-, nanoseconds) since 1970; None for any other row."""
    scientific = _SCIENTIFIC.match(text)
    match = scientific or _EPOCH.match(text)
    if match is None:
        return None
    time = epoch_text(match) if scientific is None else epoch_time(float(match[0]))
    if time is None:
        return None
    beside = _BESIDE.match(text, match.end())
    if beside is not None:
        reading = match_time(text, beside.end(), context)
        if reading is not None and reading[1] is not None and abs(reading[1] - time) > _ZONES_APART:
            return Event(reading[1], text, "text")  # the number is a name: seconds since 1970 would be of the same day
        context.begin()
    context.counts["epoch"] += 1
    event = Event(time, text[match.end() :].lstrip(" \t:,|"), "epoch")
    take_level(event)
    return event


def parse_embedded(text: str, context: TimeContext) -> Event | None:
    """A row of values of which one is a time, in a file where no row leads with its time; None for any other row."""
    state = context.state
    if state.get("leading") or (context.line > _EARLY and not state.get("embedded")):
        return None  # rows of this file begin otherwise: a date within one does not count
    match = _VALUES.match(text)
    if match is None:
        return None
    reading = match_time(text, match.end(), context)
    if match["epoch"] or match["millis"]:  # ROS; Atlassian's audit logs
        end = match.end("epoch") - 1 if match["epoch"] else match.end("millis")
        reading = read_time(text[match.end() : end], context)
        reading = reading and (end, reading[1])
    if reading is None or context.year_left_open or not _ENDED.match(text, reading[0]) or _BUILT.search(text, match.end() - 60, match.end()):
        return None
    event = Event(reading[1], text, "embedded")
    level = _LEVEL_WORD.search(text[: match.end()]) or _LEVEL_WORD.search(text[reading[0] :][:40])
    if level is not None:
        event.severity = severity_of(level[1])
    return event


def parse_banner(text: str, context: TimeContext) -> Event | None:
    """A heading with a whole date, in a file where no row leads with its time: the rows below are its own; None for any other row."""
    banner = _BANNER.match(text) if not context.state.get("leading") else None
    if banner is None:
        return None
    begin = banner.start("date") if banner["date"] else banner.start("said")
    date = _WHOLE_DATE.search(text, begin)
    reading = match_time(text, date.start(), context) if date is not None else None
    if reading is None or context.year_left_open or context.year_missing:
        return None
    context.state["embedded"] = True  # such a heading is no mere remark: it needs no second one to be believed
    return Event(reading[1], text, "banner")


FORMATS = (
    Format(
        name="banner",
        title="Headings with a date, the rows below being their own",
        samples=(
            "========== Start of system state dump at Mon Nov 23 10:40:29 UTC 2026 ==========",
            "zzz ***Mon Nov 23 10:40:29 UTC 2026",
        ),
        reference="docs.oracle.com, OSWatcher User's Guide (zzz headings); man 1 date",
        parse=parse_banner,
        priority=99,
        first="=*#~+-z",
    ),
    Format(
        name="text",
        title="Any text with a time at the start",
        samples=(
            "2026-11-23 10:40:29 something happened",
            "[2026-11-23 10:40:29.123] <worker-3> WARN  queue is long",
            "23.11.2026 10:40:29 - ERROR - disk",
        ),
        reference="RFC 3339, ISO 8601, RFC 822, ctime(3)",
        parse=parse,
        priority=95,
    ),
    Format(
        name="epoch",
        title="Any text with seconds since 1970 at the start",
        samples=("1763893229.123 cache miss", "[1763893229] cache is full", "1763893229123 INFO start"),
        reference="POSIX.1-2017, 4.16 Seconds Since the Epoch",
        parse=parse_epoch,
        priority=97,
        first="[(1T",
    ),
    Format(
        name="embedded",
        title="Rows of values with the time among them",
        samples=(
            "1,2026/11/23 10:40:29,0011,traffic,end,2049,10.0.0.1",
            "web-1 app 2026-11-23T10:40:29.123456789Z started",
            "printer root 12 [23/Nov/2026:10:40:29 +0000] 1 1 - localhost",
            "[ INFO] [1763893229.123456789]: hello",
            "Thread-13::DEBUG::2026-11-23 10:40:29,123::task::595::Storage::(_updateState) moving",
        ),
        reference="RFC 4180; RFC 3339; cups.org/doc/man-cupsd-logs.html (page_log)",
        parse=parse_embedded,
        priority=99,
    ),
)
