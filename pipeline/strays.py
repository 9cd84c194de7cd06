"""Logs whose stamps all lie outside the window: are they of another time, or of a clock that is hours off?

A clock set to the wrong zone moves a whole host's logs past a window of minutes, and with them the cause. So logs that
lie within a day of the window, and of which no part touches it, are read as well, compared with the others, and kept
when the offset found for their clock brings them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from .clock import SECOND, estimated
from .reach import Reach
from .summary import Summary, merge
from .window import Window

if TYPE_CHECKING:
    from .engine import Job
    from .offsets import Offset

#: How far off a clock may be and still be looked for, and how many bytes (as stored) are read for that in all.
FAR = 26 * 3600 * SECOND
MOST_BYTES = 64 << 20


def strays(planned: Sequence[Job], window: Window) -> list[Job]:
    """Jobs that read the logs which lie near the window, but wholly outside of it, from start to end."""
    if window.start is None or window.end is None:
        return []
    by_source: dict[str, list[Job]] = {}
    for job in planned:
        by_source.setdefault(job.source, []).append(job)
    out: list[Job] = []
    for jobs in by_source.values():
        if all(_near(job.reach, window) for job in jobs):
            out += [replace(job, reach=Reach(), reading=replace(job.reading, wanted=Window())) for job in jobs]
    return out if sum(job.file.size for job in out) <= MOST_BYTES else []


def _near(reach: Reach | None, window: Window) -> bool:
    """Whether a part is left unread for lying outside the window, but no further than a wrong clock can move it."""
    if reach is None or not reach.unread.startswith("outside") or reach.first is None:
        return False
    first, last = reach.first, reach.last if reach.last is not None else reach.first
    if window.start is None or window.end is None:
        return False
    return first - FAR < window.end and last + FAR > window.start


def adopted(summary: Summary, far: Summary, window: Window) -> tuple[Summary, set[str], dict[str, Offset]]:
    """The summary with those logs whose clocks are found to be off, their sources, and all offsets estimated."""
    apart = {source: f"far:{source.split('/', 1)[0]}" for source in set(far.table("seconds")["source"].to_pylist())}
    together = merge([summary, far])
    offsets = estimated(together, apart)
    kept = {s for s in apart if s in offsets and offsets[s].sure and _comes_in(far, s, offsets[s].seconds, window)}
    mine = {name: table.filter(pc.is_in(table["source"], value_set=pa.array(sorted(kept), pa.string()))) for name, table in far.tables.items()}
    part = Summary({n: t for n, t in mine.items() if t.num_rows}, far.levels)
    return merge([summary, part]), kept, {s: o for s, o in offsets.items() if s in kept or s not in apart}


def _comes_in(far: Summary, source: str, offset: float, window: Window) -> bool:
    """Whether the source's events touch the window once the offset is taken off."""
    table = far.table("seconds")
    second = table.filter(pc.equal(table["source"], source))["second"].to_numpy() - offset
    start, end = window.start or 0, window.end or 0
    return bool(len(second)) and second.min() * SECOND < end and second.max() * SECOND >= start
