"""The command `retrolog review`: opens a draft beside its logs in the browser."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--logs",
    multiple=True,
    metavar="PATH",
    help="The logs, where they are not at the place the draft was made from; may be repeated.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port on 127.0.0.1; a free one by default.",
)
@click.option("--no-browser", is_flag=True, help="Only print the link.")
def review(file: Path, logs: tuple[str, ...], port: int, no_browser: bool) -> None:
    """Finish a draft in the browser.

    Keep, edit, merge and add entries, answer questions, name owners. The page is served on this machine only and needs
    no network. Every change is in FILE at once; edits that you make in an editor meanwhile are merged. Stop it with Ctrl+C.

    \b
        retrolog review postmortem.md
    """
    from .serve import serve

    serve(file, logs, port, browser=not no_browser)
