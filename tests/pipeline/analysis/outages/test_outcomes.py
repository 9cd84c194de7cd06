"""Outages told by application logs alone: what is done stops, and something else is said in its place."""

from __future__ import annotations

import random
from typing import Any

import pytest

from retrolog.pipeline.analysis.impact.cost import impact
from retrolog.pipeline.analysis.outages import outcomes
from retrolog.pipeline.analysis.outages import search as outages
from retrolog.pipeline.window import Window

from ...traffic import SECOND, START, requests, said, summary

Rows = list[dict[str, Any]]


def things(first: float, last: float, instead: str, share: float = 1.0, rate: float = 6.0, seconds: float = 400.0, severity: str | None = None) -> Rows:
    """Things done at a rate; from `first` to `last` this share of them ends with the line `instead`."""
    chance = random.Random(3)
    rows: Rows = []
    t = 0.0
    while (t := t + chance.expovariate(rate)) < seconds:
        number = chance.randrange(100_000)
        if first <= t < last and chance.random() < share:
            rows.append(said(t, instead.format(number), severity))
        else:
            rows.append(said(t, f"letter {number} brought to its reader", None))
    return rows


@pytest.mark.parametrize(
    ("instead", "severity"),
    [
        ("letter {} rejected, the sorter does not answer", None),
        ("letter {} goes back to its sender", "warning"),
        ("brev {} kom ikke fram", "error"),
    ],
)
def test_lines_of_trouble_in_place_of_steady_ones_are_an_outage(instead: str, severity: str | None) -> None:
    found = [s for s in outages.find(summary(things(150, 250, instead, severity=severity)), Window()) if not s.is_blip]
    assert [s.signal for s in found] == ["errors"]
    assert found[0].onset.time / SECOND - START == pytest.approx(150, abs=1.5)
    assert found[0].recovery is not None
    assert found[0].recovery.time / SECOND - START == pytest.approx(250, abs=1.5)


def test_a_part_of_the_steady_lines_is_enough_where_as_many_lines_of_trouble_came() -> None:
    found = outages.find(summary(things(150, 250, "letter {} rejected, the sorter does not answer", 0.5)), Window())
    assert [(s.signal, s.is_blip, round(s.onset.time / SECOND - START, -1)) for s in found] == [("errors", False, 150)]


def test_lines_of_trouble_beside_steady_ones_that_go_on_prove_nothing() -> None:
    beside = [said(150 + t / 3, f"letter {t} rejected by the album, kept aside", None) for t in range(300)]
    assert outcomes.replaced(summary(things(150, 250, "", 0.0), beside)) == []


def test_the_share_is_that_of_the_lines_that_came_in_place_of_others() -> None:
    counts = summary(things(150, 250, "letter {} rejected, the sorter does not answer", 0.6, severity="error"))
    span = next(s for s in outages.find(counts, Window()) if not s.is_blip)
    cost = impact(counts, span, Window())
    assert cost.failed_percent == pytest.approx(60, abs=4)
    assert cost.requests == pytest.approx(600, rel=0.1)


def test_no_share_is_told_where_the_lines_are_not_of_one_kind() -> None:
    retries = [said(150 + i / 40, f"cannot reach db-1, attempt {i}", "error") for i in range(4000)]
    counts = summary(things(150, 250, "", 0.0), retries)
    span = next(s for s in outages.find(counts, Window()) if not s.is_blip)
    assert outcomes.outcomes(counts, span) is None
    assert impact(counts, span, Window()).requests == 0


def test_a_job_that_goes_on_to_its_next_step_is_no_outage() -> None:
    assert outages.find(summary(things(150, 250, "letter {} weighed for the yearly figures")), Window()) == []


def test_a_line_that_comes_now_and_then_proves_nothing() -> None:
    rows = [said(float(t), f"letter {t} brought to its reader", None) for t in range(0, 400, 45)]
    rows += [said(t / 3, f"letter {t} rejected", None) for t in range(450, 750)]
    assert outcomes.replaced(summary(rows)) == []


def test_lines_tell_of_an_outage_beside_the_access_log_of_something_else() -> None:
    found = outages.find(summary(requests(seconds=400), things(150, 250, "letter {} rejected, the sorter does not answer")), Window())
    assert [s.signal for s in found if not s.is_blip] == ["errors"]
