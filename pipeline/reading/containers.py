"""Opens what logs come wrapped in: archives, packed files, and any of them inside another.

A place inside wrappers is a physical path and a chain of `Step`s: unpack steps (gzip, bzip2, xz, zstd, lz4, deflate, 7z, journal)
turn a stream into another, member steps (tar, zip, 7z member) cut a range out of one that can be read at any offset.
What stands behind an unpack step but must be read at any offset (a tar inside a gzip) is spooled once into an
unnamed temporary file, which is gone with the process however it ends.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
import threading
from typing import IO, cast

from .decoders import LIMITS
from .slices import Slice, Step
from .unpack import CHUNK, ReadNote, Unpacked

#: Unpacked archives and standard input, in unnamed temporary files of this process.
_SPOOLS: dict[tuple[object, ...], tuple[IO[bytes], tuple[ReadNote, ...]]] = {}
_SPOOLING = threading.RLock()
STDIN = "-"


def _spool_key(path: str, steps: tuple[Step, ...]) -> tuple[object, ...]:
    if path == STDIN or "://" in path:
        return (path, steps)
    stat = os.stat(path)
    return (path, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, steps)


def spool_stdin(stream: IO[bytes], notes: list[ReadNote]) -> None:
    """Keep standard input where it can be read again; a redirected file is kept as it is, anything else is copied."""
    old = _SPOOLS.pop((STDIN, ()), None)
    if old:
        old[0].close()
    _SPOOLS[(STDIN, ())] = (_copy(stream, notes), tuple(notes))


def _copy(stream: IO[bytes] | io.RawIOBase, notes: list[ReadNote]) -> IO[bytes]:
    spool = tempfile.TemporaryFile(prefix="retrolog-")  # noqa: SIM115 - it lives as long as the files made from it
    room = shutil.disk_usage(tempfile.gettempdir()).free // 2  # never the last of the user's disk
    copied = 0
    try:
        while data := stream.read(CHUNK) or b"":
            left = min(room, LIMITS.total) - copied
            spool.write(data[:left])
            copied += len(data)
            if len(data) > left:
                limit = (
                    f"the limit of {LIMITS.total >> 30} GiB"
                    if room > LIMITS.total
                    else "the temporary folder's room"
                )
                notes.append(
                    ReadNote("archive", f"unpacked it exceeds {limit} (see TMPDIR); the rest was left out")
                )
                break
        spool.flush()
    except OSError as error:
        notes.append(
            ReadNote("unreadable", f"reading failed ({error.strerror or error}); the rest was left out")
        )
    return spool


def open_slice(path: str, steps: tuple[Step, ...], notes: list[ReadNote]) -> Slice:
    """Open a place so that any offset can be read, spooling it once where it lies behind an unpack step."""
    if steps and steps[-1].is_member:
        outer: list[ReadNote] = []
        remote = len(steps) == 1 and "://" in path
        with _brought(path, outer) if remote else open_slice(path, steps[:-1], outer) as archive:
            begin, size = steps[-1].offset, steps[-1].size
            if (
                begin + size > archive.size
            ):  # only then is what is wrong with the archive wrong with this member
                early = ReadNote("truncated", "the archive ends before this file in it does")
                notes.extend(outer or [early])
            return Slice(
                os.dup(archive.fileno()), archive.start + begin, min(size, max(0, archive.size - begin))
            )
    if not steps and "://" in path:
        from .remote import RemoteSlice

        return RemoteSlice(path)
    if not steps and path != STDIN:
        return Slice(os.open(path, os.O_RDONLY))
    with _SPOOLING:
        key = _spool_key(path, steps)
        if key not in _SPOOLS:
            found: list[ReadNote] = []
            _SPOOLS[key] = (_spool(path, steps, found), tuple(found))
        spool, found_then = _SPOOLS[key]
        notes.extend(found_then)
        return Slice(os.dup(spool.fileno()))


def _brought(url: str, notes: list[ReadNote]) -> Slice:
    """An archive behind a URL, copied here once: its members are read at offsets all over it."""
    with _SPOOLING:
        key = (url,)
        if key not in _SPOOLS:
            with open_slice(url, (), notes) as remote:
                _SPOOLS[key] = (_copy(cast("IO[bytes]", remote), notes), tuple(notes))
        return Slice(os.dup(_SPOOLS[key][0].fileno()))


def _spool(path: str, steps: tuple[Step, ...], notes: list[ReadNote]) -> IO[bytes]:
    if not steps:
        raise FileNotFoundError(errno.ENOENT, "standard input was read by another process")
    if steps[-1].kind != "7z":
        with open_stream(path, steps, notes) as stream:
            return _copy(stream, notes)
    from .sevenzip import unpack_all

    with open_slice(path, steps[:-1], notes) as packed:
        return unpack_all(packed, notes)


def open_stream(path: str, steps: tuple[Step, ...], notes: list[ReadNote]) -> IO[bytes]:
    """Open a place for reading from its start; raises OSError when the physical file cannot be opened."""
    if steps and steps[-1].kind == "journal":
        from .journal import open_journal

        return open_journal(open_slice(path, steps[:-1], notes), notes)
    if steps and steps[-1].kind == "parquet":
        from .columnar import RowsAsText

        return RowsAsText(open_slice(path, steps[:-1], notes), notes)  # type: ignore[return-value]
    if steps and not steps[-1].is_member and steps[-1].kind != "7z":
        return Unpacked(open_stream(path, steps[:-1], notes), steps[-1].kind, notes)  # type: ignore[return-value]
    return open_slice(path, steps, notes)  # type: ignore[return-value]


def container_name(steps: tuple[Step, ...]) -> str:
    """Name a chain of wrappers as a person would: "plain", "gzip", "tar.gz", "zip/gzip", "tar.gz/gzip"."""
    short = {"gzip": "gz", "bzip2": "bz2", "xz": "xz", "lzip": "lz", "compress": "Z", "zstd": "zst", "lz4": "lz4"}
    words: list[str] = []
    kinds = [step.kind for step in steps]
    for at, kind in enumerate(kinds):
        before = kinds[at - 1] if at else ""
        if kind == "tar" and before in short:
            words[-1] = f"tar.{short[before]}"
        elif kind not in ("7z member", "deflate"):
            words.append(kind)
    return "/".join(words) or "plain"
