"""From a summary to findings: the chain of the analysis, in reading order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa

from ..findings import EndpointImpact, Entry, Evidence, Findings, Impact, Incident, Series, SourceReport
from ..wording import Clock, duration, number, percent, plural, seconds
from . import traffic
from .causes.propagation import propagation
from .causes.response import Roles, roles
from .clues.behaviour import by_behaviour
from .clues.recurring import with_recurring
from .clues.signs import extra_signs
from .clues.signs import signs as signs_of
from .edge import edge_sources
from .evidence import evidence, quotations, quoted
from .impact.attributes import attributes, looked_until, names
from .impact.cost import impact
from .impact.flood import Look, flood
from .impact.outside import outside, without
from .impact.separation import Separation, separations, told
from .outages import search as outages
from .outages.absence import drops
from .outages.bounds import touches
from .outages.closer import Again, Part, belongs, parts, with_parts
from .outages.refusals import with_first_and_last
from .outages.slowness import Slowed, slowed
from .outages.stalls import stalls
from .sentences import share
from .story.coverage import uncovered
from .story.lessons import lessons
from .story.quiet import complaint
from .story.timeline import timeline
from .traffic import SECOND, Span

if TYPE_CHECKING:
    import pandas as pd

    from ..counting.changes import Lexicon
    from ..counting.summary import Summary
    from ..window import Window
    from .clues.change_records import ChangeRecord

#: Points that a figure is drawn from, at most.
POINTS = 400
#: Answers to looks at single events that are kept: rows of one, and how many.
REMEMBERED, REMEMBERED_TIMES = 200_000, 4

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
    recorded: Sequence[ChangeRecord] = (), again: Again | None = None, asked: Look | None = None,
) -> Findings:
    """Everything a draft is made from.

    `summary` is on one clock (`clock.aligned`), `reports` say what was read of each file, `fetch(file, items)` gives the
    bytes of cited lines by line number, `look(first, last)` the events of a short span.
    `recorded` are changes from outside the logs, in true time. `again(window)` counts a part of the logs once more, for
    outages that were found in wide bins. `asked(first, last)` gives the requests of a short span without reading again, where
    that is possible; else `look` does.
    """
    look = _remembered(look)
    asked = look if asked is None else asked
    seen = outages.find(summary, question.window)
    closer = parts(summary, seen, again) if again is not None else []
    signs = extra_signs(recorded, lexicon, signs_of(with_parts(summary, closer), lexicon))
    placed = _found(summary, seen, closer, signs, question.window, look)
    found = [span for span, _ in placed]
    counted = [*(part.summary for part in closer), summary]  # what each outage is told from
    spans, homes = [], []
    for span, home in placed:
        if not span.is_blip:
            counted[home], span = with_first_and_last(counted[home], span, asked)
            spans.append(span)
            homes.append(home)
    signs = with_recurring(by_behaviour(signs, spans, traffic.access_logs(summary)), spans)
    floods = [flood(counted[home], span, question.window, asked) for span, home in zip(spans, homes, strict=True)]
    shared = [attributes(counted[home], span, look) for span, home in zip(spans, homes, strict=True)]
    cast: list[tuple[Span, Roles]] = []
    for span, surge, common in zip(spans, floods, shared, strict=True):
        earlier = [(s, r.candidates[0] if r.candidates else None) for s, r in cast]
        cast.append((span, roles(signs, span, question.window, [surge] if surge else [], earlier, spans, _names(counted[homes[len(cast)]], span, common))))
    single = with_parts(counted[-1], [Part(part.window, fine) for part, fine in zip(closer, counted, strict=False)])
    story = timeline(signs, single, cast, question.window, question.max_entries)
    beyond = [outside(counted[home], span, asked) for (span, _), home in zip(cast, homes, strict=True)]
    incidents = tuple(
        Incident(
            onset=span.onset,
            recovery=span.recovery,
            severity="outage" if span.ends is not None else severity_of(cost),
            signal=span.signal,
            scope=(*scope_of(span, cost), *carried_by(without(counted[home], more), span), *(_of_first(told(one), span, looked_until(counted[home], span)) for one in common)),
            impact=cost,
            evidence=_ends(counted[home], span),
            trigger=part.candidates[0] if part.candidates and part.candidates[0].score > 0 else None,
            candidates=part.candidates,
            detected=part.detected,
            acknowledged=part.acknowledged,
            resolution=part.resolution,
            propagation=propagation(signs, span),
            flaps=span.flaps,
            pauses=span.pauses,
        )
        for (span, part), home, more, common in zip(cast, homes, beyond, shared, strict=True)
        for cost in (impact(counted[home], span, question.window, question.slo, more),)
    )
    first, last = question.window.start, question.window.end
    learned = lessons(incidents, reports, Clock(question.zone, first, last), story.entries)
    findings = Findings(
        window=(first, last),
        zone=question.zone,
        incidents=incidents,
        timeline=_agreeing(story.entries, incidents),
        nearly=story.nearly,
        misleading=tuple(e for e in story.entries if e.kind == "misleading"),
        sources=tuple(reports),
        series=_series(summary, question.window, any(s.closed for s in found), tuple(sorted({n for s in found for n in s.refused}))),
        blips=tuple(_blip(s) for s in found if s.is_blip),
        assumptions=_assumptions(reports),
        prompts=learned.prompts,
        actions=learned.actions,
        went_well=learned.went_well,
        went_badly=learned.went_badly,
        lucky=learned.lucky,
        accounting=_accounting(reports),
        verdict=""
        if incidents
        else _verdict(summary, signs, found, question.window, uncovered(reports, Clock(question.zone)))
        + complaint(signs, question.window, Clock(question.zone, first, last)),
    )
    return _map_evidence(findings, quoted(quotations(findings), fetch))


def _agreeing(entries: Sequence[Entry], incidents: Sequence[Incident]) -> tuple[Entry, ...]:
    """The entries with the number of failures that the impact has in those of the first ones, so that a draft tells one figure."""
    failed = {one.key: incident.impact.failed for incident in incidents for one in incident.evidence[:1] if incident.impact.failed}
    return tuple(
        replace(entry, count=failed.get(entry.evidence[0].key, entry.count)) if entry.kind == "first_failure" and entry.evidence else entry for entry in entries
    )


def _found(
    summary: Summary, seen: list[Span], closer: Sequence[Part], signs: pd.DataFrame, window: Window, look: Look
) -> list[tuple[Span, int]]:  # fmt: skip
    """Every outage and blip in order of time, and the place of the part it was found in; those of the whole have the last place."""
    out: list[tuple[Span, int]] = []
    clear: list[Part] = []
    for place, part in enumerate(closer):
        spans = outages.find(part.summary, window)
        spans = [s for s in spans + drops(part.summary, signs, window, spans, look) if touches(s, part.window)]
        if not all(s.is_blip for s in spans):  # else what was seen in wide bins is all that is known
            out += [(span, place) for span in spans]
            clear.append(part)
    seen = seen + drops(summary, signs, window, seen, look)
    seen = seen + stalls(summary, signs, window, seen, look)
    out += [(span, len(closer)) for span in seen if not belongs(span, clear)]
    return sorted(out, key=lambda item: item[0].onset.time)


def _remembered(look: Look) -> Look:
    """The same, which answers from the last times it was asked where these hold the span."""
    known: list[tuple[int, int, pa.Table]] = []

    def again(first: int, last: int) -> pa.Table:
        for low, high, table in known:
            if low <= first and last <= high:
                if not table.num_rows:
                    return table
                time = table["time"].cast(pa.int64()).to_numpy()
                return table.filter(pa.array((time >= first) & (time < last)))
        table = look(first, last)
        if table.num_rows <= REMEMBERED:
            known.append((first, last, table))
            del known[:-REMEMBERED_TIMES]
        return table

    return again


def severity_of(cost: Impact) -> str:
    return "outage" if cost.failed_percent >= 50 else "partial"


def scope_of(span: Span, cost: Impact) -> tuple[str, ...]:
    """Sentences about what failed and what did not."""
    out = []
    if span.ends is not None and span.missing is not None:
        return (f"{span.value} wrote nothing, where about {number(span.missing[1])} lines were to be expected, while other logs went on; no request tells of it.",)
    if span.dimension and span.signal == "silence":
        out.append(f"Nothing came by the {span.dimension} {span.value}, while others went on.")
    elif span.dimension and span.signal != "latency":
        out.append(f"Found in the {span.dimension} {span.value}: {share(span.failed, span.requests, '')}.")
    failing = [e for e in _by_prefix(cost.endpoints) if e.failed >= max(3, 0.02 * e.requests, 0.05 * cost.failed)][:3]
    out += [share(e.failed, e.requests, f"to {e.path}") + "." for e in failing]
    fine = [e.path for e in cost.endpoints if e.failed == 0 and e.requests >= 20][:4]
    if failing and fine:
        out.append(f"No request failed to {', '.join(fine)}.")
    if span.signal == "silence":
        out.append("Requests stopped while other logs went on; the failures are what the rate around the gap lets expect.")
    if span.refused:
        away = sum(n for status, n in cost.statuses if int(status) in span.refused)
        out.append(f"Requests were turned away, not broken: {number(away)} were answered {' or '.join(map(str, span.refused))}, as few or none were before.")
    if span.signal == "latency":
        what = f"to {span.value}" if span.dimension else ""
        out.append(f"Requests were slow, not refused: {share(span.failed, span.requests, what).removesuffix('failed')}were slow.")
    return tuple(out)


def carried_by(summary: Summary, span: Span) -> tuple[str, ...]:
    """What all failures have in common and the others have not, in sentences; how many lines tell of errors where no request does."""
    out = [told(one) for one in separations(summary, span)]
    out += [_slower(one) for one in slowed(summary, span)]
    if span.signal == "errors":
        beside = "no request of the access logs failed meanwhile" if edge_sources(summary) else "no access log tells of the requests"
        out.append(f"{number(span.failed)} lines of trouble came from onset to recovery; {beside}.")
    return tuple(out)


def _names(summary: Summary, span: Span, common: Sequence[Separation]) -> tuple[str, ...]:
    """The words by which lines elsewhere would name what all failed requests have and the others have not."""
    found = [one for one in separations(summary, span) if one.dimension in ("upstream", "host")]
    return tuple(dict.fromkeys(word for one in (*found, *common) if (word := names(one)) is not None))


def _of_first(sentence: str, span: Span, until: int) -> str:
    """The sentence, which says so where only the first part of an outage was looked at."""
    return sentence if until > span.end else f"In the first {duration(until - span.onset.time)}: {sentence[0].lower()}{sentence[1:]}"


def _slower(one: Slowed) -> str:
    before = f"{seconds(one.before)} before, " if one.before is not None else ""
    return f"To {one.endpoint} {number(one.slow)} of {plural(one.requests, 'request')} were slow (median {before}{seconds(one.during)} during)."


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
    if span.ends is not None:
        return span.ends
    table = traffic.failures(summary, edge_sources(summary), span.closed)
    rows = [r for r in table.to_pylist() if r["last_time"] >= span.onset.time and r["time"] <= span.end]
    if not rows:
        return ()
    first = min(rows, key=lambda r: (r["time"], r["file"], r["line"]))
    last = max(rows, key=lambda r: (r["last_time"], r["last_file"], r["last_line"]))
    return (evidence(first), evidence(last, "last_"))


def _series(summary: Summary, window: Window, closed: bool, refused: tuple[int, ...]) -> Series | None:
    """Requests, failures and error lines over the window, in at most `POINTS` steps."""
    total = traffic.failed_series(summary, edge_sources(summary), closed, refused)
    everything = sorted(set(summary.table("seconds")["source"].to_pylist()))
    errors = traffic.series(summary, everything, ("events", "errors"))
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
        for text in (report.zone if not report.zone.startswith("in the line") else "", report.year and f"year {report.year}", report.day and f"day {report.day}", report.unit):
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
    sources = edge_sources(summary)
    total = traffic.series(summary, sources) if sources else None
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
