"""Decides which bytes of which file are read for a window, and says why; what is left unread stays accounted for.

Parts of a log are ordered by the times inside them. A part that cannot touch the window is not read; in a plain one the
window's bytes are searched (`retrolog.pipeline.reading.seek`); a packed one is read from its start and left behind the window.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ...parsers.blocks import BlockParser, plan_for
from ...parsers.days import DayPlan, clock_of, plan_days, scan_days
from ...parsers.detect import LAST_RESORT, Detector, clean, formats_with, parse_with
from ...parsers.lazy import lazily
from ...parsers.orders import DateOrder, numeric_date, plan_order, share
from ...parsers.rowwise import HEADERS
from ...parsers.shapes import CLF, ISO
from ...parsers.timestamps import TimeContext, read_time
from ...parsers.units import Unit
from ...parsers.units import share as same_unit
from ...parsers.years import YearPlan, told_year, yearless_stamp
from ..window import Window
from . import rotation, seek
from .jumps import Cut
from .read import newlines, read_blocks, same_text
from .units import ends_in_numbers, unit_of

if TYPE_CHECKING:
    from ...parsers.base import Format
    from .logfile import LogFile, Source
    from .read import Block, Blocks
    from .rules import Reading

#: Bytes of a file that are looked at to learn what it is.
HEAD = 256 << 10
_ROWS = 200
_FEW_ROWS = 24  # of a file that may be written like one looked at before
_KINDS = 8  # of those that are remembered
_STAMPS = tuple(
    # rows are matched as bytes; a true minus sign, which takes three of them, is left to the way without such a pattern
    lazily(stamp.replace("\u2212", "").encode())
    for stamp in (rf"[^\[\"]{{3,200}}\[(?P<time>{CLF})\] \"", rf"\[?(?P<time>{ISO})(?=[\s\],|])")
)
_SECONDS = re.compile(rb"(?<!\d)\d\d:\d\d:(\d\d)(?:[.,](\d{1,9}))?")
_MINUTES_KEPT = 20_000
#: Files up to this size are read whole to learn their years.
_WHOLE = 1 << 20
#: Of more files than these, also small ones are searched: reading each whole would be most of the work.
_MANY = 64
_PLACES = 512  # rows looked at to see whether a new year begins in a file


@dataclass(frozen=True, slots=True)
class Reach:
    """What is read of one file: the bytes `[start, stop)`, or nothing when `unread` says why.

    `why` is a sentence for --verbose, `notes` are findings about the log that belong into the report. `first` and `last`
    are the times the file begins and ends with, where they were looked up. `years` and `days` are the plans made beforehand, `order`
    the order of its dates, `unit` what its last whole numbers count.
    `format` is that of its first rows.
    """

    start: int = 0
    stop: int | None = None
    first_line: int = 1
    unread: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None
    years: YearPlan | None = None
    days: DayPlan | None = None
    order: DateOrder | None = None
    unit: Unit | None = None
    format: str = "unknown"
    head: Head | None = field(default=None, compare=False, repr=False)  # what was learnt on the way; stays in this process
    first_piece: bool = True  # of a file that is read in several pieces, each account for what lies before and after
    last_piece: bool = True
    cuts: tuple[Cut, ...] = ()  # where the file's clock was set: each stretch is counted as a source of its own

    def __getstate__(self) -> list[object]:
        return [None if one.name == "head" else getattr(self, one.name) for one in fields(self)]


def plan(sources: Sequence[Source], reading: Reading, known: list[Head] | None = None) -> Iterator[tuple[str, LogFile, Reach]]:
    """Name of the log, file, and what is read of it, for every part of every log; `known` as in `reaches`."""
    known = [] if known is None else known
    small = seek.SMALL if sum(len(source.files) for source in sources) <= _MANY else seek.SMALL >> 3
    for source in sources:
        for file, reach in reaches(source, reading, known, small):
            yield source.name, file, reach


def reaches(source: Source, reading: Reading, known: list[Head], small: int = seek.SMALL) -> list[tuple[LogFile, Reach]]:
    """What is read of each part of a log, oldest part first by the times inside (by name where they have no years).

    `known` are heads of files looked at before, and gets those of these: many files are written alike.
    """
    if any(file.columnar for file in source.files):
        return [(file, Reach(format="parquet" if file.columnar else "unknown")) for file in source.files]
    if reading.wanted == Window() and len(source.files) == 1:
        return [(source.files[0], Reach())]
    heads = {file.file: Head.alike(file, reading, known) for file in source.files}
    for head, order in zip(heads.values(), share([head.order for head in heads.values()]), strict=True):
        head.order = order
        head.dated()
    for head, unit in zip(heads.values(), same_unit([head.unit for head in heads.values()]), strict=True):
        head.unit = unit
    if len(source.files) > 1 and not any(head.yearless for head in heads.values()):
        found = rotation.order(source.files, lambda file: heads[file.file].times, same_text)
        files, notes, copies = found.files, list(found.notes), found.duplicates
    else:
        files, notes, copies = source.files, [], {}
    wanted = reading.wanted
    kept = [file for file in files if file.file not in copies]
    unread = {
        file.file: why
        for file, why in seek.needed(kept, lambda file: heads[file.file].times, wanted.start, wanted.end)
        if why
    }
    rows = []
    for file in files:
        head = heads[file.file]
        mine = tuple(note for note in notes if note.startswith(file.file))
        notes = [note for note in notes if note not in mine]
        reach = Reach(notes=mine, first=head.times[0], last=head.times[1], years=head.years, days=head.days, order=head.order, unit=head.unit, format=head.format, head=head)
        if file.file in copies and not reading.undated:
            reach = replace(reach, unread=f"it holds the same text as {copies[file.file]}", head=None)
        elif file.file in unread:
            reach = replace(reach, unread=f"outside the window: {unread[file.file]}", head=None)
        elif wanted != Window():
            reach = head.narrowed(reach, wanted, small)
        rows.append((file, reach))
    if notes and rows:  # what is said of the log as a whole stands with its first part
        rows[0] = (rows[0][0], replace(rows[0][1], notes=(*rows[0][1].notes, *notes)))
    return rows


@dataclass(slots=True)
class Head:
    """What the first rows of a file tell: its format, whether its stamps lack the year, and how to read single rows' times."""

    file: LogFile
    context: TimeContext
    parser: BlockParser
    yearless: bool = False
    years: YearPlan | None = None
    daily: bool = False  # rows have a time of day alone
    days: DayPlan | None = None
    order: DateOrder | None = None
    unit: Unit | None = None
    times: rotation.Times = (None, None)
    stamp: re.Pattern[bytes] | None = None  # where this file's rows have their time, if they all have it in one place

    rows: list[bytes] = field(default_factory=list)  # the first ones
    _minutes: dict[tuple[bytes, bytes], int | None] = field(default_factory=dict)  # what stands around the seconds -> time

    @classmethod
    def alike(cls, file: LogFile, reading: Reading, known: list[Head]) -> Head:
        """The head of a file, without looking at many rows where they are written like those of one that is known."""
        if known:
            rows = first_rows(file, _FEW_ROWS, 1 << 13)
            for other in known:
                if other._written_like(file, reading, rows):
                    context = context_of(file, reading)
                    minutes = other._minutes if context.zone == other.context.zone else {}
                    return cls(file, context, other.parser, stamp=other.stamp, rows=rows, _minutes=minutes)
        head = cls.of(file, reading)
        usual = head.stamp is not None and not head.yearless and head.order is None and head.unit is None and not any(
            value and not isinstance(value, bool) for value in head.context.state.values()
        )  # fmt: skip
        favourites = head.parser.detector.favourites
        if usual and len(known) < _KINDS and len(favourites) == 1 and favourites[0].priority < LAST_RESORT:
            known.append(head)
        return head

    def _written_like(self, file: LogFile, reading: Reading, rows: list[bytes]) -> bool:
        """Whether the first and last rows of a file have their time where this file's rows have it, and are of its format."""
        if len(rows) < _FEW_ROWS or self.stamp is None or ends_in_numbers(rows) or not all(map(self.stamp.match, [*rows, *_last_rows(file)])):
            return False
        context = context_of(file, reading)
        found = Detector(context, formats_with(reading.formats)).parse(clean(rows[0].decode("utf-8", "replace")))
        form = self.parser.detector.favourites[0]
        return found is not None and found[0] is form and parse_with(form, clean(rows[-1].decode("utf-8", "replace")), context) is not None

    @classmethod
    def of(cls, file: LogFile, reading: Reading) -> Head:
        """Looks at the first rows of a file."""
        from ...parsers.arrays import values

        rows = first_rows(file, _ROWS, HEAD)
        context = context_of(file, reading)
        parser = BlockParser(context, file.file, formats_with(reading.formats))
        head = cls(file, context, parser, any(yearless_stamp(row) is not None for row in rows), rows=rows)
        head.unit = unit_of(file, rows)
        head.order = order_of(file, context, rows)
        context.order = head.order.order if head.order is not None else None
        head.daily = not head.yearless and _by_the_clock(rows, context, formats_with(reading.formats))
        read = parser.feed(b"".join(row + b"\n" for row in rows), 1, 0)
        if not head.yearless:
            seen = () if read["time"].null_count else zip(values(read["line"]).tolist(), values(read["time"]).tolist(), strict=True)
            times = dict(seen)
            head.stamp = next((stamp for stamp in _STAMPS if head._agrees(stamp, rows, times)), None)
        return head

    def _agrees(self, stamp: re.Pattern[bytes], rows: list[bytes], times: dict[int, int]) -> bool:
        """Whether looking for this stamp tells of each of the rows what reading them as events does; `times` of lines where it did."""
        self.stamp = stamp
        looked = [self.probe(row) for row in rows]
        self.stamp = None
        if all(time is None for time in looked):
            return False
        # asking the formats once more takes far longer, and most logs have their times in one of these places only
        doubtful = [(time, row) for line, (time, row) in enumerate(zip(looked, rows, strict=True), 1) if time is None or time != times.get(line)]
        return all(time == self.probe(row) for time, row in doubtful)

    def dated(self) -> Head:
        """Looks up the years of stamps that have none, and the times the file begins and ends with (plain files only)."""
        self.context.order = self.order.order if self.order is not None else None
        if self.yearless:
            self.context.told_year = told_year(enumerate(self.rows, 1))
            self.years = self.context.plan = plan_for(_year_rows(self.file), self.context, _reference_name(self.file))
        if self.daily:
            self.days = self.context.days = plan_days_of(self.file, self.context)
        self.times = seek.first_last(self.file, self.probe, self.rows)
        self.rows = []
        return self

    @property
    def format(self) -> str:
        """The format of most of the first rows."""
        return format_of(self.parser.counts)

    def probe(self, row: bytes) -> int | None:
        """The time of a row of its own, None for a continuation line, and where a new year begins inside the file."""
        if self.yearless and (self.years is None or self.years.steps):
            return None
        if self.daily and (self.days is None or self.days.steps):
            return None
        if self.stamp is not None and b"\x1b" not in row and row[:1] not in (b" ", b"\t", b"\0", b"\xef"):
            match = self.stamp.match(row)
            return None if match is None else self._time_of(match["time"])
        text = clean(row.removesuffix(b"\r").decode("utf-8", "replace"))
        if text[:1] in (" ", "\t", ""):
            return None
        if self.stamp is not None:
            match = self.stamp.match(text.encode())
            return None if match is None else self._time_of(match["time"])
        detector: Detector = self.parser.detector
        before = detector.favourites[0] if detector.favourites else None
        if before is not None and before.continues is not None and before.continues(text, self.context):
            return None  # of the event before, although it may have a time as well
        found = detector.parse(text)
        if found is None or found[1].time is None:
            return None
        self.context.accept(found[1].time)
        return found[1].time

    def _time_of(self, stamp: bytes) -> int | None:
        """The time of a stamp; only minutes are read, what is beyond them is added."""
        clock = _SECONDS.search(stamp)
        if clock is None:
            return None
        around = stamp[: clock.start(1)], stamp[clock.end() :]
        if around not in self._minutes:
            if len(self._minutes) >= _MINUTES_KEPT:
                self._minutes.clear()
            reading = read_time(b"00".join(around).decode(), self.context)
            self._minutes[around] = None if reading is None else reading[1]
        minute = self._minutes[around]
        if minute is None:
            return None
        seconds, fraction = clock.groups()
        return minute + int(seconds) * 1_000_000 + (int((fraction + b"000000")[:6]) if fraction else 0)

    def event_at(self, offset: int, stop: int) -> int | None:
        """Where the first row at or after a line start begins that has a time of its own; None where none is near."""
        with self.file.open_slice([]) as place:
            reach = 1 << 20
            text = place.pread(offset, min(reach, stop - offset))
        at = 0
        while at < len(text):
            end = text.find(b"\n", at)
            if end < 0:
                return None
            if self.probe(text[at:end]) is not None:
                return offset + at
            at = end + 1
        return None

    def narrowed(self, reach: Reach, wanted: Window, small: int = seek.SMALL) -> Reach:
        """The reach cut to the bytes that can hold the window, where they can be searched."""
        if self.file.packed:
            return reach
        if any(header in self.context.state for header in HEADERS):
            return replace(reach, why="read whole: a header says what its rows mean")
        try:
            found = seek.find_range(self.file, wanted.start, wanted.end, self.probe, small=small)
        except OSError:
            return reach
        if found.method == "none":
            return replace(reach, unread="outside the window: nothing in it is near the window", head=None)
        if found.method == "whole":
            return replace(reach, why=found.note)
        return replace(reach, start=found.start, stop=found.stop, first_line=found.first_line, why=found.note)


