"""Brings a finished document to other readers: a chat, a tracker, a page for managers, a statement for customers."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import safe, wording
from .document import Document, Text, data, parse, with_index
from .document import block as generated
from .errors import BadOption, NotADraft
from .exports import Step, timeline
from .render import figure_svg, incidents, markdown, markdown_only, moment
from .wording import Clock

if TYPE_CHECKING:
    from markdown_it.token import Token

#: Trackers and wikis that take Markdown, and whether they draw Mermaid diagrams.
TARGETS = {"github": True, "gitlab": True, "notion": True, "jira": False}
_REFERENCES = re.compile(r"\s*\[E\d+\]")
_STATEMENT = re.compile(r"(?i)(?:public statement|for customers|statement for customers|external summary)\b")
_SLACK_ENTRIES = 6


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document: its heading's words and level, and the Markdown below it."""

    heading: str
    level: int
    text: str


def draft_of(text: str) -> Document:
    """The parsed document; raises NotADraft for a text that is no draft."""
    document = parse(text)
    if not document.is_draft:
        raise NotADraft(
            "This file holds no retrolog draft; give the file that `retrolog draft -o FILE` wrote."
        )
    return document


def sections(document: Document) -> list[Section]:
    """The document's sections in order; what stands before the first heading has an empty one."""
    found: list[Section] = []
    heading, level, lines, fence = "", 0, list[str](), ""
    for line in markdown_only(document).split("\n"):
        marks = re.match(r"\s*(`{3,}|~{3,})", line)
        if marks and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else marks[1]
        title = None if fence else re.match(r"(#{1,6}) (.*)", line)
        if title is None:
            lines.append(line)
            continue
        found.append(Section(heading, level, "\n".join(lines).strip()))
        heading, level, lines = title[2].strip(), len(title[1]), []
    found.append(Section(heading, level, "\n".join(lines).strip()))
    return [one for one in found if one.heading or one.text]


def section(document: Document, name: str) -> str:
    """The Markdown below the first heading that begins with `name`; empty when there is none."""
    return next(
        (one.text for one in sections(document) if one.heading.casefold().startswith(name.casefold())), ""
    )


def slack(text: str) -> str:
    """A summary in Slack's mrkdwn: title, figures, the summary section, the main entries, open questions.

    `&`, `<` and `>` are escaped as Slack asks (Formatting text for app surfaces), so nothing becomes a link or a mention.
    """
    document = draft_of(text)
    metadata = document.metadata
    lines = [
        f"*{_slack(str(metadata.get('title') or 'Postmortem'))}* ({_slack(str(metadata.get('status') or 'draft'))})"
    ]
    lines += ["", *_slack_blocks(_REFERENCES.sub("", section(document, "summary")))]
    steps = [step for step in timeline(text) if step.label][:_SLACK_ENTRIES]
    if steps:
        lines += ["", "*Timeline*", *(f"• `{step.clock}` {_slack(step.text)}" for step in steps)]
    questions = text.count("> **Question")
    if questions:
        lines += ["", f"_{wording.plural(questions, 'question')} still open in the document._"]
    return "\n".join(lines).strip() + "\n"


