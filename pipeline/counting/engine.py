"""Where the map over files runs: in this process, in local processes, or on a cluster. The answer is the same.

Files, and pieces of large plain ones, become counts and tallies, batch by batch; counts add up in any order and grouping, so
how the work was cut and who did it cannot be seen in the result. Nothing else crosses from a worker.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import BadOption
from ..reading.ingest import Reader, Tally
from ..reading.rules import Reading
from ..reports import SourceReport

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..reading.logfile import LogFile
    from ..reading.reach import Reach
    from .counts import Counts
    from .held import Held
    from .summary import Summary

#: Bytes of text in a cluster's task: large beside what handing it over takes.
PIECE = 64 << 20
#: Bytes of text in a batch of a local process, at least.
SMALLEST = 16 << 20
#: Less than this is read here: starting workers takes longer.
WORTH_WORKERS = 48 << 20
#: Batches a worker gets: few, since each is merged, but more than one, since no two take the same time.
_TURNS = 4
#: Seconds between two looks at how far workers are.
_LOOKED = 0.1
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


def run(
    jobs: Sequence[Job], watch: Watch | None = None, engine: Engine | None = None, held: Held | None = None
) -> tuple[Summary, list[SourceReport]]:
    """What all jobs come to, and their reports in the order of the jobs; `held` keeps their requests where all is read here."""
    from .counts import Counts
    from .memory import keep

    engine = engine or Engine()
    if engine.kind not in ("local", "dask"):
        raise BadOption(f"there is no engine {engine.kind!r}; use local or dask")
    text = sum(job.text for job in jobs)
    counts = Counts()
    if held is not None and (engine.kind == "dask" or (engine.processes > 1 and text >= WORTH_WORKERS)):
        held.let_go()
    if engine.kind == "dask":
        from .cluster import on_cluster

        cut = batches(jobs, PIECE)
        results = on_cluster(cut, watch, engine)
    elif engine.processes < 2 or text < WORTH_WORKERS:
        if text > SMALLEST:
            keep()
        cut = [list(enumerate(jobs))]
        results = ((at, *count([job for _, job in batch], watch, held=held)) for at, batch in enumerate(cut))
    else:
        cut = batches(jobs, max(SMALLEST, text // (_TURNS * engine.processes)))
        results = _in_processes(cut, watch, engine.processes, counts)
    reports = gathered(jobs, cut, results, counts)
    return counts.summary(), reports


#: The place of the batch, and what came of it: a tally a task.
Result = tuple[int, "Counts", list[Tally]]


def gathered(jobs: Sequence[Job], cut: Sequence[Batch], results: Iterable[Result], counts: Counts) -> list[SourceReport]:
    """Adds results to `counts` as they come, and makes a report of each job's tallies."""
    from .memory import let_go

    tallies: dict[tuple[int, int], Tally] = {}
    for at, found, told in results:
        counts.absorb(found)
        del found
        let_go()
        tallies |= {(at, place): tally for place, tally in enumerate(told)}
    by_job: dict[int, list[Tally]] = {}
    for at, batch in enumerate(cut):
        for place, (job, _) in enumerate(batch):
            by_job.setdefault(job, []).append(tallies[at, place])
    return [Reader(job.file, job.source, job.reading, job.reach).report(by_job[at]) for at, job in enumerate(jobs)]


def _in_processes(cut: Sequence[Batch], watch: Watch | None, workers: int, known: Counts) -> Iterator[Result]:
    """Results of local worker processes as they come; what cannot be sent to one is read here meanwhile.

    Workers are started afresh (spawn), because forking a process in which Arrow runs threads may hang. They ignore Ctrl-C,
    which a terminal sends to all, from their first moment: this process ends them. How far they are stands in memory that all share. `known` is what was
    gathered so far: a batch that begins later counts in bins as wide from the start.
    """
    import multiprocessing
    from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

    from .memory import share

    share()
    context = multiprocessing.get_context("spawn")
    done = context.Array("q", 2)  # bytes and lines
    pool = ProcessPoolExecutor(min(workers, len(cut)), mp_context=context, initializer=_begin, initargs=(done,))
    told = [0, 0]

    def tell() -> None:
        now = [done[0], done[1]]
        if watch is not None and now != told:
            watch(now[0] - told[0], now[1] - told[1])
        told[:] = now

    try:
        pending: dict[Future[tuple[Counts, list[Tally]]], int] = {}
        queue = [at for at, batch in enumerate(cut) if batch[0][1].elsewhere]
        queue.sort(key=lambda at: -sum(job.text for _, job in cut[at]))  # the long ones first
        while queue or pending:
            while queue and len(pending) <= workers:  # one more than keeps workers busy: results take room
                at = queue.pop(0)
                with _interrupts_held():
                    pending[pool.submit(_count_there, [job for _, job in cut[at]], known.levels)] = at
            finished, _ = wait(pending, timeout=_LOOKED, return_when=FIRST_COMPLETED)
            tell()
            while finished:  # a result is let go of before the next is taken
                future = finished.pop()
                at = pending.pop(future)
                yield at, *future.result()
                del future
        for at, batch in enumerate(cut):
            if not batch[0][1].elsewhere:
                yield at, *count([job for _, job in batch], watch)
        tell()
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process started meanwhile never sees Ctrl-C, not even while it imports; one that comes meanwhile reaches this process after."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """What a worker process was given when it began: where it says how far it is."""

    done: Any = None


def _begin(done: Any) -> None:
    from .memory import keep

    keep()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Worker.done = done


def _count_there(jobs: Sequence[Job], levels: Mapping[str, int]) -> tuple[Counts, list[Tally]]:
    from .memory import let_go

    result = count(jobs, _say, levels)
    let_go()
    return result


def _say(size: int, lines: int) -> None:
    with _Worker.done.get_lock():
        _Worker.done[0] += size
        _Worker.done[1] += lines