def first_rows(file: LogFile, most: int, size: int) -> list[bytes]:
    """The first rows of a file, those that end in about so many bytes."""
    blocks = read_blocks(file, block_size=size)
    try:
        for block in blocks:
            return block.data.split(b"\n", most)[:most]
        return []
    finally:
        blocks.close()


def _last_rows(file: LogFile) -> list[bytes]:
    """Some whole rows at the end of a plain file."""
    if file.packed:
        return []
    try:
        with file.open_slice([]) as place:
            begin = max(0, place.size - (1 << 12))
            return place.pread(begin, 1 << 12).split(b"\n")[1 if begin else 0 : -1]
    except OSError:
        return []


def format_of(counts: Counter[str]) -> str:
    """The format that most events of a parser had, "unknown" where none was recognised."""
    found = [(n, k.removeprefix("format:")) for k, n in counts.items() if k.startswith("format:") and k != "format:unknown"]
    return max(found, default=(0, "unknown"))[1]


def context_of(file: LogFile, reading: Reading) -> TimeContext:
    """How times of a file are read when nothing is known of its years yet."""
    window = None if reading.window == Window() else (reading.window.start, reading.window.end)
    asked = reading.asked if reading.asked is not None else reading.window
    reading = reading.for_file(file)
    return TimeContext(
        zone=reading.zone, zone_given=reading.zone_given, year=reading.year, reference=file.mtime, window=window,
        asked=(asked.start, asked.end),
    )  # fmt: skip


