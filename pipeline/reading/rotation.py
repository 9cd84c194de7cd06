"""Which files are parts of one log, and in which order they were written.

Names only group the parts; the order comes from the times inside them, because numbering runs either way, tools
rename, and people copy. What the names promise and the content does not keep is reported as sentences.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .logfile import LogFile

#: First and last time of a file in microseconds since the epoch; None where it is not known.
Times = tuple[int | None, int | None]
OVERLAP_US = 60_000_000  # a writer that still holds the old file for a moment is no overlap

_PACKED = re.compile(r"\.(gz|bz2|xz|lz|zst|zstd|lz4|z|7z|zip)$", re.IGNORECASE)
_DATE = r"(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])"
_TIME = r"[T_.-]?(?:[01]\d|2[0-3])(?:[-_.h:]?[0-5]\d(?:[-_.m:]?[0-5]\d)?)?(?:[.,](?:\d{3}){1,3})?Z?"
#: A part's mark at the end of a name, or before its last extension.
#: A name that begins or ends with the day of its rows.
_DAY_NAMED = re.compile(r"(?:.*?[-_.])?((?:19|20)\d\d)-?(\d\d)-?(\d\d)(?:[-_.]\d{1,4})?(?:\.(?:log|txt|out|gz|bz2|xz|zst))+", re.IGNORECASE)
_MARKS = (
    re.compile(rf"[-_.]?(?P<date>{_DATE})(?P<time>{_TIME})?(?:[-_.]\d{{9,10}})?$"),
    re.compile(r"[-_.](?P<epoch>1\d{9})$"),
    # After a digit it is part of a version or an address (php7.4, 10.0.0.1), unless that digit ends a date or a time.
    re.compile(r"(?:(?<!\d)|(?<=\d{6})|(?<=-\d\d))\.(?P<number>\d{1,5})$"),
    re.compile(r"[.](?P<old>old|bak|prev|previous|save|orig|~)$", re.IGNORECASE),
)
_SHORT_DATE = re.compile(
    r"(?<=[a-z])(?P<date>\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))$"
)  # IIS: u_ex261123.log
_EXTENSION = re.compile(r"\.(?:log|txt|out|err|json|jsonl|ndjson|csv|audit|trace)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """What a file's name says about its place: the log's name, and date, number or "old" where there are any."""

    stem: str
    date: str = ""
    number: int | None = None
    old: bool = False

    @property
    def age(self) -> tuple[int, str, int]:
        """Sorts oldest first by name alone: dated parts, then numbers downwards, then the file still written to."""
        if self.date:  # several of one date count upwards
            return (0, self.date, self.number or 0)
        if self.number is not None or self.old:
            return (1, "", -(self.number or 0))
        return (2, "", 0)


def day_of(name: str) -> int | None:
    """The day (days since 1970) that a file's name says its rows are of; None where it says none.

    A date before the extension is that of the rows (`app-2026-11-23.log`); one behind it is that of the rotation.
    """
    base = name.rpartition("/")[2]
    found = _DAY_NAMED.fullmatch(base)
    if found is None:
        return None
    try:
        return datetime.date(*(int(part) for part in found.groups())).toordinal() - datetime.date(1970, 1, 1).toordinal()
    except ValueError:
        return None


def part_of(name: str) -> Part:
    """Take the rotation and packing marks off a file name: `access.log.2.gz` is part 2 of `access.log`.

    Knows numbers (`.1`), dates with or without a time (`-20261123`, `.2026-11-23T10-00-00`, `u_ex261123`), epochs, `.old`
    and the like, at the end or before the extension (`app.1.log`, `app-2026-11-23.log`). A number joined by a dash is part
    of the name: `worker-1.log` and `worker-2.log` are two workers. A name that is only a date belongs to `*.log`.
    """
    folder, slash, base = name.rpartition("/")
    packed = _PACKED.search(base)
    while packed and packed.start():
        base = base[: packed.start()]
        packed = _PACKED.search(base)
    found: dict[str, str] = {}
    base = _strip(base, found, _MARKS)
    extension = _EXTENSION.search(base)
    if extension and extension.start():
        root = _strip(base[: extension.start()], found, (*_MARKS, _SHORT_DATE))
        base = (root or "*") + extension.group()
    stem = folder + slash + (base or "*")
    date = re.sub(r"\D", "", found.get("date", "") + found.get("time", ""))
    if "epoch" in found and not date:
        stamp = datetime.datetime.fromtimestamp(int(found["epoch"]), datetime.UTC)
        date = f"{stamp:%Y%m%d%H%M%S}"
    number = int(found["number"]) if "number" in found else None
    return Part(stem, date, number, "old" in found)


def _strip(text: str, found: dict[str, str], marks: Sequence[re.Pattern[str]]) -> str:
    again = True
    while again:
        again = False
        for mark in marks:
            match = mark.search(text)
            if (
                match
                and (match.start() or "date" in match.groupdict())
                and not found.keys() & {k for k, v in match.groupdict().items() if v}
            ):
                found.update({k: v for k, v in match.groupdict().items() if v})
                text, again = text[: match.start()], True
    return text


@dataclass(frozen=True, slots=True)
class Order:
    """The parts of one log, oldest first, with what was found wrong among them as sentences.

    `duplicates` maps a part's `file` to the one that holds the same text, which is enough to read.
    """

    files: tuple[LogFile, ...]
    notes: tuple[str, ...]
    duplicates: dict[str, str]


def order(
    files: Sequence[LogFile],
    first_last: Callable[[LogFile], Times],
    same_text: Callable[[LogFile, LogFile], bool] | None = None,
) -> Order:
    """Order the parts of one log by the times inside them, and say what is missing, doubled or overlapping.

    A part without a readable time stays where its name puts it. `same_text` is asked only of parts that begin at the
    same time; without it nothing is called a duplicate.
    """
    by_name = sorted(files, key=lambda file: (part_of(file.file).age, file.file))
    times = {file.file: first_last(file) for file in by_name}
    keyed: list[tuple[int, int, LogFile]] = []
    latest = -(1 << 62)
    for at, file in enumerate(by_name):
        first = times[file.file][0]
        latest = first if first is not None else latest
        keyed.append((latest, at, file))
    ordered = [file for _, _, file in sorted(keyed, key=lambda row: row[:2])]

    duplicates = _duplicates(ordered, times, same_text)
    kept = [file for file in ordered if file.file not in duplicates]
    notes = [f"{copy} holds the same text as {original}" for copy, original in duplicates.items()]
    notes += _misnamed(by_name, ordered, times)
    notes += _missing([part_of(file.file) for file in ordered])
    notes += _overlaps(kept, times)
    return Order(tuple(ordered), tuple(notes), duplicates)


def _duplicates(
    ordered: Sequence[LogFile],
    times: dict[str, Times],
    same_text: Callable[[LogFile, LogFile], bool] | None,
) -> dict[str, str]:
    if same_text is None:
        return {}
    found: dict[str, str] = {}
    for at, file in enumerate(ordered):
        first, last = times[file.file]
        for other in ordered[:at]:
            if other.file in found or first != times[other.file][0]:
                continue
            if last is not None and times[other.file][1] not in (None, last):
                continue
            if same_text(other, file):
                found[file.file] = other.file
                break
    return found


def _misnamed(by_name: Sequence[LogFile], ordered: Sequence[LogFile], times: dict[str, Times]) -> list[str]:
    if [file.file for file in by_name] == [file.file for file in ordered]:
        return []
    timed = [file for file in ordered if times[file.file][0] is not None]
    return [
        f"by the times inside, the order is {_some([file.file for file in timed])}, which is not what the names say"
    ]


def _missing(parts: Sequence[Part]) -> list[str]:
    if not parts:
        return []
    stem = parts[0].stem
    notes: list[str] = []
    numbers = sorted({part.number for part in parts if part.number is not None and not part.date})
    if numbers:
        start = (
            1
            if numbers[0] > 0 and any(part.number is None and not part.date for part in parts)
            else numbers[0]
        )
        gaps = sorted(set(range(start, numbers[-1])) - set(numbers))
        if gaps and len(gaps) <= len(numbers) + 10:
            notes.append(f"{stem}: part {_some(gaps)} is missing between parts that are there")
    days = sorted({day for part in parts if (day := _day(part.date)) is not None})
    steps = [(b - a).days for a, b in pairwise(days)]
    if len(steps) >= 2 and steps.count(1) * 2 > len(steps):  # written daily
        lost = [
            str(a + datetime.timedelta(n)) for a, b in pairwise(days) for n in range(1, min((b - a).days, 32))
        ]
        if lost:
            notes.append(f"{stem}: no part for {_some(lost)}")
    return notes


def _day(digits: str) -> datetime.date | None:
    digits = digits if len(digits) != 6 else "20" + digits
    try:
        return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def _some(values: Sequence[object]) -> str:
    shown = ", ".join(str(value) for value in values[:5])
    return shown if len(values) <= 5 else f"{shown} and {len(values) - 5} more"


def _overlaps(ordered: Sequence[LogFile], times: dict[str, Times]) -> list[str]:
    notes: list[str] = []
    for one, two in pairwise(ordered):
        last, first = times[one.file][1], times[two.file][0]
        if last is not None and first is not None and last - first > OVERLAP_US:
            notes.append(f"{one.file} and {two.file} overlap by {(last - first) // 1_000_000:,} s")
    return notes
