"""Finds the logs behind the paths a user gives: which files there are, what each is wrapped in, and which belong together."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import IO

from ..errors import MissingExtra, NothingToRead
from . import archives, containers, encodings, journal, rotation, unpack
from .containers import STDIN
from .decoders import LIMITS
from .logfile import LogFile, Source, fits
from .remote import is_url, listed
from .slices import Step
from .unpack import ReadNote

_ARCHIVES = ("tar", "zip", "7z")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not read, and why; `kind` is a word for programs.

    Kinds: binary, unreadable, special, link, archive, encrypted, excluded-by-limit.
    """

    file: str
    reason: str
    kind: str = "unreadable"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What the paths hold: logs grouped by source, in the order of their names, and what is skipped and why."""

    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...]

    @property
    def files(self) -> tuple[LogFile, ...]:
        """All files of all sources."""
        return tuple(file for source in self.sources for file in source.files)


@dataclass(slots=True)
class _Root:
    """One path as given, and the files found behind it."""

    path: str
    files: list[LogFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def discover(
    paths: Sequence[str | os.PathLike[str]],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    stdin: IO[bytes] | None = None,
) -> Discovery:
    """Find every log behind `paths`: directories, files, archives (also nested), and `-` for standard input.

    A file is named relative to the directory that was given, one given by itself by its name, a member of an archive
    `archive.tar.gz/path/in/archive`; names that would clash between several paths get the path in front. `include` and
    `exclude` are globs on these names: one without a slash also fits the last part alone, and one that fits a folder
    or an archive fits all in it. A file reachable twice (a link, a path inside another) is read once.

    What cannot be read is skipped with a reason and never stops the rest; an empty file is kept. Raises NothingToRead
    when there is no file at all left to read.
    """
    walk = _Walk(include, exclude, stdin)
    roots = [walk.root(os.fspath(path)) for path in paths]
    _separate(roots)
    files = sorted((file for root in roots for file in root.files), key=lambda file: file.file)
    skipped = sorted((skip for root in roots for skip in root.skipped), key=lambda skip: skip.file)
    if not files:
        raise NothingToRead(_nothing([os.fspath(path) for path in paths], skipped, walk.left_out))
    return Discovery(_group(files), tuple(skipped))


def _group(files: Sequence[LogFile]) -> tuple[Source, ...]:
    groups: dict[str, list[LogFile]] = {}
    for file in files:
        groups.setdefault(rotation.part_of(file.file).stem, []).append(file)
    return tuple(
        Source(name, tuple(sorted(parts, key=lambda part: (rotation.part_of(part.file).age, part.file))))
        for name, parts in sorted(groups.items())
    )


def _separate(roots: Sequence[_Root]) -> None:
    """Put enough of the given path before names that occur behind more than one path, and number what still clashes."""
    count = Counter(name for root in roots for name in {file.file for file in root.files})
    clashing = {name for name, times in count.items() if times > 1}
    taken: set[str] = set()
    for at, root in enumerate(roots):
        others = [other.path for other in roots if other is not root]
        prefix = _distinct_tail(root.path, others)
        for n, file in enumerate(root.files):
            name = f"{prefix}/{file.file}" if file.file in clashing and prefix else file.file
            if root.files[n].file in clashing and os.path.isfile(root.path) and prefix:
                name = prefix + file.file.removeprefix(os.path.basename(root.path))
            unique, times = name, 1
            while unique in taken:
                times += 1
                unique = f"{name}#{times}"
            taken.add(unique)
            roots[at].files[n] = replace(file, file=unique)


def _distinct_tail(path: str, others: Sequence[str]) -> str:
    """The shortest end of a path that no other path ends in."""
    parts = [part for part in os.path.abspath(path).split(os.sep) if part]
    ends = [[part for part in os.path.abspath(other).split(os.sep) if part] for other in others]
    tails = (parts[at:] for at in range(len(parts) - 1, 0, -1))
    distinct = (tail for tail in tails if all(tail != end[-len(tail) :] for end in ends))
    return _printable("/".join(next(distinct, parts)))


def _printable(name: str) -> str:
    """A file name as Unicode that can be written anywhere: bytes that are no UTF-8 show as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace").replace(os.sep, "/")


