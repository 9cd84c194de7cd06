"""The figure draws what the series holds, says it in words, and never breaks on odd values."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.drafting import draft
from retrolog.pipeline.finishing import figure
from retrolog.pipeline.finishing.figure import Mark

from ..example import FINDINGS, at

DATA = draft.figure_data(FINDINGS)
assert DATA is not None
MARKS = [
    Mark("onset", at(231)),
    Mark("recovery", at(358)),
    Mark("trigger", at(194)),
    Mark("detected", at(236)),
    Mark("resolution", at(9999)),
]
counts = st.lists(st.integers(0, 10**6), max_size=600)


def drawn(data: dict[str, Any], marks: list[Mark] = MARKS) -> str:
    return figure.svg(data, marks, [(at(231), at(358))])


def test_it_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(drawn(DATA))
    words = {child.tag.split("}")[1]: child.text or "" for child in root[:2]}
    assert (
        words["title"]
        == "Requests and failed requests a second, 2026-11-23 12:00:00 to 12:08:00 (Europe/Berlin, UTC+01:00)"
    )
    assert words["desc"].startswith(
        f"{sum(DATA['requests']):,} requests, {sum(DATA['failed']):,} failed; most failures from 12:"
    )
    assert "onset at 12:03:51" in words["desc"]
    ids = set((root.get("aria-labelledby") or "").split())
    assert ids == {child.get("id") for child in root[:2]}


def test_a_moment_outside_is_not_marked() -> None:
    assert "action" not in drawn(DATA)


def test_labels_do_not_run_into_each_other() -> None:
    near = [Mark("onset", at(231 + n)) for n in range(5)]
    rows = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="start">onset', drawn(DATA, near))
    assert len({y for _, y in rows}) == len(rows) == 5


def test_error_lines_are_drawn_where_no_requests_are() -> None:
    text = drawn({**DATA, "requests": [], "failed": []})
    assert "error lines/s" in text
    assert "severity error and above" in figure.legend({"errors": [1]})


@pytest.mark.parametrize(
    "data",
    [{}, {"requests": [0, 0], "start": 0, "step": 1}, {"requests": [1], "start": None, "step": 1}, {"requests": [1], "start": 0, "step": 0},
     {"requests": "x", "start": 0, "step": 1}, {"requests": ["a", None], "start": 0, "step": 1}],
)  # fmt: skip
def test_nothing_to_draw_is_nothing(data: dict[str, Any]) -> None:
    assert figure.svg(data) == ""


@given(
    counts,
    counts,
    st.sampled_from([1, 2, 5, 7, 60, 3600]),
    st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York", "none", "+05:30"]),
)
def test_any_series_gives_well_formed_svg(
    requests: list[int], failed: list[int], step: int, zone: str
) -> None:
    text = figure.svg(
        {
            "zone": zone,
            "start": at(0),
            "step": step,
            "requests": requests,
            "failed": failed,
            "errors": failed,
        },
        MARKS,
    )
    if text:
        root = ET.fromstring(text)
        assert len(root.findall(".//{*}rect[@class='hover']")) <= figure.BARS + 1
        assert "nan" not in text.lower()


def test_log_text_cannot_reach_it() -> None:
    assert "<x" not in drawn({**DATA, "zone": "<x>"}, [Mark('"><x>', at(200))])


def test_the_axis_ends_at_or_above_the_peak() -> None:
    for peak in (0.03, 0.9, 1, 7.3, 10, 28, 99.9, 101, 12345):
        levels = figure._levels(peak)
        assert levels[0] == 0
        assert peak <= levels[-1] <= 1.6 * peak + 1e-9 or levels[-1] - peak < levels[1]
        assert 3 <= len(levels) <= 7


@pytest.mark.parametrize(("status", "shown"), [("confirmed", "trigger 12:"), ("unconfirmed", "trigger? 12:"), ("unknown", "trigger? 12:"), (None, "trigger? 12:")])  # fmt: skip
def test_a_trigger_is_in_question_until_somebody_confirms_it(status: str | None, shown: str) -> None:
    marks = figure.marks_of({"trigger_status": status}, {"trigger": at(194), "recovery": None})
    assert [mark.kind for mark in marks] == ["trigger"]
    assert f">{shown}" in drawn(DATA, marks)
