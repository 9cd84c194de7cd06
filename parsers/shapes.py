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
#: Three-letter month.
MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
#: Three-letter day of the week.
WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
#: Common log format, also in other locales and with the month as a number: 23/Nov/2026:10:40:29 +0100, 23/sept./2026:10:40:29 +0200, 11/23/2026:10:40:29 -0000.
CLF = rf"\d\d?/(?:[^\W\d_]{{3,10}}\.?|\d\d)/\d{{4}}[: ]\d\d:\d\d:\d\d{FRACTION}(?: ?(?:[+-]\d\d(?::?\d\d)?|[A-Za-z]{{1,5}}))?"
#: RFC 3339 as syslog and containers write it: always with a zone.
RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
