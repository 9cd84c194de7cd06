"""Who or what may have set the outage off: candidates, ranked and argued both ways.

The score of a candidate is 1.5 x the weight of its kind, less 0.6 ln(1 + delay / 10 s), less ln(times the same thing
happened elsewhere in these logs without an outage after it), plus up to 3 for signs that what it touched is what failed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING

import pandas as pd

from .bonds import WATCHERS, changes, known, stem
from .evidence import evidence
from .findings import Candidate
from .outages import SECOND
from .sentences import sentence
from .signs import records
from .wording import duration

if TYPE_CHECKING:
    from .outages import Span

#: How long before the onset a change may lie, and how much later than it (stamps of whole seconds round down).
BEFORE = 15 * 60 * SECOND
AFTER = 2 * SECOND
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)*")


def candidates(
    inside: pd.DataFrame, marked: pd.DataFrame, span: Span, others: Sequence[Candidate], resolution: Candidate | None,
    earlier: Sequence[Span],
) -> tuple[Candidate, ...]:  # fmt: skip
    """At most five candidates for the trigger, the best first.

    `inside` are the signs in the window, `marked` those of them that mark something, `others` candidates found elsewhere.
    `resolution` is the act that ended the outage: what it undid is likelier to have begun it. `earlier` are the outages
    before this one.
    """
    onset = span.onset.time
    time = marked["time"].astype("int64")
    near = marked[(time >= onset - BEFORE) & (time <= onset + AFTER) & marked["role"].isin(["change", "event", "action"])]
    near = near[~near["routine"].astype(bool)]
    over = max((s.end for s in earlier if s.end < onset), default=None)
    failing = _failing_names(inside, span)
    argued = (_argued(group, marked, span, failing, resolution) for group in changes(near))
    ranked = [c for c in (*argued, *others) if c is not None]
    if over is not None:
        ranked = [_spent(c) if c.time <= over else c for c in ranked]
    ranked.sort(key=lambda c: (-c.score, -c.time, c.summary))
    return tuple(_part_of(c, ranked[0]) for c in ranked[:5] if c.score > 0)


def _spent(candidate: Candidate) -> Candidate:
    """A candidate that lies before the end of an earlier outage, which it may explain instead."""
    against = (*candidate.reasons_against, "an earlier outage began after it and ended before this one")
    return replace(candidate, score=round(candidate.score - 3.0, 3), reasons_against=against)


def _part_of(candidate: Candidate, best: Candidate) -> Candidate:
    """A rival that follows the best candidate at once is likely a part of it, and says so."""
    gap = candidate.time - best.time
    if candidate is best or not 0 <= gap <= 10 * SECOND:
        return candidate
    against = f"follows the first candidate within {duration(max(gap, SECOND))}, so it may be a part of it"
    return replace(candidate, reasons_against=(*candidate.reasons_against, against))


def _failing_names(inside: pd.DataFrame, span: Span) -> dict[str, set[str]]:
    """Names (of services, sources, paths) and the patterns of trouble in the outage that say each."""
    time = inside["time"].astype("int64")
    bad = inside[(time >= span.onset.time - 5 * SECOND) & (time <= min(span.end, span.onset.time + 300 * SECOND)) & ((inside["rank"] >= 3) | inside["role"].isin(["event", "symptom"]))]
    said: dict[str, set[str]] = {}
    for row in records(bad.drop_duplicates("group")):
        for name in {stem(word) for word in _NAME.findall(f"{row['who']} {row['source']} {row['message']}".lower())}:
            said.setdefault(name, set()).add(str(row["group"]))
    return said


def _argued(rows: pd.DataFrame, marked: pd.DataFrame, span: Span, failing: dict[str, set[str]], resolution: Candidate | None) -> Candidate | None:
    first = rows.iloc[0]
    best = rows.iloc[int(rows["weight"].astype(float).to_numpy().argmax())]
    weight = float(best["weight"])
    if weight <= 0:
        return None
    onset = span.onset.time
    delay = onset - int(first["time"])
    for_, against = [], []
    score = 1.5 * weight - 0.6 * log(1 + max(0, delay) / SECOND / 10)
    if delay >= 0:
        for_.append(f"{duration(delay)} before the first failure" if delay >= SECOND else "in the same second as the first failure")
    else:
        for_.append(f"{duration(-delay)} after the first failed stamp, within what the clocks can tell")
    same = marked["group"].isin(rows["group"]) & (marked["subject"].isin(rows["subject"].dropna()) | bool(rows["subject"].isna().any()))
    elsewhere = marked[same & ~marked.index.isin(rows.index)]
    before = elsewhere[elsewhere["time"].astype("int64") < int(first["time"])]
    if len(before):
        score -= log(1 + len(before))
        against.append(f"the same happened {len(before)} time{'s' if len(before) > 1 else ''} before in these logs without an outage after it")
    elif len(elsewhere) == 0:
        for_.append("seen nowhere else in these logs")
    alike = marked[(marked["who"] == best["who"]) & (marked["kind"] == best["kind"])]
    at = alike["time"].astype("int64")
    again = int(alike.loc[(at >= onset) & (at <= span.end) & ~alike.index.isin(rows.index), "count"].sum())
    if best["role"] == "event" and delay <= 30 * SECOND and again >= 3:
        # what keeps happening while the outage lasts is the outage, not what set it off
        score -= 2 + log(again)
        against.append(f"it came {again} times more during the outage, as an effect would")
    touched = _touched(rows, failing)
    silenced = span.signal == "silence" and best["kind"] in ("stop", "kill", "crash", "oom", "restart", "package", "config")
    if silenced and delay <= 60 * SECOND:
        # a server that is down names nobody in its errors: that it stopped is what the silence says
        touched = touched or [(str(best["subject"] or best["who"]), 1)]
    if touched:
        score += min(3.0, 1.0 + 0.5 * sum(n for _, n in touched))
        for_.append("what failed names " + ", ".join(name for name, _ in touched[:3]))
    elif known(best["subject"]):
        score -= 1.0
        against.append(f"no error names {best['subject']}")
    else:
        score -= 0.5
    subjects = {stem(s) for s in rows["subject"].dropna()}
    if resolution and resolution.time > int(rows["time"].max()) and resolution.subject and stem(resolution.subject) in subjects:
        # set back at the end: who did it thought so too
        score += 1.5
        for_.append(f"the act that ended it is about {resolution.subject} too")
    if rows["who"].map(lambda who: bool(WATCHERS.search(str(who)))).all():
        score *= 0.4
        against.append(f"{first['who']} watches the service and does not serve it")
    return Candidate(
        time=int(first["time"]),
        summary=sentence(best if best["phase"] == "start" else first),
        kind=str(first["kind"]),
        score=round(score, 3),
        evidence=tuple(evidence(r) for r in records(rows.head(5))),
        reasons_for=tuple(for_),
        reasons_against=tuple(against),
        service=known(first["who"]),
        host=known(first["host"]),
        subject=known(best["subject"]),
    )


def _touched(rows: pd.DataFrame, failing: dict[str, set[str]]) -> list[tuple[str, int]]:
    """What the change names that the failures name too (whole names, and the parts of a path or unit)."""
    names: dict[str, int] = {}
    own = set(rows["group"])
    for subject in rows["subject"].dropna().unique():
        for part in {stem(subject), *(stem(p) for p in re.split(r"[/.@:\s]", str(subject).lower()) if p)}:
            # what the change itself says of the name proves nothing
            if len(part) > 2 and (others := failing.get(part, set()) - own):
                names[part] = len(others)
    return sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))
