"""Reads files into tables of events, block by block, and keeps account of every line.

One `Reader` reads one physical file: it knows the span that is wanted, which fate each line met, and what had to be
assumed. A table of a whole directory never exists: each table is one block's events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from ..parsers.blocks import BlockParser, plan_for
from ..parsers.timestamps import TimeContext
from ..parsers.years import yearless_stamp
from .findings import SourceReport
from .read import read_blocks
from .window import Window

if TYPE_CHECKING:
    import pyarrow as pa

    from .read import Block
    from .sources import LogFile

#: Bytes of a file that are looked at to learn what it is.
HEAD = 256 << 10


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: the window events are wanted in, the zone and year of stamps that name none.

    `wanted` is the span that tables are cut to (the window and a baseline around it; a window without ends wants all).
    `zone_given` tells a stated zone from the default, which is UTC.
    """

    window: Window = field(default_factory=Window)
    wanted: Window = field(default_factory=Window)
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    zone_given: bool = False
    year: int | None = None
    undated: bool = False  # keep events without a time (only when no window is asked for)


@dataclass(slots=True)
class Reader:
    """Reads one file: iterate `tables()`, then ask `report()`."""

    file: LogFile
    source: str
    reading: Reading
    fates: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None
    notes: list[str] = field(default_factory=list)
    _parser: BlockParser | None = None
    _lines: int = 0

    def tables(self) -> Iterator[pa.Table]:
        """The events of the wanted span, a table a block, with the columns `source` and `file` added."""
        context = self._context()
        parser = self._parser = BlockParser(context, self.file.file)
        blocks = read_blocks(self.file)
        for block in blocks:
            self._lines += block.lines
            yield from self._kept(parser.feed(block.data, block.line, block.offset), block)
        yield from self._kept(parser.finish(), None)
        self.notes += [note.text for note in blocks.notes]

    def _context(self) -> TimeContext:
        reading = self.reading
        context = TimeContext(
            zone=reading.zone,
            zone_given=reading.zone_given,
            year=reading.year,
            reference=self.file.mtime,
            window=None if reading.window == Window() else (reading.window.start, reading.window.end),
        )
        if _yearless(self.file):
            plan_for(_rows(self.file), context, "the gzip header's time" if "gzip" in self.file.container else "the file's time")
        return context

    def _kept(self, table: pa.Table, block: Block | None) -> Iterator[pa.Table]:
        """The part of a table that is wanted, after its lines' fates are counted."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if table.num_rows == 0:
            return
        if block is not None and block.edits[0]:
            offsets = [block.original(o - block.offset) if o >= block.offset else o for o in table["offset"].to_pylist()]
            table = table.set_column(table.schema.get_field_index("offset"), "offset", pa.array(offsets, pa.int64()))
        dated = pc.is_valid(table["time"])
        time = pc.fill_null(table["time"].cast(pa.int64()), 0).to_numpy()
        known = dated.to_numpy()
        inside, wanted = (known & _within(time, w) for w in (self.reading.window, self.reading.wanted))
        lines = table["lines"].to_numpy()
        self.fates["in_window"] += int(inside.sum())
        self.fates["undated"] += int((~known).sum())
        self.fates["outside"] += int((known & ~inside).sum())
        self.fates["continued"] += int(lines.sum()) - len(lines)
        if known.any():
            self.first = min(x for x in (self.first, int(time[known].min())) if x is not None)
            self.last = max(x for x in (self.last, int(time[known].max())) if x is not None)
        keep = wanted | (~known & self.reading.undated)
        if not keep.any():
            return
        part = table if keep.all() else table.filter(pa.array(keep))
        for name, value in (("source", self.source), ("file", self.file.file)):
            column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(part.num_rows, np.int32)), pa.array([value]))
            part = part.append_column(name, column)
        yield part

    def report(self) -> SourceReport:
        """What was read and assumed, once `tables` is exhausted."""
        parser = self._parser
        counts = parser.counts if parser else Counter[str]()
        context = parser.context if parser else TimeContext()
        formats = [(n, k.removeprefix("format:")) for k, n in counts.items() if k.startswith("format:") and k != "format:unknown"]
        return SourceReport(
            file=self.file.file,
            source=self.source,
            format=max(formats, default=(0, "unknown"))[1],
            container=self.file.container,
            lines=self._lines,
            events=counts["events"],
            unparsed=counts["unparsed"],
            fates={k: self.fates[k] for k in ("in_window", "outside", "undated", "continued")},
            first=self.first,
            last=self.last,
            zone=_zone_note(context, self.reading),
            year=_year_note(context),
            notes=tuple(dict.fromkeys(self.notes)),
        )


def _within(time, window: Window):  # type: ignore[no-untyped-def]  # numpy arrays; numpy is not imported at start-up
    inside = time == time
    if window.start is not None:
        inside &= time >= window.start
    if window.end is not None:
        inside &= time < window.end
    return inside


def _rows(file: LogFile) -> Iterator[tuple[int, bytes]]:
    """(line, row) of a file, only where the first bytes differ from the row before: enough to follow its days."""
    before = b""
    for block in read_blocks(file):
        line = block.line
        for row in block.data.split(b"\n"):
            if row[:12] != before:
                before = row[:12]
                yield line, row
            line += 1


def _yearless(file: LogFile) -> bool:
    """Whether stamps without a year are among the first rows."""
    for block in read_blocks(file, block_size=HEAD):
        return any(yearless_stamp(row) is not None for row in block.data.split(b"\n")[:200])
    return False


def _zone_note(context: TimeContext, reading: Reading) -> str:
    counts = context.counts
    if not counts["zone_less"]:
        return "in the line" if counts["own_offset"] or counts["epoch"] else ""
    note = f"--tz {reading.zone_name}" if reading.zone_given else "assumed UTC (no --tz was given)"
    if counts["doubled_hour"]:
        note += f"; {counts['doubled_hour']} stamps lie in the hour that happens twice, {counts['doubled_hour_second']} of them were taken as the second pass"
    if counts["skipped_hour"]:
        note += f"; {counts['skipped_hour']} stamps lie in an hour that did not happen"
    return note


def _year_note(context: TimeContext) -> str:
    if not context.counts["year_less"]:
        return ""
    if context.plan is not None:
        steps = f", {len(context.plan.steps)} times a new year" if context.plan.steps else ""
        return f"{context.plan.first_year}, {context.plan.reason}{steps}"
    return "followed row by row" if context.year is None else f"{context.year}, as stated"
