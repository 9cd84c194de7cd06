"""Brings a finished document to other readers: a chat, a tracker, a page for managers, a statement for customers."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import safe, wording
from ..drafting.document import Block, Document, Text, data, draft_of, with_index
from ..drafting.document import block as generated
from ..drafting.entries import instant
from ..errors import BadOption
from ..wording import Clock
from . import spread
from .exports import Step, timeline
from .render import figure_svg, incidents, markdown, markdown_only

if TYPE_CHECKING:
    from markdown_it.token import Token

#: Trackers and wikis that take Markdown, and whether they draw Mermaid diagrams.
TARGETS = {"github": True, "gitlab": True, "notion": True, "jira": False}
_REFERENCES = re.compile(r"\s*\[E\d+\]")
_STATEMENT = re.compile(r"(?i)(?:public statement|for customers|statement for customers|external summary)\b")
_SLACK_ENTRIES = 6
_SLACK_CHARACTERS = 3000
_EXECUTIVE_MEASURES = 10
_SLACK_MORE = "_The rest is in the document._\n"
_TOKEN = re.compile(r"[\w/@{][\w./:@{}*+-]*[\w}/]")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]*:[0-9a-f]+|[^@]+@[^@]+|/.+|https?:.+")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document: its heading's words and level, and the Markdown below it."""

    heading: str
    level: int
    text: str


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
    """The Markdown below the heading of the block `name`, whatever a style calls it, a human's words there included.

    A block without a heading is given alone. Where it is gone, below the first heading that begins with the name; empty when there is none.
    """
    block = document.blocks.get(name)
    titled = re.search(r"(?m)^#{1,6} (.*)", block.body) if block else None
    if block and not titled:
        return block.body.strip()
    heading = titled[1].strip().casefold() if titled else name.casefold()
    return next((one.text for one in sections(document) if one.heading.casefold().startswith(heading)), "")


def slack(text: str) -> str:
    """A summary in Slack's mrkdwn: title, figures, the summary section, the main entries, open questions.

    `&`, `<` and `>` are escaped as Slack asks (Formatting text for app surfaces), so nothing becomes a link or a mention.
    It fits one section block (Block Kit, section: 3,000 characters); what does not is left out, and that is said.
    """
    document = draft_of(text)
    metadata = document.metadata
    lines = [
        f"*{_slack(str(metadata.get('title') or 'Postmortem'))}* ({_slack(str(metadata.get('status') or 'draft'))})"
    ]
    for name in ("summary", "statement"):
        if name in document.blocks or name == "summary":
            lines += ["", *_slack_blocks(_REFERENCES.sub("", section(document, name)))]
    steps = [step for step in timeline(text) if step.label][:_SLACK_ENTRIES]
    if steps:
        lines += ["", "*Timeline*", *(f"• `{step.clock}` {_slack(step.text)}" for step in steps)]
    questions = text.count("> **Question")
    if questions:
        lines += ["", f"_{wording.plural(questions, 'question')} still open in the document._"]
    message = "\n".join(lines).strip() + "\n"
    if len(message) <= _SLACK_CHARACTERS:
        return message
    return message[: message.rindex("\n", 0, _SLACK_CHARACTERS - len(_SLACK_MORE)) + 1] + _SLACK_MORE


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
    flow = (lambda block: spread.mermaid(spread.steps(block.body))) if TARGETS[target] else None
    body = markdown_only(document, figure_as=chart or "\n", spread_as=flow)
    body = re.sub(r"<!--.*?-->\n?", "", body, flags=re.DOTALL)
    return re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"


def mermaid(steps: list[Step]) -> str:
    """A Mermaid timeline (mermaid.js.org, "Timeline Diagram") in a fence; empty without entries.

    A row is a time and its events; events of one time stand below each other. Colons, semicolons, hashes, quotes and
    brackets are syntax to some version of it, and GitHub, GitLab and Notion each bring their own: labels keep letters,
    digits and a little punctuation only, and colons become ratio signs.
    """
    rows: list[str] = []
    before = ""
    for step in steps:
        words = _mermaid(f"{step.label} – {step.text}" if step.label else step.text)
        if words:
            clock = step.clock.replace(":", "∶")
            rows.append(f"    {clock if clock != before else ' ' * len(clock)} : {words}")
            before = clock
    return "\n".join(["```mermaid", "timeline", *rows, "```"]) if rows else ""


