"""What a human can do to a draft: each function takes the document's text and gives back the changed text.

An edit touches the part it is about and no other byte. `mark` is the digest of the part as the human saw it: where the
file says something else by now, `Stale` is raised, with what it says, and nothing changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import safe
from ..drafting import document as documents
from ..drafting.document import CONFLICT, EVIDENCE, digest, parse
from ..drafting.entries import clock_of, instant, moment
from ..findings import Evidence
from ..wording import sentence
from . import front
from .parts import (
    CONTROLS,
    Refused,
    Stale,
    inserted,
    joined,
    newline_of,
    place_of,
    plain,
    spaced,
    with_body,
    with_data,
    without,
)
from .sheet import (
    KEYS,
    OPEN,
    REVIEW,
    Item,
    Piece,
    cells,
    pieces,
    question,
    sheet,
    table,
    uncited,
)

if TYPE_CHECKING:
    from .logs import Row

__all__ = [
    "Refused", "Stale", "add", "add_action", "answer", "change", "drop", "drop_action", "join", "keep", "promote",
    "quoted", "recounted", "said_by", "set_action", "set_incident", "set_status", "spoken", "take_newer",
]  # fmt: skip

STATUSES = ("draft", "final")
LONGEST = 200  # characters of a promoted line's words
_CITED = re.compile(r"\[E(\d+)\]")
# Parts of a draft that say when an outage was, what it cost and what it came from.
_FOLLOWS = ("title", "summary", "impact.", "detection.", "candidate.", "resolution.", "lessons", "prompt.")


def spoken(row: Row) -> str:
    """The words of a promoted line: who says it, and what, so that none of it is taken for Markdown."""
    return safe.prose(said_by(row))


def said_by(row: Row) -> str:
    """The same as plain text, for where it is made inert later."""
    who = row.service or row.source
    said = row.message if row.status is None else f"{row.message} was answered {row.status}"
    return sentence(f"{who}: {said}"[:LONGEST])


def keep(text: str, ref: str, mark: str, on: bool = True) -> str:
    """The entry marked as looked at and right (or not any more); a later draft that changes it takes the mark away."""
    parts = pieces(parse(text))
    item = _item(parts, ref, mark)
    if item.own:
        raise Refused("An entry of your own is kept as it is.")
    value = _review(text)
    kept = dict(value.get("kept") or {})
    name = ref.removeprefix("b:")
    if on:
        kept[name] = item.mark
    else:
        kept.pop(name, None)
    return _with_review(text, {**value, "kept": kept})


def drop(text: str, ref: str, mark: str) -> str:
    """The document without that entry or question; a later draft does not bring it back."""
    parts = pieces(parse(text))
    at = place_of(parts, ref, mark)
    return joined(without(parts, at))


def change(text: str, ref: str, mark: str, *, time: str, label: str, words: str) -> str:
    """The entry with another time, label or words; with another time it moves to its place."""
    parts = pieces(parse(text))
    at = place_of(parts, ref, mark)
    item = parts[at].item
    if item is None:
        raise Refused("Only entries of the timeline can be changed like this.")
    line = _line(time, label, words)
    if line == _line(item.time, item.label, item.words):
        return text
    piece = _rewritten(parts[at], line, text)
    if plain(time) == item.time:
        return joined([*parts[:at], piece, *parts[at + 1 :]])
    rest = without(parts, at)
    return joined(inserted(rest, piece, _moment(text, time)))


def join(text: str, ref: str, mark: str, into: str, into_mark: str) -> str:
    """Two entries as one: the words and evidence of `ref` follow those of `into`, which keeps its time and label."""
    parts = pieces(parse(text))
    at, target = place_of(parts, ref, mark), place_of(parts, into, into_mark)
    one, two = parts[target].item, parts[at].item
    if one is None or two is None or at == target:
        raise Refused("An entry can be merged with another entry of the timeline.")
    cited = dict.fromkeys([*one.cites, *two.cites])
    words = [uncited(item.words) for item in (one, two)]
    if words[0] and words[0][-1] not in ".!?…)":
        words[0] += "."
    if words[1] and words[1] in words[0]:
        words.pop()
    line = _line(one.time, one.label, " ".join([*words, *(f"[E{number}]" for number in cited)]))
    parts[target] = _rewritten(parts[target], line, text)
    return joined(without(parts, at))


def add(text: str, *, time: str, label: str, words: str) -> str:
    """The document with an entry of the human's own, placed by its time after those of the same moment."""
    line = _line(time, label, words)
    newline = newline_of(text)
    return joined(inserted(pieces(parse(text)), Piece(f"{line}{newline}{newline}"), _moment(text, time)))


