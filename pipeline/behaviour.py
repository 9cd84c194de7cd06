"""Recognises changes, alerts and their ends by how their writers behave, where no word of the lexicon fits.

The next deploy tool and the next monitor have words of their own. But a tool that changes things speaks rarely, says
something new shortly before the onset, often with a version, and speaks again when it is undone; a monitor changes its tune
once while the outage lasts and once more soon after it. Such rows are marked weakly: what the lexicon knows weighs more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from .bonds import WATCHERS, stem
from .outages import SECOND
from .signs import records

if TYPE_CHECKING:
    from .outages import Span

#: How long before the onset a change is looked for, and around the recovery its undoing.
BEFORE = 5 * 60 * SECOND
UNDOING = 60 * SECOND
#: How long after the recovery a monitor says that all is well.
WELL = 150 * SECOND
#: A writer with more rows than this a minute talks all the time: what it says rarely is chance.
TALKATIVE = 6.0
#: How often a message may come in all these logs to be called rare.
RARE = 2
WEIGHT, VERSION, AGAIN = 1.1, 0.5, 1.0

_VERSION = re.compile(r"(?<![\w.])v?\d+\.\d+(?:\.\d+)*(?:[-+.]\w+)*(?![\w.])|\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40}\b")
_WORD = re.compile(r"[A-Za-z][\w.-]*[A-Za-z0-9]")
_TROUBLE = re.compile(
    r"(?i)\b(?:HTTP[ /]?[\d.]* ?|status[ =]|code[ =])?5\d\d\b|time[d -]?out|refused|unreachable|\bfail|\berror|\bdown\b|crit|unhealthy|"
    r"\bnot (?:ok|respond|answer|reach)|does not|cannot|degraded|exceed|above|\d+(?:\.\d+)? ?% of|problem|violat|alarm|p9\d\b|latency|slow"
)


def by_behaviour(signs: pd.DataFrame, spans: list[Span]) -> pd.DataFrame:
    """The frame of signs with weak marks on rows that nothing was known of, for these outages.

    `kind` is "change" (role change), "alert" (role detection) or "alert_resolved" (role resolved).
    """
    if not spans or signs.empty:
        return signs
    signs = signs.copy()
    time = signs["time"].astype("int64")
    minutes = max(1.0, (int(time.max()) - int(time.min())) / (60 * SECOND))
    quiet = signs["who"].map(signs.groupby("who")["count"].sum()) / minutes <= TALKATIVE
    unknown = signs["role"].isna() & quiet
    # a watcher quotes what it got: its line looks like a time-out or a refusal of its own
    quoting = quiet & (signs["role"] == "symptom") & signs["kind"].isin(["timeout", "refused", "dns", "tls"])
    for span in spans:
        _changes(signs, time, unknown & (signs["rank"] < 3), span)
        _alerts(signs, time, unknown | quoting, span)
    return signs


def _changes(signs: pd.DataFrame, time: pd.Series, unknown: pd.Series, span: Span) -> None:
    """Marks what a rarely speaking writer said once, shortly before the onset, and what it said around the recovery."""
    rare = unknown & (signs["group"].map(signs.groupby("group")["count"].sum()) <= RARE)
    onset, end = span.onset.time, span.end
    before = rare & (time >= onset - BEFORE) & (time <= onset + 2 * SECOND)
    undoing = rare & (time >= max(onset + 10 * SECOND, end - UNDOING)) & (time <= end + 3 * SECOND)
    again = set(signs.loc[undoing, "who"])
    names = {stem(who) for who in signs["who"].unique()} | {stem(s) for s in signs["subject"].dropna().unique()}
    writers = set(signs.loc[before, "who"])
    for at, row in zip(signs.index[before].tolist(), records(signs[before]), strict=True):
        named = _named(row["message"], names - {stem(row["who"])})
        telling = (VERSION if _VERSION.search(row["message"]) else 0.0) + (AGAIN if row["who"] in again else 0.0)
        if (telling or named) and not WATCHERS.search(row["who"]):  # to be rare and near is not enough
            _mark(signs, at, "change", "change", WEIGHT + telling)
            signs.at[at, "subject"] = row["subject"] or named
    for at, row in zip(signs.index[undoing].tolist(), records(signs[undoing]), strict=True):
        if row["who"] in writers:
            _mark(signs, at, "rollback" if _VERSION.search(row["message"]) else "change", "change", WEIGHT + AGAIN)


def _named(message: str, names: set[str]) -> str | None:
    """The first word of a message that is the name of a writer, or of something that was changed."""
    return next((word for word in _WORD.findall(message) if len(word) > 2 and stem(word) in names), None)


def _alerts(signs: pd.DataFrame, time: pd.Series, unknown: pd.Series, span: Span) -> None:
    """Marks the rows in which a watcher changed its tune: first heard during the outage, and again soon after it."""
    first = signs["group"].map(time.groupby(signs["group"]).min())
    count = signs["group"].map(signs.groupby("group")["count"].sum())
    onset, end = span.onset.time, span.end
    during = unknown & (first >= onset) & (first <= end + 30 * SECOND) & (time == first)
    after = unknown & (first > end - 5 * SECOND) & (first <= end + WELL) & (time == first)
    for who in sorted(set(signs.loc[during, "who"]) & set(signs.loc[after, "who"])):
        raised = signs.index[during & (signs["who"] == who) & signs["message"].map(lambda m: bool(_TROUBLE.search(str(m))))]
        ended = signs.index[after & (signs["who"] == who)]
        if not len(raised) or not len(ended):
            continue
        # a transition is said once; what is said again and again is a single check, or a reminder
        once = [at for at in raised if int(count[at]) == 1] or list(raised)
        ended = [at for at in ended if at not in once]
        if not ended:
            continue
        for at in raised:
            _mark(signs, at, "alert" if at == once[0] else "check_failed", "detection", 0.0)
        _mark(signs, ended[0], "alert_resolved", "resolved", 0.0)


def _mark(signs: pd.DataFrame, at: int, kind: str, role: str, weight: float) -> None:
    for column, value in (("kind", kind), ("role", role), ("weight", weight), ("routine", False)):
        signs.at[at, column] = value
