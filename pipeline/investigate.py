"""The main job as its steps: find the logs, read them, put them on one clock, analyse, and hand back findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from .window import Window

if TYPE_CHECKING:
    import pyarrow as pa

    from ..parsers.base import Format
    from .config import SourceRule
    from .engine import Engine, Job, Watch
    from .findings import Evidence, Findings, SourceReport
    from .offsets import Offset
    from .sources import Discovery, LogFile
    from .summary import Summary

SECOND = 1_000_000
#: What is read around the window to learn what is normal, and for lines that were written late.
BASELINE = 15 * 60 * SECOND
LATE = 10 * 60 * SECOND
#: Larger files go without a digest in the draft: a second's hashing for each gigabyte is not what was asked for.
DIGESTED = 64 << 20


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for, as the command line or `retrolog.toml` said it."""

    window: Window = field(default_factory=Window)
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    zone_given: bool = False
    year: int | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_entries: int = 25
    slo: float | None = None
    lexicon: Path | None = None
    offsets: tuple[tuple[str, float], ...] = ()  # glob on the source's name, seconds its clock is ahead
    zone_from: str = "--tz"  # who stated the zone
    rules: tuple[SourceRule, ...] = ()  # what the configuration knows of some files
    formats: tuple[Format, ...] = ()  # formats that the configuration declares
    changes: tuple[Path, ...] = ()  # files of recorded changes
    git: tuple[Path, ...] = ()  # clones whose commits and tags count as changes
    engine: Engine | None = None  # where files are read; None: here and in local processes
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Study:
    """What was found in logs, and the counts it was found in: those of true times, so that other spans can be asked."""

    findings: Findings
    summary: Summary
    offsets: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Collected:
    """What was read: the files, the summary on one clock, a report a file, and the offsets that were applied by source."""

    found: Discovery
    summary: Summary
    reports: list[SourceReport]
    offsets: dict[str, float]


def investigate(paths: Sequence[str], options: Options, progress: Watch | None = None) -> Findings:
    """The findings for the logs behind `paths`; raises `NothingToRead` when there is nothing."""
    return study(paths, options, progress).findings


def study(paths: Sequence[str], options: Options, progress: Watch | None = None) -> Study:
    """The findings and what they were counted from; raises `NothingToRead` when there is nothing."""
    from .analysis import Question, analyse
    from .changes import Lexicon
    from .recorded import quoting, recorded, told

    read = collect(paths, options, progress)
    question = Question(options.window, options.zone_name, options.max_entries, options.slo)
    lexicon = Lexicon.load(options.lexicon)
    changes = recorded(options, BASELINE)
    fetch = quoting(fetcher(read.found.files), changes)
    reports = [*read.reports, *_skipped(read.found)]
    findings = analyse(read.summary, reports, question, lexicon, fetch, _looker(read.found, options), changes)
    findings = replace(findings, assumptions=(*findings.assumptions, *told(options, changes)))
    return Study(findings, read.summary, read.offsets)


def collect(paths: Sequence[str], options: Options, progress: Watch | None = None) -> Collected:
    """Find the logs, read what the window needs of them, and put them on one clock."""
    from .clock import aligned
    from .engine import run
    from .sources import discover
    from .strays import adopted, strays
    from .summary import focused

    found = discover(paths, options.include, options.exclude)
    planned = jobs(found, options)
    with _shown(planned, progress) as watch:
        summary, reports = run(planned, watch, options.engine)
    estimates = None
    if far := strays(planned, options.window):
        # logs of a clock that is hours off look as if they were of another time
        more, again = run(far, progress, options.engine)
        summary, kept, estimates = adopted(summary, more, options.window)
        renewed = {r.file: r for r in again if r.source in kept}
        reports = [renewed.get(r.file, r) for r in reports]
    summary, left_out = focused(summary)
    offsets, notes = clocks(summary, options, estimates)
    reports = [replace(r, clock_offset_s=offsets.get(r.source, 0.0), clock_note=notes.get(r.source, "")) for r in reports]
    digests = {file.file: digest_of(file) for file in found.files}
    reports = [replace(r, digest=digests.get(r.file, "")) for r in reports]
    if left_out and reports:
        stray = f"{left_out} events of all logs lie years from the others and are left out of the analysis; their clocks or years may be wrong"
        reports[0] = replace(reports[0], notes=(*reports[0].notes, stray))
    return Collected(found, aligned(summary, offsets), reports, offsets)


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


def jobs(found: Discovery, options: Options) -> list[Job]:
    """One job a file, in the order of the sources, each with the part of it that the window needs."""
    from .engine import Job
    from .ingest import Reading
    from .reach import plan

    reading = Reading(
        window=options.window,
        wanted=options.window.widened(BASELINE, LATE),
        zone=options.zone,
        zone_name=options.zone_name,
        zone_given=options.zone_given,
        year=options.year,
        zone_from=options.zone_from,
        rules=options.rules,
        formats=options.formats,
    )
    return [Job(file, name, reading, reach) for name, file, reach in plan(found.sources, reading)]


def clocks(
    summary: Summary, options: Options, estimates: Mapping[str, Offset] | None = None
) -> tuple[dict[str, float], dict[str, str]]:
    """The clock offsets to apply by source, in seconds, and a note on each clock of which something is known."""
    from fnmatch import fnmatch

    from .clock import estimated, settled

    sources = sorted(set(summary.table("seconds")["source"].to_pylist()))
    stated = {s: seconds for s in sources for glob, seconds in options.offsets if fnmatch(s, glob) or s.startswith(glob.rstrip("/") + "/")}
    return settled(estimated(summary) if estimates is None else estimates, stated)


def _skipped(found: Discovery) -> list[SourceReport]:
    from .findings import SourceReport

    return [
        SourceReport(
            file=s.file, source=s.file, format="unknown", container="", lines=0, events=0, unparsed=0, fates={}, skipped=s.reason
        )
        for s in found.skipped
    ]


def _looker(found: Discovery, options: Options) -> Callable[[int, int], pa.Table]:
    """Reads the events of a short span again, for questions that the counts cannot answer."""
    from .events import collect as events_of

    def look(first: int, last: int) -> pa.Table:
        return events_of(found.sources, replace(options, window=Window(first, last)))[0]

    return look


def fetcher(files: Sequence[LogFile]) -> Callable[[str, list[Evidence]], Mapping[int, bytes]]:
    """Reads cited lines back, each file once."""
    from .read import read_lines

    by_name = {file.file: file for file in files}

    def fetch(name: str, items: list[Evidence]) -> Mapping[int, bytes]:
        return read_lines(by_name[name], [(e.line, e.offset, e.size) for e in items]) if name in by_name else {}

    return fetch


