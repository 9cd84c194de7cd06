"""A document is read as the page shows it, whatever a human made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.drafting import draft
from retrolog.pipeline.drafting.document import parse
from retrolog.pipeline.drafting.entries import moment
from retrolog.pipeline.review.sheet import cells, pieces, sheet, table, uncited
from retrolog.pipeline.wording import Clock

from ..example import FINDINGS, START, S

DRAFT = draft.markdown(FINDINGS, "retrolog draft logs")
NIGHT = Clock(
    "Europe/Berlin", 1_792_879_200 * S, 1_792_893_600 * S
)  # 2026-10-25, 00:00 to 03:00 by the wall, summer time ends


@given(st.text())
def test_the_pieces_of_any_text_are_the_text(text: str) -> None:
    assert "".join(piece.raw for piece in pieces(parse(text))) == text
    sheet(text)


@given(st.data())
def test_the_pieces_of_a_mangled_draft_are_the_draft(data: st.DataObject) -> None:
    lines = DRAFT.split("\n")
    at = data.draw(st.integers(0, len(lines)))
    gone = data.draw(st.integers(0, 3))
    new = data.draw(
        st.lists(
            st.sampled_from(["", "## Mine", "- 12:04:00 — seen", "  more of it", "<!-- x -->", "| a |"]),
            max_size=4,
        )
    )
    text = "\n".join([*lines[:at], *new, *lines[at + gone :]])
    assert "".join(piece.raw for piece in pieces(parse(text))) == text
    sheet(text)


def test_every_entry_question_and_measure_of_a_draft_is_seen() -> None:
    page = sheet(DRAFT)
    assert len(page.items) == DRAFT.count("<!-- retrolog:block id=timeline.")
    assert [item.moment for item in page.items] == sorted(item.moment or 0 for item in page.items)
    assert len(page.questions) == DRAFT.count("**Question (owner?):**")
    assert {number for item in page.items for number in item.cites} <= set(page.evidence)
    assert page.open == len(page.items) + len(page.questions) + len(page.actions) + len(page.incidents)


@pytest.mark.parametrize(
    ("text", "clock", "seconds", "why"),
    [
        ("11:00:05", Clock("UTC", START), 5, "on the day of the window"),
        ("11:00", Clock("UTC", START), 0, "without seconds"),
        ("11:00:05.250", Clock("UTC", START), 5.25, "with a fraction"),
        ("2026-11-24 11:00:00", Clock("UTC", START), 86_400, "with a date"),
        ("2026-11-23T12:00:00+01:00", Clock("UTC", START), 0, "as ISO with an offset"),
        (
            "00:10:00",
            Clock("UTC", START + 12 * 3600 * S),
            13 * 3600 + 600,
            "after midnight of a window that began before",
        ),
        ("12:00:00", Clock("Europe/Berlin", START), 0, "in the document's zone"),
        ("02:30:00+02:00", NIGHT, 1_792_888_200 - START // S, "the first pass of the hour that comes twice"),
        ("02:30:00+01:00", NIGHT, 1_792_891_800 - START // S, "its second pass"),
        ("soon", Clock("UTC", START), None, "no time"),
        ("25:00:00", Clock("UTC", START), None, "no such hour"),
        ("2026-13-01 10:00:00", Clock("UTC", START), None, "no such month"),
        ("10:00:00", Clock("UTC"), None, "no day known"),
        ("", Clock("UTC", START), None, "nothing"),
    ],
)
def test_times_are_read_as_the_timeline_writes_them(
    text: str, clock: Clock, seconds: float | None, why: str
) -> None:
    assert moment(text, clock) == (None if seconds is None else START + round(seconds * S)), why


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("| a | b |", ["a", "b"]),
        ("| a \\| b | `x \\| y` |", ["a \\| b", "`x \\| y`"]),
        ("| a | |", ["a", ""]),
        ("| a | b", ["a", "b"]),
        ("||", [""]),
    ],
)
def test_cells_of_a_row(line: str, expected: list[str]) -> None:
    assert cells(line) == expected


def test_a_table_ends_where_its_rows_end() -> None:
    columns, rows = table(
        "words\n\n| Action | Owner |\n| --- | --- |\n| one | me |\n| | |\n\n| not | this |\n"
    )
    assert columns == ("Action", "Owner")
    assert [row.cells for row in rows] == [{"action": "one", "owner": "me"}]


def test_references_at_the_end_are_no_words() -> None:
    assert uncited("It failed [E1] twice. [E3] [E4]") == "It failed [E1] twice."


def test_human_text_in_the_timeline_is_an_entry_and_after_a_heading_it_is_not() -> None:
    at = DRAFT.index("<!-- retrolog:block id=detection")
    text = f"{DRAFT[:at]}- 12:04:40 — **Call** all hands\n  on deck\n\nloose words\n\n## Mine\n\n- 12:05:00 — not an entry\n\n{DRAFT[at:]}"
    own = [item for item in sheet(text).items if item.own]
    assert [(item.time, item.label, item.words) for item in own] == [
        ("12:04:40", "Call", "all hands on deck")
    ]
