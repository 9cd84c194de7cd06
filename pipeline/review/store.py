"""Keeps the document on disk: every change is written at once, nothing that an editor wrote meanwhile is lost.

The file is read again before each change, so a change lands on what stands there now. Undo goes back by a three-way
merge of parts (blocks, lines of human text): what an editor did to other parts in between stays.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..drafting.document import Block, Data, parse
from ..errors import CannotWrite, NotADraft, RetrologError
from ..files import write_atomically

STEPS = 500  # changes that can be undone
_TRIES = 5


class Clash(RetrologError):
    """A change cannot be undone or redone, since an editor changed the same part after it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change that was written: the text before and after it, and what it was."""

    before: str
    after: str
    name: str


def fingerprint(text: str) -> str:
    """What tells one state of the document from another."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


class Store:
    """The document in one file, with undo and redo; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._undo: list[Step] = []
        self._redo: list[Step] = []
        if not parse(self.read()).is_draft:
            raise NotADraft(
                f"{path} holds no retrolog draft; review takes what `retrolog draft -o FILE` wrote."
            )

    def read(self) -> str:
        """The text as it stands in the file now; raises NotADraft when it cannot be read."""
        try:
            return self.path.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise NotADraft(f"{self.path} cannot be read ({error.strerror}); was it moved?") from error

    @property
    def undoable(self) -> str:
        """The name of the change that undo would take back; empty when there is none."""
        return self._undo[-1].name if self._undo else ""

    @property
    def redoable(self) -> str:
        return self._redo[-1].name if self._redo else ""

    def change(self, edit: Callable[[str], str], name: str) -> str:
        """Applies an edit to what the file holds now and writes the result; returns it."""
        with self._lock:
            before, after = self._write(edit)
            if after != before:
                self._undo = [*self._undo[-STEPS + 1 :], Step(before, after, name)]
                self._redo.clear()
            return after

    def undo(self) -> str:
        """Takes the last change back and returns the text; does nothing when there is none. Raises Clash."""
        return self._move(self._undo, self._redo, lambda step: (step.after, step.before))

    def redo(self) -> str:
        """Does the change again that was taken back last. Raises Clash."""
        return self._move(self._redo, self._undo, lambda step: (step.before, step.after))

    def _move(self, source: list[Step], target: list[Step], way: Callable[[Step], tuple[str, str]]) -> str:
        with self._lock:
            if not source:
                return self.read()
            step = source[-1]
            base, wanted = way(step)

            def edit(now: str) -> str:
                merged = merge(base, wanted, now)
                if merged is None:
                    raise Clash(f"“{step.name}” stays: the same part was changed in an editor after it.")
                return merged

            _, text = self._write(edit)
            target.append(source.pop())
            return text

    def _write(self, edit: Callable[[str], str]) -> tuple[str, str]:
        """The text before and after; tried again when an editor saved between reading and writing."""
        for _ in range(_TRIES):
            before = self.read()
            after = edit(before)
            if after == before:
                return before, after
            if self.read() == before:
                try:
                    write_atomically(self.path, after)
                except OSError as error:
                    raise CannotWrite(f"{self.path.name} cannot be written ({error.strerror}); nothing was changed.") from error
                return before, after
        raise Clash("The file is being written by another program; try again in a moment.")


def merge(base: str, ours: str, theirs: str) -> str | None:
    """`theirs` with what changed from `base` to `ours`; None where both changed the same part differently."""
    if base == theirs:
        return ours
    if base == ours or ours == theirs:
        return theirs
    original, left, right = _parts(base), _parts(ours), _parts(theirs)
    mine, other = _changes(original, left), _changes(original, right)
    result: list[str] = []
    at = 0
    while mine or other:
        if mine and other and _overlap(mine[0], other[0]):
            if mine[0] != other[0]:
                if not _data_only(original, mine[0], other[0]):
                    return None
                mine.pop(0)  # what commands keep for themselves is theirs as it stands
                continue
            mine.pop(0)
        first = other if not mine or (other and other[0][:2] <= mine[0][:2]) else mine
        start, stop, new = first.pop(0)
        result += [*original[at:start], *new]
        at = stop
    return "".join([*result, *original[at:]])


_Change = tuple[int, int, list[str]]


def _parts(text: str) -> list[str]:
    """What is merged as one: a block, a data comment, a line of front matter or human text."""
    document = parse(text)
    parts = re.split(r"(?<=\n)", document.front)
    for segment in document.segments:
        parts += [segment.raw] if isinstance(segment, Block | Data) else re.split(r"(?<=\n)", segment.raw)
    return [part for part in parts if part]


def _changes(old: Sequence[str], new: Sequence[str]) -> list[_Change]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [(i, j, list(new[k:l])) for tag, i, j, k, l in matcher.get_opcodes() if tag != "equal"]


def _overlap(one: _Change, two: _Change) -> bool:
    """Whether both touch the same parts; two that only insert at one place do not, nor do neighbours."""
    return one == two or (one[0] < two[1] and two[0] < one[1])


def _data_only(original: Sequence[str], one: _Change, two: _Change) -> bool:
    touched = original[max(one[0], two[0]) : min(one[1], two[1])]
    return bool(touched) and all(part.startswith("<!-- retrolog:data ") for part in touched)
