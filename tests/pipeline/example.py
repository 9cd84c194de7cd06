"""Findings made by hand for the tests of everything that is laid out from them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from retrolog.pipeline.findings import (
    Bound,
    Candidate,
    EndpointImpact,
    Entry,
    Evidence,
    Findings,
    Impact,
    Incident,
    Latency,
    Series,
    SourceReport,
)

S = 1_000_000
START = 1_795_431_600 * S  # 2026-11-23 11:00:00 UTC


def at(seconds: float) -> int:
    """A moment `seconds` after the start of the example's window."""
    return START + round(seconds * S)


def quoted(file: str, line: int, text: str, seconds: float | None = None) -> Evidence:
    """A line quoted as evidence, with a digest of its own bytes."""
    raw = text.encode()
    return Evidence(
        file, line, 1, line * 100, len(raw), hashlib.sha256(raw).hexdigest()[:16], text,
        None if seconds is None else at(seconds),
    )  # fmt: skip


DEPLOY = quoted(
    "app-1/syslog",
    24,
    "Nov 23 12:03:14 app-1 deploy[6120]: starting deploy of mailer 1.9.0 requested by carla",
    194,
)
FIRST = quoted(
    "app-1/nginx/access.log.2.gz", 2203,
    '192.0.2.160 - - [23/Nov/2026:12:03:51 +0100] "POST /checkout?token=abc123 HTTP/1.1" 500 75 "-" "Mozilla/5.0"', 231,
)  # fmt: skip
LAST = quoted(
    "app-1/nginx/access.log.2.gz", 5123,
    '198.51.100.7 - - [23/Nov/2026:12:05:58 +0100] "GET /product/3 HTTP/1.1" 500 75 "-" "curl/8.5.0"', 358,
)  # fmt: skip
ALERT = quoted(
    "app-1/syslog", 34, "Nov 23 12:03:56 app-1 monitor[3132]: ALERT site CRITICAL: HTTP 500 (2 checks)", 236
)
NOTE = quoted(
    "app-1/syslog",
    48,
    "Nov 23 12:05:16 app-1 carla[3153]: pg_stat_activity: 34 connections by role mailer",
    316,
)
STOP = quoted(
    "app-1/auth.log", 31,
    "Nov 23 12:05:58 app-1 sudo:    carla : TTY=pts/0 ; PWD=/home/carla ; USER=root ; COMMAND=/usr/bin/systemctl stop mailer",
    358,
)  # fmt: skip
FATAL = quoted(
    "db-1/postgresql/postgresql.log", 14,
    "2026-11-23 12:03:13.080 CET [4302] shop@shop FATAL:  remaining connection slots are reserved", 231,
)  # fmt: skip

TRIGGER = Candidate(
    at(194), "deploy: starting deploy of mailer 1.9.0 requested by carla", "deploy", 4.2, (DEPLOY,),
    ("a deploy 37 s before the onset", "the only change in the 15 minutes before"),
    ("no error of mailer itself is logged",), service="deploy", host="app-1",
)  # fmt: skip
OTHER = Candidate(
    at(120),
    "puppet-agent applied catalog in 4.4 seconds",
    "config",
    1.1,
    (NOTE,),
    ("configuration run",),
    ("seen 3 times with no failure after it",),
)
DETECTED = Candidate(at(236), "ALERT site CRITICAL: HTTP 500 (2 checks)", "alert", 3.0, (ALERT,))
RESOLVED = Candidate(
    at(358),
    "sudo: systemctl stop mailer",
    "action",
    3.0,
    (STOP,),
    ("the last failure came in the same second",),
)

INCIDENT = Incident(
    onset=Bound(at(231.088), at(230.9), at(231.1), "first failed request"),
    recovery=Bound(at(358.352), at(358.2), at(358.7), "last failed request"),
    severity="outage",
    signal="failures",
    scope=("855 of 940 requests to /product/{} failed", "All 275 requests to /checkout failed"),
    impact=Impact(
        3040, 2003, 65.888,
        (
            EndpointImpact("/product/{}", 940, 855),
            EndpointImpact("/", 516, 480),
            EndpointImpact("/checkout", 275, 275),
            EndpointImpact("/static/app.js", 68, 0),
            EndpointImpact("/cart", 266, 0),
        ),
        statuses=(("500", 2003),), peak_rate=19.4, peak_time=at(301),
        latency_before=Latency(5411, 0.004, 0.02, 0.05), latency_during=Latency(3040, 0.012, 0.4, 1.24),
        clients=713, clients_affected=655, health_checks=26, bots=100, baseline_failed_percent=0.04,
        formulas=(("Failed", "answered with a status of 500 or above, or not answered"),),
    ),
    evidence=(FIRST, LAST),
    trigger=TRIGGER,
    candidates=(TRIGGER, OTHER),
    detected=DETECTED,
    resolution=RESOLVED,
)  # fmt: skip

