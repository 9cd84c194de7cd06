"""Verifies the citations of a document against the logs: by place first, then by digest wherever the line went."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..analysis.evidence import digest as digest_of
from ..drafting.citations import Citation, citations
from ..reading.lookup import Logs

#: Citations are confirmed, moved (found elsewhere), changed (the line is there but says something else) or lost.
STATUSES = ("confirmed", "moved", "changed", "lost")
_ALIKE = 0.6
#: What stands in mended text where bytes were no UTF-8.
_MARK = re.escape("\ufffd".encode())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a citation; `file` and `line` say where it was found, when it was found elsewhere."""

    citation: Citation
    status: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        one = self.citation
        where = f"{one.file}:{one.line}"
        if self.status == "moved":
            return f"E{one.number} {where} moved to {self.file}:{self.line}"
        if self.status == "changed":
            return f"E{one.number} {where} changed: the line there is no longer the one that was quoted"
        if self.status == "lost":
            clone = "; name its clone with --git" if one.file.startswith("git:") else ""
            return (
                f"E{one.number} {where} lost: no line of these logs has its digest{clone}"
                if one.digest
                else (f"E{one.number} {where} lost: the document holds no digest for it")
            )
        return f"E{one.number} {where} confirmed"


def verify(text: str, logs: Logs) -> list[Verdict]:
    """What became of each citation of a document, in their order: confirmed where it was, moved, changed or lost.

    A line is known by the first 16 hex digits of the SHA-256 of its bytes, so it is found again in a rotated,
    packed, renamed or trimmed file. Raises NotADraft.
    """
    cited = citations(text)
    here = set(logs.files())
    verdicts: dict[int, Verdict] = {}
    candidates: dict[int, bytes] = {}
    for file in dict.fromkeys(one.file for one in cited):
        of_file = [(at, one) for at, one in enumerate(cited) if one.file == file and file in here]
        found = logs.lines(file, [(one.line, one.offset, one.size) for _, one in of_file]) if of_file else {}
        for at, one in of_file:
            data = found.get(one.line)
            if data is not None and one.digest and digest_of(data) == one.digest:
                verdicts[at] = Verdict(one, "confirmed", one.file, one.line)
            elif data:
                candidates[at] = data
    missing = {at: one for at, one in enumerate(cited) if at not in verdicts}
    elsewhere = _search([one for one in missing.values() if one.digest], logs)
    for at, one in missing.items():
        places = elsewhere.get((one.digest, one.size), [])
        if places:
            best = max(places, key=lambda place: _nearness(one, *place))
            same = best == (one.file, one.line)
            verdicts[at] = Verdict(one, "confirmed" if same else "moved", *best)
        else:
            verdicts[at] = Verdict(
                one, "changed" if one.digest and _alike(one, candidates.get(at)) else "lost"
            )
    return [verdicts[at] for at in range(len(cited))]


def failed(verdicts: Iterable[Verdict]) -> bool:
    """True when a citation is changed or lost."""
    return any(one.status in ("changed", "lost") for one in verdicts)


def _alike(citation: Citation, data: bytes | None) -> bool:
    """Whether the bytes now at a citation's place are its line with other words in it, and not another line altogether."""
    if not data:
        return False
    now = data[:500].decode("utf-8", "replace").split("\n")[0]
    return difflib.SequenceMatcher(None, citation.text.split(" … ")[0], now, autojunk=False).ratio() >= _ALIKE


def _nearness(citation: Citation, file: str, line: int) -> tuple[bool, float, int]:
    """Of several equal lines the one in the likeliest file, then the nearest one, is the one that was meant."""
    alike = difflib.SequenceMatcher(None, citation.file, file, autojunk=False).ratio()
    return file == citation.file, round(alike, 3), -abs(line - citation.line)


def _search(cited: list[Citation], logs: Logs) -> dict[tuple[str, int], list[tuple[str, int]]]:
    """Where in all files the digests occur. Only stretches of the right number of lines and bytes are digested."""
    wanted: dict[tuple[int, int], set[str]] = {}
    for one in cited:
        wanted.setdefault((one.lines, one.size), set()).add(one.digest)
    found: dict[tuple[str, int], list[tuple[str, int]]] = {}
    if not wanted:
        return found
    longest = max(lines for lines, _ in wanted)
    for file in logs.files():
        carried, first = b"", 1
        for block in logs.blocks(file):
            data = carried + block.data
            start = first if carried else block.line
            for digest, size, line in _matches(data, start, wanted):
                place = (file, line)
                if place not in found.setdefault((digest, size), []):
                    found[(digest, size)].append(place)
            # An event may begin in one block and end in the next.
            carried = _last_lines(data, longest - 1)
            first = start + data.count(b"\n") - carried.count(b"\n")
    return found


def _last_lines(data: bytes, count: int) -> bytes:
    """The last `count` lines of whole lines."""
    at = len(data)
    for _ in range(count):
        at = data.rfind(b"\n", 0, max(0, at - 1)) + 1
        if not at:
            return data
    return data[at:]


def _matches(
    data: bytes, first: int, wanted: dict[tuple[int, int], set[str]]
) -> Iterator[tuple[str, int, int]]:
    """(digest, size, line) of each stretch of lines in `data` that has a wanted length and a wanted digest."""
    import numpy as np

    ends: Any = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts: Any = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    marks: Any = np.array([match.start() for match in re.finditer(_MARK, data)], np.int64)
    for (lines, size), digests in wanted.items():
        if lines > len(ends):
            continue
        lengths = ends[lines - 1 :] - starts[: len(starts) - lines + 1]
        # A carriage return may have come or gone on the way, and each mark for broken bytes is up to two longer than they
        # were; an unknown size (0) fits every line.
        marked = np.searchsorted(marks, ends[lines - 1 :]) - np.searchsorted(marks, starts[: len(starts) - lines + 1])
        near = (lengths >= size - 1) & (lengths <= size + 1 + 2 * marked) if size else lengths > 0
        for at in np.flatnonzero(near):
            found = digest_of(data[int(starts[at]) : int(ends[at + lines - 1])])
            if found in digests:
                yield found, size, first + int(at)
