"""A person decides what the trigger was: every part of the document follows, also without logs, and later drafts keep it."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrolog.pipeline.drafting import draft
from retrolog.pipeline.drafting.decisions import CONFIRMED, UNCONFIRMED, UNKNOWN, Decision
from retrolog.pipeline.drafting.document import CONFLICT, parse
from retrolog.pipeline.drafting.merge import merge
from retrolog.pipeline.finishing import check
from retrolog.pipeline.finishing.outputs import executive, external, slack
from retrolog.pipeline.investigate import investigate
from retrolog.pipeline.options import Options
from retrolog.pipeline.review import deciding
from retrolog.pipeline.review.sheet import sheet
from retrolog.pipeline.window import Window

from .conftest import BEGIN, Page, opened


def front(text: str) -> dict[str, object]:
    found: dict[str, object] = parse(text).metadata["incidents"][0]
    return found


def summary(text: str) -> str:
    return parse(text).blocks["summary"].body


def confirmed_first(page: Page) -> str:
    first = next(one for one in deciding.choices(page.store.read(), 0) if one.cites)
    assert page.post("decide", index=0, status="confirmed", cite=first.cites[0]).status_code == 200
    return page.store.read()


def redrafted(logs: Path, previous: str, *, seconds: int = 1_200) -> str:
    start = round(BEGIN.timestamp()) * 1_000_000
    findings = investigate([str(logs)], Options(window=Window(start, start + seconds * 1_000_000)))
    return merge(previous, draft.markdown(findings, f"retrolog draft {logs}", previous=previous))


def rules(text: str) -> set[str]:
    return {one.rule for one in check.check(text)}


def test_a_fresh_draft_asks_for_a_decision(drafted: str) -> None:
    assert front(drafted)["trigger_status"] == "unconfirmed"
    assert UNCONFIRMED in summary(drafted)
    assert "unconfirmed-trigger" in rules(drafted)


def test_a_confirmed_candidate_is_said_so_everywhere(page: Page) -> None:
    before = page.store.read()
    text = confirmed_first(page)
    assert front(text)["trigger_status"] == "confirmed"
    assert CONFIRMED in summary(text)
    assert "unconfirmed" not in text
    assert "none confirmed" not in text
    assert "Candidate 1, confirmed by a person in the review" in text
    assert "**Trigger?**" not in text
    assert "**Trigger** " in text
    assert "unconfirmed-trigger" not in rules(text)
    assert CONFIRMED in slack(text)
    assert CONFIRMED in executive(text)
    assert "rigger" not in external(text)
    page.post("undo")
    assert page.store.read() == before


@pytest.mark.parametrize("seconds", [1_200, 1_100])
def test_a_later_draft_words_it_the_same_way_and_leaves_no_conflict(page: Page, logs: Path, seconds: int) -> None:
    text = confirmed_first(page)
    later = redrafted(logs, text, seconds=seconds)
    assert CONFIRMED in summary(later)
    assert front(later)["trigger_status"] == "confirmed"
    assert CONFLICT not in later
    assert not parse(later).blocks["summary"].touched
    assert redrafted(logs, later, seconds=seconds) == later


def test_the_page_and_a_later_draft_say_it_in_the_same_bytes(page: Page, logs: Path) -> None:
    text = confirmed_first(page)
    assert redrafted(logs, text) == text


def test_a_rejected_candidate_is_the_trigger_no_more(page: Page, logs: Path) -> None:
    known = deciding.choices(page.store.read(), 0)
    page.post("decide", index=0, status="rejected", cite=known[0].cites[0])
    text = page.store.read()
    assert "rejected by a person in the review" in text
    assert f"{UNCONFIRMED}:** {known[0].time}," not in summary(text)
    assert "unconfirmed-trigger" in rules(text)
    assert redrafted(logs, text) == text
    page.post("decide", index=0, status="considered", cite=known[0].cites[0])
    assert "rejected by a person" not in page.store.read()
    assert f"{UNCONFIRMED}:** {known[0].time}," in summary(page.store.read())


def test_nobody_knows_is_an_answer(page: Page, logs: Path) -> None:
    page.post("decide", index=0, status="unknown")
    text = page.store.read()
    assert UNKNOWN in summary(text)
    assert front(text)["trigger"] is None
    assert "**Trigger?**" not in text
    assert "unconfirmed-trigger" not in rules(text)
    assert UNKNOWN in summary(redrafted(logs, text))
    page.post("decide", index=0, status="unconfirmed")
    assert UNCONFIRMED in summary(page.store.read())


def test_any_log_line_can_be_the_trigger_and_is_quoted(page: Page, logs: Path) -> None:
    lines = (logs / "syslog").read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if "looking at it" in line)
    page.post("decide", index=0, status="confirmed", file="syslog", line=at)
    text = page.store.read()
    said = summary(text).split(CONFIRMED)[1].split("\n")[0]
    assert "looking at it" in said
    assert "[E" in said
    number = front(text)["trigger_evidence"][0]  # type: ignore[index]
    assert sheet(text).evidence[number].line == at
    assert [one.label for one in sheet(text).items if number in one.cites] == ["Trigger"]
    assert redrafted(logs, text) == text


def test_a_person_may_say_it_in_own_words(page: Page, logs: Path) -> None:
    answer = page.post("decide", index=0, status="confirmed", time="09:09:58", words="The provider moved <b>our</b> rack.")
    assert answer.status_code == 200
    text = page.store.read()
    assert "09:09:58, 7 s before the onset: The provider moved" in summary(text)
    assert "<b>our</b>" not in summary(text).replace("`<b>our</b>`", "")
    own = [one for one in sheet(text).items if one.label == "Trigger"]
    assert len(own) == 1
    assert own[0].own
    assert CONFIRMED in summary(redrafted(logs, text))
    confirmed_first(page)
    assert [one.label for one in sheet(page.store.read()).items if one.own] == ["Change"]


def test_it_works_where_the_logs_are_gone(tmp_path: Path, drafted: str, logs: Path) -> None:
    document = tmp_path / "alone.md"
    document.write_text(drafted.replace(str(logs), "/nowhere/at/all"))
    page = opened(document)
    text = confirmed_first(page)
    assert CONFIRMED in summary(text)
    assert "unconfirmed" not in text
    page.post("decide", index=0, status="confirmed", time="09:09:58", words="A cable came loose.")
    assert "A cable came loose." in summary(page.store.read())
    page.post("decide", index=0, status="unknown")
    assert UNKNOWN in summary(page.store.read())


def test_an_edited_summary_keeps_its_words(page: Page) -> None:
    text = page.store.read()
    page.store.path.write_text(text.replace("- **Noticed:**", "Mine stays.\n\n- **Noticed:**", 1))
    text = confirmed_first(page)
    assert "Mine stays." in summary(text)
    assert CONFIRMED in summary(text)
    assert parse(text).blocks["summary"].touched


@pytest.mark.parametrize(
    "args",
    [
        {"index": 7, "status": "unknown"},
        {"index": 0, "status": "confirmed", "cite": 4_000},
        {"index": 0, "status": "confirmed", "time": "soon", "words": "x"},
        {"index": 0, "status": "confirmed", "time": "03:00:00"},
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(page: Page, args: dict[str, object]) -> None:
    before = page.store.read()
    assert page.post("decide", **args).status_code == 409
    assert page.store.read() == before


@pytest.mark.parametrize(
    "value", [None, "confirmed", {"trigger_status": "sure"}, {"trigger_status": ["confirmed"], "trigger_evidence": "E1", "trigger_rejected": [True, "2"]}]
)
def test_an_odd_front_matter_is_no_decision(value: object) -> None:
    made = Decision.of(value if isinstance(value, dict) else {})
    assert not made.made
    assert made.cites == ()


def test_windows_line_ends_stay(tmp_path: Path, drafted: str) -> None:
    document = tmp_path / "windows.md"
    document.write_bytes(drafted.replace("\n", "\r\n").encode())
    page = opened(document)
    text = confirmed_first(page)
    assert CONFIRMED in text
    assert "\n" not in text.replace("\r\n", "")
