"""Lays out the findings: as the JSON answer other programs read, and as the Markdown draft a human finishes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ... import __version__
from .. import safe, wording
from ..analysis.evidence import quotations
from ..errors import BadOption
from ..findings import Candidate, Entry, Evidence, Findings, Incident, Series, SourceReport
from ..wording import Clock
from . import document
from .citations import citations
from .decisions import Decision, decided
from .mask import Masker, masked
from .view import BINS, View, noun

if TYPE_CHECKING:
    from jinja2 import Environment

EVIDENCE = 5  # quoted lines an entry of the JSON answer carries at most
SCHEMA = "retrolog/1"
#: Built-in styles and what each is for.
STYLES = {
    "retrolog": "the house style: what happened, what it cost, when, why perhaps, and what to do",
    "srebook": "causes and measures before the timeline, as in the Site Reliability Engineering book",
    "atlassian": "fault, impact, detection and response, recovery, as in Atlassian's incident handbook",
    "pagerduty": "what happened, contributing factors, resolution, how it went, as in PagerDuty's guide",
    "course": "issue summary, timeline, root cause and resolution, measures, as courses ask for it",
}


def answer(findings: Findings, *, mask: bool = True) -> dict[str, Any]:
    """The findings as the JSON answer `retrolog/1`: times in ISO 8601 with the window zone's offset, texts masked."""
    findings = masked(findings, masker_for(findings, mask))
    clock = Clock(findings.zone)
    start, end = findings.window
    return {
        "schema": SCHEMA,
        "window": {"start": clock.iso(start), "end": clock.iso(end)},
        "zone": findings.zone,
        "verdict": findings.verdict,
        "incidents": [_incident(incident, clock) for incident in findings.incidents],
        "timeline": [_entry(entry, clock) for entry in sorted(findings.timeline, key=lambda one: one.time)],
        "sources": [
            {
                "file": one.file,
                "format": one.format,
                "lines": one.lines,
                "events": one.events,
                "unparsed": one.unparsed,
                "clock_offset_s": one.clock_offset_s,
                **({"clock_steps": _clock_steps(one)} if one.clock_steps else {}),
                "zone": one.zone,
                "year": one.year,
                "skipped": one.skipped,
                "digest": one.digest,
            }
            for one in findings.sources
        ],
        "lines": dict(findings.accounting),
        "assumptions": list(findings.assumptions),
        "blips": list(findings.blips),
    }


def _incident(incident: Incident, clock: Clock) -> dict[str, Any]:
    impact = incident.impact
    return {
        "onset": clock.iso(incident.onset.time),
        "recovery": clock.iso(incident.recovery.time) if incident.recovery else None,
        "detected": clock.iso(incident.detected.time) if incident.detected else None,
        "severity": incident.severity,
        "signal": incident.signal,
        "trigger": _candidate(incident.trigger, clock),
        "resolution": _candidate(incident.resolution, clock),
        "candidates": [_candidate(one, clock) for one in incident.candidates],
        "scope": list(incident.scope),
        "impact": {
            "requests": impact.requests,
            "failed": impact.failed,
            "failed_percent": impact.failed_percent,
            "endpoints": [
                {"path": one.path, "requests": one.requests, "failed": one.failed} for one in impact.endpoints
            ],
            "clients": impact.clients,
            "clients_affected": impact.clients_affected,
        },
    }


def _candidate(candidate: Candidate | None, clock: Clock) -> dict[str, Any] | None:
    if candidate is None:
        return None
    return {
        "time": clock.iso(candidate.time),
        "summary": candidate.summary,
        "evidence": _evidence(candidate.evidence),
        "for": list(candidate.reasons_for),
        "against": list(candidate.reasons_against),
    }


def _entry(entry: Entry, clock: Clock) -> dict[str, Any]:
    return {
        "time": clock.iso(entry.time),
        "end": clock.iso(entry.end),
        "kind": entry.kind,
        "severity": entry.severity,
        "host": entry.host,
        "service": entry.service,
        "summary": entry.summary,
        "count": entry.count,
        "reason": entry.reason,
        "evidence": _evidence(entry.evidence),
    }


def _evidence(evidence: tuple[Evidence, ...]) -> list[dict[str, Any]]:
    return [{"file": one.file, "line": one.line, "digest": one.digest} for one in evidence[:EVIDENCE]]


