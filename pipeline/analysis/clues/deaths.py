"""Processes that die and are started again by their supervisor: one row tells of all their deaths."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from ...findings import Entry
from ...wording import duration
from ..evidence import evidence
from ..sentences import said, who
from ..traffic import SECOND
from .bonds import known, stem
from .signs import records, varied

if TYPE_CHECKING:
    from ..traffic import Span

DEATHS = ("crash", "kill", "oom")
#: What follows a death within so many seconds may be part of it: the supervisor's words, the next start.
WAKE = 15 * SECOND
#: Two deaths are two things; from three on it is a loop.
LOOP = 3
_FATAL = re.compile(r"(?i)\bkill|\bfatal|\babort|dumped|\bdied\b")


def loops(inside: pd.DataFrame, span: Span) -> tuple[list[Entry], set[tuple[str, int]]]:
    """One entry for each thing that died three times or more while the outage lasted, and the lines (file, line) that it tells of.

    Those are its deaths and the starts and restarts that followed them, so that no start of a dead process is told as a change.
    """
    time = inside["time"].astype("int64")
    course = inside[(time >= span.onset.time - WAKE) & (time <= span.end)]
    deaths = course[course["kind"].isin(DEATHS) & course["role"].eq("event")]
    # to be refused memory is not yet to die of it
    deaths = deaths[(deaths["kind"] != "oom") | deaths["message"].map(lambda m: bool(_FATAL.search(str(m))))]
    entries: list[Entry] = []
    told: set[tuple[str, int]] = set()
    for name, rows in deaths.groupby(deaths["subject"].fillna(deaths["who"]).map(stem), sort=False):
        moments = _moments(rows)
        if len(moments) < LOOP:
            continue
        starts = course[course["kind"].isin(["start", "restart", "stop"]) & course["subject"].fillna(course["who"]).map(lambda s, n=name: stem(s) == n or stem(s).endswith(f".{n}"))]
        at = starts["time"].astype("int64")
        after = starts[pd.Series([any(m <= t <= m + WAKE for m in moments) for t in at], index=starts.index, dtype=bool)]
        again = " and was started again" if len(after) else ""
        first = rows.iloc[0]
        gaps = sorted(b - a for a, b in pairwise(moments))
        cited = varied(pd.concat([rows, after]).sort_values(["time", "file", "line"], kind="stable"))
        entries.append(
            Entry(
                time=int(first["time"]), end=moments[-1], kind="error", severity=known(first["severity"]), score=7.0,
                summary=f"{who(first)}: {said(first['message'], 110)}; it died {len(moments)} times{again}, about every {duration(gaps[len(gaps) // 2])}",
                reason="it died again and again while the outage lasted", evidence=tuple(evidence(r) for r in records(cited)),
                host=known(first["host"]), service=known(first["who"]),
            )
        )  # fmt: skip
        for part in (rows, after):
            told.update(zip(part["file"], part["line"], strict=True))
    return entries, told


def _moments(rows: pd.DataFrame) -> list[int]:
    """When something died: several lines within seconds tell of one death."""
    out: list[int] = []
    for row in records(rows):
        if not out or int(row["time"]) - out[-1] > WAKE // 2:
            out.append(int(row["time"]))
    return out
