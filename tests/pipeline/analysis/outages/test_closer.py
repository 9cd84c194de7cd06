"""A long window tells of an outage what a short one does, to the second, however wide its bins became."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from retrolog.pipeline.analysis.analyse import Question, analyse
from retrolog.pipeline.analysis.outages import search as outages
from retrolog.pipeline.analysis.outages.closer import AROUND, parts, with_parts
from retrolog.pipeline.counting import summary as layouts
from retrolog.pipeline.counting.changes import Lexicon
from retrolog.pipeline.counting.counts import summarize
from retrolog.pipeline.counting.summary import Summary
from retrolog.pipeline.findings import Findings, Incident, SourceReport
from retrolog.pipeline.investigate import BASELINE, LATE, study
from retrolog.pipeline.options import Options
from retrolog.pipeline.window import Window

from ...traffic import SECOND, START, events, requests, said

LEXICON = Lexicon.load()
HOURS = 6 * 3600
FIRST, SECONDS_LONG, LATER = 7200, 90, 18_007
WHOLE = Window(START * SECOND, (START + HOURS) * SECOND)


@pytest.fixture
def narrow_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables that hold some forty minutes of these logs by the second, and hours of them only in wide bins."""
    caps = {"requests": 5000, "latency": 6000, "clients": 9000, "patterns": 700, "failures": 100, "seconds": 8000}
    monkeypatch.setattr(layouts, "LAYOUTS", {name: replace(one, cap=caps.get(name, one.cap)) for name, one in layouts.LAYOUTS.items()})


def twice(t: float, row: dict[str, Any]) -> dict[str, Any]:
    bad = any(at <= t < at + SECONDS_LONG for at in (FIRST, LATER)) and row["path"] != "/search"
    return row | {"status": 502} if bad else row


def told() -> list[dict[str, Any]]:
    rows = [said(t, f"worker {t} took a job", service="worker", source="app.log") for t in range(0, HOURS, 20)]
    for at, version in ((FIRST, "4.2.0"), (LATER, "4.3.0")):
        rows.append(said(at - 8, f"starting deploy of stockd {version}", service="deploy", source="app.log"))
        rows += [said(at + t, f"cannot read table of stock {t}", "error", "stockd", source="app.log") for t in range(SECONDS_LONG)]
        rows.append(said(at + SECONDS_LONG - 2, f"rolling back stockd from {version}", service="deploy", source="app.log"))
    return rows


LOGS = events(requests(HOURS, 2.0, twice) + told())


def between(first: int, last: int) -> pa.Table:
    time = LOGS["time"].cast(pa.int64()).to_numpy()
    return LOGS.filter(pa.array((time >= first) & (time < last)))


def again(window: Window) -> Summary:
    wide = window.widened(BASELINE, LATE)
    assert wide.start is not None
    assert wide.end is not None
    return summarize(between(wide.start, wide.end))


def find(window: Window, summary: Summary, recount: Callable[[Window], Summary] | None) -> Findings:
    report = SourceReport("all.log", "all.log", "test", "plain", 1, 1, 0, {"in_window": 1})
    return analyse(summary, [report], Question(window, "UTC"), LEXICON, lambda _name, items: {i.line: b"x" for i in items}, between, (), recount)


def facts(incident: Incident) -> tuple[Any, ...]:
    cost = incident.impact
    trigger = incident.trigger
    assert trigger is not None
    assert incident.recovery is not None
    return (
        incident.onset.time, incident.recovery.time, incident.signal, cost.requests, cost.failed, cost.endpoints, cost.statuses, cost.peak_rate,
        cost.latency_during, cost.clients, cost.clients_affected, trigger.time, trigger.summary,
    )  # fmt: skip


def test_a_long_window_tells_of_each_outage_what_a_short_one_does(narrow_tables: None) -> None:
    coarse = summarize(LOGS)
    assert coarse.width("requests") >= 8
    assert coarse.width("patterns") > 8
    long = find(WHOLE, coarse, again)
    assert len(long.incidents) == 2
    for incident, at in zip(long.incidents, (FIRST, LATER), strict=True):
        short = Window((START + at - 300) * SECOND, (START + at + 400) * SECOND)
        (alone,) = find(short, again(short), None).incidents
        assert facts(incident) == facts(alone)
    assert long.window == (WHOLE.start, WHOLE.end)
    assert long.series is not None
    assert long.series.start == START * SECOND


def test_by_wide_bins_alone_less_is_known(narrow_tables: None) -> None:
    by_bins, closer = (find(WHOLE, summarize(LOGS), recount) for recount in (None, again))
    assert any(facts(a) != facts(b) for a, b in zip(by_bins.incidents, closer.incidents, strict=True))


def test_what_is_known_to_the_second_is_not_read_again() -> None:
    summary = summarize(LOGS)
    assert not any(summary.levels.values())
    assert parts(summary, outages.find(summary, WHOLE), pytest.fail) == []


def test_a_part_that_is_most_of_the_whole_is_not_read_again(narrow_tables: None) -> None:
    window = Window((START + FIRST - 1200) * SECOND, (START + FIRST + 1200) * SECOND)
    summary = replace(again(window), levels={"requests": 1})
    assert parts(summary, outages.find(summary, window), pytest.fail) == []


def test_single_events_of_a_part_stand_in_for_those_of_wide_bins(narrow_tables: None) -> None:
    coarse = summarize(LOGS)
    found = parts(coarse, outages.find(coarse, WHOLE), again)
    assert len(found) == 2
    for part, at in zip(found, (FIRST, LATER), strict=True):
        assert part.window.start is not None
        assert part.window.end is not None
        assert part.window.start <= (START + at) * SECOND - AROUND
        assert part.window.end >= (START + at + SECONDS_LONG) * SECOND + AROUND
    mixed = with_parts(coarse, found)
    for name in ("patterns", "failures"):
        assert sum(mixed.table(name)["count"].to_pylist()) == sum(coarse.table(name)["count"].to_pylist())  # none twice, none lost
        assert mixed.table(name).num_rows > coarse.table(name).num_rows


@pytest.mark.parametrize("ahead", [0.0, 120.0])
def test_a_day_of_files_gives_the_onset_of_a_few_minutes(tmp_path: Path, narrow_tables: None, ahead: float) -> None:
    rows = sorted(LOGS.to_pylist(), key=lambda row: row["time"])
    with (tmp_path / "access.log").open("w") as access, (tmp_path / "app.log").open("w") as app:
        for row in rows:
            at: datetime = row["time"].replace(tzinfo=UTC)
            if row["path"]:
                access.write(f'{row["client"]} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET {row["path"]} HTTP/1.1" {row["status"]} 100 "-" "x" {row["duration"]:.3f}\n')
            else:
                late = datetime.fromtimestamp(at.timestamp() + ahead, UTC)
                app.write(f"{late:%Y-%m-%d %H:%M:%S} {(row['severity'] or 'info').upper()} [{row['service']}] {row['message']}\n")

    def incidents(first: int, last: int) -> list[tuple[Any, ...]]:
        options = Options(window=Window((START + first) * SECOND, (START + last) * SECOND), offsets=(("app.log", ahead),))
        return [facts(i) for i in study([str(tmp_path)], options, lambda _size, _lines: None).findings.incidents]

    whole = incidents(0, HOURS)
    assert whole == incidents(FIRST - 300, FIRST + 400) + incidents(LATER - 300, LATER + 400)
    assert [fact[0] for fact in whole] == pytest.approx([(START + FIRST) * SECOND, (START + LATER) * SECOND], abs=3 * SECOND)
