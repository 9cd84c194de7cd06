"""Outages are found where requests fail, slow down or stop, with their ends; nothing is found where nothing is."""

from __future__ import annotations

import random
from typing import Any

import pytest

from retrolog.pipeline.analysis.edge import edge_sources
from retrolog.pipeline.analysis.outages import search as outages
from retrolog.pipeline.analysis.traffic import Span
from retrolog.pipeline.window import Window

from ...traffic import SECOND, START, failing, requests, said, summary


def spans(*parts: list[dict[str, object]], window: Window | None = None) -> list[Span]:
    return outages.find(summary(*parts), window or Window())


def at(span: Span) -> tuple[float, float | None]:
    return span.onset.time / SECOND - START, span.recovery.time / SECOND - START if span.recovery else None


@pytest.mark.parametrize(
    ("first", "last", "ratio", "path", "why"),
    [
        (200, 320, 1.0, "", "everything fails"),
        (200, 320, 0.3, "", "a third fails, as behind one bad upstream of three"),
        (200, 320, 1.0, "/item", "one endpoint fails"),
        (200, 230, 1.0, "", "short"),
        (60, 540, 1.0, "", "the outage is most of the window"),
    ],
)
def test_an_outage_is_found_with_its_ends(first: int, last: int, ratio: float, path: str, why: str) -> None:
    found = spans(requests(fault=failing(first, last, ratio, path), background=0.001))
    assert len(found) == 1, why
    assert not found[0].is_blip
    onset, recovery = at(found[0])
    assert onset == pytest.approx(first, abs=2), why
    assert recovery == pytest.approx(last, abs=2), why


def test_the_bounds_hold_the_onset() -> None:
    span = spans(requests(fault=failing(200, 320)))[0]
    assert span.onset.earliest <= span.onset.time <= span.onset.latest
    assert span.recovery is not None
    assert span.recovery.earliest <= span.recovery.time <= span.recovery.latest


def test_quiet_traffic_has_no_outage() -> None:
    assert [s for s in spans(requests(seconds=1800, background=0.01)) if not s.is_blip] == []


def test_a_handful_of_failures_is_a_blip_and_no_outage() -> None:
    found = spans(requests(fault=failing(300, 302, 0.9)))
    assert all(s.is_blip for s in found)


def test_two_outages_far_apart_are_two() -> None:
    first, second = failing(100, 160), failing(400, 460)
    found = spans(requests(fault=lambda t, row: second(t, first(t, row) or row)))
    assert [at(s)[0] for s in found if not s.is_blip] == pytest.approx([100, 400], abs=2)


