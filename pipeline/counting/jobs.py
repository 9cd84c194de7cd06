"""What is to be read, cut to batches of work, and what counting one of them gives: the whole map step."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ..reading.ingest import Reader, Tally
from ..reading.rules import Reading

if TYPE_CHECKING:
    from ..reading.logfile import LogFile
    from ..reading.reach import Reach
    from .counts import Counts
    from .held import Held

#: Bytes of text in a byte of a packed file, about.
_PACKED = 8

#: Told of bytes and lines as they are read.
Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One file to be summarised, or a piece of one, and how it is read."""

    file: LogFile
    source: str
    reading: Reading
    reach: Reach | None = None

    @property
    def size(self) -> int:
        """About how many stored bytes are read for it."""
        if self.reach is None:
            return self.file.size
        stop = self.file.size if self.reach.stop is None else self.reach.stop
        return 0 if self.reach.unread else max(0, stop - self.reach.start)

    @property
    def text(self) -> int:
        """About how many bytes of text it holds."""
        return self.size * _PACKED if self.file.packed else self.size

    @property
    def elsewhere(self) -> bool:
        """Whether another process can read it: what lies in a temporary file of this one, or was declared in it, cannot."""
        spooled = self.file.path == "-" or any(step.is_member for step in self.file.steps[1:])
        return not spooled and not self.reading.formats


@dataclass(frozen=True, slots=True)
class Engine:
    """Where work is done: `kind` "local" (in `workers` processes) or "dask" (`scheduler`: its address, "" starts one here)."""

    kind: str = "local"
    workers: int = 0  # 0: one a processor
    scheduler: str = ""

    @property
    def processes(self) -> int:
        """How many workers there are."""
        return self.workers or usable_processors()


def usable_processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count(
    jobs: Sequence[Job], watch: Watch | None = None, levels: Mapping[str, int] | None = None, held: Held | None = None
) -> tuple[Counts, list[Tally]]:
    """What the events of these files or pieces come to, and a tally of each: the whole map step.

    `levels` are those that the tables of the whole are known to be coarsened to at least; `held` is given the events as well.
    """
    from .counts import Counter

    counter = Counter(levels)
    tallies = []
    for place, job in enumerate(jobs):
        # what is read of a packed file is more than its bytes, which the sum to come is told in
        told = watch if watch is None or not job.file.packed else partial(_lines_only, watch)
        reader = Reader(job.file, job.source, job.reading, job.reach, watch=told, counting=True)
        for table in reader.tables():
            counter.add(table)
            if held is not None:
                held.keep(table, place)
        if watch is not None and told is not watch:
            watch(job.size, 0)
        tallies.append(reader.tally())
    counts = counter.counts()
    counts.settle()
    return counts, tallies


def _lines_only(watch: Watch, _size: int, lines: int) -> None:
    watch(0, lines)


def pieces(job: Job, size: int) -> list[Job]:
    """A large plain file as jobs that begin where events do; every other file as it is.

    A piece begins at a row with a time of its own, so an event and the rows that go on it stay together. Files whose rows
    mean something only after the rows before (records in quotes, stamps without a year, rows without times) stay whole.
    """
    from ..reading.reach import Head, Reach
    from ..reading.seek import count_lines, split

    reach = job.reach or Reach()
    if job.file.packed or job.size < 2 * size or not job.elsewhere:
        return [job]
    head = Head.of(job.file, job.reading)
    favourite = next(iter(head.parser.detector.favourites), None)
    if head.yearless or head.daily or favourite is None or favourite.continues is not None or favourite.close is not None:
        return [job]
    stop = job.file.size if reach.stop is None else reach.stop
    try:
        cuts = [start for start, _ in split(job.file, job.size // size, reach.start, stop)]
        starts = [reach.start, *(at for cut in cuts[1:] if (at := head.event_at(cut, stop)) is not None)]
        starts = sorted(set(starts))
        line, jobs = reach.first_line, []
        for number, start in enumerate(starts):
            end = starts[number + 1] if number + 1 < len(starts) else stop
            last = number + 1 == len(starts)
            piece = replace(
                reach, start=start, stop=reach.stop if last else end, first_line=line, first_piece=not number, last_piece=last
            )  # fmt: skip
            jobs.append(replace(job, reach=piece))
            line += 0 if last else count_lines(job.file, start, end)
    except OSError:
        return [job]
    return jobs


#: The place of its job among all, and what is to be read.
Task = tuple[int, Job]
#: What one worker reads in one go, one piece after the other.
Batch = Sequence[Task]


def batches(jobs: Sequence[Job], size: int) -> list[Batch]:
    """The jobs, large ones cut to pieces, in batches of about so many bytes of text: each is work for one worker.

    The pieces of a file stand in their order. What no other process can read makes a batch of its own at the end.
    """
    out: list[Batch] = []
    here: list[Task] = []
    batch: list[Task] = []
    held = 0
    for at, job in enumerate(jobs):
        for piece in pieces(job, size):
            if not piece.elsewhere:
                here.append((at, piece))
                continue
            if batch and held + piece.text > size:
                out.append(batch)
                batch, held = [], 0
            batch.append((at, piece))
            held += piece.text
    return [*out, *([batch] if batch else []), *([here] if here else [])]


#: The place of the batch, and what came of it: a tally a task.
Result = tuple[int, "Counts", list[Tally]]
