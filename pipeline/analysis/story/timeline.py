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

from ...counting.polarity import turn
from ...findings import Candidate, Entry, Evidence
from ...wording import duration, number
from ..causes.trigger import omens
from ..clues.bonds import changes, known, stem
from ..clues.deaths import loops
from ..clues.signs import records, varied, within
from ..edge import edge_sources
from ..evidence import evidence
from ..sentences import request, said, sentence
from ..sentences import told as told_of
from ..traffic import SECOND, failures
from .quiet import happenings
from .returns import returns

if TYPE_CHECKING:
    from ...counting.summary import Summary
    from ...window import Window
    from ..causes.response import Roles
    from ..traffic import Span

#: Points that a pattern needs to be told, and how many rows one writer may have beyond what must be told.
THRESHOLD = 2.2
CONTEXT = 3.2  # what is no complaint must say more to be told
PER_WRITER = 3
#: Deaths, and servers that a balancer takes out, say more than the starts and errors that follow them.
GRAVE = ("crash", "kill", "oom", "unhealthy")
#: What happens so shortly after the last failure is still part of the story.
AFTERMATH = 90 * SECOND
#: A word of recovery so long before the last failure was wrong.
TOO_EARLY = 15 * SECOND
#: Who logs in does what they came for within this time.
ACTS = 3 * 60 * SECOND


@dataclass(frozen=True, slots=True)
class Story:
    """The chosen entries in order of time, and the ones that nearly were (for `--explain`)."""

    entries: tuple[Entry, ...]
    nearly: tuple[Entry, ...]


def timeline(
    signs: pd.DataFrame, summary: Summary, incidents: list[tuple[Span, Roles]], window: Window, max_entries: int = 25
) -> Story:
    """The timeline of all incidents, at most `max_entries` rows.

    `signs` is the frame of `retrolog.pipeline.analysis.clues.recurring`, `incidents` the outages with the roles of their events. Without an
    incident it is a short list of what happened all the same.
    """
    if not incidents:
        return Story(happenings(signs, window)[:max_entries], ())
    inside = within(signs, window)
    told: list[Entry] = []
    looped: set[tuple[str, int]] = set()
    for span, roles in incidents:
        told += _requests(summary, span, window)
        marked, part_of_it = _marked(inside, span, roles)
        told += _roles(roles, part_of_it)
        told += marked
        told += _omens(inside, span, roles)
        told += _well_again(inside, span)
        again, part_of_them = loops(inside, span)
        # what dies and is started again pauses the failures by itself
        told += [] if again else returns(inside, summary, span)
        kept = {(e.file, e.line) for c in (*roles.candidates[:1], roles.resolution) if c for e in c.evidence}
        told = [e for e in told if not e.evidence or e.kind not in ("change", "error") or (e.evidence[0].file, e.evidence[0].line) not in part_of_them - kept]
        told += again
        looped |= part_of_them
    told = _once(told)
    cited = {(e.file, e.line) for entry in told for e in entry.evidence} | looped
    groups = {g for g, f, n in zip(inside["group"], inside["file"], inside["line"], strict=True) if (f, n) in cited}
    scored = [p for p in _patterns(inside, incidents, window) if p.entry.score > 0 and p.group not in groups]
    scored.sort(key=lambda p: (-p.entry.score, p.entry.time, p.entry.summary))
    chosen, nearly = list(told), []
    per_writer: dict[str, int] = {}
    for pattern in scored:
        writer = pattern.writer + ("\x1fstates" if turn(pattern.entry.summary) or "unhealthy" in pattern.entry.reason else "")
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
    chosen.sort(key=lambda e: (e.time, _ORDER.get(e.kind, 2), e.evidence[0].file if e.evidence else "", e.evidence[0].line if e.evidence else 0))
    return Story(tuple(chosen), tuple(nearly[:20]))


#: Which kinds stay when there is more than fits.
_RANK = {
    "trigger": 9, "first_failure": 9, "resolution": 8, "last_failure": 8, "gap": 8, "detection": 8, "recovery": 7, "action": 6,
    "human": 5, "error": 4, "change": 3, "warning": 2, "misleading": 2, "context": 1,
}  # fmt: skip


