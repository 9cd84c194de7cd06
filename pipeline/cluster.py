"""The map on a Dask cluster: the same tasks as for local processes, their summaries merged in a tree on the workers.

Workers read the files themselves, so paths (or URLs) must mean the same to them. A task whose worker dies is run again by
Dask; since a result depends on nothing but its task, the answer stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .engine import Engine, Result, Task, Watch, summarise
from .errors import BadOption, MissingExtra

if TYPE_CHECKING:
    from .ingest import Tally
    from .summary import Summary

_FANOUT = 8  # results that one merge task takes
_RETRIES = 3


def on_cluster(tasks: Sequence[Task], watch: Watch | None, engine: Engine) -> Iterator[Result]:
    """Results of all tasks, merged in a tree to one summary; the tallies come one by one with an empty one each."""
    client = _client(engine)
    try:
        yield from _run(client, tasks, watch)
    finally:
        client.close()


def _client(engine: Engine) -> Any:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtra('--engine dask needs Dask; install it with pip install "retrolog[dask]"') from error
    dask: Any = distributed  # it declares few types
    if not engine.scheduler:
        cluster = dask.LocalCluster(n_workers=engine.processes, threads_per_worker=1, processes=True, dashboard_address=None)
        return dask.Client(cluster)
    try:
        return dask.Client(engine.scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise BadOption(
            f"no Dask scheduler answers at {engine.scheduler}; give its address as tcp://host:8786"
        ) from error


def _run(client: Any, tasks: Sequence[Task], watch: Watch | None) -> Iterator[Result]:
    from .summary import Summary

    away = [at for at, (_, job) in enumerate(tasks) if job.elsewhere]
    mapped = [client.submit(_task, [(at, tasks[at][1])], pure=False, retries=_RETRIES) for at in away]
    if watch is not None:
        _follow(mapped, [tasks[at][1].size for at in away], watch)
    while len(mapped) > 1:
        groups = [mapped[at : at + _FANOUT] for at in range(0, len(mapped), _FANOUT)]
        mapped = [client.submit(_merged, group, pure=False, retries=_RETRIES) for group in groups]
    for at, (number, job) in enumerate(tasks):
        if not job.elsewhere:
            yield at, number, *summarise(job, watch)
    if mapped:
        summary, tallies = mapped[0].result()
        for at, tally in tallies:
            yield at, tasks[at][0], summary, tally
            summary = Summary()


def _task(work: Sequence[Task]) -> tuple[Summary, list[tuple[int, Tally]]]:
    [(at, job)] = work
    summary, tally = summarise(job)
    return summary, [(at, tally)]


def _merged(
    parts: Sequence[tuple[Summary, list[tuple[int, Tally]]]],
) -> tuple[Summary, list[tuple[int, Tally]]]:
    from .summary import merge

    return merge([summary for summary, _ in parts]), [tally for _, tallies in parts for tally in tallies]


def _follow(futures: Sequence[Any], sizes: Sequence[int], watch: Watch) -> None:
    """Tells of tasks as they end; their results stay on the workers."""
    import distributed

    dask: Any = distributed
    size = {future.key: size for future, size in zip(futures, sizes, strict=True)}
    for future in dask.as_completed(futures):
        watch(size[future.key], 0)
