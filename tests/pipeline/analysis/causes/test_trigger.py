"""What speaks for a candidate and against it, told by what its writer and others said later."""

from __future__ import annotations

from retrolog.pipeline.findings import Candidate

from ...traffic import failing, requests, said
from ..test_story import DEPLOY, OUTAGE, error_lines, study

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


def test_a_certificate_that_has_expired_is_no_effect_for_being_met_again_and_again() -> None:
    errors = error_lines(200, 320, "booking failed: certificate verify failed: certificate has expired", "pay")
    other = said(171, "starting deploy of newsletter 9.0", service="deploy", source="syslog", host="a1")
    found = study(OUTAGE, [other], errors).incidents[0].candidates
    assert "certificate" in found[0].summary
    assert any("lasts until" in reason for reason in found[0].reasons_for)


def test_a_line_that_names_the_moment_beforehand_speaks_for_what_came() -> None:
    warned = said(100, "certificate of ledger pending renewal: notAfter=2026-11-23T10:03:20Z", "warning", "certwatch", source="syslog", host="a1")
    assert any("names 2026-11-23 10:03:20" in reason for one in candidates(warned) for reason in one.reasons_for)
    past = said(100, "certificate of ledger pending renewal: notAfter=2026-11-23T11:03:20Z", "warning", "certwatch", source="syslog", host="a1")
    assert not any("names 2026" in reason for one in candidates(past) for reason in one.reasons_for)


def test_a_part_of_a_name_that_few_others_say_speaks_for_a_candidate() -> None:
    renamed = said(198, "Running upgrade 81ae0d4c -> c41f77b2, rename items.summary to items.abstract", service="migrate", source="migrate.log")
    errors = error_lines(200, 320, 'query failed: column "summary" does not exist', "catalog")
    found = study(OUTAGE, [renamed, DEPLOY], errors).incidents[0].candidates
    assert any("names summary" in reason for one in found if "rename" in one.summary for reason in one.reasons_for)
    assert not any("names summary" in reason for one in found if "stockd" in one.summary for reason in one.reasons_for)


def test_a_dependency_that_fails_at_the_onset_is_a_candidate_where_no_change_is() -> None:
    errors = error_lines(200, 320, "call to carrier timed out", "shipping")
    first = study(OUTAGE, [], errors).incidents[0].candidates[0]
    assert first.kind == "dependency"
    assert "carrier" in first.summary


def test_the_act_that_names_the_change_the_other_way_round_ended_it() -> None:
    up = said(198, "Running upgrade a1b2 -> c3d4, rename items.summary", service="migrate", source="migrate.log")
    restart = said(290, "anna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/systemctl restart stockd", service="sudo", source="auth.log", host="a1")
    down = said(319, "Running downgrade c3d4 -> a1b2, rename items.summary", service="migrate", source="migrate.log")
    resolution = study(OUTAGE, [up, restart, down]).incidents[0].resolution
    assert resolution is not None
    assert "downgrade" in resolution.summary


def test_what_comes_with_every_outage_is_not_held_against_it() -> None:
    both = [
        said(t, f"Memory cgroup out of memory: Killed process {t} (stockd) total-vm:1kB, anon-rss:1kB", "error", "kernel", source="syslog", host="a1")
        for t in (199, 409)
    ]
    faults = [failing(200, 260, 1.0), failing(410, 470, 1.0)]
    rows = requests(fault=lambda t, row: faults[0](t, faults[1](t, row)))
    for incident in study(rows, both).incidents:
        mine = next(one for one in incident.candidates if "Killed" in one.summary)
        assert any("with another outage" in reason for reason in mine.reasons_for)
        assert not any("without failures after it" in reason for reason in mine.reasons_against)


def test_a_start_that_was_followed_by_minutes_of_work_is_no_candidate() -> None:
    banner = said(60, "broker client 1.4.4 of stockd connecting", service="client", source="worker.log")
    assert not candidates(banner)
    near = said(185, "broker client 1.4.4 of stockd connecting", service="client", source="worker.log")
    assert candidates(near)


def test_a_request_that_a_program_logs_is_no_change() -> None:
    asked = said(190, "request method=GET uri=/stockd/catalog status=200 version=1.2.3", service="shop", source="shop.log")
    assert not candidates(asked)


def test_work_that_was_over_when_the_outage_was_set_it_off() -> None:
    deploy = said(170, "deployed wiki 4.2.0 (footer links)", service="deploy", source="deploy.log")
    begun = said(196, "dump of orders started", service="dump-all", source="syslog", host="a1")
    job = said(195, "(backup) CMD (/usr/local/bin/dump-all --lock)", service="CRON", source="syslog", host="a1")
    over = said(319, "dump of orders finished, 118 MiB", service="dump-all", source="syslog", host="a1")
    first = study(OUTAGE, [deploy, job, begun, over]).incidents[0].candidates[0]
    assert "dump" in first.summary
    assert any("it was over when the outage was: " in reason for reason in first.reasons_for)
    early = said(230, "dump of orders finished, 118 MiB", service="dump-all", source="syslog", host="a1")
    for one in study(OUTAGE, [deploy, job, begun, early]).incidents[0].candidates:
        assert not any("was over when" in reason for reason in one.reasons_for)


def test_a_job_that_comes_every_minute_ends_nothing() -> None:
    cron = [said(t, "(www-data) CMD (/usr/bin/php /srv/poll.php)", service="CRON", source="syslog", host="a1") for t in (78, 138, 198, 258, 318, 378)]
    assert study(OUTAGE, cron).incidents[0].resolution is None
    typed = [
        said(t, f"anna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/cachectl {words}", service="sudo", source="auth.log", host="a1")
        for t, words in ((300, "list"), (319, "use boot"))
    ]
    resolution = study(OUTAGE, [*cron, *typed]).incidents[0].resolution
    assert resolution is not None
    assert "use boot" in resolution.summary, "of two commands it is the last that was followed by the end"
