"""Draws an outage as SVG: requests and failures over time, with the moments that matter marked.

Pure text, no script: colours come from classes (`shared.css`), so the figure follows light, dark and print.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from .. import wording
from ..wording import SECOND, Clock

WIDTH, PLOT_HEIGHT = 960, 220
LEFT, RIGHT, BOTTOM, ROW = 52, 16, 34, 17
BARS = 120
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_NAMES = {
    "trigger": "trigger?",
    "onset": "onset",
    "detected": "detected",
    "resolution": "action",
    "recovery": "recovery",
}

#: Colours of a printed page, by class; what has none of its own is drawn like text.
COLOURS = {
    "text": "#444444",
    "requests": "#b9c7d6",
    "failed": "#a31f18",
    "span": "#f8edec",
    "grid": "#cccccc",
    "axis": "#444444",
    "mark": "#000000",
    "trigger": "#7a5000",
    "resolution": "#1b5e39",
}
_STYLE = (
    f"text{{font-family:sans-serif;font-size:12px;fill:{COLOURS['text']}}}.requests{{fill:{COLOURS['requests']}}}"
    f".failed{{fill:{COLOURS['failed']}}}.span{{fill:{COLOURS['span']}}}.grid{{stroke:{COLOURS['grid']}}}"
    f".axis{{stroke:{COLOURS['axis']}}}.hover{{fill:none}}"
    f".mark line{{stroke:{COLOURS['mark']}}}.mark text{{fill:{COLOURS['mark']};font-weight:600}}"
    + "".join(f".{name} line{{stroke:{COLOURS[name]}}}.{name} text{{fill:{COLOURS[name]}}}" for name in ("trigger", "resolution"))
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment to mark: `kind` is trigger, onset, detected, resolution or recovery; `time` in microseconds.

    A trigger that nobody confirmed is marked with a question mark.
    """

    kind: str
    time: int
    confirmed: bool = False

    @property
    def name(self) -> str:
        name = _NAMES.get(self.kind, self.kind)
        return name.rstrip("?") if self.confirmed else name


def marks_of(incident: Mapping[str, Any], times: Mapping[str, int | None]) -> list[Mark]:
    """The marks of an incident of the front matter, at these times."""
    sure = incident.get("trigger_status") == "confirmed"
    return [Mark(kind, at, sure and kind == "trigger") for kind, at in times.items() if at is not None]


@dataclass(frozen=True, slots=True)
class _Bar:
    start: int
    end: int
    total: int
    failed: int


