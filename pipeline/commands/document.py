"""The commands that take a document: render, check and verify it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..errors import BadOption, NotADraft

#: Forms of `render`, and the endings of files that choose them.
FORMS = {
    "html": (".html", ".htm"),
    "pdf": (".pdf",),
    "docx": (".docx",),
    "md": (".md", ".markdown"),
    "slack": (".txt",),
    "confluence": (".xml", ".xhtml"),
}
#: What Markdown is written for; `outputs.TARGETS` says how they differ.
TARGETS = ("github", "gitlab", "notion", "jira")


def read_document(path: Path) -> str:
    """The text of a document; raises `NotADraft` with a sentence when it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotADraft(f"{path} is no UTF-8 text; name the Markdown that `retrolog draft -o FILE` wrote") from error
    except OSError as error:
        raise NotADraft(f"{path} cannot be read ({error.strerror}); name the Markdown that `retrolog draft -o FILE` wrote") from error


FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@FILE
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here; the ending chooses the form (.html .pdf .docx .md .txt .xml). [default: standard output]")
@click.option("--to", "form", type=click.Choice(list(FORMS)), help="The form, where the ending does not tell: slack is a summary for a chat, confluence its storage format. [default: html]")
@click.option("--for", "target", type=click.Choice(list(TARGETS)), help="What Markdown is written for. [default: github]")
@click.option("--audience", type=click.Choice(["internal", "external"]), default="internal", show_default=True, help="External: times and shares only, no host, name, path or cause.")
@click.option("--executive", is_flag=True, help="One page: summary, figure and measures.")
@click.option("--strict", is_flag=True, help="Refuse while `retrolog check` finds errors.")
def render(
    file: Path, output: Path | None, form: str | None, target: str | None, audience: str, executive: bool, strict: bool
) -> None:  # fmt: skip
    """Render a draft as a page, PDF, Word, wiki or chat text.

    The page needs no network, no script and no other file.

    \b
        retrolog render postmortem.md -o postmortem.html
        retrolog render postmortem.md -o postmortem.pdf --strict
        retrolog render postmortem.md --to md --for gitlab
        retrolog render postmortem.md -o customers.html --audience external
    """
    from ..finishing.deliver import deliver

    if executive and audience == "external":
        raise BadOption("--executive is for managers and --audience external for customers; choose one of them")
    form = form or ("md" if target and (output is None or str(output) == "-") else _form(output))
    if target and form != "md":
        raise BadOption(f"--for {target} is about Markdown, and {form} was asked for; leave one of them out")
    text = read_document(file)
    if strict:
        _refuse_unfinished(text, file)
    if executive or audience == "external":
        from ..finishing import outputs

        text = outputs.executive(text) if executive else outputs.external(text)
    if form == "confluence" and output is not None and str(output) != "-":
        _wiki(text, output)
        return
    deliver(_rendered(text, form, target or "github", executive), output)


def _wiki(text: str, output: Path) -> None:
    """A page for Confluence, and beside it the figure that is to be attached to the page."""
    from ..drafting.document import parse
    from ..errors import MissingExtra
    from ..finishing import picture
    from ..finishing.confluence import confluence
    from ..finishing.deliver import deliver
    from ..finishing.render import figure_svg

    drawing = figure_svg(parse(text))
    name = output.with_name(f"{output.stem}-figure.png")
    try:
        drawn = picture.png(drawing) if drawing else b""
    except MissingExtra as error:
        click.echo(f"retrolog: the page goes without its figure: {error}", err=True)
        drawn = b""
    deliver(confluence(text, name.name if drawn else ""), output)
    if drawn:
        deliver(drawn, name)
        click.echo(f"retrolog: attach {name.name} to the page, which shows it under that name", err=True)


def _form(output: Path | None) -> str:
    """The form that the file's ending stands for; standard output gets the page."""
    if output is None or str(output) == "-":
        return "html"
    ending = output.suffix.lower()
    found = next((name for name, endings in FORMS.items() if ending in endings), None)
    if found is None:
        known = ", ".join(endings[0] for endings in FORMS.values())
        raise BadOption(f"{output} names no form that can be rendered; end it in one of {known}, or choose with --to")
    return found


def _refuse_unfinished(text: str, file: Path) -> None:
    from ..finishing.check import as_text, check, failed

    findings = check(text)
    if failed(findings):
        click.echo(as_text(findings, str(file)), nl=False, err=True)
        raise NotADraft(f"{file} is not finished; answer what `retrolog check` lists, or render without --strict")


def _rendered(text: str, form: str, target: str, one_page: bool) -> str | bytes:
    """The document in one form; each engine is imported only when it is asked for."""
    if form == "html":
        from ..finishing.render import html

        return html(text)
    if form == "pdf":
        from ..finishing.pdf import pdf

        return pdf(text, one_page=one_page)
    if form == "docx":
        from ..finishing.word import docx

        return docx(text)
    if form == "confluence":
        from ..finishing.confluence import confluence

        return confluence(text)
    from ..finishing.outputs import TEXTS

    return TEXTS["slack" if form == "slack" else target](text)


@click.command()
@FILE
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True, help="Lines as compilers write them, JSON, or annotations of a GitHub workflow.")
def check(file: Path, form: str) -> None:
    """List what is still open in a draft.

    Open questions, measures without owner, lost evidence, long entries, names, blame. Exit status 1 while there is an error.

    \b
        retrolog check postmortem.md
    """
    from ..finishing import check as module
    from ..finishing.deliver import deliver

    findings = module.check(read_document(file))
    show = {"text": module.as_text, "json": module.as_json, "github": module.as_github}[form]
    deliver(show(findings, str(file)), None)
    sys.exit(1 if module.failed(findings) else 0)


@click.command()
@FILE
@click.option("--logs", "paths", multiple=True, required=True, metavar="PATH", help="Where the logs (and change files) are now; may be repeated.")
@click.option("--git", "clones", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="A clone whose commits are cited; may be repeated.")
def verify(file: Path, paths: tuple[str, ...], clones: tuple[Path, ...]) -> None:
    """Confirm each citation of a draft against the logs.

    Lines are found again by digest after a rotation, packing or a move. Exit status 1 when one changed or is lost.

    \b
        retrolog verify postmortem.md --logs /var/log
    """
    from ..analysis.clues.recorded import WithClones
    from ..finishing import verify as module
    from ..finishing.deliver import deliver
    from ..reading.lookup import DiscoveredLogs
    from ..reading.sources import discover
    from ..safe import terminal

    verdicts = module.verify(read_document(file), WithClones(DiscoveredLogs(discover(paths)), clones))
    deliver("".join(f"{terminal(str(verdict))}\n" for verdict in verdicts), None)
    counts = {s: sum(v.status == s for v in verdicts) for s in ("confirmed", "moved", "changed", "lost")}
    click.echo("retrolog: " + ", ".join(f"{n} {status}" for status, n in counts.items()), err=True)
    sys.exit(1 if module.failed(verdicts) else 0)
