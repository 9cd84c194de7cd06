"""Logs behind URLs (s3://, gs://, az://, sftp://, http:// and whatever else fsspec opens), read by range.

A remote file is a `Slice` like a local one: searched, counted and read in blocks at any offset, so that of a large object
only the window's bytes are moved. Credentials and endpoints are fsspec's own business (environment, ~/.aws, fsspec's config).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import MissingExtra, NothingToRead
from .slices import Slice

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_AHEAD = 4 << 20  # bytes fetched at once by readers that go on from where they are
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az", "sftp": "sftp", "ssh": "sftp"}


def is_url(path: str) -> bool:
    """Whether a path is a URL rather than a file of this machine."""
    return _URL.match(path) is not None


@dataclass(frozen=True, slots=True)
class Remote:
    """One object: its URL, its name relative to the URL given, its size, and when it was written (microseconds), if known."""

    url: str
    name: str
    size: int
    mtime: int | None


def listed(url: str) -> Iterator[Remote]:
    """The objects at or below a URL, in order of their names; raises NothingToRead with the reason when there are none."""
    system, path = _opened(url)
    try:
        found = {path: system.info(path)} if system.isfile(path) else system.find(path, detail=True)
    except (OSError, ValueError) as error:
        raise NothingToRead(f"{url} cannot be listed ({error}); check the address and your credentials") from error
    if not found:
        raise NothingToRead(f"there is nothing at {url}; check the address and your credentials")
    root = path.rstrip("/")
    for name in sorted(found):
        info = found[name]
        relative = name.removeprefix(root).lstrip("/") or name.rsplit("/", 1)[-1]
        if info.get("type", "file") == "file":
            yield Remote(system.unstrip_protocol(name), relative, int(info.get("size") or 0), _written(info))


def _written(info: dict[str, Any]) -> int | None:
    for key in ("LastModified", "mtime", "last_modified", "updated", "created"):
        value = info.get(key)
        if isinstance(value, datetime):
            return int(value.timestamp() * 1_000_000)
        if isinstance(value, int | float):
            return int(value * 1_000_000)
    return None


def _opened(url: str) -> tuple[Any, str]:
    """The file system and the path of a URL."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtra('URLs need fsspec; install it with pip install "retrolog[url]"') from error
    scheme = url.split("://", 1)[0].lower()
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        extra = _EXTRAS.get(scheme, "url")
        raise MissingExtra(f'{scheme}:// URLs need more; install it with pip install "retrolog[{extra}]"') from error
    except ValueError as error:
        raise NothingToRead(f"{url} cannot be opened: {error}") from error
    return system, path


class RemoteSlice(Slice):
    """An object read by range: `pread` fetches just the bytes asked for, `read` some megabytes at a time."""

    def __init__(self, url: str) -> None:
        io.RawIOBase.__init__(self)
        self._system, self._path = _opened(url)
        self.start = 0
        self.size = int(self._system.info(self._path).get("size") or 0)
        self._at = 0
        self._ahead = (0, b"")

    def fileno(self) -> int:
        raise io.UnsupportedOperation("an object behind a URL has no descriptor")

    def pread(self, offset: int, size: int) -> bytes:
        """Read at an offset; raises OSError when the server does not answer."""
        size = max(0, min(size, self.size - offset))
        if not size:
            return b""
        at, data = self._ahead
        if not (at <= offset and offset + size <= at + len(data)):
            at = offset
            data = self._fetch(offset, min(max(size, _AHEAD if size >= 1 << 16 else 0), self.size - offset))
            self._ahead = (at, data)
        return data[offset - at : offset - at + size]

    def _fetch(self, offset: int, size: int) -> bytes:
        try:
            data = bytes(self._system.cat_file(self._path, start=offset, end=offset + size))
        except OSError:
            raise
        except Exception as error:  # each store has errors of its own, and none is the caller's fault
            raise OSError(f"reading {self._path} failed: {error}") from error
        return data if len(data) <= size else data[offset : offset + size]  # a server that knows no ranges sends all

    def pread_into(self, offset: int, view: memoryview) -> int:
        data = self.pread(offset, len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._ahead = (0, b"")
        io.RawIOBase.close(self)