TIMELINE = (
    Entry(at(194), "deploy: starting deploy of mailer 1.9.0 requested by carla", "trigger", "a change 37 s before the onset", (DEPLOY,), service="deploy", host="app-1", score=5),
    Entry(at(231.08), "PostgreSQL: remaining connection slots are reserved", "error", "new since the baseline, 2,155 times", (FATAL,), end=at(358), severity="critical", host="db-1", service="postgresql", count=2155, score=4),
    Entry(at(231.088), "First failed request: POST /checkout answered 500", "first_failure", "the onset", (FIRST,), score=9),
    Entry(at(236), "ALERT site CRITICAL: HTTP 500 (2 checks)", "detection", "first alert", (ALERT,), service="monitor", host="app-1", score=5),
    Entry(at(316), "pg_stat_activity: 34 connections by role mailer", "human", "a note by a person", (NOTE,), service="carla", host="app-1", score=3),
    Entry(at(358), "carla ran systemctl stop mailer as root", "resolution", "failures ended in the same second", (STOP,), service="sudo", host="app-1", score=6),
    Entry(at(358.352), "Last failed request: GET /product/3 answered 500", "last_failure", "the recovery", (LAST,), score=9),
)  # fmt: skip

SOURCES = (
    SourceReport("app-1/syslog", "app-1/syslog", "syslog", "plain", 84, 84, 0, {"in_window": 80, "outside": 4}, at(0), at(400), "--tz Europe/Berlin", "2026, from the window", digest="a" * 16),
    SourceReport("app-1/nginx/access.log.2.gz", "app-1/nginx/access.log", "nginx access", "gzip", 5582, 5582, 0, {"in_window": 5582}, at(0), at(400), "in the line", digest="b" * 16),
    SourceReport("db-1/postgresql/postgresql.log", "db-1/postgresql/postgresql.log", "postgresql", "plain", 2215, 2213, 1, {"in_window": 2213, "continued": 1, "undated": 1}, at(0), at(400), "in the line", clock_offset_s=-38.0, clock_note="38 s behind, from 212 pairs of lines", digest="c" * 16),
    SourceReport("app-1/core.bin", "app-1/core.bin", "", "plain", 0, 0, 0, {}, skipped="binary"),
)  # fmt: skip

_SECONDS = range(480)
FINDINGS = Findings(
    window=(at(0), at(480)),
    zone="Europe/Berlin",
    incidents=(INCIDENT,),
    timeline=TIMELINE,
    sources=SOURCES,
    series=Series(
        at(0), 1,
        tuple(20 + (i * 7919 % 9) for i in _SECONDS),
        tuple((14 + (i * 104729 % 5) if 231 <= i <= 358 else 0) for i in _SECONDS),
        tuple((10 if 231 <= i <= 358 else 0) for i in _SECONDS),
    ),
    assumptions=("The year 2026 of app-1/syslog was taken from the window",),
    prompts=(
        ("detection", "The alert came at 12:03:56; did anyone notice before, and how?"),
        ("root_cause", "Why did mailer 1.9.0 hold more connections than the version before it?"),
        ("escalation", "Who was called between 12:03:56 and 12:05:16? The logs show no acknowledgement."),
    ),
    actions=(
        {"action": "Limit the connections of the role mailer", "type": "prevent", "because": "34 connections by role mailer at 12:05:16", "evidence": (NOTE,)},
        {"action": "Alert when free connection slots fall below ten", "type": "detect", "because": "the alert came from the site, 5 s after the onset", "evidence": (ALERT,)},
    ),
    went_well=(("The alert came 5 s after the onset", (ALERT,)),),
    went_badly=(("The deploy went on although connections ran out", (FATAL,)),),
    accounting={"in_window": 7875, "outside": 4, "undated": 1, "continued": 1},
)  # fmt: skip

QUIET = replace(
    FINDINGS,
    incidents=(),
    timeline=(),
    prompts=(),
    actions=(),
    went_well=(),
    went_badly=(),
    verdict="No outage found",
)
