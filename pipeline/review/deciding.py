"""Which event was the trigger: what a person may choose from, and the document with what was chosen.

The choice stands in the front matter (`drafting.decisions`), so a later draft words it the same way. Parts that nobody has
edited stay the draft's to renew; in an edited part only the line that names the trigger changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import safe, wording
from ..drafting.decisions import BY, CONFIRMED, REJECTED, UNCONFIRMED, UNKNOWN, Decision
from ..drafting.document import ENTRIES, Block, Index, digest, front_parts, parse
from ..drafting.entries import ENTRY, TIME, clock_of, instant, moment
from ..drafting.view import LABELS
from . import front
from .parts import Refused, inserted, joined, newline_of, with_body, with_data
from .sheet import REVIEW, Piece, pieces, uncited

_HEAD = re.compile(
    rf"(?m)^\*\*Candidate (?P<rank>\d+)(?P<verdict>[^*]*)\*\* \((?P<time>{TIME}),[^)]*\): (?P<words>.*?)(?P<cites>(?: \[E\d+\])*)$"
)
_POINT = re.compile(
    rf"(?m)^- \*\*(?:{re.escape(UNCONFIRMED)}|{re.escape(CONFIRMED)}|Trigger):\*\* (?:(?P<time>{TIME}), [^:]*:)?(?P<rest>.*)$"
)
_NOTE = re.compile(r"(?m)^Candidates by weight, .* confirmed.*:$")
_LESSON = re.compile(r"(?m)^- The (?:likely )?trigger lies ")
_CITED = re.compile(r"\[E(\d+)\]")


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate as the document lists it; `cites` are the numbers of its quoted lines."""

    time: str
    words: str
    cites: tuple[int, ...]
    moment: int | None
    rejected: bool = False
    confirmed: bool = False


def decision(text: str, index: int) -> Decision:
    """What the front matter says of an incident's trigger. Raises Refused when there is no such incident."""
    return Decision.of(_incidents(text)[1][_known(text, index)])


def choices(text: str, index: int) -> list[Choice]:
    """The candidates for the trigger of an incident, in the document's order, with what was decided of each."""
    document = parse(text)
    clock, made = clock_of(document.metadata), decision(text, index)
    found = []
    for name, block in document.blocks.items():
        match = _HEAD.search(block.body.replace("\r", "")) if name.startswith(f"candidate.i{index + 1}.") else None
        if match is None:
            continue
        cites = _numbers(match["cites"])
        at = moment(match["time"], clock)
        chosen = made.status == "confirmed" and (
            cites[:1] == made.cites[:1] if made.cites else at is not None and made.time is not None and at // 1_000_000 == made.time // 1_000_000
        )
        found.append(Choice(match["time"], match["words"], cites, at, bool(cites) and cites[0] in made.rejected, chosen))
    return found


def decide(text: str, index: int, made: Decision) -> str:
    """The document with that decision on the trigger of an incident, in its front matter and wherever it is named."""
    before = decision(text, index)
    known = choices(text, index)
    text = _in_front(text, index, made)
    clock = clock_of(parse(text).metadata)
    onset = instant(_incidents(text)[1][index].get("onset"))
    line = _point(made, known, onset if onset is not None else 0, clock)
    confirmed = sum(Decision.of(one).status == "confirmed" for one in _incidents(text)[1])
    note = f"Candidates by weight, {wording.number(confirmed) if confirmed else 'none'} confirmed{f' {BY}' if confirmed else ''}:"
    lesson = "trigger" if made.status == "confirmed" else "likely trigger"
    parts = pieces(parse(text))
    review = dict(parse(text).data(REVIEW) or {})
    recounted = dict(review.get("recounted") or {})
    for at, piece in enumerate(parts):
        block = piece.block
        if block is None:
            parts[at] = _own_entry(piece, made, before)
            continue
        body = block.body
        if block.id == "summary":
            body = _nth(_POINT, body, index, line)
        elif block.id == "root-cause":
            body = _NOTE.sub(lambda _: note, body)
        elif block.id.startswith(f"candidate.i{index + 1}."):
            body = _HEAD.sub(lambda match: _with_verdict(match, made), body)
        elif block.id == "lessons" and len(_incidents(text)[1]) == 1:
            body = _LESSON.sub(f"- The {lesson} lies ", body)
        elif block.id.startswith(ENTRIES):
            body = _entry(block, made, before, known)
        if body == block.body:
            continue
        if recounted.get(block.id) == digest(block.body):
            recounted[block.id] = digest(body)
        parts[at] = with_body(piece, body, sha="" if block.touched else digest(body))
    parts = _with_entry(parts, made, text, clock)
    text = joined(parts)
    return with_data(text, REVIEW, {**review, "recounted": recounted}) if recounted else text


def _known(text: str, index: int) -> int:
    if not 0 <= index < len(_incidents(text)[1]):
        raise Refused("The front matter holds no such incident.")
    return index


def _incidents(text: str) -> tuple[Any, list[dict[str, Any]]]:
    found = parse(text).metadata.get("incidents")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return found, []
    return found, found


