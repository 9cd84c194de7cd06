"""Times retrolog against its peers on the same files, in turn, and checks every count before it prints a time.

    python benchmarks/compare.py [--folder DIR] [--sizes 10,100,1000] [--rounds 3] [--out table.md]

Peers that are not installed are left out and named: ripgrep, mawk, lnav, goaccess, s4 (super_speedy_syslog_searcher) and
drain3. Figures are of whole processes (imports included, files in the page cache): medians with least and greatest, user
and system time of the process and its children, and peak memory of the largest process. Ratios and rates are of processor
time, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import corpus

_DATED = b" +0000] "  # lnav prints the rows without a time as well that stand between
_STAMP = "2026-11-23T%H:%M:%S"
#: Modules are compiled once, as where a program is installed.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {"LC_ALL": "C"}


@dataclass(slots=True)
class Command:
    """One program at one task: what it runs, and how many lines or events its output must come to (None: not checked)."""

    name: str
    words: list[str]
    expected: int | None
    lines: bool = True  # its output is counted by lines; else it is the count
    holding: bytes = b"\n"  # what a line that counts holds
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: float = 0.0
    wrong: str = ""

    def run(self, timed: bool) -> None:
        """One run as a whole process; a wrong count ends its career."""
        with tempfile.TemporaryFile() as out:
            begin = time.perf_counter()
            child = subprocess.Popen(self.words, stdout=out, stderr=subprocess.DEVNULL, env=_ENVIRONMENT)
            _, _, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - begin
            child.returncode = 0
            out.seek(0)
            found = sum(self.holding in line for line in out) if self.lines else _number(out.read())
        if self.expected is not None and found != self.expected:
            self.wrong = f"{found:,} instead of {self.expected:,}"
        if timed:
            self.wall.append(wall)
            self.cpu.append(used.ru_utime + used.ru_stime)
            self.peak = max(self.peak, used.ru_maxrss / 1024)


def window_commands(path: Path, truth: dict[str, int]) -> list[Command]:
    """Ten minutes out of an access log, plain and packed."""
    midnight = corpus.START
    begin, end = (f"{midnight.replace(hour=s // 3600, minute=s // 60 % 60, second=s % 60):{_STAMP}}" for s in corpus.WINDOW)
    inside = truth["in_window"]
    ours = [sys.executable, "-m", "retrolog"]
    span = ["--from", begin + "Z", "--to", end + "Z"]
    minutes = [f"{corpus.START:%d/%b/%Y}:{m // 60:02}:{m % 60:02}" for m in range(corpus.WINDOW[0] // 60, corpus.WINDOW[1] // 60)]
    packed = f"{path}.gz"
    test = f'{{ t = substr($4, 14, 8); if (t >= "{begin[11:]}" && t < "{end[11:]}") print }}'
    commands = [
        Command("retrolog events", [*ours, "events", str(path), *span], inside),
        Command("retrolog events, .gz", [*ours, "events", packed, *span], inside),
        Command("retrolog draft", [*ours, "draft", str(path), *span, "--format", "json"], None),
    ]
    if shutil.which("rg"):
        commands.append(Command("ripgrep", ["rg", "-N", "|".join(minutes), str(path)], inside))
    if shutil.which("mawk"):
        commands.append(Command("mawk", ["mawk", test, str(path)], inside))
        commands.append(Command("gzip -dc | mawk", ["sh", "-c", f"gzip -dc '{packed}' | mawk '{test}'"], inside))
    if shutil.which("lnav"):
        last = f"{midnight.replace(hour=11, minute=0, second=0).replace(hour=(corpus.WINDOW[1] - 1) // 3600, minute=(corpus.WINDOW[1] - 1) // 60 % 60, second=(corpus.WINDOW[1] - 1) % 60):{_STAMP}}"
        hide = ["-c", f":hide-lines-before {begin}", "-c", f":hide-lines-after {last}"]
        commands.append(Command("lnav", ["lnav", "-n", *hide, str(path)], inside, holding=_DATED))
        commands.append(Command("lnav, .gz", ["lnav", "-n", *hide, packed], inside, holding=_DATED))
    if shutil.which("s4"):
        commands.append(Command("s4", ["s4", "-a", begin + "+0000", "-b", end + "+0000", "--color=never", str(path)], None))
    return commands


_SCAN = """
import sys
from retrolog.pipeline.counting.engine import run
from retrolog.pipeline.counting.jobs import Engine
from retrolog.pipeline.investigate import jobs
from retrolog.pipeline.options import Options
from retrolog.pipeline.reading.sources import discover
if __name__ == "__main__":
    _, reports = run(jobs(discover([sys.argv[1]]), Options()), engine=Engine(workers=int(sys.argv[2])))
    print(sum(report.lines for report in reports))
