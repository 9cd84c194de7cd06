"""Draws the figure as PNG, for readers that take no SVG: Word, and pages of a wiki.

It reads the SVG that `figure.svg` writes, and nothing else: rectangles, lines, stepped areas and labels, with the colours
of a printed page. The letters come with Pillow, so that the same document gives the same picture on every machine.
"""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree

from ..errors import MissingExtra
from .figure import COLOURS

SCALE = 2  # pixels for each unit of the SVG, enough for print at the width of a page
_SVG = "{http://www.w3.org/2000/svg}"
_STEP = re.compile(r"([MVHZ])([-\d.]*)(?:,([-\d.]+))?")
_MIDDLE_OF_LINE = {"start": "ls", "middle": "ms", "end": "rs"}  # anchors of Pillow at the line that letters stand on


def png(svg: str) -> bytes:
    """The picture of a figure as the bytes of a PNG; raises MissingExtra when Pillow is not installed."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise MissingExtra(
            "Drawing the figure needs Pillow, which is not installed; run: pip install 'retrolog[docx]'"
        ) from error
    root = ElementTree.fromstring(svg)
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    image = Image.new("RGB", (round(width * SCALE), round(height * SCALE)), "white")
    drawing = ImageDraw.Draw(image)
    font = ImageFont.load_default(12 * SCALE)
    for element, colour in _shapes(root, ""):
        _draw(drawing, element, colour, font)
    buffer = io.BytesIO()
    image.quantize(32, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _shapes(parent: Any, group: str) -> list[tuple[Any, str]]:
    """The elements to draw, in order, each with its colour."""
    found: list[tuple[Any, str]] = []
    for element in parent:
        kind = element.attrib.get("class", "")
        if element.tag == f"{_SVG}g":
            found += _shapes(element, kind)
        elif kind != "hover" and element.tag.removeprefix(_SVG) in ("rect", "line", "path", "text"):
            names = [*kind.split(), *reversed(group.split()), "text"]
            found.append((element, next(COLOURS[name] for name in names if name in COLOURS)))
    return found


def _draw(drawing: Any, element: Any, colour: str, font: Any) -> None:
    kind, given = element.tag.removeprefix(_SVG), element.attrib

    def at(*names: str) -> list[float]:
        return [float(given[name]) * SCALE for name in names]

    if kind == "rect":
        x, y, width, height = at("x", "y", "width", "height")
        drawing.rectangle((x, y, x + width, y + height), fill=colour)
    elif kind == "line":
        drawing.line(at("x1", "y1", "x2", "y2"), fill=colour, width=SCALE)
    elif kind == "path":
        drawing.polygon(_area(given["d"]), fill=colour)
    else:
        anchor = _MIDDLE_OF_LINE[given.get("text-anchor", "start")]
        drawing.text(at("x", "y"), element.text or "", fill=colour, font=font, anchor=anchor)


def _area(path: str) -> list[tuple[float, float]]:
    """The corners of a stepped area: a start, then moves along one axis at a time."""
    x = y = 0.0
    corners: list[tuple[float, float]] = []
    for command, first, second in _STEP.findall(path):
        if command == "M":
            x, y = float(first), float(second)
        elif command == "H":
            x = float(first)
        elif command == "V":
            y = float(first)
        corners.append((x * SCALE, y * SCALE))
    return corners
