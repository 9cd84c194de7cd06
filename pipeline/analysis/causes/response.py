"""Who noticed an outage, who responded, and what ended it; with the trigger, the cast of one incident."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from ...findings import Candidate
from ...wording import duration
from ..clues.bonds import changes, known
from ..clues.signs import records, varied, within
from ..evidence import evidence
from ..sentences import sentence
from ..traffic import SECOND
from .trigger import candidates, elsewhere, happenings

if TYPE_CHECKING:
    from ...window import Window
    from ..traffic import Span


@dataclass(frozen=True, slots=True)
class Roles:
    """The events that play a part in one incident."""

    candidates: tuple[Candidate, ...]
    detected: Candidate | None
    acknowledged: Candidate | None
    resolution: Candidate | None


def roles(
    signs: pd.DataFrame, span: Span, window: Window, others: Sequence[Candidate] = (),
    earlier: Sequence[tuple[Span, Candidate | None]] = (), all_spans: Sequence[Span] = (), shared: Sequence[str] = (),
) -> Roles:
    """Trigger candidates (best first), detection, first human response and resolution of one outage.

    `signs` is the frame of `retrolog.pipeline.analysis.clues.signs` with clock offsets applied. Only events inside the window count.
    `others` are candidates found elsewhere (a flood of requests), ranked among them by their score. `earlier` are the
    outages before this one with their triggers: a change before one of them explains that one first. `all_spans` are all
    outages: what comes right before each of them is no less likely for coming again. `shared` are names of what all failed
    requests have in common, and the others have not.
    """
    inside = within(signs, window)
    marked = inside[inside["role"].notna()]
    detected = _detected(marked, span)
    resolution = _resolution(marked, span)
    return Roles(
        candidates=candidates(inside, marked, span, others, resolution, earlier, [s for s in all_spans if s is not span], shared),
        detected=detected,
        acknowledged=_acknowledged(marked, span, detected),
        resolution=resolution,
    )


def _detected(marked: pd.DataFrame, span: Span) -> Candidate | None:
    """The first alert or human word, else the first failed check, from the onset on; who merely logs in reports nothing."""
    time = marked["time"].astype("int64")
    # whole-second stamps may lie up to a second before the failure that they tell of
    after = marked[(time >= span.onset.time - SECOND) & (time <= span.end + 120 * SECOND)]
    alerts = after[(after["role"] == "detection") & (after["kind"] != "check_failed")]
    notes = after[after["role"] == "note"]
    checks = after[(after["role"] == "detection") & (after["kind"] == "check_failed")]
    found = [g.iloc[0] for g in (alerts, notes) if len(g)] or [g.iloc[0] for g in (checks,) if len(g)]
    if not found:
        return None
    row = min(found, key=lambda r: int(r["time"]))
    delay = int(row["time"]) - span.onset.time
    found_out = _plain(row, [f"first {'alert' if row['role'] == 'detection' else 'human word'}, {duration(delay)} after the onset"])
    # what it saw before it believed it
    before = checks[(checks["who"] == row["who"]) & (checks["time"].astype("int64") < int(row["time"]))].head(2)
    return replace(found_out, evidence=(*found_out.evidence, *(evidence(r) for r in records(before))))


def _acknowledged(marked: pd.DataFrame, span: Span, detected: Candidate | None) -> Candidate | None:
    """The first thing a person did or said after the onset."""
    time = marked["time"].astype("int64")
    begin = max(span.onset.time, detected.time if detected else span.onset.time)
    people = marked[(time >= begin) & (time <= span.end + 60 * SECOND) & marked["role"].isin(["human", "note", "action"])]
    if people.empty:
        return None
    row = people.iloc[0]
    return _plain(row, [f"first human act, {duration(int(row['time']) - span.onset.time)} after the onset"])


#: How much the time between an act and the last failure takes off.
LEAD = 0.8
#: How well a kind of act explains that an outage ends.
_ENDS = {"rollback": 4.0, "kill": 3.0, "restart": 3.0, "start": 2.5, "stop": 2.5, "reload": 3.0, "data": 2.5, "failover": 3.0, "flag": 3.0, "scaling": 2.5}


#: How much later than the last failure's stamp the act may be logged that ended it: many logs stamp the beginning of a request.
TAKES = 2 * SECOND
#: How much it takes off that a program did the same at other times.
AGAIN = 1.5


#: What an act adds that names what the trigger named, the other way round.
UNDOES = 2.0
_FROM_TO = re.compile(r"(\S+) ?(?:->|=>|\u2192) ?(\S+)")
#: Acts that load what was changed before them.
_LOADS = ("reload", "restart", "start", "kill", "failover")


def _resolution(marked: pd.DataFrame, span: Span) -> Candidate | None:
    """The act that most likely ended it: by its kind, by who did it, and by how shortly before the recovery it came."""
    if span.recovery is None:
        return None
    end = span.recovery.time
    time = marked["time"].astype("int64")
    since = span.onset.time + min(10 * SECOND, (end - span.onset.time) // 3)
    acts = marked[(time >= since) & (time <= end + 5 * SECOND) & marked["role"].isin(["action", "change"]) & ~marked["routine"].astype(bool)]
    best: tuple[float, Any] | None = None
    for group in changes(acts):
        first = group.iloc[0]
        # what a person does takes effect with its last step; what restarts itself again and again ends nothing
        by_hand = group["role"].eq("action") | (group["actor"].notna() & group["kind"].ne("job"))
        steps = group[by_hand | group["kind"].isin(["rollback", "reload"])]
        done = [int(t) for t in steps["time"] if int(t) <= end + TAKES] or [int(first["time"])]
        lead = (end - max(done)) / SECOND
        weight = max(_ENDS.get(str(k), float(w or 0)) for k, w in zip(group["kind"], group["weight"], strict=True))
        human = 1.5 if by_hand.any() else 0.0
        undone = UNDOES if _undoes(group, marked, span) else 0.0
        # a job that comes every minute ends nothing by coming once more
        again = AGAIN * log(1 + len(happenings(elsewhere(group, marked)))) if group["kind"].eq("job").all() else 0.0
        score = weight + human + undone - again - LEAD * log(1 + abs(lead) / 5)
        if weight > 0 and (best is None or score > best[0]):
            best = (score, group)
    if best is None or best[0] < 0.5:
        return _told_of(marked, span, end)
    group = best[1]
    first = group.iloc[0]
    # of a service that was stopped and started again it is the start that ended the outage, and what went back says more than how
    telling = ("rollback", "restart", "start") if first["kind"] == "stop" else ("rollback",)
    teller = next((row for kind in telling for _, row in group.iterrows() if row["kind"] == kind), first)
    if teller is first and first["role"] == "action" and first["kind"] == "command":
        # of several commands whose effect nobody knows it is the last that was followed by the end
        typed = group[(group["role"] == "action") & (group["time"].astype("int64") <= max(end + TAKES, int(first["time"])))]
        teller = typed.iloc[-1]
    elif teller is first and first["role"] != "action":
        # what a person ran says more than what the program answered at once
        ran = group[(group["role"] == "action") & (group["time"].astype("int64") - int(first["time"]) <= 2 * SECOND)]
        teller = ran.iloc[0] if len(ran) else first
    prepared = None
    if teller["kind"] == "rollback":
        # what was put back in a file has no effect before it is loaded
        loaded = group[group["kind"].isin(_LOADS) & (group["time"].astype("int64") <= end + SECOND)]
        if len(loaded) and int(loaded.iloc[-1]["time"]) - int(teller["time"]) > 5 * SECOND:
            prepared, teller = teller, loaded.iloc[-1]
    # a sentence has the time of the line that it quotes
    lead = end - int(teller["time"])
    side = "before" if lead >= 0 else "after"
    reason = f"{duration(abs(lead))} {side} the end" if abs(lead) >= SECOND else "in the same second as the end"
    return Candidate(
        time=int(teller["time"]),
        summary=sentence(teller),
        kind=str(teller["kind"]),
        score=round(best[0], 3),
        evidence=tuple(evidence(r) for r in records(varied(group))),
        reasons_for=(reason,) if prepared is None else (reason, f"it made effective what came before: {sentence(prepared)}"),
        service=known(first["who"]),
        host=known(first["host"]),
        subject=next((str(x) for x in group["subject"].dropna()), None),
    )


def _undoes(acts: pd.DataFrame, marked: pd.DataFrame, span: Span) -> bool:
    """Whether these acts name the two sides of a change before the onset the other way round: `upgrade a -> b`, `downgrade b -> a`."""
    back = {pair[::-1] for message in acts["message"] for pair in _pairs(message)}
    if not back:
        return False
    before = marked[(marked["time"].astype("int64") <= span.onset.time + 2 * SECOND) & (marked["role"] == "change")]
    return any(pair in back for message in before["message"] for pair in _pairs(message))


def _pairs(message: object) -> set[tuple[str, str]]:
    return {(a.strip(".,;:'\""), b.strip(".,;:'\"")) for a, b in _FROM_TO.findall(str(message)[:400])}


def _told_of(marked: pd.DataFrame, span: Span, end: int) -> Candidate | None:
    """Where no act is logged: what a person wrote around the last failure, who may have seen or done what ended it."""
    time = marked["time"].astype("int64")
    notes = marked[(time >= max(span.onset.time + 10 * SECOND, end - 10 * SECOND)) & (time <= end + 30 * SECOND) & (marked["role"] == "note") & (marked["kind"] != "ack")]
    if notes.empty:
        return None
    row = notes.iloc[0]
    gap = int(row["time"]) - end
    reason = f"no act is logged; written {duration(abs(gap))} {'after' if gap > 0 else 'before'} the end"
    return replace(_plain(row, [reason]), kind="note")


def _plain(row: pd.Series, reasons: list[str]) -> Candidate:
    return Candidate(
        time=int(row["time"]),
        summary=sentence(row),
        kind=str(row["kind"]),
        score=float(row["weight"] or 0),
        evidence=(evidence(cast("dict[str, Any]", row.to_dict())),),
        reasons_for=tuple(reasons),
        service=known(row["who"]),
        host=known(row["host"]),
    )