def svg(
    data: dict[str, Any],
    marks: Sequence[Mark] = (),
    spans: Sequence[tuple[int, int | None]] = (),
    *,
    uid: str = "figure",
    styled: bool = False,
    plot: int = PLOT_HEIGHT,
) -> str:
    """The figure as an `<svg>` element; empty when the series holds nothing.

    `data` is what `draft.figure_data` made: zone, start (microseconds), step (seconds), and per step `requests`,
    `failed`, `errors`. With `styled` it carries its own colours, for use outside of the report. `spans` are (onset, recovery) pairs to shade, `plot` is the height of the plot where the width is
    `WIDTH`. Values of the wrong kind count as nothing.
    """
    series = _series(data)
    if series is None:
        return ""
    bars, requests = series
    start, end = bars[0].start, bars[-1].end
    clock = Clock(str(data.get("zone") or "UTC"), start, end)
    inside = [mark for mark in sorted(marks, key=lambda mark: mark.time) if start <= mark.time <= end]
    rows = _rows(inside, start, end)
    top = max(24, 10 + ROW * (max(rows, default=-1) + 1))
    height = top + plot + BOTTOM
    levels = _levels(max(bar.total / _seconds(bar) for bar in bars))

    def x(moment: int) -> float:
        return LEFT + (min(max(moment, start), end) - start) / (end - start) * (WIDTH - LEFT - RIGHT)

    def y(rate: float) -> float:
        return top + plot * (1 - rate / levels[-1])

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{uid}-title {uid}-desc">',
        f'<title id="{uid}-title">{escape(_title(requests, clock, start, end))}</title>',
        f'<desc id="{uid}-desc">{escape(_description(bars, requests, inside, clock))}</desc>',
    ]
    if styled:
        parts.append(f"<style>{_STYLE}</style>")
    for onset, recovery in spans:
        left, right = x(onset), x(end if recovery is None else recovery)
        parts.append(
            f'<rect class="span" x="{left:.1f}" y="{top}" width="{max(right - left, 1):.1f}" height="{plot}"/>'
        )
    for rate in levels:
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(rate):.1f}" y2="{y(rate):.1f}"/>'
        )
        parts.append(
            f'<text class="tick" x="{LEFT - 8}" y="{y(rate) + 4:.1f}" text-anchor="end">{rate:g}</text>'
        )
    unit = "requests/s" if requests else "error lines/s"
    parts.append(f'<text class="unit" x="0" y="{top - 6 if not rows else 12}">{unit}</text>')
    parts.append(f'<path class="requests" d="{_area(bars, x, y, [bar.total for bar in bars])}"/>')
    parts.append(f'<path class="failed" d="{_area(bars, x, y, [bar.failed for bar in bars])}"/>')
    base = top + plot
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    for moment, label in _ticks(clock, start, end):
        parts.append(
            f'<line class="axis" x1="{x(moment):.1f}" x2="{x(moment):.1f}" y1="{base}" y2="{base + 5}"/>'
        )
        parts.append(
            f'<text class="tick" x="{min(x(moment), WIDTH - 3.5 * len(label)):.1f}" y="{base + 20}" text-anchor="middle">{label}</text>'
        )
    for mark, row in zip(inside, rows, strict=True):
        parts.append(_mark(mark, x(mark.time), 10 + ROW * row, base, clock))
    parts += _hover(bars, requests, x, top, clock, plot)
    return "\n".join([*parts, "</svg>"])


def description(drawing: str) -> str:
    """What a figure shows, in words, from its SVG."""
    return unescape(": ".join(re.findall(r"<(?:title|desc) id[^>]*>([^<]*)<", drawing)))


def legend(data: dict[str, Any]) -> str:
    """The figure's legend as HTML."""
    if any(_whole(data.get("requests"))):
        return '<span class="key requests">requests</span> <span class="key failed">failed requests</span>'
    return '<span class="key failed">log lines of severity error and above</span>'


def _whole(values: Any) -> list[int]:
    return (
        [int(v) if isinstance(v, int | float) and v > 0 else 0 for v in values]
        if isinstance(values, list)
        else []
    )


