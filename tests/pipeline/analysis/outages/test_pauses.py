"""Stretches of an outage in which users were served again are told with their ends; ramps and chance are none."""

from __future__ import annotations

from typing import Any

import pytest

from retrolog.pipeline.analysis.outages import search as outages
from retrolog.pipeline.window import Window

from ...traffic import SECOND, START, failing, requests, summary


def pauses_of(fault: Any) -> list[tuple[float, float]]:
    spans = [s for s in outages.find(summary(requests(fault=fault)), Window()) if not s.is_blip]
    assert len(spans) == 1
    return [(a / SECOND - START, b / SECOND - START) for a, b in spans[0].pauses]


def test_a_false_recovery_is_a_pause_with_its_ends() -> None:
    first, second = failing(200, 260, 0.8), failing(290, 350, 0.8)
    found = pauses_of(lambda t, row: second(t, first(t, row)))
    assert found == [pytest.approx((260, 290), abs=1.5)]


def test_an_outage_that_comes_and_goes_has_as_many_pauses() -> None:
    def fault(t: float, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"status": 503} if 200 <= t < 320 and (t // 20) % 2 == 0 else row

    assert len(pauses_of(fault)) == 2


def test_an_outage_without_a_break_has_none() -> None:
    assert pauses_of(failing(200, 320, 0.3)) == []


def test_requests_that_hang_are_no_pause() -> None:
    def fault(t: float, row: dict[str, Any]) -> dict[str, Any] | None:
        if 230 <= t < 255:
            return None if int(t * 10) % 20 else row
        return failing(200, 320, 0.9)(t, row)

    assert pauses_of(fault) == []


def test_a_burst_long_before_the_outage_is_a_blip_of_its_own() -> None:
    restart, outage = failing(200, 201.5, 0.9), failing(245, 345, 0.9)
    found = outages.find(summary(requests(rate=20, fault=lambda t, row: outage(t, restart(t, row)))), Window())
    assert [(s.is_blip, round(s.onset.time / SECOND - START)) for s in found] == [(True, 200), (False, 245)]


def test_an_outage_that_begins_with_a_long_burst_begins_there() -> None:
    first, second = failing(200, 212, 0.9), failing(245, 345, 0.9)
    found = outages.find(summary(requests(rate=20, fault=lambda t, row: second(t, first(t, row)))), Window())
    assert [(s.is_blip, round(s.onset.time / SECOND - START)) for s in found] == [(False, 200)]
