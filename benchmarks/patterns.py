"""Prints how well messages are grouped into patterns, against samples whose templates are known, and how fast.

    python benchmarks/patterns.py DIRECTORY [--show NAME] [--speed]

DIRECTORY holds structured samples of the Loghub collection (CSV with the columns Content and EventId). GA is the share of lines
whose group is exactly right; FGA is the F1 score of groups (Jiang et al., "A Large-scale Evaluation for Log Parsing Techniques",
2024). No mask or word is chosen per set. With --show, what was wrongly split or merged in one set.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa

from retrolog.pipeline.counting.patterns import PatternTable, signatures


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("directory", type=Path)
    options.add_argument("--show", metavar="NAME", help="the set whose mistakes to print")
    options.add_argument("--speed", action="store_true", help="also time each set blown up to 300,000 lines")
    given = options.parse_args()
    files = sorted(given.directory.glob("*structured*.csv"))
    if not files:
        sys.exit(f"no structured samples (*structured*.csv) in {given.directory}")
    scores: list[tuple[float, float]] = []
    print("| set | GA | FGA | templates | patterns |" + (" lines/s |" if given.speed else ""))
    print("| --- | --- | --- | --- | --- |" + (" --- |" if given.speed else ""))
    for file in files:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        messages, truth = [row["Content"] for row in rows], [row["EventId"] for row in rows]
        found = mined(messages)
        accuracy, f1 = judged(truth, found)
        scores.append((accuracy, f1))
        name = file.name.split("_")[0]
        speed = f" {lines_per_second(messages):,.0f} |" if given.speed else ""
        print(f"| {name} | {accuracy:.3f} | {f1:.3f} | {len(set(truth))} | {len(set(found))} |{speed}")
        if given.show == name:
            show([row.get("EventTemplate", row["EventId"]) for row in rows], found)
    mean = [sum(score[k] for score in scores) / len(scores) for k in (0, 1)]
    print(f"| mean | {mean[0]:.3f} | {mean[1]:.3f} | | |" + (" |" if given.speed else ""))


def mined(messages: list[str]) -> list[str]:
    """The pattern of each message."""
    kinds = signatures(pa.array(messages))
    table = PatternTable.of(kinds.dictionary.to_pylist())
    return [table.pattern(kind) for kind in kinds.to_pylist()]


def judged(truth: list[str], found: list[str]) -> tuple[float, float]:
    """Grouping accuracy and the F1 score of the groups."""
    true_groups, found_groups = groups(truth), groups(found)
    exact = set(map(tuple, true_groups.values()))
    right = [lines for lines in found_groups.values() if tuple(lines) in exact]
    return sum(map(len, right)) / len(truth), 2 * len(right) / (len(true_groups) + len(found_groups))


def groups(names: list[str]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    for line, name in enumerate(names):
        members[name].append(line)
    return members


def show(truth: list[str], found: list[str]) -> None:
    """What should be one group and is several, and the other way round."""
    for word, ours, theirs in (("split", truth, found), ("merged", found, truth)):
        parts: dict[str, Counter[str]] = defaultdict(Counter)
        for one, other in zip(ours, theirs, strict=True):
            parts[one][other] += 1
        for name, counts in parts.items():
            if len(counts) > 1:
                print(f"    {word}: {name[:150]}")
                for other, count in counts.most_common(5):
                    print(f"        {count:5} {other[:150]}")


def lines_per_second(messages: list[str]) -> float:
    """Lines per second of processor time, signatures and templates together, over lines that differ in their digits."""
    chance = random.Random(1)
    many = [
        re.sub(r"\d", lambda _: chance.choice("0123456789"), messages[k % len(messages)])
        for k in range(300_000)
    ]
    block = pa.array(many)
    begun = time.process_time()
    PatternTable.of(signatures(block).dictionary.to_pylist())
    return len(many) / (time.process_time() - begun)


if __name__ == "__main__":
    main()
