"""Chooses the events that tell the story of the incidents, each with the reason it is there.

What must be told is always in: trigger, first and last failure, alerts, human acts, resolution. The rest are patterns, by
points: how much their rate rose from the trigger to the recovery (the signed Poisson log-likelihood ratio G), how severe
they are, whether they are new, and how near the onset they begin; see `points`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import exp, log
from typing import TYPE_CHECKING, Any

import pandas as pd

from .bonds import known
from .evidence import evidence
from .findings import Candidate, Entry, Evidence
from .outages import SECOND, edge_sources, failures
from .sentences import request, said, sentence
from .signs import records, within
from .wording import duration, number

if TYPE_CHECKING:
    from .outages import Span
    from .response import Roles
    from .summary import Summary
    from .window import Window

#: Points that a pattern needs to be told, and how many rows one writer may have beyond what must be told.
THRESHOLD = 2.2
CONTEXT = 3.2  # what is no complaint must say more to be told
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
    inside = within(signs, window)
    told: list[Entry] = []
    for span, roles in incidents:
        told += _requests(summary, span, window)
        told += _roles(span, roles)
        told += _marked(inside, span)
        told += _well_again(inside, span)
    told = _once(told)
    cited = {(e.file, e.line) for entry in told for e in entry.evidence}
    groups = {g for g, f, n in zip(inside["group"], inside["file"], inside["line"], strict=True) if (f, n) in cited}
    scored = [p for p in _patterns(inside, incidents, window) if p.entry.score > 0 and p.group not in groups]
    scored.sort(key=lambda p: (-p.entry.score, p.entry.time, p.entry.summary))
    chosen, nearly = list(told), []
    per_writer: dict[str, int] = {}
    for pattern in scored:
        writer = pattern.writer
        needed = THRESHOLD if pattern.entry.kind != "context" else CONTEXT
        if pattern.entry.score >= needed and per_writer.get(writer, 0) < PER_WRITER and len(chosen) < max_entries:
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
    table = failures(summary, edge_sources(summary), span.closed)
    rows = [r for r in table.to_pylist() if span.onset.time <= r["last_time"] and r["time"] <= span.end + SECOND - 1]
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
        astray = not strong and any(r.startswith("no error names") for r in candidate.reasons_against)
        kind = "trigger" if strong else "misleading" if astray else "change"
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


#: Words in which a writer that had errors says that it is well again.
_WELL = re.compile(r"\b(success(ful(ly)?)?|recovered|restored|resumed|re-?connected|ready|healthy|back (to normal|online|up))\b", re.IGNORECASE)

#: What marked events become in the timeline, and why they are told.
_TOLD = {
    "detection": ("detection", "monitoring noticed"),
    "resolved": ("recovery", "monitoring or the service reports that it is well again"),
    "note": ("human", "someone wrote down what they saw"),
    "human": ("human", "someone logged in or looked"),
    "action": ("action", "someone acted"),
    "change": ("change", "a change during the outage"),
}


def _marked(inside: pd.DataFrame, span: Span) -> list[Entry]:
    """Alerts, recoveries, human acts and changes from the onset until shortly after the recovery, each pattern once.

    Scheduled jobs are left out: one that matters is a candidate for the trigger. What one writer changed in quick
    succession (stopping, starting, listening) is one entry.
    """
    time = inside["time"].astype("int64")
    course = inside[(time >= span.onset.time - 2 * SECOND) & (time <= span.end + AFTERMATH)]
    course = course[course["role"].isin(_TOLD) & (course["kind"] != "job")]
    course = course[~course["routine"].astype(bool)]
    entries = []
    for rows in _told_together(course):
        first = rows.iloc[0]
        kind, why = _TOLD[str(first["role"])]
        if int(first["time"]) > span.end and first["role"] not in ("resolved", "note", "human"):
            continue  # what changed after the recovery did not end it
        entries.append(
            Entry(
                time=int(first["time"]), end=_end(rows), summary=sentence(first), kind=kind, severity=known(first["severity"]),
                reason=f"{why} ({first['kind']})", evidence=_lines(rows), host=known(first["host"]),
                service=known(first["who"]), count=int(rows["count"].sum()), score=6.0,
            )
        )  # fmt: skip
    return entries


def _told_together(course: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows of one pattern, and changes of one writer that follow each other within ten seconds."""
    parts: list[pd.DataFrame] = []
    changes = course["role"] == "change"
    for _, rows in course[changes].groupby("who", sort=False):
        gap = rows["time"].astype("int64").diff().fillna(0) > 10 * SECOND
        parts += [part for _, part in rows.groupby(gap.cumsum(), sort=False)]
    parts += [rows for _, rows in course[~changes].groupby("group", sort=False)]
    return parts


