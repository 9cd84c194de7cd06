"""Renews a document from a newer draft without losing a word of a human's."""

from __future__ import annotations

import re
from dataclasses import replace

from ..errors import NotADraft
from ..wording import Clock
from .document import (
    BEGIN,
    CONFLICT,
    ENTRIES,
    EVIDENCE,
    TIMELINE,
    Block,
    Data,
    Document,
    Index,
    Segment,
    Text,
    digest,
    front_parts,
    lines_of,
    parse,
)
from .entries import ENTRY, HEADING, clock_of, items, moment

_REFERENCE = re.compile(r"\[E(\d+)\]")
_DRAFTED = ("figure", "index")  # data comments that a draft writes


def merge(old_document: str, new_draft: str) -> str:
    """The old document with its untouched blocks renewed from the new draft; the human's words stay byte for byte.

    Edited blocks are kept; where the newly generated text differs from what they were made from, it is shown after
    them in a block of its own, once. Deleted blocks stay deleted. Merging the same draft again changes nothing.
    Raises NotADraft when the old document was not made by retrolog.
    """
    old = parse(old_document)
    windows = old_document.split("\n", 1)[0].endswith("\r")
    new = parse(new_draft.replace("\n", "\r\n") if windows else new_draft)
    if not old.is_draft:
        raise NotADraft(
            "This file holds no retrolog draft, so it is left as it is; choose another file to write to."
        )
    known, fresh = Index.of(old), Index.of(new)
    here = old.blocks
    gone = (known.gone | (known.live - set(here))) - set(here)
    segments = _insert_new(_renewed(old, new), new, gone)
    front, front_index = _merged_front(old.front, new.front, known.front)
    merged = Document(front, tuple(segments))
    live = {name for name in merged.blocks if not name.startswith(CONFLICT)}
    index = Index(live, gone - live, front_index, {**known.evidence, **fresh.evidence})
    return _finish(merged, new, index.text().replace("\n", "\r\n") if windows else index.text())


def _renewed(old: Document, new: Document) -> list[Segment]:
    """The old segments, each kept, renewed or dropped; conflicts stand after the block they belong to."""
    here, there = old.blocks, new.blocks
    cited = _cited_by_human(old)
    result: list[Segment] = []
    taken: set[str] = set()
    for segment in old.segments:
        if isinstance(segment, Text | Data):
            result.append(segment)
        elif segment.id in taken:
            result.append(Text(segment.raw))  # a copy of a block belongs to whoever copied it
        elif segment.id.startswith(CONFLICT):
            taken.add(segment.id)
            parent = here.get(segment.id.removeprefix(CONFLICT))
            newer = there.get(segment.id.removeprefix(CONFLICT))
            if segment.touched or (parent and newer and parent.touched and parent.seen == newer.sha):
                result.append(segment)
        else:
            taken.add(segment.id)
            newer = there.get(segment.id)
            if newer is None:
                if segment.touched or segment.id in cited:
                    result.append(segment)
            elif segment.touched or not _moved(segment, newer):
                result += _one_block(segment, newer)
    return result


def _moved(old: Block, new: Block) -> bool:
    """Whether an entry has another time than before, as when a clock's offset became known; its place is found anew."""
    before, after = (ENTRY.match(one.body.strip("\r\n")) if one.id.startswith(ENTRIES) else None for one in (old, new))
    return bool(before and after and before["time"] != after["time"])


def _one_block(old: Block, new: Block) -> list[Segment]:
    written = digest(old.body)
    if written == new.sha:
        return (
            [old] if old.sha == new.sha and not old.seen else [replace(old, sha=new.sha, seen="", begin="")]
        )
    if not old.touched:
        return [replace(new, tail=old.tail)]
    if new.sha == old.sha:
        return [replace(old, seen="", begin="")] if old.seen else [old]
    if new.sha == old.seen:
        return [old]
    return [replace(old, seen=new.sha, begin=""), _conflict(new)]


def _conflict(new: Block) -> Block:
    quoted = "\n".join(f"> {line}".rstrip() for line in new.body.strip("\r\n").split("\n"))
    body = (
        "> **Newly generated text for the part above, which was edited.**"
        f" Take over what is right, then delete this quotation.\n>\n{quoted}"
    )
    return Block(CONFLICT + new.id, digest(body), f"\n{body}\n\n")


def _cited_by_human(document: Document) -> set[str]:
    """Ids of the evidence that human words point to, which must outlive the generated sentence it came from."""
    words = [
        segment.raw
        for segment in document.segments
        if isinstance(segment, Text) or (isinstance(segment, Block) and segment.touched)
    ]
    return {f"{EVIDENCE}{number}" for number in _REFERENCE.findall("\n".join(words))}


def _insert_new(segments: list[Segment], new: Document, gone: set[str]) -> list[Segment]:
    """Adds the blocks that the old document never had: entries by their time, others after the block they follow."""
    order = list(new.blocks)
    clock = clock_of(new.metadata)
    result = list(segments)
    present = {segment.id for segment in result if isinstance(segment, Block)}
    for position, name in enumerate(order):
        if name in present or name in gone:
            continue
        block = new.blocks[name]
        at, line = _place_in_time(result, block, set(order[position:]), clock) or (_place(result, order, position), 0)
        if line:
            text = result[at]
            assert isinstance(text, Text)
            lines = lines_of(text.raw)
            result[at : at + 1] = [Text("".join(lines[:line])), block, Text("".join(lines[line:]))]
        else:
            result.insert(at, block)
        present.add(name)
    return result


