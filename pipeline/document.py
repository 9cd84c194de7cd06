"""The drafted document as blocks and human text: read it, write it back byte for byte, renew it without losing a word.

A generated block stands between two comments that no Markdown renderer shows::

    <!-- retrolog:block id=summary sha=1f2e3d4c5b6a -->
    generated text
    <!-- retrolog:end summary -->

`sha` is the digest of the text that was generated; a body with another digest was edited by a human. What stands
outside of blocks is the human's alone. Data that other commands need (the figure's series, the index of what was
generated) travels in comments of its own. The index tells a block that was deleted from one that never was.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from . import safe
from .errors import NotADraft

_BEGIN = re.compile(
    r"<!-- retrolog:block id=([a-z0-9._-]+) sha=([0-9a-f]{12})(?: seen=([0-9a-f]{12}))? -->\s*"
)
_END = re.compile(r"<!-- retrolog:end ([a-z0-9._-]+) -->\s*")
_DATA = re.compile(r"<!-- retrolog:data ([a-z0-9._-]+)\s*")
_DATA_END = re.compile(r"-->\s*")
_KEY = re.compile(r"([A-Za-z_][\w-]*):(?:\s|$)")
_REFERENCE = re.compile(r"\[E(\d+)\]")
_TIME = re.compile(r"^[-*+] ((?:\d{4}-\d\d-\d\d )?\d\d:\d\d(?::\d\d)?) ", re.MULTILINE)
_DRAFTED = ("figure", "index")  # data comments that a draft writes
CONFLICT = "conflict."
EVIDENCE = "evidence."


@dataclass(frozen=True, slots=True)
class Text:
    """What a human wrote between generated blocks, byte for byte."""

    raw: str


@dataclass(frozen=True, slots=True)
class Block:
    """A generated block: `sha` is the digest of what was generated, `seen` of the newer text a human was shown."""

    id: str
    sha: str
    body: str
    seen: str = ""
    tail: str = "\n"  # the one empty line after the end marker, when it is there
    begin: str = ""  # the marker lines as they stood in the file, when they were read from one
    end: str = ""

    @property
    def touched(self) -> bool:
        """True when a human changed the body (line ends and trailing blanks do not count)."""
        return digest(self.body) != self.sha

    @property
    def raw(self) -> str:
        return f"{self.begin or self.marker()}{self.body}{self.end or self.closing()}{self.tail}"

    def marker(self) -> str:
        seen = f" seen={self.seen}" if self.seen else ""
        return f"<!-- retrolog:block id={self.id} sha={self.sha}{seen} -->\n"

    def closing(self) -> str:
        return f"<!-- retrolog:end {self.id} -->\n"


@dataclass(frozen=True, slots=True)
class Data:
    """A value for other commands, as JSON inside a comment."""

    name: str
    raw: str

    @property
    def value(self) -> Any:
        """The value; None when a human's edit has broken it."""
        try:
            return json.loads("".join(self.raw.split("\n", 1)[1:]).rsplit("-->", 1)[0])
        except ValueError:
            return None


Segment = Text | Block | Data


@dataclass(frozen=True, slots=True)
class Document:
    """A document in parts: front matter (with its fences, empty when there is none) and segments in order."""

    front: str
    segments: tuple[Segment, ...]

    def __str__(self) -> str:
        return self.front + "".join(segment.raw for segment in self.segments)

    @property
    def blocks(self) -> dict[str, Block]:
        """Blocks by id; of two with the same id the first counts."""
        found: dict[str, Block] = {}
        for segment in self.segments:
            if isinstance(segment, Block):
                found.setdefault(segment.id, segment)
        return found

    def data(self, name: str) -> Any:
        """The value of a data comment, or None."""
        return next((s.value for s in self.segments if isinstance(s, Data) and s.name == name), None)

    @property
    def metadata(self) -> dict[str, Any]:
        """The front matter's values; empty when there is none or a human's edit has broken it."""
        import yaml

        try:
            value = yaml.safe_load("\n".join(self.front.lstrip("\ufeff").splitlines()[1:-1]))
        except yaml.YAMLError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def is_draft(self) -> bool:
        return (
            bool(self.blocks)
            or isinstance(self.data("index"), dict)
            or any(key == "retrolog" for key, _ in _front_parts(self.front))
        )