def _series(data: dict[str, Any]) -> tuple[list[_Bar], bool] | None:
    """Bars of a round length in seconds, and whether they count requests (else error lines)."""
    total, failed = _whole(data.get("requests")), _whole(data.get("failed"))
    requests = any(total)
    if not requests:
        total = failed = _whole(data.get("errors"))
    start, step = data.get("start"), data.get("step")
    if not any(total) or not isinstance(start, int) or not isinstance(step, int) or step < 1:
        return None
    failed += [0] * (len(total) - len(failed))
    wide = next((s for s in _STEPS if s % step == 0 and len(total) * step <= s * BARS), 0)
    least = -(-len(total) // BARS)
    # A round length is worth somewhat coarser bars, not ones that hide the course.
    group = wide // step if wide and wide // step <= 4 * least else least
    bars = [
        _Bar(
            start + at * step * SECOND,
            start + min(at + group, len(total)) * step * SECOND,
            sum(total[at : at + group]),
            sum(failed[at : at + group]),
        )
        for at in range(0, len(total), group)
    ]
    return bars, requests


def _seconds(bar: _Bar) -> float:
    return (bar.end - bar.start) / SECOND


def _levels(peak: float) -> list[float]:
    """Round rates for the axis, the last one at or above the peak: steps of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(peak))
    step = next(power * part for part in (0.1, 0.2, 0.5, 1, 2, 5) if peak / (power * part) <= 5)
    return [round(step * at, 10) for at in range(math.ceil(peak / step) + 1)]


def _area(bars: list[_Bar], x: Any, y: Any, counts: list[int]) -> str:
    """A stepped area: each bar is flat over its time."""
    path = [f"M{x(bars[0].start):.1f},{y(0):.1f}"]
    for bar, count in zip(bars, counts, strict=True):
        level = f"{y(count / _seconds(bar)):.1f}"
        path.append(f"V{level}H{x(bar.end):.1f}")
    return "".join([*path, f"V{y(0):.1f}Z"])


def _rows(marks: list[Mark], start: int, end: int) -> list[int]:
    """The label row of each mark, so that labels do not run into each other."""
    free: list[float] = []
    rows = []
    for mark in marks:
        at = LEFT + (mark.time - start) / (end - start) * (WIDTH - LEFT - RIGHT)
        row = next((r for r, until in enumerate(free) if at > until), len(free))
        if row == len(free):
            free.append(0.0)
        free[row] = at + 150
        rows.append(row)
    return rows


def _mark(mark: Mark, x: float, y: float, base: float, clock: Clock) -> str:
    left = x > WIDTH - 160
    anchor, shift = ("end", -6) if left else ("start", 6)
    label = f"{mark.name} {clock.at(mark.time):%H:%M:%S}"
    return (
        f'<g class="mark {escape(mark.kind)}"><line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 6:.1f}" y2="{base}"/>'
        f'<text x="{x + shift:.1f}" y="{y + 5:.1f}" text-anchor="{anchor}">{escape(label)}</text></g>'
    )


def _ticks(clock: Clock, start: int, end: int) -> Iterator[tuple[int, str]]:
    """Round moments of the axis, in the incident's zone."""
    length = (end - start) / SECOND
    step = next((s for s in _STEPS if length / s <= 9), 86400 * max(1, round(length / 86400 / 8)))
    offset = clock.at(start).utcoffset()
    shift = int(offset.total_seconds()) if offset else 0
    at = -(-(start // SECOND + shift) // step) * step - shift
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%Y-%m-%d"
    while at * SECOND <= end:
        moment = at * SECOND
        local = clock.at(moment)
        day = step < 86400 and length > 86400 and local.hour == 0 and local.minute == 0
        yield moment, f"{local:%m-%d}" if day else f"{local:{form}}"
        at += step


def _hover(bars: list[_Bar], requests: bool, x: Any, top: float, clock: Clock, plot: int) -> Iterator[str]:
    """Unseen rectangles whose titles browsers show as tooltips, without a script."""
    for bar in bars:
        counts = (
            f"{wording.plural(bar.total, 'request')}, {wording.number(bar.failed)} failed"
            if requests
            else wording.plural(bar.total, "error line")
        )
        label = f"{clock.time(bar.start)} to {clock.time(bar.end)}: {counts}"
        left = x(bar.start)
        yield (
            f'<rect class="hover" x="{left:.1f}" y="{top}" width="{x(bar.end) - left:.1f}" height="{plot}">'
            f"<title>{escape(label)}</title></rect>"
        )


def _title(requests: bool, clock: Clock, start: int, end: int) -> str:
    what = "Requests and failed requests" if requests else "Log lines of severity error and above"
    return f"{what} a second, {clock.stamp(start)} to {clock.time(end)} ({clock.label(start)})"


def _description(bars: list[_Bar], requests: bool, marks: list[Mark], clock: Clock) -> str:
    """The figure in words, for those who do not see it."""
    total, failed = sum(bar.total for bar in bars), sum(bar.failed for bar in bars)
    worst = max(bars, key=lambda bar: bar.failed)
    said = [
        f"{wording.plural(total, 'request')}, {wording.number(failed)} failed"
        if requests
        else wording.plural(total, "error line")
    ]
    if worst.failed:
        said.append(
            f"most failures from {clock.time(worst.start)} to {clock.time(worst.end)}: {wording.number(worst.failed)}"
        )
    said += [f"{mark.name.rstrip('?')} at {clock.time(mark.time)}" for mark in marks]
    return "; ".join(said) + "."
