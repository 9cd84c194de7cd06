"""Reads systemd's binary journals (`*.journal`) as one JSON object an entry, in order, as if they had been exported.

The entries come from `journalctl` where it is installed, else from libsystemd through cysystemd (`pip install 'retrolog[journal]'`),
both in a process of their own.
Both keep to the file's format (systemd.io/JOURNAL_FILE_FORMAT), compressed fields included, which no library of Python alone
does. The line number of an event is the number of its entry. Keys are put in order, as journalctl's own order differs
between runs, and citations must be found again.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from typing import IO, Any, cast

from ..errors import MissingExtra
from .decoders import LIMITS
from .slices import Slice
from .unpack import CHUNK, ReadNote

#: What a journal begins with (JOURNAL_FILE_FORMAT, Header).
MAGIC = b"LPKSHHRH"
_MISSING = "it is a systemd journal, which needs journalctl or cysystemd: pip install 'retrolog[journal]'"
#: Nothing of the machine's own settings, zone or language takes part.
_SURROUNDINGS = {"LC_ALL": "C", "TZ": "UTC", "SYSTEMD_COLORS": "0", "SYSTEMD_LOG_LEVEL": "err"}


def require() -> None:
    """Raises MissingExtra where nothing is installed that reads journals."""
    _command("")


def open_journal(place: Slice, notes: list[ReadNote]) -> IO[bytes]:
    """The entries of a journal as JSON lines; `place` is taken over and closed with the stream. Damage ends it with a note."""
    return cast("IO[bytes]", _Entries(_whole_file(place), notes))


def _journalctl() -> str | None:
    return shutil.which("journalctl")


def _command(path: str) -> list[str]:
    """What writes the entries of a journal as JSON lines; raises MissingExtra where nothing does."""
    listing = _journalctl()
    if listing is not None:
        return [listing, f"--file={path}", "--output=json", "--all", "--no-pager", "--quiet"]
    if importlib.util.find_spec("cysystemd") is None:
        raise MissingExtra(_MISSING)
    return [sys.executable, os.path.join(os.path.dirname(__file__), "journal_dump.py"), path]


def _whole_file(place: Slice) -> IO[bytes]:
    """The journal as a file by itself: what was in an archive or packed is copied, as readers of journals map whole files with a name."""
    about = os.fstat(place.fileno())
    if place.start == 0 and place.size == about.st_size and about.st_nlink:
        return cast("IO[bytes]", place)
    spool = cast("IO[bytes]", tempfile.NamedTemporaryFile(prefix="retrolog-", suffix=".journal"))  # noqa: SIM115 - gone with the stream
    with place:
        while data := place.read(CHUNK):
            spool.write(data)
    spool.flush()
    return spool


class _Entries(io.RawIOBase):
    """The text of a journal's entries, made as it is read."""

    def __init__(self, journal: IO[bytes], notes: list[ReadNote]) -> None:
        self._journal, self._notes = journal, notes
        self._rows = self._listed()
        self._held = b""
        self._made = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, fewer only at the end; all of them when it is negative."""
        parts, length = [self._held], len(self._held)
        while (size < 0 or length < size) and (row := next(self._rows, b"")):
            parts.append(row)
            length += len(row)
        data = b"".join(parts)
        self._held = data[size:] if 0 <= size < length else b""
        return data[:size] if size >= 0 else data

    def close(self) -> None:
        if not self.closed:
            self._rows.close()
            self._journal.close()
        super().close()

    def _listed(self) -> Generator[bytes]:
        """Rows from another process, so that a journal made to harm its reader harms only that."""
        number = self._journal.fileno()
        command = _command(f"/proc/self/fd/{number}")  # no name of a file is taken for a pattern or an option
        surroundings = {"PATH": os.environ.get("PATH", os.defpath), **_SURROUNDINGS}
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, pass_fds=[number], env=surroundings
            ) as process,
        ):
            try:
                assert process.stdout is not None
                for row in process.stdout:
                    yield self._row(json.loads(row))
                if process.wait():
                    said.seek(0)
                    self._stop(said.read(20_000).decode("utf-8", "replace").rstrip().rpartition("\n")[2])
            except (ValueError, OSError) as error:
                self._stop(str(error))
            finally:
                process.kill()

    def _row(self, entry: dict[str, Any]) -> bytes:
        row = json.dumps(entry, ensure_ascii=False, sort_keys=True, default=str, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        self._made += len(row)
        if self._made > LIMITS.total:
            raise OSError(f"it holds more than {LIMITS.total >> 30} GiB of text")
        return row

    def _stop(self, why: str) -> None:
        reason = "".join(c for c in " ".join(why.split()) if c.isprintable())[:200] or "no reason was given"
        self._notes.append(ReadNote("corrupt", f"the journal cannot be read further ({reason}); the {self._made:,} bytes of entries before that were read"))
