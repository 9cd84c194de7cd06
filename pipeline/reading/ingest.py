"""Reads files into tables of events, block by block, and keeps account of every line.

One `Reader` reads one physical file: it knows the span that is wanted, which fate each line met, and what had to be
assumed. A table of a whole directory never exists: each table is one block's events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ...parsers.blocks import BlockParser
from ...parsers.detect import formats_with
from ...parsers.timestamps import TimeContext
from ...parsers.years import YearPlan, told_year
from ...parsers.zones import SHARED, offset_of
from ..reports import SourceReport
from ..window import Window
from .jumps import Jumps, piece_name, stretch_of
from .read import mended, read_blocks
from .rules import Reading

if TYPE_CHECKING:
    import pyarrow as pa

    from ...parsers.days import DayPlan
    from .logfile import LogFile
    from .reach import Reach
    from .read import Block
    from .unpack import ReadNote


#: What a report says of the zone where every row names its own.
ZONED = "in the line"


@dataclass(frozen=True, slots=True)
class Tally:
    """What reading a file, or a piece of it, came to: lines, events by kind and format, assumptions and fates."""

    lines: int
    counts: Counter[str]
    assumed: Counter[str]
    plan: YearPlan | None
    fates: Counter[str]
    first: int | None
    last: int | None
    how: str
    notes: tuple[str, ...]
    mended: Counter[str] = field(default_factory=Counter)
    jumps: Jumps = field(default_factory=Jumps)
    day: str = ""
    unit: str = ""

    @classmethod
    def added(cls, pieces: Sequence[Tally]) -> Tally:
        """The tally of pieces of one file, in their order."""
        firsts = [p.first for p in pieces if p.first is not None]
        lasts = [p.last for p in pieces if p.last is not None]
        return cls(
            sum(p.lines for p in pieces),
            sum((p.counts for p in pieces), Counter()),
            sum((p.assumed for p in pieces), Counter()),
            next((p.plan for p in pieces if p.plan is not None), None),
            sum((p.fates for p in pieces), Counter()),
            min(firsts, default=None),
            max(lasts, default=None),
            next((p.how for p in pieces if p.how), ""),
            tuple(note for p in pieces for note in p.notes),
            sum((p.mended for p in pieces), Counter()),
            Jumps.added([p.jumps for p in pieces]),
            next((p.day for p in pieces if p.day), ""),
            next((p.unit for p in pieces if p.unit), ""),
        )


@dataclass(slots=True)
class Reader:
    """Reads one file, or as much of it as `reach` says: iterate `tables()`, then ask `report()`."""

    file: LogFile
    source: str
    reading: Reading
    reach: Reach | None = None
    fates: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None
    notes: list[str] = field(default_factory=list)
    how: str = ""
    watch: Callable[[int, int], None] | None = None
    mended: Counter[str] = field(default_factory=Counter)
    counting: bool = False  # the tables are only counted: see `BlockParser.feed_counted`
    jumps: Jumps = field(default_factory=Jumps)
    day: str = ""  # of rows with a time of day alone: which day was taken, and why
    unit: str = ""  # of an access log that ends in whole numbers: what they were taken for, and why
    _parser: BlockParser | None = None
    _before: Block | None = None  # in which the event began that is still open
    _latest: Block | None = None  # the one before the block that is read
    _lines: int = 0
    _told: Counter[str] = field(default_factory=Counter)  # of a file that no parser reads, what one would count

    def tables(self) -> Iterator[pa.Table]:
        """The events of the wanted span, a table a block, with the columns `source` and `file` added."""
        from .reach import Head, Reach, Stream, context_of, plan_days_of, plan_years_of

        reach = self.reach = self.reach or Reach()
        if reach.unread:
            self._leave_out(0, self.file.size)
            return
        if self.file.columnar:
            yield from self._rows()
            return
        context = context_of(self.file, self.reading)
        head = reach.head or Head.of(self.file, self.reading)
        if head.yearless:
            context.told_year = told_year(enumerate(head.rows, 1))
            context.plan = head.years = reach.years or plan_years_of(self.file, context)
            head.context.plan = context.plan
        if head.daily:
            context.days = head.days = head.context.days = reach.days or plan_days_of(self.file, context)
            self.day = _day_note(context.days)
        order = reach.order or head.order
        if order is not None:
            context.order = head.context.order = order.order
            self.notes += [] if order.plain else [str(order)]
        unit = context.unit = reach.unit or head.unit
        self.unit = str(unit) if unit is not None else ""
        parser = self._parser = BlockParser(context, self.file.file, formats_with(self.reading.formats))
        if reach.start:
            parser.resume(head.parser)
            if reach.first_piece:
                self._pass_over(reach.first_line - 1)
        blocks = read_blocks(self.file, reach.start, stop=reach.stop, line=reach.first_line)
        stream = Stream(head, self.reading.wanted, blocks.glance()) if self.file.packed and self.reading.wanted != Window() else None
        for block in stream or blocks:
            if not self._lines and block.line > 1:
                parser.resume(head.parser)
            self._lines += block.lines
            if self.watch is not None:
                self.watch(len(block.data), block.lines)
            at = block.data, block.line, block.offset
            tables = parser.feed_counted(*at) if self.counting else [parser.feed(*at)]
            self._follow(tables)
            for table in tables:
                yield from self._kept(table, block)
            self._latest = replace(block, data=b"")
            if parser.open_line >= block.line:
                self._before = self._latest
        last = parser.finish()
        self._follow([last])
        yield from self._kept(last, None)
        if reach.stop is not None and reach.last_piece:
            self._leave_out(reach.stop, self.file.size)
        if stream is not None:
            self._pass_over(stream.lines)
            if stream.left:
                blocks.close()
                self.how = f"left behind the window after {self._lines:,} lines, the rest is not counted"
        self.notes += [note.text for note in blocks.notes if note.kind not in ("encoding", "hole")]
        self.mended = Counter(replaced=blocks.replaced, hole=blocks.hole)

    def _rows(self) -> Iterator[pa.Table]:
        """The events of a file whose rows are events; of those that name the log they came from, that is the source."""
        from .columnar import tables

        notes: list[ReadNote] = []
        reading = self.reading.for_file(self.file)
        context = TimeContext(zone=reading.zone, zone_given=reading.zone_given, year=reading.year)
        for table in tables(partial(self.file.open_columns, notes), context, notes):
            self._lines += table.num_rows
            if self.watch is not None:
                self.watch(0, table.num_rows)
            told = table["format"].value_counts().to_pylist()
            self._told.update({"events": table.num_rows} | {f"format:{item['values'] or 'unknown'}": item["counts"] for item in told})
            self._told["undated"] += table["time"].null_count
            for part in self._kept(table, None):
                if "own_source" in part.column_names:
                    part = part.set_column(part.schema.get_field_index("source"), "source", part["own_source"]).drop_columns(["own_source"])
                yield part
        self.notes += [note.text for note in notes]

    def _pass_over(self, lines: int) -> None:
        """Counts lines that lie outside the window and are not parsed."""
        self._lines += lines
        self.fates["outside"] += lines

    def _leave_out(self, start: int, stop: int) -> None:
        """Accounts for bytes that are not read: their lines are counted where that only takes looking for line ends."""
        if self.reading.count and not self.file.packed and "://" not in self.file.path and start < stop:
            from .seek import count_lines

            try:
                self._pass_over(count_lines(self.file, start, stop))
            except OSError as error:
                self.notes.append(f"it could not be opened ({error.strerror or error})")

    def _follow(self, tables: Sequence[pa.Table]) -> None:
        """Looks for jumps in the times of a block's events, as far as they are only counted: nobody else asks."""
        if not self.counting:
            return
        import numpy as np
        import pyarrow.compute as pc

        from ...parsers.arrays import values

        seen = [(values(dated["line"]), values(dated["time"])) for t in tables if t.num_rows for dated in [t if not t["time"].null_count else t.filter(pc.is_valid(t["time"]))]]
        if seen:
            lines, times = (np.concatenate(column) if len(seen) > 1 else column[0] for column in zip(*seen, strict=True))
            self.jumps.see(lines, times)

    def _kept(self, table: pa.Table, block: Block | None) -> Iterator[pa.Table]:
        """The part of a table that is wanted, after its lines' fates are counted."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from ...parsers.arrays import flags, numbers, texts, values

        if table.num_rows == 0:
            return
        table = self._in_file(table, block)
        dated = pc.is_valid(table["time"])
        known = values(dated)
        time = np.where(known, values(table["time"]), 0)
        inside, wanted = (known & _within(time, w) for w in (self.reading.window, self.reading.wanted))
        lines = values(table["lines"])
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
        part = table if keep.all() else table.filter(flags(keep))
        sources, stretch = [self.source], np.zeros(part.num_rows, np.int32)
        if cuts := self.reach.cuts if self.reach is not None else ():
            sources = [piece_name(self.source, n) for n in range(len(cuts) + 1)]
            stretch = stretch_of(cuts, values(part["line"]), time[keep])
        for name, known_names, index in (("source", sources, stretch), ("file", [self.file.file], np.zeros(part.num_rows, np.int32))):
            part = part.append_column(name, pa.DictionaryArray.from_arrays(numbers(index), texts(known_names)))
        rule = self.reading.rule(self.file)
        for name, stated in (("host", rule.host), ("service", rule.service)) if rule is not None else ():
            if stated is not None:
                known = pc.fill_null(part[name].cast(pa.string()), stated).dictionary_encode()
                part = part.set_column(part.schema.get_field_index(name), name, known)
        yield part

    def _in_file(self, table: pa.Table, block: Block | None) -> pa.Table:
        """A block's events (None: the one still open after the last block) with offsets and sizes in bytes of the file.

        The parser has them in the text that was mended. Of an event that goes on, the block it began in tells where it
        begins, and the block that holds its last line where it ends.
        """
        if not any(one is not None and one.edits[0] for one in (block, self._before, self._latest)):
            return table
        import numpy as np

        from ...parsers.arrays import numbers, values

        first = block.line if block is not None else 1 << 62
        lines, offset = values(table["line"]), values(table["offset"])
        begin = _moved(offset, lines < first, block, self._before)
        end = _moved(offset + values(table["size"]), lines + values(table["lines"]) - 1 < first, block, self._latest)
        for name, moved in (("offset", begin), ("size", (end - begin).astype(np.int32))):
            table = table.set_column(table.schema.get_field_index(name), name, numbers(moved))
        return table

    def tally(self) -> Tally:
        """What was read and assumed, once `tables` is exhausted, as counts that add up."""
        parser = self._parser
        return Tally(
            self._lines,
            parser.counts if parser else self._told,
            parser.context.counts if parser else Counter(),
            parser.context.plan if parser else None,
            self.fates,
            self.first,
            self.last,
            self.how,
            tuple(self.notes),
            self.mended,
            self.jumps,
            self.day,
            self.unit,
        )

    def report(self, pieces: Sequence[Tally] = ()) -> SourceReport:
        """What was read and assumed: by this reader, or by those that read the pieces of its file."""
        from .reach import Reach, format_of

        tally = Tally.added(pieces or [self.tally()])
        counts = tally.counts
        context = TimeContext(year=self.reading.for_file(self.file).year, plan=tally.plan, counts=tally.assumed)
        reach = self.reach or Reach()
        repairs = mended(tally.mended["replaced"], tally.mended["hole"])  # of all pieces together
        return SourceReport(
            file=self.file.file,
            source=self.source,
            format=format_of(counts) if counts else reach.format,
            container=self.file.container,
            lines=tally.lines,
            events=counts["events"],
            unparsed=counts["unparsed"],
            fates={k: tally.fates[k] for k in ("in_window", "outside", "undated", "continued")},
            first=tally.first if reach.first is None else min(reach.first, tally.first or reach.first),
            last=tally.last if reach.last is None else max(reach.last, tally.last or reach.last),
            zone=_zone_note(context, self.reading.for_file(self.file)),
            year=_year_note(context),
            day=tally.day,
            unit=tally.unit,
            skipped=reach.unread,
            how=tally.how or reach.why,
            notes=tuple(dict.fromkeys([*reach.notes, *tally.notes, *(note.text for note in repairs), *_word_notes(context)])),
            jumps=tuple((jump.line, jump.before, jump.after) for jump in tally.jumps.all()),
        )


def _moved(place: Any, earlier: Any, block: Block | None, before: Block | None) -> Any:
    """Places in the text as offsets in the file: by `before` where they are of an earlier block, else by `block`."""
    import numpy as np

    out = place
    for told, rows in ((block, ~earlier), (before, earlier)):
        if told is not None and told.edits[0] and rows.any():
            ends, ahead = (np.array(edit, np.int64) for edit in told.edits)
            shift = np.append(0, ahead)[np.searchsorted(ends, place - told.offset, "right")]  # as `Block.original` has it
            out = np.where(rows, place + shift, out)
    return out


def _within(time: Any, window: Window) -> Any:
    import numpy as np

    inside = np.ones(len(time), np.bool_)
    if window.start is not None:
        inside &= time >= window.start
    if window.end is not None:
        inside &= time < window.end
    return inside


def _zone_note(context: TimeContext, reading: Reading) -> str:
    counts = context.counts
    if not counts["zone_less"]:
        return ZONED if counts["own_offset"] or counts["epoch"] else ""
    note = f"{reading.zone_from} {reading.zone_name}" if reading.zone_given else "assumed UTC (no --tz was given)"
    if counts["doubled_hour"]:
        note += f"; {counts['doubled_hour']} stamps lie in the hour that happens twice, {counts['doubled_hour_second']} of them were taken as the second pass"
    if counts["skipped_hour"]:
        note += f"; {counts['skipped_hour']} stamps lie in an hour that did not happen"
    return note


def _word_notes(context: TimeContext) -> list[str]:
    """What the zone words were taken for that programs in very different zones write."""
    notes = []
    for word, writers in SHARED.items():
        if many := context.counts[f"word:{word}"]:
            minutes = (offset_of(word) or 0) // 60
            taken = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
            notes.append(f"{word} in {many:,} stamps is read as {taken}; {writers} write it, and --tz with the zone that is meant decides")
    return notes


def _day_note(plan: DayPlan | None) -> str:
    if plan is None:
        return "not known: rows have a time of day alone"
    first = datetime.fromtimestamp(plan.days[0] * 86_400, UTC)
    steps = f", {len(plan.steps)} times a new day" if plan.steps else ""
    return f"{first:%Y-%m-%d}, {plan.reason}{steps}"


def _year_note(context: TimeContext) -> str:
    if not context.counts["year_less"]:
        return ""
    if context.plan is not None:
        steps = f", {len(context.plan.steps)} times a new year" if context.plan.steps else ""
        return f"{context.plan.first_year}, {context.plan.reason}{steps}"
    return "followed row by row" if context.year is None else f"{context.year}, as stated"
