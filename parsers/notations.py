"""How dates and times are written: the shapes that `retrolog.parsers.timestamps` reads, and the names of months in logs.

A shape is a regular expression with the groups `y mo d h mi s f p z` (year, month, day, hour, minute, second, fraction, half
of the day, zone), `z2` where a zone may follow the year, `yd` for the day of the year, `yw wd` for an ISO week and its day, `sd` for the second of the day, `r` for a region, or `a b c` in place of a date whose order has to be found out. It
is asked only where the text begins as its rows do: `shapes_at` picks by the digits or the word that stand there.
"""

from __future__ import annotations

import re

from .lazy import lazily
from .orders import in_order, usual_order
from .years import MONTHS
from .zones import PATTERN as ZONE

Shapes = tuple[re.Pattern[str], ...]

_WORDS: dict[str, int] = {}
for _number, _names in enumerate(
    (
        # English; French, German, Spanish, Italian, Portuguese, Dutch as their locales abbreviate them
        "january janv janvier januar jän ene enero gen gennaio janeiro januari",
        "february févr fevr février fev fevereiro febrero febbraio februar februari fév",
        "march mars mär märz mrz mrt maart marzo março",
        "april avr avril abr abril aprile",
        "may mai maio mayo mag maggio mei",
        "june juin juni jun junio giu giugno junho",
        "july juil juillet juli julio lug luglio julho",
        "august août aout aoû ago agosto augustus",
        "september sept septembre set settembre setembro septiembre",
        "october octobre okt oktober ott ottobre out outubro octubre",
        "november novembre noviembre novembro",
        "december déc décembre dez dezember dic dicembre diciembre dezembro",
    ),
    1,
):
    for _name in _names.split():
        _WORDS[_name] = _number
    _english = _names.split()[0]
    for _length in range(3, len(_english)):
        _WORDS[_english[:_length]] = _number
_DAYS = frozenset(
    "mon tue wed thu fri sat sun tues weds thur thurs monday tuesday wednesday thursday friday saturday sunday "
    # German, French, Spanish and Italian; `mar` is March
    "mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag lun mer jeu ven sam dim lundi mardi mercredi jeudi "
    "vendredi samedi dimanche mié jue vie sáb dom gio".split()
)

_YEAR = r"(?P<y>(?:19|20|21)\d\d)"
_HALF = r"(?: ?(?P<p>[AaPp]\.?[Mm]\b\.?))?"
_NO_HALF = r"(?P<p>)"
#: Behind a comma: milli-, micro- or nanoseconds, or any digits that no further comma ends (those are a column of their own).
_COMMA = r",(?=(?:\d{3}){1,3}(?!\d|\.\d{1,2}(?!\d))|\d{1,9}(?![\d,]|\.\d))"
_FRACTION = rf"(?:(?:\.|{_COMMA}|[:*](?=\d{{3}}(?!\d)))(?P<f>\d{{1,9}})(?:\.\d{{3,4}}(?![\d.]))?)?"  # a second group: the writer's counter
_CLOCK = rf"(?P<h>\d\d?):(?P<mi>[0-5]\d):(?P<s>[0-6]\d){_FRACTION}{_HALF}"
_LOOSE = rf"(?P<h>\d\d?):(?P<mi>[0-5]?\d):(?P<s>[0-6]?\d){_FRACTION}{_HALF}"  # 4:5:7, beside a whole date only
_DOTTED = rf"(?P<h>\d\d?)(?P<c>[.-])(?P<mi>[0-5]\d)(?P=c)(?P<s>[0-6]\d)(?:[.:,](?P<f>\d{{1,9}}))?{_NO_HALF}"
_MIXED = rf"(?P<h>\d\d?):(?P<mi>[0-5]\d)\.(?P<s>[0-6]\d)(?:\.(?P<f>\d{{1,9}}))?{_NO_HALF}"
_TIGHT = rf"(?P<h>[0-2]\d)(?P<mi>[0-5]\d)(?P<s>[0-6]\d)(?:[.,](?P<f>\d{{1,9}}))?{_NO_HALF}"
_MINUTES = rf"(?P<h>\d\d?):(?P<mi>[0-5]\d)(?P<s>)(?P<f>){_HALF}"
#: Patterns of Java that quote too much leave a quote or an asterisk before the zone.
#: Java writes the region behind the offset, or in its place: 2026-11-23T10:40:29+01:00[Europe/Berlin], 2026-11-23T09:40:29Z[UTC].
_ZONE = rf"(?:\*(?=[A-Z]{{3,4}}\b)|'(?=[+-]\d{{4}}'))?(?P<z>{ZONE})?(?:\[(?P<r>UTC|GMT|[A-Z][A-Za-z_]{{1,30}}/[A-Za-z_/+-]{{2,40}})\])?"
_REGION = rf"(?P<z>{ZONE}| [A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?)?"
_FIRST_CLOCK = rf"(?P<h>\d\d):(?P<mi>[0-5]\d):(?P<s>[0-6]\d)(?:[.,](?P<f>\d{{1,9}}))?(?P<p>)(?P<z> ?{ZONE})?(?:,? {{1,2}}|,)"
_NAME = r"(?P<mo>[^\W\d_]{3,10})\.?"
_NO_YEAR = r"(?P<y>)"
_LAST_YEAR = rf"(?: [A-Z]{{3,5}})?[ \t]{_YEAR}(?:\b|(?=[A-Z]{{2,5}}\b))(?![-/.]\d|:\d)(?P<z2>{ZONE})?"
_JOIN = r"(?:[Tt_|:;,\t+*@-]|'T'| ?\] ?\[| -|, | \| | {1,4}(?:at )?)-?"


