"""Says when logs without a zone, which are taken for UTC unless --tz says other, are likely to be written in another one.

That is an assumption of the user's to make: nothing is moved here. Only what the clocks themselves show is applied before
(`retrolog.pipeline.analysis.clocks.clock`), and then the hint says that, not this.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .wording import SECOND, number

if TYPE_CHECKING:
    from .options import Options
    from .reading.logfile import LogFile
    from .reports import SourceReport

_STAMP = re.compile(rb"(?<!\d)\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:(?P<z>Z)\b| ?(?P<sign>[+-])(?P<h>[01]\d):?(?P<m>[0-5]\d)\b|(?P<none>))")
#: Rows of a file that are looked at, and the share of them that must name one and the same offset.
_ROWS, _SHARE = 60, 0.9
_FILES = 20
#: A clock this near (seconds) to a whole quarter of an hour off, but not to none, is one that was read in the wrong zone.
_QUARTER, _NEAR = 900, 180


def zone_hints(reports: Sequence[SourceReport], files: Sequence[LogFile], options: Options) -> tuple[str, ...]:
    """Sentences with the option to add; none where a zone was stated, or where clocks agree as they are."""
    if options.zone_given:
        return ()
    assumed = [r for r in reports if r.zone.startswith("assumed UTC") and not r.clock_steps]
    out: list[str] = []
    found: dict[int, list[str]] = {}
    for report in assumed:
        if zone := _zone_of(report):
            found.setdefault(zone, []).append(report.file)
    for zone, names in sorted(found.items()):
        out.append(
            f"{_listed(names)} named no zone and {_are(names)} read as written {_offset(zone)} from UTC, as the times of the other logs show; "
            f"--tz {_offset(zone)} states it"
        )
    if found:
        return tuple(out)
    steady = _steady(files, {r.file for r in reports if r.zone == "in the line"})
    if not steady:
        return ()
    doubtful = [r.file for r in assumed if not r.clock_note.startswith("agrees")]
    if doubtful:
        out.append(
            f"{_listed(doubtful)} named no zone and {_are(doubtful)} read as UTC, while each row of the other logs names {_offset(steady)}; "
            f"if {'these are' if len(doubtful) > 1 else 'this is'} of local time too, add --tz {_offset(steady)}"
        )
    left = {r.file for r in reports if r.skipped.startswith("outside the window") and _inside(r, options, steady)}
    missed = [file.file for file in files if file.file in left and _named(file) is None]
    if missed:
        out.append(
            f"{_listed(missed)} {'lie' if len(missed) > 1 else 'lies'} outside the window when read as UTC, but in it when read as {_offset(steady)}, "
            f"which each row of the other logs names; if so, add --tz {_offset(steady)}"
        )
    return tuple(out)


def _zone_of(report: SourceReport) -> int:
    """The whole quarter hours that a log was found to be ahead, in seconds; 0 where it was not."""
    whole = round(report.clock_offset_s / _QUARTER) * _QUARTER
    return whole if abs(report.clock_offset_s - whole) <= _NEAR else 0


def _inside(report: SourceReport, options: Options, ahead: int) -> bool:
    """Whether a log would lie in the window if its stamps were so many seconds ahead of UTC."""
    window = options.window
    if report.first is None or window.start is None or window.end is None:
        return False
    last = report.last if report.last is not None else report.first
    return report.first - ahead * SECOND < window.end and last - ahead * SECOND >= window.start


def _steady(files: Iterable[LogFile], zoned: set[str]) -> int | None:
    """The one offset that all rows of logs with a zone name; None where they name several, or none."""
    named = {_named(file) for file in [file for file in files if file.file in zoned][:_FILES]}
    return named.pop() if len(named) == 1 else None


def _named(file: LogFile) -> int | None:
    """The offset in seconds that nearly all of a file's first rows with a time name."""
    from .reading.reach import first_rows

    told: Counter[int | None] = Counter()
    for row in first_rows(file, _ROWS, 1 << 14):
        stamp = _STAMP.search(row)
        if stamp is None:
            continue
        seconds = 0 if stamp["z"] else None if stamp["sign"] is None else int(stamp["h"]) * 3600 + int(stamp["m"]) * 60
        told[-seconds if seconds and stamp["sign"] == b"-" else seconds] += 1
    offset, count = max(told.items(), key=lambda item: item[1], default=(None, 0))
    return offset if count >= _SHARE * told.total() else None


def _are(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {number(len(names) - 3)} more" if len(names) > 3 else shown


def _offset(seconds: int) -> str:
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