def _place_in_time(segments: list[Segment], new: Block, later: set[str], clock: Clock) -> tuple[int, int] | None:
    """Where a new entry of the timeline goes: a segment, and the line of it before which it stands.

    That is after the last entry, of whomever, that is not later; before an entry of the same moment only when the draft
    puts that `later`. None for other blocks, and where there is no timeline.
    """
    time = _moment_of(new, clock)
    if time is None:
        return None
    first: tuple[int, int] | None = None
    place: tuple[int, int] | None = None
    inside = False
    for index, here in enumerate(segments):
        if isinstance(here, Block):
            owner = here.id.removeprefix(CONFLICT)
            inside = owner == TIMELINE or owner.startswith(ENTRIES)
            if not inside:
                continue
            if owner != here.id:
                # A conflict stays with its block.
                place = (index + 1, 0) if place == (index, 0) else place
                continue
            theirs = _moment_of(here, clock)
            if theirs is None:
                continue
            first = first or (index, 0)
            if theirs < time or (theirs == time and here.id not in later):
                place = (index + 1, 0)
        elif isinstance(here, Text) and inside:
            lines = lines_of(here.raw)
            if any(BEGIN.fullmatch(line) for line in lines):
                continue  # a copied block stays whole
            for start, stop, said in items(lines):
                theirs = moment(said, clock)
                first = first or (index, start)
                if theirs is not None and theirs <= time:
                    # A last line without its end stays the last one.
                    whole = stop == len(lines)
                    place = (index, start) if not lines[stop - 1].endswith("\n") else (index + 1, 0) if whole else (index, stop)
            inside = not any(HEADING.match(line) for line in lines)
    return place or first


def _moment_of(block: Block, clock: Clock) -> int | None:
    """The time of an entry of the timeline; None for any other block."""
    found = ENTRY.match(block.body.strip("\r\n")) if block.id.startswith(ENTRIES) else None
    return moment(found["time"], clock) if found else None


def _place(segments: list[Segment], order: list[str], position: int) -> int:
    where = {
        segment.id: i for i, segment in reversed(list(enumerate(segments))) if isinstance(segment, Block)
    }
    for name in reversed(order[:position]):
        if name in where:
            at = where[name] + 1
            # A conflict stays with its block.
            while at < len(segments) and getattr(segments[at], "id", "") == CONFLICT + name:
                at += 1
            return at
    return min((where[name] for name in order[position + 1 :] if name in where), default=0)


def _merged_front(old: str, new: str, known: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Front matter whose untouched keys are renewed; also the digests of what was generated, for the next time."""
    generated = {key: raw for key, raw in front_parts(new) if key}
    digests = {**known, **{key: digest(raw) for key, raw in generated.items()}}
    if not old:
        return "", digests
    parts: list[tuple[str, str]] = []
    for key, raw in front_parts(old):
        untouched = bool(key) and known.get(key) == digest(raw)
        if not untouched:
            parts.append((key, raw))
        elif key in generated:
            parts.append((key, raw if digest(raw) == digest(generated[key]) else generated[key]))
    keys = [key for key, _ in parts]
    for position, key in enumerate(generated):
        if key in keys or key in known:
            continue
        before = [k for k in list(generated)[:position] if k in keys]
        at = keys.index(before[-1]) + 1 if before else 1
        parts.insert(at, (key, generated[key]))
        keys.insert(at, key)
    return "".join(raw for _, raw in parts), digests


def _finish(merged: Document, new: Document, index: str) -> str:
    """Data comments renewed at the place where they stood; those that are missing go before any unfinished last line."""
    fresh = {s.name: s.raw for s in new.segments if isinstance(s, Data)}
    fresh["index"] = index
    renewed = set(fresh)
    pieces = [merged.front]
    bare = False  # the last piece is a block without an empty line of its own
    for segment in merged.segments:
        if bare and isinstance(segment, Text) and segment.raw.startswith(("\n", "\r\n")):
            # What stood between was dropped; the human's empty line must not become the block's.
            pieces.append("\n")
        bare = isinstance(segment, Block) and not segment.tail
        if isinstance(segment, Data):
            # What another command keeps for itself, such as what was reviewed, is not the draft's to take away; nor is a
            # copy, which may stand between a human's lines that would mean something else without it.
            gone = segment.name in _DRAFTED and segment.name not in renewed
            pieces.append(fresh.pop(segment.name, "" if gone else segment.raw))
        elif isinstance(segment, Text) or segment.raw.endswith("\n"):
            pieces.append(segment.raw)
        else:
            pieces.append(f"{segment.raw}\n")
    at = len(pieces) if pieces[-1].endswith("\n") or not pieces[-1] else len(pieces) - 1
    pieces[at:at] = fresh.values()
    return "".join(pieces)
