"""Who or what may have set the outage off, who noticed, and what ended it: candidates, ranked and argued both ways.

The score of a candidate is 1.5 x the weight of its kind, less 0.6 ln(1 + delay / 10 s), less ln(times the same thing
happened elsewhere in these logs without an outage after it), plus up to 3 for signs that what it touched is what failed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, Any

import pandas as pd

from .evidence import evidence
from .findings import Candidate
from .outages import SECOND
from .sentences import sentence
from .signs import within
from .wording import duration

if TYPE_CHECKING:
    from .outages import Span
    from .window import Window

#: How long before the onset a change may lie, and how much later than it (stamps of whole seconds round down).
BEFORE = 15 * 60 * SECOND
AFTER = 2 * SECOND
#: Rows of one change (starting ..., ... is live) lie within this span.
ONE_CHANGE = 120 * SECOND
#: Programs that watch: what changes in them seldom breaks what they watch.
_WATCHERS = re.compile(r"(?i)alertmanager|prometheus|grafana|zabbix|nagios|icinga|blackbox|exporter|telegraf|collectd|munin|netdata|uptime|filebeat|fluent|promtail|vector\b|logstash")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Roles:
    """The events that play a part in one incident."""

    candidates: tuple[Candidate, ...]
    detected: Candidate | None
    acknowledged: Candidate | None
    resolution: Candidate | None


def roles(signs: pd.DataFrame, span: Span, window: Window, others: Sequence[Candidate] = (), earlier: Sequence[Span] = ()) -> Roles:
    """Trigger candidates (best first), detection, first human response and resolution of one outage.

    `signs` is the frame of `retrolog.pipeline.signs` with clock offsets applied. Only events inside the window count.
    `others` are candidates found elsewhere (a flood of requests), ranked among them by their score. `earlier` are the
    outages before this one: a change before one of them explains that one first.
    """
    inside = within(signs, window)
    marked = inside[inside["role"].notna()]
    detected = _detected(marked, span)
    resolution = _resolution(marked, span)
    return Roles(
        candidates=_candidates(inside, marked, span, [*others], resolution, earlier),
        detected=detected,
        acknowledged=_acknowledged(marked, span, detected),
        resolution=resolution,
    )


def _candidates(
    inside: pd.DataFrame, marked: pd.DataFrame, span: Span, others: Sequence[Candidate], resolution: Candidate | None,
    earlier: Sequence[Span],
) -> tuple[Candidate, ...]:  # fmt: skip
    onset = span.onset.time
    time = marked["time"].astype("int64")
    near = marked[(time >= onset - BEFORE) & (time <= onset + AFTER) & marked["role"].isin(["change", "event", "action"])]
    near = near[~near["routine"].astype(bool)]
    over = max((s.end for s in earlier if s.end < onset), default=None)
    failing = _failing_names(inside, span)
    ranked = [_argued(group, marked, span, failing, resolution) for group in _changes(near)]
    ranked = [c for c in (*ranked, *others) if c is not None]
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


def _changes(near: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows that tell of one change, close together: the same writer and object, or what was changed speaking for itself.

    The latter joins a job that cron started to the error that the job then logs, and a configuration run to the reload
    it causes. Rows that name no object are joined by their process; the process of a daemon that manages others
    (systemd, the kernel) is no bond between rows that do name one.
    """
    groups: list[list[Any]] = []
    last: dict[tuple[str, str], tuple[int, int]] = {}
    for row in near.itertuples():
        keys = []
        if _text(row.subject):
            keys += [("subject", f"{row.who}|{stem(row.subject)}"), ("name", stem(row.subject))]
        else:
            keys.append(("group", str(row.group)))
            if not pd.isna(row.pid):
                keys.append(("pid", f"{row.who}|{row.pid}|{row.host}"))
        if ("name", stem(row.who)) in last:
            keys.append(("name", stem(row.who)))
        if row.kind in _ROLLED_OUT:
            # a tool writes a file and reloads the service, the service says so: one change, told by several writers
            keys.append(("rollout", row.where))
            if not _text(row.subject):
                keys.append(("deploy", row.where))
        elif row.kind in ("deploy", "change"):
            keys.append(("deploy", row.where))
        if row.role == "event":
            # several programs report one death: the kernel, the supervisor, the dead one's master
            keys.append(("death", f"{row.host}|{int(row.time) // (2 * SECOND)}|{row.kind in _DEATHS}"))
        at = next((last[k][0] for k in keys if k in last and row.time - last[k][1] <= _REACH.get(k[0], ONE_CHANGE)), None)
        if at is None:
            at = len(groups)
            groups.append([])
        groups[at].append(row.Index)
        for key in keys:
            last[key] = (at, int(row.time))
    return [near.loc[rows] for rows in groups]


