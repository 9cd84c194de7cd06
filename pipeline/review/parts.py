"""Takes out, replaces and inserts parts of a document, and leaves every other byte of it as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..drafting import document as documents
from ..drafting.document import CONFLICT, ENTRIES, TIMELINE, digest, parse
from ..errors import RetrologError
from .sheet import Piece, pieces

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class Refused(RetrologError):
    """The edit makes no sense for this document; the text says why."""


class Stale(RetrologError):
    """The part was changed or removed in the file meanwhile; `current` is what stands there now, empty when nothing."""

    def __init__(self, current: str = "") -> None:
        self.current = current
        happened = "was changed" if current else "is no longer"
        super().__init__(f"This part {happened} in the file meanwhile; nothing was overwritten.")


def plain(words: str) -> str:
    """A human's words on one line: Markdown stays, control characters and line ends become spaces."""
    return " ".join(CONTROLS.sub(" ", words).split())


def joined(parts: Sequence[Piece]) -> str:
    return "".join(piece.raw for piece in parts)


def newline_of(text: str) -> str:
    return "\r\n" if text.split("\n", 1)[0].endswith("\r") else "\n"


def place_of(parts: Sequence[Piece], ref: str, mark: str) -> int:
    """Where the part named by `ref` stands; raises Stale when it is gone or no longer what the human saw."""
    for at, piece in enumerate(parts):
        if (piece.item and piece.item.ref == ref) or (piece.block and f"b:{piece.block.id}" == ref):
            now = piece.item.mark if piece.item else digest(piece.block.body) if piece.block else ""
            if now != mark:
                raise Stale(piece.block.body.strip() if piece.block else piece.raw.strip())
            return at
    raise Stale()


def without(parts: Sequence[Piece], at: int) -> list[Piece]:
    """The parts without that one and the conflict that belongs to it."""
    block = parts[at].block
    other = f"{CONFLICT}{block.id}" if block else None
    return [
        p
        for i, p in enumerate(parts)
        if i != at and (other is None or p.block is None or p.block.id != other)
    ]


def with_body(piece: Piece, body: str, sha: str = "") -> Piece:
    assert piece.block is not None
    block, begin = piece.block, piece.block.begin
    if sha:
        block = replace(block, sha=sha, seen="")
        begin = block.marker().replace("\n", "\r\n" if begin.endswith("\r\n") else "\n")
    changed = replace(block, body=body, begin=begin)
    return Piece(changed.raw, changed)


def inserted(parts: Sequence[Piece], piece: Piece, at: int) -> list[Piece]:
    """The parts with an entry more, after the last one whose time is not later (and after its conflict)."""
    place = None
    for index, one in enumerate(parts):
        if one.item and one.item.moment is not None and one.item.moment <= at:
            place = index + 1
    if place is None:
        place = next((i for i, one in enumerate(parts) if one.item), None)
    if place is None:
        head = next((i for i, one in enumerate(parts) if one.block and one.block.id == TIMELINE), None)
        if head is None:
            raise Refused("The document has no timeline to put this in.")
        place = head + 1
    while (
        place < len(parts) and (block := parts[place].block) and block.id.startswith(CONFLICT + ENTRIES)
    ):
        place += 1
    return [*parts[:place], *spaced(parts[place - 1].raw if place else "", piece), *parts[place:]]


def spaced(before: str, piece: Piece) -> list[Piece]:
    newline = "\r\n" if piece.raw.endswith("\r\n") else "\n"
    lines = before.replace("\r\n", "\n")
    gap = "" if not lines or lines.endswith("\n\n") else newline if lines.endswith("\n") else newline * 2
    return [Piece(gap), piece] if gap else [piece]


def with_data(text: str, name: str, value: dict[str, Any]) -> str:
    """The document with a data comment set, added before the index when there is none, removed when empty."""
    parts = pieces(parse(text))
    newline = newline_of(text)
    raw = documents.data(name, value).replace("\n", newline) if value else ""
    at = next((i for i, piece in enumerate(parts) if piece.data == name), None)
    if at is not None:
        return joined([*parts[:at], Piece(raw), *parts[at + 1 :]])
    if not raw:
        return text
    place = next((i for i, piece in enumerate(parts) if piece.data == "index"), len(parts))
    gap = "" if place == 0 or parts[place - 1].raw.endswith("\n") else newline
    return joined([*parts[:place], Piece(gap + raw), *parts[place:]])
