"""Prepares what a postmortem template shows: values in words, evidence numbered, every log text inert.

Templates decide layout only. What they print is text that `safe.prose` guards, or Markdown made here from guarded parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from .. import safe, wording
from ..findings import Bound, Candidate, Entry, Evidence, Findings, Incident
from ..wording import Clock, number, percent
from . import tables
from .decisions import BY, CONFIRMED, REJECTED, UNCONFIRMED, UNKNOWN

REFERENCES = 3  # quoted lines an entry cites in the document; the JSON answer has up to five
CANDIDATES = 3
PAUSES = 6
ENTRIES = 12  # the timeline that a reader takes in; the rest is listed in the appendix
BINS = 480

# An entry of these kinds tells the story; it is never cut for length.
_ALWAYS = frozenset(
    {"trigger", "first_failure", "last_failure", "action", "resolution", "recovery", "human", "gap"}
)
LABELS = {
    "trigger": "Trigger?",
    "change": "Change",
    "first_failure": "Onset",
    "last_failure": "Last failure",
    "detection": "Detected",
    "human": "Note",
    "action": "Action",
    "resolution": "Resolution",
    "recovery": "Recovery",
    "misleading": "Misleading",
    "gap": "Silence ends",
}
#: Prompts are asked where their answer belongs; a section that is not listed here asks under the root cause.
SECTIONS = {
    "summary": "summary",
    "impact": "impact",
    "timeline": "timeline",
    "detection": "timeline",
    "escalation": "timeline",
    "action": "timeline",
    "resolution": "resolution",
    "root_cause": "root_cause",
    "went_well": "lessons",
    "went_badly": "lessons",
    "lucky": "lessons",
    "lessons": "lessons",
    "actions": "actions",
    "measures": "actions",
}


@dataclass(slots=True)
class Register:
    """Numbers the quoted lines in the order they are first cited; numbers once given to a line stay with it."""

    numbers: dict[str, int] = field(default_factory=dict)
    cited: dict[int, Evidence] = field(default_factory=dict)

    def cite(self, evidence: Sequence[Evidence], limit: int = REFERENCES) -> Markup:
        """`[E3] [E4]` for the first few lines; empty when there are none."""
        return Markup(" ".join(f"[E{self.number(one)}]" for one in evidence[:limit]))

    def number(self, evidence: Evidence) -> int:
        key = evidence.key
        if key not in self.numbers:
            self.numbers[key] = max(self.numbers.values(), default=0) + 1
        self.cited.setdefault(self.numbers[key], evidence)
        return self.numbers[key]


def _join(*parts: str) -> Markup:
    """Markdown parts with a space between those that are not empty."""
    return Markup(" ".join(part for part in parts if part))


def _say(text: str, *, cell: bool = False) -> str:
    """A sentence made elsewhere, which may quote a log, as inert Markdown with a full stop."""
    return safe.prose(wording.sentence(text), cell=cell)


def _same(one: Candidate | None, other: Candidate | None) -> bool:
    return one is not None and other is not None and one.time == other.time


def noun(incident: Incident) -> str:
    return "outage" if incident.severity == "outage" else "partial degradation"


class View:
    """All values of one document, made once from the findings (already masked) in the order they are cited."""

    def __init__(self, findings: Findings, numbers: dict[str, int] | None = None) -> None:
        self.findings = findings
        self.register = Register(dict(numbers or {}))
        start, end = findings.span
        self.clock = Clock(findings.zone, start, end)

    def incident(self, incident: Incident, position: int) -> dict[str, Any]:
        impact = incident.impact
        return {
            "key": f"i{position}",
            "noun": noun(incident),
            "heading": self._when(incident),
            "what": _join(self._what(incident), *(_say(text) for text in incident.scope[:2])),
            "points": self._summary(incident),
            "scope": [Markup(_say(text)) for text in incident.scope],
            "figures": self._figures(incident),
            "endpoints": tables.endpoints(impact),
            "statuses": tables.statuses(impact),
            "formulas": [(name, Markup(_say(how))) for name, how in impact.formulas],
            "detection": self._detection(incident),
            "ended": self._ended(incident),
            "candidates": [
                self._candidate(candidate, rank, incident)
                for rank, candidate in enumerate(_ranked(incident)[:CANDIDATES], 1)
            ],
            "propagation": [self._step(entry, incident) for entry in incident.propagation],
        }

    def _when(self, incident: Incident) -> str:
        onset = self.clock.time(incident.onset.time)
        if incident.recovery is None:
            return f"{onset}, not over at the end of the logs"
        return f"{onset} to {self.clock.time(incident.recovery.time)}"

    def _summary(self, incident: Incident) -> list[tuple[str, Markup]]:
        """The summary's points after its first sentences: how it was noticed, the likely trigger, what ended it."""
        onset = incident.onset.time
        rows: list[tuple[str, Markup]] = []
        if incident.detected:
            rows.append(("Noticed", self._point(incident.detected, onset)))
        if incident.trigger:
            label = CONFIRMED if incident.decision == "confirmed" else UNCONFIRMED
            rows.append((label, self._point(incident.trigger, onset)))
        elif incident.decision == "unknown":
            rows.append(("Trigger", Markup(UNKNOWN)))
        elif incident.candidates:
            rows.append(("Trigger", Markup(REJECTED)))
        else:
            rows.append(
                ("Trigger", Markup("no change or event that could have been it was found in the logs."))
            )
        if incident.resolution:
            rows.append(("Ended by", self._point(incident.resolution, onset)))
        elif incident.recovery:
            rows.append(("Ended by", Markup("no action is found in the logs.")))
        return rows

    def _point(self, found: Candidate, onset: int) -> Markup:
        return _join(
            f"{self.clock.time(found.time)}, {wording.span(onset, found.time)} the onset:",
            _say(wording.brief(found.summary)),
            self.register.cite(found.evidence, 1),
        )

    def _what(self, incident: Incident) -> Markup:
        impact, onset = incident.impact, incident.onset
        if incident.recovery is None:
            _, end = self.findings.span
            rest = f", at least {wording.duration(end - onset.time)}" if end is not None else ""
            beyond = "the end of the window" if self.findings.window[1] is not None else "the last line read"
            when = f"From {self.clock.stamp(onset.time)} to beyond {beyond}"
            where = f"({self.clock.label(onset.time)}{rest})"
        else:
            when = f"From {self.clock.stamp(onset.time)} to {self.clock.time(incident.recovery.time)}"
            length = wording.duration(incident.recovery.time - onset.time)
            where = f"({self.clock.label(onset.time)}; {length})"
        return _join(
            f"{when} {where}",
            f"{tables.loss(impact, incident.signal)}.",
            self.register.cite(incident.evidence, 2),
        )

    def _figures(self, incident: Incident) -> list[tuple[str, Markup]]:
        """Rows of the impact table: what was counted, and the figure."""
        impact = incident.impact
        rows: list[tuple[str, str]] = []
        if impact.requests:
            # A gap in the access log holds no request; what would have come is worked out from the rate around it.
            about = "about " if incident.signal == "silence" else ""
            rows.append(("Outcomes in the logs" if incident.signal == "errors" else "Requests", f"{about}{number(impact.requests)}"))
            rows.append(("Failed", f"{about}{number(impact.failed)} ({percent(impact.failed_percent)})"))
        if impact.baseline_failed_percent is not None:
            rows.append(("Failed outside the span", percent(impact.baseline_failed_percent)))
        if impact.peak_rate is not None:
            when = f" at {self.clock.time(impact.peak_time)}" if impact.peak_time is not None else ""
            rows.append(("Most failures", f"{impact.peak_rate:.1f} a second{when}"))
        for label, low, high in tables.latency_rows(impact):
            rows.append((label, f"{low} before, {high} during"))
        if impact.clients is not None and impact.clients > 1:  # one address for all is a proxy's
            about = "about " if impact.clients_estimated else ""
            hit = (
                f", {number(impact.clients_affected)} with a failure"
                if impact.clients_affected is not None
                else ""
            )
            rows.append(("Distinct clients", f"{about}{number(impact.clients)}{hit}"))
        if impact.budget_spent_percent is not None:
            goal = f" (goal {impact.slo:g} %)" if impact.slo is not None else ""
            rows.append(("Error budget spent", f"{percent(impact.budget_spent_percent)}{goal}"))
        if impact.health_checks:
            rows.append(("Left out", wording.plural(impact.health_checks, "health check")))
        if impact.bots:
            rows.append(("By bots", f"{number(impact.bots)} of the requests"))
        rows.append(("Onset", self._bound(incident.onset)))
        rows.append(("Recovery", self._bound(incident.recovery) if incident.recovery else "not in the logs"))
        if incident.pauses:
            spells = [f"{self.clock.time(stopped)} to {self.clock.time(again)}" for stopped, again in incident.pauses[:PAUSES]]
            more = f" and {number(len(incident.pauses) - PAUSES)} more" if len(incident.pauses) > PAUSES else ""
            rows.append(("Next to no failures", ", ".join(spells) + more))
        elif incident.flaps:
            rows.append(("Pauses in the failures", number(incident.flaps)))
        return [(label, Markup(safe.prose(value, cell=True))) for label, value in rows]

    def _bound(self, bound: Bound) -> str:
        text = self.clock.time(bound.time)
        if bound.latest - bound.earliest >= 2 * wording.SECOND:
            between = f"{self.clock.time(bound.earliest)} and {self.clock.time(bound.latest)}"
            return f"{text} (between {between}; {bound.method})"
        return f"{text} ({bound.method})" if bound.method else text

    def _detection(self, incident: Incident) -> list[Markup]:
        """How long it took to notice, to take up and to end, as far as the logs tell."""
        onset = incident.onset.time
        steps = (
            ("detection", incident.detected),
            (
                "acknowledgement",
                None if _same(incident.acknowledged, incident.resolution) else incident.acknowledged,
            ),
            ("action", incident.resolution),
        )
        told = [
            _join(f"to {name} {wording.duration(found.time - onset)}", self.register.cite(found.evidence, 1))
            for name, found in steps
            if found is not None and found.time >= onset
        ]
        if incident.recovery is not None:
            ended, acted = incident.recovery.time, incident.resolution
            if acted is not None and 0 < acted.time - ended < wording.SECOND:
                ended = acted.time  # an act within the second of the last failure did not come after the recovery
            told.append(Markup(f"to recovery {wording.duration(ended - onset)}"))
        rows = [Markup(f"**From onset** {', '.join(told)}.")] if told else []
        if incident.detected is None:
            rows.append(Markup("The logs hold no alert and no report by a person."))
        return rows

    def _ended(self, incident: Incident) -> Markup:
        if incident.resolution is None and incident.recovery is None:
            return Markup("It had not ended where these logs end.")
        if incident.resolution is None:
            return Markup("The logs show no action that ended it.")
        end = incident.resolution
        gap = ""
        if incident.recovery is not None:
            close = abs(incident.recovery.time - end.time) < wording.SECOND
            # stamps of whole seconds cannot tell which of the two came first
            gap = "Recovery came in the same second." if close else f"Recovery came {wording.span(end.time, incident.recovery.time)} it."
        return _join(
            f"{self.clock.time(end.time)}, {wording.span(incident.onset.time, end.time)} the onset.",
            gap,
            self.register.cite(end.evidence),
        )

    def _candidate(self, candidate: Candidate, rank: int, incident: Incident) -> dict[str, Any]:
        return {
            "rank": rank,
            "title": Markup(_say(wording.brief(candidate.summary, 72))),
            "verdict": f", {candidate.decision} {BY}" if candidate.decision else "",
            "time": self.clock.time(candidate.time),
            "gap": wording.span(incident.onset.time, candidate.time),
            "references": self.register.cite(candidate.evidence),
            "for": _list(candidate.reasons_for) or Markup("nothing but its time."),
            "against": _list(candidate.reasons_against) or Markup("nothing in these logs."),
        }

    def _step(self, entry: Entry, incident: Incident) -> dict[str, Any]:
        delay = wording.span(incident.onset.time, entry.time)
        at_once = abs(entry.time - incident.onset.time) < wording.SECOND
        # The step begins with the writer's name, so what it said does not; the timeline has it in full.
        said = entry.summary.removeprefix(f"{entry.service}: ")
        return self._entry(entry) | {
            "summary": Markup(_say(wording.brief(said, 72))),
            "service": Markup(safe.prose((entry.service or "").replace("*", " "))),
            "delay": "with the onset" if at_once else f"{delay} the onset",
        }

    def _entry(self, entry: Entry) -> dict[str, Any]:
        until = ""
        if entry.end is not None and entry.end - entry.time >= wording.SECOND:
            until = f"until {self.clock.time(entry.end)}"
        times = ""
        if entry.kind == "first_failure":
            times = f"the first of {number(entry.count)}" if entry.count > 1 else ""
        elif entry.count > 1 and f"{number(entry.count)} times" not in entry.summary:
            times = f"{number(entry.count)} times"
        elif until and len(entry.evidence) > 1:
            times = "with what followed"
        more = ", ".join(part for part in (times, until) if part)
        return {
            "key": _entry_key(entry),
            "time": self.clock.time(entry.time),
            "label": self._label(entry),
            "kind": entry.kind,
            "summary": Markup(_say(entry.summary)),
            "more": f"({more})" if more else "",
            "reason": Markup(safe.prose(entry.reason)),
            "references": self.register.cite(entry.evidence),
        }

    def _label(self, entry: Entry) -> str:
        """The word in bold; of all alerts and checks only the one that noticed an incident has "Detected"."""
        noticed = {one.detected.evidence[:1] for one in self.findings.incidents if one.detected}
        quotes = entry.evidence[0].key if entry.evidence else ""
        for one in self.findings.incidents:
            if one.decision == "confirmed" and one.trigger and quotes in _quoted(one.trigger.evidence):
                return "Trigger"
        if entry.kind == "trigger" and quotes in self._outruled():
            return "Change"
        if entry.kind == "detection" and noticed and entry.evidence[:1] not in noticed:
            return "Check"
        return LABELS.get(entry.kind, "")

    def _outruled(self) -> list[str]:
        """The first quoted lines of candidates that are no trigger, since a person rejected them or decided otherwise."""
        return [
            key
            for one in self.findings.incidents
            for candidate in one.candidates
            for key in _quoted(candidate.evidence)
            if (candidate.decision == "rejected" or (one.decision and candidate.decision != "confirmed"))
        ]

    def candidates_note(self) -> str:
        """What the candidates are, before they are listed."""
        confirmed = sum(one.decision == "confirmed" for one in self.findings.incidents)
        return f"Candidates by weight, {number(confirmed) if confirmed else 'none'} confirmed{f' {BY}' if confirmed else ''}:"

    def timeline(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Entries of the timeline in order of time, and those of lower weight, which the appendix lists."""
        shown = _weightiest(self.findings.timeline)
        entries = sorted(self.findings.timeline, key=lambda entry: entry.time)
        rows = [(self._entry(entry), id(entry) in shown) for entry in entries]
        _distinct(row for row, _ in rows)
        return [row for row, top in rows if top], [row for row, top in rows if not top]

    def misleading(self) -> list[dict[str, Any]]:
        """What led astray and stands nowhere in the timeline already."""
        told = {_entry_key(replace(entry, kind="")) for entry in self.findings.timeline}
        rest = [
            entry for entry in self.findings.misleading if _entry_key(replace(entry, kind="")) not in told
        ]
        return [self._entry(entry) for entry in rest]

    def statements(self, pairs: tuple[tuple[str, tuple[Evidence, ...]], ...]) -> list[Markup]:
        return [_join(_say(text), self.register.cite(evidence)) for text, evidence in pairs]

    def actions(self) -> list[dict[str, Any]]:
        rows = []
        for action in self.findings.actions:
            because = str(action.get("because") or "")
            rows.append(
                {
                    "action": Markup(_say(str(action.get("action", "")), cell=True)),
                    "type": Markup(safe.prose(str(action.get("type", "")), cell=True)),
                    "because": _join(
                        safe.prose(because, cell=True),
                        self.register.cite(tuple(action.get("evidence") or ()), 1),
                    ),
                }
            )
        return rows

    def prompts(self) -> dict[str, list[Markup]]:
        """Open questions by the section of the document that asks them."""
        asked: dict[str, list[Markup]] = {name: [] for name in set(SECTIONS.values())}
        for section, question in self.findings.prompts:
            asked[SECTIONS.get(section, "root_cause")].append(Markup(safe.prose(question)))
        return asked

    def sources(self) -> list[dict[str, Any]]:
        return [tables.source(report) for report in self.findings.sources]

    def accounting(self) -> Markup:
        """The sentence in which the lines add up, or the difference when they do not."""
        total = sum(report.lines for report in self.findings.sources)
        given = {fate: count for fate, count in self.findings.accounting.items() if fate in tables.FATES}
        fates = given or tables.fates_of(self.findings.sources)
        parts = [f"{number(count)} {tables.FATES[fate]}" for fate, count in fates.items() if count]
        text = f"{wording.plural(total, 'line')} in {wording.plural(len(self.findings.sources), 'file')}"
        if parts:
            text += f" = {' + '.join(parts)}"
        missing = total - sum(fates.values())
        if missing:
            text += f". {number(abs(missing))} lines {'more' if missing < 0 else 'fewer'} than read are accounted for"
        return Markup(safe.prose(wording.sentence(text)))

    def evidence(self) -> list[dict[str, Any]]:
        """Every line cited so far, by number."""
        return [
            {
                "number": key,
                "where": Markup(safe.code(f"{one.file}:{one.line}")),
                "lines": f", {number(one.lines)} lines" if one.lines > 1 else "",
                "bytes": f"bytes {one.offset}–{one.offset + one.size}" if one.size else "",
                "digest": Markup(safe.code(f"sha256:{one.digest}")) if one.digest else "",
                "text": Markup(safe.fenced(one.text)),
            }
            for key, one in sorted(self.register.cited.items())
        ]


def _ranked(incident: Incident) -> list[Candidate]:
    candidates = list(incident.candidates)
    if incident.trigger is not None and incident.trigger not in candidates:
        candidates.insert(0, incident.trigger)
    return candidates


def _quoted(evidence: Sequence[Evidence]) -> list[str]:
    """What names the first quoted line, in a list that is empty without one."""
    return [one.key for one in evidence[:1]]


def _list(reasons: tuple[str, ...]) -> Markup:
    return Markup(_say("; ".join(reason.strip().rstrip(".") for reason in reasons)))


def _entry_key(entry: Entry) -> str:
    """A name for the entry that stays when more logs are read: where its first quoted line is known by digest."""
    if not entry.evidence:
        return f"{entry.kind}.{entry.time}"
    first = entry.evidence[0]
    return f"{entry.kind}.{first.digest or first.line}"


def _distinct(rows: Iterable[dict[str, Any]]) -> None:
    """Keys of entries that quote equal lines get a number, in order of time."""
    seen: dict[str, int] = {}
    for row in rows:
        key = row["key"]
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            row["key"] = f"{key}.{seen[key]}"


def _weightiest(entries: tuple[Entry, ...]) -> set[int]:
    """Identities of the entries that the timeline shows: those that tell the story, then the highest scores."""
    first = min(
        (entry for entry in entries if entry.kind == "detection"), key=lambda entry: entry.time, default=None
    )
    kept = [entry for entry in entries if entry.kind in _ALWAYS or entry is first]
    rest = sorted((e for e in entries if e not in kept), key=lambda e: (-e.score, e.time))
    return {id(entry) for entry in kept + rest[: max(0, ENTRIES - len(kept))]}
