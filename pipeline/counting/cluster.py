"""The map on a Dask cluster: the same batches as for local processes, their counts added up in a tree on the workers.

Workers read the files themselves, so paths (or URLs) must mean the same to them. A task whose worker dies is run again by
Dask; since a result depends on nothing but its task, the answer stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import BadOption, MissingExtra
from .jobs import Batch, Engine, Job, Result, Watch, count

if TYPE_CHECKING:
    from ..reading.ingest import Tally
    from .counts import Counts

    #: What came of some batches: their counts together, and the tallies of each by its place.
    _Part = tuple[Counts, list[tuple[int, list[Tally]]]]

_FANOUT = 8  # results that one merge task takes
_RETRIES = 3


def on_cluster(cut: Sequence[Batch], watch: Watch | None, engine: Engine) -> Iterator[Result]:
    """Results of all batches, their counts added up in a tree to one; the others come with empty ones."""
    client = _client(engine)
    try:
        yield from _run(client, cut, watch)
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


def _run(client: Any, cut: Sequence[Batch], watch: Watch | None) -> Iterator[Result]:
    from .counts import Counts

    away = [at for at, batch in enumerate(cut) if batch[0][1].elsewhere]
    mapped = [client.submit(_task, at, [job for _, job in cut[at]], pure=False, retries=_RETRIES) for at in away]
    if watch is not None:
        _follow(mapped, [sum(job.size for _, job in cut[at]) for at in away], watch)
    while len(mapped) > 1:
        groups = [mapped[at : at + _FANOUT] for at in range(0, len(mapped), _FANOUT)]
        mapped = [client.submit(_merged, group, pure=False, retries=_RETRIES) for group in groups]
    for at, batch in enumerate(cut):
        if not batch[0][1].elsewhere:
            yield at, *count([job for _, job in batch], watch)
    if mapped:
        counts, tallies = mapped[0].result()
        for at, told in tallies:
            yield at, counts, told
            counts = Counts()


def _task(at: int, jobs: Sequence[Job]) -> _Part:
    counts, tallies = count(jobs)
    return counts, [(at, tallies)]


def _merged(parts: Sequence[_Part]) -> _Part:
    from .counts import Counts

    together = Counts()
    for counts, _ in parts:
        together.absorb(counts)
    together.settle()
    return together, [told for _, tallies in parts for told in tallies]


def _follow(futures: Sequence[Any], sizes: Sequence[int], watch: Watch) -> None:
    """Tells of batches as they end; their results stay on the workers."""
    import distributed

    dask: Any = distributed
    size = {future.key: size for future, size in zip(futures, sizes, strict=True)}
    for future in dask.as_completed(futures):
        watch(size[future.key], 0)
