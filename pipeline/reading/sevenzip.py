"""Reads 7z archives through py7zr, an optional dependency: `pip install 'retrolog[7z]'`.

A 7z archive packs its members as one stream, so all of them are unpacked once, one after the other, into an
unnamed temporary file; a member is then a range of that file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any

from ..errors import MissingExtra
from .decoders import LIMITS
from .slices import Member, Slice, Step
from .unpack import ReadNote


def members_7z(packed: Slice, steps: tuple[Step, ...], notes: list[ReadNote]) -> Iterator[Member]:
    """Yield the files of a 7z archive; `steps` end with the 7z step. Raises MissingExtra where py7zr is not installed."""
    offset = 0
    try:
        entries = _entries(packed)
    except MissingExtra:
        raise
    except Exception as error:  # noqa: BLE001 - a parser of hostile headers that raises whatever it meets
        notes.append(ReadNote("corrupt", f"the 7z archive cannot be read ({type(error).__name__})"))
        return
    for entry in entries:
        if entry.is_directory:
            continue
        if entry.is_symlink:
            yield Member(
                entry.filename, skip="a link inside the archive; the file it names is read where it stands"
            )
        else:
            step = Step("7z member", entry.filename, offset, entry.uncompressed)
            written = entry.creationtime
            mtime = int(written.timestamp() * 1_000_000) if written else None
            yield Member(entry.filename, (*steps, step), entry.uncompressed, mtime)
        offset += entry.uncompressed


def _entries(packed: Slice) -> list[Any]:
    with _library().SevenZipFile(packed) as archive:
        if archive.needs_password():
            raise ValueError("it needs a password")
        return list(archive.list())


def _library() -> Any:
    try:
        import py7zr
    except ImportError:
        raise MissingExtra("it is a 7z archive, which needs py7zr: pip install 'retrolog[7z]'") from None
    return py7zr


def unpack_all(packed: Slice, notes: list[ReadNote]) -> IO[bytes]:
    """Unpack every member in stored order into an unnamed temporary file; what fails is noted, what came before kept."""
    library = _library()
    spool = tempfile.TemporaryFile(prefix="retrolog-")  # noqa: SIM115 - it lives as long as the files made from it
    most = min(LIMITS.total, max(LIMITS.floor, LIMITS.ratio * packed.size))
    written = 0

    class Appender(library.Py7zIO):  # type: ignore[misc,name-defined]
        """Writes a member behind the one before it."""

        def write(self, s: bytes | bytearray) -> int:
            nonlocal written
            if written + len(s) > most:
                raise _TooMuch
            written += len(s)
            return spool.write(s)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            spool.flush()

        def size(self) -> int:
            return 0

        def close(self) -> None:
            self.flush()

    class Factory(library.WriterFactory):  # type: ignore[misc,name-defined]
        """Gives py7zr somewhere to write."""

        def create(self, filename: str) -> Any:
            return Appender()

    try:
        with library.SevenZipFile(packed) as archive:
            archive.extractall(factory=Factory())
    except _TooMuch:
        times = f"{LIMITS.ratio} times its size"
        notes.append(
            ReadNote("bomb", f"it unpacks to more than {times}, which is refused; what came before was read")
        )
    except Exception as error:  # noqa: BLE001 - as above: any of a dozen kinds, and none may stop the other files
        text = f"the 7z data is damaged ({type(error).__name__}); the {written:,} bytes before that were read"
        notes.append(ReadNote("corrupt", text))
    spool.flush()
    return spool


class _TooMuch(Exception):
    """The archive unpacks to more than is allowed."""
