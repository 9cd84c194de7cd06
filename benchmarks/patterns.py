"""Prints how well messages are grouped into patterns, against samples whose templates are known, and how fast.

    python benchmarks/patterns.py DIRECTORY [--show NAME] [--speed] [--masks]

DIRECTORY holds structured samples of the Loghub collection (CSV with the columns Content and EventId). GA is the share of lines
whose group is exactly right; FGA is the F1 score of groups (Jiang et al., "A Large-scale Evaluation for Log Parsing Techniques",
2024). No mask or word is chosen per set. With --show, what was wrongly split or merged in one set. With --masks, each mask is left
out in turn: which sets change, and how each set fares without the masks that no other set needs.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from retrolog.pipeline.counting.patterns import MASKS, PatternTable, signatures, templates


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("directory", type=Path)
    options.add_argument("--show", metavar="NAME", help="the set whose mistakes to print")
    options.add_argument("--masks", action="store_true", help="leave each mask out in turn")
    options.add_argument("--speed", action="store_true", help="also time each set blown up to 300,000 lines")
    given = options.parse_args()
    files = sorted(given.directory.glob("*structured*.csv"))
    if not files:
        sys.exit(f"no structured samples (*structured*.csv) in {given.directory}")
    if given.masks:
        masks_in_turn({file.name.split("_")[0]: read(file) for file in files})
        return
    scores: list[tuple[float, float]] = []
    print("| set | GA | FGA | templates | patterns |" + (" lines/s |" if given.speed else ""))
    print("| --- | --- | --- | --- | --- |" + (" --- |" if given.speed else ""))
    for file in files:
        rows = read(file)
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


def read(file: Path) -> list[dict[str, str]]:
    """The rows of a structured sample."""
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def masks_in_turn(sets: dict[str, list[dict[str, str]]]) -> None:
    """Which sets change when a mask is left out, and each set's scores without all masks that change it alone."""
    names = list(sets)
    whole = {name: scored(rows, frozenset()) for name, rows in sets.items()}
    changed: dict[str, list[str]] = {}
    print("| mask left out | sets that change: GA, FGA |\n| --- | --- |")
    for mask in MASKS:
        without = {name: scored(sets[name], frozenset({mask})) for name in names}
        changed[mask] = [name for name in names if without[name] != whole[name]]
        told = "; ".join(f"{name}: {without[name][0]:.3f}, {without[name][1]:.3f}" for name in changed[mask])
        print(f"| {mask} | {told or 'none'} |")
    print("\n| set | masks that only it needs | GA, FGA | without them |\n| --- | --- | --- | --- |")
    for name in names:
        own = [mask for mask, theirs in changed.items() if theirs == [name]]
        accuracy, f1 = scored(sets[name], frozenset(own))
        print(f"| {name} | {', '.join(own) or 'none'} | {whole[name][0]:.3f}, {whole[name][1]:.3f} | {accuracy:.3f}, {f1:.3f} |")


def scored(rows: list[dict[str, str]], left_out: frozenset[str]) -> tuple[float, float]:
    """GA and FGA of a set without these masks."""
    kinds = signatures(pa.array([row["Content"] for row in rows]))
    known = sorted(set(kinds.dictionary.to_pylist()))
    made = dict(zip(known, templates(known, [mask for name, mask in MASKS.items() if name not in left_out]), strict=True))
    return judged([row["EventId"] for row in rows], [made[kind] for kind in kinds.to_pylist()])


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
    """Lines of a file per second of processor time, reading, signatures and templates together, over lines that differ in their digits."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "messages.log"
        with file.open("w", encoding="utf-8", newline="\n") as out:
            for k in range(300_000):
                line = re.sub(r"\d", lambda _: chance.choice("0123456789"), messages[k % len(messages)])
                out.write(line.replace("\n", " ") + "\n")
        begun = time.process_time()
        block = lines_of(file)
        PatternTable.of(signatures(block).dictionary.to_pylist())
        return len(block) / (time.process_time() - begun)


def lines_of(file: Path) -> pa.Array:
    """The lines of a file that ends with a line feed."""
    data = np.frombuffer(file.read_bytes(), np.uint8)
    ends = np.flatnonzero(data == 10).astype(np.int32)
    offsets = np.append(np.int32(0), ends - np.arange(len(ends), dtype=np.int32))
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(data[data != 10]))


if __name__ == "__main__":
    main()