def _nothing(paths: Sequence[str], skipped: Sequence[Skipped], left_out: int) -> str:
    where = ", ".join(_printable(path) for path in paths[:3]) + (" ..." if len(paths) > 3 else "")
    if not paths:
        return "No path was given: name a directory of logs, a log file, or - for standard input."
    if not skipped and left_out:
        return f"None of the {left_out} files in {where} fits the include and exclude patterns; loosen them."
    if not skipped:
        return f"There is no file in {where}; name a directory that holds logs."
    if len(skipped) == 1:
        return f"{skipped[0].file} cannot be read: {skipped[0].reason}."
    first = skipped[0]
    return f"None of the {len(skipped)} files in {where} can be read as a log; the first, {first.file}: {first.reason}."


class _Walk:
    """Walks directories and archives; remembers what was seen, so that nothing is read twice."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str], stdin: IO[bytes] | None) -> None:
        self._include, self._exclude, self._stdin = include, exclude, stdin
        self._seen: dict[tuple[int, int], str] = {}
        self._folders: set[tuple[int, int]] = set()
        self._stdin_taken = False
        self._members = 0
        self.left_out = 0

    def root(self, path: str) -> _Root:
        """Find the files behind one path as given."""
        root = _Root(path)
        if path == STDIN:
            self._take_stdin(root)
        elif is_url(path):
            for found in listed(path):
                self._look(root, LogFile(_printable(found.name), found.url, size=found.size, mtime=found.mtime))
        elif os.path.isdir(path):
            plain: list[tuple[str, str]] = []
            links: list[tuple[str, str]] = []
            for name, full in self._tree(root, path, ""):
                (links if os.path.islink(full) else plain).append((name, full))
            for name, full in plain + links:  # a file under its own name is preferred to a link to it
                self._take(root, name, full)
        else:
            self._take(root, os.path.basename(path), path)
        return root

    def _tree(self, root: _Root, folder: str, prefix: str) -> Iterator[tuple[str, str]]:
        try:
            about = os.stat(folder)
            if (about.st_dev, about.st_ino) in self._folders:
                if os.path.islink(folder):
                    root.skipped.append(
                        Skipped(prefix.rstrip("/"), "a link to a folder that is read already", "link")
                    )
                return
            self._folders.add((about.st_dev, about.st_ino))
            entries = sorted(
                os.scandir(folder), key=lambda entry: (entry.is_symlink(), os.fsencode(entry.name))
            )
        except OSError as error:
            root.skipped.append(Skipped(prefix.rstrip("/") or _printable(folder), _why(error)))
            return
        for entry in entries:
            name = prefix + _printable(entry.name)
            if fits(name, self._exclude):
                self.left_out += 1
            elif _is_folder(entry):
                yield from self._tree(root, entry.path, name + "/")
            else:
                yield name, entry.path

    def _take(self, root: _Root, name: str, path: str) -> None:
        name = _printable(name)
        try:
            about = os.stat(path)
        except OSError as error:
            root.skipped.append(Skipped(name, _why(error), "link" if os.path.islink(path) else "unreadable"))
            return
        if not stat.S_ISREG(about.st_mode):
            root.skipped.append(Skipped(name, _special(about.st_mode), "special"))
            return
        key = (about.st_dev, about.st_ino)
        if key in self._seen:
            root.skipped.append(Skipped(name, f"the same file as {self._seen[key]}, which is read", "link"))
            return
        self._seen[key] = name
        outer = LogFile(name, path, size=about.st_size, mtime=about.st_mtime_ns // 1000)
        self._look(root, outer)

    def _take_stdin(self, root: _Root) -> None:
        if self._stdin_taken:
            root.skipped.append(Skipped(STDIN, "standard input was named twice and is read once", "link"))
            return
        self._stdin_taken = True
        notes: list[ReadNote] = []
        containers.spool_stdin(self._stdin or sys.stdin.buffer, notes)
        with containers.open_slice(STDIN, (), notes) as spool:
            self._look(root, LogFile(STDIN, STDIN, size=spool.size))

    def _wanted(self, name: str) -> bool:
        if (not self._include or fits(name, self._include)) and not fits(name, self._exclude):
            return True
        self.left_out += 1
        return False

    def _look(self, root: _Root, file: LogFile) -> None:
        """Look through a file's wrappers, and take it, its members, or a reason why not."""
        if fits(file.file, self._exclude):
            self.left_out += 1
            return
        while True:
            try:
                head = _head(file)
            except OSError as error:
                root.skipped.append(Skipped(file.file, _why(error)))
                return
            kind = unpack.wrapper(head)
            if kind is None:
                break
            if len(file.steps) >= LIMITS.depth:
                why = f"wrapped more than {LIMITS.depth} deep, as a decompression bomb is; unpack it first"
                root.skipped.append(Skipped(file.file, why, "archive"))
                return
            if kind in _ARCHIVES:
                self._look_inside(root, file, kind)
                return
            if kind == "journal":
                try:
                    journal.require()
                except MissingExtra as error:
                    root.skipped.append(Skipped(file.file, str(error), "binary"))
                    return
            written = unpack.gzip_time(head) if kind == "gzip" else None
            file = replace(file, steps=(*file.steps, Step(kind)), mtime=written or file.mtime)
        if not self._wanted(file.file):
            return
        what = encodings.binary_kind(head, os.path.basename(file.file))
        if what and head.startswith(b"PAR1"):
            self._look_at_columns(root, file)
            return
        if what:
            root.skipped.append(Skipped(file.file, f"it looks like {what}", "binary"))
            return
        encoding, bom = encodings.encoding_of(head)
        container = containers.container_name(file.steps)
        root.files.append(replace(file, container=container, encoding=encoding, bom=bom))

    def _look_at_columns(self, root: _Root, file: LogFile) -> None:
        """Take a Parquet file, whose rows are events, or a reason why not."""
        from .columnar import KIND, refusal

        try:
            with file.open_slice([]) as place:
                why = refusal(place)
        except OSError as error:
            why = _why(error)
        if why:
            root.skipped.append(Skipped(file.file, why, "binary"))
            return
        steps = (*file.steps, Step(KIND))
        root.files.append(replace(file, steps=steps, container=containers.container_name(steps)))

    def _look_inside(self, root: _Root, file: LogFile, kind: str) -> None:
        notes: list[ReadNote] = []
        names: Counter[str] = Counter()
        steps = (*file.steps, Step("7z")) if kind == "7z" else file.steps
        found = 0
        try:
            for member in archives.members(file.path, steps, kind, notes):
                found += 1
                self._members += 1
                if self._members > LIMITS.members:
                    why = f"more than {LIMITS.members:,} files in archives; the rest of this one is left out"
                    root.skipped.append(Skipped(file.file, why, "archive"))
                    return
                name = f"{file.file}/{archives.printable_member(member.name)}"
                names[name] += 1
                if names[name] > 1:  # an archive may hold one name several times
                    name = f"{name}#{names[name]}"
                if member.skip:
                    if self._wanted(name):
                        root.skipped.append(Skipped(name, member.skip, "archive"))
                    continue
                inner = LogFile(
                    name, file.path, member.steps, size=member.size, mtime=member.mtime or file.mtime
                )
                self._look(root, inner)
        except OSError as error:
            root.skipped.append(Skipped(file.file, _why(error)))
        except MissingExtra as error:
            root.skipped.append(Skipped(file.file, str(error), "archive"))
        for note in notes:
            root.skipped.append(Skipped(file.file, f"read only in part: {note.text}", "archive"))
        if not found and not notes:
            root.skipped.append(Skipped(file.file, f"a {kind} archive with no file in it", "archive"))


def _head(file: LogFile) -> bytes:
    """The first unpacked bytes that are not all NUL; damage shows again, and is noted, when the file is read."""
    with file.open([]) as stream:
        head = stream.read(encodings.HEAD)
        looked = len(head)
        while head and not head.strip(b"\0") and looked < 1 << 26:  # a hole left by truncating an open log
            more = stream.read(1 << 20)
            if not more:
                break
            looked += len(more)
            head = more.lstrip(b"\0") or head
        return head[: encodings.HEAD]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links; opening it says so
        return False


def _special(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"))
    what = next((what for test, what in kinds if test(mode)), "a device")
    return f"{what}, not a file; give its output as a file or through standard input"


def _why(error: OSError) -> str:
    reasons = {
        errno.ENOENT: "there is no such file or folder",
        errno.EACCES: "permission denied; run as a user who may read it",
        errno.EPERM: "permission denied; run as a user who may read it",
        errno.ELOOP: "its links run in a circle",
    }
    return reasons.get(error.errno or 0, error.strerror or "it cannot be opened")