def _well_again(inside: pd.DataFrame, span: Span) -> list[Entry]:
    """The first word of success, around the recovery, of each writer that complained during the outage."""
    time = inside["time"].astype("int64")
    during = inside[(time >= span.onset.time) & (time <= span.end)]
    complained = set(during.loc[during["rank"] >= 3, "who"])
    near = inside[(time >= span.end - 10 * SECOND) & (time <= span.end + AFTERMATH) & (inside["rank"] < 3)]
    near = near[near["who"].isin(complained) & near["role"].isna()]
    entries = []
    for row in records(near.drop_duplicates("group")):
        rare = int(inside.loc[inside["group"] == row["group"], "count"].sum()) <= 5
        if rare and _WELL.search(said(row["message"])) and row["who"] in complained:
            complained.discard(row["who"])
            entries.append(
                Entry(
                    time=int(row["time"]), summary=sentence(row), kind="recovery", severity=known(row["severity"]), score=5.0,
                    reason="first word of success of a writer that had complained", evidence=(evidence(row),),
                    host=known(row["host"]), service=known(row["who"]),
                )
            )  # fmt: skip
    return entries


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
        kind = "error" if first["rank"] >= 4 else "warning" if _is_bad(first) else "context"
        entry = Entry(
            time=int(first["time"]), end=_end(rows), summary=sentence(first), kind=kind, reason=reason, evidence=_lines(rows),
            severity=known(first["severity"]), host=known(first["host"]), service=known(first["who"]), count=count, score=round(score, 3),
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
    """Points of a pattern and the reasons in words; None for what is routine or tells nothing.

    `count` of it came in the `length` seconds of the story, `outside` in the `rest`. Being new counts as far as it can be
    no accident: a line seen once says little when the story fills half of the logs.
    """
    first = rows.iloc[0]
    if first["routine"] is True:
        return None
    expected = (outside + 0.5) * length / rest
    gain = count * log(count / expected) - (count - expected)
    rose = count > expected and ((gain > 2 and count >= 3 * expected) or (gain > 10 and count >= 1.5 * expected))
    rank = int(first["rank"])
    bad = _is_bad(first)
    weight = 1.0 if bad else 0.5
    score = 0.0
    reasons = []
    if rose:
        score += weight * log(1 + gain)
        usual = f"{_rate(expected)} expected from the rest of these logs" if outside else "never outside"
        reasons.append(f"{number(count)} times here, {usual}")
    if outside == 0:
        chance = -count * log(length / (length + rest))
        score += weight * min(1.0, chance / 3)
        if not rose:
            reasons.append("seen only here")
    if not reasons:
        return None
    if bad:
        score += 0.6 * min(max(rank - 2, 1), 3)
        reasons.append(f"severity {first['severity']}" if rank >= 3 else str(first["kind"]))
        if first["role"] in ("event", "symptom"):
            score += 1.0
            reasons.append(str(first["kind"]))
    starts = int(first["time"])
    nearest = min(abs(starts - span.onset.time) / max(5.0 * SECOND, 0.05 * (span.end - span.onset.time)) for span, _ in incidents)
    score += exp(-nearest)
    if nearest < 1:
        reasons.append("begins near the onset")
    if bad and outside == 0 and any(r.candidates and r.candidates[0].time <= starts < span.onset.time for span, r in incidents):
        score += 1.5
        reasons.append("begins between the likely trigger and the onset")
    return score, ", ".join(reasons)


def _is_bad(row: pd.Series) -> bool:
    """A warning or worse, or something that broke or waited, whatever severity its writer gives it.

    PostgreSQL reports lock waits at the level of information; a process that starts breaks nothing.
    """
    return bool(row["rank"] >= 3 or row["role"] == "symptom" or (row["role"] == "event" and row["kind"] != "start"))


def _rate(expected: float) -> str:
    return f"{expected:.1f}" if expected < 10 else number(round(expected))


def _end(rows: pd.DataFrame) -> int | None:
    end = int(rows["last_time"].max())
    return end if end > int(rows.iloc[0]["time"]) else None


def _lines(rows: pd.DataFrame) -> tuple[Evidence, ...]:
    """The first three and the last line of a pattern."""
    picked = rows.head(3) if len(rows) <= 3 else pd.concat([rows.head(3), rows.tail(1)])
    return tuple(evidence(r) for r in records(picked))


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