def test_spans_less_than_a_minute_apart_are_one_that_flapped() -> None:
    def fault(t: float, row: dict[str, object]) -> dict[str, object]:
        return row | {"status": 503} if 200 <= t < 320 and (t // 20) % 2 == 0 else row

    found = [s for s in spans(requests(fault=fault)) if not s.is_blip]
    assert len(found) == 1
    assert found[0].flaps >= 2


def test_a_window_that_ends_inside_the_outage_has_no_recovery() -> None:
    found = spans(requests(seconds=300, fault=failing(200, 900)))
    assert found[0].recovery is None


def test_silence_is_an_outage_when_other_logs_go_on() -> None:
    heartbeat = [said(t, "heartbeat") for t in range(0, 600, 5)]
    gone = requests(fault=lambda t, row: None if 200 <= t < 290 else row)
    found = spans(gone, heartbeat)
    assert [s.signal for s in found] == ["silence"]
    assert at(found[0]) == pytest.approx((200, 290), abs=2)


def test_silence_of_everything_is_the_end_of_the_logs() -> None:
    heartbeat = [said(t, "heartbeat") for t in range(0, 600, 5) if not 200 <= t < 290]
    assert spans(requests(fault=lambda t, row: None if 200 <= t < 290 else row), heartbeat) == []


def test_errors_stand_in_where_there_is_no_access_log() -> None:
    calm = [said(t, "tick") for t in range(600)]
    errors = [said(200 + i / 5, f"cannot reach db {i}", "error") for i in range(600)]
    found = spans(calm, errors)
    assert [s.signal for s in found] == ["errors"]
    assert at(found[0])[0] == pytest.approx(200, abs=2)


def test_single_clients_that_give_up_are_no_failures() -> None:
    found = spans(requests(seconds=1200, fault=failing(0, 1200, 0.003, status=499)))
    assert [s for s in found if not s.is_blip] == []


def test_clients_that_give_up_together_were_failed() -> None:
    found = spans(requests(fault=failing(200, 260, 0.9, status=499)))
    assert [(s.closed, s.is_blip) for s in found] == [(True, False)]


def test_health_checks_do_not_make_an_outage() -> None:
    checks = [
        {"time": (START + t) * SECOND, "source": "access.log", "method": "GET", "path": "/healthz", "status": 503, "message": ""}
        for t in range(100, 400)
    ]
    assert spans(requests(), checks) == []


def test_a_request_logged_by_proxy_and_application_counts_once() -> None:
    rows = requests(seconds=300)
    behind = [row | {"source": "app.log", "time": row["time"] - 2000} for row in rows]
    assert edge_sources(summary(rows, behind)) == ["access.log"]


def test_two_servers_that_share_the_traffic_both_count() -> None:
    one, two = requests(seconds=300, seed=1), requests(seconds=300, seed=2, source="other.log")
    assert sorted(edge_sources(summary(one, two))) == ["access.log", "other.log"]


def _amid_other_lines(rows: list[dict[str, Any]], lines: int = 3) -> list[dict[str, Any]]:
    other = [said(row["time"] / SECOND - START + at / 1000, "attempt failed", "warning", source=row["source"]) for row in rows for at in range(lines)]
    return [*rows, *other]


def test_requests_amid_more_lines_of_other_kinds_count_where_no_other_log_has_more() -> None:
    rows = _amid_other_lines(requests(seconds=300, fault=failing(100, 200), source="app.log"))
    assert edge_sources(summary(rows)) == ["app.log"]
    assert edge_sources(summary(rows, requests(seconds=300, rate=2, seed=3))) == ["access.log", "app.log"]
    assert edge_sources(summary(rows, requests(seconds=300, rate=20, seed=3))) == ["access.log"]


def test_a_log_that_tells_only_of_requests_in_trouble_does_not_count() -> None:
    rows = _amid_other_lines(requests(seconds=300, fault=failing(0, 300), source="app.log"))
    assert edge_sources(summary(rows)) == []


def test_of_logs_with_requests_amid_other_lines_the_same_service_counts_and_none_behind_it() -> None:
    one, two = (_amid_other_lines(requests(seconds=300, seed=n, source=f"app-{n}.log")) for n in (1, 2))
    behind = _amid_other_lines([row | {"path": "/price"} for row in requests(seconds=300, rate=5, seed=3, source="price.log")])
    assert sorted(edge_sources(summary(one, two, behind))) == ["app-1.log", "app-2.log"]


def test_only_what_touches_the_window_is_told() -> None:
    window = Window((START + 400) * SECOND, (START + 600) * SECOND)
    assert spans(requests(fault=failing(100, 160)), window=window) == []


def test_one_client_that_guesses_passwords_is_no_outage_of_a_site_with_few_users() -> None:
    def guess(t: float) -> dict[str, object]:
        path = {"path": "/search", "status": 401, "client": "198.51.100.9"}
        return {"time": round((START + t) * SECOND), "source": "access.log", "method": "POST", "message": "", "bytes": 1} | path

    assert spans(requests(seconds=1200, rate=0.3), [guess(600 + i / 10) for i in range(600)]) == []


def test_traffic_that_comes_in_bursts_is_not_silent_between_them() -> None:
    heartbeat = [said(t, "heartbeat") for t in range(0, 1800, 5)]
    bursts = [row | {"time": row["time"] + at * SECOND} for at in (0, 200, 500, 620, 900, 1300, 1500) for row in requests(seconds=20, rate=8, seed=at)]
    assert spans(bursts, heartbeat) == []


def test_two_bursts_of_a_job_that_retries_are_no_outage() -> None:
    lines = [said(at + i / 6, f"sync of {i} failed, will retry", "error") for at in (500, 530) for i in range(12)]
    found = spans([said(t, "tick") for t in range(0, 1800, 10)], lines)
    assert [s for s in found if not s.is_blip] == []


def _dealt(rows: list[dict[str, Any]], servers: int, **more: Any) -> list[list[dict[str, Any]]]:
    """The rows as servers log them to which a balancer deals in turn."""
    return [[row | {"source": f"node-{at}.log"} | more for row in rows[at::servers]] for at in range(servers)]


def _sized(rows: list[dict[str, Any]], sizes: int) -> list[dict[str, Any]]:
    chance = random.Random(5)
    return [row | {"bytes": 200 + chance.randrange(sizes)} for row in rows]


@pytest.mark.parametrize("sizes", [400, 8])
def test_servers_that_a_balancer_deals_to_in_turn_all_count(sizes: int) -> None:
    rows = [row | {"path": "/hook", "method": "POST", "client": "192.0.2.1"} for row in _sized(requests(seconds=400), sizes)]
    assert sorted(edge_sources(summary(*_dealt(rows, 3)))) == ["node-0.log", "node-1.log", "node-2.log"]


@pytest.mark.parametrize("sizes", [400, 8])
def test_servers_whose_balancer_has_a_log_count_by_that_alone(sizes: int) -> None:
    rows = _sized(requests(seconds=400), sizes)
    assert edge_sources(summary(rows, *_dealt(rows, 3, client="192.0.2.1"))) == ["access.log"]


def test_a_client_that_asks_a_sibling_again_under_the_same_id_makes_no_echo() -> None:
    one, two = (requests(seconds=300, seed=seed, source=f"{seed}.log") for seed in (1, 2))
    again = random.Random(3).sample(range(len(two)), len(two))
    one, two = ([row | {"request_id": f"{n:x}0"} for n, row in zip(names, rows, strict=False)] for names, rows in ((range(len(one)), one), (again, two)))
    assert sorted(edge_sources(summary(one, two))) == ["1.log", "2.log"]
