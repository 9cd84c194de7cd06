"""The command line: each command reads its options, calls one function, and prints."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from .. import __version__
from .arguments import drafting_options, options_of, reading_options, unless_given
from .commands import document, export, formats
from .errors import BadOption, CannotWrite, RetrologError
from .review.command import review

#: NumPy's linear algebra starts threads when it is imported, which takes a tenth of a short command's time; nothing here uses it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:
    from types import FrameType


F = TypeVar("F", bound=Callable[..., Any])


class _Group(click.Group):
    """Turns every trouble that is meant for the user into its sentence and exit status, in one place."""

    def invoke(self, ctx: click.Context) -> Any:
        if isinstance(sys.stdout, io.TextIOWrapper):  # the same bytes in every locale and on every system
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
        interrupts = _Interrupts()
        try:
            with interrupts:
                return super().invoke(ctx)
        except RetrologError as error:
            _fail(str(error), error.exit_status)
        except BrokenPipeError:
            # the reader (head, less) has seen enough; Python must not complain again when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(0)
        except KeyboardInterrupt:
            _fail("interrupted", 130)  # as shells report a program that SIGINT ended
        except Exception:
            if interrupts.seen:
                _fail("interrupted", 130)
            raise


class _Interrupts:
    """Remembers that Ctrl-C came: an extension module that is just being imported swallows it, and fails with an error of its own."""

    def __init__(self) -> None:
        self.seen = False
        self._before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._came)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _came(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
        signal.default_int_handler(number, frame)


def _fail(text: str, status: int) -> NoReturn:
    click.echo(f"retrolog: {text}", err=True)
    sys.exit(status)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="retrolog")
def main() -> None:
    """Draft an outage postmortem from raw log files.

    Point it at a directory of logs and a time window; it reads nginx, syslog and application logs, puts every
    event on one clock, and drafts a timeline in which every sentence points at the log line behind it.

    \b
        retrolog draft LOGDIR --from "2026-11-23 10:21" --to 10:47 --tz Europe/Berlin -o postmortem.md
        retrolog render postmortem.md -o postmortem.html
    """


def _command_line() -> str:
    import shlex

    # a path need not be UTF-8, a document has to be
    return shlex.join(["retrolog", *(os.fsencode(word).decode("utf-8", "backslashreplace") for word in sys.argv[1:])])


@main.command()
@reading_options
@drafting_options
def draft(
    paths: tuple[str, ...], output: Path | None, form: str, style: str, max_entries: int, slo: float | None, lexicon: Path | None,
    offsets: tuple[str, ...], changes: tuple[Path, ...], git: tuple[Path, ...], no_mask: bool, explain: bool, **reading: Any,
) -> None:  # fmt: skip
    """Draft the postmortem of the outages in a window.

    \b
        retrolog draft /var/log --from "2026-11-23 10:21" --to 10:47 --tz Europe/Berlin -o postmortem.md
    """
    from .finishing.deliver import deliver, existing_draft, refuse_other_than_answer
    from .investigate import investigate
    from .safe import terminal

    settings = formats.settings_of(reading.pop("config"), paths)
    style, max_entries, slo, lexicon, changes, git, no_mask = unless_given(
        settings, style=style, max_entries=max_entries, slo=slo, lexicon=lexicon, changes=changes, git=git, no_mask=no_mask
    )
    options = options_of(
        settings, **reading, max_entries=max_entries, slo=slo, lexicon=lexicon, clocks=offsets,
        changes=changes, git=git,
    )  # fmt: skip
    existing = ""
    if form == "json":
        refuse_other_than_answer(output)
    else:
        existing = existing_draft(output)
    findings = investigate(paths, options)
    _say_how(findings.sources, options.verbose)
    for text in findings.warnings:
        click.echo(f"retrolog: {terminal(text)}", err=True)
    if not findings.accounting.get("in_window"):
        click.echo(f"retrolog: {terminal(findings.verdict)}", err=True)
    if explain:
        _explain(findings)
    if form == "json":
        import json

        from .drafting.draft import answer

        deliver(json.dumps(answer(findings), indent=1, ensure_ascii=False) + "\n", output)
        return
    from .drafting.draft import markdown
    from .drafting.merge import merge

    text = markdown(findings, _command_line(), style, mask=not no_mask, previous=existing)
    deliver(merge(existing, text) if existing else text, output, renews_draft=True)


def _explain(findings: Any) -> None:
    from .safe import terminal
    from .wording import Clock

    clock = Clock(findings.zone, *findings.window)
    for title, entries in (("in the timeline", findings.timeline), ("nearly in it", findings.nearly)):
        click.echo(f"{title}:", err=True)
        for entry in entries:
            click.echo(f"  {clock.time(entry.time)} [{entry.score:.1f}] {terminal(entry.summary)} ({terminal(entry.reason)})", err=True)


@main.command()
@reading_options
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "parquet"]), default="jsonl", show_default=True, help="An object a line, a table for spreadsheets, or a Parquet file (with -o).")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of to standard output.")
@click.option("--mask", is_flag=True, help="Mask secrets, people and client addresses.")
def events(paths: tuple[str, ...], form: str, output: Path | None, mask: bool, **reading: Any) -> None:
    """Print every event of a window as data, in order of time.

    \b
        retrolog events /var/log/nginx --from "2026-11-23 10:21" --to 10:47 --tz Europe/Berlin
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow's own pool keeps a third more, and is no faster here
    from .commands import events as module
    from .finishing.deliver import file, standard_output
    from .reading.sources import discover

    if form == "parquet" and output is None:
        raise BadOption("Parquet cannot be written to a terminal; name a file with -o events.parquet")
    options = options_of(formats.settings_of(reading.pop("config"), paths), **reading)
    found = discover(paths, options.include, options.exclude)
    if output is not None and any(output.exists() and output.samefile(log.path) for log in found.files if log.path != "-"):
        raise CannotWrite(f"{output} is one of the logs that are read; name another file with -o")
    table, reports = module.read(found.sources, options)
    masker = None
    if mask:
        from .drafting.mask import Masker

        masker = Masker(True).text
    if output is None:
        with standard_output() as stream:
            module.write(table.tables(), form, stream, masker)
    else:
        with file(output) as place, place.open("wb") as stream:
            module.write(table.tables(), form, stream, masker)
    _say_how(reports, options.verbose)
    _say_left_out(reports, found.skipped)
    _say_uncovered(reports, options.zone_name)