def promote(text: str, *, time: str, label: str, words: str, evidence: Evidence) -> str:
    """The document with an entry that cites a log line, quoted in the appendix like those of the draft.

    A line that is quoted already keeps its number. `evidence.text` is what the document may show (masked).
    """
    number, text = quoted(text, evidence)
    return add(text, time=time, label=label, words=f"{uncited(plain(words))} [E{number}]")


def answer(text: str, ref: str, mark: str, *, answer: str, owner: str = "") -> str:
    """The question with its answer (Markdown, paragraphs stay), or with the one who is to answer it.

    An answered question stands as a quotation above its answer; without an answer it is open again.
    """
    parts = pieces(parse(text))
    at = place_of(parts, ref, mark)
    block = parts[at].block
    if block is None or not block.id.startswith("prompt."):
        raise Refused("Only a question can be answered.")
    asked, newline = question(block).question, newline_of(text)
    said = [CONTROLS.sub(" ", line).rstrip() for line in answer.replace("\r\n", "\n").split("\n")]
    body = "\n".join(said).strip()
    if not body:
        who = re.sub(r"[()*]", "", plain(owner)) or OPEN
        written = f"> **Question ({who}):** {asked}{newline}"
    else:
        inert = body.replace("<!--", "&lt;!--").replace("\n", newline)
        written = f"{newline}> {asked}{newline}{newline}{inert}{newline}{newline}"
    return joined([*parts[:at], with_body(parts[at], written), *parts[at + 1 :]])


def set_action(text: str, row: int, mark: str, values: Mapping[str, str]) -> str:
    """The table of measures with some cells of a row changed; `values` by the column's name in lower case."""

    def rewrite(lines: list[str], columns: Sequence[str]) -> None:
        at = _row_of(lines, row, mark)
        old = [*cells(lines[at]), *([""] * len(columns))][: len(columns)]
        lines[at] = _row([values.get(name.lower(), old[i]) for i, name in enumerate(columns)], columns, old)

    return _actions(text, rewrite)


def add_action(text: str, values: Mapping[str, str]) -> str:
    """The table of measures with one more row at its end."""

    def rewrite(lines: list[str], columns: Sequence[str]) -> None:
        start = next(i for i, line in enumerate(lines) if line.lstrip().startswith("|"))
        last = (
            next((i for i in range(start, len(lines)) if not lines[i].lstrip().startswith("|")), len(lines))
            - 1
        )
        line = _row([values.get(name.lower(), "") for name in columns], columns, [])
        if last > start + 1 and not any(cells(lines[last])):
            lines[last] = line  # the empty row that a draft without measures invites with
        else:
            lines.insert(last + 1, line)

    return _actions(text, rewrite)


def drop_action(text: str, row: int, mark: str) -> str:
    """The table of measures without that row."""
    return _actions(text, lambda lines, _: lines.pop(_row_of(lines, row, mark)))


def set_incident(text: str, index: int, values: Mapping[str, int | None]) -> str:
    """The front matter with other moments (microseconds) of an incident: onset, recovery, trigger, detected, resolution."""
    document = parse(text)
    clock = clock_of(document.metadata)
    found = document.metadata.get("incidents")
    if not isinstance(found, list) or not 0 <= index < len(found) or not isinstance(found[index], dict):
        raise Refused("The front matter holds no such incident.")
    changed = {key: clock.iso(value) for key, value in values.items() if key in KEYS}
    merged = {**found[index], **changed}
    onset, recovery = (instant(merged.get(key)) for key in ("onset", "recovery"))
    if onset is None:
        raise Refused("An outage needs an onset.")
    if recovery is not None and recovery < onset:
        raise Refused("The recovery would be before the onset.")
    return front.with_value(text, "incidents", [*found[:index], merged, *found[index + 1 :]])


