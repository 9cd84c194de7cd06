"""Renders a document as PDF, from the same page that `render.html` makes, with WeasyPrint."""

from __future__ import annotations

from typing import Any

from ..errors import MissingExtra
from .render import html

#: How much smaller a document of one page may be set before it gets a second one.
SMALLER = (0.92, 0.84, 0.76, 0.7)
_A4 = (210, 297)  # millimetres


def pdf(text: str, *, one_page: bool = False) -> bytes:
    """The document as the bytes of a PDF file; nothing is loaded from the network or from disk while it is made.

    With `one_page` it is set smaller where that makes it fit on one page. Raises NotADraft for a text that is no draft, MissingExtra when WeasyPrint or the Pango library is not installed.
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

    page = weasyprint.HTML(string=html(text, for_print=True), url_fetcher=refuse)
    if not one_page:
        return bytes(page.write_pdf() or b"")
    scale, laid = 1.0, page.render()
    for smaller in SMALLER:
        if len(laid.pages) == 1:
            break
        # Laid out on a larger sheet, which is then scaled down to A4.
        width, height = (side / smaller for side in _A4)
        sheet = weasyprint.CSS(string=f"@page {{ size: {width:.2f}mm {height:.2f}mm !important }}")
        scale, laid = smaller, page.render(stylesheets=[sheet])
    made: Any = laid.write_pdf
    return bytes(made(zoom=scale) or b"")
