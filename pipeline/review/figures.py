"""The figure of the review page: a part of the series, and the entries as dots below it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from ..drafting.document import Document
from ..drafting.entries import instant
from ..finishing import figure
from ..wording import SECOND
from .sheet import KEYS, Sheet

PLOT = 110  # height of the plot
AROUND = 180 * SECOND  # at least so much is shown on either side of the outages
STRIP = 22


@dataclass(frozen=True, slots=True)
class Drawn:
    """The figure as HTML, and the span it shows (microseconds), so that a place in it can be turned into a moment."""

    svg: str
    dots: str
    start: int
    end: int
    whole: tuple[int, int]
    legend: str


def draw(document: Document, sheet: Sheet, start: int | None = None, end: int | None = None) -> Drawn | None:
    """The figure from `start` to `end`, else around the outages; None without a series."""
    data = document.data("figure")
    if not isinstance(data, dict):
        return None
    whole = _extent(data)
    if whole is None:
        return None
    if start is None or end is None:
        start, end = _interesting(sheet, whole)
    part = _part(data, start, end)
    first, last = _extent(part) or whole
    marks, spans = _marked(sheet, first, last)
    drawing = figure.svg(part, marks, spans, uid="figure", plot=PLOT)
    return (
        Drawn(drawing, _dots(sheet, first, last), first, last, whole, figure.legend(data))
        if drawing
        else None
    )


def _interesting(sheet: Sheet, whole: tuple[int, int]) -> tuple[int, int]:
    """The span around all outages and what led to them, in which they take up a good part of the figure."""
    times = [
        at
        for one in sheet.incidents
        for kind in KEYS
        if (at := instant(one.get(kind))) is not None and whole[0] <= at <= whole[1]
    ]
    if not times:
        return whole
    margin = max(AROUND, (max(times) - min(times)) // 2)
    return max(whole[0], min(times) - margin), min(whole[1], max(times) + margin)


def _marked(sheet: Sheet, first: int, last: int) -> tuple[list[figure.Mark], list[tuple[int, int | None]]]:
    marks: list[figure.Mark] = []
    spans: list[tuple[int, int | None]] = []
    for one in sheet.incidents:
        times = {kind: instant(one.get(kind)) for kind in KEYS}
        marks += figure.marks_of(one, times)
        onset, recovery = times["onset"], times["recovery"]
        if onset is not None and onset <= last and (recovery is None or recovery >= first):
            spans.append((onset, recovery))
    return marks, spans


def _extent(data: dict[str, Any]) -> tuple[int, int] | None:
    start, step = data.get("start"), data.get("step")
    length = max(
        (len(data[name]) for name in ("requests", "errors") if isinstance(data.get(name), list)), default=0
    )
    if not isinstance(start, int) or not isinstance(step, int) or step < 1 or not length:
        return None
    return start, start + length * step * SECOND


def _part(data: dict[str, Any], start: int, end: int) -> dict[str, Any]:
    """The series cut to whole steps around a span; all of it where less than two steps would be left."""
    step = data["step"] * SECOND
    low, high = max(0, (start - data["start"]) // step), -(-(end - data["start"]) // step)
    cut = {
        name: data[name][low:high]
        for name in ("requests", "failed", "errors")
        if isinstance(data.get(name), list)
    }
    if max((len(values) for values in cut.values()), default=0) < 2:
        return data
    return {**data, **cut, "start": data["start"] + low * step}


def _dots(sheet: Sheet, start: int, end: int) -> str:
    """Entries as dots on the figure's clock; for the eye and the mouse, the list itself serves the keyboard."""
    width = figure.WIDTH - figure.LEFT - figure.RIGHT
    parts = [f'<svg class="dots" viewBox="0 0 {figure.WIDTH} {STRIP}" aria-hidden="true" focusable="false">']
    for item in sheet.items:
        if item.moment is None or not start <= item.moment <= end:
            continue
        x = figure.LEFT + (item.moment - start) / (end - start) * width
        name = escape(f"{item.time} {item.label}".strip())
        done = " done" if item.done else ""
        parts.append(
            f'<circle class="dot{done}" data-ref="{escape(item.ref)}" cx="{x:.1f}" cy="{STRIP / 2}" r="5"><title>{name}</title></circle>'
        )
    return "".join([*parts, "</svg>"])