def order_of(file: LogFile, context: TimeContext, head: Sequence[bytes]) -> DateOrder | None:
    """The order of a file's dates of three numbers, from places all over it; None where its first rows have none."""
    if not any(numeric_date(row) for row in head):
        return None
    rows = year_rows(file) if file.packed or file.size <= _WHOLE else _sampled(file)
    return plan_order(rows, window=context.window, reference=context.reference)


def plan_years_of(file: LogFile, context: TimeContext) -> YearPlan | None:
    """The plan of years from every row of a file."""
    return plan_for(year_rows(file), context, _reference_name(file))


def _by_the_clock(rows: Sequence[bytes], context: TimeContext, formats: tuple[Format, ...]) -> bool:
    """Whether most of a file's first rows begin with a time of day and no date."""
    clocks = [row for row in rows if clock_of(row) is not None]
    others = [row for row in rows if row.strip() and row[:1] not in (b" ", b"\t") and clock_of(row) is None]
    if len(clocks) < 2 or 2 * len(clocks) < len(others):
        return False
    found = Detector(TimeContext(zone=context.zone), formats).parse(clean(clocks[0].removesuffix(b"\r").decode("utf-8", "replace")))
    return found is not None and found[1].format == "clock"


def plan_days_of(file: LogFile, context: TimeContext) -> DayPlan | None:
    """The plan of days of a file whose rows have a time of day alone, from all its rows, its name and the window asked for."""
    rows = ((block.line + at, row) for block in read_blocks(file) for at, row in enumerate(block.data.split(b"\n")) if row)
    return plan_days(scan_days(rows), named=rotation.day_of(file.file), window=context.asked, zone=context.zone)


