"""One log and its files: what they are called, what they are wrapped in, and how to open them."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from . import containers
from .slices import Slice, Step
from .unpack import ReadNote


@dataclass(frozen=True, slots=True)
class LogFile:
    """One physical file, or one member of an archive, that holds text.

    `file` is its name for people and documents (see `discover`), `path` and `steps` say how to reach it, `container`
    names the wrappers ("plain", "gzip", "tar.gz/gzip"), `size` is bytes as stored. `mtime` is the best time known for
    when it was last written, in microseconds since the epoch: a gzip header's, else an archive member's own, else the
    file's; it dates lines without a year. `bom` is the bytes its byte order mark takes.
    """

    file: str
    path: str
    steps: tuple[Step, ...] = ()
    container: str = "plain"
    size: int = 0
    mtime: int | None = None
    encoding: str = "utf-8"
    bom: int = 0

    @property
    def packed(self) -> bool:
        """Whether its text can only be read from the start (it is compressed, or must be recoded)."""
        return self.encoding != "utf-8" or any(
            not step.is_member and step.kind != "7z" for step in self.steps[-1:]
        )

    @property
    def columnar(self) -> bool:
        """Whether its rows are events already, with columns (Parquet)."""
        return any(step.kind == "parquet" for step in self.steps[-1:])

    def open(self, notes: list[ReadNote]) -> IO[bytes]:
        """Open the unpacked bytes for reading from their start; raises OSError when the file cannot be opened."""
        return containers.open_stream(self.path, self.steps, notes)

    def open_slice(self, notes: list[ReadNote]) -> Slice:
        """Open for reading at any offset; for files that are not `packed`."""
        return containers.open_slice(self.path, self.steps, notes)

    def open_columns(self, notes: list[ReadNote]) -> Slice:
        """Open what its rows are read from; for files that are `columnar`."""
        return containers.open_slice(self.path, self.steps[:-1], notes)


@dataclass(frozen=True, slots=True)
class Source:
    """One log as its writer sees it: its name (`nginx/access.log`) and its parts, oldest first as the names have it."""

    name: str
    files: tuple[LogFile, ...]


def fits(name: str, patterns: Sequence[str]) -> bool:
    """Whether a glob fits the name, its last part, or a folder or archive it lies in."""
    parts = name.split("/")
    names = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for pattern in patterns:
        pattern = pattern.removeprefix("./").rstrip("/")
        candidates = names if "/" in pattern else [*names, *parts]
        if any(fnmatch.fnmatchcase(candidate, pattern) for candidate in candidates):
            return True
        if pattern.startswith("**/") and fits(name, [pattern[3:]]):
            return True
    return False
