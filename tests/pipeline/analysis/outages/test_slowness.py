"""Waiting is an outage where it is far longer than usual for the endpoint and lasts; what is always slow is none."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from retrolog.pipeline.analysis.outages import search as outages
from retrolog.pipeline.analysis.outages.slowness import slowed
from retrolog.pipeline.analysis.traffic import Span
from retrolog.pipeline.window import Window

from ...traffic import SECOND, START, Fault, failing, requests, summary


def found(fault: Fault, seconds: int = 600) -> list[Span]:
    return [s for s in outages.find(summary(requests(seconds, fault=fault)), Window()) if not s.is_blip]


def waiting(first: float, last: float, takes: Callable[[], float], fits: Callable[[dict[str, Any]], bool] = lambda row: True) -> Fault:
    return lambda t, row: row | {"duration": takes()} if first <= t < last and fits(row) else row


def to(path: str) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["path"].startswith(path)


@pytest.mark.parametrize(
    ("seconds", "first", "last", "fits", "endpoint", "why"),
    [
        (600, 200, 320, to("/"), None, "everything is slow"),
        (300, 80, 220, to("/search"), None, "one endpoint of three is slow for nearly half of the window"),
        (600, 120, 500, to("/search"), None, "and for most of it"),
        (600, 200, 320, lambda row: row["path"] == "/item/7", None, "a single item is a part of its endpoint too small to tell"),
    ],
)
def test_waiting_is_found_with_its_ends(
    seconds: int, first: int, last: int, fits: Callable[[dict[str, Any]], bool], endpoint: str | None, why: str
) -> None:
    spans = found(waiting(first, last, lambda: 3.0, fits), seconds)
    if "too small" in why:
        assert spans == [], why
        return
    assert [(s.signal, s.value) for s in spans] == [("latency", endpoint)], why
    assert spans[0].recovery is not None
    assert spans[0].onset.time / SECOND - START == pytest.approx(first, abs=2), why
    assert spans[0].recovery.time / SECOND - START == pytest.approx(last, abs=2), why


def test_an_endpoint_that_drowns_in_the_traffic_is_named() -> None:
    chance = random.Random(3)

    def fault(t: float, row: dict[str, Any]) -> dict[str, Any]:
        if chance.random() >= 0.06:
            return row
        return row | {"path": "/report", "duration": 4.0 if 200 <= t < 400 else 0.2}

    spans = found(fault)
    assert [(s.signal, s.dimension, s.value) for s in spans] == [("latency", "endpoint", "/report")]
    assert spans[0].onset.time / SECOND - START == pytest.approx(200, abs=10)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (waiting(0, 600, lambda: 9.0, to("/search")), "a long poll is slow from the beginning"),
        (waiting(200, 320, lambda: 0.4), "less than a second fails nobody"),
        (waiting(200, 215, lambda: 9.0), "a quarter of a minute is a hiccup"),
        (waiting(0, 600, lambda: random.Random(5).choice([0.01, 4.0])), "now and then slow, all the time"),
    ],
)
def test_what_is_usual_or_short_is_none(fault: Fault, why: str) -> None:
    assert found(fault) == [], why


def test_failures_are_told_once() -> None:
    slow, broken = waiting(200, 320, lambda: 8.0), failing(200, 320)
    spans = found(lambda t, row: slow(t, broken(t, row) or row))
    assert [s.signal for s in spans] == ["failures"]


def test_what_was_slow_is_told_with_its_medians() -> None:
    counts = summary(requests(600, fault=waiting(200, 320, lambda: 3.0, to("/search"))))
    (span,) = outages.find(counts, Window())
    (one,) = slowed(counts, span)
    assert (one.endpoint, one.slow) == ("/search", one.requests)
    assert one.before == pytest.approx(0.011, rel=0.2)
    assert one.during == pytest.approx(3.0, rel=0.03)
    failed = outages.find(summary(requests(600, fault=failing(200, 320))), Window())
    assert slowed(counts, failed[0]) == [], "only of latency"


def test_an_endpoint_asked_too_seldom_to_tell_is_not_slow_when_it_always_was() -> None:
    report = START + 1500, START + 2000
    rows = [
        row | ({"path": "/report", "duration": 5.0} if report[0] < row["time"] / SECOND < report[1] else {})
        for row in requests(3600, 0.028, seed=0)
    ]
    assert 5 <= sum(row["path"] == "/report" for row in rows) < 20, "too few to tell by stretches"
    assert [span for span in outages.find(summary(rows), Window()) if not span.is_blip] == []


def test_new_endpoints_asked_too_seldom_to_tell_are_slow_when_all_are_together() -> None:
    rows = []
    for number, row in enumerate(requests(1200, 0.3, seed=4)):
        late = row["time"] / SECOND > START + 500
        rows.append(row | {"path": f"/{'new' if late else 'old'}/{'abcdefghijklm'[number % 13]}", "duration": 5.0 if late else 0.02})
    (span,) = [span for span in outages.find(summary(rows), Window()) if not span.is_blip]
    assert span.signal == "latency"
    assert abs(span.onset.time / SECOND - START - 500) < 30