def digest(body: str) -> str:
    """The first 12 hex digits of the SHA-256 of a body, deaf to line ends, trailing blanks and outer empty lines."""
    lines = [line.rstrip() for line in body.replace("\r\n", "\n").split("\n")]
    return hashlib.sha256("\n".join(lines).strip("\n").encode("utf-8", "surrogatepass")).hexdigest()[:12]


def block(identifier: str, body: str) -> str:
    """A generated block as it is first written; longer bodies get empty lines around, which some renderers need."""
    body = body.strip("\n")
    padded = f"{body}\n" if "\n" not in body else f"\n{body}\n\n"
    return Block(identifier, digest(body), padded).raw


def data(name: str, value: Any) -> str:
    """A data comment; the same value gives the same text."""
    rows = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return f"<!-- retrolog:data {name}\n{safe.in_comment(rows)}\n-->\n"


def _lines(text: str) -> list[str]:
    """Lines with their line feeds; other characters that Python takes for line ends stay inside."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def parse(text: str) -> Document:
    """A document in parts; `str` of it is the text again, byte for byte. Any text parses: what is no block is human text."""
    lines = _lines(text)
    front_end = _front_end(lines)
    segments: list[Segment] = []
    pending: list[str] = []

    def flush() -> None:
        if pending:
            segments.append(Text("".join(pending)))
            pending.clear()

    index = front_end
    while index < len(lines):
        found = _block_at(lines, index) or _data_at(lines, index)
        if found is None:
            pending.append(lines[index])
            index += 1
            continue
        flush()
        segment, index = found
        segments.append(segment)
    flush()
    return Document("".join(lines[:front_end]), tuple(segments))


def _front_end(lines: list[str]) -> int:
    if not lines or lines[0].lstrip("\ufeff").rstrip() != "---":
        return 0
    for index in range(1, len(lines)):
        if lines[index].rstrip() == "---":
            return index + 1
    return 0


def _block_at(lines: list[str], start: int) -> tuple[Block, int] | None:
    opening = _BEGIN.fullmatch(lines[start])
    if opening is None:
        return None
    for index in range(start + 1, len(lines)):
        closing = _END.fullmatch(lines[index])
        if closing is not None and closing[1] == opening[1]:
            after = index + 1
            tail = lines[after] if after < len(lines) and lines[after] in ("\n", "\r\n") else ""
            body = "".join(lines[start + 1 : index])
            found = Block(
                opening[1], opening[2], body, opening[3] or "", tail, begin=lines[start], end=lines[index]
            )
            return found, after + bool(tail)
        if _BEGIN.fullmatch(lines[index]):
            return None  # the end marker was deleted: what follows is another block
    return None


def _data_at(lines: list[str], start: int) -> tuple[Data, int] | None:
    opening = _DATA.fullmatch(lines[start])
    if opening is None:
        return None
    for index in range(start + 1, len(lines)):
        if _DATA_END.fullmatch(lines[index]):
            return Data(opening[1], "".join(lines[start : index + 1])), index + 1
        if lines[index].startswith("<!--"):
            return None
    return None


def _front_parts(front: str) -> list[tuple[str, str]]:
    """The front matter as (key, raw lines), fences and lines before the first key under the key ''."""
    parts: list[tuple[str, str]] = []
    for index, line in enumerate(_lines(front)):
        key = _KEY.match(line)
        if key and index:
            parts.append((key[1], line))
        elif line.rstrip() == "---" or not parts:
            parts.append(("", line))
        else:
            parts[-1] = (parts[-1][0], parts[-1][1] + line)
    return parts


@dataclass(slots=True)
class _Index:
    """What was generated before: block ids alive and deleted, digests of front matter keys, evidence by number."""

    live: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    front: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document) -> _Index:
        value = document.data("index")
        if not isinstance(value, dict):
            return cls()
        return cls(
            {str(name) for name in value.get("live") or []},
            {str(name) for name in value.get("gone") or []},
            {str(k): str(v) for k, v in dict(value.get("front") or {}).items()},
            {str(k): int(v) for k, v in dict(value.get("evidence") or {}).items()},
        )

    def text(self) -> str:
        value = {
            "live": sorted(self.live),
            "gone": sorted(self.gone),
            "front": self.front,
            "evidence": self.evidence,
        }
        return data("index", value)


def with_index(text: str, evidence: dict[str, int]) -> str:
    """A fresh draft with the index of its blocks at its end; `evidence` gives the number of each quoted line's key."""
    document = parse(text)
    front = {key: digest(raw) for key, raw in _front_parts(document.front) if key}
    return text + _Index(set(document.blocks), set(), front, evidence).text()


