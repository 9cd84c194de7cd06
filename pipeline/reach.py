"""Decides which bytes of which file are read for a window, and says why; what is left unread stays accounted for.

Parts of a log are ordered by the times inside them. A part that cannot touch the window is not read; in a plain one the
window's bytes are searched (`retrolog.pipeline.seek`); a packed one is read from its start and left behind the window.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ..parsers.blocks import BlockParser, plan_for
from ..parsers.detect import Detector, clean, formats_with
from ..parsers.shapes import CLF, ISO
from ..parsers.timestamps import TimeContext, read_time
from ..parsers.years import YearPlan, yearless_stamp
from . import rotation, seek
from .read import newlines, read_blocks, same_text
from .window import Window

if TYPE_CHECKING:
    from .ingest import Reading
    from .read import Block
    from .sources import LogFile, Source

#: Bytes of a file that are looked at to learn what it is.
HEAD = 256 << 10
_ROWS = 200
_STAMPS = (
    re.compile(rf"[^\[\"]{{3,200}}\[(?P<time>{CLF})\] \""),
    re.compile(rf"\[?(?P<time>{ISO})(?=[\s\],|])"),
)
_PLACES = 512  # rows looked at to see whether a new year begins in a file


@dataclass(frozen=True, slots=True)
class Reach:
    """What is read of one file: the bytes `[start, stop)`, or nothing when `unread` says why.

    `why` is a sentence for --verbose, `notes` are findings about the log that belong into the report. `first` and `last`
    are the times the file begins and ends with, where they were looked up. `years` is the year plan made beforehand.
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
    format: str = "unknown"
    first_piece: bool = True  # of a file that is read in several pieces, each account for what lies before and after
    last_piece: bool = True


def plan(sources: Sequence[Source], reading: Reading) -> Iterator[tuple[str, LogFile, Reach]]:
    """Name of the log, file, and what is read of it, for every part of every log."""
    for source in sources:
        for file, reach in reaches(source, reading):
            yield source.name, file, reach


def reaches(source: Source, reading: Reading) -> list[tuple[LogFile, Reach]]:
    """What is read of each part of a log, oldest part first by the times inside (by name where they have no years)."""
    if reading.wanted == Window() and len(source.files) == 1:
        return [(source.files[0], Reach())]
    heads = {file.file: Head.of(file, reading).dated() for file in source.files}
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
        reach = Reach(notes=mine, first=head.times[0], last=head.times[1], years=head.years, format=head.format)
        if file.file in copies and not reading.undated:
            reach = replace(reach, unread=f"it holds the same text as {copies[file.file]}")
        elif file.file in unread:
            reach = replace(reach, unread=f"outside the window: {unread[file.file]}")
        elif wanted != Window():
            reach = head.narrowed(reach, wanted)
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
    times: rotation.Times = (None, None)
    stamp: re.Pattern[str] | None = None  # where this file's rows have their time, if they all have it in one place

    @classmethod
    def of(cls, file: LogFile, reading: Reading) -> Head:
        """Looks at the first rows of a file."""
        rows: list[bytes] = []
        blocks = read_blocks(file, block_size=HEAD)
        for block in blocks:
            rows = block.data.split(b"\n", _ROWS)[:_ROWS]
            break
        blocks.close()
        context = context_of(file, reading)
        parser = BlockParser(context, file.file, formats_with(reading.formats))
        head = cls(file, context, parser, any(yearless_stamp(row) is not None for row in rows))
        parser.events(b"".join(row + b"\n" for row in rows), 1, 0)
        if not head.yearless:
            head.stamp = next((stamp for stamp in _STAMPS if head._agrees(stamp, rows)), None)
        return head

    def _agrees(self, stamp: re.Pattern[str], rows: list[bytes]) -> bool:
        """Whether looking for this stamp tells of each of the rows what reading them as events does."""
        told = [self.probe(row) for row in rows]
        self.stamp = stamp
        looked = [self.probe(row) for row in rows]
        self.stamp = None
        return told == looked and any(time is not None for time in told)

    def dated(self) -> Head:
        """Looks up the years of stamps that have none, and the times the file begins and ends with (plain files only)."""
        if self.yearless:
            self.years = self.context.plan = plan_for(_year_rows(self.file), self.context, _reference_name(self.file))
        self.times = seek.first_last(self.file, self.probe)
        return self

    @property
    def format(self) -> str:
        """The format of most of the first rows."""
        return format_of(self.parser.counts)

    def probe(self, row: bytes) -> int | None:
        """The time of a row of its own, None for a continuation line, and where a new year begins inside the file."""
        if self.yearless and (self.years is None or self.years.steps):
            return None
        text = clean(row.removesuffix(b"\r").decode("utf-8", "replace"))
        if text[:1] in (" ", "\t", ""):
            return None
        if self.stamp is not None:
            match = self.stamp.match(text)
            reading = read_time(match["time"], self.context) if match is not None else None
            return None if reading is None else reading[1]
        detector: Detector = self.parser.detector
        found = detector.parse(text)
        if found is None or found[1].time is None:
            return None
        self.context.accept(found[1].time)
        return found[1].time

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

    def narrowed(self, reach: Reach, wanted: Window) -> Reach:
        """The reach cut to the bytes that can hold the window, where they can be searched."""
        if self.file.packed:
            return reach
        state = self.context.state.values()
        if any(value and not isinstance(value, bool) for value in state):
            return replace(reach, why="read whole: a header says what its rows mean")
        try:
            found = seek.find_range(self.file, wanted.start, wanted.end, self.probe)
        except OSError:
            return reach
        if found.method == "none":
            return replace(reach, unread="outside the window: nothing in it is near the window")
        if found.method == "whole":
            return replace(reach, why=found.note)
        return replace(reach, start=found.start, stop=found.stop, first_line=found.first_line, why=found.note)


