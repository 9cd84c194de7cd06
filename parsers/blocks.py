"""Blocks of lines in, tables of events out: the parser of one file, fed in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .base import Event
from .rowwise import RowParser
from .tables import events_table
from .timestamps import TimeContext
from .years import YearPlan, plan_years, scan_years

if TYPE_CHECKING:
    import pyarrow as pa


class BlockParser(RowParser):
    """Reads one file block by block; `feed` answers the events that are complete, `finish` the one still open."""

    def feed(self, data: bytes, line: int, offset: int) -> pa.Table:
        """What `events` does, as a table: by columns where a kernel reads the format."""
        from .kernels.by_columns import parse_block

        return parse_block(self, data, line, offset)

    def feed_counted(self, data: bytes, line: int, offset: int) -> list[pa.Table]:
        """What `feed` does, for events that are only counted: in tables of no order, without what counting does not ask for.

        Where a table has a column `agent`, its rows are requests whose user agent stands there; `message` and `fields`
        are null, and `path` is dictionary-encoded.
        """
        from .kernels.by_columns import parse_counted

        self.counting = True
        return parse_counted(self, data, line, offset)

    def finish(self) -> pa.Table:
        """The event still open at the end of the file, and rows that waited, as a table."""
        return events_table(self.last_event())


def parse_lines(lines: Iterable[str | bytes], context: TimeContext | None = None) -> Iterator[Event]:
    """The events of the lines of one file, in order, for tests and small inputs.

    Each item is one physical line, with or without its line feed. Without a context, zone-less stamps are UTC and
    year-less ones have no time.
    """
    parser = BlockParser(context if context is not None else TimeContext())
    offset = 0
    for number, line in enumerate(lines, 1):
        row = line.encode("utf-8", "replace") if isinstance(line, str) else line
        row = row.removesuffix(b"\n")
        yield from parser.events(row + b"\n", number, offset)
        offset += len(row) + 1
    yield from parser.last_event()


def plan_for(
    lines: Iterable[tuple[int, bytes]], context: TimeContext, reference_name: str = "the file's time"
) -> YearPlan | None:
    """Scans a whole file's (line, row) pairs and sets the context's plan for its year-less rows; answers it with its reason."""
    hints = scan_years(lines)
    context.plan = plan_years(
        hints,
        year=context.year,
        window=context.window,
        reference=context.reference,
        reference_name=reference_name,
        told=context.told_year,
    )
    return context.plan
