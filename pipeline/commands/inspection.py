"""What each file is: container, format, zone, first and last time, lines, unparsed; the answer of `retrolog inspect`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..safe import terminal
from ..wording import number
from .events import iso

if TYPE_CHECKING:
    from ..findings import SourceReport


def as_json(reports: Sequence[SourceReport], skipped: Sequence[Any]) -> str:
    """The reports as JSON: one object a file, times in ISO 8601 UTC."""
    rows = [asdict(r) | {"first": iso(r.first), "last": iso(r.last)} for r in reports]
    rows += [{"file": s.file, "skipped": s.reason} for s in skipped]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def as_text(reports: Sequence[SourceReport], skipped: Sequence[Any]) -> str:
    """The reports as a table for a terminal, then notes and what is not read."""
    head = ("file", "container", "format", "lines", "events", "unparsed", "first (UTC)", "last (UTC)", "zone")
    rows: list[tuple[str, ...]] = [head]
    for r in reports:
        share = f"{number(r.unparsed)}" + (f" ({100 * r.unparsed / r.lines:.0f} %)" if r.unparsed and r.lines else "")
        times = [(iso(t) or "-")[:19].replace("T", " ") for t in (r.first, r.last)]
        rows.append((terminal(r.file), r.container, r.format, number(r.lines), number(r.events), share, *times, r.zone or "-"))
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    right = {3, 4, 5}
    out = ["  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows]
    for r in reports:
        if r.year:
            out.append(f"{terminal(r.file)}: year {r.year}")
        if r.day:
            out.append(f"{terminal(r.file)}: day {terminal(r.day)}")
        if r.unit:
            out.append(f"{terminal(r.file)}: {terminal(r.unit)}")
        if r.clock_note:
            out.append(f"{terminal(r.file)}: clock {r.clock_note}")
        out += [f"{terminal(r.file)}: {terminal(note)}" for note in r.notes]
    out += [f"{terminal(s.file)}: not read: {terminal(s.reason)}" for s in skipped]
    return "\n".join(out) + "\n"
