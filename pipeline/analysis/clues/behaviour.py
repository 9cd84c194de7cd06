"""Recognises changes, alerts and their ends by how their writers behave, where no word of the lexicon fits.

The next deploy tool and the next monitor have words of their own. But a tool that changes things speaks rarely, says
something new shortly before the onset, often with a version, and speaks again when it is undone; a monitor changes its tune
once while the outage lasts and once more soon after it. Such rows are marked weakly: what the lexicon knows weighs more.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from ...counting.polarity import is_ill, is_undone
from ..traffic import SECOND
from .bonds import WATCHERS, stem
from .signs import records

if TYPE_CHECKING:
    from ..traffic import Span

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

_VERSION = re.compile(r"(?<![\w.])(?!(?:\d{1,3}\.){3}\d{1,3}(?![\w.]))v?\d+\.\d+(?:\.\d+)*(?:[-+.]\w+)*(?![\w.])|\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40}\b")
_WORD = re.compile(r"[A-Za-z][\w.-]*[A-Za-z0-9]")
_TROUBLE = re.compile(
    r"(?i)\b(?:HTTP[ /]?[\d.]* ?|status[ =]|code[ =])?5\d\d\b|time[d -]?out|refused|unreachable|\bfail|\berror|\bdown\b|crit|unhealthy|"
    r"\bnot (?:ok|respond|answer|reach)|does not|cannot|degraded|exceed|above|\d+(?:\.\d+)? ?% of|problem|broke|violat|alarm|p9\d\b|latency|slow"
)


#: Somebody is called: that is an alert, whatever came before it.
_CALLS = re.compile(r"(?i)\b(?:calling|called|pag(?:ing|ed)|notif(?:y|ied|ying)|on[- ]?(?:call|duty)|engineer|told|escalat|woke|waking|ticket|sms|e-?mail)")
#: One of the checks that a watcher makes before it believes them.
_SINGLE = re.compile(r"(?i)\b(?:number|attempt|try|tries|no\.|check|count|probe)\s*[#:=]?\s*\d+\b|#\d+\b|\b\d+ ?(?:/|of|out of) ?\d+\b(?! (?:requests|of))")
#: A writer that ends does not say that what it complained of is over.
_LEAVES = re.compile(r"(?i)\b(?:exiting|exited|shutting down|shutdown|terminat(?:ed|ing)|quitting)\b")
_GOOD = re.compile(r"(?i)\b(?:ok|up|well|fine|good|normal|healthy|recovered|resolved|closed|cleared|again|answers|works|passes|passed|succeed(?:s|ed)|restored|back|200|available|reachable|over)\b")
#: A line that says itself that it is a warning or worse, whatever its envelope says: no change.
_OWN_LEVEL = re.compile(r"(?i)\b(?:level|lvl|severity)[\"']?\s?[=:]\s?[\"']?(?:warn|err|crit|fatal|alert|emerg|panic)")
_REQUEST = re.compile(r"\b(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)\b.{0,24}?[ =\"']/.*?(?<![\w.])[1-5]\d\d(?![\w.])")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


def by_behaviour(signs: pd.DataFrame, spans: list[Span], access_logs: Collection[str] = ()) -> pd.DataFrame:
    """The frame of signs with weak marks on rows that nothing was known of, for these outages.

    `access_logs` are the sources that hold nothing but requests: a row of theirs that is none was a bad one, not a change.
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
    # a record of a request is no change; a watcher may well quote one
    asked = signs["message"].map(lambda m: bool(_REQUEST.search(str(m)[:300])))
    calm = ~asked & ~signs["source"].isin(list(access_logs)) & ~signs["message"].map(lambda m: bool(_OWN_LEVEL.search(str(m)[:300])))
    for span in spans:
        _changes(signs, time, unknown & (signs["rank"] < 3) & calm, span)
        _again(signs, time, unknown & signs["role"].isna(), span)
        _alerts(signs, time, unknown | quoting, span)
        _closings(signs, time, unknown & signs["role"].isna(), span)
    return signs