_DEATHS = ("oom", "kill", "crash")
#: Kinds of which one brings about the next on the same host within seconds.
_ROLLED_OUT = ("config", "reload", "restart", "package", "scaling", "start", "stop")
_REACH = {"rollout": 3 * SECOND, "deploy": 5 * SECOND}


@lru_cache(maxsize=10_000)
def stem(name: str) -> str:
    """A name as it is compared: `redis-server.service`, `redis@6379` and `/usr/bin/redis-server` are all `redis`."""
    text = str(name).lower().rstrip("/").rsplit("/", 1)[-1]
    text = re.sub(r"\.(service|socket|timer|scope|slice|target|log|conf|ya?ml|json|ini|toml|py|sh|jar)$", "", text)
    text = re.sub(r"-(?=[a-z0-9]*\d)[a-z0-9]{5,10}(?:-[a-z0-9]{5})?$", "", text)  # a replica set's and a pod's suffix
    text = re.sub(r"@.*$|[-_. ]v?\d[\w.]*$", "", text)
    short = re.sub(r"[-_](server|daemon|service|worker|agent|svc|app)$", "", text)
    return short if len(short) > 2 else text


def _failing_names(inside: pd.DataFrame, span: Span) -> pd.Series:
    """Names (of services, sources, paths) and in how many error and warning patterns of the outage each is said."""
    time = inside["time"].astype("int64")
    bad = inside[(time >= span.onset.time - 5 * SECOND) & (time <= min(span.end, span.onset.time + 300 * SECOND)) & (inside["rank"] >= 3)]
    said: dict[str, set[str]] = {}
    for row in bad.drop_duplicates("group").itertuples():
        for name in {stem(word) for word in _NAME.findall(f"{row.who} {row.source} {row.message}".lower())}:
            said.setdefault(name, set()).add(str(row.group))
    return pd.Series({name: len(groups) for name, groups in said.items()}, dtype="int64")


def _argued(rows: pd.DataFrame, marked: pd.DataFrame, span: Span, failing: pd.Series, resolution: Candidate | None) -> Candidate | None:
    first = rows.iloc[0]
    best = rows.loc[rows["weight"].astype(float).idxmax()]
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
    during = elsewhere[(elsewhere["time"].astype("int64") >= onset) & (elsewhere["time"].astype("int64") <= span.end)]
    again = int(during["count"].sum())
    if best["role"] == "event" and delay <= 5 * SECOND and again >= 3:
        # what keeps happening while the outage lasts is the outage, not what set it off
        score -= log(again)
        against.append(f"it came {again} times more during the outage, as an effect would")
    touched = _touched(rows, failing)
    silenced = span.signal == "silence" and best["kind"] in ("stop", "kill", "crash", "oom", "restart", "package", "config")
    if silenced and delay <= 60 * SECOND:
        # a server that is down names nobody in its errors: that it stopped is what the silence says
        touched = touched or [(str(best["subject"] or best["who"]), 1)]
    if touched:
        score += min(3.0, 1.0 + 0.5 * sum(n for _, n in touched))
        for_.append("what failed names " + ", ".join(name for name, _ in touched[:3]))
    elif _text(best["subject"]):
        score -= 1.0
        against.append(f"no error names {best['subject']}")
    else:
        score -= 0.5
    subjects = {stem(s) for s in rows["subject"].dropna()}
    if resolution and resolution.time > int(rows["time"].max()) and resolution.subject and stem(resolution.subject) in subjects:
        # set back at the end: who did it thought so too
        score += 1.5
        for_.append(f"the act that ended it is about {resolution.subject} too")
    if rows["who"].map(lambda who: bool(_WATCHERS.search(who))).all():
        score *= 0.4
        against.append(f"{first['who']} watches the service and does not serve it")
    return Candidate(
        time=int(first["time"]),
        summary=sentence(best if best["phase"] == "start" else first),
        kind=str(first["kind"]),
        score=round(score, 3),
        evidence=tuple(evidence(r) for r in rows.head(5).to_dict("records")),
        reasons_for=tuple(for_),
        reasons_against=tuple(against),
        service=_text(first["who"]),
        host=_text(first["host"]),
        subject=_text(best["subject"]),
    )


