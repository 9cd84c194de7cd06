"""Writes a file whole or not at all, so that a document a human works on is never left half-written."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEW_FILE_MODE = 0o666


def _umask() -> int:
    # There is no way to ask for it but to set it; documents are written by one thread.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Replaces the file by `content` (text as UTF-8, line ends as given) in one step, as `replacing` does."""
    with replacing(path) as place:
        place.write_bytes(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place in one step when the block ends.

    A symbolic link is followed and stays a link; an existing file keeps its permissions. On any failure the old file
    is untouched and nothing is left beside it. Raises OSError.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mode = _NEW_FILE_MODE & ~_umask()
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
    try:
        yield Path(name)
        os.fsync(handle)
        os.chmod(name, mode)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the new name itself durable where the system lets a folder be opened (POSIX)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return  # some network file systems refuse; the content is written all the same
    finally:
        os.close(handle)
