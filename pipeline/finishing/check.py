"""Checks a document before it is shared: what is still open, what lost its evidence, what blames, what is too long."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from ..drafting.document import Block, Data, Document, draft_of
from ..drafting.entries import ENTRY
from ..drafting.mask import Masker

BODY_WORDS = 600
ENTRY_SENTENCES = 2
#: What each rule is about; findings of severity "error" keep a document from being finished.
RULES = {
    "open-prompt": "a question that nobody has answered yet",
    "unconfirmed-trigger": "a trigger that nobody has confirmed; also one that nobody knows is an answer (trigger_status: unknown)",
    "conflict": "newly generated text beside an edited part, not yet taken over or deleted",
    "missing-owner": "a measure without an owner",
    "missing-ticket": "a measure without a ticket",
    "long-entry": f"an entry of the timeline with more than {ENTRY_SENTENCES} sentences",
    "long-body": f"a body of more than {BODY_WORDS} words (tables, open questions and appendices apart)",
    "no-evidence": "a statement of the timeline without evidence",
    "lost-evidence": "a reference to a line that the appendix does not hold, or holds without a digest",
    "person": "a person's name or address; say what the system did, or name the role",
    "blame": "a phrase that judges people instead of describing what happened",
    "partial": "the word outage, although only part of the service was degraded",
}
_WARNINGS = {"long-entry", "long-body", "no-evidence", "person", "blame", "partial", "missing-ticket"}

_REFERENCE = re.compile(r"\[E(\d+)\]")
_EVIDENCE = re.compile(r"- \*\*E(\d+)\*\* · ")
_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_BOLD = re.compile(r"\*\*[^*]*\*\*")
_NAME = re.compile(r"[^\W\d_][\w.-]*\w")
_WORD = re.compile(r"[^\W_][\w'’.,:/%-]*")
_SENTENCE_END = re.compile(r"[.!?…](?=\s+[^\W\d_a-zß-ÿ]|\s*$)")
_OPEN_CELL = re.compile(r"(?i)\s*(?:\?|–|—|-|tbd|todo|n/?a|owner\??|ticket\??|none|\.\.\.|…)?\s*")
_BLAME = re.compile(
    r"(?i)\b(?:human|operator|user|pilot|engineer|developer)(?:'s)? (?:error|mistake|fault)\b|\bto blame\b|\bblam(?:e|ed|ing)\b|"
    r"\bcareless(?:ly|ness)?\b|\bnegligen(?:t|ce|tly)\b|\bincompeten(?:t|ce)\b|\bsloppy\b|\bstupid(?:ly)?\b|\blazy\b|\breckless(?:ly)?\b|"
    r"\bculprit\b|\bguilty\b|\bcarelessness\b|\bshould(?: not|n't)? have (?:known|noticed|checked|tested|seen|realised|realized|caught|done|been)\b|"
    r"\bforgot to\b|\bneglected to\b|\bfailed to (?:notice|check|test|follow|realise|realize|escalate|communicate)\b|"
    r"\b(?:his|her|their|whose|\w+'s) fault\b|\bmistake (?:by|of)\b|\bwho (?:caused|broke|did) (?:it|this|that)\b|"
    r"\b(?:obviously|of course|any competent|common sense)\b"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: the rule's name (`RULES`), the document's line (from 1), a sentence, "error" or "warning"."""

    rule: str
    line: int
    text: str
    severity: str


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    section: str
    appendix: bool
    code: bool
    conflict: bool
    drafted: bool = False  # no human has changed it


def check(text: str) -> list[Finding]:
    """Everything to look at in a document, in the order of its lines. Raises NotADraft for a text that is no draft."""
    document = draft_of(text, "check")
    lines = list(_lines(document))
    found = [
        *_triggers(document),
        *_questions(lines),
        *_measures(lines),
        *_entries(lines),
        *_length(lines),
        *_references(lines),
        *_people(document, lines),
        *_partial(document, lines),
    ]
    return sorted(set(found), key=lambda one: (one.line, one.rule, one.text))


def failed(findings: Iterable[Finding]) -> bool:
    """True when a finding of severity error is among them: the document is not finished."""
    return any(one.severity == "error" for one in findings)


