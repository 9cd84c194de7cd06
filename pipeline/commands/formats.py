"""The `formats` commands: list what can be read, and try a format on a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..config import Config

_CONFIG = click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Settings that declare own formats. [default: retrolog.toml in the folder of FILE, or here, or above]")


def settings_of(config: Path | None, paths: tuple[str, ...]) -> Config:
    """What `retrolog.toml` says: the file named, else the one found from the paths upward, which is announced."""
    from ..config import load
    from ..safe import terminal

    settings = load(config, paths)
    if settings.path is not None and config is None:
        click.echo(f"retrolog: settings of {terminal(str(settings.path))}", err=True)
    return settings


@click.group(invoke_without_command=True)
@click.pass_context
def formats(context: click.Context) -> None:
    """List the log formats that can be read, and try them on a file.

    \b
        retrolog formats
        retrolog formats test app.log
    """
    if context.invoked_subcommand is None:
        context.invoke(listed)


@formats.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text", show_default=True, help="For a terminal, for programs, or as docs/formats.md.")
@_CONFIG
def listed(form: str = "text", config: Path | None = None) -> None:
    """List all formats with their samples.

    Own formats of the settings and formats of installed packages are among them.

    \b
        retrolog formats list --config retrolog.toml
    """
    from ...parsers.detect import formats_with
    from . import formats_listing as module

    settings = settings_of(config, () if form == "md" else (".",))
    rows = module.listing(formats_with(settings.formats))
    show = {"text": module.as_text, "json": module.as_json, "md": module.as_markdown}[form]
    click.echo(show(rows), nl=False)


@formats.command()
@click.argument("file", metavar="FILE")
@click.option("--tz", "zone", metavar="ZONE", help="Zone of stamps that name none. [default: UTC]")
@click.option("--year", type=click.IntRange(1970, 9999), help="Year of the first row where stamps have none.")
@_CONFIG
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True, help="A row a line, or an object an event.")
def test(file: str, zone: str | None, year: int | None, config: Path | None, form: str) -> None:
    """Show line by line what was understood of a file.

    Where the pattern of an own format does not fit a row, it says how far it does.

    \b
        retrolog formats test app.log --config retrolog.toml
    """
    import json
    from collections import Counter

    from ..options import Options
    from ..reading.rules import Reading
    from ..reading.sources import discover
    from ..window import read_zone
    from . import formats_listing as module

    settings = settings_of(config, (file,))
    given = [name for name, value in (("zone", zone), ("year", year)) if value is not None]
    zone = zone or settings.zone
    options = settings.applied(Options(zone=read_zone(zone), zone_name=zone or "UTC", zone_given=zone is not None, year=year), given)
    reading = Reading(
        zone=options.zone, zone_name=options.zone_name, zone_given=options.zone_given, year=options.year,
        zone_from=options.zone_from, rules=options.rules, formats=options.formats,
    )  # fmt: skip
    events = module.understood(discover((file,)), reading)
    if form == "jsonl":
        for event in events:
            click.echo(json.dumps(event, ensure_ascii=False))
        return
    counts: Counter[str] = Counter()
    for row in module.line_by_line(events, counts, settings.formats):
        click.echo(row)
    click.echo(f"retrolog: {module.total(counts)}", err=True)
