"""Lines that keep coming, outage or not, are neither what set it off nor what followed; what stands for itself is left as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ...traffic import said
from ..test_story import ALERT, DEPLOY, OUTAGE, study

Row = dict[str, Any]

#: The outage lies from second 200 to 320 of 600.
ALWAYS = (20, 70, 110, 150, 196, 207, 260, 300, 380, 430, 500, 560)


def each(times: Sequence[float], message: str, severity: str, service: str) -> list[Row]:
    return [said(t, message.format(n), severity, service, source="syslog", host="a1") for n, t in enumerate(times)]


def told(*rows: Row) -> tuple[str, str, str]:
    """What the candidates, the timeline and the spread of the outage with these lines say."""
    found = study(OUTAGE, list(rows))
    (incident,) = found.incidents
    return (
        "\n".join(c.summary for c in incident.candidates),
        "\n".join(e.summary for e in found.timeline),
        "\n".join(e.summary for e in incident.propagation),
    )


@pytest.mark.parametrize(
    ("message", "severity", "service"),
    [
        ("Using degraded feature set UDP instead of UDP+EDNS0 for DNS server 10.0.0.{}.", "warning", "systemd-resolved"),
        ("error on subcontainer 'ia_addr' insert (-{})", "error", "snmpd"),
        ("cannot read sensor {}: timeout", "warning", "sensord"),
    ],
)
def test_noise_is_told_nowhere(message: str, severity: str, service: str) -> None:
    for text in told(*each(ALWAYS, message, severity, service)):
        assert service not in text


@pytest.mark.parametrize(
    ("times", "message", "service", "why"),
    [
        ((198, 230, 260, 290), "stockd: connection to ledger refused", "stockd", "it comes with the outage alone"),
        ((20, 198, *range(201, 318, 3), 500), "connection to ledger refused", "stockd", "it comes far more often in the outage"),
        ((60, 198), "eth1: link is down", "kernel", "twice is not always"),
    ],
)
def test_what_comes_with_the_outage_is_told(times: Sequence[float], message: str, service: str, why: str) -> None:
    assert any(message.split(": ")[-1] in text for text in told(*each(times, message, "error", service))), why


def test_each_death_stands_for_itself() -> None:
    rows = each((30, 197, 250, 400), "Out of memory: Killed process 77{} (stockd)", "error", "kernel")
    assert "Killed process" in told(*rows)[0]


def test_a_tool_that_deploys_all_day_is_a_candidate_all_the_same() -> None:
    rows = [said(t, f"starting deploy of {name} 4.{n}", service="deploy", source="syslog", host="a1") for n, (t, name) in enumerate([(30, "blog"), (80, "cart"), (190, "stockd"), (400, "blog"), (480, "cart"), (550, "docs")])]
    assert "stockd" in told(*rows)[0].split("\n")[0]


@pytest.mark.parametrize(
    "message",
    [
        'level=warn msg="collector textfile of stockd stale"',
        '{"level":"error","msg":"cannot open directory, disabling properties of stockd"}',
    ],
)
def test_a_line_that_says_itself_that_it_warns_is_no_change(message: str) -> None:
    found = study(OUTAGE, [said(190, message, service="collector", source="syslog", host="a1"), ALERT])
    assert not any(e.kind in ("change", "trigger") and "stockd" in e.summary for e in found.timeline)


def test_a_request_that_no_access_log_could_read_is_no_change() -> None:
    bad = said(120, "10.0.0.9:38812 stockd/<NOSRV> -1/-1 400 v1.2.3", None, "edge", source="access.log")
    assert not any("NOSRV" in c.summary for c in study(OUTAGE, [bad]).incidents[0].candidates)


def test_a_warning_that_something_runs_short_speaks_for_the_candidate_before_it() -> None:
    full = [said(t, f"disk /srv is {percent} % full", "warning", "diskwatch", source="syslog", host="a1") for t, percent in ((193, 88), (197, 94))]
    found = study(OUTAGE, [DEPLOY, *full])
    first, *rest = found.incidents[0].candidates
    assert "stockd" in first.summary
    assert any("94 % full" in reason for reason in first.reasons_for)
    assert not any("full" in one.summary for one in rest)
    assert any(e.kind == "warning" and "88 % full" in e.summary for e in found.timeline)


def test_a_warning_that_something_runs_short_is_a_candidate_where_nothing_else_is() -> None:
    (incident,) = study(OUTAGE, [said(197, "disk /srv is 94 % full", "warning", "diskwatch", source="syslog", host="a1")]).incidents
    assert "94 % full" in incident.candidates[0].summary


@pytest.mark.parametrize(("acts", "logins"), [((), 1), ((250,), 0), ((180,), 1)])
def test_who_logs_in_and_acts_is_told_by_the_act(acts: Sequence[float], logins: int) -> None:
    login = said(240, "Accepted publickey for ada from 192.0.2.7 port 45583 ssh2", service="sshd", source="auth.log", host="a1")
    done = [said(t, "ada : TTY=pts/0 ; PWD=/home/ada ; USER=root ; COMMAND=/usr/bin/systemctl restart cache", service="sudo", source="auth.log", host="a1") for t in acts]
    found = study(OUTAGE, [login, *done]).timeline
    assert sum("Accepted publickey" in e.summary for e in found) == logins


def test_the_checks_before_an_alert_are_its_evidence() -> None:
    checks = [said(t, f"check stock-http failed: HTTP 500 ({n}/2)", "warning", "watch", source="syslog", host="a1") for n, t in enumerate((205, 210), 1)]
    found = study(OUTAGE, [*checks, ALERT]).timeline
    (noticed,) = [e for e in found if e.kind == "detection"]
    assert "CRITICAL" in noticed.summary
    assert len(noticed.evidence) == 3
