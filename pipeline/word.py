"""Renders a document as a Word file (DOCX, ECMA-376) with real headings, lists and tables."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from .document import parse
from .errors import MissingExtra, NotADraft
from .render import markdown, markdown_only

if TYPE_CHECKING:
    from markdown_it.token import Token

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CODE = "Consolas"


def docx(text: str) -> bytes:
    """The document as the bytes of a DOCX file; the figure's caption stands for the figure, which Word cannot take as SVG.

    Raises NotADraft for a text that is no draft, MissingExtra when python-docx is not installed.
    """
    document = parse(text)
    if not document.is_draft:
        raise NotADraft(
            "This file holds no retrolog draft; render takes what `retrolog draft -o FILE` wrote."
        )
    try:
        import docx as library
        from docx.shared import Pt
    except ImportError as error:
        raise MissingExtra(
            "Writing DOCX needs python-docx, which is not installed; run: pip install 'retrolog[docx]'"
        ) from error
    out: Any = library.Document()
    out.styles["Normal"].font.size = Pt(10.5)
    metadata = document.metadata
    out.core_properties.title = _xml(str(metadata.get("title") or "Postmortem"))[:255]
    out.core_properties.author = ""
    _Writer(out).write(markdown().parse(_xml(markdown_only(document))))
    buffer = io.BytesIO()
    out.save(buffer)
    return buffer.getvalue()


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


class _Writer:
    """Walks the Markdown tokens and writes paragraphs; what it does not know becomes plain text."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._style: list[str] = []  # of the lists and quotations around
        self._heading = 0

    def write(self, tokens: list[Token]) -> None:
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.type == "heading_open":
                self._heading = int(token.tag[1])
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                self._style.append("List Bullet" if token.type.startswith("bullet") else "List Number")
            elif token.type == "blockquote_open":
                self._style.append("Intense Quote")
            elif token.type in ("bullet_list_close", "ordered_list_close", "blockquote_close"):
                self._style.pop()
            elif token.type == "table_open":
                index = self._table(tokens, index)
            elif token.type in ("fence", "code_block"):
                self._code(token.content)
            elif token.type == "inline":
                self._paragraph(token)
            index += 1

    def _paragraph(self, token: Token) -> None:
        if self._heading:
            paragraph = self._out.add_heading("", level=min(self._heading - 1, 4))
            self._heading = 0
        else:
            paragraph = self._out.add_paragraph(style=self._style[-1] if self._style else None)
        self._runs(paragraph, token)

    def _runs(self, paragraph: Any, token: Token) -> None:
        bold = italic = False
        for child in token.children or []:
            if child.type in ("strong_open", "strong_close"):
                bold = child.type == "strong_open"
            elif child.type in ("em_open", "em_close"):
                italic = child.type == "em_open"
            elif child.content or child.type.endswith("break"):
                run = paragraph.add_run(" " if child.type.endswith("break") else child.content)
                run.bold, run.italic = bold or None, italic or None
                if child.type == "code_inline":
                    run.font.name = _CODE

    def _code(self, content: str) -> None:
        from docx.shared import Pt

        run = self._out.add_paragraph().add_run(content.rstrip("\n"))
        run.font.name, run.font.size = _CODE, Pt(8)

    def _table(self, tokens: list[Token], start: int) -> int:
        end = next(at for at in range(start, len(tokens)) if tokens[at].type == "table_close")
        rows: list[list[Token]] = []
        for token in tokens[start:end]:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(token)
        table = self._out.add_table(
            rows=len(rows), cols=max(len(row) for row in rows), style="Light Grid Accent 1"
        )
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                self._runs(table.cell(at, column).paragraphs[0], cell)
        return end
