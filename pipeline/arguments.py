"""The options of the commands that read logs, as click declares them, and as a document's own command recorded them."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from .config import Config
    from .options import Options

F = TypeVar("F", bound=Callable[..., Any])


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


def drafting_options(command: F) -> F:
    """The options of `draft` beside those of reading."""
    for option in reversed(
        (
            click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the draft here; an existing draft is merged, your edits stay."),
            click.option("--format", "form", type=click.Choice(["md", "json"]), default="md", show_default=True, help="Markdown to edit, or JSON for programs."),
            click.option("--style", default="retrolog", show_default=True, help="Layout: a built-in style, or the path of a Jinja2 template."),
            click.option("--max-entries", type=click.IntRange(5, 200), default=25, show_default=True, help="Rows of the timeline at most."),
            click.option("--slo", type=click.FloatRange(0, 100, min_open=True, max_open=True), metavar="PERCENT", help="Success objective, such as 99.9: adds the error budget spent."),
            click.option("--lexicon", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own words for changes and alerts (TOML), asked before the built-in ones."),
            click.option("--clock-offset", "offsets", multiple=True, metavar="GLOB=SECONDS[@TIME]", help="How far the clocks of logs are ahead (from a stamped TIME on), instead of the estimate; may be repeated."),
            click.option("--changes", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Changes recorded elsewhere (CSV or JSON with time and summary); may be repeated."),
            click.option("--git", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="A local clone whose tags and commits count as changes; may be repeated."),
            click.option("--no-mask", is_flag=True, help="Show secrets, people and client addresses as logged."),
            click.option("--explain", is_flag=True, help="Print on standard error why each entry is in, and what nearly was."),
        )
    ):
        command = option(command)
    return command


def options_of(
    settings: Config, start: str | None, end: str | None, zone: str | None, year: int | None,
    include: tuple[str, ...], exclude: tuple[str, ...], jobs: int | None = None, engine: str = "local", scheduler: str = "", clocks: tuple[str, ...] = (), **more: Any,
) -> Options:  # fmt: skip
    """What was asked for: the words of a command line, and where these are silent, the settings."""
    from .counting.jobs import Engine
    from .options import Options, clock_offsets, set_offsets
    from .window import read_window, read_zone

    given = [name for name, value in (("zone", zone), ("year", year)) if value is not None]
    zone = zone or settings.zone
    info = read_zone(zone)
    options = Options(
        window=read_window(start, end, info), zone=info, zone_name=zone or "UTC", zone_given=zone is not None, year=year,
        include=include, exclude=exclude, engine=Engine(engine, jobs or 0, scheduler), **more,
    )  # fmt: skip
    options = replace(options, offsets=clock_offsets(clocks), set_offsets=set_offsets(clocks, options))
    return settings.applied(options, given)


def unless_given(settings: Config, **values: Any) -> tuple[Any, ...]:
    """These options' values; those left to their defaults are what the settings have for them."""
    context = click.get_current_context()
    left = [context.get_parameter_source(name) is ParameterSource.DEFAULT for name in values]
    return tuple(settings.setting(name, value) if default else value for (name, value), default in zip(values.items(), left, strict=True))


@click.command(context_settings={"ignore_unknown_options": True})  # a newer version's words must not cost the known ones
@reading_options
@drafting_options
def _recorded(**_: Any) -> None:
    """Stands for `draft` where its words are only read."""


def recorded(line: str) -> dict[str, Any]:
    """The parameters of the `draft` command that made a document; empty when it is not readable."""
    try:
        words = shlex.split(line)
        if words[:2] != ["retrolog", "draft"]:
            return {}
        return dict(_recorded.make_context("draft", words[2:], resilient_parsing=True).params)
    except (ValueError, click.ClickException):
        return {}