def masker_for(findings: Findings, enabled: bool = True, previous: str = "") -> Masker:
    """A masker that knows the incident's hosts, and the services whose lines no person wrote.

    It goes on with the pseudonyms of the `previous` document, where that quotes lines that the findings quote too.
    """
    entries = (*findings.timeline, *findings.misleading, *findings.nearly)
    written = {entry.service for entry in entries if entry.kind == "human"}
    words = {entry.host for entry in entries} | {entry.service for entry in entries} - written
    # A log that is called like an account is written by the program of that account.
    stems = {PurePosixPath(one.file).name.split(".")[0] for one in findings.sources if one.events and "home/" not in one.file}
    masker = Masker(enabled, keep=[word for word in words | stems if word])
    if enabled and previous:
        shown = {one.digest: one.text for one in citations(previous) if one.digest}
        pairs = [
            (safe.clean(one.text), shown[one.digest]) for one in quotations(findings) if one.digest in shown
        ]
        masker.resume(previous, pairs)
    return masker


def markdown(
    findings: Findings,
    command: str,
    style: str = "retrolog",
    *,
    mask: bool = True,
    previous: str = "",
) -> str:
    """The draft as Markdown with front matter; the same findings, command and style give the same bytes.

    `style` is a built-in name (`STYLES`) or the path of a Jinja2 template. `previous` is the document that the
    draft will be merged into (`merge.merge`): quoted lines keep their numbers, people and clients their pseudonyms.
    Raises BadOption for a style that does not exist or does not render.
    """
    findings, decisions = decided(masked(findings, masker_for(findings, mask, previous)), previous)
    view = View(findings, document.evidence_numbers(previous) if previous else None)
    body = _render(style, _context(findings, view))
    front = _front(findings, view.clock, command, style, decisions)
    figure = figure_data(findings)
    text = f"{front}\n{body}" + (document.data("figure", figure) if figure else "")
    return document.with_index(text, view.register.numbers)


def style_files(style: str) -> dict[str, str]:
    """The template of a built-in style and the templates it is made of, by file name, to copy and change.

    Raises BadOption for a name that is not in `STYLES`.
    """
    from importlib.resources import files

    if style not in STYLES:
        raise BadOption(f"There is no style called {style!r}; built in are {', '.join(STYLES)}.")
    folder = files("retrolog.templates")
    names = (f"{style}.md.j2", "parts.md.j2", "appendix.md.j2")
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


def _context(findings: Findings, view: View) -> dict[str, Any]:
    """The variables of a template, in the order in which the document cites evidence."""
    from markupsafe import Markup

    incidents = [view.incident(incident, at) for at, incident in enumerate(findings.incidents, 1)]
    timeline, further = view.timeline()
    prompts = view.prompts()
    say = [Markup(safe.prose(wording.sentence(text))) for text in findings.assumptions]
    return {
        "title": title(findings, view.clock),
        "zone": findings.zone,
        "incidents": incidents,
        "has_candidates": any(incident["candidates"] for incident in incidents),
        "candidates_note": view.candidates_note(),
        "verdict": Markup(safe.prose(wording.sentence(findings.verdict or "No outage found"))),
        "looked_at": [Markup(text) for text in _looked_at(findings, view.clock)],
        "timeline": timeline,
        "further": further,
        "timeline_note": Markup(_timeline_note(findings, view.clock)),
        "figure_caption": Markup(_figure_caption(findings, view.clock)),
        "misleading": view.misleading(),
        "lessons": _lessons(findings, view),
        "actions": view.actions(),
        "prompts": prompts,
        "sources": view.sources(),
        "accounting": view.accounting(),
        "assumptions": say,
        "blips": [Markup(safe.prose(wording.sentence(text))) for text in findings.blips],
        "formulas": [pair for incident in incidents for pair in incident["formulas"]],
        "evidence": view.evidence,
        "evidence_note": Markup(
            "Quoted as written, secrets and personal data masked; digests are of the unmasked bytes."
            " `retrolog verify` finds these lines again after a rotation."
        ),
        "block": _block,
        "ask": lambda section: _ask(section, prompts),
    }


