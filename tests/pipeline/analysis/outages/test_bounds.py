"""A window that cuts an outage: nothing is told from outside of it, and open ends are said to be open."""

from __future__ import annotations

import pytest

from retrolog.pipeline.analysis.impact.cost import impact
from retrolog.pipeline.analysis.outages import search as outages
from retrolog.pipeline.analysis.traffic import Span
from retrolog.pipeline.counting.summary import Summary
from retrolog.pipeline.window import Window

from ...traffic import SECOND, START, failing, requests, said, summary


def found(counts: Summary, first: float, last: float) -> tuple[Span, Window]:
    window = Window(round((START + first) * SECOND), round((START + last) * SECOND))
    spans = [s for s in outages.find(counts, window) if not s.is_blip]
    assert len(spans) == 1
    return spans[0], window


def test_a_window_that_begins_inside_tells_the_first_failure_in_it() -> None:
    counts = summary(requests(fault=failing(200, 320)))
    span, window = found(counts, 250, 600)
    assert span.open_start
    assert 0 <= span.onset.time / SECOND - START - 250 < 1
    assert span.onset.earliest >= (window.start or 0)
    assert impact(counts, span, window).failed == pytest.approx(700, rel=0.15)


def test_a_window_that_ends_inside_tells_no_recovery() -> None:
    counts = summary(requests(fault=failing(200, 320)))
    span, window = found(counts, 0, 260)
    assert span.recovery is None
    assert span.end < (window.end or 0)
    cost = impact(counts, span, window)
    assert cost.failed == pytest.approx(600, rel=0.15)
    assert cost.failed == span.failed


def test_logs_that_end_inside_the_outage_count_all_of_it() -> None:
    counts = summary(requests(seconds=300, fault=failing(200, 400)))
    span = outages.find(counts, Window())[0]
    assert span.recovery is None
    assert impact(counts, span, Window()).failed == pytest.approx(1000, rel=0.15)


def test_what_was_missing_is_counted_for_the_part_in_the_window() -> None:
    heartbeat = [said(t, "heartbeat") for t in range(0, 600, 5)]
    counts = summary(requests(fault=lambda t, row: None if 200 <= t < 300 else row), heartbeat)
    span, window = found(counts, 0, 250)
    assert span.recovery is None
    assert impact(counts, span, window).failed == pytest.approx(500, rel=0.2)


def test_a_span_inside_the_window_stays_as_it_is() -> None:
    counts = summary(requests(fault=failing(200, 320)))
    assert found(counts, 100, 500)[0] == next(s for s in outages.find(counts, Window()) if not s.is_blip)