def _in_front(text: str, index: int, made: Decision) -> str:
    """The front matter with the decision; where nobody has changed the incidents there, they stay the draft's to renew."""
    document = parse(text)
    index_before = Index.of(document)
    raw = dict(front_parts(document.front)).get("incidents", "")
    drafted = bool(raw) and index_before.front.get("incidents") == digest(raw)
    rows = list(_incidents(text)[1])
    one: dict[str, Any] = {}
    for key, value in rows[index].items():
        if key == "trigger" or not str(key).startswith("trigger_"):
            one[key] = value
        if key == "trigger":
            one[key] = clock_of(document.metadata).iso(made.time) if made.status != "unknown" else None
            one |= made.front()
    if "trigger" not in one:
        one |= {"trigger": clock_of(document.metadata).iso(made.time), **made.front()}
    rows[index] = one
    text = front.with_value(text, "incidents", rows)
    value = parse(text).data("index")
    if drafted and isinstance(value, dict):
        now = dict(front_parts(parse(text).front))["incidents"]
        text = with_data(text, "index", {**value, "front": {**index_before.front, "incidents": digest(now)}})
    return text


def _point(made: Decision, known: Sequence[Choice], onset: int, clock: wording.Clock) -> str:
    """The line of the summary that names the trigger."""
    if made.status == "unknown":
        return f"- **Trigger:** {UNKNOWN}"
    if made.time is None:
        return f"- **Trigger:** {REJECTED}"
    label = CONFIRMED if made.status == "confirmed" else UNCONFIRMED
    words = _words(made, known)
    cited = f" [E{made.cites[0]}]" if made.cites else ""
    return f"- **{label}:** {clock.time(made.time)}, {wording.span(onset, made.time)} the onset: {wording.sentence(words)}{cited}"


def _words(made: Decision, known: Sequence[Choice]) -> str:
    if made.words:
        return safe.prose(wording.brief(made.words))
    same = next((one for one in known if made.cites and one.cites[:1] == made.cites[:1]), None)
    return same.words if same else "an event that the logs do not hold"


def _nth(pattern: re.Pattern[str], body: str, index: int, line: str) -> str:
    """The body with the match of that index replaced; a line that says the same of the same trigger keeps its words."""
    found = list(pattern.finditer(body))
    if index >= len(found):
        return body
    match = found[index]
    ending = "\r" if match.group().endswith("\r") else ""
    old, new = _POINT.match(match.group().rstrip("\r")), _POINT.match(line)
    if old and new and old["time"] and old["time"] == new["time"] and _numbers(old["rest"]) == _numbers(new["rest"]):
        label = line.split(":**", 1)[0]
        line = label + match.group().rstrip("\r")[match.group().index(":**") :]
    return f"{body[: match.start()]}{line}{ending}{body[match.end() :]}"


def _with_verdict(match: re.Match[str], made: Decision) -> str:
    cites = _numbers(match["cites"])
    verdict = ""
    if made.status == "confirmed" and made.cites and cites[:1] == made.cites[:1]:
        verdict = f", confirmed {BY}"
    elif cites and cites[0] in made.rejected:
        verdict = f", rejected {BY}"
    return f"**Candidate {match['rank']}{verdict}**{match.group()[match.start('verdict') - match.start() + len(match['verdict']) + 2 :]}"


def _entry(block: Block, made: Decision, before: Decision, known: Sequence[Choice]) -> str:
    """The entry of a draft with the label that follows from the decision."""
    match = ENTRY.match(block.body.strip("\r\n"))
    if match is None:
        return block.body
    cites, label = _numbers(match["words"]), match["label"] or ""
    kind = block.id.removeprefix(ENTRIES).split(".")[0]
    mine = any(cites and cites[0] in (one.cites[:1] or (0,)) for one in known) or (before.cites and cites[:1] == before.cites[:1])
    if made.status == "confirmed" and made.cites and cites[:1] == made.cites[:1]:
        wanted = "Trigger"
    elif label == "Trigger" or (kind == "trigger" and mine):
        out = made.status != "unconfirmed" or (cites and cites[0] in made.rejected)
        wanted = ("Change" if out else LABELS["trigger"]) if kind == "trigger" else LABELS.get(kind, "")
    else:
        return block.body
    return block.body if wanted == label else _labelled(block.body, wanted)


def _own_entry(piece: Piece, made: Decision, before: Decision) -> Piece:
    """A person's own entry that was the trigger and is it no more, as a change."""
    item = piece.item
    if item is None or not item.own or item.label not in ("Trigger", "Change"):
        return piece
    was = item.cites[:1] == before.cites[:1] if before.cites else uncited(item.words) == safe.prose(before.words)
    now = made.status == "confirmed" and _is(item.cites, uncited(item.words), made)
    if now == (item.label == "Trigger") or not (now or was):
        return piece
    return replace(piece, raw=_labelled(piece.raw, "Trigger" if now else "Change"), item=None)


def _is(cites: tuple[int, ...], words: str, made: Decision) -> bool:
    return cites[:1] == made.cites[:1] if made.cites else bool(made.words) and words == safe.prose(made.words)


def _labelled(body: str, label: str) -> str:
    match = ENTRY.search(body)
    if match is None:
        return body
    start = match.start("label") - 2 if match["label"] else match.start("words")
    return f"{body[:start]}{f'**{label}** ' if label else ''}{body[match.start('words') :]}"


def _with_entry(parts: list[Piece], made: Decision, text: str, clock: wording.Clock) -> list[Piece]:
    """The parts with an entry for a confirmed trigger that the timeline does not have."""
    if made.status != "confirmed" or made.time is None or not made.words:
        return parts
    items = [one.item for one in pieces(parse(joined(parts))) if one.item]
    if any(_is(item.cites, uncited(item.words), made) for item in items):
        return parts
    cited = "".join(f" [E{number}]" for number in made.cites)
    newline = newline_of(text)
    line = f"- {clock.time(made.time)} — **Trigger** {safe.prose(made.words)}{cited}{newline}{newline}"
    return inserted(pieces(parse(joined(parts))), Piece(line), made.time)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(one) for one in _CITED.findall(text)))
