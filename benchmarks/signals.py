"""Prints how well outages are found by the signal that tells of them, and how often one is seen where none is, as tables of docs/accuracy.md.

python benchmarks/signals.py [--seed 1] [--rounds 3] [--quiet-hours 1000] [--kept FILE]

Half an hour or an hour of events goes through the counting and all that finds outages: failed requests, requests turned away, slow,
stopped or missing in part, and things done or complained of by programs without an access log. Quiet hours are counted one by one; with
`--kept FILE` each is noted there, and a later run goes on after the last.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import series

from retrolog.parsers.base import event_schema
from retrolog.pipeline.analysis.clues.signs import signs
from retrolog.pipeline.analysis.outages import search as outages
from retrolog.pipeline.analysis.outages.absence import drops
from retrolog.pipeline.analysis.traffic import Span
from retrolog.pipeline.counting.changes import Lexicon
from retrolog.pipeline.counting.counts import summarize
from retrolog.pipeline.window import Window

START = 1_795_428_000
HOUR = 3600
PATHS = ("/", "/item/7", "/search", "/basket", "/report")
CLIENTS = [f"192.0.{number // 250}.{number % 250}" for number in range(300)]
FRONTENDS = ("front-a", "front-b", "front-c")
TEXT = pa.dictionary(pa.int32(), pa.string())
LEXICON = Lexicon.load()

Columns = dict[str, pa.Array]
Floats = np.ndarray

#: Signal and kind of each outage that is simulated.
KINDS = (
    ("failures", "every second request"), ("failures", "5 %"), ("failures", "one endpoint"),
    ("refusals", "30 %"), ("refusals", "90 %"),
    ("latency", "all slow"), ("latency", "one endpoint slow"),
    ("silence", "all stopped"), ("silence", "one of three frontends"), ("silence", "two thirds, a monitor complains"),
    ("errors", "lines in place of others, 50 %"), ("errors", "lines in place of others, all"), ("errors", "a surge of error lines"),
)  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rounds", type=int, default=3, help="spans simulated per cell of the grid")
    options.add_argument("--quiet-hours", type=int, default=200, help="hours of each kind")
    options.add_argument("--kept", type=Path, help="a file that each quiet hour is noted in, and taken from when it is there")
    given = options.parse_args()
    if given.rounds:
        print("\nOutages by signal\n")
        found(given.seed, given.rounds)
    if given.quiet_hours:
        print("\nFalse outages of any kind in quiet hours\n")
        false_alarms(given.seed, given.quiet_hours, given.kept)


def find(table: pa.Table) -> list[Span]:
    """All outages of a table of events, as the analysis finds them."""
    summary, window = summarize(table), Window()
    spans = outages.find(summary, window)
    time = table["time"].cast(pa.int64()).to_numpy()

    def look(first: int, last: int) -> pa.Table:
        return table.filter(pa.array((time >= first) & (time < last)))

    return [s for s in [*spans, *drops(summary, signs(summary, LEXICON), window, spans, look)] if not s.is_blip]


def found(seed: int, rounds: int) -> None:
    """Found %, and the errors of onset and recovery in seconds (median / 90th percentile) of those found, by kind."""
    rows: dict[tuple[str, str], list[tuple[Span | None, float, float, bool]]] = defaultdict(list)
    for signal, kind, table, first, last in outages_of(seed, rounds):
        spans = find(table)
        hits = [s for s in spans if seconds(s)[0] < last and seconds(s)[1] > first]
        ends = seconds(hits[0]) if hits else (0.0, 0.0)
        rows[signal, kind].append((hits[0] if hits else None, abs(ends[0] - first), abs(ends[1] - last), len(spans) > len(hits)))
    print("| signal | kind | found | by this signal | onset s | recovery s | false beside |\n| --- | --- | --- | --- | --- | --- | --- |")
    for (signal, kind), cases in rows.items():
        hit = [c for c in cases if c[0]]
        so = sum(c[0] is not None and c[0].signal == signal for c in cases)
        onset, recovery = np.array([c[1] for c in hit] or [np.nan]), np.array([c[2] for c in hit] or [np.nan])
        print(
            f"| {signal} | {kind} | {len(hit)} of {len(cases)} | {so} | {np.median(onset):.1f} / {np.quantile(onset, 0.9):.1f} "
            f"| {np.median(recovery):.1f} / {np.quantile(recovery, 0.9):.1f} | {sum(c[3] for c in cases)} |"
        )


def seconds(span: Span) -> tuple[float, float]:
    return span.onset.time / 1e6 - START, span.end / 1e6 - START


def outages_of(seed: int, rounds: int) -> Iterator[tuple[str, str, pa.Table, float, float]]:
    """Half hours with one outage each: signal, kind, events, first and last second of it."""
    for number, (_, rate, length, (signal, kind)) in enumerate(product(range(rounds), (2.0, 20.0), (45, 240), KINDS)):
        rng = np.random.default_rng([seed, number])
        first = float(rng.uniform(600, HOUR / 2 - 300 - length))
        make = program if signal == "errors" else site
        yield signal, kind, make(rng, rate, kind, first, first + length), first, first + length


def site(rng: np.random.Generator, rate: float, kind: str, first: float, last: float) -> pa.Table:
    """Requests to a site with an endpoint that is always slow, by three frontends, and a syslog beside it."""
    times = np.sort(rng.uniform(0, HOUR / 2, rng.poisson(rate * HOUR / 2)))
    inside = (times >= first) & (times < last)
    gone = {"all stopped": 1.0, "two thirds, a monitor complains": 2 / 3}.get(kind, 0.0)
    times = times[~inside | (rng.random(len(times)) >= gone)]
    inside = (times >= first) & (times < last)
    place, front = rng.integers(0, len(PATHS), len(times)), rng.integers(0, len(FRONTENDS), len(times))
    if kind == "one of three frontends":
        kept = ~(inside & (front == 1))
        times, inside, place, front = times[kept], inside[kept], place[kept], front[kept]
    status = np.where(rng.random(len(times)) < 0.01, 404, 200)
    share = {"every second request": 0.5, "5 %": 0.05, "30 %": 0.3, "90 %": 0.9, "one endpoint": 1.0}.get(kind, 0.0)
    hit = inside & (rng.random(len(times)) < share) & ((place == 1) | (kind != "one endpoint"))
    status = np.where(hit, 429 if kind in ("30 %", "90 %") else 502, status)
    long = inside & ((kind == "all slow") | ((kind == "one endpoint slow") & (place == 1)))
    columns = asked(rng, times, place, status) | {"host": of(front, FRONTENDS)}
    columns["duration"] = pa.array(np.where(long, rng.uniform(4, 9, len(times)), columns["duration"].to_numpy()))
    ticks = np.arange(0, HOUR / 2, 7.0)
    parts = [rows(columns), rows(said(ticks, np.zeros(len(ticks), np.int64), ("session opened",), "syslog"))]
    if kind == "two thirds, a monitor complains":
        calls = np.array([first + 20, last + 15])
        parts.append(rows(said(calls, np.arange(2), ("ALERT: request rate below threshold", "RESOLVED: request rate is back to normal"), "monitor.log")))
    return pa.concat_tables(parts)


def program(rng: np.random.Generator, rate: float, kind: str, first: float, last: float) -> pa.Table:
    """Things that a program does one after the other, and what it says of those that it cannot do."""
    times = np.sort(rng.uniform(0, HOUR / 2, rng.poisson(rate * HOUR / 2)))
    inside = (times >= first) & (times < last)
    if kind.startswith("a surge"):
        single = rng.uniform(0, HOUR / 2, rng.poisson(20))
        wrong = np.sort(np.concatenate([times[inside], single]))
        return pa.concat_tables([rows(numbered(rng, times[~inside], "parcel {} handed over", "parcels.log")), rows(numbered(rng, wrong, "no depot answers for {}", "depot.log", "error"))])
    bad = inside & (rng.random(len(times)) < (1.0 if kind.endswith("all") else 0.5))
    done = numbered(rng, times[~bad], "parcel {} handed over", "parcels.log")
    return pa.concat_tables([rows(done), rows(numbered(rng, times[bad], "parcel {} not accepted by the depot: rejected", "parcels.log"))])


def false_alarms(seed: int, hours: int, kept: Path | None) -> None:
    """Outages reported in hours of requests, and of a program's lines, in which nothing happens but what always does."""
    known = {(k["seed"], k["number"], k["kind"]): k["false"] for k in map(json.loads, kept.read_text().splitlines())} if kept and kept.exists() else {}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    kinds = (("requests, scanners, independent failures", False), ("requests, scanners, bursty failures", True), ("a program's lines, bursts of errors", False))
    for name, bursty in kinds:
        for number in range(hours):
            key = (seed, number, name)
            if key not in known:
                rng = np.random.default_rng([seed, number, bursty, 5])
                table = pa.concat_tables([rows(errors(rng)), batches(rng)]) if name.startswith("a program") else busy(rng, seed, number, bursty)
                known[key] = len(find(table))
                if kept:
                    with kept.open("a") as out:
                        out.write(json.dumps({"seed": seed, "number": number, "kind": name, "false": known[key]}) + os.linesep)
            counts[name]["hours"] += 1
            counts[name]["false"] += known[key]
    print("| what | hours | false outages |\n| --- | --- | --- |")
    for name, row in counts.items():
        print(f"| {name} | {row['hours']} | {row['false']} |")


