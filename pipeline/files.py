"""Writes a file whole or not at all, so that a document a human works on is never left half-written."""

from __future__ import annotations

import errno
import os
import shutil
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
    is untouched and nothing is left beside it. What is no file, such as a device or a pipe, is written into and never
    replaced. Raises OSError, also for a file that nobody may write.
    """
    target = Path(os.path.realpath(path))
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        kind = stat.S_IFREG | _NEW_FILE_MODE & ~_umask()
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        with tempfile.TemporaryDirectory(prefix="retrolog-") as folder:
            place = Path(folder) / "out"
            place.touch()
            yield place
            with place.open("rb") as made, target.open("wb") as out:
                shutil.copyfileobj(made, out)
        return
    mode = stat.S_IMODE(kind)
    if not mode & 0o222:
        # Its folder would let it be replaced, but whoever took the right to write meant the file.
        raise PermissionError(errno.EACCES, "it is read-only", str(target))
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
