"""Reads a document as the review page shows it: entries, questions, measures, incidents, and the lines they cite.

Nothing here changes a document. `pieces` splits one so that `edits` can take out, replace or insert a part and leave
every other byte as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..drafting.citations import citations
from ..drafting.decisions import Decision
from ..drafting.document import CONFLICT, ENTRIES, TIMELINE, Block, Data, Document, Text, digest, parse
from ..drafting.entries import ENTRY, HEADING, clock_of, items, moment
from ..findings import Evidence
from ..finishing import render
from ..wording import Clock

REVIEW = "review"  # the data comment that holds what was kept
KEYS = ("trigger", "onset", "detected", "resolution", "recovery")

_CITED = re.compile(r"\[E(\d+)\]")
_QUESTION = re.compile(r"\*\*Question \((?P<owner>[^)\n]*)\):\*\*\s*(?P<question>.*)", re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")
OPEN = "owner?"


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the timeline. `ref` names it to `edits`, `mark` is the digest of what stands there."""

    ref: str
    mark: str
    time: str
    label: str
    words: str
    moment: int | None
    cites: tuple[int, ...]
    own: bool = False
    touched: bool = False
    kept: bool = False
    newer: str = ""  # what a later draft says, where a human had changed this entry

    @property
    def done(self) -> bool:
        return self.own or self.touched or self.kept


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt: open while it has no answer."""

    ref: str
    mark: str
    question: str
    answer: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A row of the table of measures: its line in the block, that line's digest, and its cells by their column's name."""

    row: int
    mark: str
    cells: dict[str, str]  # by the name in lower case


@dataclass(frozen=True, slots=True)
class Conflict:
    """A part outside of the timeline that a human had edited, and what a later draft says instead."""

    ref: str
    mark: str
    name: str
    newer: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the document's text; `item` is set where it is an entry of the timeline."""

    raw: str
    block: Block | None = None
    data: str = ""
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document as the page shows it."""

    title: str
    status: str
    clock: Clock
    window: tuple[int | None, int | None]
    incidents: tuple[dict[str, Any], ...]
    items: tuple[Item, ...]
    questions: tuple[Question, ...]
    actions: tuple[Action, ...]
    columns: tuple[str, ...]
    evidence: dict[int, Evidence]
    conflicts: tuple[Conflict, ...] = ()

    @property
    def open(self) -> int:
        """What is left to do: entries not looked at, open triggers and questions, measures without an owner."""
        left = sum(not item.done for item in self.items) + sum(not one.answer for one in self.questions)
        left += sum(Decision.of(one).status == "unconfirmed" for one in self.incidents)
        return left + sum(not action.cells.get("owner") for action in self.actions)


def pieces(document: Document) -> list[Piece]:
    """The document in parts, in order; their `raw` joined is the document's text."""
    clock = clock_of(document.metadata)
    kept = _kept(document)
    inside = False
    seen: dict[str, int] = {}
    taken: set[str] = set()
    blocks = document.blocks
    result = [Piece(document.front)] if document.front else []
    for segment in document.segments:
        if isinstance(segment, Data):
            result.append(Piece(segment.raw, data=segment.name))
        elif isinstance(segment, Block):
            name = segment.id.removeprefix(CONFLICT)
            entry = name.startswith(ENTRIES)
            inside = entry or name == TIMELINE
            item = None
            if entry and name == segment.id and name not in taken:
                taken.add(name)
                item = _from_block(segment, clock, kept, blocks.get(CONFLICT + name))
            result.append(Piece(segment.raw, segment, item=item))
        elif inside:
            inside, parts = _split(segment, clock, seen)
            result += parts
        else:
            result.append(Piece(segment.raw))
    return result


def _kept(document: Document) -> dict[str, str]:
    value = document.data(REVIEW)
    kept = value.get("kept") if isinstance(value, dict) else None
    return {str(k): str(v) for k, v in kept.items()} if isinstance(kept, dict) else {}


def _from_block(block: Block, clock: Clock, kept: dict[str, str], newer: Block | None) -> Item | None:
    found = ENTRY.match(block.body)
    if found is None:
        return None
    mark = digest(block.body)
    return Item(
        ref=f"b:{block.id}", mark=mark, time=found["time"], label=found["label"] or "",
        words=_one_line(found["words"]), moment=moment(found["time"], clock),
        cites=_cites(found["words"]), touched=block.touched, kept=kept.get(block.id) == mark,
        newer=_unquoted(newer.body) if newer else "",
    )  # fmt: skip


