"""The figures follow the ends that a human sets, and the human's words stay."""

from __future__ import annotations

import pytest

from retrolog.pipeline.drafting.document import parse
from retrolog.pipeline.drafting.merge import merge
from retrolog.pipeline.review.sheet import sheet

from .conftest import Page


def figures(page: Page) -> dict[str, object]:
    found: dict[str, object] = parse(page.store.read()).metadata["incidents"][0]
    return found


def test_a_later_onset_counts_less_and_every_part_says_so(page: Page) -> None:
    before = figures(page)
    answer = page.post("incident", index=0, role="onset", time="09:11:00")
    assert answer.get_json()["said"] == "onset set to 09:11:00"
    after = figures(page)
    assert int(str(after["failed"])) < int(str(before["failed"]))
    text = page.store.read()
    assert "From 2026-03-10 09:11:00" in text
    assert "set by a person in the review" in text
    assert str(after["failed"]) in parse(text).blocks["summary"].body


def test_the_same_ends_again_give_the_same_document(page: Page) -> None:
    start = page.store.read()
    onset = sheet(start).clock.time(int(sheet(start).items[0].moment or 0))
    page.post("incident", index=0, role="trigger", time=onset)
    page.post("undo")
    assert page.store.read() == start


def test_words_of_a_human_are_not_counted_away(page: Page) -> None:
    body = parse(page.store.read()).blocks["summary"].body
    page.store.path.write_text(page.store.read().replace(body, "\n## Summary\n\nMine.\n\n"))
    page.post("incident", index=0, role="recovery", time="09:12:00")
    assert parse(page.store.read()).blocks["summary"].body == "\n## Summary\n\nMine.\n\n"
    assert "09:12:00" in parse(page.store.read()).blocks["impact.i1"].body


def test_counting_twice_follows_the_second_time(page: Page) -> None:
    page.post("incident", index=0, role="onset", time="09:11:00")
    page.post("incident", index=0, role="onset", time="09:12:00")
    assert "From 2026-03-10 09:12:00" in parse(page.store.read()).blocks["summary"].body


def test_an_entry_becomes_the_trigger(page: Page) -> None:
    entry = next(item for item in sheet(page.store.read()).items if item.label == "Detected")
    page.post("incident", index=0, role="trigger", time=entry.time)
    body = parse(page.store.read()).blocks["summary"].body
    assert "ALERT shop CRITICAL" in body.split("Trigger, confirmed by a person in the review")[1]


def test_a_later_draft_keeps_the_chosen_ends(page: Page, drafted: str) -> None:
    page.post("incident", index=0, role="onset", time="09:11:00")
    text = page.store.read()
    later = merge(text, drafted)
    assert figures(page) == parse(later).metadata["incidents"][0]
    assert parse(later).blocks["summary"].body == parse(text).blocks["summary"].body
    assert parse(later).data("review") == parse(text).data("review")


@pytest.mark.parametrize(("role", "time"), [("onset", ""), ("recovery", "09:00:00"), ("onset", "later")])
def test_impossible_ends_are_refused(page: Page, role: str, time: str) -> None:
    before = page.store.read()
    assert page.post("incident", index=0, role=role, time=time).status_code == 409
    assert page.store.read() == before


def test_an_outage_may_be_not_over(page: Page) -> None:
    page.post("incident", index=0, role="recovery", time="")
    assert figures(page)["recovery"] is None
