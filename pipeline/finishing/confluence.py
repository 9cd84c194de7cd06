"""Renders a document in Confluence's storage format: XHTML with macros for code and for open questions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..drafting.document import Document, draft_of
from . import figure
from .render import FIGURE, figure_caption, figure_svg, markdown, markdown_only

if TYPE_CHECKING:
    from markdown_it.token import Token

# XML 1.0, 2.2: no other control character may stand in a document.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def confluence(text: str, picture: str = "") -> str:
    """The document's body in storage format (Atlassian, "Confluence storage format"); the page's title is not in it.

    Quoted lines become code macros, questions become note panels. The format holds no pictures: a page shows the file of
    the name `picture` when that is attached to it; without a name the figure is left out. Raises NotADraft for a text
    that is no draft.
    """
    document = draft_of(text, "render")
    parser = markdown()
    parser.options["xhtmlOut"] = True

    def fence(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        if tokens[index].info == FIGURE:
            return _attached(picture, document)
        return _macro("code", f"<ac:plain-text-body>{_cdata(tokens[index].content)}</ac:plain-text-body>")

    def quote_open(
        _self: Any, tokens: Sequence[Token], index: int, _options: Any, env: dict[str, Any]
    ) -> str:
        asked = tokens[index + 2].content.startswith("**Question")
        env.setdefault("quotes", []).append(asked)
        return '<ac:structured-macro ac:name="note"><ac:rich-text-body>' if asked else "<blockquote>"

    def quote_close(
        _self: Any, _tokens: Sequence[Token], _index: int, _options: Any, env: dict[str, Any]
    ) -> str:
        return "</ac:rich-text-body></ac:structured-macro>" if env["quotes"].pop() else "</blockquote>"

    parser.add_render_rule("fence", fence)
    parser.add_render_rule("code_block", fence)
    parser.add_render_rule("blockquote_open", quote_open)
    parser.add_render_rule("blockquote_close", quote_close)
    parser.add_render_rule("table_open", lambda *_: "<table>\n")
    parser.add_render_rule("table_close", lambda *_: "</table>\n")
    shown = picture and figure_svg(document)
    body = markdown_only(document, figure_as=f"```{FIGURE}\n```" if shown else "\n")
    body = re.sub(r"\A\s*# .*\n", "", body)
    return str(parser.render(_NOT_XML.sub("\ufffd", body), {}))


def _macro(name: str, body: str) -> str:
    return f'<ac:structured-macro ac:name="{escape(name)}">{body}</ac:structured-macro>\n'


def _attached(name: str, document: Document) -> str:
    """An image that is attached to the page (the format's elements `ac:image` and `ri:attachment`), and its caption."""
    words = escape(figure.description(figure_svg(document)))
    image = f'<ac:image ac:width="{figure.WIDTH}" ac:alt="{words}"><ri:attachment ri:filename="{escape(name)}" /></ac:image>'
    return f"<p>{image}</p>\n<p><em>{escape(figure_caption(document))}</em></p>\n"


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