def _compiled(*shapes: str) -> Shapes:
    return tuple(lazily(shape) for shape in shapes)


_BY_YEAR = _compiled(
    # ISO 8601, RFC 3339 and relatives: 2026-11-23T10:40:29.123+01:00, 2026/11/23 10:40:29, 2026.11.23 ..., 2026\11\23 4:05:07
    rf"{_YEAR}[-/.\\](?P<mo>\d\d?)[-/.\\](?P<d>\d\d?){_JOIN}{_LOOSE}{_ZONE}",
    # BGL, Unreal and DB2, whose offset is minutes: 2005-06-03-15.42.50.675872, 2026.11.23-10.40.29:123, ...29.123456+060
    rf"{_YEAR}[-/.](?P<mo>\d\d)[-/.](?P<d>\d\d)[-_ T]{{1,2}}{_DOTTED}(?P<z>[+-]\d{{3}}(?!\d)|{ZONE})?",
    rf"{_YEAR}-(?P<mo>\d\d)-(?P<d>\d\d)[-_Tt]{_TIGHT}{_ZONE}(?!\d)",
    # ejabberd, RabbitMQ's Mnesia: 2026-11-23+10-40-29.809
    rf"{_YEAR}-(?P<mo>\d\d?)-(?P<d>\d\d?)\+(?P<h>\d\d?)-(?P<mi>[0-5]?\d)-(?P<s>[0-6]?\d)(?:\.(?P<f>\d{{1,9}}))?{_NO_HALF}{_ZONE}",
    # 2026:11:23 10:40:29
    rf"{_YEAR}:(?P<mo>\d\d):(?P<d>\d\d)[-_ ]{_CLOCK}{_ZONE}",
    # minutes only: 2026-11-23T10:40Z
    rf"{_YEAR}[-/](?P<mo>\d\d)[-/](?P<d>\d\d)[T ]{_MINUTES}{_ZONE}(?![:\d])",
    # ISO 8601 ordinal dates: 2026-327T10:40:29
    rf"{_YEAR}[-/]?(?P<yd>[0-3]\d\d)[T ]{_CLOCK}{_ZONE}",
    rf"{_YEAR}-?(?P<yd>[0-3]\d\d)T{_TIGHT}{_ZONE}(?!\d)",
    # ... and week dates: 2026-W48-1T10:40:29Z, 2026W481T104029Z
    rf"{_YEAR}-?W(?P<yw>[0-5]\d)-?(?P<wd>[1-7])[T ]{_CLOCK}{_ZONE}",
    rf"{_YEAR}-?W(?P<yw>[0-5]\d)-?(?P<wd>[1-7])T{_TIGHT}{_ZONE}(?!\d)",
    # year, day of the year, second of the day: 2026327_38429
    rf"{_YEAR}(?P<yd>[0-3]\d\d)_(?P<sd>\d{{5}})(?!\d)",
    # Cisco NX-OS, Ceph: 2026 Nov 23 10:40:29.123 CET
    rf"{_YEAR}[- /]{_NAME}[- /] ?(?P<d>\d\d?)[ :T]{{1,2}}{_CLOCK}{_ZONE}",
    # 1123_10:40:29.123 (month, day)
    rf"(?P<mo>[01]\d)(?P<d>[0-3]\d)_{_NO_YEAR}{_CLOCK}(?P<z>)",
    # where the locale is Chinese or Japanese: 2026年11月23日 10:40:29
    rf"{_YEAR}年 ?(?P<mo>\d\d?)月 ?(?P<d>\d\d?)日 {{0,2}}{_CLOCK}{_ZONE}",
    # Chromium: 1123/104029.123 (month, day, time of day)
    rf"(?P<mo>[01]\d)(?P<d>[0-3]\d)/{_NO_YEAR}{_TIGHT}(?P<z>)(?![\d/])",
)
_BY_EIGHT = _compiled(
    # Hadoop before 2.0, HealthApp, compact ISO: 20171223-22:15:29:606, 20261123T104029Z, 20000102:070832.123 -1100
    rf"{_YEAR}(?P<mo>[01]\d)(?P<d>[0-3]\d)[-T_ :]{_CLOCK}{_ZONE}",
    # also CIM's, whose offset is minutes: 20261123104029.123456+060
    rf"{_YEAR}(?P<mo>[01]\d)(?P<d>[0-3]\d)[-T_ :.]?{_TIGHT}(?P<z>[+-]\d{{3}}(?!\d)|{ZONE})?(?!\d)",
)
_BY_SIX = _compiled(
    # MySQL before 5.7: 261123  1:05:30 ; HDFS: 081109 203615
    rf"(?P<y>\d\d)(?P<mo>[01]\d)(?P<d>[0-3]\d)(?: {{1,2}}|[-_T]){_CLOCK}{_ZONE}",
    r"(?P<y>\d\d)(?P<mo>[01]\d)(?P<d>[0-3]\d) (?P<h>[0-2]\d)(?P<mi>[0-5]\d)(?P<s>[0-6]\d)(?P<f>)(?P<p>)(?P<z>)(?!\d)",
)
_BY_DAY = _compiled(
    # CLF and haproxy, JDK and PHP, RabbitMQ, Redis, RFC 822: 23/Nov/2026:10:40:29 +0100, 23-Nov-2026 10:40:29 UTC
    rf"(?P<d>\d\d?)(?:[-/ .]|\. ){_NAME},?[-/ .](?P<y>\d{{4}})(?::{{1,2}}|,? {{1,2}}|T|-){_CLOCK}{_REGION}",
    # a clock of twelve hours with thousandths behind its half: 11/23/2026 3:31:18 AM:234
    r"(?P<a>\d\d?)(?P<o>[-/.])(?P<b>\d\d?)(?P=o)(?P<c>\d{4}),? (?P<h>\d\d?):(?P<mi>[0-5]\d):(?P<s>[0-6]\d) (?P<p>[AP]M):(?P<f>\d{3})(?P<z>)(?!\d)",
    # RFC 850, Oracle and others with two digits: 23-Nov-26 10:40:29
    rf"(?P<d>\d\d?)[-/ ]{_NAME}[-/ ](?P<y>\d\d)(?: {{1,2}}|T){_CLOCK}{_ZONE}",
    # Forge: 23Nov2026 10:40:29.123
    rf"(?P<d>\d\d)(?P<mo>[A-Z][a-z]{{2}}){_YEAR} {_CLOCK}{_ZONE}",
    # date(1) in some locales, and Redis before 3: 23 Nov 10:40:29 CET 2026, 23 Nov 10:40:29.123
    rf"(?P<d>\d\d?)(?:[ -]|\. ){_NAME} {{1,2}}{_CLOCK}{_ZONE}{_LAST_YEAR}",
    rf"(?P<d>\d\d?)[ /-]{_NAME} {{1,2}}{_NO_YEAR}{_CLOCK}{_ZONE}",
    # minutes only, as Bacula and dircproxy write them: 23-Nov 10:40, 23-Nov-2026 10:40, 23 Nov 10:40
    rf"(?P<d>\d\d)[- ](?P<mo>[A-Z][a-z]{{2}}) {_NO_YEAR}{_MINUTES}(?P<z>)(?![:\d])",
    rf"(?P<d>\d\d?)(?P<o>[-/ ])(?P<mo>[A-Z][a-z]{{2}})(?P=o)(?P<y>(?:19|20)\d\d),? {_MINUTES}(?P<z>)(?![:\d])",
    # 11/23/2026 10:40:29, 23.11.2026 10:40:29, 23-11-26 10:40:29, 17/06/09 20:10:40 (Spark)
    rf"(?P<a>\d\d?)(?P<o>[-/.])(?P<b>\d\d?)(?P=o)(?P<c>(?:19|20|21)\d\d|\d\d(?!\d))(?:, {{0,2}}| {{1,2}}| ?-{{1,2}} ?|T|:|\t|_|;|\||\*){_LOOSE}{_ZONE}",
    # Windows Update: 02/21/2023 07:07.05.262
    rf"(?P<a>\d\d?)(?P<o>[-/.])(?P<b>\d\d?)(?P=o)(?P<c>\d{{4}}) {_MIXED}(?P<z>)",
    # minutes only: 23.11.2026 10:40, 11/23/2026 10:40 AM
    rf"(?P<a>\d\d?)(?P<o>[-/.])(?P<b>\d\d?)(?P=o)(?P<c>\d{{4}}),? {_MINUTES}(?P<z>)(?![:\d])",
    # ... and with a short year where the half of the day is said: 11/23/26, 10:40 AM
    r"(?P<a>\d\d?)(?P<o>[/.-])(?P<b>\d\d?)(?P=o)(?P<c>\d\d),? (?P<h>\d\d?):(?P<mi>[0-5]\d)(?P<s>)(?P<f>)[ \u202f](?P<p>[AP]M)\b(?P<z>)",
    # the clock first: 10:40:29.123 2026-11-23, 10:40:29 UTC 11/23/2026, 10:40:29 11/23/26 (C's %X %D)
    rf"{_FIRST_CLOCK}{_YEAR}[-/.](?P<mo>\d\d)[-/.](?P<d>\d\d)(?![\d:])",
    rf"{_FIRST_CLOCK}(?P<a>\d\d?)(?P<o>[-/.])(?P<b>\d\d?)(?P=o)(?P<c>(?:19|20|21)\d\d)(?![\d:])",
    rf"{_FIRST_CLOCK}(?P<a>\d\d)(?P<o>/)(?P<b>\d\d)/(?P<c>\d\d)(?=[\s,;]|$)",
    rf"{_FIRST_CLOCK}(?P<d>\d\d?)[-/ ]{_NAME}[-/ ]{_YEAR}(?![\d:])",
    # no year: 11-23 10:40:29.123, 11/23 10:40:29, 11/23/10:40:29
    rf"(?P<mo>[01]?\d)[-/](?P<d>[0-3]?\d)(?: {{1,2}}|/){_NO_YEAR}{_CLOCK}{_ZONE}",
)
_BY_MONTH = _compiled(
    # Nov 23 2026 10:40:29, Nov 23, 2026 10:40:29 AM, Nov 23, 2026, 10:40:29 AM
    rf"{_NAME}[ \t/-]{{1,2}}(?P<d>\d\d?)(?:,?[ \t]{{1,2}}|[-/]){_YEAR}(?:,?[ \t]{{1,2}}(?:at )?|[-T:]){_CLOCK}{_ZONE}",
    # minutes only: Nov 23, 2026 10:40 AM
    rf"{_NAME} {{1,2}}(?P<d>\d\d?),? {_YEAR},? {_MINUTES}(?P<z>)(?![:\d])",
    # ASSP: Nov-23-26 10:40:29
    rf"{_NAME}-(?P<d>\d\d)-(?P<y>\d\d) {_CLOCK}{_ZONE}",
    # ctime(3), date(1), RFC 3164 with the year last or none: Nov 23 10:40:29[.123] [CET] [2026 [+0100]]
    rf"{_NAME}[ \t-]{{1,2}}(?P<d>\d\d?),?[ \t]{{1,2}}{_CLOCK}{_ZONE}{_LAST_YEAR}",
    rf"{_NAME}[ \t-]{{1,2}}(?P<d>\d\d?),?[ \t]{{1,3}}{_NO_YEAR}{_CLOCK}{_ZONE}",
)
_BY_DIGITS = {1: _BY_DAY, 2: _BY_DAY, 4: _BY_YEAR, 7: _BY_YEAR, 6: _BY_SIX, 8: _BY_EIGHT, 14: _BY_EIGHT}
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")
_GAP = re.compile(r"[.,]{0,2} {0,3}")
_NONE: Shapes = ()