def _finding(rule: str, line: int, text: str) -> Finding:
    return Finding(rule, line, text, "warning" if rule in _WARNINGS else "error")


def _lines(document: Document) -> Iterator[_Line]:
    """The human-readable lines with what surrounds them: section, appendix or not, inside of a code block or not."""
    number = document.front.count("\n")
    section, appendix, fence = "", False, ""
    for segment in document.segments:
        if isinstance(segment, Data):
            number += segment.raw.count("\n")
            continue
        conflict = isinstance(segment, Block) and segment.id.startswith("conflict.")
        drafted = isinstance(segment, Block) and not segment.touched
        if isinstance(segment, Block):
            number += 1
            body = segment.body
        else:
            body = segment.raw
        for raw in body.split("\n")[: body.count("\n") or None]:
            number += 1
            line = raw.rstrip("\r")
            marks = re.match(r"\s*(`{3,}|~{3,})", line)
            if marks and (not fence or line.strip().startswith(fence)):
                fence = "" if fence else marks[1]
                yield _Line(number, line, section, appendix, True, conflict, drafted)
                continue
            if not fence and re.match(r"#{1,6} ", line):
                section = line.lstrip("# ").strip()
                appendix = section.casefold().startswith("appendix")
            yield _Line(number, line, section, appendix, bool(fence), conflict, drafted)
        if isinstance(segment, Block):
            number += 1 + segment.tail.count("\n")


def _prose(line: _Line) -> str:
    """The line's words without code spans, which quote logs."""
    return "" if line.code else _SPAN.sub(" ", line.text)


def _questions(lines: list[_Line]) -> Iterator[Finding]:
    for line in lines:
        if line.code or line.conflict:
            if line.conflict and "**Newly generated text" in line.text:
                yield _finding(
                    "conflict",
                    line.number,
                    "newly generated text stands beside an edited part; take it over or delete it",
                )
        elif re.match(r"\s*>\s*\*\*Question\b", line.text):
            question = line.text.split("**", 2)[-1].strip()
            yield _finding("open-prompt", line.number, f"still open: {question[:160]}")