def _block(identifier: str, caller: Callable[[], str]) -> Any:
    """What templates call to put a part between its markers; a part without words is left out."""
    from markupsafe import Markup

    body = str(caller()).strip("\n")
    while "\n\n\n" in body:
        body = body.replace("\n\n\n", "\n\n")
    return (
        Markup(document.block(str(identifier), "\n".join(line.rstrip() for line in body.split("\n"))))
        if body
        else ""
    )


def _ask(section: str, prompts: dict[str, list[Any]]) -> Any:
    """What templates call to print the open questions of a section, each in a block of its own."""
    from markupsafe import Markup

    return Markup("").join(
        Markup(document.block(f"prompt.{section}.{at}", f"> **Question (owner?):** {question}"))
        for at, question in enumerate(prompts[section], 1)
    )


def environment(search: list[str] | None = None, *, sandboxed: bool = False) -> Environment:
    """The Jinja2 environment of all Markdown templates: what a template prints is inert unless it was made so here.

    A name that does not exist is an error. With `sandboxed`, templates of users can reach no Python internals.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    def inert(value: Any) -> Any:
        return value if isinstance(value, Markup) else Markup(safe.prose(str(value)))

    loaders: list[jinja2.BaseLoader] = [jinja2.FileSystemLoader(search)] if search else []
    loaders.append(jinja2.PackageLoader("retrolog", "templates"))
    kind = ImmutableSandboxedEnvironment if sandboxed else jinja2.Environment
    return kind(
        loader=jinja2.ChoiceLoader(loaders),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=inert,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@functools.cache
def _built_in() -> Environment:
    """The environment of the built-in styles, whose templates are compiled once."""
    return environment()


def _render(style: str, context: dict[str, Any]) -> str:
    import jinja2

    try:
        if style in STYLES:
            return _built_in().get_template(f"{style}.md.j2").render(context)
        path = Path(style)
        if not path.is_file():
            known = ", ".join(STYLES)
            raise BadOption(f"There is no style and no file called {style!r}; built in are {known}.")
        return environment([str(path.parent)], sandboxed=True).get_template(path.name).render(context)
    except jinja2.TemplateError as error:
        where = f" (line {error.lineno})" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        raise BadOption(f"The template {style} does not render{where}: {error.message}.") from error


def title(findings: Findings, clock: Clock) -> str:
    """The document's title, in the words that the figures carry."""
    found = findings.incidents
    start, _ = findings.span
    if not found:
        if findings.accounting.get("in_window", 1) == 0:
            return "No event in the window"
        return f"No outage found on {clock.date(start)}" if start is not None else "No outage found"
    first = found[0]
    day = clock.date(first.onset.time)
    if len(found) > 1:
        worst = "outage" if any(one.severity == "outage" for one in found) else "partial degradation"
        return f"{wording.plural(len(found), worst)} on {day}"
    ends = f" to {clock.at(first.recovery.time):%H:%M}" if first.recovery else ", not over in the logs"
    return f"{noun(first).capitalize()} on {day}, {clock.at(first.onset.time):%H:%M}{ends}"


def _looked_at(findings: Findings, clock: Clock) -> list[str]:
    """What was examined when nothing was found, so that the reader can judge the answer."""
    if findings.incidents:
        return []
    start, end = findings.span
    read = [one for one in findings.sources if one.events]
    events = sum(one.events for one in read)
    parts = [f"Read were {wording.plural(events, 'event')} in {wording.plural(len(read), 'file')}"]
    if start is not None and end is not None:
        parts.append(f"from {clock.stamp(start)} to {clock.stamp(end)} ({clock.label(start)})")
    if findings.series is not None:
        requests, failed = sum(findings.series.requests), sum(findings.series.failed)
        parts.append(f"with {wording.plural(requests, 'request')}, {wording.number(failed)} of them failed")
    return [wording.sentence(" ".join(parts))]


def _timeline_note(findings: Findings, clock: Clock) -> str:
    start, _ = findings.span
    if not findings.timeline:
        return "No event in these logs stands out enough for an entry."
    zone = clock.label(start) if start is not None else "UTC"
    return f"Times of day in {zone}{', each with its offset, which changes' if clock.shifts else ''}."


