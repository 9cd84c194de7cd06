"""Looks lines up again in logs that are there now: by file, line and bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .sources import Discovery


class Piece(Protocol):
    """Whole lines of a file: the text, the number of its first line."""

    @property
    def data(self) -> bytes: ...
    @property
    def line(self) -> int: ...


class Logs(Protocol):
    """What verifying needs of the logs; `DiscoveredLogs` gives it for what `sources.discover` found."""

    def files(self) -> Sequence[str]:
        """The names of all files, as documents cite them."""
        ...

    def lines(self, file: str, wanted: Iterable[tuple[int, int, int]]) -> Mapping[int, bytes]:
        """The bytes at each (line, offset, size), by line."""
        ...

    def blocks(self, file: str) -> Iterator[Piece]:
        """The file as blocks of whole lines, in order."""
        ...


class DiscoveredLogs:
    """The logs that `sources.discover` found, read with `read`."""

    def __init__(self, discovery: Discovery) -> None:
        self._files = {file.file: file for file in discovery.files}

    def files(self) -> Sequence[str]:
        return list(self._files)

    def lines(self, file: str, wanted: Iterable[tuple[int, int, int]]) -> Mapping[int, bytes]:
        from .read import read_lines

        return read_lines(self._files[file], wanted)

    def blocks(self, file: str) -> Iterator[Piece]:
        from .read import read_blocks

        return read_blocks(self._files[file])
