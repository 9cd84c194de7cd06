"""Who set it off, who noticed, what ended it, and which lines tell it: on made-up incidents, argued case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest

from retrolog.pipeline.analysis.analyse import Question, analyse
from retrolog.pipeline.counting.changes import Lexicon
from retrolog.pipeline.findings import Evidence, Findings, SourceReport
from retrolog.pipeline.window import Window

from ..traffic import SECOND, START, events, failing, requests, said, summary

LEXICON = Lexicon.load()


def study(*parts: list[dict[str, Any]], window: Window | None = None, **question: Any) -> Findings:
    everything = events([row for part in parts for row in part])

    def fetch(name: str, items: Sequence[Evidence]) -> Mapping[int, bytes]:
        return {item.line: b"the line" for item in items}

    def look(first: int, last: int) -> pa.Table:
        time = everything["time"].cast(pa.int64()).to_numpy()
        return everything.filter(pa.array((time >= first) & (time < last)))

    window = window or Window(START * SECOND, (START + 600) * SECOND)
    reports = [SourceReport("all.log", "all.log", "test", "plain", len(everything), len(everything), 0, {"in_window": len(everything)}, first=START * SECOND, last=(START + 600) * SECOND)]
    return analyse(summary(*parts), reports, Question(window, "UTC", **question), LEXICON, fetch, look)


def error_lines(first: int, last: int, text: str = "cannot read table of stock", service: str = "stockd") -> list[dict[str, Any]]:
    return [said(t / 2, f"{text} {t}", "error", service, source="stockd.log") for t in range(2 * first, 2 * last)]


OUTAGE = requests(fault=failing(200, 320, 0.8), background=0.001)
DEPLOY = said(190, "starting deploy of stockd 4.2.0", service="deploy", source="syslog", host="a1")
ALERT = said(215, "ALERT stock-http CRITICAL: HTTP 500", "critical", "watch", source="syslog", host="a1")
ROLLBACK = said(318, "rolling back stockd to 4.1.9", service="deploy", source="syslog", host="a1")


def test_a_deploy_right_before_the_onset_is_the_trigger() -> None:
    incident = study(OUTAGE, [DEPLOY], error_lines(200, 320)).incidents[0]
    assert incident.trigger is not None
    assert incident.trigger.kind == "deploy"
    assert "stockd 4.2.0" in incident.trigger.summary


def test_the_change_that_the_errors_name_beats_a_nearer_one() -> None:
    nearer = said(198, "starting deploy of newsletter 9.0", service="deploy", source="syslog", host="a1")
    incident = study(OUTAGE, [DEPLOY, nearer], error_lines(200, 320)).incidents[0]
    assert incident.trigger is not None
    assert "stockd" in incident.trigger.summary
    rival = next(c for c in incident.candidates if "newsletter" in c.summary)
    assert rival.reasons_against


def test_a_change_after_the_onset_is_no_trigger() -> None:
    late = {**DEPLOY, "time": (START + 230) * SECOND}
    assert study(OUTAGE, [late], error_lines(200, 320)).incidents[0].trigger is None


def test_without_a_change_the_draft_says_so_and_asks() -> None:
    findings = study(OUTAGE, error_lines(200, 320))
    assert findings.incidents[0].trigger is None
    assert any(section == "root_cause" and "No change" in question for section, question in findings.prompts)


def test_a_job_that_runs_every_minute_is_not_the_trigger() -> None:
    jobs = [said(t, "(root) CMD (/usr/local/bin/prune-cache)", None, "CRON", source="syslog", host="a1") for t in range(18, 600, 60)]
    trigger = study(OUTAGE, jobs, error_lines(200, 320)).incidents[0].trigger
    assert trigger is None or "prune-cache" not in trigger.summary


def test_the_error_that_lasts_as_long_as_the_outage_is_an_effect() -> None:
    full = error_lines(200, 320, "write failed: No space left on device")
    incident = study(OUTAGE, [DEPLOY], full).incidents[0]
    assert incident.trigger is not None
    assert incident.trigger.kind == "deploy"


def test_a_flood_of_requests_is_a_candidate_and_names_who_sent_it() -> None:
    def fault(t: float, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"status": 503} if 200 <= t < 320 and int(t * 97) % 3 else row

    flood = [row | {"client": "198.51.100.9", "path": "/search"} for row in requests(rate=60.0, seed=4) if 190 <= row["time"] / SECOND - START < 320]
    incident = study(requests(fault=fault), flood).incidents[0]
    assert incident.trigger is not None
    assert incident.trigger.kind == "flood"
    assert "/search" in incident.trigger.summary or "198.51.100.9" in incident.trigger.summary
    assert incident.trigger.time / SECOND - START == pytest.approx(190, abs=3)


def test_alert_and_rollback_are_detection_and_resolution() -> None:
    incident = study(OUTAGE, [DEPLOY, ALERT, ROLLBACK], error_lines(200, 320)).incidents[0]
    assert incident.detected is not None
    assert incident.detected.time == ALERT["time"]
    assert incident.resolution is not None
    assert incident.resolution.kind == "rollback"


def test_an_outage_that_ends_by_itself_has_no_resolution() -> None:
    findings = study(OUTAGE, [DEPLOY, ALERT], error_lines(200, 320))
    assert findings.incidents[0].resolution is None
    assert any(section == "resolution" for section, _ in findings.prompts)


def test_the_timeline_tells_the_story_in_order_and_each_row_says_why() -> None:
    findings = study(OUTAGE, [DEPLOY, ALERT, ROLLBACK], error_lines(200, 320))
    kinds = [entry.kind for entry in findings.timeline]
    assert kinds.index("trigger") < kinds.index("first_failure") < kinds.index("detection") < kinds.index("resolution")
    assert [e.time for e in findings.timeline] == sorted(e.time for e in findings.timeline)
    assert all(entry.reason and entry.evidence for entry in findings.timeline)
    assert any("cannot read table of stock" in entry.summary for entry in findings.timeline)


def test_ordinary_lines_stay_out_of_the_timeline() -> None:
    noise = [said(t, f"served page {t}", service="web", source="web.log") for t in range(600)]
    findings = study(OUTAGE, [DEPLOY], error_lines(200, 320), noise)
    assert not any("served page" in entry.summary for entry in findings.timeline)


def test_at_most_so_many_entries_and_what_must_be_told_stays() -> None:
    errors = [row for n in range(40) for row in error_lines(200, 320, f"trouble of kind {chr(97 + n % 26)}{chr(97 + n // 26)} seen", f"svc{n}")[:20]]
    findings = study(OUTAGE, [DEPLOY, ALERT, ROLLBACK], errors, max_entries=8)
    assert len(findings.timeline) == 8
    assert {"trigger", "first_failure", "last_failure", "detection", "resolution"} <= {e.kind for e in findings.timeline}
    assert findings.nearly


def test_the_impact_counts_what_failed() -> None:
    impact = study(OUTAGE).incidents[0].impact
    inside = [r for r in OUTAGE if 200 <= r["time"] / SECOND - START < 320]
    assert impact.requests == pytest.approx(len(inside), rel=0.03)
    assert impact.failed == pytest.approx(sum(r["status"] == 500 for r in inside), rel=0.02)
    assert sum(e.failed for e in impact.endpoints) == impact.failed
    assert impact.clients is not None
    assert impact.clients_affected is not None
    assert 0 < impact.clients_affected <= impact.clients <= 200
    assert {e.path for e in impact.endpoints} == {"/", "/item/{id}", "/search"}


def test_the_error_budget_is_that_of_thirty_days_at_the_calm_rate() -> None:
    impact = study(OUTAGE, slo=99.9).incidents[0].impact
    assert impact.budget_spent_percent == pytest.approx(100 * impact.failed / (10 * 30 * 86400 * 0.001), rel=0.1)


def test_no_outage_is_an_answer() -> None:
    findings = study(requests(background=0.002), [DEPLOY])
    assert findings.incidents == ()
    assert [entry.kind for entry in findings.timeline] == ["change"]
    assert findings.verdict.startswith("No outage was found")


def test_without_any_request_it_cannot_be_told() -> None:
    findings = study([said(t, "tick") for t in range(600)])
    assert findings.incidents == ()
    assert "cannot be told" in findings.verdict


def test_the_order_in_which_services_failed_is_told() -> None:
    first = error_lines(198, 320, "connection to primary lost", "db")
    incident = study(OUTAGE, first, error_lines(203, 320)).incidents[0]
    assert [entry.service for entry in incident.propagation][:2] == ["db", "stockd"]


def test_every_sentence_of_fact_has_evidence() -> None:
    findings = study(OUTAGE, [DEPLOY, ALERT, ROLLBACK], error_lines(200, 320))
    incident = findings.incidents[0]
    for candidate in (*incident.candidates, incident.detected, incident.resolution):
        assert candidate is not None
        assert candidate.evidence
        assert all(e.digest for e in candidate.evidence)