def _changes(signs: pd.DataFrame, time: pd.Series, unknown: pd.Series, span: Span) -> None:
    """Marks what a rarely speaking writer said once, shortly before the onset, and what it said around the recovery."""
    rare = unknown & (signs["group"].map(signs.groupby("group")["count"].sum()) <= RARE)
    onset, end = span.onset.time, span.end
    before = rare & (time >= onset - BEFORE) & (time <= onset + 2 * SECOND)
    undoing = rare & (time >= max(onset + 10 * SECOND, end - UNDOING)) & (time <= end + 3 * SECOND)
    again = set(signs.loc[undoing, "who"])
    names = {stem(who) for who in signs["who"].unique()} | {stem(s) for s in signs["subject"].dropna().unique()}
    if span.value and span.dimension not in ("status", "method"):
        names.add(stem(span.value))  # what failed, of all that did not
    writers = set(signs.loc[before, "who"])
    for at, row in zip(signs.index[before].tolist(), records(signs[before]), strict=True):
        if is_undone(str(row["message"])):
            continue
        named = _named(row["message"], names - {stem(row["who"])})
        telling = (VERSION if _VERSION.search(row["message"]) else 0.0) + (AGAIN if row["who"] in again else 0.0)
        if (telling or named) and not WATCHERS.search(row["who"]):  # to be rare and near is not enough
            _mark(signs, at, "change", "change", WEIGHT + telling)
            signs.at[at, "subject"] = row["subject"] or named
    for at, row in zip(signs.index[undoing].tolist(), records(signs[undoing]), strict=True):
        if row["who"] in writers and not WATCHERS.search(row["who"]) and not is_undone(str(row["message"])):
            _mark(signs, at, "rollback" if _VERSION.search(row["message"]) else "change", "change", WEIGHT + AGAIN)


def _again(signs: pd.DataFrame, time: pd.Series, unknown: pd.Series, span: Span) -> None:
    """Marks what a writer that had changed something before the onset said while failures paused: it may have done it again."""
    changed = signs["role"].isin(["change", "action"]) & (time >= span.onset.time - BEFORE) & (time <= span.onset.time + 2 * SECOND)
    writers = set(signs.loc[changed, "who"])
    rare = unknown & signs["who"].isin(writers) & (signs["group"].map(signs.groupby("group")["count"].sum()) <= 2 * RARE)
    for stopped, back in span.pauses:
        for at in signs.index[rare & (time > stopped) & (time <= back + 2 * SECOND)]:
            if not is_undone(str(signs.at[at, "message"])):
                _mark(signs, at, "change", "change", WEIGHT + AGAIN)


def _named(message: str, names: set[str]) -> str | None:
    """The first word of a message that is the name of a writer, or of something that was changed."""
    return next((word for word in _WORD.findall(message) if len(word) > 2 and stem(word) in names), None)


def _alerts(signs: pd.DataFrame, time: pd.Series, unknown: pd.Series, span: Span) -> None:
    """Marks the rows in which a watcher changed its tune: first heard during the outage, and again soon after it.

    What it says is compared by its words, numbers apart: `from=up to=down` and `from=down to=up` are one pattern, but two tunes.
    """
    words = signs["who"].astype(str) + "\x1f" + signs["message"].map(lambda m: _DIGITS.sub("#", str(m)[:400]))
    first = words.map(time.groupby(words).min())
    count = words.map(signs.groupby(words)["count"].sum())
    onset, end = span.onset.time, span.end
    during = unknown & (first >= onset) & (first <= end + 30 * SECOND) & (time == first)
    # an end that the lexicon knows asks for its beginning as well as one that it does not
    ended_in_words = signs["role"] == "resolved"
    alerted = set(signs.loc[(signs["role"] == "detection") & (time >= onset - SECOND) & (time <= end), "who"])
    after = (unknown | (ended_in_words & ~signs["who"].isin(alerted))) & (first > end - 5 * SECOND) & (first <= end + WELL) & (time == first)
    if span.recovery is None:
        # it is not over, so no watcher has said so yet: what calls somebody is an alert all the same
        calls = during & signs["message"].map(lambda m: bool(_CALLS.search(str(m)) and _TROUBLE.search(str(m))))
        for at in signs.index[calls]:
            _mark(signs, at, "alert", "detection", 0.0)
    for who in sorted(set(signs.loc[during, "who"]) & set(signs.loc[after, "who"])):
        raised = signs.index[during & (signs["who"] == who) & signs["message"].map(_complains)]
        ended = signs.index[after & (signs["who"] == who)]
        if not len(raised) or not len(ended):
            continue
        alert = _transition(signs, raised.tolist(), count)
        ended = [at for at in ended if at != alert and not (at in raised and int(time[at]) <= end) and _answers(str(signs.at[at, "message"]), str(signs.at[alert, "message"]))]
        if not ended:
            continue
        for at in raised:
            _mark(signs, at, "alert" if at == alert else "check_failed", "detection", 0.0)
        if signs.at[ended[0], "role"] != "resolved":
            _mark(signs, ended[0], "alert_resolved", "resolved", 0.0)