def recounted(text: str, fresh: str) -> str:
    """The document with the parts that follow from an incident's moments as the draft `fresh` words them.

    A part that a human has worded stays. The others keep the digest of what was drafted first, so that a later draft
    takes them for the human's, who chose the moments.
    """
    drafted = parse(fresh)
    value = _review(text)
    before = dict(value.get("recounted") or {})
    done = dict(before)
    parts = pieces(parse(text))
    newline = newline_of(text)
    new = {name: block.body for name, block in drafted.blocks.items() if name.startswith(_FOLLOWS)}
    for at, piece in enumerate(parts):
        block = piece.block
        if (
            block is None
            or block.id not in new
            or (block.touched and before.get(block.id) != digest(block.body))
        ):
            continue
        body = new[block.id].replace("\r\n", "\n").replace("\n", newline)
        if digest(body) != digest(block.body):
            parts[at] = with_body(piece, body)
        done[block.id] = digest(body)
        if digest(body) == block.sha:
            del done[block.id]  # as drafted, so a later draft may renew it
    text = _with_review(joined(parts), {**value, "recounted": done})
    quotations = sheet(fresh).evidence
    for number in sorted(
        {int(n) for name in done for n in _CITED.findall(new.get(name, ""))} - set(sheet(text).evidence)
    ):
        if number in quotations:
            _, text = quoted(text, quotations[number])
    for key in ("title", "incidents"):
        if key in drafted.metadata and parse(text).metadata.get(key) != drafted.metadata[key]:
            text = front.with_value(text, key, drafted.metadata[key])
    return text


def take_newer(text: str, ref: str, mark: str, take: bool = True) -> str:
    """A conflict settled: the newly generated text in place of the edited one, or the edited one and no more."""
    parts = pieces(parse(text))
    at = place_of(parts, ref, mark)
    name = ref.removeprefix("b:")
    other = next((i for i, p in enumerate(parts) if p.block and p.block.id == CONFLICT + name), None)
    block = parts[at].block
    if other is None or block is None:
        raise Refused("There is no other version of this part.")
    if take:
        newer = parts[other].block
        assert newer is not None
        lines = [re.sub(r"^>\s?", "", line.rstrip("\r\n")) for line in newer.body.strip("\r\n").split("\n")]
        body = newline_of(text).join(lines[2:]) + newline_of(text)
        parts[at] = with_body(parts[at], body, sha=digest(body))
    return joined([*parts[:other], *parts[other + 1 :]])


def set_status(text: str, status: str) -> str:
    """The document as a draft or as final."""
    if status not in STATUSES:
        raise Refused(f"A document is one of: {', '.join(STATUSES)}.")
    return front.with_value(text, "status", status)


def _item(parts: Sequence[Piece], ref: str, mark: str) -> Item:
    item = parts[place_of(parts, ref, mark)].item
    if item is None:
        raise Refused("Only entries of the timeline can be kept.")
    return item


def _line(time: str, label: str, words: str) -> str:
    said, name = plain(words), re.sub(r"[*\[\]]", "", plain(label))[:40].strip()
    if not said:
        raise Refused("An entry needs words.")
    bold = f"**{name}** " if name else ""
    return f"- {plain(time)} — {bold}{said}".replace("<!--", "&lt;!--")


def _moment(text: str, time: str) -> int:
    clock = clock_of(parse(text).metadata)
    at = moment(plain(time), clock)
    if at is None:
        raise Refused(
            f"{plain(time)[:40] or 'An empty time'} is no time; write it as 10:43:05, or 2026-11-23 10:43:05."
        )
    return at


