"""What a person decided about the trigger of an outage; it stands in the front matter, and later drafts follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..analysis.story.lessons import lessons
from ..findings import Candidate, Evidence, Findings, Incident
from ..wording import SECOND, Clock
from .citations import citations
from .document import evidence_numbers, parse
from .entries import instant

BY = "by a person in the review"
UNCONFIRMED = "Likely trigger, unconfirmed"
CONFIRMED = f"Trigger, confirmed {BY}"
UNKNOWN = "unknown, as a person decided in the review."
REJECTED = "no candidate is left that a person has not rejected in the review."
STATUSES = ("unconfirmed", "confirmed", "unknown")
#: How far apart the ends of an outage may be found when it is drafted again.
SLACK = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Decision:
    """What is known of an incident's trigger: `status` is one of `STATUSES`, numbers are those of quoted lines.

    `words` are a person's own, or those of a log line that is no candidate; `rejected` are candidates by their first quoted line.
    """

    status: str = "unconfirmed"
    time: int | None = None
    words: str = ""
    cites: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()

    @classmethod
    def of(cls, incident: Mapping[str, Any]) -> Decision:
        """The decision that an incident of the front matter holds, whatever an editor made of it."""
        status = incident.get("trigger_status")
        return cls(
            status if status in STATUSES else "unconfirmed",
            instant(incident.get("trigger")),
            str(incident.get("trigger_words") or ""),
            _numbers(incident.get("trigger_evidence")),
            _numbers(incident.get("trigger_rejected")),
        )

    @property
    def made(self) -> bool:
        """Whether a person has decided anything."""
        return self.status != "unconfirmed" or bool(self.rejected)

    def front(self) -> dict[str, Any]:
        """The keys of the front matter beside `trigger`."""
        held = {"trigger_words": self.words, "trigger_evidence": list(self.cites), "trigger_rejected": list(self.rejected)}
        return {"trigger_status": self.status, **{key: value for key, value in held.items() if value}}


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(one for one in value if isinstance(one, int) and not isinstance(one, bool)) if isinstance(value, list) else ()


def decided(findings: Findings, previous: str) -> tuple[Findings, tuple[Decision, ...]]:
    """The findings as the decisions in the `previous` document have them, and the decision for each incident.

    A confirmed trigger that is no candidate of these findings is one all the same, with the words and quoted lines of the document.
    """
    none = tuple(Decision() for _ in findings.incidents)
    rows = parse(previous).metadata.get("incidents") if previous else None
    before = [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
    if not any(Decision.of(one).made for one in before):
        return findings, none
    numbers = evidence_numbers(previous)
    quoted = {
        one.number: Evidence(one.file, one.line, one.lines, one.offset, one.size, one.digest, one.text) for one in citations(previous)
    }
    made = tuple(_matching(incident, before) for incident in findings.incidents)
    incidents = tuple(
        _with(incident, decision, numbers, quoted) if decision.made else incident
        for incident, decision in zip(findings.incidents, made, strict=True)
    )
    return _learned(findings, incidents), made


def _matching(incident: Incident, before: Sequence[Mapping[str, Any]]) -> Decision:
    """The decision on the incident of the document that this one is: the one whose span it touches, nearest by its onset."""
    last = incident.recovery.time if incident.recovery else None
    near = []
    for one in before:
        onset, recovery = instant(one.get("onset")), instant(one.get("recovery"))
        if onset is None:
            continue
        apart = (last is not None and onset > last + SLACK) or (recovery is not None and incident.onset.time > recovery + SLACK)
        if not apart:
            near.append((abs(onset - incident.onset.time), Decision.of(one)))
    return min(near, key=lambda pair: pair[0])[1] if near else Decision()


def _with(incident: Incident, decision: Decision, numbers: Mapping[str, int], quoted: Mapping[int, Evidence]) -> Incident:
    def first(candidate: Candidate) -> int | None:
        return numbers.get(candidate.evidence[0].key) if candidate.evidence else None

    found = list(incident.candidates)
    if incident.trigger is not None and incident.trigger not in found:
        found.insert(0, incident.trigger)
    found = [replace(one, decision="rejected" if first(one) in decision.rejected else "") for one in found]
    if decision.status == "unknown":
        return replace(incident, trigger=None, candidates=tuple(found), decision="unknown")
    left = [one for one in found if not one.decision]
    gone = [one for one in found if one.decision]
    if decision.status != "confirmed" or decision.time is None:
        return replace(incident, trigger=left[0] if left else None, candidates=(*left, *gone))
    time = decision.time
    chosen = None
    if not decision.words:
        chosen = next((one for one in found if decision.cites and first(one) == decision.cites[0]), None)
        chosen = chosen or next((one for one in found if one.time // SECOND == time // SECOND), None)
    rest = [one for one in (*left, *gone) if one is not chosen]
    if chosen is None:
        evidence = tuple(quoted[number] for number in decision.cites if number in quoted)
        chosen = Candidate(
            time, decision.words or "an event that the logs do not hold", "change", 0.0, evidence, reasons_for=(f"named {BY}",)
        )
    chosen = replace(chosen, decision="confirmed")
    return replace(incident, trigger=chosen, candidates=(chosen, *rest), decision="confirmed")


def _learned(findings: Findings, incidents: tuple[Incident, ...]) -> Findings:
    """The findings with the questions and lessons that follow; what a person has settled is not asked again."""
    clock = Clock(findings.zone, *findings.span)
    weighed = [replace(one, candidates=tuple(c for c in one.candidates if c.decision != "rejected")) for one in incidents]
    learned = lessons(weighed, findings.sources, clock, findings.timeline)
    settled = {
        prompt
        for one, all_of_it in zip(weighed, incidents, strict=True)
        if one.trigger is None and (one.decision or len(one.candidates) < len(all_of_it.candidates))
        for prompt in lessons([one], (), clock).prompts
        if prompt[0] == "root_cause"
    }
    return replace(
        findings,
        incidents=incidents,
        prompts=tuple(one for one in learned.prompts if one not in settled),
        went_well=learned.went_well,
        went_badly=learned.went_badly,
    )
