"""Looks at the outages of a long window again, to the second: where much was read, seconds are counted together in wide bins.

A day of a busy log, or an hour of a fleet, outgrows the tables of a summary, and their bins widen for all of it. An outage is
seen in wide bins too; but when it began, what failed and what was said just before is in the seconds. So the part around each
outage is counted once more by itself, which its few minutes have room for, and what is told of the outage comes from that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from ...counting.summary import LAYOUTS, Summary
from ...window import Window
from ..traffic import SECOND, Span, extent
from .bounds import touches

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Counts the events of a short window, and of the baseline around it, once more.
Again = Callable[[Window], Summary]

#: What is looked at on either side of an outage, beside the bins that its ends lie in.
AROUND = 5 * 60 * SECOND
#: What is read around that as a baseline, at most; parts that come as near are one.
BASELINE = 25 * 60 * SECOND
#: Parts that are more of the whole than this together are not worth to be read again.
MOST = 0.5
#: The tables whose rows are single events with times of their own, so that rows from bins of different widths can stand together.
_SINGLE = ("failures", "patterns")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what was read: its window in true time, and its own summary."""

    window: Window
    summary: Summary


def parts(summary: Summary, spans: Sequence[Span], again: Again) -> list[Part]:
    """The parts of a summary around outages, counted again in finer bins; none where its bins are as fine already.

    `spans` are what was found in the summary. That an outage shows in its part as well is for the caller to see.
    """
    whole = extent(summary)
    outages = [s for s in spans if not s.is_blip]
    if whole is None or not outages or not any(_levels(summary).values()):
        return []
    ends = ((s.onset.earliest, s.recovery.latest if s.recovery else s.end) for s in outages)
    windows = _joined(ends, SECOND * max(summary.width(name) for name in _SINGLE))
    if sum(last - first + BASELINE for first, last in map(_ends, windows)) > MOST * (whole[1] - whole[0]) * SECOND:
        return []
    found = [Part(window, again(window)) for window in windows]
    return [part for part in found if _finer(part.summary, summary)]


def belongs(span: Span, parts: Sequence[Part]) -> bool:
    """Whether a span found in the whole lies in one of the parts, which tell more of it."""
    return any(touches(span, part.window) for part in parts)


def with_parts(summary: Summary, parts: Sequence[Part]) -> Summary:
    """The summary with the single events of the parts (`failures`, `patterns`) in place of its own from these times."""
    tables = dict(summary.tables)
    for name in _SINGLE:
        table = summary.table(name)
        for part in parts:
            table = pa.concat_tables([_cut(table, part.window, inside=False), _cut(part.summary.table(name), part.window, inside=True)])
        if table.num_rows:
            tables[name] = table
    return replace(summary, tables=tables)


def _cut(table: pa.Table, window: Window, inside: bool) -> pa.Table:
    """The rows whose bins begin in the window, or those whose bins do not; it begins and ends where bins do."""
    first, last = _ends(window)
    second = table["second"].to_numpy() * SECOND
    return table.filter(pa.array(((second >= first) & (second < last)) == inside))


def _joined(ends: Iterable[tuple[int, int]], width: int) -> list[Window]:
    """Windows around these times, those that come near to each other made one; they begin and end at multiples of `width`."""
    out: list[tuple[int, int]] = []
    for first, last in sorted((first - AROUND, last + AROUND) for first, last in ends):
        first, last = first - first % width, last + -last % width
        if out and first - out[-1][1] <= BASELINE:
            out[-1] = out[-1][0], max(out[-1][1], last)
        else:
            out.append((first, last))
    return [Window(first, last) for first, last in out]


def _finer(part: Summary, whole: Summary) -> bool:
    mine = _levels(part)
    return any(mine.get(name, 0) < level for name, level in _levels(whole).items())


def _levels(summary: Summary) -> dict[str, int]:
    """How coarse the tables are that count by time."""
    return {name: level for name, level in summary.levels.items() if "second" in LAYOUTS[name].keys}


def _ends(window: Window) -> tuple[int, int]:
    assert window.start is not None
    assert window.end is not None
    return window.start, window.end