#: Of what has one stamp, what brought it about is told before it.
_ORDER = {"trigger": 0, "resolution": 0, "first_failure": 1, "last_failure": 3}


def _silence(span: Span, last: Evidence, first: Evidence) -> list[Entry]:
    lasted = duration(span.end - span.onset.time)
    return [
        Entry(
            time=span.onset.time, kind="first_failure", summary=f"The last line of {span.value} before it wrote nothing for {lasted}.", severity="error",
            score=9.0, reason="a steady log fell silent", evidence=(last,), service=span.value,
        ),
        Entry(
            time=span.end, kind="gap", summary=f"The first line of {span.value} after {lasted} of silence.", severity="info",
            score=8.0, reason="the log that had fallen silent went on", evidence=(first,), service=span.value,
        ),
    ]  # fmt: skip


def _requests(summary: Summary, span: Span, window: Window) -> list[Entry]:
    """The first and the last failed request of a span, or the lines between which a log was silent."""
    if span.ends is not None:
        return [e for e in _silence(span, *span.ends) if e.time in window]
    table = failures(summary, edge_sources(summary), span.closed)
    rows = [r for r in table.to_pylist() if span.onset.time <= r["last_time"] and r["time"] <= span.end + SECOND - 1]
    if not rows or span.signal not in ("failures", "refusals"):
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


def _roles(roles: Roles, part_of_it: list[Evidence]) -> list[Entry]:
    """Entries for the trigger and its rivals, the detection and the resolution with the lines that are part of it."""
    entries = []
    for place, candidate in enumerate(roles.candidates[:3]):
        strong = place == 0
        if not strong and candidate.score < 0.25 * roles.candidates[0].score:
            continue
        case = "; ".join((*candidate.reasons_for, *candidate.reasons_against))
        kind = "trigger" if strong else "error" if candidate.kind in _EVENTS else "change"
        reason = f"{'most likely trigger' if strong else 'rival candidate'}: {candidate.kind}, {case}"
        entries.append(_entry(candidate, kind, reason))
    if roles.detected:
        entries.append(_entry(roles.detected, "detection", roles.detected.reasons_for[0]))
    if roles.resolution:
        own = roles.resolution.evidence
        more = [e for e in part_of_it if (e.file, e.line) not in {(o.file, o.line) for o in own}]
        whole = replace(roles.resolution, evidence=(*own[: max(1, 5 - len(more))], *more)[:5])
        entries.append(_entry(whole, "resolution", f"the act nearest to the recovery: {roles.resolution.reasons_for[0]}"))
    return entries


def _entry(candidate: Candidate, kind: str, reason: str) -> Entry:
    end = max((e.time or candidate.time for e in candidate.evidence), default=candidate.time)
    return Entry(
        time=candidate.time, end=end if end > candidate.time else None, summary=candidate.summary, kind=kind, reason=reason,
        evidence=candidate.evidence, host=candidate.host, service=candidate.service, score=8.0,
    )  # fmt: skip


#: Kinds of rival that nobody did: they happened.
_EVENTS = ("crash", "kill", "oom", "disk_full", "disk", "exhaustion", "pressure", "network", "clock", "certificate", "expiry", "dependency")

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


