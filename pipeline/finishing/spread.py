"""How an outage spread, drawn from the steps that the document lists: a Mermaid flowchart, or an SVG of boxes and arrows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

#: The blocks of a document that list steps: one an incident.
BLOCK = "spread."
_STEP = re.compile(r"^\d+\. \*\*(?P<name>[^*\n]{1,200})\*\* at (?P<clock>[^,\n]{1,40}),", re.MULTILINE)
_PLAIN = re.compile(r"[^\w ./@-]+")
_WIDE, _HIGH, _GAP, _LETTERS = 150, 46, 44, 18


@dataclass(frozen=True, slots=True)
class Step:
    """One writer's first error: when, and who."""

    clock: str
    name: str


def steps(body: str) -> list[Step]:
    """The steps that a block lists, in its order; a human may have changed them."""
    return [Step(m["clock"].strip(), _plain(m["name"])) for m in _STEP.finditer(body)]


def mermaid(found: list[Step]) -> str:
    """A Mermaid flowchart (mermaid.js.org, "Flowcharts") in a fence; empty below two steps.

    Labels keep letters, digits and a little punctuation, since anything else is syntax to some version of it.
    """
    if len(found) < 2:
        return ""
    rows = [f'    s{at}["{step.name}<br/>{step.clock.replace(":", "∶")}"]' for at, step in enumerate(found)]
    rows += [f"    s{at} --> s{at + 1}" for at in range(len(found) - 1)]
    return "\n".join(["```mermaid", "flowchart LR", *rows, "```"])


def svg(found: list[Step]) -> str:
    """Boxes in the order of the steps with arrows between them, as an `<svg>` element; empty below two steps."""
    if len(found) < 2:
        return ""
    width = len(found) * _WIDE + (len(found) - 1) * _GAP + 4
    label = "How it spread: " + ", then ".join(f"{s.name} at {s.clock}" for s in found)
    parts = []
    for at, step in enumerate(found):
        left = 2 + at * (_WIDE + _GAP)
        name = step.name if len(step.name) <= _LETTERS else step.name[: _LETTERS - 1] + "…"
        middle = left + _WIDE / 2
        parts.append(f'<rect x="{left}" y="2" width="{_WIDE}" height="{_HIGH}" rx="6" fill="none" stroke="currentColor"/>')
        parts.append(f'<text x="{middle:g}" y="21" text-anchor="middle" font-size="13" fill="currentColor">{escape(name)}</text>')
        parts.append(f'<text x="{middle:g}" y="39" text-anchor="middle" font-size="12" fill="currentColor">{escape(step.clock)}</text>')
        if at + 1 < len(found):
            begin, end = left + _WIDE + 4, left + _WIDE + _GAP - 4
            parts.append(f'<path d="M{begin} 25H{end}m-7 -5l7 5l-7 5" fill="none" stroke="currentColor" stroke-width="1.5"/>')
    drawing = f'<svg class="spread" viewBox="0 0 {width} {_HIGH + 4}" width="{width}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    return f"<figure>\n{drawing}\n</figure>\n"


def _plain(name: str) -> str:
    """A name of letters, digits and a little punctuation, without the marks that quote it."""
    return " ".join(_PLAIN.sub(" ", name.replace("`", "")).split())[:60] or "?"
