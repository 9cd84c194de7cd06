"""Reads the logs of clocks that were set once more, in stretches between the steps, each of which is put on the one clock by itself.

The steps are found in what was counted (`retrolog.pipeline.analysis.clocks.steps`), but counts of rows before and behind a step cannot be told
apart any more where a clock went back: the same second was counted twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from .reading.jumps import NEVER, Cut, Jump, number_of, piece_name, stretch_of, whole_name
from .wording import SECOND, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import pyarrow as pa

    from .analysis.clocks.offsets import Offset
    from .analysis.clocks.steps import Step, Stepped
    from .counting.jobs import Job, Watch
    from .counting.summary import Summary
    from .options import Options
    from .reading.sources import Discovery
    from .reports import SourceReport

#: How near to a stated moment rows must jump to be what was meant.
_MEANT = 90 * SECOND


@dataclass(frozen=True, slots=True)
class Stretches:
    """What was read of clocks that were set: stretches as sources of their own (`jumps.piece_name`), with where they begin."""

    summary: Summary
    reports: tuple[SourceReport, ...]
    estimates: Mapping[str, Offset]
    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)  # by source
    cuts: Mapping[str, tuple[Cut, ...]] = field(default_factory=dict)  # by file


def stretched(
    found: Discovery, summary: Summary, reports: Sequence[SourceReport], options: Options,
    plan: Callable[[Discovery, Options, int], list[Job]], apart: Mapping[str, str] | None = None, progress: Watch | None = None,
) -> Stretches | None:  # fmt: skip
    """The logs with those of clocks that were set in stretches; None where no clock was, as far as anything tells for sure.

    `plan(found, options, more)` plans the reading of logs, with so many microseconds more around the window. `apart` names clocks of sources.
    """
    from .analysis.clocks import steps
    from .counting.counts import merge
    from .counting.engine import run

    stepped = _with_stated(steps.found(summary, reports, apart), reports, options)
    if not stepped.steps:
        return None
    planned: list[Job] = []
    cuts: dict[str, tuple[Cut, ...]] = {}
    for source in found.sources:
        if stepped.of(source.name):
            jobs = plan(replace(found, sources=(source,)), options, stepped.reach)
            cuts |= steps.cuts(stepped, source.name, [job.file.file for job in jobs])
            planned += with_cuts(jobs, cuts)
    again, renewed = run(planned, progress, options.engine)
    read = {job.source for job in planned}
    both = merge([_without(summary, read), again])
    estimates, differing = steps.resolved(both, stepped)
    stated = {clock for clock in stepped.steps if clock.startswith(_STATED)}
    kept = {clock: rows for clock, rows in stepped.steps.items() if clock in differing | stated}
    if not kept:
        return None
    if len(kept) < len(stepped.steps):
        both = steps.rejoined(both, set(stepped.steps) - set(kept), stepped.clock_of)
        stepped = replace(stepped, steps=kept)
        estimates, _ = steps.resolved(both, stepped)
    by_file = {report.file: report for report in renewed}
    return Stretches(
        both,
        tuple(by_file.get(report.file, report) for report in reports),
        estimates,
        {source.name: stepped.of(source.name) for source in found.sources if stepped.of(source.name)},
        {job.file.file: cuts[job.file.file] for job in planned if stepped.of(job.source)},
    )


_STATED = "stated\0"


def _with_stated(stepped: Stepped, reports: Sequence[SourceReport], options: Options) -> Stepped:
    """The steps with those that the user states in place of what was found for these logs."""
    clock_of, steps = dict(stepped.clock_of), dict(stepped.steps)
    for source in sorted({report.source for report in reports}):
        moments = stated_steps(options, source)
        if not moments:
            continue
        jumps = [(report.file, Jump(*jump)) for report in reports if report.source == source for jump in report.jumps]
        clock_of[source] = _STATED + source
        steps[_STATED + source] = tuple(_stated(clock_of[source], time, jumps) for time, _ in moments)
    return replace(stepped, clock_of=clock_of, steps={clock: rows for clock, rows in steps.items() if clock in clock_of.values()})


def _stated(clock: str, time: int, jumps: Sequence[tuple[str, Jump]]) -> Step:
    from .analysis.clocks.steps import Step

    near = [(file, jump) for file, jump in jumps if min(abs(jump.before - time), abs(jump.after - time)) <= _MEANT]
    if not near:
        return Step(clock, time, time)
    return Step(clock, near[0][1].before, near[0][1].after, None, None, (near[0],))


def stated_steps(options: Options, source: str) -> list[tuple[int, float]]:
    """The moments from which on the user says how far the clock of a source is ahead, and how far."""
    return sorted((time, seconds) for glob, seconds, time in options.set_offsets if fits(source, glob))


def fits(source: str, glob: str) -> bool:
    """Whether a glob of --clock-offset means a source: by its name, or a folder that it is in."""
    return fnmatch(source, glob) or source.startswith(glob.rstrip("/") + "/")


def stated_offsets(options: Options, names: Sequence[str]) -> dict[str, float]:
    """The offsets that the user states, for sources and stretches of them; of several the last one."""
    out: dict[str, float] = {}
    for name in names:
        source, number = whole_name(name), number_of(name) or 0
        for glob, seconds in options.offsets:
            if fits(source, glob):
                out[name] = seconds
        moments = stated_steps(options, source)
        if moments and number_of(name) is not None:
            out[name] = moments[number - 1][1] if number else out.get(name, 0.0)
    return out


def with_cuts(planned: Sequence[Job], cuts: Mapping[str, tuple[Cut, ...]]) -> list[Job]:
    """The jobs, told where the stretches of their files begin."""
    from .reading.reach import Reach

    return [replace(job, reach=replace(job.reach or Reach(), cuts=cuts.get(job.file.file, ()))) for job in planned]


def in_zone(names: Sequence[str], zoned: Collection[str], found: Mapping[str, Offset]) -> set[str]:
    """Sources and stretches whose rows name their zone, so that a whole zone's difference is none of theirs; not those of a clock set by one."""
    zones: dict[str, set[float]] = {}
    for name in names:
        if name in found and found[name].sure:
            zones.setdefault(whole_name(name), set()).add(found[name].zone)
    return {name for name in names if whole_name(name) in zoned and len(zones.get(whole_name(name), ())) < 2}


