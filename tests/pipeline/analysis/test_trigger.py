"""What speaks for a candidate and against it, told by what its writer and others said later."""

from __future__ import annotations

from retrolog.pipeline.findings import Candidate

from ..traffic import said
from .test_story import DEPLOY, OUTAGE, error_lines, study

COMMIT = said(192, "stored artifact for commit 'rates: move to a namespace of their own'", service="source-controller", source="flux.log")
STARTED = said(197, "Starting RatesApplication v3.9.1 using Java 17", service="rates", source="rates.log")


def candidates(*lines: dict[str, object]) -> tuple[Candidate, ...]:
    return study(OUTAGE, list(lines)).incidents[0].candidates


def test_a_change_that_is_reverted_by_its_name_is_the_first_candidate() -> None:
    revert = said(312, "stored artifact for commit 'Revert \"rates: move to a namespace of their own\"'", service="source-controller", source="flux.log")
    first = candidates(COMMIT, STARTED, revert)[0]
    assert "stored artifact" in first.summary
    assert any("it was reverted later" in reason for reason in first.reasons_for)


def test_another_commit_later_reverts_nothing() -> None:
    other = said(312, "stored artifact for commit 'Revert \"menu: larger type\"'", service="source-controller", source="flux.log")
    assert not any("reverted" in reason for one in candidates(COMMIT, STARTED, other) for reason in one.reasons_for)


def test_a_run_that_changed_nothing_says_so_itself() -> None:
    run = said(180, "Executing command state.apply in PID 20114", service="salt-minion", source="syslog", host="a1")
    done = said(182, "Completed state [/etc/motd] at time, changed: False", service="salt-minion", source="syslog", host="a1")
    found = candidates(run, done, DEPLOY)
    assert "stockd" in found[0].summary
    assert all("salt" not in one.summary or any("changed nothing" in r for r in one.reasons_against) for one in found)
    alone = candidates(run)
    assert alone
    assert not any("changed nothing" in reason for reason in alone[0].reasons_against)


def test_what_every_log_is_called_names_nobody() -> None:
    signal = said(199, "SIGUSR1 received. Doing graceful restart", "notice", "edge/error.log", source="edge/error.log")
    errors = error_lines(200, 320, "upstream error", "edge/error.log")
    found = study(OUTAGE, [signal], errors).incidents[0].candidates
    assert any("graceful restart" in one.summary for one in found)
    assert not any("names error" in reason for one in found for reason in one.reasons_for)
