"""Prints how well outages are found that no 5xx tells of, and how often one is seen where none is, as tables of docs/accuracy.md.

python benchmarks/signals.py [--seed 1] [--rounds 3] [--quiet-hours 200]

Half an hour or an hour of events goes through the counting and `outages.find`: requests turned away, slow, or stopped, and things
done by a program without an access log. Missing parts of the traffic need a watcher's complaint or a name and are not in here.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import series

from retrolog.parsers.base import event_schema
from retrolog.pipeline.analysis import outages
from retrolog.pipeline.analysis.traffic import Span
from retrolog.pipeline.counting.counts import summarize
from retrolog.pipeline.window import Window

START = 1_795_428_000
HOUR = 3600
PATHS = ("/", "/item/7", "/search", "/basket", "/report")
CLIENTS = 300

Columns = dict[str, list[object]]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rounds", type=int, default=3, help="spans simulated per cell of the grid")
    options.add_argument("--quiet-hours", type=int, default=200)
    given = options.parse_args()
    print("\nOutages of other kinds\n")
    found(given.seed, given.rounds)
    print("\nFalse outages of any kind in quiet hours\n")
    false_alarms(given.seed, given.quiet_hours)


def found(seed: int, rounds: int) -> None:
    """Found %, and the errors of onset and recovery in seconds (median / 90th percentile) of those found, by kind."""
    rows: dict[str, list[tuple[bool, float, float, bool]]] = defaultdict(list)
    for kind, table, first, last in outages_of(seed, rounds):
        spans = [s for s in outages.find(summarize(table), Window()) if not s.is_blip]
        hits = [s for s in spans if seconds(s)[0] < last and seconds(s)[1] > first]
        ends = seconds(hits[0]) if hits else (0.0, 0.0)
        rows[kind].append((bool(hits), abs(ends[0] - first), abs(ends[1] - last), len(spans) > len(hits)))
    print("| kind | found | onset s | recovery s | false beside |\n| --- | --- | --- | --- | --- |")
    for kind, cases in rows.items():
        hit = [c for c in cases if c[0]]
        if not hit:
            print(f"| {kind} | 0% of {len(cases)} | - | - | {sum(c[3] for c in cases)} |")
            continue
        onset, recovery = np.array([c[1] for c in hit]), np.array([c[2] for c in hit])
        print(
            f"| {kind} | {len(hit) / len(cases):.0%} of {len(cases)} | {np.median(onset):.1f} / {np.quantile(onset, 0.9):.1f} "
            f"| {np.median(recovery):.1f} / {np.quantile(recovery, 0.9):.1f} | {sum(c[3] for c in cases)} |"
        )


def seconds(span: Span) -> tuple[float, float]:
    return span.onset.time / 1e6 - START, span.end / 1e6 - START


def outages_of(seed: int, rounds: int) -> Iterator[tuple[str, pa.Table, float, float]]:
    """Half hours with one outage each: kind, events, first and last second of it."""
    number = 0
    for turn in range(rounds):
        for rate in (2.0, 20.0):
            for length in (45, 240):
                for kind in ("turned away, 30 %", "turned away, 90 %", "slow", "stopped", "lines in place of others, 50 %", "lines in place of others, all"):
                    number += 1
                    rng = np.random.default_rng([seed, turn, number])
                    first = float(rng.uniform(600, HOUR / 2 - 300 - length))
                    table = program(rng, rate, kind, first, first + length) if kind.startswith("lines") else site(rng, rate, kind, first, first + length)
                    yield kind, table, first, first + length


def site(rng: np.random.Generator, rate: float, kind: str, first: float, last: float) -> pa.Table:
    """Requests to a site with an endpoint that is always slow, and a syslog beside it."""
    times = np.sort(rng.uniform(0, HOUR / 2, rng.poisson(rate * HOUR / 2)))
    inside = (times >= first) & (times < last)
    if kind == "stopped":
        times, inside = times[~inside], inside[~inside]
    columns = asked(rng, times)
    if kind.startswith("turned away"):
        away = inside & (rng.random(len(times)) < (0.9 if "90" in kind else 0.3))
        columns["status"] = np.where(away, 429, np.array(columns["status"])).tolist()
    if kind == "slow":
        columns["duration"] = np.where(inside, rng.uniform(4, 9, len(times)), np.array(columns["duration"])).tolist()
    ticks = np.arange(0, HOUR / 2, 7.0)
    return pa.concat_tables([rows(columns), rows(said(ticks, ["session opened"] * len(ticks), "syslog"))])


def program(rng: np.random.Generator, rate: float, kind: str, first: float, last: float) -> pa.Table:
    """Things that a program does one after the other, and what it says of those that it cannot do."""
    times = np.sort(rng.uniform(0, HOUR / 2, rng.poisson(rate * HOUR / 2)))
    bad = (times >= first) & (times < last) & (rng.random(len(times)) < (1.0 if kind.endswith("all") else 0.5))
    texts = [f"parcel {n} not accepted by the depot: rejected" if b else f"parcel {n} handed over" for n, b in zip(rng.integers(0, 10**6, len(times)), bad, strict=True)]
    return rows(said(times, texts, "parcels.log"))


def false_alarms(seed: int, hours: int) -> None:
    """Outages reported in hours of requests, and of a program's lines, in which nothing happens but what always does."""
    print("| what | hours | false outages |\n| --- | --- | --- |")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for bursty in (False, True):
        for number, (_, case) in enumerate(series.quiet(seed, hours // 2, bursty)):
            if len(case.times) > 60 * HOUR:
                continue
            rng = np.random.default_rng([seed, number, bursty, 5])
            columns = asked(rng, case.times)
            columns["status"] = np.where(case.failed, 500, np.array(columns["status"])).tolist()
            parts = [rows(columns), rows(scanner(rng)), rows(errors(rng))]
            for name, table in (("requests, scanners, " + ("bursty" if bursty else "independent") + " failures", pa.concat_tables(parts)), ("a program's lines, bursts of errors", pa.concat_tables([rows(errors(rng)), batches(rng)]))):
                counts[name]["hours"] += 1
                counts[name]["false"] += sum(not s.is_blip for s in outages.find(summarize(table), Window()))
    for name, row in counts.items():
        print(f"| {name} | {row['hours']} | {row['false']} |")


def asked(rng: np.random.Generator, times: np.ndarray) -> Columns:
    """Requests at these times: a hundredth not found, one endpoint that always takes five seconds."""
    place = rng.integers(0, len(PATHS), len(times))
    return {
        "time": micros(times), "source": ["access.log"] * len(times), "method": np.where(rng.random(len(times)) < 0.2, "POST", "GET").tolist(),
        "path": [PATHS[p] for p in place], "status": np.where(rng.random(len(times)) < 0.01, 404, 200).tolist(), "bytes": [500] * len(times),
        "client": [f"192.0.{c // 250}.{c % 250}" for c in rng.integers(0, CLIENTS, len(times))],
        "duration": np.where(place == len(PATHS) - 1, 5.0, rng.lognormal(-4, 0.6, len(times))).tolist(),
    }  # fmt: skip


def scanner(rng: np.random.Generator) -> Columns:
    """A minute of one client that asks for what is not there, and of one that guesses passwords."""
    times = float(rng.uniform(300, HOUR - 300)) + np.sort(rng.uniform(0, 60, 600))
    columns = asked(rng, times)
    away = rng.random(600) < 0.5
    columns["path"] = np.where(away, "/basket", [f"/old/{n}.php" for n in range(600)]).tolist()
    columns["status"] = np.where(away, 401, 404).tolist()
    columns["client"], columns["duration"] = ["198.51.100.9"] * 600, rng.lognormal(-4, 0.6, 600).tolist()
    return columns


def errors(rng: np.random.Generator) -> Columns:
    """Single error lines all through the hour, and a job that retries for a second or two now and then."""
    single = rng.uniform(0, HOUR, rng.poisson(60))
    bursts = np.concatenate([rng.uniform(0, 2, 12) + at for at in rng.uniform(0, HOUR - 5, 4)])
    times = np.sort(np.concatenate([single, bursts]))
    return said(times, [f"sync of {n} failed, will retry" for n in rng.integers(0, 9999, len(times))], "jobs.log", "error")


def batches(rng: np.random.Generator) -> pa.Table:
    """A job in turns: for some minutes it reads, then for some minutes it writes; both with a line each."""
    times = np.sort(rng.uniform(0, HOUR, rng.poisson(4 * HOUR)))
    writes = (times // float(rng.uniform(60, 400))).astype(np.int64) % 2 == 1
    return rows(said(times, [f"{'wrote' if w else 'read'} page {n}" for n, w in zip(rng.integers(0, 10**6, len(times)), writes, strict=True)], "batch.log"))


def said(times: np.ndarray, texts: list[str], source: str, severity: str = "info") -> Columns:
    return {"time": micros(times), "source": [source] * len(times), "message": list(texts), "severity": [severity] * len(times)}


def micros(times: np.ndarray) -> list[object]:
    moments: list[object] = (START * 1_000_000 + np.round(times * 1e6).astype(np.int64)).tolist()
    return moments


def rows(columns: Columns) -> pa.Table:
    """A table of events with these columns, numbered as lines; all others null."""
    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([*event_schema(), ("source", text), ("file", text)])
    size = len(columns["time"])
    whole = {"line": list(range(1, size + 1)), "lines": [1] * size, "offset": list(range(size)), "size": [1] * size, "format": ["test"] * size}
    known: dict[str, list[object]] = {**whole, **columns, "file": columns["source"]}
    return pa.table([pa.array(known[f.name], f.type) if f.name in known else pa.nulls(size, f.type) for f in schema], schema=schema)


if __name__ == "__main__":
    main()