def month_of(name: str) -> int | None:
    """The month that a name, its abbreviation or a number means (`Nov`, `NOVEMBER`, `nov.`, `11`), None for anything else."""
    return MONTHS.get(name) or _WORDS.get(name.rstrip(".").lower())


def shapes_at(text: str, position: int) -> tuple[Shapes, int]:
    """The shapes that a stamp at this place can have, and where it begins once a day of the week is passed over."""
    word = _WORD.match(text, position)
    if word is not None and word[0].lower() in _DAYS:
        gap = _GAP.match(text, word.end())
        position = gap.end() if gap is not None else word.end()
        word = _WORD.match(text, position)
    if word is not None:
        return (_BY_MONTH if word[0].lower() in _WORDS else _NONE), position
    digits = _DIGITS.match(text, position)
    return (_BY_DIGITS.get(len(digits[0]), _NONE) if digits is not None else _NONE), position


def ordered(first: str, second: str, three: str, sign: str, order: str | None) -> tuple[str, int | None, int]:
    """Year, month and day of a date of three numbers: in the order that is known of the log, else as its numbers allow.

    Without one the separator's usual order is taken, then any that makes a date; a year has two digits at least. The month is
    None where none does.
    """
    whole = len(three) == 4
    one, two = int(first), int(second)
    usual = usual_order(whole, sign)
    for known in (order or usual, usual, *(("mdy", "dmy") if whole else ("ymd", "mdy", "dmy") if sign == "/" else ("ymd", "dmy", "mdy"))):
        if known == "ymd" and (whole or len(first) < 2):
            continue
        year, month, day = in_order(known, one, two, int(three))
        if 1 <= month <= 12 and 1 <= day <= 31:
            return str(year), month, day
    return three, None, two