def _closings(signs: pd.DataFrame, time: pd.Series, unknown: pd.Series, span: Span) -> None:
    """Marks what a watcher whose alert is known by its words said of the same thing after the end, when no words of an end are known."""
    around = (time >= span.onset.time - SECOND) & (time <= span.end + WELL)
    over = set(signs.loc[around & (signs["role"] == "resolved"), "who"])
    alerts = signs[around & (signs["role"] == "detection") & (time <= span.end + 30 * SECOND)]
    for who, raised in alerts.groupby("who", sort=True):
        if who in over:
            continue
        later = unknown & (signs["who"] == who) & (time > max(span.end - 5 * SECOND, int(raised["time"].astype("int64").min()))) & (time <= span.end + WELL)
        for at in signs.index[later]:
            text = str(signs.at[at, "message"])
            if _well(text) and any(_shares(text, str(alert)) for alert in raised["message"]):
                _mark(signs, at, "alert_resolved", "resolved", 0.0)
                break


def _well(text: str) -> bool:
    ill = is_ill(text)
    return bool(_GOOD.search(text)) and not _LEAVES.search(text) if ill is None else not ill


def _shares(one: str, other: str) -> bool:
    """Whether two messages share a word that names something."""
    words, others = ({word.lower() for word in _WORD.findall(text[:400]) if len(word) > 2} for text in (one, other))
    return bool(words & others)


def _complains(message: object) -> bool:
    """Whether a watcher's line tells of trouble: by the state it names, else by its words."""
    ill = is_ill(str(message))
    return bool(_TROUBLE.search(str(message)) or _CALLS.search(str(message))) if ill is None else ill


def _answers(end: str, alert: str) -> bool:
    """Whether a later line takes an alert back: it names a good state, says that all is well, or says of the same thing something else."""
    if is_ill(end) is True or _LEAVES.search(end):
        return False
    own, other = ({word.lower() for word in _WORD.findall(text[:400]) if len(word) > 2} for text in (end, alert))
    return is_ill(end) is False or bool(_GOOD.search(end)) or len(own & other) >= max(1, 0.25 * min(len(own), len(other)))


def _transition(signs: pd.DataFrame, raised: list[int], count: pd.Series) -> int:
    """Which of a watcher's complaints is the alert: one that calls somebody, else the gravest that is said once and is no single check."""

    ranks = dict(zip(raised, signs.loc[raised, "rank"].astype("int64").tolist(), strict=True))

    def order(at: int) -> tuple[bool, int, bool, bool, int]:
        text = str(signs.at[at, "message"])
        grave = max(3, ranks[at])
        return (not _CALLS.search(text), -grave, int(count[at]) > 1, bool(_SINGLE.search(text)), raised.index(at))

    return min(raised, key=order)


def _mark(signs: pd.DataFrame, at: int, kind: str, role: str, weight: float) -> None:
    for column, value in (("kind", kind), ("role", role), ("weight", weight), ("routine", False)):
        signs.at[at, column] = value