def ahead_of(source: str, offsets: Mapping[str, float]) -> list[int]:
    """How far, in microseconds, a source is ahead, in each of its stretches."""
    return [round(seconds * SECOND) for name, seconds in offsets.items() if whole_name(name) == source] or [0]


def on_time(events: pa.Table, offsets: Mapping[str, float], cuts: Mapping[str, tuple[Cut, ...]], first: int, last: int) -> pa.Table:
    """Events as stamped, with their true times instead: those from `first` to before `last`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not events.num_rows or not any(offsets.values()):
        return events
    from ..parsers.arrays import numbers, values

    time = values(events["time"].cast(pa.int64())).copy()
    names, files = events["source"].cast(pa.string()).to_numpy(zero_copy_only=False), events["file"].cast(pa.string()).to_numpy(zero_copy_only=False)
    lines = values(events["line"])
    for file in np.unique(files):
        rows = np.flatnonzero(files == file)
        source = str(names[rows[0]])
        ahead = np.array([round(offsets.get(source, 0.0) * SECOND)])
        if file in cuts:
            ahead = np.array([round(offsets.get(piece_name(source, n), 0.0) * SECOND) for n in range(len(cuts[file]) + 1)])
        time[rows] -= ahead[stretch_of(cuts.get(file, ()), lines[rows], time[rows])]
    moved = events.set_column(events.schema.get_field_index("time"), "time", numbers(time).cast(pa.timestamp("us", tz="UTC")))
    return moved.filter(pc.and_(pc.greater_equal(numbers(time), first), pc.less(numbers(time), last)))


def _without(summary: Summary, sources: set[str]) -> Summary:
    import pyarrow as pa
    import pyarrow.compute as pc

    left = pa.array(sorted(sources), pa.string())
    tables = {name: table.filter(pc.invert(pc.is_in(table["source"], value_set=left))) for name, table in summary.tables.items()}
    return replace(summary, tables={name: table for name, table in tables.items() if table.num_rows})


def reported(
    report: SourceReport, stretches: Stretches, offsets: Mapping[str, float], notes: Mapping[str, str], zone: str
) -> SourceReport:  # fmt: skip
    """The report of a file whose clock was set: how far off it was in each stretch, and that of the one with most events."""
    steps = stretches.steps[report.source]
    names = [piece_name(report.source, n) for n in range(len(steps) + 1)]
    ahead = [offsets.get(name, 0.0) for name in names]
    clock = Clock(zone)
    parts = [notes.get(names[0]) or "nothing tells how far it is off"]
    for step, name in zip(steps, names[1:], strict=True):
        told = f", as line {step.said[1]} of {step.said[0]} says" if step.said else ""
        parts.append(f"set at {clock.time(step.before)} to {clock.time(step.after)}{told}; then {notes.get(name) or 'nothing tells how far it is off'}")
    moved = tuple(
        (cut.line, cut.time, seconds)
        for cut, seconds in zip(stretches.cuts[report.file], ahead[1:], strict=True)
        if cut.line is None or cut.line < NEVER
    )
    host = {source for source, same in stretches.steps.items() if same == steps}
    count: Counter[int | None] = Counter()
    for row in stretches.summary.table("seconds").group_by("source").aggregate([("events", "sum")]).to_pylist():
        if whole_name(row["source"]) in host:
            count[number_of(row["source"])] += row["events_sum"]
    main = max(range(len(names)), key=lambda n: (count[n], n))
    return replace(report, clock_offset_s=ahead[main], clock_note="; ".join(parts), clock_steps=((1, None, ahead[0]), *moved))


def unsettled(report: SourceReport, zone: str) -> SourceReport:
    """The report of a file whose times go back, which nothing explains: that is said."""
    clock = Clock(zone)
    notes = [
        f"its times go back by {(before - after) / SECOND:,.1f} s at line {line} ({clock.time(before)} to {clock.time(after)}); "
        "which side is right is not known, so none is moved (--clock-offset)"
        for line, before, after in report.jumps
        if after < before
    ]
    return replace(report, notes=(*report.notes, *notes))
