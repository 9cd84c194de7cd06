"""Simulates the summaries of a fleet and merges them in a tree: how many bytes move, what the tables grow to, where it breaks.

    python benchmarks/fleet.py [--sources 10000] [--events 400] [--fanout 16] [--skew 1.2]

Each source has two hours of events: nine in ten are requests of a service shared by many hosts, the rest are messages of a
few kinds out of thousands, Zipf-distributed; sources differ in size by a Pareto law. Nothing is read from disk: the map's
cost is measured by `compare.py`, this is the reduce.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pyarrow as pa

from retrolog.parsers.base import event_schema
from retrolog.pipeline.counting.counts import merge, summarize
from retrolog.pipeline.counting.summary import Summary

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
        "message": pa.array([f"{_word(k)} failed on unit {k}" for k in kind.tolist()]),
        "source": pa.array([f"host-{source}/app.log"] * count), "file": pa.array([f"host-{source}/app.log"] * count),
    }  # fmt: skip
    schema = pa.schema([*event_schema(), ("source", text), ("file", text)])
    return pa.table(
        {f.name: columns[f.name].cast(f.type) if f.name in columns else pa.nulls(count, f.type) for f in schema}
    )


def _word(kind: int) -> str:
    return "".join(chr(97 + (kind // 26**place) % 26) for place in range(3))


def nbytes(summary: Summary) -> int:
    """Bytes of a summary's tables, as they would be moved."""
    return sum(table.nbytes for table in summary.tables.values())


def main() -> None:
    """Print a row a level of the tree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=400, help="median events of a source")
    parser.add_argument("--fanout", type=int, default=16)
    parser.add_argument("--skew", type=float, default=1.2, help="exponent of the Pareto law of sizes")
    given = parser.parse_args()
    rng = np.random.default_rng(7)
    sizes = np.minimum(given.events * (1 + rng.pareto(given.skew, given.sources)) / 2, 200_000).astype(int)
    begin, moved, total = time.perf_counter(), 0, 0
    print("| level | summaries | MB a summary (mean, largest) | MB moved | merge s each (largest) | levels coarsened to |")
    print("| --- | --- | --- | --- | --- | --- |")
    level_0: list[int] = []
    level: list[Summary] = []
    group: list[Summary] = []
    slowest = 0.0
    for source, size in enumerate(sizes.tolist()):  # the leaves are merged as they come, so that memory shows what a node needs
        made = summarize(events(source, max(size, 1), rng))
        total += size
        level_0.append(nbytes(made))
        group.append(made)
        if len(group) == given.fanout or source == given.sources - 1:
            started = time.perf_counter()
            level.append(merge(group))
            slowest = max(slowest, time.perf_counter() - started)
            group = []
    moved = sum(level_0)
    print(f"| 0 | {given.sources:,} | {np.mean(level_0) / 1e6:.2f}, {max(level_0) / 1e6:.2f} | {moved / 1e6:,.0f} | {slowest:.2f} | |")
    depth = 1
    while True:
        held = [nbytes(s) for s in level]
        coarse = {name: max(s.levels.get(name, 0) for s in level) for name in level[0].tables}
        shown = ", ".join(f"{name} {value}" for name, value in coarse.items() if value) or "none"
        slowest, merged = 0.0, []
        for at in range(0, len(level), given.fanout) if len(level) > 1 else ():
            started = time.perf_counter()
            merged.append(merge(level[at : at + given.fanout]))
            slowest = max(slowest, time.perf_counter() - started)
        print(f"| {depth} | {len(level):,} | {np.mean(held) / 1e6:.2f}, {max(held) / 1e6:.2f} | {sum(held) / 1e6:,.0f} | {slowest:.2f} | {shown} |", flush=True)
        if len(level) == 1:
            break
        level, depth = merged, depth + 1
    print(f"\n{total:,} events of {given.sources:,} sources in {time.perf_counter() - begin:,.0f} s; rows at the root: " + ", ".join(f"{n} {t.num_rows:,}" for n, t in level[0].tables.items()))


if __name__ == "__main__":
    main()
