"""From a summary to findings: the chain of the analysis, in reading order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow.compute as pc

from . import outages
from .behaviour import by_behaviour
from .coverage import uncovered
from .evidence import evidence, quotations, quoted
from .findings import EndpointImpact, Evidence, Findings, Impact, Incident, Series, SourceReport
from .flood import Look, flood
from .impact import impact
from .lessons import lessons
from .outages import SECOND, Span
from .propagation import propagation
from .requests import failing
from .response import roles
from .sentences import share
from .signs import extra_signs
from .signs import signs as signs_of
from .timeline import timeline
from .wording import Clock, duration, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from .change_records import ChangeRecord
    from .changes import Lexicon
    from .summary import Summary
    from .window import Window

#: Points that a figure is drawn from, at most.
POINTS = 400

Fetch = Callable[[str, list[Evidence]], Mapping[int, bytes]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """What the user asked: the window, the zone times are told in, and what was set."""

    window: Window
    zone: str
    max_entries: int = 25
    slo: float | None = None


def analyse(
    summary: Summary, reports: Sequence[SourceReport], question: Question, lexicon: Lexicon, fetch: Fetch, look: Look,
    recorded: Sequence[ChangeRecord] = (),
) -> Findings:
    """Everything a draft is made from.

    `summary` is on one clock (`clock.aligned`), `reports` say what was read of each file, `fetch(file, items)` gives the
    bytes of cited lines by line number, `look(first, last)` the events of a short span.
    `recorded` are changes from outside the logs, in true time.
    """
    signs = extra_signs(recorded, lexicon, signs_of(summary, lexicon))
    found = outages.find(summary, question.window)
    spans = [s for s in found if not s.is_blip]
    signs = by_behaviour(signs, spans)
    floods = [flood(summary, span, question.window, look) for span in spans]
    cast = [
        (span, roles(signs, span, question.window, [surge] if surge else [], spans[:at]))
        for at, (span, surge) in enumerate(zip(spans, floods, strict=True))
    ]
    story = timeline(signs, summary, cast, question.window, question.max_entries)
    incidents = tuple(
        Incident(
            onset=span.onset,
            recovery=span.recovery,
            severity=severity_of(cost),
            signal=span.signal,
            scope=(*scope_of(span, cost), *carried_by(summary, span)),
            impact=cost,
            evidence=_ends(summary, span),
            trigger=part.candidates[0] if part.candidates and part.candidates[0].score > 0 else None,
            candidates=part.candidates,
            detected=part.detected,
            acknowledged=part.acknowledged,
            resolution=part.resolution,
            propagation=propagation(signs, span),
            flaps=span.flaps,
        )
        for span, part in cast
        for cost in (impact(summary, span, question.window, question.slo),)
    )
    first, last = question.window.start, question.window.end
    learned = lessons(incidents, reports, Clock(question.zone, first, last))
    findings = Findings(
        window=(first, last),
        zone=question.zone,
        incidents=incidents,
        timeline=story.entries,
        nearly=story.nearly,
        misleading=tuple(e for e in story.entries if e.kind == "misleading"),
        sources=tuple(reports),
        series=_series(summary, question.window, any(s.closed for s in found)),
        blips=tuple(_blip(s) for s in found if s.is_blip),
        assumptions=_assumptions(reports),
        prompts=learned.prompts,
        actions=learned.actions,
        went_well=learned.went_well,
        went_badly=learned.went_badly,
        lucky=learned.lucky,
        accounting=_accounting(reports),
        verdict="" if incidents else _verdict(summary, signs, found, question.window, uncovered(reports, Clock(question.zone))),
    )
    return _map_evidence(findings, quoted(quotations(findings), fetch))


def severity_of(cost: Impact) -> str:
    return "outage" if cost.failed_percent >= 50 else "partial"


def scope_of(span: Span, cost: Impact) -> tuple[str, ...]:
    """Sentences about what failed and what did not."""
    out = []
    if span.dimension:
        out.append(f"Found in the {span.dimension} {span.value}: {share(span.failed, span.requests, '')}.")
    failing = [e for e in _by_prefix(cost.endpoints) if e.failed >= max(3, 0.02 * e.requests)][:3]
    out += [share(e.failed, e.requests, f"to {e.path}") + "." for e in failing]
    fine = [e.path for e in cost.endpoints if e.failed == 0 and e.requests >= 20][:4]
    if failing and fine:
        out.append(f"No request failed to {', '.join(fine)}.")
    if span.signal == "silence":
        out.append("Requests stopped while other logs went on; the failures are what the rate around the gap lets expect.")
    if span.signal == "latency":
        out.append(f"Requests were slow, not refused: {share(span.failed, span.requests, '').replace('failed', 'were slow')}.")
    return tuple(out)


def carried_by(summary: Summary, span: Span) -> tuple[str, ...]:
    """Whether one upstream or one host of several carried (nearly) all failures, in a sentence; how many errors else."""
    table = outages.between(summary, "requests", outages.edge_sources(summary), span.onset.time, span.end)
    out = []
    for column in ("upstream", "host"):
        rows = table.filter(pc.and_(pc.is_valid(table[column]), pc.invert(table["probe"])))
        rows = rows.append_column("bad", pc.if_else(failing(rows["status"], span.closed), rows["count"], 0))
        by = rows.group_by(column).aggregate([("count", "sum"), ("bad", "sum")]).to_pylist()
        bad, total = sum(r["bad_sum"] for r in by), sum(r["count_sum"] for r in by)
        top = max(by, key=lambda r: (r["bad_sum"], str(r[column])), default=None)
        if top and len(by) > 1 and bad >= 20 and top["bad_sum"] >= 0.95 * bad and top["count_sum"] <= 0.8 * total:
            out.append(f"{number(top['bad_sum'])} of {number(bad)} failed requests went to the {column} {top[column]}, one of {len(by)}.")
    if span.signal == "errors":
        out.append(f"{number(span.failed)} error lines came from onset to recovery; no access log tells of the requests.")
    return tuple(out)


def _by_prefix(endpoints: tuple[EndpointImpact, ...]) -> list[EndpointImpact]:
    """Endpoints below one folder that failed alike as that folder, most failures first; the others as they are."""
    folders: dict[str, list[EndpointImpact]] = {}
    for endpoint in endpoints:
        folders.setdefault(endpoint.path.rsplit("/", 1)[0], []).append(endpoint)
    out: list[EndpointImpact] = []
    for folder, group in folders.items():
        shares = [e.failed / e.requests for e in group if e.requests]
        alike = folder and len(group) >= 3 and shares and max(shares) - min(shares) <= 0.25 and min(shares) > 0.02
        total = EndpointImpact(f"{folder}/*", sum(e.requests for e in group), sum(e.failed for e in group))
        out += [total] if alike else group
    return sorted(out, key=lambda e: (-e.failed, -e.requests, e.path))


def _ends(summary: Summary, span: Span) -> tuple[Evidence, ...]:
    table = outages.failures(summary, outages.edge_sources(summary), span.closed)
    rows = [r for r in table.to_pylist() if r["last_time"] >= span.onset.time and r["time"] <= span.end]
    if not rows:
        return ()
    first = min(rows, key=lambda r: (r["time"], r["file"], r["line"]))
    last = max(rows, key=lambda r: (r["last_time"], r["last_file"], r["last_line"]))
    return (evidence(first), evidence(last, "last_"))


def _series(summary: Summary, window: Window, closed: bool) -> Series | None:
    """Requests, failures and error lines over the window, in at most `POINTS` steps."""
    total = outages.failed_series(summary, outages.edge_sources(summary), closed)
    everything = sorted(set(summary.table("seconds")["source"].to_pylist()))
    errors = outages.series(summary, everything, ("events", "errors"))
    if total is None or errors is None:
        return None
    width = summary.width("seconds")
    start = total.start if window.start is None else max(total.start, window.start // SECOND)
    stop = total.start + len(total.requests) * width
    stop = stop if window.end is None else min(stop, -(-window.end // SECOND))
    if stop <= start:
        return None
    lo, hi = (start - total.start) // width, -(-(stop - total.start) // width)
    step = max(1, -(-(hi - lo) // POINTS))

    def bins(values: np.ndarray) -> tuple[int, ...]:
        part = values[lo:hi]
        return tuple(int(v) for v in np.add.reduceat(part, np.arange(0, len(part), step)))

    return Series((total.start + lo * width) * SECOND, step * width, bins(total.requests), bins(total.failed), bins(errors.failed))


def _blip(span: Span) -> str:
    where = f" in the {span.dimension} {span.value}" if span.dimension else ""
    what = "requests failed" if span.requests else "error lines came"
    return f"{number(span.failed)} {what}{where} within {duration(max(span.end - span.onset.time, SECOND))}: too few to be called an outage."


def _assumptions(reports: Sequence[SourceReport]) -> tuple[str, ...]:
    out: dict[str, list[str]] = {}
    for report in reports:
        for text in (report.zone if not report.zone.startswith("in the line") else "", report.year and f"year {report.year}"):
            if text:
                out.setdefault(text, []).append(report.file)
    return tuple(f"{text}: {', '.join(files)}" for text, files in sorted(out.items()))


def _accounting(reports: Sequence[SourceReport]) -> dict[str, int]:
    total: dict[str, int] = {}
    for report in reports:
        for fate, lines in report.fates.items():
            total[fate] = total.get(fate, 0) + lines
    return total


def _verdict(summary: Summary, signs: pd.DataFrame, found: Sequence[Span], window: Window, empty: str) -> str:
    """What can be said when no outage was found: that there was none, or that it cannot be told; `empty` is why not."""
    if empty:
        return f"It cannot be told whether there was an outage: {empty}."
    sources = outages.edge_sources(summary)
    total = outages.series(summary, sources) if sources else None
    if total is not None and total.requests.sum():
        count, failed = total.inside(window)
        small = f" {number(len(found))} short cluster{'s' if len(found) != 1 else ''} of failures {'are' if len(found) != 1 else 'is'} named below." if found else ""
        if not count:
            return "It cannot be told whether there was an outage: the access logs hold no request inside the window."
        return f"No outage was found: {number(failed)} of {number(count)} requests ({percent(100 * failed / count)}) failed, spread as usual.{small}"
    if len(signs):
        return "No access log was found, and error lines show no surge: from these logs it cannot be told whether users were failed."
    return "It cannot be told whether there was an outage: no access log was found, and no line tells of trouble."


def _map_evidence(value: T, known: Mapping[Evidence, Evidence]) -> T:
    """The same values with every evidence replaced by its quoted form."""
    if isinstance(value, Evidence):
        return known.get(value, value)  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _map_evidence(getattr(value, f.name), known) for f in fields(value)})
    if isinstance(value, tuple):
        return tuple(_map_evidence(v, known) for v in value)  # type: ignore[return-value]
    if isinstance(value, dict):
        return {k: _map_evidence(v, known) for k, v in value.items()}  # type: ignore[return-value]
    return value
