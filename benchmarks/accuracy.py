"""Prints how well onset, recovery and clock offsets are found on simulated data, as the tables of docs/accuracy.md.

python benchmarks/accuracy.py [--seed 1] [--rounds 2] [--quiet-hours 1000]
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from itertools import product

import numpy as np
import series

from retrolog.pipeline.analysis.clocks import offsets
from retrolog.pipeline.analysis.outages import scan


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rounds", type=int, default=2, help="hours simulated per cell of the grid")
    options.add_argument("--quiet-hours", type=int, default=1000)
    options.add_argument("--misses", action="store_true", help="name the outages that were not found")
    given = options.parse_args()
    for bursty in (False, True):
        print(f"\nOutages over {'bursty' if bursty else 'independent'} background failures\n")
        found(given.seed, given.rounds, bursty, given.misses)
    print("\nFalse outages in quiet hours\n")
    false_alarms(given.seed, given.quiet_hours)
    print("\nClock offsets\n")
    clocks(given.seed, 10 * given.rounds)


def found(seed: int, rounds: int, bursty: bool, misses: bool) -> None:
    """Found %, and the errors of onset and recovery in seconds (median / 90th percentile) of those found."""
    rows: dict[str, list[tuple[bool, bool, float, float, bool, int, bool]]] = defaultdict(list)
    seconds: list[float] = []
    for shape, case in series.outages(seed, rounds, bursty):
        failed, total = case.counts()
        begun = time.perf_counter()
        spans = scan.segments(failed, total)
        seconds.append(time.perf_counter() - begun)
        assert case.span is not None
        hits = [s for s in spans if s.start_bin < case.span[1] and s.stop_bin > case.span[0]]
        if not hits or case.first is None or case.last is None:
            rows[shape].append((False, False, 0.0, 0.0, len(spans) > 0, case.caused, False))
            if misses:
                print("  missed:", case.name, "failures:", case.caused)
            continue
        first, last = hits[0], hits[-1]
        onset, _ = scan.cut(
            case.times, case.failed, first.start_bin, first.stop_bin, p_in=first.p_in, p_out=first.p_out
        )
        _, recovery = scan.cut(
            case.times, case.failed, last.start_bin, last.stop_bin, p_in=last.p_in, p_out=last.p_out
        )
        inside = first.onset[0] <= case.first <= max(first.onset[1], onset) + 1
        outage = any(not s.is_blip for s in hits)
        rows[shape].append(
            (
                True,
                outage,
                abs(onset - case.first),
                abs(recovery - case.last),
                len(spans) > len(hits),
                case.caused,
                inside,
            )
        )
    print(
        "| shape | found | called an outage | found of those with 20 failures | onset s | in its range | recovery s | false beside |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    everything = [row for shape in series.SHAPES for row in rows[shape]]
    for shape, cases in [*rows.items(), ("all", everything)]:
        hit = [c for c in cases if c[0]]
        big = [c for c in cases if c[5] >= 20]
        onset, recovery = np.array([c[2] for c in hit]), np.array([c[3] for c in hit])
        print(
            f"| {shape} | {len(hit) / len(cases):.1%} | {sum(c[1] for c in cases) / len(cases):.1%} "
            f"| {sum(c[0] for c in big) / max(len(big), 1):.1%} "
            f"| {np.median(onset):.2f} / {np.quantile(onset, 0.9):.2f} "
            f"| {sum(c[6] for c in hit) / max(len(hit), 1):.1%} "
            f"| {np.median(recovery):.2f} / {np.quantile(recovery, 0.9):.2f} | {sum(c[4] for c in cases)} |"
        )
    print(f"\n{len(everything)} hours; {1000 * np.median(seconds):.1f} ms a series in the median.")


def false_alarms(seed: int, hours: int) -> None:
    """Outages and blips reported where there is none."""
    print("| background | hours | false outages | blips |")
    print("| --- | --- | --- | --- |")
    for bursty in (False, True):
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for name, case in series.quiet(seed, hours // 2, bursty):
            spans = scan.segments(*case.counts())
            row = counts[name]
            row[0] += 1
            row[1] += sum(not s.is_blip for s in spans)
            row[2] += sum(s.is_blip for s in spans)
        for name, row in sorted(counts.items()):
            print(f"| {'bursty' if bursty else 'independent'} {name} | {row[0]} | {row[1]} | {row[2]} |")


def clocks(seed: int, trials: int) -> None:
    """Offsets between two logs of half an hour that share some of their requests, drawn from -14 to 14 hours."""
    print("| requests/s | shared | stamps | claimed | of these within 1 s | error s | z |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for rate, share, whole in product((0.2, 1, 5, 20), (0.0, 0.05, 0.3, 1.0), (False, True)):
        claimed: list[float] = []
        heights: list[float] = []
        for trial in range(trials):
            rng = np.random.default_rng([seed, trial, int(rate * 10), int(share * 100), whole])
            first, second, offset = series.two_logs(rng, rate, share, whole)
            answer = offsets.by_counts(first, second)
            if answer is not None:
                heights.append(answer.z)
                if answer.sure:
                    claimed.append(abs(answer.seconds - offset))
        exact = f"{sum(error <= 1 for error in claimed)} of {len(claimed)}" if claimed else "-"
        middle = f"{np.median(claimed):.2f}" if claimed else "-"
        print(
            f"| {rate} | {share:.0%} | {'whole seconds' if whole else 'milliseconds'} "
            f"| {len(claimed) / trials:.0%} | {exact} | {middle} | {min(heights):.1f} to {max(heights):.1f} |"
        )


if __name__ == "__main__":
    main()
