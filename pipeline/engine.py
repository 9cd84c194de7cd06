"""Where the map over files runs: in this process, in local processes, or on a cluster. The answer is the same.

Each file, or each piece of a large plain one, becomes a summary and a tally; summaries merge in any order and grouping, so
how the work was cut and who did it cannot be seen in the result. Nothing else crosses from a worker.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .errors import BadOption
from .findings import SourceReport
from .ingest import Reader, Reading, Tally

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .reach import Reach
    from .sources import LogFile
    from .summary import Summary

#: Bytes of a plain file that one task reads: large beside a worker's set-up, small beside its memory.
PIECE = 64 << 20
#: Less than this is read here: starting workers takes longer.
WORTH_WORKERS = 48 << 20
_MERGED_AT_ONCE = 16

#: Told of bytes and lines as they are read (or, by workers, piece by piece).
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


def summarise(job: Job, watch: Watch | None = None) -> tuple[Summary, Tally]:
    """The summary and the tally of one file or piece: the whole map step."""
    from .summary import merge, summarize

    reader = Reader(job.file, job.source, job.reading, job.reach, watch=watch)
    parts: list[Summary] = []
    for table in reader.tables():
        parts.append(summarize(table))
        if len(parts) >= _MERGED_AT_ONCE:  # so that a file of any size holds this many summaries at most
            parts = [merge(parts)]
    return merge(parts), reader.tally()


def pieces(job: Job, size: int = PIECE) -> list[Job]:
    """A large plain file as jobs that begin where events do; every other file as it is.

    A piece begins at a row with a time of its own, so an event and the rows that go on it stay together. Files whose rows
    mean something only after the rows before (records in quotes, stamps without a year, rows without times) stay whole.
    """
    from .reach import Head, Reach
    from .seek import count_lines, split

    reach = job.reach or Reach()
    if job.file.packed or job.size < 2 * size or not job.elsewhere:
        return [job]
    head = Head.of(job.file, job.reading)
    favourite = next(iter(head.parser.detector.favourites), None)
    if head.yearless or favourite is None or favourite.continues is not None or favourite.close is not None:
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


def run(
    jobs: Sequence[Job], watch: Watch | None = None, engine: Engine | None = None
) -> tuple[Summary, list[SourceReport]]:
    """All jobs' summaries merged, and their reports in the order of the jobs."""
    engine = engine or Engine()
    if engine.kind not in ("local", "dask"):
        raise BadOption(f"there is no engine {engine.kind!r}; use local or dask")
    heavy = sum(job.size for job in jobs) >= WORTH_WORKERS
    if engine.kind == "local" and (engine.processes < 2 or not heavy):
        tasks = [(at, job) for at, job in enumerate(jobs)]
        results = _here(tasks, watch)
    else:
        tasks = [(at, piece) for at, job in enumerate(jobs) for piece in pieces(job)]
        if engine.kind == "dask":
            from .cluster import on_cluster

            results = on_cluster(tasks, watch, engine)
        else:
            results = _in_processes(tasks, watch, engine.processes)
    return _gathered(jobs, len(tasks), results)


#: The place of its job among all, and what is to be read.
Task = tuple[int, Job]
#: The place of the task, that of its job, and what came of it.
Result = tuple[int, int, "Summary", Tally]


def _gathered(jobs: Sequence[Job], count: int, results: Iterator[Result]) -> tuple[Summary, list[SourceReport]]:
    """Merges results as they come, and puts tallies in order."""
    from .summary import merge

    parts: list[Summary] = []
    tallies: list[tuple[int, Tally] | None] = [None] * count
    for task, job, summary, tally in results:
        parts.append(summary)
        tallies[task] = (job, tally)
        if len(parts) >= _MERGED_AT_ONCE:
            parts = [merge(parts)]
    by_job: dict[int, list[Tally]] = {}
    for entry in tallies:
        if entry is not None:
            by_job.setdefault(entry[0], []).append(entry[1])
    reports = [
        Reader(job.file, job.source, job.reading, job.reach).report(by_job[at]) for at, job in enumerate(jobs)
    ]
    return merge(parts), reports


def _here(tasks: Sequence[Task], watch: Watch | None) -> Iterator[Result]:
    for at, (number, job) in enumerate(tasks):
        yield at, number, *summarise(job, watch)


def _in_processes(
    tasks: Sequence[Task], watch: Watch | None, workers: int
) -> Iterator[Result]:
    """Results of local worker processes as they come; what cannot be sent to one is read here meanwhile.

    Workers are started afresh (spawn), because forking a process in which Arrow runs threads may hang. They ignore Ctrl-C,
    which a terminal sends to all: this process ends them.
    """
    import multiprocessing
    from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context, initializer=_ignore_interrupts)
    order = sorted(range(len(tasks)), key=lambda at: -tasks[at][1].size)  # the long ones first
    try:
        pending: dict[Future[tuple[Summary, Tally]], int] = {}
        queue = [at for at in order if tasks[at][1].elsewhere]
        here = [at for at in order if not tasks[at][1].elsewhere]
        while queue or pending:
            while queue and len(pending) < 2 * workers:  # no more in flight than keeps workers busy: results take room
                at = queue.pop(0)
                pending[pool.submit(summarise, tasks[at][1])] = at
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                at = pending.pop(future)
                summary, tally = future.result()
                if watch is not None:
                    watch(tasks[at][1].size, tally.lines)
                yield at, tasks[at][0], summary, tally
        for at in here:
            yield at, tasks[at][0], *summarise(tasks[at][1], watch)
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
