"""In which order services began to report errors: how an outage spread, as far as stamps can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ...findings import Entry
from ..clues.signs import records
from ..evidence import evidence
from ..sentences import sentence
from ..traffic import SECOND

if TYPE_CHECKING:
    from ..traffic import Span


def propagation(signs: pd.DataFrame, span: Span, limit: int = 6) -> tuple[Entry, ...]:
    """The first error of each writer from shortly before the onset on, earliest first.

    `signs` is the frame of `retrolog.pipeline.analysis.clues.recurring`. A writer counts when it said an error that it does not say
    outside of the outage in these logs, or says there at least four times as often a minute; one warning alone says nothing.
    """
    time = signs["time"].astype("int64")
    begin, end = span.onset.time - 30 * SECOND, span.end
    bad = signs["role"].isin(["event", "symptom"]) & ((signs["rank"] >= 3) | (signs["rank"] < 0) | signs["kind"].isin(_TROUBLE))
    errors = signs[((signs["rank"] >= 4) & (signs["role"] != "detection") | bad) & ~signs["recurs"]]
    errors = errors[~_done_by_hand(errors, signs)]
    at = time.loc[errors.index]
    during = errors[(at >= begin) & (at <= end)]
    rest = errors[(at < begin) | (at > end + 10 * SECOND)]
    calm = max(1, int(time.max()) - int(time.min()) - (end - begin)) if len(time) else 1
    usual = rest.groupby("group")["count"].sum()
    here = during.groupby("group")["count"].sum()
    kept = [g for g, n in here.items() if n / max(1, end - begin) > 4 * usual.get(g, 0) / calm]
    alone = (during["rank"] == 3) & (during["group"].map(here) == 1) & during["role"].isna()
    first = during[during["group"].isin(kept) & ~alone].drop_duplicates("who")
    chain = []
    for row in records(first.head(limit)):
        delay = (int(row["time"]) - span.onset.time) / SECOND
        chain.append(
            Entry(
                time=int(row["time"]), summary=sentence(row), kind="error", severity=None if pd.isna(row["severity"]) else str(row["severity"]),
                reason=f"first error of {row['who']}, {delay:+.1f} s from the onset", evidence=(evidence(row),),
                host=None if pd.isna(row["host"]) else str(row["host"]), service=str(row["who"]),
            )
        )  # fmt: skip
    return tuple(chain)


#: Symptoms that some programs report without a severity: a database waits for a lock as it reports that it started.
_TROUBLE = ("lock",)
#: What a person's act makes a program say, and how soon.
_ENDINGS = ("kill", "crash", "stop", "oom")
_AT_ONCE = 3 * SECOND


def _done_by_hand(errors: pd.DataFrame, signs: pd.DataFrame) -> pd.Series:
    """Which of these rows tell of an end that a person had just brought about."""
    acts = signs.loc[signs["role"] == "action", "time"].astype("int64").to_numpy()
    ended = errors["kind"].isin(_ENDINGS)
    time = errors["time"].astype("int64")
    near = [bool(((acts <= t + SECOND) & (acts >= t - _AT_ONCE)).any()) for t in time]
    return ended & pd.Series(near, index=errors.index, dtype=bool)
