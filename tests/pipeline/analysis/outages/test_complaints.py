"""Error lines that surge, and those that come in bursts all the time."""

from __future__ import annotations

import random
from itertools import chain
from typing import Any

import pytest

from retrolog.pipeline.analysis.likelihood import poisson_tail
from retrolog.pipeline.analysis.outages.complaints import surges

from ...traffic import SECOND, START, said, summary

Rows = list[dict[str, Any]]


def singles(seed: int, rate: float = 60 / 3600, first: float = 0, last: float = 3600) -> list[float]:
    """Times of independent lines."""
    chance, times, t = random.Random(seed), [], first
    while (t := t + chance.expovariate(rate)) < last:
        times.append(t)
    return times


def bursts(*starts: float, lines: int = 12, lasting: float = 2.0) -> list[float]:
    """Times of bursts that begin at these seconds."""
    return [at + lasting * n / lines for at in starts for n in range(lines)]


def wrong(*times: list[float]) -> Rows:
    """An error line at each of these times."""
    return [said(t, f"sync of {int(t)} failed, will retry", "error", source="jobs.log") for t in sorted(chain(*times))]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (wrong(singles(1), bursts(500, 1500, 1560, 3000)), "two of four that come all the time fell together"),
        (wrong(singles(2), bursts(500, 1500, 1560, 1640, 3000)), "and three of five"),
        (wrong(singles(3), bursts(500, 700, 850, 1000)), "all four in one part of the hour: one in fifty hours has that"),
        (wrong(singles(2), bursts(1053, 2214.8, 2245.6, 3439.7), [2243.6, 2249.3]), "single lines just before and after a burst make it no longer"),
    ],
)
@pytest.mark.parametrize("shift", [0, 7])
def test_bursts_that_fall_together_by_chance_are_no_outage(rows: Rows, why: str, shift: int) -> None:
    moved = [row | {"time": row["time"] + shift * SECOND} for row in rows]
    assert [s for s in surges(summary(moved)) if not s.is_blip] == [], why


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (wrong(singles(1), bursts(500, 3000), singles(5, 1.0, 1500, 1700)), "lines between the bursts come more often"),
        (wrong(singles(1), bursts(500, 3000), bursts(*range(1500, 1740, 20))), "twelve bursts do not fall together by chance"),
        (wrong(singles(1), bursts(500, 3000), bursts(*range(1500, 1620, 20), lines=120, lasting=8)), "bursts ten times as large are another thing"),
        (wrong(singles(1), bursts(*range(1500, 1740, 20))), "nor do they where there are no others"),
        (wrong(singles(1), bursts(1500, lines=600, lasting=60)), "one that lasts a minute is no burst"),
    ],
)
def test_a_surge_beside_bursts_is_an_outage(rows: Rows, why: str) -> None:
    spans = [s for s in surges(summary(rows)) if not s.is_blip]
    assert len(spans) == 1, why
    start = spans[0].onset.time / SECOND - START
    assert abs(start - 1500) < 30, why


@pytest.mark.parametrize(
    ("count", "expected", "exact"),
    # exact tails of the Poisson distribution, added up term by term
    [(3, 5.0, 0.8753), (5, 5.0, 0.5595), (10, 2.0, 4.65e-5), (20, 5.0, 3.45e-7), (1, 0.001, 9.995e-4)],
)
def test_the_bound_of_a_tail_is_above_it_and_not_far(count: float, expected: float, exact: float) -> None:
    assert exact <= poisson_tail(count, expected) <= max(1.0 if count <= expected else 0.0, 10 * exact)
