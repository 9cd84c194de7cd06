"""Ranges of files as files, and the steps by which one is reached inside wrappers."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One wrapper to look through: an unpack step, or a member (a byte range of an archive)."""

    kind: str
    member: str = ""
    offset: int = 0
    size: int = 0

    @property
    def is_member(self) -> bool:
        """Whether this step cuts a range out of an archive rather than unpacks."""
        return self.kind in ("tar", "zip", "7z member")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name there, how to reach it, bytes stored, own time (µs), or why it is left out."""

    name: str
    steps: tuple[Step, ...] = ()
    size: int = 0
    mtime: int | None = None
    skip: str = ""


class Slice(io.RawIOBase):
    """A range of a file as a file: seekable, and safe beside other readers of the same descriptor (it uses pread).

    It owns the descriptor. The end is fixed when it is made, so a growing file is read up to its size at that time.
    """

    def __init__(self, descriptor: int, start: int = 0, size: int | None = None) -> None:
        self._descriptor = descriptor
        length = max(0, os.fstat(descriptor).st_size - start)
        self.start = start
        self.size = length if size is None else min(size, length)
        self._at = 0

    def fileno(self) -> int:
        return self._descriptor

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        got = self.pread_into(self._at, view)
        self._at += got
        return got

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` bytes from the current position, all that is left when it is negative or None."""
        left = max(0, self.size - self._at)
        want = left if size is None or size < 0 else min(size, left)
        data = self.pread(self._at, want)
        self._at += len(data)
        return data

    def pread_into(self, offset: int, view: memoryview) -> int:
        """Fill a buffer from an offset without moving the position; answers how many bytes came."""
        view = view[: max(0, min(len(view), self.size - offset))]
        return os.preadv(self._descriptor, [view], self.start + offset) if view else 0

    def pread(self, offset: int, size: int) -> bytes:
        """Read at an offset without moving the position; shorter only when the file has shrunk."""
        size = max(0, min(size, self.size - offset))
        data = os.pread(self._descriptor, size, self.start + offset) if size else b""
        while data and len(data) < size:  # the kernel gives at most 2 GiB at a time
            more = os.pread(self._descriptor, size - len(data), self.start + offset + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
