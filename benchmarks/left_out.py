"""Chooses the numbers of the analysis on all recorded outages but one, and prints how that one is then understood.

    python benchmarks/left_out.py FOLDER...

Each FOLDER holds recordings: folders with `logs/` and a `truth.json` of `window` (start, end), `timezone` and `outages`, each with
`onset`, `recovery` and `trigger` (a regular expression for the line that shows it, or an object with `log_match`), and if known
`detected`, `resolution` (objects with `time`) and `key_events` (objects with `time`, `log_match`, `importance`). Points are the
mean of what a recording's truth allows to be judged, 0 to 100. A number is changed alone, the others staying as they are; for each
recording left out, the values that are best for the rest are then taken together.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from retrolog.pipeline import investigate
from retrolog.pipeline.analysis.causes import response, trigger
from retrolog.pipeline.analysis.clues import behaviour
from retrolog.pipeline.analysis.outages import edges, fringe, scan
from retrolog.pipeline.analysis.outages.edges import Rule
from retrolog.pipeline.analysis.story import timeline
from retrolog.pipeline.findings import Candidate, Evidence, Findings
from retrolog.pipeline.options import Options
from retrolog.pipeline.window import Window

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the analysis: where it stands, what it is, and what is tried instead."""

    name: str
    module: Any
    attribute: str
    tried: tuple[float, ...]


NUMBERS = (
    Number("penalty of the scan", scan, "Rule.base_llr", (6.0, 8.0, 12.0)),
    Number("gap that joins failures, s", scan, "Rule.gap", (45, 60)),
    Number("failures that make a foot", edges, "_FOOT_COUNT", (2, 3, 5)),
    Number("gain of a foot", edges, "_EXTEND", (3.0, 5.0, 8.0)),
    Number("chance in a fringe", fringe, "CHANCE", (0.02, 0.05, 0.1)),
    Number("weight of a change's kind", trigger, "KIND", (1.0, 1.5, 2.0)),
    Number("weight of its delay", trigger, "DELAY", (0.3, 0.6, 1.0)),
    Number("weight of an act's lead", response, "LEAD", (0.5, 0.8, 1.2)),
    Number("weight of unknown words", behaviour, "WEIGHT", (0.8, 1.1, 1.4)),
    Number("points to be told", timeline, "THRESHOLD", (1.8, 2.2, 2.8)),
    Number("points of context", timeline, "CONTEXT", (2.6, 3.2, 4.0)),
    Number("rows a writer", timeline, "PER_WRITER", (2, 3, 4)),
)
Setting = tuple[tuple[Number, float], ...]


def current(number: Number) -> float:
    """The value that ships."""
    if number.attribute.startswith("Rule."):
        return float(getattr(Rule(), number.attribute.removeprefix("Rule.")))
    return float(getattr(number.module, number.attribute))


@contextmanager
def put(setting: Setting) -> Iterator[None]:
    """The analysis with other numbers, for a while."""
    rule = {n.attribute.removeprefix("Rule."): v for n, v in setting if n.attribute.startswith("Rule.")}
    plain = [(n.module, n.attribute, v) for n, v in setting if not n.attribute.startswith("Rule.")]
    plain += [(scan, "Rule", functools.partial(Rule, **rule))] if rule else []
    before = [(module, name, getattr(module, name)) for module, name, _ in plain]
    try:
        for module, name, value in plain:
            setattr(module, name, type(getattr(module, name))(value) if isinstance(value, float) else value)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


