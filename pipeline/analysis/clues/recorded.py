"""Changes that were recorded outside the logs, from change files and git clones: read for a window, quoted, and verified."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...wording import plural
from .change_records import ChangeRecord, changes_from_file, changes_from_git

if TYPE_CHECKING:
    from ...findings import Evidence
    from ...options import Options
    from ...reading.lookup import Logs, Piece

Fetch = Callable[[str, "list[Evidence]"], Mapping[int, bytes]]


def recorded(options: Options, before: int) -> list[ChangeRecord]:
    """The changes of the options' files and clones that lie in the window or so many microseconds before it, in time order.

    Raises BadOption for a file or clone that cannot be read.
    """
    start, end = options.window.start, options.window.end
    since = None if start is None else start - before
    records = [record for path in options.changes for record in changes_from_file(path, options.zone)]
    records += [record for path in options.git for record in changes_from_git(path, since, end)]
    kept = [r for r in records if (since is None or r.time >= since) and (end is None or r.time < end)]
    return sorted(kept, key=lambda record: (record.time, record.file, record.line))


def told(options: Options, records: Sequence[ChangeRecord]) -> tuple[str, ...]:
    """A sentence on each change file and clone: how many of its changes could be looked at; none is worth knowing too."""
    sources = [*((path.as_posix(), path.as_posix()) for path in options.changes)]
    sources += [(f"the clone {path.as_posix()}", f"git:{path.resolve().name}") for path in options.git]
    counts = [(name, sum(r.file == file or r.file.startswith(f"{file}@") for r in records)) for name, file in sources]
    return tuple(f"{plural(count, 'change')} recorded in {name} {'lies' if count == 1 else 'lie'} in the window or shortly before it" for name, count in counts)


def quoting(fetch: Fetch, records: Sequence[ChangeRecord]) -> Fetch:
    """What fetches cited lines, of recorded changes too."""
    known: dict[str, dict[int, bytes]] = {}
    for record in records:
        known.setdefault(record.file, {})[record.line] = record.data

    def fetch_all(name: str, items: list[Evidence]) -> Mapping[int, bytes]:
        return known[name] if name in known else fetch(name, items)

    return fetch_all


@dataclass(frozen=True, slots=True)
class _Line:
    """One quoted line, as `verify` reads pieces of logs."""

    data: bytes
    line: int = 1


class WithClones:
    """Logs and git clones: what `verify.verify` needs to confirm citations of commits and tags."""

    def __init__(self, logs: Logs, clones: Sequence[Path]) -> None:
        self._logs = logs
        self._lines = {record.file: record.data for clone in clones for record in changes_from_git(clone)}

    def files(self) -> Sequence[str]:
        """The names of all log files, commits and tags."""
        return [*self._logs.files(), *self._lines]

    def lines(self, file: str, wanted: Iterable[tuple[int, int, int]]) -> Mapping[int, bytes]:
        """The bytes at each (line, offset, size), by line."""
        return {1: self._lines[file]} if file in self._lines else self._logs.lines(file, wanted)

    def blocks(self, file: str) -> Iterator[Piece]:
        """A file as blocks of whole lines; a commit or tag is one line."""
        return iter((_Line(self._lines[file] + b"\n"),)) if file in self._lines else self._logs.blocks(file)
