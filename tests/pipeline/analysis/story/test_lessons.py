"""What the lists of a review say rests on lines: each statement cites one."""

from __future__ import annotations

from dataclasses import replace

from retrolog.pipeline.analysis.story.lessons import lessons
from retrolog.pipeline.wording import Clock

from ...example import FINDINGS

CLOCK = Clock("Europe/Berlin")


def test_every_statement_cites_a_line() -> None:
    learned = lessons(FINDINGS.incidents, FINDINGS.sources, CLOCK, FINDINGS.timeline)
    told = (*learned.went_well, *learned.went_badly, *learned.lucky)
    assert told
    assert all(evidence for _, evidence in told)


def test_a_clock_that_is_off_is_told_with_a_line_that_it_stamped() -> None:
    off = next(one for one in FINDINGS.sources if one.clock_offset_s)
    learned = lessons(FINDINGS.incidents, (off,), CLOCK, FINDINGS.timeline)
    (words, evidence), *_ = [pair for pair in learned.went_badly if "clock" in pair[0]]
    assert "38 s behind" in words
    assert [one.file for one in evidence] == [off.file]
    elsewhere = replace(off, file="db-9/other.log")
    silent = lessons(FINDINGS.incidents, (elsewhere,), CLOCK, FINDINGS.timeline)
    assert not [pair for pair in silent.went_badly if "clock" in pair[0]]
    assert [row for row in silent.actions if "clock" in row["action"]], "it still needs to be put right"


def test_what_ran_out_in_the_words_of_what_failed_has_a_measure() -> None:
    first = FINDINGS.incidents[0]
    step = replace(FINDINGS.timeline[0], summary="shop: MemoryError: cannot allocate 4 GB")
    told = replace(first, trigger=None, candidates=(), propagation=(step,))
    actions = lessons((told,), (), CLOCK).actions
    assert any("memory" in one["action"] and one["evidence"] for one in actions)


def test_a_log_file_is_nothing_that_is_released() -> None:
    first = FINDINGS.incidents[0]
    assert first.trigger is not None
    trigger = replace(first.trigger, kind="deploy", subject=None, service="runner/runner.log")
    actions = lessons((replace(first, trigger=trigger),), (), CLOCK).actions
    assert any("a release of the service" in one["action"] for one in actions)
    assert not any("runner.log" in one["action"] for one in actions)
