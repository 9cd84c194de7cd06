"""Requests that are missing are an outage where they went and came back in one step; quiet minutes and single customers are none."""

from __future__ import annotations

import json
import random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from retrolog.pipeline.analysis.clues.signs import signs
from retrolog.pipeline.analysis.impact.cost import impact
from retrolog.pipeline.analysis.outages.absence import drops, silent
from retrolog.pipeline.analysis.traffic import Span
from retrolog.pipeline.counting.changes import Lexicon
from retrolog.pipeline.window import Window

from ...traffic import SECOND, START, Fault, events, requests, said, summary

Rows = list[dict[str, Any]]


def dropped(rows: Rows) -> list[Span]:
    """What is found in requests of which two thirds come by the frontend `north`, those that stay in a fall too."""
    counts, table = summary(rows), events(rows)

    def look(first: int, last: int) -> pa.Table:
        return table.filter(pc.and_(pc.greater_equal(table["time"].cast(pa.int64()), first), pc.less(table["time"].cast(pa.int64()), last)))

    return drops(counts, signs(counts, Lexicon.load(None)), Window(), [], look)


def by(*shares: tuple[str, float], gone: str = "", first: float = 200, last: float = 300) -> Fault:
    """Requests come by these frontends; what comes by `gone` is taken away from `first` to `last`."""
    chance = random.Random(8)
    names, weights = zip(*shares, strict=True)

    def fault(t: float, row: dict[str, Any]) -> dict[str, Any] | None:
        frontend = chance.choices(names, weights)[0]
        fields = {"frontend": frontend, "timers": f"0/{chance.randrange(999)}"}
        return None if frontend == gone and first <= t < last else row | {"fields": json.dumps(fields)}

    return fault


def missing(share: float, first: float = 200, last: float = 300, wide: float = 0.0) -> Fault:
    """A fault that takes requests away, from one second to the next or over `wide` seconds."""
    chance = random.Random(5)

    def fault(t: float, row: dict[str, Any]) -> dict[str, Any] | None:
        depth = min(1.0, (t - first) / wide if wide else 1.0, (last - t) / wide if wide else 1.0)
        return None if first <= t < last and chance.random() < share * depth else row

    return fault


@pytest.mark.parametrize("share", [0.65, 0.85])
def test_a_frontend_that_falls_silent_is_found_with_the_number_that_is_missing(share: float) -> None:
    rows = requests(rate=24, fault=by(("north", share), ("south", 1 - share), gone="north", first=200.4, last=300.2))
    spans = dropped(rows)
    assert [(s.signal, s.dimension, s.value) for s in spans] == [("silence", "frontend", "north")]
    assert spans[0].onset.time / SECOND - START == pytest.approx(200.4, abs=0.5)
    assert spans[0].end / SECOND - START == pytest.approx(300.2, abs=0.5)
    low, high = spans[0].missing or (0, 0)
    assert low <= 2400 * share <= high
    assert impact(summary(rows), spans[0], Window()).failed_percent == pytest.approx(100 * share, abs=6)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (missing(0.7), "fewer of everything: nothing fell silent, people are few"),
        (by(("north", 0.3), ("south", 0.7), gone="north"), "a third less is a quiet minute"),
        (missing(0.7, wide=40), "people who leave and come one by one"),
        (missing(0.7, 200, 212), "a short one"),
        (missing(0.9, 300, 700), "it does not come back before the logs end"),
    ],
)
def test_other_falls_are_none(fault: Fault, why: str) -> None:
    assert dropped(requests(rate=20, fault=fault)) == [], why


def test_a_fall_that_a_watcher_complains_of_is_one_whatever_fell() -> None:
    watcher = [said(215, "check http://shop/ DOWN: no answer in 4 s", None, "watch"), said(305, "check http://shop/ UP: 200", None, "watch")]
    rows = requests(rate=20, fault=missing(0.7)) + [row | {"source": "watch.log"} for row in watcher]
    assert [(s.signal, s.dimension) for s in dropped(rows)] == [("silence", None)]


def test_a_customer_who_stops_asking_is_no_outage() -> None:
    people = requests(rate=6)
    customer = [row | {"client": "192.0.2.250"} for row in requests(rate=14, seed=2, fault=missing(1.0))]
    assert dropped(people + customer) == []


def test_bursts_of_visitors_are_no_falls() -> None:
    chance = random.Random(4)
    starts = sorted(chance.uniform(0, 1200) for _ in range(400))
    rows = [row | {"time": round((START + at + k / 3) * SECOND)} for at in starts for k, row in enumerate(requests(seconds=1, rate=20)[:12])]
    assert dropped(rows) == []


def test_a_log_that_begins_with_one_visit_has_no_rate_to_fall_from() -> None:
    visit = [row | {"time": round((START + n / 3) * SECOND)} for n, row in enumerate(requests(seconds=2, rate=3)[:6])]
    later = [row | {"time": row["time"] + 600 * SECOND} for row in requests(seconds=600, rate=1)]
    heartbeat = [said(t, "heartbeat") for t in range(0, 1200, 5)]
    counts = summary(visit + later, heartbeat)
    assert silent(counts, ["access.log"]) == []


@pytest.mark.parametrize("gap", [100, 400])
@pytest.mark.parametrize("seed", [1, 2])
def test_requests_in_bursts_are_silent_when_the_pause_is_longer_than_chance_makes_any(gap: int, seed: int) -> None:
    # a burst of forty requests every 20 seconds on average: of 240 gaps the longest is about 110 seconds long
    chance = random.Random(seed)
    times, t = [], 0.0
    while (t := t + chance.expovariate(1 / 20)) < 4800:
        times += [t + n / 20 for n in range(40)]
    rows = [row | {"time": round((START + at + (gap if at >= 2400 else 0)) * SECOND)} for at, row in zip(times, requests(seconds=9000, rate=2), strict=False)]
    found = silent(summary(rows, [said(t, "heartbeat", source="other.log") for t in range(0, 5200, 5)]), ["access.log"])
    assert [s.signal for s in found] == ["silence"] * (gap == 400)


def test_one_clients_scan_beside_a_lull_makes_no_rate_that_traffic_fell_from() -> None:
    chance = random.Random(109)
    visits = []
    for _ in range(36):
        first = chance.uniform(0, 3500)
        for step in range(6):
            visits.append(first + 0.3 * step + 0.01 * chance.random())
    scan = [chance.uniform(2800, 2860) for _ in range(600)]
    row = requests(10)[0]
    rows = [row | {"time": round((START + at) * SECOND), "client": f"192.0.2.{n}"} for n, at in enumerate(visits)]
    rows += [row | {"time": round((START + at) * SECOND), "client": "198.51.100.7"} for at in scan]
    assert [span for span in dropped(sorted(rows, key=lambda one: one["time"])) if not span.is_blip] == []