def busy(rng: np.random.Generator, seed: int, number: int, bursty: bool) -> pa.Table:
    """An hour of requests with failures as they always are, of three frontends; a scanner, a crawler, and jobs that retry."""
    case = series.quiet_hour(seed, number, bursty)
    size = len(case.times)
    place = rng.integers(0, len(PATHS), size)
    status = np.where(case.failed, 500, np.where(rng.random(size) < 0.01, 404, 200))
    users = asked(rng, case.times, place, status) | {"host": of(rng.integers(0, len(FRONTENDS), size), FRONTENDS)}
    return pa.concat_tables([rows(users), rows(scanner(rng)), rows(crawler(rng, size / HOUR)), rows(errors(rng))])


def asked(rng: np.random.Generator, times: Floats, place: Floats, status: Floats) -> Columns:
    """Requests at these times; one endpoint always takes five seconds."""
    size = len(times)
    return {
        "time": micros(times), "source": of(np.zeros(size, np.int64), ("access.log",)), "method": of((rng.random(size) < 0.2).astype(np.int64), ("GET", "POST")),
        "path": of(place, PATHS), "status": pa.array(status.astype(np.int16)), "bytes": pa.array(np.full(size, 500)),
        "client": of(rng.integers(0, len(CLIENTS), size), CLIENTS),
        "duration": pa.array(np.where(place == len(PATHS) - 1, 5.0, rng.lognormal(-4, 0.6, size))),
    }  # fmt: skip