def _split(segment: Text, clock: Clock, seen: dict[str, int]) -> tuple[bool, list[Piece]]:
    """Human text inside the timeline as its entries and what is between; also whether the timeline goes on after it."""
    lines = [line for line in re.split(r"(?<=\n)", segment.raw) if line]
    heading = next((at for at, line in enumerate(lines) if HEADING.match(line)), None)
    result: list[Piece] = []
    done = 0
    for start, stop, _ in items(lines):
        if done < start:
            result.append(Piece("".join(lines[done:start])))
        body = "".join(lines[start:stop])
        result.append(Piece(body, item=_from_text(body.rstrip(), clock, seen)))
        done = stop
    if done < len(lines):
        result.append(Piece("".join(lines[done:])))
    return heading is None, result


def _from_text(body: str, clock: Clock, seen: dict[str, int]) -> Item | None:
    found = ENTRY.match(body)
    if found is None:
        return None
    mark = digest(body)
    seen[mark] = seen.get(mark, 0) + 1
    return Item(
        ref=f"o:{mark}:{seen[mark]}", mark=mark, time=found["time"], label=found["label"] or "",
        words=_one_line(found["words"]), moment=moment(found["time"], clock), cites=_cites(found["words"]), own=True,
    )  # fmt: skip


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _cites(words: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(number) for number in _CITED.findall(words)))


def uncited(words: str) -> str:
    """The words of an entry without the evidence numbers at their end."""
    return re.sub(r"(?:\s*\[E\d+\])+\s*$", "", words)


def _unquoted(body: str) -> str:
    """What a conflict block quotes: the newly generated text."""
    lines = [re.sub(r"^>\s?", "", line.rstrip()) for line in body.strip("\r\n").split("\n")]
    return "\n".join(lines[1:]).strip()


def _conflicts(blocks: dict[str, Block]) -> Iterator[Conflict]:
    for block in blocks.values():
        name = block.id.removeprefix(CONFLICT)
        if name != block.id and name in blocks and not name.startswith(ENTRIES):
            title = name.split(".")[0].replace("-", " ").capitalize()
            yield Conflict(f"b:{name}", digest(blocks[name].body), title, _unquoted(block.body))


def question(block: Block) -> Question:
    """The question of a prompt's block, and its answer when it has one."""
    mark, ref = digest(block.body), f"b:{block.id}"
    lines = [line.rstrip() for line in block.body.strip("\r\n").split("\n")]
    quoted = 0
    while quoted < len(lines) and lines[quoted].startswith(">"):
        quoted += 1
    asked = " ".join(re.sub(r"^>\s?", "", line) for line in lines[:quoted]).strip()
    rest = "\n".join(lines[quoted:]).strip("\n")
    found = _QUESTION.match(asked)
    if found is None:
        return Question(ref, mark, asked, rest)
    return Question(
        ref, mark, found["question"].strip(), rest, "" if found["owner"] == OPEN else found["owner"]
    )


def table(body: str) -> tuple[tuple[str, ...], tuple[Action, ...]]:
    """The first table of a block: names of its columns, and its rows; rows without a word are left out."""
    lines = body.split("\n")
    start = next((i for i, line in enumerate(lines) if line.lstrip().startswith("|")), None)
    if start is None:
        return (), ()
    columns = tuple(cells(lines[start]))
    rows = []
    for at in range(start + 2, len(lines)):
        if not lines[at].lstrip().startswith("|"):
            break
        values = [*cells(lines[at]), *([""] * len(columns))]
        if any(values):
            rows.append(
                Action(at, digest(lines[at]), {name.lower(): values[i] for i, name in enumerate(columns)})
            )
    return columns, tuple(rows)


def cells(line: str) -> list[str]:
    r"""The cells of a table row; `\|` is a bar inside a cell (GFM, 4.10)."""
    parts = _CELL.split(line.strip())
    inner = parts[1:-1] if len(parts) > 1 and not parts[-1].strip() else parts[1:]
    return [part.strip() for part in inner]


def evidence(text: str) -> dict[int, Evidence]:
    """The quoted lines of the appendix by their numbers."""
    return {
        one.number: Evidence(one.file, one.line, one.lines, one.offset, one.size, one.digest, one.text)
        for one in (citations(text) if parse(text).is_draft else ())
    }


def sheet(text: str) -> Sheet:
    """The document as the page shows it; parts that a human's edit has broken are left out, never an error."""
    document = parse(text)
    metadata = document.metadata
    clock = clock_of(metadata)
    bounds = metadata.get("window")
    window = (clock.first if isinstance(bounds, dict) and bounds.get("start") else None, clock.last)
    blocks = document.blocks
    actions = blocks.get("actions")
    columns, rows = table(actions.body) if actions else ((), ())
    return Sheet(
        title=str(metadata.get("title") or "Postmortem"),
        status=str(metadata.get("status") or "draft"),
        clock=clock,
        window=window,
        incidents=tuple(render.incidents(metadata)),
        items=tuple(piece.item for piece in pieces(document) if piece.item),
        questions=tuple(question(b) for b in blocks.values() if b.id.startswith("prompt.")),
        actions=rows,
        columns=columns,
        evidence=evidence(text),
        conflicts=tuple(_conflicts(blocks)),
    )