def format_of(counts: Counter[str]) -> str:
    """The format that most events of a parser had, "unknown" where none was recognised."""
    found = [(n, k.removeprefix("format:")) for k, n in counts.items() if k.startswith("format:") and k != "format:unknown"]
    return max(found, default=(0, "unknown"))[1]


def context_of(file: LogFile, reading: Reading) -> TimeContext:
    """How times of a file are read when nothing is known of its years yet."""
    window = None if reading.window == Window() else (reading.window.start, reading.window.end)
    reading = reading.for_file(file)
    return TimeContext(
        zone=reading.zone, zone_given=reading.zone_given, year=reading.year, reference=file.mtime, window=window
    )


def plan_years_of(file: LogFile, context: TimeContext) -> YearPlan | None:
    """The plan of years from every row of a file."""
    return plan_for(year_rows(file), context, _reference_name(file))


def _reference_name(file: LogFile) -> str:
    return "the gzip header's time" if "gzip" in file.container else "the file's time"


def _year_rows(file: LogFile) -> Iterable[tuple[int, bytes]]:
    """Rows enough to plan a file's years: from places all over a large plain file; all when a new year may begin in it."""
    if file.packed or file.size <= seek.SMALL:
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

    before = b""
    for block in read_blocks(file):
        data = np.frombuffer(block.data + b"\n" * 13, np.uint8)
        ends = np.flatnonzero(data[: len(block.data)] == 10)
        starts = np.concatenate([[0], ends + 1])
        starts = starts[starts < len(block.data)]
        heads = np.ascontiguousarray(data[starts[:, None] + np.arange(12)])
        whole = heads.view("S12").reshape(-1)
        changed = np.flatnonzero(np.concatenate([[True], whole[1:] != whole[:-1]]))
        for at in changed.tolist():
            begin = int(starts[at])
            row = block.data[begin : begin + 64].split(b"\n", 1)[0]
            if row[:12] != before:
                before = row[:12]
                yield block.line + at, row


class Stream:
    """The blocks of a packed file that can hold the window: those before it are only counted, it is left behind it."""

    def __init__(self, head: Head, wanted: Window, blocks: Iterator[Block]) -> None:
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
                tail = self._tail(before)
                self.lines -= tail.lines
                before = None
                yield tail
            yield block

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
        return replace(
            block, data=data[begin:], line=block.line + block.lines - lines, offset=block.original(begin), lines=lines,
            edits=((), ()),
        )  # fmt: skip


class _Disorder:
    """How far times go back in a stream, from samples of its blocks."""

    def __init__(self) -> None:
        self._latest: int | None = None
        self._worst = 0

    def see(self, block: Block, probe: seek.Probe) -> int | None:
        """The slack to allow for so far, None once times go back too far to leave anything out."""
        size = len(block.data)
        for at in range(0, size, max(1, size // 64)):
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