def _rewritten(piece: Piece, line: str, text: str) -> Piece:
    newline = newline_of(text)
    if piece.block is not None:
        return with_body(piece, f"{line}{newline}")
    tail = re.search(r"(?:[ \t]*\r?\n)*\Z", piece.raw)
    return replace(piece, raw=f"{line}{tail.group() if tail else newline}", item=None)


def quoted(text: str, evidence: Evidence) -> tuple[int, str]:
    """The number of a quoted line in the document, which gets the quotation when it lacks it."""
    document = parse(text)
    value = document.data("index")
    index: dict[str, Any] = dict(value) if isinstance(value, dict) else {}
    numbers = dict(index.get("evidence") or {})
    key = evidence.key
    known = sheet(text).evidence
    number = numbers.get(key)
    if number is None:
        number = max([*(int(v) for v in numbers.values()), *known], default=0) + 1
    if number in known:
        return number, text
    newline = newline_of(text)
    block = documents.block(f"{EVIDENCE}{number}", quotation(number, evidence)).replace("\n", newline)
    parts = pieces(document)
    last = max(
        (i for i, p in enumerate(parts) if p.block and p.block.id.startswith(EVIDENCE[:-1])), default=None
    )
    if last is None:
        last = max((i for i, p in enumerate(parts) if not p.data), default=-1)
    parts = [*parts[: last + 1], *spaced(parts[last].raw, Piece(block + newline)), *parts[last + 1 :]]
    text = joined(parts)
    return number, with_data(text, "index", {**index, "evidence": {**numbers, key: number}})


def quotation(number: int, evidence: Evidence) -> str:
    """A quoted line as the appendix shows it."""
    parts = [f"- **E{number}** · {safe.code(f'{evidence.file}:{evidence.line}')}"]
    if evidence.lines > 1:
        parts[0] += f", {evidence.lines:,} lines"
    if evidence.size:
        parts.append(f"bytes {evidence.offset}–{evidence.offset + evidence.size}")
    if evidence.digest:
        parts.append(safe.code(f"sha256:{evidence.digest}"))
    return f"{' · '.join(parts)}\n\n{safe.fenced(evidence.text)}"


def _actions(text: str, rewrite: Callable[[list[str], Sequence[str]], object]) -> str:
    parts = pieces(parse(text))
    at = next((i for i, p in enumerate(parts) if p.block and p.block.id == "actions"), None)
    block = None if at is None else parts[at].block
    columns, _ = table(block.body) if block else ((), ())
    if at is None or block is None or not columns:
        raise Refused("The table of measures is no longer there; undo, or write it again in an editor.")
    lines = [line.rstrip("\r") for line in block.body.split("\n")]
    rewrite(lines, columns)
    body = "\n".join(lines).replace("\n", newline_of(text))
    return joined([*parts[:at], with_body(parts[at], body), *parts[at + 1 :]])


def _row_of(lines: Sequence[str], row: int, mark: str) -> int:
    """Where a row of the table stands now: in its line, or wherever rows above were added or taken away."""
    same = [i for i, line in enumerate(lines) if line.lstrip().startswith("|") and digest(line) == mark]
    if not same:
        raise Stale(lines[row].strip() if 0 <= row < len(lines) else "")
    return min(same, key=lambda i: abs(i - row))


def _row(values: Sequence[str], columns: Sequence[str], old: Sequence[str]) -> str:
    """A table row; cells that are as before are left as they are, bars in new ones are escaped."""
    written = []
    for i, _ in enumerate(columns):
        value = values[i]
        if i < len(old) and value == old[i]:
            written.append(value)
        else:
            written.append(re.sub(r"(?<!\\)\|", r"\\|", plain(value)).replace("<!--", "&lt;!--").rstrip("\\"))
    return f"| {' | '.join(written)} |"


def _review(text: str) -> dict[str, Any]:
    value = parse(text).data(REVIEW)
    return value if isinstance(value, dict) else {}


def _with_review(text: str, value: dict[str, Any]) -> str:
    return with_data(text, REVIEW, {key: part for key, part in value.items() if part})
