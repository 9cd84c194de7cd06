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
    "MEST": 120, "METDST": 120, "MESZ": 120, "MEZ": 60, "EET": 120, "EEST": 180, "MSK": 180, "MSD": 240, "TRT": 180, "SAST": 120, "EAT": 180,
    "CAT": 120, "WAT": 60, "WAST": 120, "IST": 330, "PKT": 300, "NPT": 345, "ICT": 420, "WIB": 420, "WITA": 480, "WIT": 540,
    "HKT": 480, "SGT": 480, "MYT": 480, "PHT": 480, "AWST": 480, "JST": 540, "KST": 540, "ACST": 570, "ACDT": 630, "AEST": 600,
    "AEDT": 660, "LHST": 630, "NZST": 720, "NZDT": 780, "CHAST": 765, "CHADT": 825, "CHST": 600, "FJT": 720, "PGT": 600,
    "NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300,
    "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "HDT": -540, "BRT": -180,
    "BRST": -120, "ART": -180, "CLT": -240, "CLST": -180, "PET": -300, "COT": -300, "VET": -240, "GFT": -180, "UYT": -180,
    "PYT": -240, "GYT": -240, "SRT": -180, "ECT": -300, "GALT": -360, "PMST": -180, "PMDT": -120, "AZOT": -60, "AZOST": 0,
    "CVT": -60, "IDT": 180, "IRST": 210, "IRDT": 270, "GST": 240, "AZT": 240, "SAMT": 240, "AFT": 270, "YEKT": 300, "UZT": 300,
    "TJT": 300, "TMT": 300, "MVT": 300, "ALMT": 360, "OMST": 360, "KGT": 360, "MMT": 390, "KRAT": 420, "NOVT": 420, "HOVT": 420,
    "CIST": -480, "GAMT": -540, "CKT": -600, "WGT": -180, "WGST": -120, "BNT": 480, "PWT": 540, "CHUT": 600, "PONT": 660,
    "KOST": 660, "VUT": 660, "NCT": 660, "SBT": 660, "WAKT": 720, "GILT": 720, "TVT": 720, "MHT": 720, "NRT": 720, "PHOT": 780,
    "ACWST": 525, "AMST": -180, "ANAT": 720, "BTT": 360, "CHOT": 480, "CHOST": 540, "CXT": 420, "DAVT": 420, "DDUT": 600, "EASST": -300,
    "EGST": 0, "EGT": -60, "FKST": -180, "FKT": -240, "FNT": -120, "HOVST": 480, "MAWT": 300, "ORAT": 300, "PHST": 480, "PYST": -180,
    "ROTT": -180, "SLST": 330, "SRET": 660, "SYOT": 180, "TFT": 300, "TKT": 780, "TLT": 540, "ULAST": 540, "UYST": -120, "VOST": 360,
    "WST": 480, "ZULU": 0,
    "IRKT": 480, "ULAT": 480, "YAKT": 540, "VLAT": 600, "SAKT": 660, "MAGT": 660, "PETT": 720, "TAHT": -600,
}  # fmt: skip
#: Words that programs in very different zones write, and who writes them: which one is meant is told by the zone of the source alone.
SHARED = {
    "IST": "India, Israel and Ireland",
    "CST": "North America, China and Cuba",
    "BST": "Britain and Bangladesh",
    "AST": "Atlantic Canada and Arabia",
    "GST": "the Gulf and South Georgia",
    "WST": "Western Australia and Samoa",
}
#: Words that are such abbreviations in capitals only: in small letters they begin sentences.
_CAPITALS_ONLY = frozenset("ART AST CAT CLT COT EAT ECT EST GALT IST MET PET ROTT VET VOST WAST WAT WEST WET WIT".split())
_SPELT = [w for w in WORDS if len(w) > 1]
_SPELT += [w.lower() for w in _SPELT if w not in _CAPITALS_ONLY]

_SIGN = "[+\\-\u2212]"  # ISO 8601 allows the true minus sign

#: A zone right after a time of day: Z, an offset (after a blank also hours alone), a known word, or a word with an offset. RE2-compatible.
PATTERN = (
    rf"(?:[Zz]\b| ?(?:UTC|GMT){_SIGN}\d{{1,2}}(?::?\d\d)?\b|[ \t]?{_SIGN}[01]\d:[0-5]\d|{_SIGN}\d\d(?::?\d\d)?\b|[ \t]{_SIGN}[01]\d(?:\d\d)?\b|[ \t]?(?:"
    + "|".join(sorted(_SPELT, key=len, reverse=True))
    + r")\b)"
)

_OFFSET = re.compile(r"(?i:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?$")
_MINUTES = re.compile(r"[+-]\d{3}$")  # DB2 writes an offset in minutes
_EPOCH = datetime(1970, 1, 1)


def offset_of(word: str) -> int | None:
    """Seconds east of UTC that an offset (`+0530`, `-05`, `UTC+2`) or a zone word says; None when it says none."""
    word = word.strip().replace("\u2212", "-")
    minutes = WORDS.get(word.upper()) if word.isalpha() else None
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
