"""Delivers what a command made: to standard output, or whole into a file, and never over the document of a human."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from ..errors import BadOption, CannotWrite, NotADraft
from ..safe import terminal


def deliver(content: str | bytes, output: Path | None, *, renews_draft: bool = False) -> None:
    """Writes `content` to the file `output`, or to standard output when that is None or `-`; text is UTF-8 in every locale.

    Raises what `file` and `standard_output` raise, and BadOption for binary content on a terminal.
    """
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    if output is None or str(output) == "-":
        if isinstance(content, bytes) and sys.stdout is not None and sys.stdout.isatty():
            raise BadOption("this form is not for a terminal; name a file with -o")
        with standard_output() as stream:
            stream.write(data)
        return
    with file(output, renews_draft=renews_draft) as place:
        place.write_bytes(data)


@contextmanager
def file(output: Path, *, renews_draft: bool = False) -> Iterator[Path]:
    """A place to write to that becomes the file `output` when all is written, which is then announced.

    A file that holds a retrolog document is only replaced with `renews_draft`, by its own renewal: everything else can be
    made again, a human's words cannot. Raises NotADraft, and CannotWrite for a missing folder, a full disk and the like.
    """
    from ..files import replacing

    name = terminal(str(output))
    try:
        if not renews_draft and holds_document(output):
            raise NotADraft(f"{name} holds a draft, which is not overwritten; name another file with -o")
        with replacing(output) as place:
            yield place
    except OSError as error:
        raise CannotWrite(f"{name} cannot be written ({error.strerror or error}); name another file with -o") from error
    click.echo(f"retrolog: wrote {name}", err=True)


@contextmanager
def standard_output() -> Iterator[IO[bytes]]:
    """Standard output for bytes. Raises CannotWrite when it is closed or full, BrokenPipeError when its reader has left."""
    if sys.stdout is None:
        raise CannotWrite("standard output is closed; name a file with -o")
    try:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWrite(f"standard output cannot be written ({error.strerror or error}); name a file with -o") from error


def holds_document(path: Path) -> bool:
    """Whether a file is there that holds a retrolog document. Raises OSError for one that cannot be read."""
    if not path.is_file():
        return False
    from ..drafting.document import parse

    data = path.read_bytes()
    return b"retrolog" in data and parse(data.decode("utf-8", "surrogateescape")).is_draft


def existing_draft(path: Path | None) -> str:
    """The document that a draft will be merged into, as it stands byte for byte; empty when there is none yet.

    Raises NotADraft for a file that holds something else, or that cannot be read.
    """
    if path is None or str(path) == "-" or not path.exists():
        return ""
    name = terminal(str(path))
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotADraft(f"{name} is no UTF-8 text, so it is not overwritten; name another file with -o") from error
    except OSError as error:
        raise NotADraft(f"{name} cannot be read ({error.strerror}); name another file with -o") from error
    from ..drafting.document import parse

    if text and not parse(text).is_draft:
        raise NotADraft(f"{name} holds no draft, so it is not overwritten; name another file with -o")
    return text


def refuse_other_than_answer(path: Path | None) -> None:
    """Raises NotADraft when something else than an earlier JSON answer stands where one is to be written."""
    if path is None or str(path) == "-" or not path.exists():
        return
    import json

    try:
        data = path.read_bytes()
        earlier = json.loads(data) if data else {"schema": "retrolog/"}
    except (OSError, ValueError):
        earlier = None
    if not isinstance(earlier, dict) or not str(earlier.get("schema")).startswith("retrolog/"):
        raise NotADraft(f"{terminal(str(path))} holds no answer of retrolog, so it is not overwritten; name another file with -o")