def _marked(inside: pd.DataFrame, span: Span, roles: Roles) -> tuple[list[Entry], list[Evidence]]:
    """Alerts, recoveries, human acts and changes from the onset until shortly after the recovery, each pattern once.

    Scheduled jobs and backups are left out: one that matters is a candidate for the trigger. Rows that tell of one change are one entry;
    what follows the resolution at once on its host (the unit stops, starts, reloads) is part of it, and comes second.
    """
    time = inside["time"].astype("int64")
    course = inside[(time >= span.onset.time - 2 * SECOND) & (time <= span.end + AFTERMATH)]
    course = course[course["role"].isin(_TOLD) & ~course["kind"].isin(["job", "backup"])]
    course = course[~course["routine"].astype(bool)]
    course = _logins_once(course)
    told = {(e.file, e.line) for c in roles.candidates[:1] for e in c.evidence}
    untold = [place not in told for place in zip(course["file"], course["line"], strict=True)]
    course = course[pd.Series(untold, index=course.index, dtype=bool)]
    resolution = roles.resolution
    entries: list[Entry] = []
    part_of_it: list[Evidence] = []
    for rows in _told_together(_without_strangers(course, inside, span), span):
        first = rows.iloc[0]
        kind, why = _TOLD[str(first["role"])]
        if kind in ("change", "action") and resolution and _follows(first, resolution):
            part_of_it += _lines(rows)[:2]
            continue
        if int(first["time"]) > span.end and first["role"] not in ("resolved", "note", "human"):
            continue  # what changed after the recovery did not end it
        early = first["role"] == "resolved" and int(rows["last_time"].max()) < span.end - TOO_EARLY
        summary = told_of(rows) if rows["group"].nunique() == 1 else sentence(first)
        if early:
            kind, why, summary = "context", "a check passed in between", f"{summary} — but requests failed again after it"
        entries.append(
            Entry(
                time=int(first["time"]), end=_end(rows), summary=summary, kind=kind, severity=known(first["severity"]),
                reason=f"{why} ({first['kind']})", evidence=_lines(rows), host=known(first["host"]),
                service=known(first["who"]), count=int(rows["count"].sum()) if rows["group"].nunique() == 1 else 1, score=6.0,
            )
        )  # fmt: skip
    return entries, part_of_it


def _omens(inside: pd.DataFrame, span: Span, roles: Roles) -> list[Entry]:
    """The first warning of each kind that something ran short, between the likely trigger and the onset."""
    if not roles.candidates or roles.candidates[0].kind == "pressure":
        return []
    found = omens(inside, span, roles.candidates[0])
    return [
        Entry(
            time=int(row["time"]), summary=sentence(row), kind="warning", severity=known(row["severity"]), score=5.0,
            reason="a warning that something ran short, between the likely trigger and the onset", evidence=(evidence(row),),
            host=known(row["host"]), service=known(row["who"]),
        )
        for row in records(found.drop_duplicates("group").head(2))
    ]  # fmt: skip


def _logins_once(course: pd.DataFrame) -> pd.DataFrame:
    """The rows with one of those that tell of one login (sshd accepts a key, and PAM opens the session), and none where an act says who it was.

    Who logs in and does something within minutes is told by what they did.
    """
    did = course[(course["role"] == "action") & course["actor"].notna()]
    acts = list(zip(did["actor"], did["time"].astype("int64"), strict=True))
    last: dict[tuple[object, object], int] = {}
    kept = []
    for row in records(course[["time", "kind", "actor", "where"]]):
        key, time = (row["actor"], row["where"]), int(row["time"])
        again = row["kind"] == "login" and known(row["actor"]) is not None and time - last.get(key, -SECOND * 60) <= 5 * SECOND
        if row["kind"] == "login":
            last[key] = time
        acted = row["kind"] == "login" and any(actor == row["actor"] and 0 <= at - time <= ACTS for actor, at in acts)
        kept.append(not (again or acted))
    return course[pd.Series(kept, index=course.index, dtype=bool)]


def _follows(row: pd.Series, resolution: Candidate) -> bool:
    """Whether a change comes within ten seconds of the resolution, on its host as far as that is known."""
    elsewhere = known(row["host"]) and resolution.host and known(row["host"]) != resolution.host
    return not elsewhere and -SECOND <= int(row["time"]) - resolution.time <= 10 * SECOND


def _without_strangers(course: pd.DataFrame, inside: pd.DataFrame, span: Span) -> pd.DataFrame:
    """The rows without words of recovery by those who never complained: neither the writer nor what it speaks of was in trouble."""
    time = inside["time"].astype("int64")
    during = inside[(time >= span.onset.time - AFTERMATH) & (time <= span.end)]
    ill = during[(during["rank"] >= 3) | during["role"].isin(["detection", "event", "symptom"])]
    writers = set(ill["who"])
    things = {stem(s) for s in ill["subject"].dropna()} | {stem(w) for w in writers}
    well = course["role"] == "resolved"
    theirs = course["who"].isin(writers) | course["subject"].map(lambda s: known(s) is not None and stem(s) in things)
    if not (well & theirs & (course["kind"] == "alert_resolved")).any():
        theirs |= course["kind"] == "alert_resolved"  # whoever raised the alarm did so elsewhere
    return course[~well | theirs]


