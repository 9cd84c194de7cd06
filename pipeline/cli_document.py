"""The commands that take a document: render, check and verify it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .errors import BadOption, NotADraft


def read_document(path: Path) -> str:
    """The text of a document; raises `NotADraft` with a sentence when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise NotADraft(f"{path} is no UTF-8 text; name the Markdown that `retrolog draft -o FILE` wrote") from error
    except OSError as error:
        raise NotADraft(f"{path} cannot be read ({error.strerror}); name the Markdown that `retrolog draft -o FILE` wrote") from error


_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@_FILE
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here; its ending chooses the form. [default: standard output]")
@click.option("--strict", is_flag=True, help="Refuse while `retrolog check` finds errors.")
def render(file: Path, output: Path | None, strict: bool) -> None:
    """Render a finished draft as one self-contained HTML page.

    \b
        retrolog render postmortem.md -o postmortem.html
    """
    from .check import as_text, check, failed
    from .files import write_atomically
    from .render import html

    text = read_document(file)
    if strict:
        findings = check(text)
        if failed(findings):
            click.echo(as_text(findings, str(file)), nl=False, err=True)
            raise NotADraft(f"{file} is not finished; answer what `retrolog check` lists, or render without --strict")
    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise BadOption(f"{output} names no form that can be rendered; end it in .html")
    page = html(text)
    if output is None:
        click.echo(page, nl=False)
    else:
        write_atomically(output, page)
        click.echo(f"retrolog: wrote {output}", err=True)


@click.command()
@_FILE
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
def check(file: Path, form: str) -> None:
    """List what is still open in a draft: questions, owners, long entries, blame; exit status 1 while there is any.

    \b
        retrolog check postmortem.md
    """
    from . import check as module

    findings = module.check(read_document(file))
    show = {"text": module.as_text, "json": module.as_json, "github": module.as_github}[form]
    click.echo(show(findings, str(file)), nl=False)
    sys.exit(1 if module.failed(findings) else 0)


@click.command()
@_FILE
@click.option("--logs", "paths", multiple=True, required=True, metavar="PATH", help="Where the logs (and change files) are now; may be repeated.")
@click.option("--git", "clones", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="A clone whose commits are cited; may be repeated.")
def verify(file: Path, paths: tuple[str, ...], clones: tuple[Path, ...]) -> None:
    """Confirm each citation of a draft against the logs, also after rotation, packing or a move.

    \b
        retrolog verify postmortem.md --logs /var/log
    """
    from . import verify as module
    from .recorded import WithClones
    from .safe import terminal
    from .sources import discover

    verdicts = module.verify(read_document(file), WithClones(module.DiscoveredLogs(discover(paths)), clones))
    for verdict in verdicts:
        click.echo(terminal(str(verdict)))
    counts = {s: sum(v.status == s for v in verdicts) for s in ("confirmed", "moved", "changed", "lost")}
    click.echo("retrolog: " + ", ".join(f"{n} {status}" for status, n in counts.items()), err=True)
    sys.exit(1 if module.failed(verdicts) else 0)
