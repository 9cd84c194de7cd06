"""Which lines keep coming, outage or not: what recurs as often without failures neither sets them off nor follows from them."""

from __future__ import annotations

import re
from math import sqrt
from typing import TYPE_CHECKING

import pandas as pd

from ..traffic import SECOND
from .deaths import DEATHS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..traffic import Span

#: An outage and what belongs to it: from so long before the onset to so long after the end.
BEFORE, AFTER = 30 * SECOND, 30 * SECOND
#: Lines of one text nearer to each other than this are one report.
ONE_REPORT = 3 * SECOND
#: How often a thing must have come in all, and how often by chance alone near the outages, to be said to keep coming.
TIMES, BY_CHANCE = 3, 0.5
#: Kinds of which each is a happening of its own, however often it comes.
_GRAVE = frozenset((*DEATHS, "unhealthy", "disk_full", "exhaustion", "failover", "panic", "flood"))
#: Roles that a line may have for its words alone.
_BY_WORDS = ("event", "symptom")

_DIGITS = re.compile(r"\d+")


def with_recurring(signs: pd.DataFrame, spans: Sequence[Span]) -> pd.DataFrame:
    """The frame of signs with `recurs`, true for lines that come as often without failures; as marks they are routine.

    A person's act, a death, and a change that names what was changed stand for themselves and are left as they are.
    """
    signs = signs.assign(recurs=False)
    if signs.empty or not spans:
        return signs
    time = signs["time"].astype("int64")
    near = pd.Series(False, index=signs.index)
    for span in spans:
        near |= (time >= span.onset.time - BEFORE) & (time <= span.end + AFTER)
    first, last = int(time.min()), int(time.max())
    inside = _covered(spans, first, last)
    outside = max(last - first - inside, 0)
    if not outside:
        return signs
    text = signs["message"].map(lambda m: str(m)[:400])
    # of what is measured the number is what it says: it recurs only where it stays the same
    text = text.where(signs["kind"] == "pressure", text.map(lambda m: _DIGITS.sub("#", str(m))))
    said = signs["who"].astype(str) + "\x1f" + text
    weak = (signs["role"].isna() & (signs["rank"] >= 3)) | signs["role"].isin(_BY_WORDS) | ((signs["role"] == "change") & (signs["kind"] == "change"))
    weak &= signs["actor"].isna() & ~signs["kind"].isin(_GRAVE)
    onset, end = min(s.onset.time for s in spans), max(s.end for s in spans)
    recurs: list[str] = []
    for text, rows in time[weak].groupby(said[weak], sort=False):
        reports = rows[rows.diff().fillna(ONE_REPORT) >= ONE_REPORT]
        here = near[reports.index]
        within, without = int(here.sum()), int((~here).sum())
        by_chance = without * inside / outside
        both_sides = bool((reports < onset).any() and (reports > end).any())
        if len(reports) < TIMES or not (without >= 2 or (without and both_sides)) or by_chance < BY_CHANCE:
            continue
        if within <= by_chance + 2.5 * sqrt(by_chance) + 1:
            recurs.append(str(text))
    if not recurs:
        return signs
    signs["recurs"] = weak & said.isin(recurs)
    signs["routine"] = signs["routine"].where(~(signs["recurs"] & signs["role"].notna()), True)
    return signs


def _covered(spans: Sequence[Span], first: int, last: int) -> int:
    """How much of the time from the first to the last line lies near an outage, in microseconds."""
    total, done = 0, first
    for begin, end in sorted((span.onset.time - BEFORE, span.end + AFTER) for span in spans):
        low, high = max(begin, done), min(end, last)
        if high > low:
            total += high - low
            done = high
    return total
