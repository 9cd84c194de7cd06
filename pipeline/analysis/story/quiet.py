"""What happened where no outage was found: changes, alerts with their ends, bursts of errors, and what a monitor complained of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ...findings import Entry, Evidence
from ...wording import Clock, duration
from ..clues.bonds import changes, known
from ..clues.deaths import DEATHS
from ..clues.signs import records, varied, within
from ..evidence import evidence
from ..sentences import said, sentence
from ..traffic import SECOND

if TYPE_CHECKING:
    from ...window import Window

#: Entries of a day on which nothing failed.
MOST = 10
#: A change must weigh as much as a restart to be told.
WEIGHTY = 1.5
#: Error lines of one pattern within so many seconds that are a burst, when they are most of its lines.
BURST, WITHIN, SHARE = 20, 60 * SECOND, 0.8
_POINTS = {"detection": 5.0, "error": 4.0, "change": 2.0}


def happenings(signs: pd.DataFrame, window: Window) -> tuple[Entry, ...]:
    """At most ten entries in order of time: alerts with their ends, deaths, bursts of error lines, changes."""
    inside = within(signs, window)
    inside = inside[~inside["routine"].fillna(False).astype(bool)]
    if inside.empty:
        return ()
    entries = [*_alerts(inside), *_bursts(inside), *_changes(inside)]
    entries.sort(key=lambda e: (-e.score, e.time))
    kept: list[Entry] = []
    cited: set[tuple[str, int]] = set()
    for entry in entries:
        place = (entry.evidence[0].file, entry.evidence[0].line)
        if place not in cited and len(kept) < MOST:
            kept.append(entry)
            cited.update((e.file, e.line) for e in entry.evidence)
    return tuple(sorted(kept, key=lambda e: (e.time, e.evidence[0].file, e.evidence[0].line)))


def complaint(signs: pd.DataFrame, window: Window, clock: Clock) -> str:
    """A sentence about the first alert of a window in which no outage was found; empty when there is none."""
    inside = within(signs, window)
    alerts = inside[(inside["role"] == "detection") & (inside["kind"] == "alert")]
    if alerts.empty:
        return ""
    row = records(alerts.head(1))[0]
    return f" A monitor complained at {clock.time(int(row['time']))} ({said(row['message'], 90)}); nothing else in these logs tells of an outage then."


def _alerts(inside: pd.DataFrame) -> list[Entry]:
    """Alerts and servers taken out of a balancer, each with its end: the next opposite word of the same writer."""
    ill = inside[inside["role"].eq("detection") & inside["kind"].eq("alert") | inside["kind"].eq("unhealthy")]
    well = inside[inside["role"].eq("resolved")]
    out = []
    for rows in (rows for _, rows in ill.groupby("group", sort=False)):
        first = rows.iloc[0]
        later = well[(well["time"].astype("int64") >= int(first["time"])) & (well["who"] == first["who"])]
        subject = known(first["subject"])
        if subject and later["subject"].notna().any():
            later = later[later["subject"] == subject]
        end = records(later.head(1))
        over = f"; over {duration(int(end[0]['time']) - int(first['time']))} later" if end else ""
        kind = "detection" if first["role"] == "detection" else "error"
        out.append(_entry(first, kind, sentence(first) + over, "an alert, or a server taken out", [*records(rows.head(2)), *end]))
    return out


def _bursts(inside: pd.DataFrame) -> list[Entry]:
    """Deaths, and error lines of one pattern that come thick within a minute and hardly otherwise."""
    out = []
    deaths = inside[inside["role"].eq("event") & inside["kind"].isin(DEATHS)]
    for _, rows in deaths.groupby("group", sort=False):
        out.append(_entry(rows.iloc[0], "error", sentence(rows.iloc[0]), str(rows.iloc[0]["kind"]), records(rows.head(2))))
    for _, rows in inside[(inside["rank"] >= 4) & inside["role"].isin(["symptom"]) | (inside["rank"] >= 4) & inside["role"].isna()].groupby("group", sort=False):
        time = rows["time"].astype("int64")
        first = rows.iloc[0]
        near = rows[time <= int(first["time"]) + WITHIN]
        count, total = int(near["count"].sum()), int(rows["count"].sum())
        if count >= BURST and count >= SHARE * total:
            end = int(near["last_time"].max())
            out.append(_entry(first, "error", sentence(first), f"{count} error lines within {duration(max(end - int(first['time']), SECOND))}", records(near.head(3)), count, end))
    return out


def _changes(inside: pd.DataFrame) -> list[Entry]:
    acts = inside[inside["role"].isin(["change", "action"]) & ~inside["kind"].isin(["job", "backup"])]
    out = []
    for rows in changes(acts):
        weight = float(rows["weight"].astype(float).max())
        if weight >= WEIGHTY:
            first = rows.iloc[0]
            out.append(_entry(first, "change", sentence(first), f"a change ({first['kind']})", records(varied(rows)), weight=weight / 2))
    return out


def _entry(
    row: pd.Series, kind: str, summary: str, reason: str, lines: list[dict[str, object]], count: int = 1, end: int | None = None, weight: float = 0.0
) -> Entry:  # fmt: skip
    cited: tuple[Evidence, ...] = tuple(evidence(r) for r in lines)
    return Entry(
        time=int(row["time"]), end=end, kind=kind, summary=summary, reason=reason, evidence=cited, severity=known(row["severity"]),
        host=known(row["host"]), service=known(row["who"]), count=count, score=_POINTS[kind] + weight,
    )  # fmt: skip
