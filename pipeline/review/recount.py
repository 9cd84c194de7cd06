"""Counts an outage anew between ends that a human has set, and lays the figures out as a draft would."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..drafting.decisions import Decision
from ..drafting.entries import instant
from ..drafting.mask import Masker, masked
from ..findings import Bound, Candidate, Findings, Incident
from ..wording import SECOND
from . import edits
from .sheet import Item, Sheet, sheet, uncited

if TYPE_CHECKING:
    from ..investigate import Study
    from .logs import Asked

_HOW = "set by a person in the review"
_ROLES = ("trigger", "detected", "resolution")


class Recount:
    """Holds what the logs were found to say; they are read and analysed when this is first asked for."""

    def __init__(self, question: Asked) -> None:
        self.question = question
        self._lock = threading.Lock()
        self._study: Study | None = None

    def study(self) -> Study:
        """What was found in the logs. Raises NothingToRead when they are gone."""
        from ..investigate import study

        with self._lock:
            if self._study is None:
                self._study = study(self.question.paths, self.question.options)
            return self._study

    def apply(self, text: str, masker: Masker) -> str:
        """The document with all figures that follow from its incidents' moments counted anew.

        Text that a human has worded stays. Raises Refused when the logs no longer hold the same outages.
        """
        from ..drafting import draft
        from ..drafting.document import parse
        from ..drafting.merge import merge

        study = self.study()
        page = sheet(text)
        if len(page.incidents) != len(study.findings.incidents):
            raise edits.Refused(
                "The logs do not show the outages of this document, so its figures stay as they are."
            )
        found = _overridden(study, page, self.question.options.slo)
        metadata = parse(text).metadata
        made_by = metadata.get("retrolog")
        style = str(made_by.get("style")) if isinstance(made_by, dict) else "retrolog"
        fresh = draft.markdown(
            masked(found, masker), str(metadata.get("command") or ""),
            style if style in draft.STYLES else "retrolog", mask=False, previous=text,
        )  # fmt: skip
        # Where only the trigger is another, a later draft says the same by itself, so nothing here is the human's alone.
        return edits.recounted(text, fresh) if _moved(study.findings, page) else merge(text, fresh)


def _overridden(study: Study, page: Sheet, slo: float | None) -> Findings:
    """The findings with the moments that the document's front matter states, and what follows from them."""
    from ..analysis.story.lessons import lessons

    findings = study.findings
    incidents = tuple(
        _incident(study, incident, at, stated, page, slo)
        for at, (incident, stated) in enumerate(zip(findings.incidents, page.incidents, strict=True))
    )
    learned = lessons(incidents, findings.sources, page.clock)
    return replace(
        findings,
        incidents=incidents,
        prompts=learned.prompts,
        went_well=learned.went_well,
        went_badly=learned.went_badly,
        lucky=learned.lucky,
    )


def _moved(findings: Findings, page: Sheet) -> bool:
    """Whether a human has set a moment other than the trigger's."""
    for found, stated in zip(findings.incidents, page.incidents, strict=True):
        last = found.recovery.time if found.recovery else None
        told = ((found.onset.time, "onset"), (last, "recovery"), *(
            (getattr(found, role).time if getattr(found, role) else None, role) for role in ("detected", "resolution")
        ))  # fmt: skip
        if any(not _same(time, instant(stated.get(role))) for time, role in told):
            return True
    return False


def _incident(
    study: Study, incident: Incident, at: int, stated: dict[str, Any], page: Sheet, slo: float | None
) -> Incident:
    onset, recovery = instant(stated.get("onset")), instant(stated.get("recovery"))
    before = incident.recovery.time if incident.recovery else None
    if onset is not None and (onset != incident.onset.time or recovery != before):
        incident = _between(study, incident, at, onset, recovery, slo)
    chosen: dict[str, Any] = {}
    # A trigger that someone decided on is the draft's to name (`decisions`).
    for role in _ROLES[Decision.of(stated).made :]:
        now = getattr(incident, role)
        time = instant(stated.get(role))
        if not _same(time, now.time if now else None):
            chosen[role] = None if time is None else _candidate(incident, time, page.items, page)
    incident = replace(incident, **chosen)
    trigger = incident.trigger
    if trigger is not None and "trigger" in chosen:
        rest = tuple(one for one in incident.candidates if one.time != trigger.time)
        incident = replace(incident, candidates=(trigger, *rest))
    return incident


def _between(
    study: Study, incident: Incident, at: int, onset: int, recovery: int | None, slo: float | None
) -> Incident:
    from ..analysis.analyse import scope_of, severity_of
    from ..analysis.impact.cost import impact
    from ..analysis.impact.outside import outside
    from ..analysis.outages import search as outages
    from ..window import Window

    window = Window(*study.findings.window)
    spans = [span for span in outages.find(study.summary, window) if not span.is_blip]
    first = incident.onset if onset == incident.onset.time else Bound(onset, onset, onset, _HOW)
    last = None
    if recovery is not None:
        known = incident.recovery
        last = known if known and known.time == recovery else Bound(recovery, recovery, recovery, _HOW)
    span = replace(spans[at], onset=first, recovery=last)
    # as the draft counts: of the first and last second only what ended between the first and the last failure;
    # an outage that was made longer has calm seconds at its ends, which count as they are
    longer = onset < incident.onset.time or (recovery is not None and incident.recovery is not None and recovery > incident.recovery.time)
    cost = impact(study.summary, span, window, slo, None if longer else outside(study.summary, span, study.asked))
    return replace(
        incident,
        onset=first,
        recovery=last,
        impact=cost,
        severity=severity_of(cost),
        scope=scope_of(span, cost),
    )


def _same(one: int | None, two: int | None) -> bool:
    """Whether two moments are the same to a reader, who sees seconds."""
    return one == two if one is None or two is None else one // SECOND == two // SECOND


def _candidate(incident: Incident, time: int, items: Sequence[Item], page: Sheet) -> Candidate:
    """The candidate of that moment, or one made from the entry that a human has pointed at."""
    for one in (*incident.candidates, incident.detected, incident.acknowledged, incident.resolution):
        if one is not None and _same(one.time, time):
            return one
    entry = next((item for item in items if item.moment == time), None)
    words = uncited(entry.words).replace("`", "") if entry else "an event that the logs do not hold"
    cites = entry.cites if entry else ()
    evidence = tuple(page.evidence[number] for number in cites if number in page.evidence)
    return Candidate(time, words, "change", 0.0, evidence, reasons_for=(_HOW,))
