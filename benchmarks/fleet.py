"""Simulates the summaries of a fleet and merges them in a tree: how many bytes move, what the tables grow to, where it breaks.

    python benchmarks/fleet.py [--sources 10000] [--events 200] [--fanout 8] [--skew 1.2]

Each source has two hours of events: nine in ten are requests of a service shared by many hosts, the rest are messages of a
few kinds out of thousands, Zipf-distributed; sources differ in size by a Pareto law. Nothing is read from disk: the map's
cost is measured by `compare.py`, this is the reduce, of the same counts and in the same tree as on a cluster. Times are of
the processor.
"""

from __future__ import annotations

import argparse
import pickle
import resource
import time
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from retrolog.parsers.base import event_schema
from retrolog.pipeline.counting.counts import Counter, Counts

START = 1_795_435_200
SPAN = 7200
_KINDS = 4000


def events(source: int, count: int, rng: np.random.Generator) -> pa.Table:
    """Two hours of one source's events, as reading gives them."""
    times = np.sort(rng.integers(0, SPAN * 1_000_000, count)) + START * 1_000_000
    request = rng.random(count) < 0.9
    kind = np.minimum(rng.zipf(1.3, count), _KINDS)
    failed = (np.abs(times // 1_000_000 - START - 3600) < 300) & (rng.random(count) < 0.2)
    text = pa.dictionary(pa.int32(), pa.string())
    columns = {
        "time": pa.array(times, pa.timestamp("us", tz="UTC")), "line": pa.array(np.arange(1, count + 1)), "lines": pa.array(np.ones(count, np.int32)),
        "offset": pa.array(np.arange(count) * 200), "size": pa.array(np.full(count, 199, np.int32)), "format": pa.array(["access"] * count),
        "host": pa.array([f"web-{source % 500}"] * count), "method": pa.array(np.where(request, "GET", None).tolist(), pa.string()),
        "path": pa.array([f"/page/{k % 60}" if r else None for k, r in zip(kind.tolist(), request.tolist(), strict=True)], pa.string()),
        "status": pa.array([(502 if f else 200) if r else None for r, f in zip(request.tolist(), failed.tolist(), strict=True)], pa.int16()),
        "client": pa.array([f"10.{k % 250}.{source % 250}.1" for k in kind.tolist()]),
        "duration": pa.array(rng.lognormal(-3, 1, count)),
        "message": _SAID.take(pa.array(kind)),
        "source": pa.array([f"host-{source}/app.log"] * count), "file": pa.array([f"host-{source}/app.log"] * count),
    }  # fmt: skip
    schema = pa.schema([*event_schema(), ("source", text), ("file", text)])
    return pa.table(
        {f.name: columns[f.name].cast(f.type) if f.name in columns else pa.nulls(count, f.type) for f in schema}
    )


def _word(kind: int) -> str:
    return "".join(chr(97 + (kind // 26**place) % 26) for place in range(3))


_SAID = pa.array([f"{_word(kind)} failed on unit {kind}" for kind in range(_KINDS + 1)])


def leaf(source: int, count: int, rng: np.random.Generator) -> bytes:
    """What one source's events come to, as it is sent."""
    counter = Counter()
    counter.add(events(source, count, rng))
    return packed([counter.counts()])


def packed(parts: Iterable[Counts]) -> bytes:
    """Counts added up and made bytes, as a worker does before they are sent on."""
    together = Counts()
    for part in parts:
        together.absorb(part)
    together.settle()
    return pickle.dumps(together, protocol=5)


class Level:
    """A level of the tree: what its summaries weigh, and what making them took."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sizes: list[int] = []
        self.seconds: list[float] = []

    def made(self, parts: Iterable[bytes]) -> bytes:
        """The sum of some of the level below."""
        begin = time.process_time()
        return self.weighed(packed(pickle.loads(part) for part in parts), time.process_time() - begin)

    def weighed(self, made: bytes, seconds: float) -> bytes:
        """Takes note of one."""
        self.sizes.append(len(made))
        self.seconds.append(seconds)
        return made

    def row(self, coarse: dict[str, int]) -> str:
        """A row of the table."""
        shown = ", ".join(f"{name} {level}" for name, level in coarse.items() if level) or "none"
        size = f"{np.mean(self.sizes) / 1e6:.2f}, {max(self.sizes) / 1e6:.2f}"
        return f"| {self.depth} | {len(self.sizes):,} | {size} | {sum(self.sizes) / 1e6:,.0f} | {sum(self.seconds):.1f}, {max(self.seconds):.2f} | {shown} |"


def groups(parts: Iterable[bytes], fanout: int) -> Iterator[list[bytes]]:
    """So many at a time, in their order."""
    group: list[bytes] = []
    for part in parts:
        group.append(part)
        if len(group) == fanout:
            yield group
            group = []
    if group:
        yield group


def main() -> None:
    """Print a row a level of the tree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=200, help="median events of a source")
    parser.add_argument("--fanout", type=int, default=8)
    parser.add_argument("--skew", type=float, default=1.2, help="exponent of the Pareto law of sizes")
    given = parser.parse_args()
    rng = np.random.default_rng(7)
    sizes = np.maximum(1, np.minimum(given.events * (1 + rng.pareto(given.skew, given.sources)) / 2, 200_000)).astype(int)
    print("| level | summaries | MB a summary (mean, largest) | MB moved | cpu s (all, largest) | levels coarsened to |")
    print("| --- | --- | --- | --- | --- | --- |")
    leaves = Level(0)

    def made() -> Iterator[bytes]:
        for source, size in enumerate(sizes.tolist()):  # the leaves are merged as they come, so that memory shows what a node needs
            begin = time.process_time()
            yield leaves.weighed(leaf(source, size, rng), time.process_time() - begin)

    level = Level(1)
    parts = [level.made(group) for group in groups(made(), given.fanout)]
    print(leaves.row({}), flush=True)
    while True:
        levels = [pickle.loads(part).levels for part in parts]
        print(level.row({name: max(one[name] for one in levels) for name in levels[0]}), flush=True)
        if len(parts) == 1:
            break
        level = Level(level.depth + 1)
        parts = [level.made(group) for group in groups(parts, given.fanout)]
    root = pickle.loads(parts[0]).summary()
    rows = ", ".join(f"{name} {table.num_rows:,}" for name, table in root.tables.items())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{sizes.sum():,} events of {given.sources:,} sources in {time.process_time():,.0f} s of processor time, {peak:,.0f} MB held with all of a level; rows at the root: {rows}")


if __name__ == "__main__":
    main()