def _say_how(reports: Any, verbose: bool) -> None:
    """Which part of each file was read and how that was found, for --verbose."""
    from .safe import terminal

    for r in reports if verbose else ():
        if r.how or r.skipped:
            click.echo(f"retrolog: {terminal(r.file)}: {terminal(r.skipped or r.how)}", err=True)


def _say_uncovered(reports: Any, zone: str) -> None:
    """That nothing lies in the window, and where the logs are."""
    from .analysis.story.coverage import uncovered
    from .wording import Clock

    if text := uncovered(reports, Clock(zone)):
        click.echo(f"retrolog: {text}", err=True)


def _say_left_out(reports: Any, skipped: Any) -> None:
    """Undated events, skipped files and damage, on standard error: nothing is lost silently."""
    from .safe import terminal

    undated = sum(r.fates.get("undated", 0) for r in reports)
    if undated:
        click.echo(f"retrolog: {undated} events have no time that can be read", err=True)
    assumed = sorted({r.zone for r in reports if r.zone.startswith("assumed")})
    for note in assumed:
        click.echo(f"retrolog: stamps without a zone: {note}", err=True)
    for r in reports:
        for note in r.notes:
            click.echo(f"retrolog: {terminal(r.file)}: {terminal(note)}", err=True)
    for s in skipped:
        click.echo(f"retrolog: {terminal(s.file)} is not read: {terminal(s.reason)}", err=True)


@main.command()
@reading_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For a terminal, or for programs.")
def inspect(paths: tuple[str, ...], form: str, **reading: Any) -> None:
    """Say what each file is, and what of it could be read.

    Container, format, zone, first and last time, lines, unparsed, and how far its clock is off.

    \b
        retrolog inspect /var/log --tz Europe/Berlin
    """
    from .commands import inspection
    from .finishing.deliver import deliver
    from .investigate import collect
    from .safe import terminal
    from .zone_hints import zone_hints

    options = options_of(formats.settings_of(reading.pop("config"), paths), **reading)
    read = collect(paths, options)
    for text in zone_hints(read.reports, read.found.files, options):
        click.echo(f"retrolog: {terminal(text)}", err=True)
    show = inspection.as_json if form == "json" else inspection.as_text
    deliver(show(read.reports, read.found.skipped), None)


@main.command()
@reading_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For a terminal, or for programs.")
def find(paths: tuple[str, ...], form: str, **reading: Any) -> None:
    """Find the outages in logs, with the `draft` command for each.

    \b
        retrolog find /var/log --tz Europe/Berlin
    """
    from .commands import finding
    from .finishing.deliver import deliver
    from .investigate import collect
    from .safe import terminal
    from .wording import Clock
    from .zone_hints import zone_hints

    said = dict(reading)
    options = options_of(formats.settings_of(reading.pop("config"), paths), **reading)
    read = collect(paths, options)
    for text in zone_hints(read.reports, read.found.files, options):
        click.echo(f"retrolog: {terminal(text)}", err=True)
    summary = read.summary
    clock = Clock(options.zone_name)
    rows = finding.found(summary, options.window, paths, said, clock)
    deliver(finding.as_json(rows, summary) if form == "json" else finding.as_text(rows, summary, clock), None)
    _say_uncovered(read.reports, options.zone_name)


for command in (
    document.render, document.check, document.verify, export.export, export.templates, formats.formats, review,
):  # fmt: skip
    main.add_command(command)