def _reference_name(file: LogFile) -> str:
    return "the gzip header's time" if "gzip" in file.container else "the file's time"


def _year_rows(file: LogFile) -> Iterable[tuple[int, bytes]]:
    """Rows enough to plan a file's years: from places all over a large plain file; all when a new year may begin in it."""
    if file.packed or file.size <= _WHOLE:
        return year_rows(file)
    sampled = list(_sampled(file))
    stamps = [stamp for _, row in sampled if (stamp := yearless_stamp(row)) is not None]
    if any(later < earlier - 86_400 for earlier, later in pairwise(stamps)):
        return year_rows(file)
    return sampled


def _sampled(file: LogFile) -> Iterator[tuple[int, bytes]]:
    with file.open_slice([]) as place:
        for number, at in enumerate(range(0, place.size, max(1, place.size // _PLACES))):
            piece = place.pread(at, 1 << 12).split(b"\n")
            yield from ((number, row) for row in piece[1 if at else 0 : -1][:4])
        yield from ((_PLACES + 1, row) for row in place.pread(max(0, place.size - (1 << 12)), 1 << 12).split(b"\n")[1:])


def year_rows(file: LogFile) -> Iterator[tuple[int, bytes]]:
    """(line, row) of a file, only where the first bytes differ from the row before: enough to follow its days."""
    import numpy as np

    from ...parsers.kernels.words import Text

    before = b""
    for block in read_blocks(file):
        data = np.frombuffer(block.data, np.uint8)
        starts = np.append(0, np.flatnonzero(data == 10) + 1)
        starts = starts[starts < len(data)]
        text, eight = Text(data), np.int64(8)
        first, last = text.words(starts, eight), text.words(np.minimum(starts + 4, len(data)), eight)
        changed = np.flatnonzero(np.append(True, (first[1:] != first[:-1]) | (last[1:] != last[:-1])))
        for at in changed.tolist():
            begin = int(starts[at])
            row = block.data[begin : begin + 64].split(b"\n", 1)[0]
            if row[:12] != before:
                before = row[:12]
                yield block.line + at, row


class Stream:
    """The blocks of a packed file that can hold the window: those before it are only counted, it is left behind it."""

    def __init__(self, head: Head, wanted: Window, blocks: Blocks) -> None:
        self._head, self._wanted, self._blocks = head, wanted, blocks
        self.lines = 0  # of blocks that were counted, not parsed
        self.left = False  # whether reading stopped before the end

    def __iter__(self) -> Iterator[Block]:
        before: Block | None = None
        watch = _Disorder()
        for block in self._blocks:
            slack = watch.see(block, self._head.probe)
            place = "touches" if slack is None else seek.relation(
                block, self._wanted.start, self._wanted.end, self._head.probe, slack
            )  # fmt: skip
            if place == "before":
                before = block
                self.lines += block.lines
                continue
            if place == "after":
                self.left = True
                return
            if before is not None:  # its last event may go on in this block
                tail = self._tail(self._blocks.take(before))
                self.lines -= tail.lines
                before = None
                yield tail
            yield self._blocks.take(block)

    def _tail(self, block: Block) -> Block:
        """The end of a block from its last row with a time on."""
        data, begin, end = block.data, 0, len(block.data)
        while end > 0:
            begin = data.rfind(b"\n", 0, end - 1) + 1
            if self._head.probe(data[begin:end].rstrip(b"\n")) is not None:
                break
            end = begin
        begin = begin if end > 0 else 0
        lines = newlines(data[begin:])
        offset = block.original(begin)
        past = offset - block.offset - begin  # what the edits before it came to
        left = [(at - begin, ahead - past) for at, ahead in zip(*block.edits, strict=True) if at > begin]
        edits = tuple(at for at, _ in left), tuple(ahead for _, ahead in left)
        return replace(block, data=data[begin:], line=block.line + block.lines - lines, offset=offset, lines=lines, edits=edits)


class _Disorder:
    """How far times go back in a stream, from samples of its blocks."""

    def __init__(self) -> None:
        self._latest: int | None = None
        self._worst = 0

    def see(self, block: Block, probe: seek.Probe) -> int | None:
        """The slack to allow for so far, None once times go back too far to leave anything out."""
        size = len(block.data)
        for at in range(0, size, seek.apart(size)):
            begin = block.data.find(b"\n", at) + 1 if at else 0
            end = block.data.find(b"\n", begin)
            time = probe(block.data[begin:end]) if end > begin else None
            if time is None:
                continue
            if self._latest is not None:
                self._worst = max(self._worst, self._latest - time)
            self._latest = time if self._latest is None else max(self._latest, time)
        if self._worst > 15 * seek.SLACK_US:
            return None
        return max(seek.SLACK_US, 2 * self._worst + 1_000_000)


