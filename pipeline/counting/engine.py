"""Where the map over files runs: in this process, in local processes, or on a cluster. The answer is the same.

Files, and pieces of large plain ones, become counts and tallies, batch by batch; counts add up in any order and grouping, so
how the work was cut and who did it cannot be seen in the result. Nothing else crosses from a worker.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import BadOption
from ..reading.ingest import Reader, Tally
from ..reports import SourceReport
from .jobs import Batch, Engine, Job, Result, Watch, batches, count

if TYPE_CHECKING:
    from concurrent.futures import Future

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