def _told_together(course: pd.DataFrame, span: Span) -> list[pd.DataFrame]:
    """Rows of one pattern; rows that tell of one change; of a watcher's checks none where its alert says it all."""
    acts = course["role"].isin(["change", "action"])
    parts = [part for rows in changes(course[acts]) for part in _by_act(rows)]
    rest = course[~acts]
    reminder = (rest["kind"] == "check_failed") & rest["who"].isin(set(course.loc[course["kind"] == "alert", "who"]))
    # a check that passes while requests go on failing is no recovery: it is told apart from the one that is
    late = (rest["role"] == "resolved") & (rest["time"].astype("int64") >= span.end - TOO_EARLY)
    keys = [rest["group"], rest["role"], late]
    parts += [rows for _, rows in rest[~reminder].groupby(keys, sort=False)]
    return _one_notice(parts)


def _by_act(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of one change, anew from each thing that a person did: two commands are two acts, and what a machine did before is its own."""
    act = rows["role"] == "action"
    if not act.any() or (rows.loc[act, "group"].nunique() == 1 and bool(act.iloc[0])):
        return [rows]
    # a command and what it is logged as by the shell and by sudo are one
    new = act & ((rows["group"] != rows["group"].where(act).ffill().shift()) | ~act.shift(fill_value=False).astype(bool).cummax())
    return [part for _, part in rows.groupby(new.cumsum(), sort=False)]


#: Rows of one watcher so near each other tell of one notice: the alert and the mail about it.
_NOTICE = 2 * SECOND


def _one_notice(parts: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """The parts with those of one watcher that tell of one notice joined, the alert first."""
    out: list[pd.DataFrame] = []
    last: dict[tuple[str, str], int] = {}
    for part in parts:
        first = part.iloc[0]
        key = (str(first["who"]), str(first["role"]))
        at = last.get(key)
        if str(first["role"]) not in ("detection", "resolved"):
            out.append(part)
        elif at is not None and abs(int(first["time"]) - int(out[at].iloc[0]["time"])) <= _NOTICE:
            both = pd.concat([out[at], part])
            out[at] = both.loc[(both["kind"] == "check_failed").sort_values(kind="stable").index] if both.index.is_unique else both
        else:
            last[key] = len(out)
            out.append(part)
    return out


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
        if int(totals[group]) > count:
            rows = _risen(rows, incidents)
            count = int(rows["count"].sum())
        scored = _points(rows, count, int(totals[group]) - count, length / SECOND, rest / SECOND, incidents)
        if scored is None:
            continue
        score, reason = scored
        first = rows.iloc[0]
        kind = "error" if first["rank"] >= 4 else "warning" if _is_bad(first) else "context"
        entry = Entry(
            time=int(first["time"]), end=_end(rows), summary=told_of(rows), kind=kind, reason=reason, evidence=_lines(rows),
            severity=known(first["severity"]), host=known(first["host"]), service=known(first["who"]), count=count, score=round(score, 3),
        )  # fmt: skip
        out.append(_Pattern(entry, str(group), f"{first['who']}"))
    return _silent(out)


def _risen(rows: pd.DataFrame, incidents: list[tuple[Span, Roles]]) -> pd.DataFrame:
    """The rows of a pattern that was there before: from where an outage made it more, so that it is not dated before its cause."""
    time = rows["time"].astype("int64")
    later = rows[time >= min(span.onset.time for span, _ in incidents) - 2 * SECOND]
    return later if len(later) and int(rows["count"].sum()) < 2 * int(later["count"].sum()) else rows


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
    if first["routine"] is True or first["recurs"]:
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
            score += 2.0 if first["kind"] in GRAVE else 1.0
            if rank >= 3:
                reasons.append(str(first["kind"]))
    starts = int(first["time"])
    if outside == 0 and turn(str(first["message"])):
        score += 1.0
        reasons.append("a change of state")
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
    """The first three and the last line of a pattern; of several patterns the first line of each."""
    picked = varied(rows) if rows["group"].nunique() > 1 else rows if len(rows) <= 3 else pd.concat([rows.head(3), rows.tail(1)])
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
