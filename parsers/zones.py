"""Zone words and offsets as they stand in log lines, as seconds east of UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

#: Offset in minutes of the abbreviations that logs carry. Where one word has several meanings (CST, IST, BST) the
#: zone of the source decides if it uses that word itself; else the meaning here is taken: RFC 2822 section 4.3 for
#: the North American words, common use (tz database) for the rest.
WORDS: dict[str, int] = {
    "UTC": 0, "GMT": 0, "Z": 0, "UCT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "MET": 60,
    "MEST": 120, "EET": 120, "EEST": 180, "MSK": 180, "TRT": 180, "SAST": 120, "EAT": 180, "CAT": 120, "WAT": 60,
    "IST": 330, "PKT": 300, "NPT": 345, "ICT": 420, "WIB": 420, "HKT": 480, "SGT": 480, "PHT": 480, "AWST": 480,
    "JST": 540, "KST": 540, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    "NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300,
    "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "BRT": -180,
    "ART": -180, "CLT": -240, "CLST": -180, "IDT": 180,
}  # fmt: skip

#: A zone right after a time of day: Z, an offset, a known word, or a word with an offset. RE2-compatible.
PATTERN = (
    r"(?:[Zz]\b| ?(?:UTC|GMT)[+-]\d{1,2}(?::?\d\d)?\b|[+-]\d\d(?::?\d\d)?\b| [+-]\d\d:?\d\d\b| ?\b(?:"
    + "|".join(sorted((w for w in WORDS if len(w) > 1), key=len, reverse=True))
    + r")\b)"
)

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?$")
_MINUTES = re.compile(r"[+-]\d{3}$")  # DB2 writes an offset in minutes
_EPOCH = datetime(1970, 1, 1)


def offset_of(word: str) -> int | None:
    """Seconds east of UTC that an offset (`+0530`, `-05`, `UTC+2`) or a zone word says; None when it says none."""
    word = word.strip()
    minutes = WORDS.get(word) if word != "z" else 0
    if minutes is not None:
        return minutes * 60
    if _MINUTES.match(word):
        return int(word) * 60
    match = _OFFSET.match(word)
    if match is None:
        return None
    sign, hours, rest = match.groups()
    seconds = int(hours) * 3600 + int(rest or 0) * 60
    return -seconds if sign == "-" else seconds


@lru_cache(maxsize=256)
def named_zone(name: str) -> tzinfo | None:
    """The zone of the tz database with this name (`Europe/Berlin`), None when there is none."""
    if name in ("UTC", "Etc/UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return None  # log text is no path: whatever the database refuses is no zone


def local_offsets(zone: tzinfo, local: int) -> tuple[int, int, str]:
    """Offsets in seconds (first and second pass through a doubled hour) of a local time, and the zone's word for it.

    `local` is seconds since 1970-01-01 00:00 on the local clock. The two differ where the hour happens twice (the
    first is larger) or never (the first is smaller).
    """
    naive = _EPOCH + timedelta(seconds=local)
    first = naive.replace(tzinfo=zone, fold=0)
    second = naive.replace(tzinfo=zone, fold=1)
    offsets = [
        int((moment.utcoffset() or timedelta()).total_seconds()) for moment in (first, second)
    ]
    return offsets[0], offsets[1], first.tzname() or ""
