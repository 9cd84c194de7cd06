"""Reads a block of rows by columns where a kernel is sure of them, and row by row where it is not.

The table is the one that reading row by row gives: a kernel names the rows that it is sure begin an event of the format
that spoke last in the file; rows that can only go on an event are joined to it by position; every other row, and every event
that such a row might belong to, goes the long way. So `rows by columns + rows one by one == lines` of the block.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

from ..arrays import numbers, values
from ..base import Event, Format, event_schema
from ..detect import may_start, start_indented
from ..rowwise import RowParser
from ..tables import events_table
from .choose import kernel_of
from .kernel import Found, Kernel, constant
from .rows import Mask, Positions, Rows, Unsure, follow
from .said import with_said

#: Blocks below this size are not worth a kernel's set-up.
SMALL = 1 << 14
#: Events with more text than this are cut by the parser.
MESSAGE_LIMIT = 1 << 20
_WARM = (12, 80)  # rows read one by one where the format is not known yet: most logs tell it at once, text of no format later
_RESTING = 4  # blocks that are read one by one after a kernel was of no use
_FEW = 5000  # rows that say little about the blocks to come


def parse_block(parser: RowParser, data: bytes, line: int, offset: int) -> pa.Table:
    """The events completed by these whole lines; see `BlockParser.feed`."""
    table, done = _parsed(parser, data, line, offset)
    return events_table(done) if table is None else _interleaved(table, done)


def parse_counted(parser: RowParser, data: bytes, line: int, offset: int) -> list[pa.Table]:
    """The events completed by these whole lines, as far as counting asks; see `BlockParser.feed_counted`."""
    table, done = _parsed(parser, data, line, offset)
    return [*([] if table is None else [table]), *([events_table(done)] if done else [])]


def _parsed(parser: RowParser, data: bytes, line: int, offset: int) -> tuple[pa.Table | None, list[Event]]:
    """What was read by columns, and what was read row by row."""
    if len(data) < SMALL or parser.resting:
        parser.resting = max(0, parser.resting - 1)
        return None, parser.events(data, line, offset)
    rows = Rows(data)
    done: list[Event] = []
    first = 0
    for warm in _WARM:
        if kernel_of(parser) is None:
            begin, first = first, min(warm, len(rows))
            _one_by_one(parser, rows, begin, first, line, offset, done)
    kernel = kernel_of(parser)
    if kernel is not None and first < len(rows):
        try:
            return _by_columns(parser, kernel, rows, first, line, offset, done), done
        except Unsure:
            parser.resting = _RESTING if len(rows) > _FEW else 0
    _one_by_one(parser, rows, first, len(rows), line, offset, done)
    return None, done


def _one_by_one(
    parser: RowParser, rows: Rows, first: int, stop: int, line: int, offset: int, done: list[Event]
) -> None:
    if first < stop:
        begin = int(rows.start[first])
        end = int(rows.start[stop]) if stop < len(rows) else len(rows.text)
        done += parser.events(rows.text[begin:end], line + first, offset + begin)


def _event_by_event(
    parser: RowParser, rows: Rows, heads: Positions, after: Positions, line: int, offset: int, done: list[Event]
) -> None:
    """`_one_by_one` for rows (`heads`) that may begin an event, each with the rows up to `after` that only go on one."""
    if rows.returned or rows.text[-1:] != b"\n":
        _one_by_one(parser, rows, int(heads[0]), int(after[-1]), line, offset, done)
        return
    first = int(heads[0])
    for head, stop in zip(heads.tolist(), after.tolist(), strict=True):
        if stop == head + 1:
            continue  # rows that nothing goes on are read together with the next
        _one_by_one(parser, rows, first, head + 1, line, offset, done)
        begin = int(rows.start[head + 1])
        end = int(rows.start[stop]) if stop < len(rows) else len(rows.text)
        done += parser.events_joined(rows.text[begin:end], line + head + 1, offset + begin)
        first = stop
    _one_by_one(parser, rows, first, int(after[-1]), line, offset, done)


def _by_columns(
    parser: RowParser, kernel: Kernel, rows: Rows, first: int, line: int, offset: int, done: list[Event]
) -> pa.Table | None:
    """The events that the kernel reads, None for none; all others go to `done`."""
    form = parser.detector.favourites[0]
    odd = rows.odd()
    lead = rows.data[np.minimum(rows.start, len(rows.data) - 1)]
    blank = (rows.size == 0) | (rows.end == rows.start) | (lead == 32) | (lead == 9)
    candidates = ~odd & ~blank
    candidates[:first] = False
    found = kernel.find(rows, candidates, form, parser, line)
    sure = np.zeros(len(rows), np.bool_)
    sure[found.rows] = True
    goes_on = _goes_on(parser, rows, sure, odd, blank) if kernel.joins else np.zeros(len(rows), np.bool_)
    goes_on[:first] = False
    if len(found.rows) * 10 < len(rows) - first - np.count_nonzero(goes_on):
        raise Unsure("few rows are of this format")
    heads = np.flatnonzero(~goes_on)  # rows that begin an event, or may
    heads = heads[heads >= first]
    after = np.append(heads[1:], len(rows))
    place = np.full(len(rows), -1)
    place[found.rows] = np.arange(len(found.rows))
    ends = rows.end[after[sure[heads]] - 1]
    settled = found.settle(ends) & (ends - rows.start[found.rows] <= MESSAGE_LIMIT)
    if rows.returned:  # what goes on would carry its CR into the message
        settled &= (after - heads)[sure[heads]] == 1
    fast = sure[heads]
    fast[fast] = settled
    fast[:-1] &= (sure | found.begins)[heads[1:]]  # an event that a doubtful row follows may go on in it
    fast[-1] = False  # the last one may go on in the next block
    picked = _run(parser, form, found, rows, heads, after, place, fast, first, line, offset, done)
    if not len(picked):
        return None
    at = place[heads[picked]]
    last = after[picked] - 1
    columns = found.columns(at)
    if "message" in columns:
        columns = with_said(columns)
    start = rows.start[heads[picked]]
    columns |= {
        "time": numbers(found.stamps.time[at]).cast(pa.timestamp("us", tz="UTC")),
        "line": numbers(line + heads[picked]),
        "lines": numbers((after[picked] - heads[picked]).astype(np.int32)),
        "offset": numbers(offset + start),
        "size": numbers((rows.start[last] + rows.size[last] - start).astype(np.int32)),
        "format": constant(found.named(form), len(picked)),
    }
    # a kernel may encode more than an event table does, and add what stands for a column, where events are only counted
    columns = {f.name: columns.get(f.name) if f.name in columns else pa.nulls(len(picked), f.type) for f in event_schema()} | columns
    table = pa.Table.from_arrays(list(columns.values()), names=list(columns))
    taken = int((after[picked] - heads[picked]).sum())
    parser.counts.update({"lines": taken, "events": len(picked), f"format:{found.named(form)}": len(picked)})
    parser.context.counts.update(found.stamps.count(at))
    return table


def _run(
    parser: RowParser, form: Format, found: Found, rows: Rows, heads: Positions, after: Positions, place: Positions,
    fast: Mask, first: int, line: int, offset: int, done: list[Event],
) -> Positions:  # fmt: skip
    """Reads all but the fast events one by one, in order, with the parser in the state that reading all would leave it in.

    Answers which events (places in `heads`) were left to the kernel: a fast one is read one by one as well where the
    event before it could take it, or the formats would be asked in another order.
    """
    if not len(heads):
        _one_by_one(parser, rows, first, len(rows), line, offset, done)
        return heads
    _one_by_one(parser, rows, first, int(heads[0]), line, offset, done)
    picked: list[Positions] = []
    edges = np.flatnonzero(np.diff(fast.astype(np.int8))) + 1
    bounds = [0, *edges.tolist(), len(heads)]
    for begin, stop in pairwise(bounds):
        if fast[begin]:
            while begin < stop and not (parser.ready_for(form, rows.row_text(int(heads[begin]))) and found.ready(parser)):
                _event_by_event(parser, rows, heads[begin : begin + 1], after[begin : begin + 1], line, offset, done)
                begin += 1
            if begin < stop:
                done += parser.last_event()
                picked.append(np.arange(begin, stop))
                follow(parser.context, rows, found.stamps, int(place[heads[stop - 1]]))
                found.passed(parser, place[heads[begin:stop]])
                parser.passed(form, stop - begin, int(found.stamps.time[place[heads[stop - 1]]]))
        else:
            _event_by_event(parser, rows, heads[begin:stop], after[begin:stop], line, offset, done)
    return np.concatenate(picked) if picked else heads[:0]


def _goes_on(parser: RowParser, rows: Rows, sure: Mask, odd: Mask, blank: Mask) -> Mask:
    """Rows that begin no event whatever stands before them: indented or empty, or without anything a time could be."""
    doubtful = np.flatnonzero(~sure & ~odd & ~blank)
    mask = blank & ~odd
    indented = np.flatnonzero(mask & (rows.end > rows.start))
    if len(indented):
        begun = rows.cut(rows.start[indented], np.minimum(rows.end[indented], rows.start[indented] + 60))
        mask[indented] = ~values(start_indented(begun))
    if len(doubtful) and not parser.detector.own:  # own formats may begin with anything
        begun = rows.cut(rows.start[doubtful], np.minimum(rows.end[doubtful], rows.start[doubtful] + 400))
        started = values(may_start(begun))
        mask[doubtful] = ~started
    return mask


def _interleaved(table: pa.Table, done: list[Event]) -> pa.Table:
    """The kernel's events and the others in order of their lines."""
    if not done:
        return table
    others = events_table(done)
    lines, other_lines = values(table["line"]), values(others["line"])
    if other_lines[-1] < lines[0]:
        return pa.concat_tables([others, table])
    if lines[-1] < other_lines[0]:
        return pa.concat_tables([table, others])
    both = pa.concat_tables([table, others]).unify_dictionaries().combine_chunks()
    return both.take(numbers(np.argsort(np.concatenate([lines, other_lines]), kind="stable")))
