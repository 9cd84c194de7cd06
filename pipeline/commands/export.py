"""The commands that hand things out: parts of a document for other tools, and the built-in styles to change."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import BadOption, CannotWrite
from .document import FILE, read_document

#: What can be exported, and the forms of each.
FORMS = {
    "measures": ("csv", "json", "github", "jira"),
    "timeline": ("csv", "json", "timesketch", "grafana"),
}


@click.command()
@FILE
@click.option("--what", type=click.Choice(list(FORMS)), default="measures", show_default=True, help="The table of measures, or the timeline.")
@click.option("--format", "form", type=click.Choice(["csv", "json", "github", "jira", "timesketch", "grafana"]), default="csv", show_default=True, help="Measures: csv json github jira; timeline: csv json timesketch grafana.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of to standard output.")
def export(file: Path, what: str, form: str, output: Path | None) -> None:
    """Take the measures or the timeline out of a document.

    They are exported as the human left them. github is a JSON object a line, each the body of a request that creates an issue; jira is the CSV that its import
    takes; both leave out measures that have a ticket. timesketch is JSONL, grafana are annotations, one a line.

    \b
        retrolog export postmortem.md --what measures --format jira -o measures.csv
        retrolog export postmortem.md --what timeline --format timesketch -o timeline.jsonl
    """
    from ..finishing import exports
    from ..finishing.deliver import deliver

    if form not in FORMS[what]:
        raise BadOption(f"the {what} cannot be written as {form}; choose one of {', '.join(FORMS[what])}")
    make = exports.export_measures if what == "measures" else exports.export_timeline
    deliver(make(read_document(file), form), output)


@click.group(invoke_without_command=True)
@click.pass_context
def templates(context: click.Context) -> None:
    """List the built-in styles of drafts, and copy one to change it.

    \b
        retrolog templates
        retrolog templates copy srebook -o my-style
    """
    if context.invoked_subcommand is None:
        context.invoke(listed)


@templates.command("list")
def listed() -> None:
    """List the built-in styles and what each is for.

    \b
        retrolog templates list
    """
    from ..drafting.draft import STYLES
    from ..finishing.deliver import deliver

    width = max(map(len, STYLES))
    deliver("".join(f"{name:{width}}  {what}\n" for name, what in STYLES.items()), None)


@templates.command()
@click.argument("name", metavar="NAME")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=Path(), show_default="here", help="The folder to copy into; it is made when it is missing.")
def copy(name: str, output: Path) -> None:
    """Copy a style's templates to a folder, to be changed.

    Use the copy with `draft --style FILE`.

    \b
        retrolog templates copy srebook -o my-style
        retrolog draft /var/log --style my-style/srebook.md.j2 -o postmortem.md
    """
    from ..drafting.draft import style_files
    from ..finishing.deliver import deliver

    files = style_files(name)
    there = [file for file in files if (output / file).exists()]
    if there:
        raise CannotWrite(f"{output / there[0]} is there already and is not overwritten; name another folder with -o")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{output} cannot be made ({error.strerror}); name another folder with -o") from error
    for file, text in files.items():
        deliver(text, output / file)
