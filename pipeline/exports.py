"""Takes the timeline and the measures out of a document for other tools, as the human left them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from . import safe, wording
from .document import Document, parse
from .errors import BadOption, NotADraft
from .render import incidents, markdown, markdown_only, moment
from .wording import SECOND, Clock

_STEP = re.compile(
    r"^[-*+] +(?:\*\*)?(?P<clock>(?:(?P<day>\d{4}-\d\d-\d\d) )?(?P<time>\d\d:\d\d(?::\d\d)?)(?P<offset>[+-]\d\d:\d\d)?)(?:\*\*)?"
    r"\s+[—–-]\s+(?P<rest>.*)$"
)
_LABEL = re.compile(r"^\*\*(?P<label>[^*]{1,30}?)\??\*\*:?\s+")
_REFERENCE = re.compile(r"\s*\[E(\d+)\]")


@dataclass(frozen=True, slots=True)
class Step:
    """An entry of the timeline as it stands in the document.

    `time` is microseconds since the epoch (None where the document's dates do not tell), `clock` the time as written,
    `label` the word in bold before the text ("Onset"), `text` without Markdown, `evidence` the numbers it cites.
    """

    time: int | None
    clock: str
    label: str
    text: str
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of the table of measures, without Markdown; empty fields are still open."""

    action: str
    type: str
    owner: str
    ticket: str


def _document(text: str) -> Document:
    document = parse(text)
    if not document.is_draft:
        raise NotADraft(
            "This file holds no retrolog draft; export takes what `retrolog draft -o FILE` wrote."
        )
    return document


def plain(source: str) -> str:
    """The words of a piece of inline Markdown."""
    children = markdown().parseInline(source)[0].children or []
    return "".join(" " if child.type.endswith("break") else child.content for child in children).strip()


def timeline(text: str) -> list[Step]:
    """The entries of the document's timeline (not those of its appendices), human ones included, in order of time."""
    document = _document(text)
    steps = []
    for line in markdown_only(document).split("\n"):
        if re.match(r"#+ Appendix", line):
            break
        match = _STEP.match(line)
        if match is None:
            continue
        rest = match["rest"]
        label = _LABEL.match(rest)
        words = rest[label.end() :] if label else rest
        steps.append(
            Step(
                _moment(document, match),
                match["clock"],
                label["label"] if label else "",
                plain(_REFERENCE.sub("", words)),
                tuple(int(number) for number in _REFERENCE.findall(rest)),
            )
        )
    return sorted(steps, key=lambda step: (step.time is None, step.time or 0))


def _moment(document: Document, match: re.Match[str]) -> int | None:
    """The true time of an entry: its own date, else the date of the document's window, in the document's zone."""
    metadata = document.metadata
    clock = Clock(str(metadata.get("zone") or "UTC"))
    window = metadata.get("window")
    start = moment(window.get("start")) if isinstance(window, dict) else None
    if start is None:
        start = next(
            (at for one in incidents(metadata) if (at := moment(one.get("onset"))) is not None), None
        )
    if match["day"]:
        try:
            day = date.fromisoformat(match["day"])
        except ValueError:
            return None
    elif start is not None:
        day = clock.at(start).date()
    else:
        return None
    hour, minute, second = (int(part) for part in f"{match['time']}:00".split(":")[:3])
    if hour > 23 or minute > 59 or second > 59:
        return None
    zone = wording.zone(match["offset"] or clock.zone_name)
    stamp = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
    return int(stamp.timestamp()) * SECOND


def measures(text: str) -> list[Measure]:
    """The rows of every table whose header has Action and Owner."""
    found: list[Measure] = []
    columns: list[str] = []
    for line in markdown_only(_document(text)).split("\n"):
        if not line.lstrip().startswith("|"):
            columns = []
            continue
        cells = [
            cell.replace("\0", "|").strip()
            for cell in line.replace("\\|", "\0").strip().strip("|").split("|")
        ]
        if not columns:
            columns = [cell.casefold() for cell in cells]
            continue
        row = dict(zip(columns, cells, strict=False))
        if "owner" not in row or not row.get("action") or set(row["action"]) <= set("-: "):
            continue
        words = {
            key: plain(_REFERENCE.sub("", row.get(key, ""))) for key in ("action", "type", "owner", "ticket")
        }
        found.append(Measure(**words))
    return found


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """CSV with CRLF line ends (RFC 4180) in which no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([safe.spreadsheet(cell) for cell in row] for row in rows)
    return out.getvalue()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def export_measures(text: str, form: str) -> str:
    """The measures as `csv`, `json`, `github` (one JSON object a line, the body of a create-issue request) or `jira`.

    The Jira form is the CSV that its import takes (Summary, Issue Type, Assignee, Labels, Description).
    """
    rows, title = measures(text), _title(text)
    if form == "csv":
        return _csv(
            ("action", "type", "owner", "ticket"), [(m.action, m.type, m.owner, m.ticket) for m in rows]
        )
    if form == "json":
        return _json(
            [
                {"action": m.action, "type": m.type, "owner": m.owner or None, "ticket": m.ticket or None}
                for m in rows
            ]
        )
    if form == "github":
        return "".join(
            json.dumps(
                {
                    "title": safe.clean(m.action.split(" Because: ")[0])[:200],
                    "body": f"{safe.prose(m.action)}\n\nFrom the postmortem: {safe.prose(title)}",
                    "labels": ["postmortem", *([m.type] if m.type else [])],
                    **({"assignees": [m.owner.removeprefix("@")]} if m.owner.startswith("@") else {}),
                },
                ensure_ascii=False,
            )
            + "\n"
            for m in rows
            if not m.ticket
        )
    if form == "jira":
        return _csv(
            ("Summary", "Issue Type", "Assignee", "Labels", "Description"),
            [
                (
                    m.action.split(" Because: ")[0][:250],
                    "Task",
                    m.owner,
                    f"postmortem {m.type}".strip(),
                    f"{m.action} ({title})",
                )
                for m in rows
                if not m.ticket
            ],
        )
    raise BadOption(f"Measures are written as csv, json, github or jira, not as {form!r}.")


def _title(text: str) -> str:
    return str(_document(text).metadata.get("title") or "Postmortem")


def export_timeline(text: str, form: str) -> str:
    """The timeline as `csv`, `json`, `timesketch` (JSONL) or `grafana` (annotations, one JSON object a line).

    Timesketch needs message, datetime and timestamp_desc (its import guide); Grafana's annotation API takes epoch
    milliseconds. Entries whose date cannot be told are left out of those two.
    """
    steps = timeline(text)
    clock = Clock(str(_document(text).metadata.get("zone") or "UTC"))
    if form == "csv":
        return _csv(
            ("time", "label", "text", "evidence"),
            [
                (clock.iso(s.time) or s.clock, s.label, s.text, " ".join(f"E{n}" for n in s.evidence))
                for s in steps
            ],
        )
    if form == "json":
        return _json(
            [
                {
                    "time": clock.iso(s.time),
                    "label": s.label or None,
                    "text": s.text,
                    "evidence": list(s.evidence),
                }
                for s in steps
            ]
        )
    if form in ("timesketch", "grafana"):
        rows = [
            _timesketch(s, s.time) if form == "timesketch" else _grafana(s, s.time)
            for s in steps
            if s.time is not None
        ]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    raise BadOption(f"The timeline is written as csv, json, timesketch or grafana, not as {form!r}.")


def _timesketch(step: Step, time: int) -> dict[str, Any]:
    at = datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(microseconds=time)
    return {
        "message": step.text,
        "datetime": at.isoformat(),
        "timestamp": time,
        "timestamp_desc": step.label or "Event",
        "tag": ["postmortem"],
    }


def _grafana(step: Step, time: int) -> dict[str, Any]:
    return {
        "time": time // 1000,
        "tags": ["postmortem", *([step.label.casefold()] if step.label else [])],
        "text": step.text,
    }
