"""Renders a document as one HTML file that needs nothing else: no script, no font, no request to anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from .. import wording
from ..drafting.document import Block, Data, Document, draft_of
from ..drafting.entries import instant
from . import figure, spread

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

FIGURE, _FACTS = "retrolog-figure", "retrolog-facts"  # languages of fences that stand for something drawn
_TIME = re.compile(r"^((?:\d{4}-\d\d-\d\d )?\d\d:\d\d(?::\d\d)?(?:[+-]\d\d:\d\d)?) [—–-] ")
_REFERENCE = re.compile(r"\[(E\d+)\]")
_COMMENT = re.compile(r"\s*<!--.*?-->\s*", re.DOTALL)
_MARKS = ("trigger", "onset", "detected", "resolution", "recovery")


def html(text: str, *, for_print: bool = False) -> str:
    """The document as a self-contained HTML page: figure, timeline, tables, print styles, light and dark.

    HTML inside the document is shown as text, comments are left out, and images other than embedded ones become links:
    opening the page loads nothing. With `for_print` the figure carries its colours itself, for engines that style SVG
    apart from the page. Raises NotADraft for a text that is no draft.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    document = draft_of(text, "render")
    metadata = document.metadata
    environment = Environment(
        loader=PackageLoader("retrolog", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    style = environment.get_template("report.css").render()
    return environment.get_template("report.html.j2").render(
        title=str(metadata.get("title") or "Postmortem"),
        status=str(metadata.get("status") or "draft"),
        kind="Service report" if _is_public(metadata) else "Postmortem",
        body=Markup(_body(document, metadata, for_print)),
        style=Markup(style),
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def _is_public(metadata: dict[str, Any]) -> bool:
    made = metadata.get("retrolog")
    return isinstance(made, dict) and made.get("audience") == "external"


def markdown_only(
    document: Document, *, figure_as: str = "", title_adds: str = "", spread_as: Callable[[Block], str] | None = None
) -> str:  # fmt: skip
    """The document's Markdown without front matter, markers and data.

    The figure's block becomes `figure_as` where that is given; `title_adds` follows the title's block, and what `spread_as`
    makes of a block on how an outage spread follows that.
    """
    pieces = []
    for segment in document.segments:
        if isinstance(segment, Data):
            continue
        if isinstance(segment, Block):
            body = segment.body.strip("\r\n")
            if segment.id == "figure":
                body = figure_as or body
            elif segment.id == "title":
                body += title_adds
            elif spread_as and segment.id.startswith(spread.BLOCK):
                body += f"\n\n{spread_as(segment)}".rstrip()
            pieces.append(f"{body}\n\n")
        else:
            pieces.append(segment.raw)
    return "".join(pieces).replace("\r\n", "\n")


def incidents(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """The incidents of the front matter, whatever a human made of them."""
    found = metadata.get("incidents")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _facts(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """The few figures that stand above the report; of several incidents, the sums."""
    found = incidents(metadata)
    facts: list[tuple[str, str]] = []
    spans = [(instant(one.get("onset")), instant(one.get("recovery"))) for one in found]
    closed = [end - start for start, end in spans if start is not None and end is not None]
    if closed and len(closed) == len(found):
        facts.append(("duration" if len(found) == 1 else "durations, summed", wording.duration(sum(closed))))
    counts = [(one.get("failed"), one.get("requests")) for one in found]
    known = [(f, r) for f, r in counts if isinstance(f, int) and isinstance(r, int)]
    failed, requests = sum(f for f, _ in known), sum(r for _, r in known)
    signals = {one.get("signal") for one in found}
    about = "about " if "silence" in signals else ""
    if signals == {"latency"} and not failed:
        facts.append(("slow, not failed", wording.number(requests) if requests else "requests"))
    elif requests:
        # Of one incident the share is the one that the text has, to the same digit.
        stated = found[0].get("failed_percent") if len(found) == 1 else None
        share = float(stated) if isinstance(stated, int | float) else 100 * failed / requests
        lost = "requests missing, estimated" if signals == {"silence"} else "outcomes were failures" if signals == {"errors"} else "requests failed"
        counted = "outcomes in the logs" if signals == {"errors"} else "requests"
        facts.append((lost, f"{about}{wording.number(failed)}"))
        facts.append((f"of {about}{wording.number(requests)} {counted}", wording.percent(share)))
    elif len(found) == 1 and isinstance(found[0].get("failed_percent"), int | float) and found[0]["failed_percent"]:
        facts.append(("of requests failed", wording.percent(float(found[0]["failed_percent"]))))
    if len(found) == 1:
        onset, noticed = instant(found[0].get("onset")), instant(found[0].get("detected"))
        if onset is not None and noticed is not None:
            facts.append(("from onset to detection", wording.duration(noticed - onset)))
    return facts


def _facts_html(metadata: dict[str, Any]) -> str:
    rows = "".join(
        f"<li><b>{escape(value)}</b> <span>{escape(label)}</span></li>" for label, value in _facts(metadata)
    )
    return f'<ul class="facts">{rows}</ul>\n' if rows else ""


def _marks(metadata: dict[str, Any]) -> tuple[list[figure.Mark], list[tuple[int, int | None]]]:
    marks: list[figure.Mark] = []
    spans: list[tuple[int, int | None]] = []
    for one in incidents(metadata):
        times = {kind: instant(one.get(kind)) for kind in _MARKS}
        marks += figure.marks_of(one, times)
        onset = times["onset"]
        if onset is not None:
            spans.append((onset, times["recovery"]))
    return marks, spans


def figure_svg(document: Document, *, styled: bool = True) -> str:
    """The document's figure as an `<svg>` element, marked by the times of its front matter; empty without a series."""
    series = document.data("figure")
    return figure.svg(series, *_marks(document.metadata), styled=styled) if isinstance(series, dict) else ""


def _figure(document: Document, styled: bool) -> str:
    drawing = figure_svg(document, styled=styled)
    if not drawing:
        return ""
    legend = figure.legend(document.data("figure"))
    caption = escape(figure_caption(document))
    return f"<figure>\n{drawing}\n<figcaption>{legend} <span>{caption}</span></figcaption>\n</figure>\n"


def figure_caption(document: Document) -> str:
    """What the figure shows, as the document says it below the place where it is drawn."""
    block = document.blocks.get("figure")
    caption = (block.body if block else "").strip().strip("*").strip()
    return caption.removeprefix("Figure:").strip().replace("; drawn when rendered", "")


def _body(document: Document, metadata: dict[str, Any], styled: bool) -> str:
    drawing = _figure(document, styled)
    spreads = {f"{FIGURE}-{name}": spread.svg(spread.steps(block.body)) for name, block in document.blocks.items() if name.startswith(spread.BLOCK)}
    text = markdown_only(
        document, figure_as=f"```{FIGURE}\n```" if drawing else "", title_adds=f"\n\n```{_FACTS}\n```",
        spread_as=lambda block: f"```{FIGURE}-{block.id}\n```",
    )  # fmt: skip
    parser = markdown({FIGURE: drawing, _FACTS: _facts_html(metadata), **spreads})
    env: dict[str, Any] = {}
    tokens = parser.parse(text, env)
    _structure(tokens)
    return str(parser.renderer.render(tokens, parser.options, env))


def markdown(drawn: dict[str, str] | None = None) -> MarkdownIt:
    """The Markdown parser of all rendered outputs: CommonMark, tables and strikethrough, HTML shown as text.

    `drawn` gives the HTML that stands for a fence of the language named by its key.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

    def inert(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return escape(_COMMENT.sub("", tokens[index].content))

    def inert_block(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        kept = escape(_COMMENT.sub("", tokens[index].content).strip())
        return f"<p>{kept}</p>\n" if kept else ""

    def image(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        source, name = str(tokens[index].attrs.get("src", "")), escape(tokens[index].content)
        if source.startswith("data:image/") and not source.startswith("data:image/svg"):
            return f'<img src="{escape(source)}" alt="{name}">'
        return f'<a href="{escape(source)}" rel="noopener noreferrer">{name or escape(source)}</a>'

    def fence(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        if drawn and tokens[index].info.strip() in drawn:
            return drawn[tokens[index].info.strip()]
        return f"<pre><code>{escape(tokens[index].content)}</code></pre>\n"

    parser.add_render_rule("html_inline", inert)
    parser.add_render_rule("html_block", inert_block)
    parser.add_render_rule("image", image)
    parser.add_render_rule("fence", fence)
    parser.add_render_rule("retrolog_element", lambda _self, tokens, index, *_: tokens[index].content)
    parser.add_render_rule("table_open", lambda *_: '<div class="table"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _structure(tokens: list[Token]) -> None:
    """Adds the classes and anchors that the style sheet and the references need, and links references to evidence."""
    anchors = _anchors(tokens)
    names: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            # An inline style is refused by the page's own content policy.
            token.attrs = {"class": str(token.attrs["style"]).removeprefix("text-align:")}
        elif token.type == "heading_open":
            token.attrSet("id", _slug(tokens[index + 1].content, names))
            if tokens[index + 1].content.startswith("Appendix"):
                token.attrJoin("class", "appendix")
        elif token.type == "blockquote_open":
            words = tokens[index + 2].content if index + 2 < len(tokens) else ""
            if words.startswith("**Question"):
                token.attrJoin("class", "question")
            elif words.startswith("**Newly generated"):
                token.attrJoin("class", "conflict")
        elif token.type == "inline" and token.children:
            if tokens[index - 2].type == "list_item_open" and _timed(token):
                tokens[index - 2].attrJoin("class", "entry")
            token.children = _linked(token.children, anchors)


def _slug(text: str, names: dict[str, int]) -> str:
    slug = re.sub(r"\W+", "-", text.casefold()).strip("-") or "section"
    names[slug] = names.get(slug, 0) + 1
    return f"s-{slug}" if names[slug] == 1 else f"s-{slug}-{names[slug]}"


def _anchors(tokens: list[Token]) -> set[str]:
    """Gives each quoted line of the appendix its anchor; returns the names found, such as `E3`."""
    found: set[str] = set()
    for index, token in enumerate(tokens):
        children = token.children or []
        if token.type != "inline" or len(children) < 3 or tokens[index - 2].type != "list_item_open":
            continue
        name = children[
            next((i for i, child in enumerate(children) if child.type == "strong_open"), 0) + 1
        ].content
        if re.match(r"\*\*E\d+\*\*", token.content) and name not in found:
            tokens[index - 2].attrSet("id", name.lower())
            tokens[index - 2].attrJoin("class", "evidence")
            found.add(name)
    return found


def _timed(token: Token) -> bool:
    """True for an entry of the timeline; its time becomes an element of its own, its label a class."""
    children = token.children or []
    match = _TIME.match(children[0].content) if children and children[0].type == "text" else None
    if match is None:
        return False
    children[0].content = children[0].content[match.end() :]
    children.insert(0, _element(f"<time>{escape(match[1])}</time> "))
    if len(children) > 3 and not children[1].content.strip() and children[2].type == "strong_open":
        children[2].attrJoin("class", f"label {re.sub(r'[^a-z]', '', children[3].content.lower())}")
    return True


def _element(markup: str) -> Token:
    from markdown_it.token import Token

    # A text token would be escaped; this type has a rule of its own, which no document can reach.
    token = Token("retrolog_element", "", 0)
    token.content = markup
    return token


def _linked(children: list[Token], anchors: set[str]) -> list[Token]:
    """Text tokens split at references such as `[E3]`, which become links where the appendix has the line."""
    from markdown_it.token import Token

    result: list[Token] = []
    for child in children:
        if child.type != "text":
            result.append(child)
            continue
        for position, piece in enumerate(_REFERENCE.split(child.content)):
            if position % 2 and piece in anchors:
                result.append(_element(f'<a class="ref" href="#{piece.lower()}">{piece}</a>'))
            elif position % 2 or piece:
                text = Token("text", "", 0)
                text.content = f"[{piece}]" if position % 2 else piece
                result.append(text)
    return result