def evidence_numbers(text: str) -> dict[str, int]:
    """The numbers a document has given to quoted lines, by their key, so that a newer draft gives the same ones."""
    return _Index.of(parse(text)).evidence


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
    known, fresh = _Index.of(old), _Index.of(new)
    here = old.blocks
    gone = (known.gone | (known.live - set(here))) - set(here)
    segments = _insert_new(_renewed(old, new), new, gone)
    front, front_index = _merged_front(old.front, new.front, known.front)
    merged = Document(front, tuple(segments))
    live = {name for name in merged.blocks if not name.startswith(CONFLICT)}
    index = _Index(live, gone - live, front_index, {**known.evidence, **fresh.evidence})
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
            else:
                result += _one_block(segment, newer)
    return result


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
    """Adds the blocks that the old document never had, each after the block it follows in the new draft."""
    order = list(new.blocks)
    result = list(segments)
    present = {segment.id for segment in result if isinstance(segment, Block)}
    for position, name in enumerate(order):
        if name in present or name in gone:
            continue
        result.insert(_place(result, order, position, new.blocks[name]), new.blocks[name])
        present.add(name)
    return result


def _earlier(segments: list[Segment], at: int, new: Block) -> int:
    """1 when the human text at this place holds entries of the timeline that are all earlier than the new one, else 0."""
    time = _TIME.search(new.body) if new.id.startswith("timeline.") else None
    here = segments[at] if at < len(segments) else None
    if time is None or not isinstance(here, Text) or not here.raw.endswith("\n"):
        return 0
    theirs = [match[1] for match in _TIME.finditer(here.raw)]
    return int(bool(theirs) and max(theirs) <= time[1])


def _place(segments: list[Segment], order: list[str], position: int, new: Block) -> int:
    where = {
        segment.id: i for i, segment in reversed(list(enumerate(segments))) if isinstance(segment, Block)
    }
    for name in reversed(order[:position]):
        if name in where:
            at = where[name] + 1
            # A conflict stays with its block.
            while at < len(segments) and getattr(segments[at], "id", "") == CONFLICT + name:
                at += 1
            return at + _earlier(segments, at, new)
    return min((where[name] for name in order[position + 1 :] if name in where), default=0)


def _merged_front(old: str, new: str, known: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Front matter whose untouched keys are renewed; also the digests of what was generated, for the next time."""
    generated = {key: raw for key, raw in _front_parts(new) if key}
    digests = {**known, **{key: digest(raw) for key, raw in generated.items()}}
    if not old:
        return "", digests
    parts: list[tuple[str, str]] = []
    for key, raw in _front_parts(old):
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
    pieces = [merged.front]
    bare = False  # the last piece is a block without an empty line of its own
    for segment in merged.segments:
        if bare and isinstance(segment, Text) and segment.raw.startswith(("\n", "\r\n")):
            # What stood between was dropped; the human's empty line must not become the block's.
            pieces.append("\n")
        bare = isinstance(segment, Block) and not segment.tail
        if isinstance(segment, Data):
            # What another command keeps for itself, such as what was reviewed, is not the draft's to take away.
            pieces.append(fresh.pop(segment.name, "" if segment.name in _DRAFTED else segment.raw))
        elif isinstance(segment, Text) or segment.raw.endswith("\n"):
            pieces.append(segment.raw)
        else:
            pieces.append(f"{segment.raw}\n")
    at = len(pieces) if pieces[-1].endswith("\n") or not pieces[-1] else len(pieces) - 1
    pieces[at:at] = fresh.values()
    return "".join(pieces)
