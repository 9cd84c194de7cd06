"""The main job as its steps: find the logs, read them, put them on one clock, analyse, and hand back findings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from .options import Options
from .window import Window

if TYPE_CHECKING:
    import pyarrow as pa

    from .analysis.clocks.offsets import Offset
    from .counting.held import Held
    from .counting.jobs import Job, Watch
    from .counting.summary import Summary
    from .findings import Evidence, Findings, SourceReport
    from .reading.jumps import Cut
    from .reading.logfile import LogFile, Source
    from .reading.sources import Discovery

SECOND = 1_000_000
#: What is read around the window to learn what is normal, and for lines that were written late.
BASELINE = 15 * 60 * SECOND
LATE = 10 * 60 * SECOND
#: Larger files go without a digest in the draft: a second's hashing for each gigabyte is not what was asked for.
DIGESTED = 64 << 20


@dataclass(frozen=True, slots=True)
class Study:
    """What was found in logs, and the counts it was found in: those of true times, so that other spans can be asked, to the single request."""

    findings: Findings
    summary: Summary
    offsets: Mapping[str, float]
    asked: Callable[[int, int], pa.Table]  # the requests of a short span of true time


@dataclass(frozen=True, slots=True)
class Collected:
    """What was read: the files, the summary on one clock, a report a file, and the offsets that were applied by source."""

    found: Discovery
    summary: Summary
    reports: list[SourceReport]
    offsets: dict[str, float]
    held: Held
    cuts: Mapping[str, tuple[Cut, ...]] = field(default_factory=dict)  # by file: where its clock was set; offsets are then by stretch


def investigate(paths: Sequence[str], options: Options, progress: Watch | None = None) -> Findings:
    """The findings for the logs behind `paths`; raises `NothingToRead` when there is nothing."""
    return study(paths, options, progress).findings


def study(paths: Sequence[str], options: Options, progress: Watch | None = None) -> Study:
    """The findings and what they were counted from; raises `NothingToRead` when there is nothing."""
    return concluded(collect(paths, options, progress), options)


def concluded(read: Collected, options: Options) -> Study:
    """What was read, analysed: the part of `study` after reading."""
    from .analysis.analyse import Question, analyse
    from .analysis.clues.recorded import quoting, recorded, told
    from .counting.changes import Lexicon
    from .zone_hints import zone_hints

    question = Question(options.window, options.zone_name, options.max_entries, options.slo)
    lexicon = Lexicon.load(options.lexicon)
    changes = recorded(options, BASELINE)
    fetch = quoting(fetcher(read.found.files), changes)
    reports = [*read.reports, *_skipped(read.found)]
    asked = _asker(read, options)
    findings = analyse(read.summary, reports, question, lexicon, fetch, _looker(read, options), changes, _recounter(read, options), asked)
    doubts = zone_hints(reports, read.found.files, options)
    findings = replace(findings, assumptions=(*findings.assumptions, *doubts, *told(options, changes)), warnings=doubts)
    return Study(findings, read.summary, read.offsets, asked)


def collect(paths: Sequence[str], options: Options, progress: Watch | None = None) -> Collected:
    """Find the logs, read what the window needs of them, and put them on one clock."""
    from .analysis.clocks.clock import aligned
    from .analysis.clocks.offsets import IN_UTC
    from .analysis.clocks.steps import rejoined
    from .analysis.clocks.strays import adopted, far_clock, strays
    from .counting.engine import run
    from .counting.held import Held
    from .counting.summary import focused
    from .reading.ingest import ZONED
    from .reading.sources import discover
    from .stretches import reported, stretched, unsettled

    found = discover(paths, options.include, options.exclude)
    planned = jobs(found, options)
    held = Held(_wanted(options))
    with _shown(planned, progress) as watch:
        summary, reports = run(planned, watch, options.engine, held)
    estimates: dict[str, Offset] | None = None
    apart: dict[str, str] = {}
    if far := strays(planned, options.window):
        # logs of a clock that is hours off look as if they were of another time
        more, again = run(far, progress, options.engine)
        zoneless = {r.source for r in again if r.zone != ZONED}
        ends = [job.reach.last for job in planned if job.reach is not None and job.reach.last is not None and not job.reach.unread]
        end = max(ends) / SECOND if ends else None
        summary, kept, estimates = adopted(summary, more, options.window, zoneless, _from_utc(summary, options.zone), end)
        renewed = {r.file: r for r in again if r.source in kept}
        reports = [renewed.get(r.file, r) for r in reports]
        apart = {source: far_clock(source) for source in kept}
    stretches = stretched(found, summary, reports, options, jobs, apart, progress)
    if stretches is not None:
        utc = {s: o for s, o in (estimates or {}).items() if o.method == IN_UTC}
        summary, reports, estimates = stretches.summary, list(stretches.reports), {**utc, **stretches.estimates}
    summary, left_out = focused(summary)
    offsets, notes = clocks(summary, options, estimates, {r.source for r in reports if r.zone == ZONED})
    reports = [
        reported(r, stretches, offsets, notes, options.zone_name) if stretches is not None and r.file in stretches.cuts
        else unsettled(replace(r, clock_offset_s=offsets.get(r.source, 0.0), clock_note=notes.get(r.source, "")), options.zone_name)
        for r in reports
    ]  # fmt: skip
    digests = {file.file: digest_of(file) for file in found.files}
    reports = [replace(r, digest=digests.get(r.file, "")) for r in reports]
    if left_out and reports:
        stray = f"{left_out} events of all logs lie years from the others and are left out of the analysis; their clocks or years may be wrong"
        reports[0] = replace(reports[0], notes=(*reports[0].notes, stray))
    return Collected(found, rejoined(aligned(summary, offsets)), reports, offsets, held, stretches.cuts if stretches is not None else {})


def digest_of(file: LogFile) -> str:
    """The SHA-256 of a file as it is stored; empty for members of archives, and beyond `DIGESTED` bytes, for hashing takes its time."""
    import hashlib

    if file.size > DIGESTED or any(step.is_member for step in file.steps):
        return ""
    try:
        with open(file.path, "rb") as stored:
            return hashlib.file_digest(stored, "sha256").hexdigest()
    except OSError:
        return ""


def _shown(planned: Sequence[Job], progress: Watch | None) -> AbstractContextManager[Watch]:
    """The watch that was given, else the line on standard error."""
    from .progress import Progress

    return nullcontext(progress) if progress is not None else Progress(sum(job.size for job in planned))


def jobs(found: Discovery, options: Options, more: int = 0) -> list[Job]:
    """One job a file, in the order of the sources, each with the part of it that the window needs, and `more` microseconds around it."""
    from .counting.jobs import Job
    from .reading.reach import plan
    from .reading.rules import Reading

    reading = Reading(
        window=options.window,
        wanted=_wanted(options).widened(more, more),
        zone=options.zone,
        zone_name=options.zone_name,
        zone_given=options.zone_given,
        year=options.year,
        zone_from=options.zone_from,
        rules=options.rules,
        formats=options.formats,
        asked=options.asked,
    )
    return [Job(file, name, reading, reach) for name, file, reach in plan(found.sources, reading)]


def _wanted(options: Options) -> Window:
    """What is read: the window, what was normal before it, and what was written late."""
    return options.window.widened(BASELINE, LATE)


def clocks(
    summary: Summary, options: Options, estimates: Mapping[str, Offset] | None = None, zoned: Collection[str] = ()
) -> tuple[dict[str, float], dict[str, str]]:
    """The clock offsets to apply by source, in seconds, and a note on each clock of which something is known.

    `zoned` are the sources whose rows name their zone.
    """
    from .analysis.clocks.clock import estimated, settled
    from .stretches import in_zone, stated_offsets

    sources = sorted(set(summary.table("seconds")["source"].to_pylist()))
    stated = stated_offsets(options, sources)
    found = estimated(summary) if estimates is None else estimates
    return settled(found, stated, in_zone(sources, zoned, found), _from_utc(summary, options.zone))


def _from_utc(summary: Summary, zone: tzinfo) -> float:
    """Seconds that a zone is ahead of UTC when the events of a summary begin."""
    import pyarrow.compute as pc

    first = pc.min(summary.table("seconds")["second"]).as_py()
    ahead = datetime.fromtimestamp(first or 0, UTC).astimezone(zone).utcoffset()
    return ahead.total_seconds() if ahead is not None else 0.0


def _skipped(found: Discovery) -> list[SourceReport]:
    from .findings import SourceReport

    return [
        SourceReport(
            file=s.file, source=s.file, format="unknown", container="", lines=0, events=0, unparsed=0, fates={}, skipped=s.reason
        )
        for s in found.skipped
    ]


def _looker(read: Collected, options: Options) -> Callable[[int, int], pa.Table]:
    """Reads the events of a short span of true time again, for questions that the counts cannot answer."""
    from .stretches import ahead_of, on_time

    spans: dict[tuple[int, int], list[Source]] = {}
    for source in read.found.sources:
        ahead = ahead_of(source.name, read.offsets)
        spans.setdefault((min(ahead), max(ahead)), []).append(source)

    def look(first: int, last: int) -> pa.Table:
        import pyarrow as pa

        from .commands.events import collect as events_of

        tables = [
            on_time(events_of(tuple(sources), replace(options, window=Window(first + least, last + most), asked=options.asked or options.window))[0], read.offsets, read.cuts, first, last)
            for (least, most), sources in spans.items()
        ]
        some = [table for table in tables if table.num_rows]
        if len(some) < 2:
            return some[0] if some else tables[0]
        return pa.concat_tables(some, promote_options="permissive").unify_dictionaries().combine_chunks().sort_by([("time", "ascending")])

    return look


def _asker(read: Collected, options: Options) -> Callable[[int, int], pa.Table]:
    """The requests of a short span of true time: those that are held, else they are read again."""
    from .stretches import ahead_of, on_time

    look = _looker(read, options)
    ahead = sorted({at for source in read.found.sources for at in ahead_of(source.name, read.offsets)}) or [0]

    def asked(first: int, last: int) -> pa.Table:
        held = read.held.between(first + ahead[0], last + ahead[-1])
        if held is None:
            return look(first, last)
        table = on_time(held, read.offsets, read.cuts, first, last)
        return table.sort_by([("time", "ascending")]) if len(ahead) > 1 and table.num_rows else table

    return asked


def _recounter(read: Collected, options: Options) -> Callable[[Window], Summary]:
    """Counts the events of a window of true time, and around it, once more, on the one clock that was found."""

    def again(window: Window) -> Summary:
        from .analysis.clocks.clock import aligned
        from .analysis.clocks.steps import rejoined
        from .counting.engine import run
        from .counting.summary import focused
        from .stretches import ahead_of, with_cuts

        planned: list[Job] = []
        for source in read.found.sources:
            ahead = ahead_of(source.name, read.offsets)
            start = None if window.start is None else window.start + min(ahead)
            end = None if window.end is None else window.end + max(ahead)
            planned += jobs(replace(read.found, sources=(source,)), replace(options, window=Window(start, end), asked=options.asked or options.window))
        return rejoined(aligned(focused(run(with_cuts(planned, read.cuts), None, options.engine)[0])[0], read.offsets))

    return again


def fetcher(files: Sequence[LogFile]) -> Callable[[str, list[Evidence]], Mapping[int, bytes]]:
    """Reads cited lines back, each file once."""
    from .reading.read import read_lines

    by_name = {file.file: file for file in files}

    def fetch(name: str, items: list[Evidence]) -> Mapping[int, bytes]:
        return read_lines(by_name[name], [(e.line, e.offset, e.size) for e in items]) if name in by_name else {}

    return fetch


