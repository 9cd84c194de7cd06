"""Sentences that must be true: times of the quoted line, values that vary, recoveries by those who were ill, loops and pauses."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from retrolog.pipeline.analysis.sentences import said as line
from retrolog.pipeline.analysis.sentences import told

from ..traffic import SECOND, START, failing, requests, said
from .test_story import ALERT, DEPLOY, OUTAGE, ROLLBACK, error_lines, study

QUIET = requests(background=0.002)


def rows(*messages: str) -> pd.DataFrame:
    return pd.DataFrame({"message": messages, "who": "shop", "host": None})


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        (("store down tenant=a shard=s2", "store down tenant=b shard=s2"), "shop: store down tenant=… shard=s2"),
        (("GET /a/1: clock skew, 412 s", "GET /a/2: clock skew, 412 s"), "shop: GET …: clock skew, 412 s"),
        (("one and the same", "one and the same"), "shop: one and the same"),
        (("wholly different", "nothing alike"), "shop: wholly different"),
        (("of one length", "of another length than that"), "shop: of one length"),
    ],
)
def test_a_value_that_varies_is_not_quoted(messages: tuple[str, ...], sentence: str) -> None:
    assert told(rows(*messages)) == sentence


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("Socket error#012Traceback (most recent call last):#012  File x#012OSError: [Errno 24] Too many open files", "Socket error … OSError: [Errno 24] Too many open files"),
        ("GET / failed\\nTraceback (most recent call last):\\n  File x\\nKeyError: 'a'", "GET / failed … KeyError: 'a'"),
        ("2026/11/23 10:35:05 [error] 898#898: *5205 connect() failed", "connect() failed"),
        ("2026-11-23T10:35:05.123Z served late", "served late"),
        ("taskrunner.go:299: Change 71 done", "Change 71 done"),
        ("Uncaught Failure: no\n#0 a.php(3): b()\n#1 {main}\nthrown in a.php", "Uncaught Failure: no"),
        ("peer 10.0.0.1:80 is gone", "peer 10.0.0.1:80 is gone"),
    ],
)
def test_a_sentence_has_what_was_said_and_not_how_it_was_written(message: str, sentence: str) -> None:
    assert line(message) == sentence


def test_who_stops_does_not_say_that_all_is_well() -> None:
    lines = [said(t, text, level, "dbd", source="db.log") for t, text, level in ((230, "Aborted connection 5: error in packets", "warning"), (380, "sweep thread exiting", None))]
    findings = study(OUTAGE, [DEPLOY, ALERT], lines, error_lines(200, 320))
    assert not any("exiting" in entry.summary for entry in findings.timeline)


def test_what_lies_long_before_the_onset_says_so() -> None:
    early = said(120, "starting deploy of stockd 4.2.0", service="deploy", source="syslog", host="a1")
    trigger = study(OUTAGE, [early], error_lines(200, 320)).incidents[0].trigger
    assert trigger is not None
    assert any(reason.startswith("it began only") for reason in trigger.reasons_against)


def test_who_died_of_a_change_speaks_for_it() -> None:
    lines = [said(t, text, None, "systemd", source="syslog", host="a1") for t, text in ((197, "Stopping stockd.service - Stock..."), (198, "stockd.service: Main process exited, code=killed, status=9/KILL"))]
    trigger = study(OUTAGE, lines, error_lines(200, 320)).incidents[0].trigger
    assert trigger is not None
    assert any("code=killed" in text for text in (trigger.summary, *trigger.reasons_for))


def test_a_pattern_that_was_there_before_is_dated_where_it_rose() -> None:
    lookups = [said(t, "lookup of stock.internal", None, "dns", source="dns.log") for t in range(150, 200, 9)]
    lookups += [said(200 + n / 5, "lookup of stock.internal", None, "dns", source="dns.log") for n in range(500)]
    findings = study(OUTAGE, [DEPLOY], lookups, error_lines(200, 320))
    entry = next((e for e in findings.timeline if "lookup of" in e.summary), None)
    assert entry is None or entry.time >= (START + 198) * SECOND


def test_two_releases_of_one_tool_are_two_changes() -> None:
    lines = []
    for t, name in ((180, "stockd"), (197, "letters")):
        lines += [said(t + d, text, None, "helmfile", source="release.log") for d, text in ((0, f"Upgrading release={name}, chart=charts/{name}"), (1, f"NAME: {name}  STATUS: deployed  REVISION: 4{d_of(t)}"))]
    candidates = study(OUTAGE, lines, error_lines(200, 320)).incidents[0].candidates
    assert [sum(name in candidate.summary for name in ("stockd", "letters")) for candidate in candidates] == [1, 1]
    assert all(len(candidate.evidence) == 2 for candidate in candidates)


def d_of(t: int) -> int:
    return t % 7


def test_a_sentence_has_the_time_of_the_line_it_quotes() -> None:
    unit = "stockd.service - Stock"
    lines = [said(t, text, None, "systemd", source="syslog", host="a1") for t, text in ((95, f"Started {unit}."), (194, f"Stopping {unit}..."), (195, f"Started {unit}."))]
    trigger = study(OUTAGE, lines, error_lines(200, 320)).incidents[0].trigger
    assert trigger is not None
    assert "Stopping" in trigger.summary
    assert trigger.time == lines[1]["time"]


def test_a_skipped_deploy_is_no_candidate() -> None:
    skipped = said(197, "deploy of stockd 4.3.0: skipped, nothing changed", service="deploy", source="syslog", host="a1")
    incident = study(OUTAGE, [DEPLOY, skipped], error_lines(200, 320)).incidents[0]
    assert not any("skipped" in candidate.summary for candidate in incident.candidates)


def test_an_alert_and_its_end_are_never_one_row() -> None:
    words = "Sending page because alert for endpoint=core with reason='2 checks failed' has been"
    alert = said(215, f"{words} TRIGGERED", None, "gate", source="gate.log")
    over = said(326, f"{words} RESOLVED", None, "gate", source="gate.log")
    findings = study(OUTAGE, [alert, over], error_lines(200, 320))
    told_as = {entry.kind: entry.summary for entry in findings.timeline if "endpoint=core" in entry.summary}
    assert "TRIGGERED" in told_as["detection"]
    assert "RESOLVED" in told_as["recovery"]


def test_the_end_of_an_alarm_asks_for_its_beginning() -> None:
    lines = [said(t, text, "warning", "prober", source="prober.log") for t, text in ((218, "target home: marking it as lost, calling shop duty"), (326, "incident for home closed"))]
    detected = study(OUTAGE, lines, error_lines(200, 320)).incidents[0].detected
    assert detected is not None
    assert detected.time == lines[0]["time"]


def test_words_of_recovery_by_a_stranger_are_none() -> None:
    stranger = said(330, "connection to the printer restored", None, "cupsd", source="cups.log", host="b9")
    findings = study(OUTAGE, [DEPLOY, ALERT, stranger], error_lines(200, 320))
    assert not any("printer" in entry.summary and entry.kind == "recovery" for entry in findings.timeline)


def test_a_check_that_passes_amid_the_outage_is_no_recovery() -> None:
    lines = [said(t, "RESOLVED stock-http", None, "watch", source="syslog", host="a1") for t in (260, 326)]
    findings = study(OUTAGE, [DEPLOY, ALERT, *lines], error_lines(200, 320))
    assert [entry.time for entry in findings.timeline if entry.kind == "recovery"] == [lines[1]["time"]]


def test_what_dies_again_and_again_is_one_row_and_its_starts_are_no_changes() -> None:
    lines = []
    for t in (205, 235, 265, 295):
        lines.append(said(t, "stockd.service: Main process exited, code=killed, status=6/ABRT", None, "systemd", source="syslog", host="a1"))
        lines.append(said(t + 4, "Started stockd.service - Stock.", None, "systemd", source="syslog", host="a1"))
    findings = study(OUTAGE, [DEPLOY, *lines], error_lines(200, 320))
    loop = [entry for entry in findings.timeline if "it died 4 times and was started again, about every 30 s" in entry.summary]
    assert len(loop) == 1
    assert not any(entry.summary.startswith("systemd") and "Started" in entry.summary for entry in findings.timeline)


def test_to_be_refused_memory_is_not_to_die() -> None:
    errors = error_lines(200, 320, "unhandled exception … MemoryError")
    assert not any("it died" in entry.summary for entry in study(OUTAGE, [DEPLOY], errors).timeline)


def test_a_pause_has_both_ends_and_the_act_next_to_each() -> None:
    def fault(t: float, row: dict[str, Any]) -> dict[str, Any]:
        return row if 260 <= t < 290 else failing(200, 340, 0.8)(t, row)

    undo = said(258, "rolling back stockd to 4.1.9", service="deploy", source="syslog", host="a1")
    again = said(286, "starting deploy of stockd 4.2.0", service="deploy", source="syslog", host="a1")
    findings = study(requests(fault=fault, background=0.001), [DEPLOY, undo, again])
    assert findings.incidents[0].pauses
    edges = [entry for entry in findings.timeline if entry.summary.startswith("Failures ")]
    assert ["rolling back" in edges[0].summary, "starting deploy" in edges[1].summary] == [True, True]
    assert "stopped" in edges[0].summary
    assert "came back" in edges[1].summary


def test_a_number_that_two_writers_measure_alike_speaks_for_a_candidate() -> None:
    step = said(197, "System clock was stepped by 412.331207 seconds", None, "chronyd", source="syslog", host="a1")
    nearer = said(199, "starting deploy of newsletter 9.0", service="deploy", source="syslog", host="a1")
    trigger = study(OUTAGE, [step, nearer], error_lines(200, 320, "ticket starts in 412 s, try")).incidents[0].trigger
    assert trigger is not None
    assert "412.331207" in trigger.summary
    assert any("412 s" in reason for reason in trigger.reasons_for)


def test_a_day_without_an_outage_tells_what_happened() -> None:
    burst = [said(400 + n / 3, "sync with partner failed, will retry", "error", "jobs", source="jobs.log") for n in range(40)]
    over = said(250, "RESOLVED stock-http", None, "watch", source="syslog", host="a1")
    findings = study(QUIET, [DEPLOY, ALERT, over], burst)
    assert findings.incidents == ()
    assert [entry.kind for entry in findings.timeline] == ["change", "detection", "error"]
    assert "over 35 s later" in findings.timeline[1].summary
    assert "A monitor complained at" in findings.verdict


def test_a_day_without_an_outage_is_told_in_ten_entries() -> None:
    deploys = [said(30 * n + 5, f"starting deploy of svc{chr(97 + n)} {n}.0", service="deploy", source="syslog", host=f"h{n}") for n in range(18)]
    assert len(study(QUIET, deploys).timeline) == 10


def test_nothing_happened_leaves_nothing_to_tell() -> None:
    findings = study(QUIET)
    assert findings.timeline == ()
    assert "monitor" not in findings.verdict


def test_the_act_is_timed_from_its_own_line() -> None:
    resolution = study(OUTAGE, [DEPLOY, ALERT, ROLLBACK], error_lines(200, 320)).incidents[0].resolution
    assert resolution is not None
    assert resolution.time == (START + 318) * SECOND
