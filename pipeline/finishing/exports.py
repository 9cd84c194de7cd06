"""Takes the timeline and the measures out of a document for other tools, as the human left them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .. import safe
from ..drafting.document import draft_of
from ..drafting.entries import ENTRY, clock_of, moment
from ..errors import BadOption
from ..wording import Clock
from .render import markdown, markdown_only

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


def plain(source: str) -> str:
    """The words of a piece of inline Markdown."""
    children = markdown().parseInline(source)[0].children or []
    return "".join(" " if child.type.endswith("break") else child.content for child in children).strip()


def timeline(text: str) -> list[Step]:
    """The entries of the document's timeline (not those of its appendices), human ones included, in order of time."""
    document = draft_of(text, "export")
    clock = clock_of(document.metadata)
    steps = []
    for line in markdown_only(document).split("\n"):
        if re.match(r"#+ Appendix", line):
            break
        match = ENTRY.fullmatch(line.rstrip())
        if match is None:
            continue
        words = match["words"]
        steps.append(
            Step(
                moment(match["time"], clock),
                match["time"],
                (match["label"] or "").rstrip("?"),
                plain(_REFERENCE.sub("", words)),
                tuple(int(number) for number in _REFERENCE.findall(words)),
            )
        )
    return sorted(steps, key=lambda step: (step.time is None, step.time or 0))


def measures(text: str) -> list[Measure]:
    """The rows of every table whose header has Action and Owner."""
    found: list[Measure] = []
    columns: list[str] = []
    for line in markdown_only(draft_of(text, "export")).split("\n"):
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

    GitHub: REST API, "Create an issue" (title, body, labels, assignees; a login is what an owner has after `@`). Jira: the
    CSV of its importer ("Importing data from CSV"), which needs a Summary of at most 255 characters and takes several
    labels as several columns of that name. Measures that have a ticket are left out of both.
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
            ("Summary", "Issue Type", "Assignee", "Labels", "Labels", "Description"),
            [
                (
                    m.action.split(" Because: ")[0][:250],
                    "Task",
                    m.owner,
                    "postmortem",
                    m.type.replace(" ", "-"),  # a label has no blanks
                    f"{m.action} ({title})",
                )
                for m in rows
                if not m.ticket
            ],
        )
    raise BadOption(f"Measures are written as csv, json, github or jira, not as {form!r}.")


def _title(text: str) -> str:
    return str(draft_of(text, "export").metadata.get("title") or "Postmortem")


def export_timeline(text: str, form: str) -> str:
    """The timeline as `csv`, `json`, `timesketch` (JSONL) or `grafana` (annotations, one JSON object a line).

    Timesketch needs message, datetime (ISO 8601) and timestamp_desc ("Import from JSON or CSV"), and takes a timestamp in
    microseconds; Grafana takes time in epoch milliseconds, tags and text ("Annotations HTTP API", create annotation).
    Entries whose date cannot be told are left out of those two.
    """
    steps = timeline(text)
    clock = Clock(str(draft_of(text, "export").metadata.get("zone") or "UTC"))
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
