"""Renders a document as a Word file (DOCX, ECMA-376) with real headings, lists and tables."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from ..drafting.document import draft_of
from ..errors import MissingExtra
from . import figure, picture
from .render import FIGURE, figure_caption, figure_svg, markdown, markdown_only

if TYPE_CHECKING:
    from markdown_it.token import Token

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CODE = "Consolas"

_NUMBER = re.compile(r"[+−-]?[\d,.]+(?: ?(?:%|s|ms))?")


def docx(text: str) -> bytes:
    """The document as the bytes of a DOCX file, with the figure as a picture, described for those who do not see it.

    Raises NotADraft for a text that is no draft, MissingExtra when python-docx or Pillow is not installed.
    """
    document = draft_of(text, "render")
    try:
        import docx as library
        from docx.shared import Pt
    except ImportError as error:
        raise MissingExtra(
            "Writing DOCX needs python-docx, which is not installed; run: pip install 'retrolog[docx]'"
        ) from error
    out: Any = library.Document()
    out.styles["Normal"].font.size = Pt(10.5)
    out.styles["Title"].font.size = Pt(20)
    metadata = document.metadata
    out.core_properties.title = _xml(str(metadata.get("title") or "Postmortem"))[:255]
    out.core_properties.author = ""
    drawing = figure_svg(document)
    caption = figure_caption(document)
    body = markdown_only(document, figure_as=f"```{FIGURE}\n```\n\n*{caption}*" if drawing else "\n")
    _Writer(out, drawing).write(markdown().parse(_xml(body)))
    buffer = io.BytesIO()
    out.save(buffer)
    return buffer.getvalue()


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


class _Writer:
    """Walks the Markdown tokens and writes paragraphs; what it does not know becomes plain text."""

    def __init__(self, out: Any, drawing: str) -> None:
        self._out = out
        self._drawing = drawing
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
            elif token.type == "fence" and token.info == FIGURE:
                self._picture()
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

    def _picture(self) -> None:
        page = self._out.sections[0]
        width = page.page_width - page.left_margin - page.right_margin
        shape = self._out.add_picture(io.BytesIO(picture.png(self._drawing)), width=width)
        shape._inline.docPr.set("descr", figure.description(self._drawing))  # python-docx has no name for it

    def _code(self, content: str) -> None:
        from docx.shared import Pt

        run = self._out.add_paragraph().add_run(content.rstrip("\n"))
        run.font.name, run.font.size = _CODE, Pt(8)

    def _table(self, tokens: list[Token], start: int) -> int:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        end = next(at for at in range(start, len(tokens)) if tokens[at].type == "table_close")
        rows: list[list[Token]] = []
        for token in tokens[start:end]:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(token)
        table = self._out.add_table(rows=len(rows), cols=max(len(row) for row in rows), style="Table Grid")
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                paragraph = table.cell(at, column).paragraphs[0]
                self._runs(paragraph, cell)
                for run in paragraph.runs:
                    run.font.size = Pt(9)
                    run.bold = True if at == 0 else run.bold
                if len(row) > 2 and _NUMBER.fullmatch(cell.content):
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        # Long texts get the width, names and numbers what they need.
        needs = [min(36, max(10, *(len(row[at].content) for row in rows if at < len(row)))) for at in range(len(table.columns))]
        page = self._out.sections[0]
        width = page.page_width - page.left_margin - page.right_margin
        table.autofit = False
        for at, column in enumerate(table.columns):
            column.width = width * needs[at] // sum(needs)
            for filled in column.cells:
                filled.width = column.width
        # Without a paragraph between them Word makes one table of two.
        self._out.add_paragraph().paragraph_format.space_after = Pt(2)
        return end
