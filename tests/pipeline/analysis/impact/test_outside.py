"""The first and the last second of an outage: which of their requests are counted, by stamp, by line, and by guess."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from retrolog.pipeline.analysis.impact.cost import impact
from retrolog.pipeline.analysis.impact.flood import Look
from retrolog.pipeline.analysis.impact.outside import outside
from retrolog.pipeline.analysis.outages import search as outages
from retrolog.pipeline.counting.counts import summarize
from retrolog.pipeline.window import Window

from ...traffic import SECOND, START, events, failing, requests


def whole(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows in their order, with stamps of whole seconds."""
    return [row | {"time": row["time"] // SECOND * SECOND} for row in rows]


def looking(table: pa.Table) -> Look:
    time = table["time"].cast(pa.int64()).to_numpy()
    return lambda first, last: table.filter(pa.array((time >= first) & (time < last)))


def between(rows: list[dict[str, Any]]) -> int:
    """Requests from the first that failed to the last."""
    bad = [n for n, row in enumerate(rows) if row["status"] >= 500]
    return bad[-1] - bad[0] + 1


def site(ratio: float = 1.0) -> list[dict[str, Any]]:
    """Forty requests a second, of which some fail from the middle of a second to the middle of another."""
    rows = requests(rate=40.0, fault=failing(200.6, 320.3, ratio))
    return [row for row in rows if not (START + 320.3) * SECOND <= row["time"] < (START + 320.35) * SECOND]


EXACT = [
    ("stamps of microseconds", lambda rows: rows, 1.0),
    ("stamps of whole seconds, in the order of the lines", whole, 1.0),
    ("a part fails", whole, 0.3),
    ("a file that was written newest first", lambda rows: whole(rows)[::-1], 1.0),
]


@pytest.mark.parametrize(("why", "written", "ratio"), EXACT, ids=[case[0] for case in EXACT])
def test_what_ended_before_the_first_failure_or_after_the_last_is_not_counted(why: str, written: Any, ratio: float) -> None:
    rows = site(ratio)
    table = events(written(rows))
    counts = summarize(table)
    span = next(s for s in outages.find(counts, Window()) if not s.is_blip)
    beyond = outside(counts, span, looking(table))
    assert beyond is not None
    cost = impact(counts, span, Window(), None, beyond)
    assert cost.requests == between(rows)
    assert cost.failed == sum(row["status"] >= 500 for row in rows)
    assert sum(e.requests for e in cost.endpoints) == cost.requests
    assert cost.latency_during is not None
    assert cost.latency_during.requests == cost.requests
    assert (beyond.fewer, beyond.more) == (0, 0)
    assert "between" not in dict(cost.formulas)["requests"]
    assert impact(counts, span, Window()).requests > cost.requests, "else the case shows nothing"


def test_another_log_of_whole_seconds_gives_a_range_that_holds_the_truth() -> None:
    one, two = site(), [row | {"status": 200} for row in requests(rate=30.0, seed=5, source="other.log")]
    table = events([*whole(one), *whole(two)])
    counts = summarize(table)
    span = next(s for s in outages.find(counts, Window()) if not s.is_blip)
    beyond = outside(counts, span, looking(table))
    assert beyond is not None
    cost = impact(counts, span, Window(), None, beyond)
    bad = [row["time"] for row in one if row["status"] >= 500]
    true = sum(bad[0] <= row["time"] <= bad[-1] for row in [*one, *two])
    assert cost.requests - beyond.fewer <= true <= cost.requests + beyond.more
    assert cost.requests == pytest.approx(true, abs=20)
    assert 0 < beyond.fewer + beyond.more <= 60
    assert " between " in dict(cost.formulas)["requests"]
    assert " between " in dict(cost.formulas)["failed_percent"]


def test_signals_without_single_failures_have_no_such_seconds() -> None:
    counts = summarize(table := events(requests(fault=lambda t, row: None if 200 <= t < 300 else row)))
    for span in outages.find(counts, Window()):
        assert outside(counts, span, looking(table)) is None
