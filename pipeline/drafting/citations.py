"""Reads the citations of a document back: which lines it quotes, from where, with which digests."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .document import draft_of

_HEAD = re.compile(r"- \*\*E(\d+)\*\* · (`+)(?P<where>.*?)\2(?:, (?P<lines>[\d,]+) lines)?(?P<rest>.*)")
_BYTES = re.compile(r"bytes (\d+)–(\d+)")
_DIGEST = re.compile(r"sha256:([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Citation:
    """A quoted line of the appendix: its number, where it was, its digest, its (masked) text."""

    number: int
    file: str
    line: int
    lines: int
    offset: int
    size: int
    digest: str
    text: str


def citations(text: str) -> list[Citation]:
    """All quoted lines of a document's appendix, those of human hand too. Raises NotADraft for a text that is no draft."""
    draft_of(text, "verify")
    rows = text.replace("\r\n", "\n").split("\n")
    return [found for at, row in enumerate(rows) if (found := _citation(row, rows[at + 1 : at + 40]))]


def _citation(row: str, after: list[str]) -> Citation | None:
    head = _HEAD.fullmatch(row.rstrip())
    if head is None:
        return None
    file, _, line = head["where"].strip().rpartition(":")
    if not file or not line.isdigit():
        return None
    place, digest = _BYTES.search(head["rest"]), _DIGEST.search(head["rest"])
    start, end = (int(place[1]), int(place[2])) if place else (0, 0)
    return Citation(
        int(head[1]),
        file,
        int(line),
        int((head["lines"] or "1").replace(",", "")),
        start,
        max(0, end - start),
        digest[1] if digest else "",
        _quotation(after),
    )


def _quotation(after: list[str]) -> str:
    """The text in the fenced block that follows a citation's head."""
    fence, kept = "", list[str]()
    for row in after:
        stripped = row.strip()
        if not fence:
            if stripped.startswith("```"):
                fence = stripped[: len(stripped) - len(stripped.lstrip("`"))]
            elif stripped:
                break
        elif stripped == fence:
            break
        else:
            kept.append(row.removeprefix("  "))
    return "\n".join(kept)