class Recording:
    """A recorded outage: read once, understood as often as there are settings."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        window = self.truth["window"]
        zone = self.truth["timezone"]
        self.options = Options(
            window=Window(micros(window["start"]), micros(window["end"])), zone=ZoneInfo(zone), zone_name=zone, zone_given=True
        )
        self.read = investigate.collect([str(folder / "logs")], self.options)

    def points(self, setting: Setting) -> float:
        """How much of the truth is told, 0 to 100."""
        with put(setting):
            findings = investigate.concluded(self.read, self.options).findings
        outages = self.truth["outages"]
        if not outages:
            return 0.0 if findings.incidents else 100.0
        if not findings.incidents:
            return 0.0
        parts = [1 - min(1.0, abs(len(findings.incidents) - len(outages)) / len(outages))]
        for outage in outages:
            onset = micros(outage["onset"])
            incident = min(findings.incidents, key=lambda i: abs(i.onset.time - onset))
            parts.append(fade(incident.onset.time - onset, 3, 60))
            if outage.get("recovery") and not outage.get("cut"):
                ends = [micros(outage[k]) for k in ("recovery", "first_ok") if outage.get(k)]
                parts.append(0.0 if incident.recovery is None else max(fade(incident.recovery.time - end, 5, 90) for end in ends))
            if outage.get("trigger"):
                parts.append(float(names(incident.trigger, pattern(outage["trigger"]))))
            if outage.get("detected"):
                told = incident.detected
                parts.append(float(told is not None and abs(told.time - micros(outage["detected"]["time"])) <= 5 * MICRO))
            if outage.get("resolution"):
                parts.append(float(names(incident.resolution, pattern(outage["resolution"]))))
        return 100 * sum([*parts, *self._told(findings)]) / (len(parts) + len(self._told(findings)))

    def _told(self, findings: Findings) -> list[float]:
        """Recall of the key events by weight, and precision of the entries; nothing where the truth names no events."""
        events = self.truth.get("key_events") or []
        if not events or not findings.timeline:
            return []

        def tells(entry: Any, event: dict[str, Any]) -> bool:
            when, last = micros(event["time"]), entry.end or entry.time
            near = entry.time - 5 * MICRO <= when <= last + 5 * MICRO
            return near and (said(entry.evidence, event["log_match"]) or bool(re.search(event["log_match"], entry.summary)))

        heard = sum(e.get("importance", 1) for e in events if any(tells(entry, e) for entry in findings.timeline))
        useful = sum(any(tells(entry, e) for e in events) for entry in findings.timeline)
        return [heard / sum(e.get("importance", 1) for e in events), useful / len(findings.timeline)]


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * MICRO)


def fade(error: int, full: float, zero: float) -> float:
    """1 up to `full` seconds, falling to 0 at `zero`."""
    return max(0.0, min(1.0, (zero - abs(error) / MICRO) / (zero - full)))


def pattern(truth: Any) -> str:
    return truth if isinstance(truth, str) else str(truth["log_match"])


def said(evidence: tuple[Evidence, ...], wanted: str) -> bool:
    return any(re.search(wanted, e.text) for e in evidence[:5])


def names(candidate: Candidate | None, wanted: str) -> bool:
    return candidate is not None and said(candidate.evidence, wanted)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    given = options.parse_args()
    folders = sorted({truth.parent for folder in given.folders for truth in folder.glob("*/truth.json")})
    if len(folders) < 3:
        sys.exit(f"only {len(folders)} recordings in {', '.join(map(str, given.folders))}; three or more are needed to leave one out")
    recordings = [Recording(folder) for folder in folders]
    shipped = [r.points(()) for r in recordings]
    single = {
        (number, value): [r.points(((number, value),)) for r in recordings]
        for number in NUMBERS for value in number.tried if value != current(number)
    }  # fmt: skip
    print("| number | shipped | tried: mean points |\n| --- | --- | --- |")
    for number in NUMBERS:
        tried = ", ".join(f"{v:g}: {mean(single[number, v]) if (number, v) in single else mean(shipped):.2f}" for v in number.tried)
        print(f"| {number.name} | {current(number):g} | {tried} |")
    print("\n| left out | chosen on the rest | points so | as shipped |\n| --- | --- | --- | --- |")
    chosen_points = []
    for place, recording in enumerate(recordings):
        setting = tuple(choice for number in NUMBERS if (choice := best(number, single, shipped, place)) is not None)
        chosen_points.append(recording.points(setting) if setting else shipped[place])
        words = ", ".join(f"{number.name} {value:g}" for number, value in setting) or "as shipped"
        print(f"| {recording.name} | {words} | {chosen_points[-1]:.1f} | {shipped[place]:.1f} |")
    print(f"| mean | | {mean(chosen_points):.1f} | {mean(shipped):.1f} |")


def best(number: Number, single: dict[tuple[Number, float], list[float]], shipped: list[float], left_out: int) -> tuple[Number, float] | None:
    """The value that is best without the recording left out; None when that is the one that ships (also on a tie)."""
    points = {v: mean(without(single[number, v], left_out)) for v in number.tried if (number, v) in single}
    value = max(points, key=lambda v: points[v])
    return (number, value) if points[value] > mean(without(shipped, left_out)) + 1e-9 else None


def without(values: list[float], place: int) -> list[float]:
    return values[:place] + values[place + 1 :]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
