"""Clocks that were set amid their logs: where a clock stepped, and how far each stretch of its time is off.

Three witnesses tell of a step: a line that says so (a time service's), rows whose times go back or on by whole half hours
(`retrolog.pipeline.reading.jumps`), and things that two clocks both wrote whose distance changes at one moment. Each stretch between steps is
then compared with the other clocks as if it were a clock of its own. A stretch that shares too little with others is known from its
neighbour and the size of the step, but not backwards over a step forwards: since when the clock had lagged (a paused machine) no
step tells. Nothing is moved on one witness alone that does not say which side is right.

Times are microseconds since the epoch as the writers stamped them, offsets seconds, positive where a clock is ahead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.summary import Summary
from ...reading.jumps import NEVER, Cut, Jump, number_of, piece_name, whole_name
from .clock import SECOND, estimated, main_of, units
from .offsets import REACH, Floats, Offset

if TYPE_CHECKING:
    from ...reports import SourceReport

#: A line that says a clock was set, and by how much.
_SAYS = (
    r"(?i)\b(?:clock|time)\b.{0,60}\b(?:step(?:ped|ping)?|reset|set|jump(?:ed)?|moved|adjusted|corrected)\b"
    r"|\b(?:step(?:ped|ping)?|set(?:ting)?)\b.{0,40}\b(?:clock|time)\b"
)
_AMOUNT = re.compile(
    r"(?i)\b(?:by|offset|reset|jumped|forwards?|backwards?|back)[ =:(]*(?P<by>[+-]?\d+(?:\.\d+)?) ?(?P<unit>ms|milliseconds?|s|secs?|seconds?|min|minutes?|h|hours?)\b"
)
_BACK = re.compile(r"(?i)\bback(?:wards?)?\b")
_SCALES = (("ms", 0.001), ("mil", 0.001), ("m", 60.0), ("h", 3600.0), ("s", 1.0))
#: Smaller steps lie within what other causes do to times.
LEAST = 2.0
#: Witnesses so near to each other (microseconds) tell of one step.
_SAME = 90 * SECOND
#: Things in common on either side of a change of distance, at least; and lags of pairs alike that are looked at.
_BESIDE = 5
_LEVELS = 3
#: Rows in the time that a step leaves out or runs through twice, from which on a log does not share that step.
_AGAINST = 6
#: How sure the size of a step is: said by a line, or measured between rows.
_SAID, _SEEN = 0.5, 2.0
#: How a stretch is known that was not compared itself.
_REFERENCE = "the clock that the others are compared with"
BY_STEP, AFTER_SET = "by the step", "set by a time service"


@dataclass(frozen=True, slots=True)
class Step:
    """A moment at which a clock was set: its last time before and its first one after.

    `by` is how far, in seconds, as `said` (file and line) says or the rows show; None where only other clocks show it. `jumps` are the
    rows that show it, by file.
    """

    clock: str
    before: int
    after: int
    by: float | None = None
    said: tuple[str, int] | None = None
    jumps: tuple[tuple[str, Jump], ...] = ()

    @property
    def forwards(self) -> bool:
        """Whether the clock was set forwards."""
        return self.after > self.before

    @property
    def size(self) -> float:
        """How far it was set in seconds, as far as can be told."""
        return self.by if self.by is not None else (self.after - self.before) / SECOND


@dataclass(frozen=True, slots=True)
class Stepped:
    """Steps by clock, in their order, and which clock each source of these is of."""

    steps: Mapping[str, tuple[Step, ...]]
    clock_of: Mapping[str, str]

    def of(self, source: str) -> tuple[Step, ...]:
        """The steps of the clock that wrote a source."""
        return self.steps.get(self.clock_of.get(source, "\0"), ())

    @property
    def reach(self) -> int:
        """How far, in microseconds, steps may have moved rows away from where they belong."""
        sizes = [sum(abs(step.size) for step in steps) for steps in self.steps.values()]
        return round(max(sizes, default=0.0) * SECOND)


# ---------------------------------------------------------------------------------------------------------- witnesses


def found(summary: Summary, reports: Sequence[SourceReport], apart: Mapping[str, str] | None = None) -> Stepped:
    """The steps that lines, rows or other clocks tell of; of those that only rows tell of, none where no other clock can be asked."""
    clock_of = units(summary) | dict(apart or {})
    jumps: dict[str, list[tuple[str, Jump]]] = {}
    for report in reports:
        for jump in report.jumps:
            if report.source in clock_of:
                jumps.setdefault(report.source, []).append((report.file, Jump(*jump)))
    for source in [s for s in jumps if _denied(summary, s, jumps, clock_of)]:
        clock_of[source] = f"{clock_of[source]}\0{source}"
    seen = [
        Step(clock_of[source], jump.before, jump.after, None, None, ((file, jump),))
        for source, rows in sorted(jumps.items())
        for file, jump in rows
    ]
    said = list(_said(summary, clock_of))
    told = _one_each([*said, *seen])
    if len(set(clock_of.values())) > 1:
        told = _one_each([*told, *_shared(summary, clock_of, told)])
    else:
        told = [step for step in told if step.said and step.jumps]
    steps: dict[str, list[Step]] = {}
    for step in told:
        if abs(step.size) >= LEAST:
            steps.setdefault(step.clock, []).append(step)
    return Stepped({clock: tuple(rows) for clock, rows in steps.items()}, clock_of)


def _denied(summary: Summary, source: str, jumps: Mapping[str, Sequence[tuple[str, Jump]]], clock_of: Mapping[str, str]) -> bool:
    """Whether another log of the same clock goes on evenly where this one's times jump."""
    table = summary.table("seconds")
    for _, jump in jumps[source]:
        low, high = sorted((jump.before, jump.after))
        inside = pc.and_(pc.greater(table["second"], low // SECOND + 1), pc.less(table["second"], high // SECOND - 1))
        near = table.filter(inside).group_by("source").aggregate([("events", "sum")]).to_pylist()
        for row in near:
            other = row["source"]
            if other == source or clock_of[other] != clock_of[source] or row["events_sum"] < _AGAINST:
                continue
            if not any(_near(jump, theirs) for _, theirs in jumps.get(other, ())):
                return True
    return False


def _near(one: Jump | Step, two: Jump | Step) -> bool:
    """Whether two jumps can be the same."""
    low, high = sorted((one.before, one.after))
    least, most = sorted((two.before, two.after))
    return low - _SAME <= most and least - _SAME <= high


def _said(summary: Summary, clock_of: Mapping[str, str]) -> Iterable[Step]:
    """Steps that lines tell of, with their size."""
    table = summary.table("patterns")
    kinds = pc.unique(table["signature"])
    kinds = kinds.filter(pc.fill_null(pc.match_substring_regex(kinds, _SAYS), False))
    if not len(kinds):
        return
    rows = table.filter(pc.is_in(table["signature"], value_set=kinds)).select(["source", "time", "file", "line", "message"])
    for row in rows.to_pylist():
        amount = _AMOUNT.search(row["message"] or "")
        if amount is None:
            continue
        by = float(amount["by"]) * next(scale for name, scale in _SCALES if amount["unit"].lower().startswith(name))
        by = -abs(by) if _BACK.search(row["message"]) else by
        clock, time, size = clock_of[row["source"]], row["time"], round(by * SECOND)
        mine = [source for source, name in clock_of.items() if name == clock]
        # most say it once it is done; where the time before is not silent but the time behind is, it was said beforehand
        after = by < 0 or _events(summary, mine, time - size, time) <= _events(summary, mine, time, time + size)
        before = time - size if after else time
        yield Step(clock, before, before + size, by, (row["file"], row["line"]))


def _events(summary: Summary, sources: Sequence[str], first: int, last: int) -> int:
    """Events of sources well within a span."""
    table = summary.table("seconds")
    inside = pc.and_(pc.greater(table["second"], first // SECOND + 1), pc.less(table["second"], last // SECOND - 1))
    mine = pc.is_in(table["source"], value_set=pa.array(sources, pa.string()))
    return int(pc.sum(table.filter(pc.and_(inside, mine))["events"]).as_py() or 0)


def _one_each(steps: Iterable[Step]) -> list[Step]:
    """What several witnesses tell of one step, as one: where rows show it they say when, and a line says how far."""
    out: list[Step] = []
    for step in sorted(steps, key=lambda s: (s.clock, max(s.before, s.after))):
        same = next((k for k, other in enumerate(out) if other.clock == step.clock and _near(other, step) and _agree(other, step)), None)
        if same is None:
            out.append(step)
            continue
        other = out[same]
        shown = [one for one in (other, step) if one.jumps] or [one for one in (other, step) if one.said] or [other]
        before, after = max(one.before for one in shown), min(one.after for one in shown)
        if shown[0].forwards != (after > before):
            before, after = shown[0].before, shown[0].after
        by = other.by if other.by is not None else step.by
        out[same] = Step(step.clock, before, after, by, other.said or step.said, (*other.jumps, *step.jumps))
    return out


def _agree(one: Step, two: Step) -> bool:
    """Whether two witnesses tell of a step in one direction and of about one size; rows may lie apart by themselves."""
    if one.forwards != two.forwards:
        return False
    return abs(one.size - two.size) <= max(30.0, 0.3 * max(abs(one.size), abs(two.size)))


def _shared(summary: Summary, clock_of: Mapping[str, str], told: Sequence[Step]) -> list[Step]:
    """Steps of clocks whose distance from the main one changes at a moment."""
    main = main_of(summary, clock_of)
    changes: list[tuple[str, Step, Step]] = []
    for clock in sorted(set(clock_of.values()) - {main}):
        here, there, found_there = _changes(*_common(summary, clock_of, main, clock))
        for at, size in found_there:
            theirs = Step(clock, round(there[at - 1] * SECOND), round(there[at] * SECOND), size)
            ours = Step(main, round(here[at - 1] * SECOND), round(here[at] * SECOND), -size)
            changes.append((clock, theirs, ours))
    out: list[Step] = []
    for clock, theirs, ours in changes:
        if any(step.clock == clock and _near(step, theirs) for step in told):
            continue
        alike = {other for other, _, same in changes if _near(ours, same) and abs(ours.size - same.size) <= max(LEAST, 0.2 * abs(ours.size))}
        if any(step.clock == main and _near(step, ours) for step in told):
            continue
        out.append(ours if len(alike) > 1 else theirs)
    return [_placed(step) for step in out]


def _placed(step: Step) -> Step:
    """The step amid the time in which nothing shows it; its size is then that of the distance."""
    by = round(step.size * SECOND)
    slack = (step.after - step.before - by) // 2
    return replace(step, before=step.before + slack, after=step.before + slack + by, by=None)


def _common(summary: Summary, clock_of: Mapping[str, str], one: str, two: str) -> tuple[Floats, Floats]:
    """When two clocks wrote of the same things, in seconds: requests by their id, else those alike in what both write."""
    here, there = (_written(summary, "request_ids", "request_id", clock_of, clock) for clock in (one, two))
    _, at, opposite = np.intersect1d(here[0], there[0], assume_unique=True, return_indices=True)
    if len(at) >= 2 * _BESIDE:
        return here[1][at], there[1][opposite]
    here, there = (_written(summary, "likes", "key", clock_of, clock, once=False) for clock in (one, two))
    return _alike(here, there)


def _written(
    summary: Summary, name: str, column: str, clock_of: Mapping[str, str], clock: str, once: bool = True
) -> tuple[np.ndarray, Floats]:
    table = summary.table(name)
    mine = pa.array([source for source, of in clock_of.items() if of == clock], pa.string())
    table = table.filter(pc.is_in(table["source"], value_set=mine))
    names, times = table[column].to_numpy(), table["time"].to_numpy() / SECOND
    order = np.lexsort((times, names))
    names, times = names[order], times[order]
    if once:
        names, first = np.unique(names, return_index=True)
        times = times[first]
    return names, times


def _alike(here: tuple[np.ndarray, Floats], there: tuple[np.ndarray, Floats]) -> tuple[Floats, Floats]:
    """Pairs of things alike that lie apart by one of the few distances that many pairs have."""
    names, counts = np.unique(here[0], return_counts=True)
    other_names, other_counts = np.unique(there[0], return_counts=True)
    _, at, opposite = np.intersect1d(names, other_names, assume_unique=True, return_indices=True)
    few = (counts[at] <= 4) & (other_counts[opposite] <= 4)
    at, opposite = at[few][:20_000], opposite[few][:20_000]
    start, other_start = (np.cumsum(counts) - counts)[at], (np.cumsum(other_counts) - other_counts)[opposite]
    across = other_counts[opposite]
    many = counts[at] * across
    which = np.repeat(np.arange(len(at)), many)
    place = np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)
    first, second = here[1][start[which] + place // across[which]], there[1][other_start[which] + place % across[which]]
    near = np.abs(second - first) <= REACH
    first, second = first[near], second[near]
    if len(first) < 2 * _BESIDE:
        return np.zeros(0), np.zeros(0)
    lag = second - first
    cells, of = np.unique(np.floor(lag), return_inverse=True)
    count = np.bincount(of)
    chance = max(1.0, float(np.median(count)))
    kept = np.zeros(len(lag), np.bool_)
    for top in np.argsort(-count, kind="stable")[:_LEVELS].tolist():
        if count[top] >= 2 * _BESIDE and count[top] >= chance + 6 * chance**0.5:
            kept |= np.abs(lag - cells[top] - 0.5) <= 1.5
    return first[kept], second[kept]


def _changes(here: Floats, there: Floats) -> tuple[Floats, Floats, list[tuple[int, float]]]:
    """The places at which the distance of two clocks changes at once, and by how much; with their times in order."""
    best: tuple[Floats, Floats, list[tuple[int, float]]] = here, there, []
    for key in (here, there):  # the clock that was set back is not in order by its own time
        order = np.argsort(key, kind="stable")
        found = _levels(there[order] - here[order])
        if len(found) > len(best[2]):
            best = here[order], there[order], found
    return best


def _levels(lag: Floats) -> list[tuple[int, float]]:
    """Where a series goes from one level to another within a few values, and by how much."""
    out: list[tuple[int, float]] = []

    def look(low: int, high: int) -> None:
        part = lag[low:high]
        if len(part) < 2 * _BESIDE:
            return
        part = part - part.mean()
        total, number = np.cumsum(part)[:-1], np.arange(1, len(part))
        gain = total**2 / number + total**2 / (len(part) - number)
        gain[: _BESIDE - 1] = gain[len(gain) - _BESIDE + 1 :] = -np.inf
        at = int(np.argmax(gain)) + 1
        left, right = part[:at], part[at:]
        size = float(np.median(right) - np.median(left))
        spread = max(float(np.median(np.abs(side - np.median(side)))) for side in (left, right))
        near = float(np.median(part[at : at + 8]) - np.median(part[max(0, at - 8) : at]))
        if abs(size) >= max(LEAST, 4 * spread) and abs(near) >= 0.7 * abs(size):
            out.append((low + at, near))
        elif abs(size) < LEAST and spread < LEAST:
            return
        look(low, low + at)
        look(low + at, high)

    look(0, len(lag))
    return sorted(out)


# --------------------------------------------------------------------------------------------------------------- cuts


def cuts(stepped: Stepped, source: str, files: Sequence[str]) -> dict[str, tuple[Cut, ...]]:
    """Where the stretches of a source begin in each of its files (given from the oldest): at a row that shows the step, else by time."""
    out: dict[str, list[Cut]] = {file: [] for file in files}
    for step in stepped.of(source):
        shown = {file: jump for file, jump in step.jumps if file in out}
        first = min((files.index(file) for file in shown), default=None)
        for place, file in enumerate(files):
            if file in shown:
                cut = Cut(line=shown[file].line)
            elif first is not None:
                cut = Cut(line=1 if place > first else NEVER)
            else:
                cut = Cut(time=(step.before + step.after) // 2 if step.forwards else step.after)
            out[file].append(cut)
    return {file: tuple(rows) for file, rows in out.items()}


# ------------------------------------------------------------------------------------------------------------ offsets


def resolved(summary: Summary, stepped: Stepped) -> tuple[dict[str, Offset], set[str]]:
    """The offset of every source and stretch of which something is known, and the clocks whose stretches differ for sure.

    `summary` has the stretches of stepped clocks as sources of their own (`jumps.piece_name`).
    """
    sources = sorted(set(summary.table("seconds")["source"].to_pylist()))
    clock_of = {s: _stretch_clock(stepped.clock_of.get(whole_name(s), ""), number_of(s)) for s in sources}
    groups = {name: whole_name(name) for name in clock_of.values()}
    by_source = estimated(summary, clock_of, groups)
    offsets = {clock_of[source]: offset for source, offset in by_source.items()}
    if reference := {clock for clock in clock_of.values() if clock not in offsets}:
        main = main_of(summary, clock_of)
        if main in reference:
            offsets[main] = Offset(0.0, 0.0, 0.0, 0, _REFERENCE, sure=True)
            offsets = _referred(offsets, main, stepped)
    differing = set()
    for clock, steps in stepped.steps.items():
        known = _stretches(offsets, clock, steps)
        values = [one for one in known if one is not None and one.sure]
        if any(abs(a.seconds - b.seconds) > max(1.0, a.error + b.error) for a in values for b in values):
            differing.add(clock)
            offsets |= {piece_name(clock, n): one for n, one in enumerate(known) if one is not None}
    silent = {clock for clock, one in offsets.items() if one.method == _REFERENCE and whole_name(clock) not in differing}
    return {source: offsets[clock] for source, clock in clock_of.items() if clock in offsets and clock not in silent}, differing


def _stretch_clock(clock: str, number: int | None) -> str:
    return clock if number is None else piece_name(clock, number)


def _referred(offsets: dict[str, Offset], main: str, stepped: Stepped) -> dict[str, Offset]:
    """The offsets with the right stretch of the main clock as that of reference, where that clock was set as well.

    Right is the stretch that most other clocks agree with; of two alike the one behind a step that a line tells of.
    """
    clock = whole_name(main)
    steps = stepped.steps.get(clock)
    if not steps:
        return offsets
    others = [one for name, one in offsets.items() if one.sure and whole_name(name) != clock]
    if not others:
        return {name: one for name, one in offsets.items() if name != main}  # it agrees with itself, which says nothing
    stretches = [(n, offsets[name]) for n in range(len(steps) + 1) if (name := piece_name(clock, n)) in offsets and offsets[name].sure]

    def agreed(item: tuple[int, Offset]) -> tuple[float, float, int]:
        n, one = item
        votes = sum(abs(one.seconds - other.seconds) <= max(1.5, one.error + other.error) for other in others)
        return float(votes), float(n > 0 and steps[n - 1].said is not None), -abs(round(one.seconds))

    _, right = max(stretches, key=agreed)
    return {name: replace(one, seconds=one.seconds - right.seconds) for name, one in offsets.items()}


def _stretches(offsets: Mapping[str, Offset], clock: str, steps: Sequence[Step]) -> list[Offset | None]:
    """The offset of each stretch: compared with others, else from its neighbour and the step between them."""
    known = [offsets.get(piece_name(clock, n)) for n in range(len(steps) + 1)]
    last = steps[-1]
    if not any(one is not None and one.sure for one in known) and last.said and last.jumps:
        known[-1] = Offset(0.0, 1.0, 0.0, 0, AFTER_SET, sure=True)

    def follow(at: int, beside: int, step: Step, sign: float) -> None:
        near, here = known[beside], known[at]
        if near is None or not near.sure or (here is not None and here.sure) or not (step.said or step.jumps):
            return
        error = float(np.hypot(near.error, _SAID if step.said else _SEEN))
        known[at] = Offset(near.seconds + sign * step.size, error, near.z, near.pairs, BY_STEP, sure=True)

    for n, step in enumerate(steps):
        follow(n + 1, n, step, 1.0)
    for n in range(len(steps) - 1, -1, -1):
        if not steps[n].forwards:  # since when a clock that was set forwards had lagged, the step does not say
            follow(n, n + 1, steps[n], -1.0)
    return known


def rejoined(summary: Summary, clocks: set[str] | None = None, clock_of: Mapping[str, str] | None = None) -> Summary:
    """The summary with the stretches of sources (of these clocks, else of all) under the name of their source again."""
    from ...counting.summary import LAYOUTS, refold

    tables = {}
    for name, table in summary.tables.items():
        before = table["source"].to_pylist()
        names = [whole_name(s) if clocks is None or (clock_of or {}).get(whole_name(s), "") in clocks else s for s in before]
        if names != before:
            table = refold(name, table.set_column(table.schema.get_field_index("source"), "source", pa.array(names, pa.string())))
        tables[name] = table
    return Summary({n: tables[n] for n in LAYOUTS if n in tables}, summary.levels)
