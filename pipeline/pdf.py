"""Renders a document as PDF, from the same page that `render.html` makes, with WeasyPrint."""

from __future__ import annotations

from typing import Any

from .errors import MissingExtra
from .render import html


def pdf(text: str) -> bytes:
    """The document as the bytes of a PDF file; nothing is loaded from the network or from disk while it is made.

    Raises NotADraft for a text that is no draft, MissingExtra when WeasyPrint or the Pango library is not installed.
    """
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        raise MissingExtra(
            "Writing PDF needs WeasyPrint and the Pango library; run: pip install 'retrolog[pdf]'"
            " (on Debian also: apt install libpango-1.0-0 libpangoft2-1.0-0)"
        ) from error

    def refuse(url: str, *_: Any, **__: Any) -> Any:
        raise ValueError(f"a document may not load {url}")

    page = html(text, for_print=True)
    return bytes(weasyprint.HTML(string=page, url_fetcher=refuse).write_pdf() or b"")
