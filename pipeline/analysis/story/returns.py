"""What stands next to a pause in an outage: the act before failures stopped, and what came before they were back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ...findings import Entry
from ...wording import duration
from ..clues.signs import records
from ..edge import edge_sources
from ..evidence import evidence
from ..sentences import sentence
from ..traffic import SECOND, failures

if TYPE_CHECKING:
    from ...counting.summary import Summary
    from ..traffic import Span

#: How long before failures stop, or come back, an act may lie.
NEAR = 30 * SECOND
#: Pauses that are told each; more of them are one flapping.
MOST = 3


def returns(inside: pd.DataFrame, summary: Summary, span: Span) -> list[Entry]:
    """Two entries for each pause: failures stopped, failures came back, each with the act next to it.

    Each cites the failed request at its end of the pause, and the act.
    """
    if not span.pauses or len(span.pauses) > MOST:
        return []
    rows = failures(summary, edge_sources(summary), span.closed).to_pylist()
    entries: list[Entry] = []
    for stopped, back in span.pauses:
        length = duration(back - stopped)
        last = next((evidence(r, "last_") for r in rows if r["last_time"] == stopped), None)
        first = next((evidence(r) for r in rows if r["time"] == back), None)
        for at, line, text, act in (
            (stopped, last, f"Failures stopped here, for {length}", _act(inside, stopped, stopped - NEAR, {"action", "change"})),
            (back, first, f"Failures came back after {length}", _act(inside, back, stopped + SECOND, {"action", "change", "event"})),
        ):
            lines = tuple(e for e in (line, evidence(act) if act else None) if e is not None)
            if not lines:
                continue
            near = f", {duration(max(at - int(act['time']), SECOND))} after {sentence(act)}" if act else ""
            entries.append(
                Entry(
                    time=at, kind="error", summary=f"{text}{near}", severity="error", score=6.5,
                    reason="an edge of a pause in the failures", evidence=lines,
                )
            )  # fmt: skip
    return entries


def _act(inside: pd.DataFrame, at: int, since: int, roles: set[str]) -> dict[str, Any] | None:
    """The last act or change between two moments, the weightiest of the same second; a second's grace for whole-second stamps."""
    time = inside["time"].astype("int64")
    near = inside[(time >= since) & (time <= at + SECOND) & inside["role"].isin(roles) & ~inside["routine"].fillna(False).astype(bool)]
    if near.empty:
        return None
    return max(records(near), key=lambda row: (int(row["time"]) // SECOND, float(row["weight"] or 0)))
