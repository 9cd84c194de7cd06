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
from dataclasses import dataclass, field
from typing import Any

from .. import safe
from ..errors import NotADraft

BEGIN = re.compile(
    r"<!-- retrolog:block id=([a-z0-9._-]+) sha=([0-9a-f]{12})(?: seen=([0-9a-f]{12}))? -->\s*"
)
_END = re.compile(r"<!-- retrolog:end ([a-z0-9._-]+) -->\s*")
_DATA = re.compile(r"<!-- retrolog:data ([a-z0-9._-]+)\s*")
_DATA_END = re.compile(r"-->\s*")
_KEY = re.compile(r"([A-Za-z_][\w-]*):(?:\s|$)")
CONFLICT = "conflict."
EVIDENCE = "evidence."
TIMELINE = "timeline"
ENTRIES = "timeline."


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
            or any(key == "retrolog" for key, _ in front_parts(self.front))
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


def lines_of(text: str) -> list[str]:
    """Lines with their line feeds; other characters that Python takes for line ends stay inside."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def draft_of(text: str, command: str = "render") -> Document:
    """A draft in parts; raises NotADraft, which names the command that wanted one, for any other text."""
    document = parse(text)
    if not document.is_draft:
        raise NotADraft(f"This file holds no retrolog draft; {command} takes what `retrolog draft -o FILE` wrote.")
    return document


def parse(text: str) -> Document:
    """A document in parts; `str` of it is the text again, byte for byte. Any text parses: what is no block is human text."""
    lines = lines_of(text)
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
    opening = BEGIN.fullmatch(lines[start])
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
        if BEGIN.fullmatch(lines[index]):
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


def front_parts(front: str) -> list[tuple[str, str]]:
    """The front matter as (key, raw lines), fences and lines before the first key under the key ''."""
    parts: list[tuple[str, str]] = []
    for index, line in enumerate(lines_of(front)):
        key = _KEY.match(line)
        if key and index:
            parts.append((key[1], line))
        elif line.rstrip() == "---" or not parts:
            parts.append(("", line))
        else:
            parts[-1] = (parts[-1][0], parts[-1][1] + line)
    return parts


@dataclass(slots=True)
class Index:
    """What was generated before: block ids alive and deleted, digests of front matter keys, evidence by number."""

    live: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    front: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document) -> Index:
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
    front = {key: digest(raw) for key, raw in front_parts(document.front) if key}
    return text + Index(set(document.blocks), set(), front, evidence).text()


def evidence_numbers(text: str) -> dict[str, int]:
    """The numbers a document has given to quoted lines, by their key, so that a newer draft gives the same ones."""
    return Index.of(parse(text)).evidence
