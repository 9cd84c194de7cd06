"""Regular expressions of stamps and their surroundings, shared by the formats (RE2 and `re` both read them).

They only say where a stamp is; `retrolog.parsers.timestamps` reads it.
"""

from __future__ import annotations

from .zones import PATTERN as ZONE

#: A fraction of a second.
FRACTION = r"(?:[.,]\d{1,9})?"
#: Time of day with an optional fraction.
CLOCK = rf"\d\d:\d\d:\d\d{FRACTION}"
#: ISO 8601 and its spaced relatives, with or without a zone: 2026-11-23T10:40:29.123+01:00, 2026/11/23 10:40:29 UTC.
ISO = rf"\d{{4}}[-/]\d\d[-/]\d\d[T _]{CLOCK}{ZONE}?"
_YEAR = r"(?:19|20)\d\d"
#: Three-letter month.
MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
#: Three-letter day of the week.
WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
#: Common log format: 23/Nov/2026:10:40:29 +0100.
CLF = rf"\d\d?/{MONTH}/\d{{4}}[: ]\d\d:\d\d:\d\d{FRACTION}(?: ?[+-]\d\d:?\d\d)?"
#: RFC 3164 and relatives: Nov 23 10:40:29, Nov 23 2026 10:40:29.123, Nov 23 10:40:29 CET.
SYSLOG = (
    rf"(?:{WEEKDAY} |{_YEAR} )?{MONTH} {{1,2}}\d{{1,2}} (?:{_YEAR} )?{CLOCK}(?:{ZONE}|(?: [A-Z]{{3,5}})?(?= {_YEAR}:))?(?: {_YEAR}\b)?{ZONE}?"
)
#: RFC 3339 as syslog and containers write it: always with a zone.
RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