def scanner(rng: np.random.Generator) -> Columns:
    """A minute of one client that asks for what is not there, and of one that guesses passwords."""
    times = float(rng.uniform(300, HOUR - 300)) + np.sort(rng.uniform(0, 60, 600))
    away = rng.random(600) < 0.5
    columns = asked(rng, times, np.zeros(600, np.int64), np.where(away, 401, 404))
    names = (*(f"/old/{n}.php" for n in range(600)), "/basket")
    return columns | {"path": of(np.where(away, 600, np.arange(600)), names), "client": of(np.zeros(600, np.int64), ("198.51.100.9",))}


def crawler(rng: np.random.Generator, rate: float) -> Columns:
    """Ten minutes of one client that asks as much as half of all others do, begins and ends at once."""
    times = float(rng.uniform(300, HOUR - 900)) + np.sort(rng.uniform(0, 600, rng.poisson(300 * rate)))
    columns = asked(rng, times, rng.integers(0, len(PATHS) - 1, len(times)), np.full(len(times), 200))
    return columns | {"client": of(np.zeros(len(times), np.int64), ("203.0.113.80",))}


def errors(rng: np.random.Generator) -> Columns:
    """Single error lines all through the hour, and a job that retries for a second or two now and then."""
    single = rng.uniform(0, HOUR, rng.poisson(60))
    bursts = np.concatenate([rng.uniform(0, 2, 12) + at for at in rng.uniform(0, HOUR - 5, 4)])
    return numbered(rng, np.sort(np.concatenate([single, bursts])), "sync of {} failed, will retry", "jobs.log", "error")


def batches(rng: np.random.Generator) -> pa.Table:
    """A job in turns: for some minutes it reads, then for some minutes it writes; both with a line each."""
    times = np.sort(rng.uniform(0, HOUR, rng.poisson(4 * HOUR)))
    writes = (times // float(rng.uniform(60, 400))).astype(np.int64) % 2 == 1
    return pa.concat_tables([rows(numbered(rng, times[chosen], text, "batch.log")) for chosen, text in ((writes, "wrote page {}"), (~writes, "read page {}"))])


def numbered(rng: np.random.Generator, times: Floats, text: str, source: str, severity: str = "info") -> Columns:
    """A line at each of these times, with a number of its own in the text's place for one."""
    texts = [text.format(number) for number in rng.integers(0, 10**6, len(times))]
    return said(times, np.arange(len(times)), texts, source, severity)


def said(times: Floats, which: Floats, texts: list[str] | tuple[str, ...], source: str, severity: str = "info") -> Columns:
    whole = np.zeros(len(times), np.int64)
    return {"time": micros(times), "source": of(whole, (source,)), "message": of(which, texts), "severity": of(whole, (severity,))}


def of(which: Floats, values: list[str] | tuple[str, ...]) -> pa.Array:
    """The values at these places."""
    return pa.DictionaryArray.from_arrays(pa.array(which.astype(np.int32)), pa.array(values, pa.string()))


def micros(times: Floats) -> pa.Array:
    return pa.array(START * 1_000_000 + np.round(times * 1e6).astype(np.int64))


def rows(columns: Columns) -> pa.Table:
    """A table of events with these columns, numbered as lines; all others null."""
    schema = pa.schema([*event_schema(), ("source", TEXT), ("file", TEXT)])
    size = len(columns["time"])
    at, one, none = np.arange(size), np.ones(size, np.int32), np.zeros(size, np.int64)
    whole: Columns = {"line": pa.array(at + 1), "lines": pa.array(one), "offset": pa.array(at), "size": pa.array(one), "format": of(none, ("test",))}
    known = whole | columns | {"file": columns["source"]}
    return pa.table([known[f.name].cast(f.type) if f.name in known else pa.nulls(size, f.type) for f in schema], schema=schema)


if __name__ == "__main__":
    main()