def _figure_caption(findings: Findings, clock: Clock) -> str:
    series = findings.series
    if series is None or (not any(series.requests) and not any(series.errors)):
        return ""
    end = series.start + len(series.requests) * series.step * wording.SECOND
    what = "requests and failed requests" if any(series.requests) else "log lines of severity error and above"
    return f"{what}, {clock.time(series.start)} to {clock.time(end)} ({clock.label(series.start)}); drawn when rendered."


def _lessons(findings: Findings, view: View) -> list[tuple[str, Any]]:
    if not findings.incidents and not (findings.went_well or findings.went_badly or findings.lucky):
        return []
    return [
        ("Went well", view.statements(findings.went_well)),
        ("Went badly", view.statements(findings.went_badly)),
        ("Where we were lucky", view.statements(findings.lucky)),
    ]


def figure_data(findings: Findings) -> dict[str, Any] | None:
    """What `render` draws the figure from: the zone and the series, in at most `BINS` steps. None without a series."""
    series = findings.series
    if series is None or not (any(series.requests) or any(series.errors)):
        return None
    coarse = _coarser(series)
    return {
        "zone": findings.zone,
        "start": coarse.start,
        "step": coarse.step,
        "requests": list(coarse.requests),
        "failed": list(coarse.failed),
        "errors": list(coarse.errors),
    }


def _coarser(series: Series) -> Series:
    length = max(len(series.requests), len(series.failed), len(series.errors))
    factor = -(-length // BINS)

    def summed(values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sum(values[at : at + factor]) for at in range(0, len(values), factor))

    if factor <= 1:
        return series
    return Series(
        series.start,
        series.step * factor,
        summed(series.requests),
        summed(series.failed),
        summed(series.errors),
    )


def _front(findings: Findings, clock: Clock, command: str, style: str, decisions: tuple[Decision, ...]) -> str:
    """The YAML front matter; key by key, so that merging can keep those that a human changed."""
    import yaml

    start, end = findings.span
    values: dict[str, Any] = {
        "title": title(findings, clock),
        "status": "draft",
        "window": {"start": clock.iso(start), "end": clock.iso(end)},
        "zone": findings.zone,
        "incidents": [_front_incident(*one, clock) for one in zip(findings.incidents, decisions, strict=True)],
        "sources": [
            _front_source(one)
            for one in findings.sources
        ],
        "command": safe.clean(command),
        "retrolog": {"version": __version__, "style": Path(style).name},
    }
    rows = [
        yaml.safe_dump(
            {key: value},
            sort_keys=False,
            allow_unicode=True,
            width=10_000,
            default_flow_style=None if isinstance(value, dict | list) else False,
        )
        for key, value in values.items()
    ]
    return f"---\n{''.join(rows)}---\n"


def _front_source(source: SourceReport) -> dict[str, Any]:
    row: dict[str, Any] = {"file": safe.clean(source.file), "lines": source.lines, "digest": source.digest}
    # What the times of the document are corrected by, for those who read the log beside it.
    if source.clock_offset_s:
        row["clock_offset_s"] = source.clock_offset_s
    return {**row, "clock_steps": _clock_steps(source)} if source.clock_steps else row


def _clock_steps(source: SourceReport) -> list[dict[str, Any]]:
    """From which line, or else from which stamp on, the clock of a file that was set amid it is how far ahead."""
    return [
        {**({"line": line} if line is not None else {"stamp": Clock("UTC").iso(stamp)}), "clock_offset_s": seconds}
        for line, stamp, seconds in source.clock_steps
    ]


def _front_incident(incident: Incident, decision: Decision, clock: Clock) -> dict[str, Any]:
    impact = incident.impact
    return {
        "severity": incident.severity,
        # Failed requests need no word; figures that mean something else say so to whoever shows them.
        **({"signal": incident.signal} if incident.signal in ("silence", "errors", "latency") else {}),
        "onset": clock.iso(incident.onset.time),
        "recovery": clock.iso(incident.recovery.time) if incident.recovery else None,
        "detected": clock.iso(incident.detected.time) if incident.detected else None,
        "trigger": clock.iso(incident.trigger.time) if incident.trigger else None,
        **decision.front(),
        "resolution": clock.iso(incident.resolution.time) if incident.resolution else None,
        "requests": impact.requests,
        "failed": impact.failed,
        "failed_percent": round(impact.failed_percent, 2),
    }
