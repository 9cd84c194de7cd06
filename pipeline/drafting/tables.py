"""Rows of the document's tables: what an outage cost, and what was read of each source."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from .. import safe, wording
from ..findings import Impact, SourceReport
from ..wording import number, percent

ENDPOINTS = 8
#: What became of a line, in the words of the document.
FATES = {
    "in_window": "inside the window",
    "outside": "outside of it",
    "undated": "without a time",
    "continued": "that continue another",
    "skipped": "in files or parts that were skipped",
}


def loss(impact: Impact, signal: str) -> str:
    """What users lost, in the words of the signal that showed it."""
    if impact.failed and signal == "silence" and impact.failed < impact.requests:
        return f"about {number(impact.failed)} of the {number(impact.requests)} requests that were to be expected ({percent(impact.failed_percent)}) never came"
    if impact.failed and signal == "silence":
        return f"no request was answered, where about {number(impact.requests)} were to be expected"
    if impact.failed and signal == "errors":
        return f"of {number(impact.requests)} outcomes that the logs tell of, {number(impact.failed)} ({percent(impact.failed_percent)}) are failures"
    if impact.failed:
        what = "were refused" if signal == "refusals" else "failed"
        return f"{number(impact.failed)} of {number(impact.requests)} requests ({percent(impact.failed_percent)}) {what}"
    before, during = impact.latency_before, impact.latency_during
    if signal == "latency" and before and during and before.p95 is not None and during.p95 is not None:
        slow = f"{wording.seconds(before.p95)} to {wording.seconds(during.p95)}"
        return f"the 95th percentile of the request duration rose from {slow}"
    if signal == "silence":
        return "fewer log lines were written than before, or none"
    if signal == "errors":
        return "the logs hold more error lines than before; no request is logged as failed"
    return "no request is logged as failed"


def latency_rows(impact: Impact) -> list[tuple[str, str, str]]:
    """(percentile, before, during) of the request duration, where it was logged."""
    before, during = impact.latency_before, impact.latency_during
    if before is None or during is None:
        return []
    pairs = (
        ("Duration, median", before.p50, during.p50),
        ("Duration, p95", before.p95, during.p95),
        ("Duration, p99", before.p99, during.p99),
    )
    return [
        (label, wording.seconds(low), wording.seconds(high))
        for label, low, high in pairs
        if low is not None or high is not None
    ]


def endpoints(impact: Impact) -> dict[str, Any]:
    """Rows of the endpoints that failed, most failures first, and a sentence on all others."""
    rows = sorted(impact.endpoints, key=lambda one: (-one.failed, -one.requests, one.path))
    failing = [one for one in rows if one.failed]
    shown, rest = failing[:ENDPOINTS], failing[ENDPOINTS:] + [one for one in rows if not one.failed]
    return {
        "rows": [
            {
                "path": Markup(safe.code(one.path, cell=True)),
                "requests": number(one.requests),
                "failed": number(one.failed),
                "share": percent(100 * one.failed / one.requests if one.requests else 0.0),
            }
            for one in shown
        ],
        "rest": (
            f"{wording.plural(len(rest), 'other endpoint')}: {number(sum(one.failed for one in rest))} of "
            f"{wording.plural(sum(one.requests for one in rest), 'request')} failed."
            if rest and failing
            else ""
        ),
    }


def statuses(impact: Impact) -> Markup:
    """How the failed requests were answered, as a sentence."""
    parts = [f"{number(count)} with {word}" for word, count in impact.statuses]
    return Markup(safe.prose(f"Of the failed requests, {', '.join(parts)}.")) if parts else Markup("")


def fates_of(sources: tuple[SourceReport, ...]) -> dict[str, int]:
    """Lines by fate, summed over the sources."""
    total: dict[str, int] = {}
    for report in sources:
        for fate, count in report.fates.items():
            if fate in FATES:
                total[fate] = total.get(fate, 0) + count
    return total


def source(report: SourceReport) -> dict[str, Any]:
    """The row of a source: its counts, and what was assumed to read it."""
    offset = f"{report.clock_offset_s:+,.1f} s" if abs(report.clock_offset_s) >= 0.0005 else "0 s"
    notes = [report.skipped and f"skipped: {report.skipped}", report.day and f"day {report.day}", report.unit, report.clock_note, *report.notes]
    return {
        "file": Markup(safe.code(report.file, cell=True)),
        "format": Markup(safe.prose(report.format or "–", cell=True)),
        "lines": number(report.lines),
        "events": number(report.events),
        "unparsed": number(report.unparsed),
        "zone": Markup(safe.prose(report.zone or "–", cell=True)),
        "year": Markup(safe.prose(report.year or "in the line", cell=True)),
        "offset": offset,
        "notes": [Markup(safe.prose(wording.sentence(note))) for note in notes if note],
    }
