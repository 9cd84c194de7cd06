"""A steady writer that falls silent while something complains is an outage; a job that ends, or a log that ends, is none."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from retrolog.pipeline.analysis.clues.signs import signs
from retrolog.pipeline.analysis.impact.cost import impact
from retrolog.pipeline.analysis.outages.stalls import stalls
from retrolog.pipeline.analysis.traffic import Span
from retrolog.pipeline.counting.changes import Lexicon
from retrolog.pipeline.window import Window

from ...traffic import SECOND, START, events, said, summary

Rows = list[dict[str, Any]]


def worker(*silences: tuple[float, float], seconds: float = 600, rate: float = 8.0, source: str = "worker.log") -> Rows:
    """Lines of a worker that comes to one at random, and is silent at times."""
    chance, rows, t = random.Random(2), [], 0.0
    while (t := t + chance.expovariate(rate)) < seconds:
        if not any(first <= t < last for first, last in silences):
            rows.append(said(t, f"message {chance.randrange(10_000)} handled", source=source))
    return rows


def others(seconds: int = 600) -> Rows:
    return [said(t, f"queue length {t}", source="stats.log") for t in range(0, seconds, 8)]


def alert(t: float) -> Rows:
    return [said(t, "PROBLEM: queue mail has 233 ready messages", service="zabbix_agentd", source="syslog")]


def found(*parts: Rows) -> list[Span]:
    counts, table = summary(*parts), events([row for part in parts for row in part])

    def look(first: int, last: int) -> pa.Table:
        return table.filter(pc.and_(pc.greater_equal(table["time"].cast(pa.int64()), first), pc.less(table["time"].cast(pa.int64()), last)))

    return stalls(counts, signs(counts, Lexicon.load(None)), Window(), [], look)


def test_a_worker_that_hangs_is_found_with_its_last_and_first_line() -> None:
    rows = worker((200, 320))
    (span,) = found(rows, others(), alert(230))
    assert (span.signal, span.dimension, span.value) == ("silence", "log", "worker.log")
    last = max(row["time"] for row in rows if row["time"] < START * SECOND + 200 * SECOND)
    first = min(row["time"] for row in rows if row["time"] >= START * SECOND + 320 * SECOND)
    assert span.recovery is not None
    assert (span.onset.time, span.recovery.time) == (last, first)
    assert span.ends is not None
    assert [one.file for one in span.ends] == ["worker.log", "worker.log"]
    assert span.missing is not None
    assert span.missing[1] == pytest.approx(8 * 120, rel=0.2)
    cost = impact(summary(rows, others()), span, Window())
    assert (cost.requests, cost.failed) == (0, 0)


def test_of_two_that_hang_together_the_busiest_tells() -> None:
    spans = found(worker((200, 320)), worker((200, 320), rate=3.0, source="helper.log"), others(), alert(230))
    assert [s.value for s in spans] == ["worker.log"]


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ((worker((200, 320)), others()), "nobody complained"),
        ((worker((200, 320)), others(), alert(100)), "the complaint was before"),
        ((worker((200, 320)), alert(230)), "all is silent: the machine slept, or its logs are not here"),
        ((worker((200, 210)), others(), alert(205)), "ten seconds are a hiccup"),
        ((worker((200, 320), rate=0.1), others(), alert(230)), "a line now and then is not missed"),
        ((worker((200, 600)), others(), alert(230)), "it never wrote again: a log that ends"),
        ((worker(*((t, t + 60) for t in range(60, 600, 120))), others(), alert(230)), "a job that runs every other minute"),
    ],
)
def test_what_is_no_stall(parts: tuple[Rows, ...], why: str) -> None:
    assert found(*parts) == [], why