def _triggers(document: Document) -> Iterator[Finding]:
    """Incidents whose trigger no person has confirmed or said to be unknown, at their line of the front matter."""
    rows = document.metadata.get("incidents")
    found = [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
    front = document.front.split("\n")
    at = next((number for number, line in enumerate(front, 1) if line.startswith("incidents:")), 1)
    for index, one in enumerate(found):
        if one.get("trigger_status") in ("confirmed", "unknown"):
            continue
        which = f" of incident {index + 1}" if len(found) > 1 else ""
        text = "is still unconfirmed" if one.get("trigger") else "is not named yet, nor said to be unknown"
        yield _finding("unconfirmed-trigger", at, f"the trigger{which} {text}")


def _cells(text: str) -> list[str]:
    hidden = text.replace("\\|", "\0")
    return [cell.replace("\0", "\\|").strip() for cell in hidden.strip().strip("|").split("|")]


def _measures(lines: list[_Line]) -> Iterator[Finding]:
    """Rows of the table of measures (a header with Action and Owner) that name no owner or no ticket."""
    columns: dict[str, int] = {}
    for line in lines:
        if line.code or line.conflict or not line.text.lstrip().startswith("|"):
            columns = {}
            continue
        cells = _cells(line.text)
        if not columns:
            names = [cell.casefold() for cell in cells]
            columns = {name: at for at, name in enumerate(names)} if {"action", "owner"} <= set(names) else {}
            continue
        if all(re.fullmatch(r":?-+:?", cell) for cell in cells) or not cells[columns["action"]]:
            continue
        action = cells[columns["action"]][:80]
        for name in ("owner", "ticket"):
            at = columns.get(name)
            if at is not None and (at >= len(cells) or _OPEN_CELL.fullmatch(cells[at])):
                yield _finding(f"missing-{name}", line.number, f"no {name}: {action}")


def _entries(lines: list[_Line]) -> Iterator[Finding]:
    for line in lines:
        if line.code or line.appendix or line.conflict or not ENTRY.fullmatch(line.text.rstrip()):
            continue
        words = _BOLD.sub("", _SPAN.sub("code", _REFERENCE.sub("", line.text)))
        sentences = len(_SENTENCE_END.findall(re.sub(r"\([^)]*\)", "", words)))
        if sentences > ENTRY_SENTENCES:
            yield _finding("long-entry", line.number, f"{sentences} sentences; one or two are read")
        if not _REFERENCE.search(line.text):
            yield _finding("no-evidence", line.number, "no line of a log stands behind this entry")


def _length(lines: list[_Line]) -> Iterator[Finding]:
    count, first = 0, 0
    for line in lines:
        if (
            line.appendix
            or line.code
            or line.conflict
            or line.text.lstrip().startswith(("|", "<!--", "> **Question"))
        ):
            continue
        words = len(_WORD.findall(_REFERENCE.sub("", line.text)))
        count += words
        first = first or (line.number if words else 0)
    if count > BODY_WORDS:
        yield _finding(
            "long-body",
            first,
            f"{count} words without tables, open questions and appendices; {BODY_WORDS} are read",
        )


def _references(lines: list[_Line]) -> Iterator[Finding]:
    """References whose quoted line is missing from the appendix, or stands there without a digest."""
    held: dict[str, bool] = {}
    for line in lines:
        match = None if line.code else _EVIDENCE.match(line.text)
        if match:
            held[match[1]] = "sha256:" in line.text
    for line in lines:
        if line.code:
            continue
        for number in dict.fromkeys(_REFERENCE.findall(_SPAN.sub(" ", line.text))):
            if "Marks such as" in line.text:
                continue
            if number not in held:
                yield _finding("lost-evidence", line.number, f"E{number} is not in the appendix")
            elif not held[number]:
                yield _finding(
                    "lost-evidence", line.number, f"E{number} has no digest, so nothing can confirm it"
                )


def _people(document: Document, lines: list[_Line]) -> Iterator[Finding]:
    # What a masked draft says is no person: its services, hosts and paths. A human may name them as well.
    masked = "--no-mask" not in str(document.metadata.get("command") or "")
    known = {word for line in lines if masked and line.drafted for word in _NAME.findall(line.text)}
    for line in lines:
        words = _prose(line)
        # Owners are named on purpose.
        if not words.strip() or words.lstrip().startswith("|") or _EVIDENCE.match(line.text):
            continue
        blame = _BLAME.search(words)
        if blame:
            yield _finding(
                "blame", line.number, f"“{blame.group()}” judges people; describe what the system allowed"
            )
        if masked and line.drafted:
            continue
        # Each line by itself: a name that is masked here gives itself away by its place.
        for name in Masker(keep=known).names_in(words):
            yield _finding(
                "person", line.number, f"“{name}” looks like a person; a role reads the same in a year"
            )


def _partial(document: Document, lines: list[_Line]) -> Iterator[Finding]:
    incidents = document.metadata.get("incidents")
    if not isinstance(incidents, list) or not incidents:
        return
    if any(isinstance(one, dict) and one.get("severity") != "partial" for one in incidents):
        return
    for line in lines:
        if (
            not line.appendix
            and re.search(r"(?i)\boutages?\b", _prose(line))
            and not line.text.lstrip().startswith(">")
        ):
            yield _finding(
                "partial", line.number, "most requests were answered: a partial degradation, not an outage"
            )


def as_text(findings: Iterable[Finding], name: str) -> str:
    """One line a finding, as compilers write them: `name:line: severity: text [rule]`."""
    return "".join(f"{name}:{one.line}: {one.severity}: {one.text} [{one.rule}]\n" for one in findings)


def as_json(findings: Iterable[Finding], name: str) -> str:
    """A JSON object with the file's name and the findings."""
    return (
        json.dumps(
            {"file": name, "findings": [asdict(one) for one in findings]}, ensure_ascii=False, indent=1
        )
        + "\n"
    )


def as_github(findings: Iterable[Finding], name: str) -> str:
    """Workflow commands that annotate a pull request (GitHub Actions, workflow commands)."""

    def data(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    def value(text: str) -> str:
        return data(text).replace(":", "%3A").replace(",", "%2C")

    return "".join(
        f"::{one.severity} file={value(name)},line={one.line},title={value(one.rule)}::{data(one.text)}\n"
        for one in findings
    )
