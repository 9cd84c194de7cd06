"""What monitors say, read from the rest of their own log: a state alone in its cell, and the row that ends what another began.

A lexicon knows wordings; a monitor it has never heard of still repeats itself. Where a row is an alert, a later row of the same writer
about the same thing with the opposite state is its end, whatever the words are.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from ...counting.polarity import is_ill

#: Names that only watchers and their notifiers bear: a log, a folder or a program.
_WATCHER = re.compile(
    r"(?i)(?:^|[/_.\-\[ ])(?:alert(?:s|er|ing|manager|log|-?bot)?|alarms?|pager(?:duty)?|on-?call|opsgenie|victorops|splunk-on-?call|monitor(?:ing|s)?|uptime\w*|nagios|"
    r"icinga\w*|naemon|zabbix\w*|pingdom|status-?cake|prober?s?|check-?mk|sensu|synthetics?|health-?checks?|blackbox\w*|gatus|prtg|datadog|grafana|"
    r"smoke(?:ping|test)?|site24x7|better-?stack|checkly|dynatrace|new-?relic|incidents?|watch(?:er|dog|man)?|statuspage)(?:$|[/_.\-\]:0-9 ])"
)
#: A state that stands alone in a cell of a row, and what a watcher writes in capitals.
_CELL = re.compile(r"(?i)(?:^|[,;|\t])\s*[\"']?(?:down|critical|crit|firing|problem|triggered|alarm|alerting|offline|unreachable)[\"']?\s*(?:[,;|\t]|$)")
_LOUD = re.compile(
    r"(?<![\w-])(?:DOWN|CRITICAL|CRIT|PROBLEM|FIRING|ALARM|TRIGGERED|OPEN(?:ED)?|ALERT)(?![\w-])|:(?:red_circle|rotating_light|fire|no_entry|x):|[\U0001f534\U0001f6a8\U0001f525\u274c]|"
    r"(?:\b|_)(?:up|ok|healthy|alive|available|reachable|passed|success)=(?:false|False|0)\b"
)
_WELL_CELL = re.compile(
    r"(?i)(?:^|[,;|\t\[(])\s*[\"']?(?:resolved|up|ok|recover(?:ed|y)|closed|cleared|normal|green|pass(?:ed|ing)?|healthy)[\"']?\s*(?:[\]),;|\t]|$)"
)
#: States of their own cell that others than watchers write as well: they count where the same thing is said to be well at other times.
_SOFT_CELL = re.compile(
    r"(?i)(?:^|[,;|\t\[(])\s*[\"']?(?:red|open(?:ed)?|fail(?:ed|ing|ure)?|ko|nok|not ok|unhealthy|raised|breach(?:ed)?)[\"']?\s*(?:[\]),;|\t]|$)"
)
#: A ticket that is opened, by its number, in the trackers' own words.
_TICKET = re.compile(r"(?i)(?<![\w-])(?:inc(?:ident)?|sev|case|tkt|ticket)[-_ #]?\d+\b.{0,20}?\b(?:created|opened|raised|declared|triggered)\b")
#: What is done about an alert without changing its state.
_ABOUT_IT = re.compile(r"(?i)\b(?:comment|note|assign|snooz|silenc|mut(?:e|ed|ing)\b|suppress|escalat|downtime|maintenance|test (?:alert|page)|flapping)")
_WELL = re.compile(
    r"(?i)(?<![\w-])(?:resolved?|closed?|clear(?:ed)?|recover(?:ed|y)|ok|okay|up|online|normal|healthy|passing|inactive|ended|back|green|pass(?:ed)?|success(?:ful)?)(?![\w-])|"
    r"(?:\b|_)(?:up|healthy|alive|available|reachable|passed|success)=(?:1|true)\b|:(?:large_green_circle|white_check_mark|heavy_check_mark):|[\U0001f7e2\u2705]"
)
_ACK = re.compile(r"(?i)(?<![\w-])ack(?:ed|nowledged?|nowledgement)?(?![\w-])")
#: Words and ids that name what a row is about; and words that every row of a monitor may have.
_NAMES = re.compile(r"#\d+|[^\W\d_][\w@.-]*\w")
_GENERAL = frozenset(
    re.findall(
        r"[\w-]+",
        "alert alerts alarm alerting incident problem page monitor check checks probe sensor site host service server endpoint target trigger rule test state status new old prev previous "
        "newstate prevstate current from to was is are has have had been now the an of on at in for by with and no not id name level severity sev info warning warn error critical crit "
        "high low down up ok okay open opened close closed create created resolve resolved firing fired triggered recovered recovery cleared clear raised ended active inactive normal healthy "
        "passing failing failed back again gone went changed after before since http https status-code code count value reason message msg event type action time ms sec seconds min minutes "
        "problem-started notification sending sent mail subject success successful response all true false null none still reached below above threshold limit",
    )
)
#: How many rows of a writer are compared; the share of names that an end has in common with its beginning.
_MOST, _COMMON = 20_000, 0.5
_CALM = 100
_ROWS_A_MINUTE = 60


def with_monitors(signs: pd.DataFrame) -> pd.DataFrame:
    """The frame of signs with alerts that only their place in a row shows, and with the ends of alerts as such (`role`, `kind`)."""
    free = signs["role"].isna() | signs["role"].isin(["symptom"])
    changed: dict[Any, str] = {}
    well = _well(signs)
    for at in signs.index[free & _may_watch(signs)]:
        row = signs.loc[at]
        text = str(row["message"]).partition("\n")[0][:200]
        if _ABOUT_IT.search(text) or is_ill(text) is False or _WELL_CELL.search(text):
            continue
        watches = _watcher(row)
        loud = _TICKET.search(text[:80]) is not None or (watches and (_LOUD.search(text[:80]) is not None or int(row["rank"]) >= 5))
        if loud or _CELL.search(text) or (_SOFT_CELL.search(text) and (watches or _often_well(well, str(row["source"]), text))):
            # a table has a row a check; who is told of it writes so
            changed[at] = "alert" if loud else "check_failed"
    signs = _told(signs, changed)
    began = signs[signs["role"] == "detection"]
    changed = {}
    for (_, _), rows in signs[signs["source"].isin(set(began["source"])) & signs["who"].isin(set(began["who"]))].groupby(["source", "who"], observed=True, sort=False):
        if len(rows) <= _MOST and (rows["role"] == "detection").any():
            changed |= _ends(rows)
    return _told(signs, changed)


def _well(signs: pd.DataFrame) -> dict[str, list[frozenset[str]]]:
    """What each source says to be well in a cell of its own, again and again: the names of such rows."""
    found: dict[str, list[frozenset[str]]] = {}
    for source, message in zip(signs["source"].astype(str), signs["message"], strict=True):
        text = str(message).partition("\n")[0][:200]
        if _WELL_CELL.search(text) and len(found.setdefault(source, [])) < _CALM:
            found[source].append(_names(text))
    return found


def _often_well(well: dict[str, list[frozenset[str]]], source: str, text: str) -> bool:
    names = _names(text)
    return sum(_alike(names, one) for one in well.get(source, ())) >= 2


def _may_watch(signs: pd.DataFrame) -> pd.Series:
    """The rows of logs that a monitor could write: not many a minute."""
    time = signs["time"].astype("int64")
    grouped = signs.assign(time=time).groupby("source", observed=True)
    minutes = ((grouped["time"].max() - grouped["time"].min()) / 60e6).clip(lower=1.0)
    calm = set((grouped["count"].sum() / minutes).loc[lambda rate: rate <= _ROWS_A_MINUTE].index)
    return signs["source"].isin(calm)


def _watcher(row: pd.Series) -> bool:
    return any(_WATCHER.search(str(row[name])) is not None for name in ("source", "who"))


def _ends(rows: pd.DataFrame) -> dict[Any, str]:
    """What ends or acknowledges an alert that these rows of one writer began before: the kind by index."""
    found: dict[Any, str] = {}
    open_alerts: list[frozenset[str]] = []
    began: list[frozenset[str]] = []
    calm: list[frozenset[str]] = []
    for at, role, message in zip(rows.index, rows["role"], rows["message"], strict=True):
        text = str(message).partition("\n")[0][:400]
        names = _names(text)
        same = next((one for one in open_alerts if _alike(one, names)), None)
        if role == "detection":
            if same is None:
                open_alerts.append(names)
                began.append(names)
        elif same is None:
            if _WELL.search(text) and len(calm) < _CALM and is_ill(text) is not True:
                calm.append(names)
        elif role == "resolved":
            open_alerts.remove(same)
        elif role is None or role == "symptom" or pd.isna(role):
            if _ACK.search(text):
                found[at] = "ack"
            elif _WELL.search(text) and is_ill(text) is not True:
                found[at] = "alert_resolved"
                open_alerts.remove(same)
    if sum(any(_alike(names, one) for one in began) for names in calm) > 1:
        # who says of every check that it is well ends nothing by saying so
        return {at: kind for at, kind in found.items() if kind == "ack"}
    return found


def _names(text: str) -> frozenset[str]:
    return frozenset(word for found in _NAMES.findall(text) if (word := found.lower()) not in _GENERAL)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    ids, others = {w for w in one if w[0] == "#"}, {w for w in other if w[0] == "#"}
    if ids and others:
        return bool(ids & others)
    return bool(one) and bool(other) and len(one & other) >= _COMMON * min(len(one), len(other))


_ROLES = {"alert": "detection", "check_failed": "detection", "alert_resolved": "resolved", "ack": "note"}


def _told(signs: pd.DataFrame, kinds: dict[Any, str]) -> pd.DataFrame:
    if not kinds:
        return signs
    signs = signs.copy()
    for at, kind in kinds.items():
        for column, value in (("kind", kind), ("role", _ROLES[kind]), ("weight", 0.0), ("routine", False)):
            signs.at[at, column] = value
    return signs