def _touched(rows: pd.DataFrame, failing: pd.Series) -> list[tuple[str, int]]:
    """What the change names that the failures name too (whole names, and the parts of a path or unit)."""
    names: dict[str, int] = {}
    for subject in rows["subject"].dropna().unique():
        for part in {stem(subject), *(stem(p) for p in re.split(r"[/.@:\s]", str(subject).lower()) if p)}:
            if len(part) > 2 and part in failing.index:
                names[part] = int(failing[part])
    return sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))


def _detected(marked: pd.DataFrame, span: Span) -> Candidate | None:
    """The first alert, else the first human word or act, else the first failed check, from the onset on."""
    time = marked["time"].astype("int64")
    # whole-second stamps may lie up to a second before the failure that they tell of
    after = marked[(time >= span.onset.time - SECOND) & (time <= span.end + 120 * SECOND)]
    alerts = after[(after["role"] == "detection") & (after["kind"] != "check_failed")]
    notes = after[after["role"] == "note"]
    people = after[after["role"].isin(["human", "action"]) & (after["time"].astype("int64") > span.onset.time + SECOND)]
    checks = after[(after["role"] == "detection") & (after["kind"] == "check_failed")]
    found = [g.iloc[0] for g in (alerts, notes) if len(g)] or [g.iloc[0] for g in (checks, people) if len(g)]
    if not found:
        return None
    row = min(found, key=lambda r: int(r["time"]))
    delay = int(row["time"]) - span.onset.time
    return _plain(row, [f"first {'alert' if row['role'] == 'detection' else 'human word'}, {duration(delay)} after the onset"])


def _acknowledged(marked: pd.DataFrame, span: Span, detected: Candidate | None) -> Candidate | None:
    """The first thing a person did or said after the onset."""
    time = marked["time"].astype("int64")
    begin = max(span.onset.time, detected.time if detected else span.onset.time)
    people = marked[(time >= begin) & (time <= span.end + 60 * SECOND) & marked["role"].isin(["human", "note", "action"])]
    if people.empty:
        return None
    row = people.iloc[0]
    return _plain(row, [f"first human act, {duration(int(row['time']) - span.onset.time)} after the onset"])


#: How well a kind of act explains that an outage ends.
_ENDS = {"rollback": 4.0, "kill": 3.0, "restart": 3.0, "start": 2.5, "stop": 2.5, "reload": 3.0, "data": 2.5, "failover": 3.0, "flag": 3.0, "scaling": 2.5}


def _resolution(marked: pd.DataFrame, span: Span) -> Candidate | None:
    """The act that most likely ended it: by its kind, by who did it, and by how shortly before the recovery it came."""
    if span.recovery is None:
        return None
    end = span.recovery.time
    time = marked["time"].astype("int64")
    since = span.onset.time + min(10 * SECOND, (end - span.onset.time) // 3)
    acts = marked[(time >= since) & (time <= end + 5 * SECOND) & marked["role"].isin(["action", "change"]) & ~marked["routine"].astype(bool)]
    best: tuple[float, Any] | None = None
    for group in _changes(acts):
        first = group.iloc[0]
        lead = (end - int(first["time"])) / SECOND
        weight = max(_ENDS.get(str(k), float(w or 0)) for k, w in zip(group["kind"], group["weight"], strict=True))
        human = 1.5 if (group["role"] == "action").any() or group["actor"].notna().any() else 0.0
        score = weight + human - 0.8 * log(1 + abs(lead) / 5)
        if weight > 0 and (best is None or score > best[0]):
            best = (score, group)
    if best is None or best[0] < 0.5:
        return None
    group = best[1]
    first = group.iloc[0]
    # of a service that was stopped and started again it is the start that ended the outage
    teller = next((row for _, row in group.iterrows() if row["kind"] in ("restart", "start")), first) if first["kind"] == "stop" else first
    lead = end - int(first["time"])
    reason = f"{duration(lead)} before the last failure" if lead >= 0 else f"{duration(-lead)} after the last failure"
    return Candidate(
        time=int(first["time"]),
        summary=sentence(teller),
        kind=str(teller["kind"]),
        score=round(best[0], 3),
        evidence=tuple(evidence(r) for r in group.head(5).to_dict("records")),
        reasons_for=(reason,),
        service=_text(first["who"]),
        host=_text(first["host"]),
        subject=next((str(x) for x in group["subject"].dropna()), None),
    )


def _plain(row: pd.Series, reasons: list[str]) -> Candidate:
    return Candidate(
        time=int(row["time"]),
        summary=sentence(row),
        kind=str(row["kind"]),
        score=float(row["weight"] or 0),
        evidence=(evidence(row.to_dict()),),
        reasons_for=tuple(reasons),
        service=_text(row["who"]),
        host=_text(row["host"]),
    )


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)
