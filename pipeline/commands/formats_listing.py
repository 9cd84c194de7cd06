"""The formats as they declare themselves, for people and for `docs/formats.md`; and what is understood of a file, line by line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from ...parsers.base import Event, Format
from ...parsers.blocks import BlockParser
from ...parsers.custom import OwnPattern
from ...parsers.timestamps import TimeContext
from ..safe import clean_lines, terminal

if TYPE_CHECKING:
    import pyarrow as pa

    from ..reading.rules import Reading
    from ..reading.sources import Discovery

#: Stamps without a year are shown as of this moment (2026-11-25 00:00:00 UTC), so that the listing never changes by itself.
REFERENCE = 1_795_564_800_000_000
_PLACE = {"line", "lines", "offset", "size", "format", "fields"}
_COLUMNS = tuple(f.name for f in fields(Event) if f.name not in _PLACE)
_SHOWN = 100  # characters of a message or sample on a terminal


@dataclass(frozen=True, slots=True)
class Row:
    """A format: what it gives, learnt from its own samples: `columns` of the event, and names in `fields`."""

    form: Format
    columns: tuple[str, ...]
    fields: tuple[str, ...]


def listing(formats: Sequence[Format]) -> list[Row]:
    """The formats in the order of their names, with the columns that their samples fill."""
    return [_row(form, tuple(formats)) for form in sorted(formats, key=lambda form: form.name)]


def _row(form: Format, formats: tuple[Format, ...]) -> Row:
    columns: set[str] = set()
    names: dict[str, None] = {}
    for sample in form.samples:
        parser = BlockParser(TimeContext(reference=REFERENCE), formats=formats)
        for event in [*parser.events(sample.encode(), 1, 0), *parser.last_event()]:
            columns |= {name for name in _COLUMNS if getattr(event, name) not in (None, "")}
            names |= dict.fromkeys(event.fields)
    return Row(form, tuple(name for name in _COLUMNS if name in columns), tuple(names))


def as_text(rows: Sequence[Row]) -> str:
    """A block a format: name and title, what it gives, where it is defined, its samples."""
    out: list[str] = []
    for row in rows:
        out.append(f"{row.form.name}: {terminal(row.form.title)}")
        out.append(f"  gives {', '.join(row.columns) or 'nothing'}" + (f"; fields {', '.join(map(terminal, row.fields))}" if row.fields else ""))
        out.append(f"  see {terminal(row.form.reference)}")
        out += [f"  | {_cut(line)}" for sample in row.form.samples for line in sample.split("\n")]
        out.append("")
    return "\n".join([*out, f"{len(rows)} formats"]) + "\n"


def as_json(rows: Sequence[Row]) -> str:
    """An array of objects: name, title, columns, fields, reference, priority, samples."""
    values = [
        {
            "name": row.form.name, "title": row.form.title, "columns": row.columns, "fields": row.fields,
            "reference": row.form.reference, "priority": row.form.priority, "samples": row.form.samples,
        }
        for row in rows
    ]  # fmt: skip
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def as_markdown(rows: Sequence[Row]) -> str:
    """`docs/formats.md`: a table of all formats, then the samples of each."""
    out = [
        "# Formats",
        "",
        "Made by `retrolog formats list --format md` from what the formats declare; the columns are those that the samples fill.",
        "A row is asked of the formats that spoke last in its file, then of all others in the order of their priority. To add",
        "one of your own, see [configuration.md](configuration.md).",
        "",
        f"{len(rows)} formats:",
        "",
        "| name | what it is | columns | further fields | defined by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        cells = (f"[{row.form.name}](#{row.form.name})", row.form.title, ", ".join(row.columns), ", ".join(row.fields), row.form.reference)
        out.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    out += ["", "## Samples", ""]
    for row in rows:
        fence = "```"
        while any(fence in sample for sample in row.form.samples):
            fence += "`"
        out += [f"### {row.form.name}", "", fence + "text", *map(_sample, row.form.samples), fence, ""]
    return "\n".join(out)


def _sample(text: str) -> str:
    """A sample as it is written, tabs included; what a terminal would obey is shown as an escape."""
    return "\t".join(clean_lines(part) for part in text.split("\t"))


def understood(found: Discovery, reading: Reading) -> Iterator[dict[str, Any]]:
    """One object an event of the files, in their order: `line`, `lines`, `format` (null where none knew the row) and what it gave."""
    from ..reading.ingest import Reader
    from .events import rows

    reading = replace(reading, undated=True, count=False)
    for source in found.sources:
        for file in source.files:
            for table in Reader(file, source.name, reading).tables():
                for row in rows(_in_order(table)):
                    yield row | {"format": row["format"] or None}


def _in_order(table: pa.Table) -> pa.Table:
    return table.sort_by([("line", "ascending")])


def line_by_line(events: Iterator[dict[str, Any]], counts: Counter[str], own: Sequence[Format] = ()) -> Iterator[str]:
    """A text row a line of the file: its number, its format, and what was understood of it; `counts` takes lines by format.

    Of a line that begins no event it says how far the patterns of `own` formats fit.
    """
    file = None
    for event in events:
        if event["file"] != file:
            file = event["file"]
            yield f"{terminal(file)}:"
        name = event["format"] or "not understood"
        counts[name] += 1
        counts["continued"] += event["lines"] - 1
        yield f"{event['line']:>7}  {name:<16}  {_told(event)}"
        said = (event["message"] or "").split("\n")
        if event["format"] is None:
            yield from _stops(said[0], own)
        for at in range(1, event["lines"]):
            yield f"{event['line'] + at:>7}  {'':<16}  continues line {event['line']}"
            if at < len(said):
                yield from _stops(said[at], own)


def _stops(text: str, own: Sequence[Format]) -> Iterator[str]:
    """Where the patterns that fit at least the beginning of a row stop to fit."""
    for form in own:
        if isinstance(form.parse, OwnPattern):
            fitted, piece = form.parse.stops(text.strip())
            if fitted:
                yield f"{'':>7}  {'':<16}  {form.name} fits its first {fitted} characters, then needs {_cut(piece)}"


def _told(event: dict[str, Any]) -> str:
    said = [event["time"] or "no time"]
    said += [f"{key}={event[key]}" for key in ("severity", "host", "service", "pid") if event[key] is not None]
    said += [f"{key}={value}" for key, value in event["fields"].items()]
    message = (event["message"] or "").split("\n")[0]
    return _cut(" ".join(said), 3 * _SHOWN) + "  " + _cut(message)


def total(counts: Counter[str]) -> str:
    """`12 lines: 9 shop, 2 continued, 1 not understood`."""
    parts = [f"{n:,} {name}" for name, n in counts.most_common() if n]
    return f"{sum(counts.values()):,} lines: {', '.join(parts) or 'none'}"


def _cut(text: str, length: int = _SHOWN) -> str:
    return terminal(text if len(text) <= length else text[: length - 1] + "…")