def _mermaid(text: str) -> str:
    text = re.sub(r" ?%", " percent", text).replace(":", "∶").replace("'", "’")
    words = wording.brief(" ".join(re.sub(r"[^\w\s.,/()=∶’–-]", " ", text).split()), 90)
    # A word that is wider than its box would run into the next one.
    return re.sub(r"(\S{12,22}[/._-]|\S{22})(?=\S)", r"\1 ", words)


def executive(text: str) -> str:
    """A document of one page for managers: title, summary, figure, measures; to be rendered like any other document.

    Of a long table of measures the first rows are shown, and the number of the others.
    """
    document = draft_of(text)
    parts = [
        ("title", f"# {_title(document)}"),
        ("summary", f"## Summary\n\n{_REFERENCES.sub('', section(document, 'summary'))}"),
        ("figure", _figure_body(document)),
        (
            "actions",
            _with_heading("Corrective and preventative measures", _first_rows(section(document, "actions"))),
        ),
    ]
    return _assembled(document.front, parts, document.data("figure"))


def _first_rows(measures: str) -> str:
    rows = [line for line in _REFERENCES.sub("", measures).split("\n") if line.lstrip().startswith("|")]
    more = len(rows) - 2 - _EXECUTIVE_MEASURES
    shown = "\n".join(rows[: 2 + _EXECUTIVE_MEASURES])
    return f"{shown}\n\n{wording.plural(more, 'further measure')} in the full document." if more > 0 else shown


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
    Raises BadOption where the statement itself names something that only the inside knows.
    """
    import yaml

    document = draft_of(text)
    metadata = document.metadata
    zone = str(metadata.get("zone") or "UTC")
    found = incidents(metadata)
    rows = [_public(one, zone) for one in found]
    said = _statement(document)
    kept = ("severity", "signal", "onset", "recovery", "failed_percent")
    name = "Service disruption" if found else "Service report"
    front = {
        "title": name,
        "status": str(metadata.get("status") or "draft"),
        "zone": zone,
        "incidents": [{key: one[key] for key in kept if key in one} for one in found],
        "retrolog": {"audience": "external"},
    }
    summary = "\n\n".join(row for row in rows if row) or "No disruption was found in the period examined."
    inside = _internals(document, _REFERENCES.sub("", said), summary)
    if inside:
        raise BadOption(
            f"The public statement names {', '.join(inside[:5])}, which only the inside knows; say what users saw instead."
        )
    parts = [
        ("title", f"# {name}"),
        ("summary", summary),
        ("statement", _REFERENCES.sub("", said)),
    ]
    head = f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n"
    return _assembled(head, parts)


def _internals(document: Document, said: str, public: str) -> list[str]:
    """Words of a statement that are a path or an address, or a name that the rest of the document has from the logs.

    A name is known by its form (db-1, shop.service, http_502): an ordinary word that a service is called by is none.
    """
    known = {
        token
        for part in document.segments
        if isinstance(part, Block) and part.id not in ("title", "statement")
        for token in _TOKEN.findall(part.body)
    } - set(_TOKEN.findall(public))
    found = dict.fromkeys(_TOKEN.findall(said))
    return [
        token
        for token in found
        if _ADDRESS.fullmatch(token)
        or (token in known and re.search(r"[^\W\d_]", token) and re.search(r"[\d_./@-]", token))
    ]


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
    onset, recovery = instant(one.get("onset")), instant(one.get("recovery"))
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
    share = f": {_lost(one.get('signal'), float(percent))}" if isinstance(percent, int | float) and (percent or one.get("signal") == "latency") else ""  # 0 of 0 is no share
    return f"{when} {what}{share}."


def _lost(signal: Any, percent: float) -> str:
    """Which share was lost, in words that are true of what showed it."""
    share = wording.percent(percent)
    if signal == "silence":
        return f"an estimated {share} of requests were not answered"
    if signal == "errors":
        return f"{share} of what was attempted failed"
    if signal == "latency" and not percent:
        return "answers took longer than usual"
    return f"{share} of requests failed"


#: Outputs of `render` that are text, and the function that makes each.
TEXTS: dict[str, Callable[[str], str]] = {
    "slack": slack,
    **{target: functools.partial(plain_markdown, target=target) for target in TARGETS},
}
