"""Chooses the events that tell the story of the incidents, each with the reason it is there.

What must be told is always in: trigger, first and last failure, alerts, human acts, resolution. The rest are patterns, by
points: how much their rate rose from the trigger to the recovery (the signed Poisson log-likelihood ratio G), how severe
they are, whether they are new, and how near the onset they begin; see `points`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log
from typing import TYPE_CHECKING, Any

import pandas as pd

from .evidence import evidence
from .findings import Candidate, Entry, Evidence
from .outages import SECOND
from .sentences import repeated, request, said, sentence
from .wording import duration, number

if TYPE_CHECKING:
    from .outages import Span
    from .summary import Summary
    from .trigger import Roles
    from .window import Window

#: Points that a pattern needs to be told, and how many rows one writer may have beyond what must be told.
THRESHOLD = 3.0
PER_WRITER = 3
#: What happens so shortly after the last failure is still part of the story.
AFTERMATH = 90 * SECOND


@dataclass(frozen=True, slots=True)
class Story:
    """The chosen entries in order of time, and the ones that nearly were (for `--explain`)."""

    entries: tuple[Entry, ...]
    nearly: tuple[Entry, ...]


def timeline(
    signs: pd.DataFrame, summary: Summary, incidents: list[tuple[Span, Roles]], window: Window, max_entries: int = 25
) -> Story:
    """The timeline of all incidents, at most `max_entries` rows.

    `signs` is the frame of `retrolog.pipeline.signs`, `incidents` the outages with the roles of their events. Without an
    incident the timeline is empty: nothing is to be explained.
    """
    if not incidents:
        return Story((), ())
    inside = signs[[int(t) in window for t in signs["time"]]]
    told: list[Entry] = []
    for span, roles in incidents:
        told += _requests(summary, span, window)
        told += _roles(span, roles)
        told += _marked(inside, span, roles)
    told = _once(told)
    cited = {(e.file, e.line) for entry in told for e in entry.evidence}
    groups = {g for g, f, n in zip(inside["group"], inside["file"], inside["line"], strict=True) if (f, n) in cited}
    scored = [p for p in _patterns(inside, incidents, window) if p.entry.score > 0 and p.group not in groups]
    scored.sort(key=lambda p: (-p.entry.score, p.entry.time, p.entry.summary))
    chosen, nearly = list(told), []
    per_writer: dict[str, int] = {}
    for pattern in scored:
        writer = pattern.writer
        if pattern.entry.score >= THRESHOLD and per_writer.get(writer, 0) < PER_WRITER and len(chosen) < max_entries:
            per_writer[writer] = per_writer.get(writer, 0) + 1
            chosen.append(pattern.entry)
        else:
            nearly.append(pattern.entry)
    if len(chosen) > max_entries:
        chosen.sort(key=lambda e: (-_RANK.get(e.kind, 0), -e.score, e.time))
        nearly = chosen[max_entries:] + nearly
        chosen = chosen[:max_entries]
    chosen.sort(key=lambda e: (e.time, e.evidence[0].file if e.evidence else "", e.evidence[0].line if e.evidence else 0))
    return Story(tuple(chosen), tuple(nearly[:20]))


#: Which kinds stay when there is more than fits.
_RANK = {
    "trigger": 9, "first_failure": 9, "resolution": 8, "last_failure": 8, "detection": 8, "recovery": 7, "action": 6,
    "human": 5, "error": 4, "change": 3, "warning": 2, "misleading": 2, "context": 1,
}  # fmt: skip


def _requests(summary: Summary, span: Span, window: Window) -> list[Entry]:
    """The first and the last failed request of a span."""
    table = summary.table("failures").to_pylist()
    rows = [r for r in table if span.onset.time <= r["last_time"] and r["time"] <= span.end + SECOND - 1]
    if not rows or span.signal != "failures":
        return []
    first = min(rows, key=lambda r: (r["time"] < span.onset.time, r["time"], r["file"], r["line"]))
    last = max(rows, key=lambda r: (r["last_time"], r["last_file"], r["last_line"]))
    lasted = last["last_time"] - first["time"]
    entries = [
        Entry(
            time=first["time"], kind="first_failure", summary=request(first, "First"), severity="error", score=9.0,
            reason="the first failed request of the outage", evidence=_some(rows, first), service=first["source"],
            count=span.failed,
        ),
        Entry(
            time=last["last_time"], kind="last_failure", summary=request(last, "Last", "last_") + f", {duration(lasted)} after the first",
            severity="error", score=8.0, reason="the last failed request of the outage", evidence=(evidence(last, "last_"),),
            service=last["source"],
        ),
    ]  # fmt: skip
    if span.recovery is None:
        entries.pop()
    return [e for e in entries if e.time in window]


def _some(rows: list[dict[str, Any]], first: dict[str, Any]) -> tuple[Evidence, ...]:
    later = sorted((r for r in rows if r["time"] > first["time"]), key=lambda r: (r["time"], r["file"], r["line"]))
    return (evidence(first), *(evidence(r) for r in later[:2]))


def _roles(span: Span, roles: Roles) -> list[Entry]:
    """Entries for the trigger and its rivals, the detection and the resolution."""
    entries = []
    for place, candidate in enumerate(roles.candidates[:3]):
        strong = place == 0
        if not strong and candidate.score < 0.25 * roles.candidates[0].score:
            continue
        case = "; ".join((*candidate.reasons_for, *candidate.reasons_against))
        kind = "trigger" if strong else "misleading" if candidate.reasons_against else "change"
        reason = f"{'most likely trigger' if strong else 'rival candidate'}: {candidate.kind}, {case}"
        entries.append(_entry(candidate, kind, reason))
    if roles.detected:
        entries.append(_entry(roles.detected, "detection", roles.detected.reasons_for[0]))
    if roles.resolution:
        entries.append(_entry(roles.resolution, "resolution", f"the act nearest to the recovery: {roles.resolution.reasons_for[0]}"))
    return entries


def _entry(candidate: Candidate, kind: str, reason: str) -> Entry:
    end = max((e.time or candidate.time for e in candidate.evidence), default=candidate.time)
    return Entry(
        time=candidate.time, end=end if end > candidate.time else None, summary=candidate.summary, kind=kind, reason=reason,
        evidence=candidate.evidence, host=candidate.host, service=candidate.service, count=max(1, len(candidate.evidence)),
        score=8.0,
    )  # fmt: skip


#: What marked events become in the timeline, and why they are told.
_TOLD = {
    "detection": ("detection", "monitoring noticed"),
    "resolved": ("recovery", "monitoring or the service reports that it is well again"),
    "note": ("human", "someone wrote down what they saw"),
    "human": ("human", "someone logged in or looked"),
    "action": ("action", "someone acted"),
    "change": ("change", "a change during the outage"),
    "event": ("error", "something broke or ran out"),
    "symptom": ("error", "a dependency did not answer"),
}


def _marked(inside: pd.DataFrame, span: Span, roles: Roles) -> list[Entry]:
    """Alerts, recoveries, human acts and changes from the onset until shortly after the recovery, each pattern once."""
    time = inside["time"].astype("int64")
    course = inside[(time >= span.onset.time - 2 * SECOND) & (time <= span.end + AFTERMATH)]
    course = course[course["role"].isin(["detection", "resolved", "note", "human", "action", "change"])]
    course = course[~course["routine"].astype(bool)]
    entries = []
    for _, rows in course.groupby("group", sort=False):
        first = rows.iloc[0]
        kind, why = _TOLD[str(first["role"])]
        late = int(first["time"]) > span.end
        if late and first["role"] not in ("resolved", "note", "human"):
            continue  # what changed after the recovery did not end it
        entries.append(
            Entry(
                time=int(first["time"]), end=_end(rows), summary=_told(rows), kind=kind, severity=_text(first["severity"]),
                reason=f"{why} ({first['kind']})", evidence=_lines(rows), host=_text(first["host"]),
                service=_text(first["who"]), count=int(rows["count"].sum()), score=6.0,
            )
        )  # fmt: skip
    return entries


def _told(rows: pd.DataFrame) -> str:
    first, count = rows.iloc[0], int(rows["count"].sum())
    return repeated(first, count, int(rows["last_time"].max()) - int(first["time"])) if count > 1 else sentence(first)


@dataclass(frozen=True, slots=True)
class _Pattern:
    entry: Entry
    group: str
    writer: str


def _patterns(inside: pd.DataFrame, incidents: list[tuple[Span, Roles]], window: Window) -> list[_Pattern]:
    """Every pattern as the entry it would be, with its points."""
    spans = [(_since(span, roles, window), span.end + 10 * SECOND) for span, roles in incidents]
    time = inside["time"].astype("int64")
    whole = max(1, int(time.max()) - int(time.min())) if len(time) else 1
    length = sum(b - a for a, b in spans)
    rest = max(whole - length, SECOND)
    hit = pd.Series(False, index=inside.index)
    for a, b in spans:
        hit |= (time >= a) & (time <= b)
    out = []
    totals = inside.groupby("group", sort=False)["count"].sum()
    for group, rows in inside[hit].groupby("group", sort=False):
        count = int(rows["count"].sum())
        scored = _points(rows, count, int(totals[group]) - count, length / SECOND, rest / SECOND, incidents)
        if scored is None:
            continue
        score, reason = scored
        first = rows.iloc[0]
        kind = "error" if first["rank"] >= 4 or first["role"] == "event" else "warning" if first["rank"] == 3 or first["role"] == "symptom" else "context"
        entry = Entry(
            time=int(first["time"]), end=_end(rows), summary=_told(rows), kind=kind, reason=reason, evidence=_lines(rows),
            severity=_text(first["severity"]), host=_text(first["host"]), service=_text(first["who"]), count=count, score=round(score, 3),
        )  # fmt: skip
        out.append(_Pattern(entry, str(group), f"{first['who']}"))
    return _silent(out)


def _silent(patterns: list[_Pattern]) -> list[_Pattern]:
    """The same error told by one writer in the same words is told once: the earlier, with both counts."""
    kept: dict[tuple[str, str], _Pattern] = {}
    for pattern in sorted(patterns, key=lambda p: (-p.entry.score, p.entry.time)):
        words = said(pattern.entry.summary.split(" — ")[0]).rsplit("… ", 1)[-1]
        key = (pattern.writer, words)
        if key in kept:
            best = kept[key]
            kept[key] = replace(best, entry=replace(best.entry, count=best.entry.count + pattern.entry.count))
        else:
            kept[key] = pattern
    return list(kept.values())


def _since(span: Span, roles: Roles, window: Window) -> int:
    """Where the story of an outage begins: at its likeliest trigger, else shortly before the onset."""
    begin = min([span.onset.time - 15 * SECOND, *(c.time - SECOND for c in roles.candidates[:1])])
    return begin if window.start is None else max(begin, window.start)


def _points(
    rows: pd.DataFrame, count: int, outside: int, length: float, rest: float, incidents: list[tuple[Span, Roles]]
) -> tuple[float, str] | None:
    """Points of a pattern and the reasons in words; None for what is routine or tells nothing."""
    first = rows.iloc[0]
    if first["routine"] is True:
        return None
    expected = (outside + 0.5) * length / rest
    gain = count * log(count / expected) - (count - expected) if count else 0.0
    rose = count > expected and gain > 2
    rank = int(first["rank"])
    quiet = rank < 3 and first["role"] is None
    score = log(1 + gain) * (0.5 if quiet else 1.0) if rose else 0.0
    reasons = []
    if rose:
        reasons.append(f"{number(count)} times here, {_rate(expected)} expected from the rest of these logs" if outside else f"{number(count)} times here, never outside")
    if outside == 0:
        score += 0.3 if quiet else 1.0
        reasons.append("new") if not rose else None
    if rank >= 3 and (rose or outside == 0):
        score += 0.6 * min(rank - 2, 3)
        reasons.append(f"severity {first['severity']}")
    nearest = min(abs(int(first["time"]) - span.onset.time) / max(5.0 * SECOND, 0.05 * (span.end - span.onset.time)) for span, _ in incidents)
    if outside == 0 or rose:
        score += exp(-nearest)
        if nearest < 1:
            reasons.append("begins near the onset")
    if first["role"] in ("event", "symptom"):
        score += 1.0
        reasons.append(str(first["kind"]))
    return (score, ", ".join(reasons)) if reasons else None


def _rate(expected: float) -> str:
    return f"{expected:.1f}" if expected < 10 else number(round(expected))


def _end(rows: pd.DataFrame) -> int | None:
    end = int(rows["last_time"].max())
    return end if end > int(rows.iloc[0]["time"]) else None


def _lines(rows: pd.DataFrame) -> tuple[Evidence, ...]:
    """The first three and the last line of a pattern."""
    picked = rows.head(3) if len(rows) <= 3 else pd.concat([rows.head(3), rows.tail(1)])
    return tuple(evidence(r) for r in picked.to_dict("records"))


def _once(entries: list[Entry]) -> list[Entry]:
    """An event told in two roles (a resolution that is also an act) is told in the one that ranks higher."""
    kept: list[Entry] = []
    seen: set[tuple[str, int]] = set()
    for entry in sorted(entries, key=lambda e: (-_RANK.get(e.kind, 0), e.time)):
        places = [(e.file, e.line) for e in entry.evidence]
        if places and places[0] in seen:
            continue
        seen.update(places)
        kept.append(entry)
    return kept


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)
