"""Logs whose stamps all lie outside the window: are they of another time, or of a clock that is hours off?

A clock set to the wrong zone moves a whole host's logs past a window of minutes, and with them the cause. So logs that
lie within a day of the window, and of which no part touches it, are read as well, compared with the others, and kept
when the offset found for their clock brings them in. A program may also write UTC without saying so, beside others that write
local time: its log is known by ending when all others end, once it is read so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ...counting.counts import merge
from ...counting.summary import Summary
from ...reading.reach import Reach
from ...window import Window
from .clock import SECOND, estimated
from .offsets import IN_UTC, Offset

if TYPE_CHECKING:
    from collections.abc import Collection

    from ...counting.jobs import Job

#: How far off a clock may be and still be looked for, and how many bytes (as stored) are read for that in all.
FAR = 26 * 3600 * SECOND
MOST_BYTES = 64 << 20
#: How near the ends of logs lie that were collected together, and how many events a log must have for its end to say anything.
TOGETHER = 5 * 60
LEAST = 5


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


def far_clock(source: str) -> str:
    """The clock of a log that lies outside of the window: not taken for that of the others beside it."""
    return f"far:{source.split('/', 1)[0]}"


def _near(reach: Reach | None, window: Window) -> bool:
    """Whether a part is left unread for lying outside the window, but no further than a wrong clock can move it."""
    if reach is None or not reach.unread.startswith("outside") or reach.first is None:
        return False
    first, last = reach.first, reach.last if reach.last is not None else reach.first
    if window.start is None or window.end is None:
        return False
    return first - FAR < window.end and last + FAR > window.start


def adopted(
    summary: Summary, far: Summary, window: Window, zoneless: Collection[str] = (), ahead: float = 0.0, end: float | None = None
) -> tuple[Summary, set[str], dict[str, Offset]]:  # fmt: skip
    """The summary with those logs whose clocks are found to be off, their sources, and all offsets estimated.

    `zoneless` are those whose rows name no zone; they were read in one that is `ahead` seconds from UTC. `end` is when the
    last of the other logs ends, in seconds.
    """
    apart = {source: far_clock(source) for source in set(far.table("seconds")["source"].to_pylist())}
    together = merge([summary, far])
    offsets = estimated(together, apart)
    for source in sorted(set(zoneless) & set(apart)):
        if end is None or not ahead:
            break
        if not (source in offsets and offsets[source].sure) and _ends_at(far, source, end - ahead):
            offsets[source] = Offset(-ahead, 0.0, 0.0, 0, IN_UTC, sure=True)
    kept = {s for s in apart if s in offsets and offsets[s].sure and _comes_in(far, s, offsets[s].seconds, window)}
    mine = {name: table.filter(pc.is_in(table["source"], value_set=pa.array(sorted(kept), pa.string()))) for name, table in far.tables.items()}
    part = Summary({n: t for n, t in mine.items() if t.num_rows}, far.levels)
    return merge([summary, part]), kept, {s: o for s, o in offsets.items() if s in kept or s not in apart}


def _ends_at(far: Summary, source: str, end: float) -> bool:
    """Whether a log ends then, as far as logs collected together do."""
    table = far.table("seconds")
    table = table.filter(pc.equal(table["source"], source))
    if sum(table["events"].to_pylist()) < LEAST:
        return False
    return abs(float(pc.max(table["second"]).as_py()) - end) <= TOGETHER


def _comes_in(far: Summary, source: str, offset: float, window: Window) -> bool:
    """Whether the source's events touch the window once the offset is taken off."""
    table = far.table("seconds")
    second = table.filter(pc.equal(table["source"], source))["second"].to_numpy() - offset
    start, end = window.start or 0, window.end or 0
    return bool(len(second)) and second.min() * SECOND < end and second.max() * SECOND >= start
