"""Prints what a draft of each recorded incident takes, as a whole process: seconds of the processor, and on the clock.

    python benchmarks/incidents.py [FOLDER ...] [--rounds 3] [--command draft] [--retrolog COMMAND ...] [--same]

A folder holds incidents, or is one: `logs/` and a `truth.json` with the window and the zone, as `tests/outages` has them (the
default). With several `--retrolog` commands (of another version, say) these take turns, so that both meet the same machine, and
the last column is by how much the last one takes less of the processor than the first; `--same` ends with an error where their
output differs. Of the rounds the least counts: other work on the machine only ever adds to it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


def incidents(folders: list[Path]) -> list[Path]:
    """The folders with a scenario, in the order of their names."""
    return [one for folder in folders for one in ([folder] if (folder / "truth.json").exists() else sorted(p.parent for p in folder.glob("*/truth.json")))]


def arguments(folder: Path, command: str) -> list[str]:
    """The command line that asks for the window of the scenario."""
    truth = json.loads((folder / "truth.json").read_text())
    return [command, str(folder / "logs"), "--from", truth["window"]["start"], "--to", truth["window"]["end"], "--tz", truth["timezone"]]


def once(command: list[str]) -> tuple[float, float, str]:
    """Processor and wall seconds of a process and its children, and a digest of what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # else each run compiles anew
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, env=environment, cwd=HERE.parent, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stderr.decode()[-2000:]}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall, hashlib.sha256(done.stdout).hexdigest()


def megabytes(folder: Path) -> float:
    """The size of the logs as they are stored."""
    return sum(file.stat().st_size for file in (folder / "logs").rglob("*") if file.is_file()) / 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="*", type=Path)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--command", default="draft", choices=["draft", "find", "inspect", "events"])
    options.add_argument("--retrolog", action="append", metavar="COMMAND", help="how to run it (default: this one)")
    options.add_argument("--same", action="store_true", help="fail where the commands print other bytes")
    given = options.parse_args()
    folders = incidents([folder.resolve() for folder in given.folders or [HERE / "tests" / "outages"]])
    if not folders:
        sys.exit("no folder with a truth.json was found")
    programs = [shlex.split(command) for command in given.retrolog or [f"{shlex.quote(sys.executable)} -m retrolog"]]
    compared = len(programs) > 1
    print(f"| incident | MB |{' cpu s, first |' if compared else ''} cpu s | wall s |{' less |' if compared else ''}")
    print("| --- |" + " --- |" * (5 if compared else 3))
    for folder in folders:
        asked = arguments(folder, given.command)
        rounds = [[once([*program, *asked]) for program in programs] for _ in range(given.rounds)]
        if given.same and len({digest for one in rounds for _, _, digest in one}) > 1:
            sys.exit(f"{folder.name}: the outputs differ")
        first, last = (min(one[at][0] for one in rounds) for at in (0, -1))
        wall = min(one[-1][1] for one in rounds)
        row = f"| {folder.name} | {megabytes(folder):.1f} |" + (f" {first:.2f} |" if compared else "") + f" {last:.2f} | {wall:.2f} |"
        print(row + (f" {first / last:.1f} times |" if compared else ""), flush=True)


if __name__ == "__main__":
    main()
