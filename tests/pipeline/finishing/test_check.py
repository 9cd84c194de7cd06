"""Each rule finds what it is about and leaves alone what it is not about."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from retrolog.pipeline.drafting import document, draft
from retrolog.pipeline.drafting.merge import merge
from retrolog.pipeline.errors import NotADraft
from retrolog.pipeline.finishing import check

from ..example import FINDINGS, INCIDENT

DRAFT = draft.markdown(FINDINGS, "retrolog draft logs")
ANCHOR = "<!-- retrolog:end summary -->\n\n"


def found(text: str, rule: str) -> list[check.Finding]:
    return [one for one in check.check(text) if one.rule == rule]


def with_line(line: str) -> str:
    return DRAFT.replace(ANCHOR, f"{ANCHOR}{line}\n\n")


def test_a_fresh_draft_is_open_where_only_humans_know() -> None:
    rules = {one.rule for one in check.check(DRAFT)}
    assert {"open-prompt", "missing-owner", "missing-ticket", "unconfirmed-trigger"} == rules
    assert len(found(DRAFT, "open-prompt")) == len(FINDINGS.prompts)
    assert len(found(DRAFT, "missing-owner")) == len(FINDINGS.actions)
    assert check.failed(check.check(DRAFT))


def test_lines_are_those_of_the_file() -> None:
    rows = DRAFT.split("\n")
    for one in check.check(DRAFT):
        if one.rule == "open-prompt":
            assert rows[one.line - 1].startswith("> **Question")
        if one.rule == "missing-owner":
            assert rows[one.line - 1].startswith("| ")


@pytest.mark.parametrize(("status", "asked"), [("unconfirmed", 1), ("confirmed", 0), ("unknown", 0), ("sure", 1)])
def test_a_trigger_is_asked_for_until_a_person_decides(status: str, asked: int) -> None:
    text = DRAFT.replace("trigger_status: unconfirmed", f"trigger_status: {status}")
    assert [one.text for one in found(text, "unconfirmed-trigger")] == ["the trigger is still unconfirmed"] * asked
    assert check.as_github(found(text, "unconfirmed-trigger"), "d.md").startswith("::error") == bool(asked)


def test_a_finished_document_passes() -> None:
    parsed = document.parse(DRAFT)
    text = "".join(
        s.raw.replace("| | |", "| ops | T-1 |")
        for s in parsed.segments
        if not getattr(s, "id", "").startswith("prompt.")
    )
    findings = check.check(parsed.front.replace("trigger_status: unconfirmed", "trigger_status: confirmed") + text)
    assert findings == []
    assert not check.failed(findings)


@pytest.mark.parametrize(
    ("line", "rule", "count"),
    [
        ("- 12:10:00 — One. Two. Three. [E1]", "long-entry", 1),
        ("- 12:10:00 — One. Two, e.g. this, in 1.5 s. [E1]", "long-entry", 0),
        ("- 12:10 - We called the provider.", "no-evidence", 1),
        ("- 12:10 - We called the provider. [E1]", "no-evidence", 0),
        ("As [E99] shows.", "lost-evidence", 1),
        ("As `[E99]` shows.", "lost-evidence", 0),
        ("This was human error.", "blame", 1),
        ("They should have noticed the alert.", "blame", 1),
        ("The check failed to run.", "blame", 0),
        ("The release was approved by Marta.", "person", 1),
        ("Write to marta@example.com.", "person", 1),
        ("The release was approved by person-1.", "person", 0),
        ("The release was approved by the release team.", "person", 0),
        ("> **Question (owner?):** Why?", "open-prompt", len(FINDINGS.prompts) + 1),
        ("`> **Question (owner?):** Why?`", "open-prompt", len(FINDINGS.prompts)),
        (
            "| Action | Owner | Ticket |\n| --- | --- | --- |\n| a | ? | TBD |",
            "missing-owner",
            len(FINDINGS.actions) + 1,
        ),
        (
            "| Action | Owner | Ticket |\n| --- | --- | --- |\n| a | ops | T-1 |",
            "missing-owner",
            len(FINDINGS.actions),
        ),
        ("| Action | Cost |\n| --- | --- |\n| a | |", "missing-owner", len(FINDINGS.actions)),
        ("word " * 620, "long-body", 1),
        ("Three outages like this.", "partial", 0),
    ],
)
def test_rules(line: str, rule: str, count: int) -> None:
    assert len(found(with_line(line), rule)) == count


def test_code_blocks_are_quotations() -> None:
    quoted = "```\n> **Question (owner?):** Why?\nhuman error by marta@example.com\n- 12:10 - x\n```"
    assert check.check(with_line(quoted))[0].rule == check.check(DRAFT)[0].rule
    assert {one.rule for one in check.check(with_line(quoted))} == {one.rule for one in check.check(DRAFT)}


def test_evidence_without_a_digest_proves_nothing() -> None:
    row = next(row for row in DRAFT.split("\n") if row.startswith("- **E3**"))
    assert found(DRAFT.replace(row, row.split(" · `sha256")[0]), "lost-evidence")


def test_an_outage_is_not_a_partial_degradation() -> None:
    partial = replace(FINDINGS, incidents=(replace(INCIDENT, severity="partial"),))
    text = draft.markdown(partial, "x")
    assert not found(text, "partial")
    assert found(text.replace(ANCHOR, f"{ANCHOR}The outage hurt.\n\n"), "partial")


def test_an_unresolved_conflict_is_an_error() -> None:
    worse = replace(INCIDENT, impact=replace(INCIDENT.impact, failed=2100))
    newer = draft.markdown(replace(FINDINGS, incidents=(worse,)), "x", previous=DRAFT)
    merged = merge(DRAFT.replace("All 275 requests", "Every request"), newer)
    assert len(found(merged, "conflict")) == 1


def test_renderings() -> None:
    findings = [
        check.Finding("blame", 3, "100% x\n::y", "warning"),
        check.Finding("open-prompt", 9, "why?", "error"),
    ]
    assert check.as_text(findings, "a.md").splitlines()[-1] == "a.md:9: error: why? [open-prompt]"
    assert json.loads(check.as_json(findings, "a.md"))["findings"][1]["rule"] == "open-prompt"
    assert check.as_github(findings, "a,b.md").splitlines() == [
        "::warning file=a%2Cb.md,line=3,title=blame::100%25 x%0A::y",
        "::error file=a%2Cb.md,line=9,title=open-prompt::why?",
    ]


def test_every_rule_is_described() -> None:
    assert all(one.rule in check.RULES for one in check.check(with_line("human error [E99]")))


def test_a_file_that_is_no_draft_is_refused() -> None:
    with pytest.raises(NotADraft):
        check.check("# notes\n")


def test_a_service_that_the_draft_names_is_no_person() -> None:
    assert "mailer" in DRAFT
    assert not found(with_line("- 12:10:00 — Restarted by mailer, user=mailer."), "person")
    assert found(with_line("- 12:10:00 — Restarted by oksana."), "person")
    # Where names were left unmasked on purpose, the draft's own lines are looked at too.
    plain = draft.markdown(FINDINGS, "retrolog draft logs --no-mask", mask=False)
    assert found(plain, "person")


def test_a_draft_says_nothing_that_its_own_check_refuses() -> None:
    partial = draft.markdown(replace(FINDINGS, incidents=(replace(INCIDENT, severity="partial"),)), "retrolog draft logs")
    assert {one.rule for one in check.check(partial)} <= {"open-prompt", "missing-owner", "missing-ticket", "unconfirmed-trigger"}