def _slack(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A zero-width joiner keeps @here from being a mention without changing what is read.
    return re.sub(r"@(?=here|channel|everyone)", "@\u2060", text)


def _slack_blocks(source: str) -> list[str]:
    lines: list[str] = []
    bullet = ""
    for token in markdown().parse(source):
        if token.type == "list_item_open":
            bullet = "• "
        elif token.type == "paragraph_open" and not token.hidden and lines and not bullet:
            lines.append("")
        elif token.type == "inline":
            lines.append(bullet + _slack_inline(token.children or []))
            bullet = ""
    return lines


def _slack_inline(children: list[Token]) -> str:
    marks = {
        "strong_open": "*",
        "strong_close": "*",
        "em_open": "_",
        "em_close": "_",
        "s_open": "~",
        "s_close": "~",
    }
    out: list[str] = []
    for child in children:
        if child.type in marks:
            out.append(marks[child.type])
        elif child.type == "code_inline":
            out.append(f"`{_slack(child.content.replace('`', 'ˋ'))}`")
        elif child.type in ("softbreak", "hardbreak"):
            out.append(" ")
        else:
            out.append(_slack(child.content))
    return "".join(out)


def plain_markdown(text: str, target: str) -> str:
    """The document as Markdown that `target` (`TARGETS`) takes: no front matter, no markers, a Mermaid timeline if drawn."""
    if target not in TARGETS:
        raise BadOption(f"There is no target {target!r}; Markdown is written for {', '.join(TARGETS)}.")
    document = draft_of(text)
    chart = mermaid(timeline(text)) if TARGETS[target] else ""
    body = markdown_only(document, figure_as=chart)
    body = re.sub(r"<!--.*?-->\n?", "", body, flags=re.DOTALL)
    return re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"


def mermaid(steps: list[Step]) -> str:
    """A Mermaid timeline (mermaid.js.org, timeline syntax) in a fence; empty without entries.

    Colons, semicolons and hashes are syntax there, so labels keep letters, digits and a little punctuation only.
    """
    rows = [
        f"    {step.clock.replace(':', '∶')} : {_mermaid(step.text)}" for step in steps if _mermaid(step.text)
    ]
    return "\n".join(["```mermaid", "timeline", *rows, "```"]) if rows else ""


def _mermaid(text: str) -> str:
    words = re.sub(r"[^\w\s.,/()%+-]", " ", text)
    return wording.brief(" ".join(words.split()), 70)


def executive(text: str) -> str:
    """A document of one page for managers: title, summary, figure, measures; to be rendered like any other document."""
    document = draft_of(text)
    parts = [
        ("title", f"# {_title(document)}"),
        ("summary", f"## Summary\n\n{_REFERENCES.sub('', section(document, 'summary'))}"),
        ("figure", _figure_body(document)),
        (
            "actions",
            _with_heading("Corrective and preventative measures", _REFERENCES.sub("", _measures(document))),
        ),
    ]
    return _assembled(document.front, parts, document.data("figure"))


def _measures(document: Document) -> str:
    return section(document, "corrective") or section(document, "action")


def _with_heading(heading: str, body: str) -> str:
    return f"## {heading}\n\n{body}" if body else ""


def _title(document: Document) -> str:
    return safe.prose(str(document.metadata.get("title") or "Postmortem"))


def _figure_body(document: Document) -> str:
    block = document.blocks.get("figure")
    return block.body.strip() if block and figure_svg(document) else ""


def _assembled(front: str, parts: list[tuple[str, str]], series: Any = None) -> str:
    body = "".join(generated(name, content) for name, content in parts if content)
    return with_index(f"{front}\n{body}" + (data("figure", series) if isinstance(series, dict) else ""), {})


def external(text: str) -> str:
    """A document for customers: when, how long, which share of requests failed, and what a human wrote under "Public statement".

    It is built from times and percentages alone, so no host, name, path, cause or amount of traffic can slip through.
    """
    import yaml

    document = draft_of(text)
    metadata = document.metadata
    zone = str(metadata.get("zone") or "UTC")
    found = incidents(metadata)
    rows = [_public(one, zone) for one in found]
    said = _statement(document)
    kept = ("severity", "onset", "recovery", "failed_percent")
    name = "Service disruption" if found else "Service report"
    front = {
        "title": name,
        "status": str(metadata.get("status") or "draft"),
        "zone": zone,
        "incidents": [{key: one[key] for key in kept if key in one} for one in found],
        "retrolog": {"audience": "external"},
    }
    parts = [
        ("title", f"# {name}"),
        (
            "summary",
            "\n\n".join(row for row in rows if row) or "No disruption was found in the period examined.",
        ),
        ("statement", _REFERENCES.sub("", said)),
    ]
    head = f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n"
    return _assembled(head, parts)


def _statement(document: Document) -> str:
    """What a human wrote under a heading such as "Public statement", up to the next heading or generated block."""
    for segment in document.segments:
        if not isinstance(segment, Text):
            continue
        for part in re.split(r"(?m)^(?=#{1,6} )", segment.raw.replace("\r\n", "\n")):
            heading, _, said = part.partition("\n")
            if heading.startswith("#") and _STATEMENT.match(heading.lstrip("# ")):
                return said.strip()
    return ""


def _public(one: dict[str, Any], zone: str) -> str:
    onset, recovery = moment(one.get("onset")), moment(one.get("recovery"))
    if onset is None:
        return ""
    clock = Clock(zone, onset, recovery)
    what = (
        "our service was unavailable for many requests"
        if one.get("severity") == "outage"
        else "part of our service was degraded"
    )
    if recovery is None:
        when = f"Since {clock.stamp(onset)} ({clock.label(onset)})"
    else:
        length = wording.duration(recovery - onset)
        when = f"From {clock.stamp(onset)} to {clock.time(recovery)} ({clock.label(onset)}; {length})"
    percent = one.get("failed_percent")
    share = (
        f": {wording.percent(float(percent))} of requests failed" if isinstance(percent, int | float) else ""
    )
    return f"{when} {what}{share}."


#: Outputs of `render` that are text, and the function that makes each.
TEXTS: dict[str, Callable[[str], str]] = {
    "slack": slack,
    **{target: functools.partial(plain_markdown, target=target) for target in TARGETS},
}