"""
_DRAIN = """
import sys
from drain3 import TemplateMiner
miner = TemplateMiner()
lines = 0
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    miner.add_log_message(line.rstrip())
    lines += 1
print(lines)
"""


def scan_commands(path: Path, truth: dict[str, int], scratch: Path) -> list[Command]:
    """A whole file to a summary (ours), a report (goaccess) or templates (drain3)."""
    (scratch / "scan.py").write_text(_SCAN)
    (scratch / "drain.py").write_text(_DRAIN)
    lines = truth["lines"]
    commands = [
        Command(f"retrolog scan, {workers} process{'es' * (workers > 1)}", [sys.executable, str(scratch / "scan.py"), str(path), str(workers)], lines, lines=False)
        for workers in (1, 2)
    ]
    if path.name == "access.log" and shutil.which("goaccess") and truth["bytes"] <= 2e8:
        commands.append(Command("goaccess", ["goaccess", str(path), "--log-format=COMBINED", "-o", str(scratch / "report.json"), "--no-progress"], None))
    if path.name == "syslog" and _has("drain3") and truth["bytes"] <= 2e8:
        commands.append(Command("drain3", [sys.executable, str(scratch / "drain.py"), str(path)], lines, lines=False))
    return commands


def _number(out: bytes) -> int:
    return int(out.strip() or b"-1")


def _has(module: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(module) is not None


def timed(commands: Sequence[Command], rounds: int) -> None:
    """Runs the commands in turn, once to warm up and check, then `rounds` times."""
    for command in commands:
        command.run(timed=False)
    for _ in range(rounds):
        for command in commands:
            if not command.wrong:
                command.run(timed=True)


def table(title: str, commands: Sequence[Command], size: int) -> str:
    """A Markdown table of one task at one size; ratios are against the first command."""
    rows = [f"### {title}", "", "| command | cpu s (least-greatest) | x of the first | MB per cpu s | wall s | peak MB |", "| --- | --- | --- | --- | --- | --- |"]
    first = statistics.median(commands[0].cpu) if commands[0].cpu else float("nan")
    for c in commands:
        name = c.name.replace("|", "\\|")
        if c.wrong:
            rows.append(f"| {name} | wrong count: {c.wrong} | | | | |")
            continue
        middle = statistics.median(c.cpu)
        rows.append(
            f"| {name} | {middle:.2f} ({min(c.cpu):.2f}-{max(c.cpu):.2f}) | {middle / first:.1f} | {size / 1e6 / max(middle, 0.01):,.0f} | "
            f"{statistics.median(c.wall):.2f} | {c.peak:,.0f} |"
        )
    return "\n".join([*rows, ""])


def main() -> None:
    """Make the corpora that are missing, run everything, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "retrolog-benchmark")
    parser.add_argument("--sizes", default="10,100,1000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default="access,syslog,json,text")
    parser.add_argument("--scan-up-to", type=float, default=100, help="largest size that is scanned whole, in MB")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    missing = [name for name in ("rg", "mawk", "lnav", "goaccess", "s4") if not shutil.which(name)]
    parts = [f"Not installed here: {', '.join(missing)}.\n"] if missing else []
    for size in (float(s) for s in given.sizes.split(",")):
        done = len(parts)
        folder = given.folder / f"{size:g}"
        for kind in given.kinds.split(","):
            note = folder / f"{kind}.json"
            if not note.exists():
                made = corpus.make(folder, kind, size, dirty=0.0005, packed=kind == "access")
                note.write_text(json.dumps(made))
            truth = json.loads(note.read_text())
            path = folder / truth["file"]
            if kind == "access":
                commands = window_commands(path, truth)
                timed(commands, given.rounds)
                parts.append(table(f"Ten minutes of a day, access log of {size:g} MB", commands, truth["bytes"]))
            if size <= given.scan_up_to:
                commands = scan_commands(path, truth, folder)
                timed(commands, given.rounds)
                parts.append(table(f"Whole {kind} log of {size:g} MB to a summary", commands, truth["bytes"]))
        print("\n".join(parts[done:]), flush=True)
    if given.out:
        given.out.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
