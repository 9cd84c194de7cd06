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
from click.core import ParameterSource

from .. import __version__
from .commands import document, export, formats
from .errors import BadOption, CannotWrite, RetrologError
from .review.command import review

#: NumPy's linear algebra starts threads when it is imported, which takes a tenth of a short command's time; nothing here uses it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:
    from types import FrameType

    from .config import Config
    from .options import Options

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


def reading_options(command: F) -> F:
    """The options of every command that reads logs."""
    for option in reversed(
        (
            click.argument("paths", nargs=-1, required=True, metavar="PATH..."),
            click.option("--from", "start", metavar="TIME", help="Start of the window: a date and time, HH:MM, now-2h or an epoch."),
            click.option("--to", "end", metavar="TIME", help="End of the window (not in it); HH:MM is on the day of --from."),
            click.option("--tz", "zone", metavar="ZONE", help="Zone of stamps and bounds that name none, such as Europe/Berlin or +05:30. [default: UTC]"),
            click.option("--year", type=click.IntRange(1970, 9999), help="Year of the first row of logs whose stamps have none."),
            click.option("--include", multiple=True, metavar="GLOB", help="Read only files whose name fits; may be repeated."),
            click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files whose name fits; may be repeated."),
            click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Settings of these logs. [default: retrolog.toml in their folder or above]"),
            click.option("--jobs", type=click.IntRange(1, 1024), help="Processes that read large logs. [default: one a processor]"),
            click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="Where logs are read: on this machine, or on a Dask cluster."),
            click.option("--scheduler", metavar="ADDRESS", default="", help="Address of the Dask scheduler, such as tcp://host:8786; without one a cluster is started here."),
            click.option("--verbose", is_flag=True, help="Say on standard error which part of each file is read, and why."),
        )
    ):
        command = option(command)
    return command


def _options(
    settings: Config, start: str | None, end: str | None, zone: str | None, year: int | None,
    include: tuple[str, ...], exclude: tuple[str, ...], jobs: int | None = None, engine: str = "local", scheduler: str = "", **more: Any,
) -> Options:  # fmt: skip
    from .counting.engine import Engine
    from .options import Options
    from .window import read_window, read_zone

    given = [name for name, value in (("zone", zone), ("year", year)) if value is not None]
    zone = zone or settings.zone
    info = read_zone(zone)
    options = Options(
        window=read_window(start, end, info), zone=info, zone_name=zone or "UTC", zone_given=zone is not None, year=year,
        include=include, exclude=exclude, engine=Engine(engine, jobs or 0, scheduler), **more,
    )  # fmt: skip
    return settings.applied(options, given)


def _unless_given(settings: Config, **values: Any) -> tuple[Any, ...]:
    """These options' values; those left to their defaults are what the settings have for them."""
    context = click.get_current_context()
    left = [context.get_parameter_source(name) is ParameterSource.DEFAULT for name in values]
    return tuple(settings.setting(name, value) if default else value for (name, value), default in zip(values.items(), left, strict=True))


def _clock_offsets(pairs: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    out = []
    for pair in pairs:
        glob, _, seconds = pair.rpartition("=")
        try:
            out.append((glob, float(seconds)))
        except ValueError:
            raise BadOption(f"--clock-offset {pair!r} is no GLOB=SECONDS; try db-1/*=-38") from None
    return tuple(out)


def _command_line() -> str:
    import shlex

    # a path need not be UTF-8, a document has to be
    return shlex.join(["retrolog", *(os.fsencode(word).decode("utf-8", "backslashreplace") for word in sys.argv[1:])])


@main.command()
@reading_options
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the draft here; an existing draft is merged, your edits stay.")
@click.option("--format", "form", type=click.Choice(["md", "json"]), default="md", show_default=True, help="Markdown to edit, or JSON for programs.")
@click.option("--style", default="retrolog", show_default=True, help="Layout: a built-in style, or the path of a Jinja2 template.")
@click.option("--max-entries", type=click.IntRange(5, 200), default=25, show_default=True, help="Rows of the timeline at most.")
@click.option("--slo", type=click.FloatRange(0, 100, min_open=True, max_open=True), metavar="PERCENT", help="Success objective, such as 99.9: adds the error budget spent.")
@click.option("--lexicon", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own words for changes and alerts (TOML), asked before the built-in ones.")
@click.option("--clock-offset", "offsets", multiple=True, metavar="GLOB=SECONDS", help="How far the clocks of logs are ahead, instead of the estimate; may be repeated.")
@click.option("--changes", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Changes recorded elsewhere (CSV or JSON with time and summary); may be repeated.")
@click.option("--git", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="A local clone whose tags and commits count as changes; may be repeated.")
@click.option("--no-mask", is_flag=True, help="Show secrets, people and client addresses as logged.")
@click.option("--explain", is_flag=True, help="Print on standard error why each entry is in, and what nearly was.")
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
    style, max_entries, slo, lexicon, changes, git, no_mask = _unless_given(
        settings, style=style, max_entries=max_entries, slo=slo, lexicon=lexicon, changes=changes, git=git, no_mask=no_mask
    )
    options = _options(
        settings, **reading, max_entries=max_entries, slo=slo, lexicon=lexicon, offsets=_clock_offsets(offsets),
        changes=changes, git=git,
    )  # fmt: skip
    existing = ""
    if form == "json":
        refuse_other_than_answer(output)
    else:
        existing = existing_draft(output)
    findings = investigate(paths, options)
    _say_how(findings.sources, options.verbose)
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
    options = _options(formats.settings_of(reading.pop("config"), paths), **reading)
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
    from .analysis.coverage import uncovered
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

    options = _options(formats.settings_of(reading.pop("config"), paths), **reading)
    read = collect(paths, options)
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
    from .wording import Clock

    said = dict(reading)
    options = _options(formats.settings_of(reading.pop("config"), paths), **reading)
    read = collect(paths, options)
    summary = read.summary
    clock = Clock(options.zone_name)
    rows = finding.found(summary, options.window, paths, said, clock)
    deliver(finding.as_json(rows, summary) if form == "json" else finding.as_text(rows, summary, clock), None)
    _say_uncovered(read.reports, options.zone_name)


for command in (
    document.render, document.check, document.verify, export.export, export.templates, formats.formats, review,
):  # fmt: skip
    main.add_command(command)
