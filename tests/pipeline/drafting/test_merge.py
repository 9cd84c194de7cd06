"""A human's words survive every re-draft, byte for byte, and entries stand where their time puts them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from retrolog.pipeline import wording
from retrolog.pipeline.drafting import document, draft
from retrolog.pipeline.drafting.document import Block, Text
from retrolog.pipeline.drafting.merge import merge
from retrolog.pipeline.errors import NotADraft
from retrolog.pipeline.review import edits
from retrolog.pipeline.review.sheet import Piece, pieces

from ..example import FINDINGS, INCIDENT, QUIET, at, quoted

COMMAND = "retrolog draft logs"
FIRST = draft.markdown(FINDINGS, COMMAND)


def drafted(change: Callable[..., object] | None = None, **changes: object) -> str:
    return draft.markdown(replace(FINDINGS, **changes), COMMAND, previous=FIRST)  # type: ignore[arg-type]


WORSE = replace(INCIDENT, impact=replace(INCIDENT.impact, failed=2100, failed_percent=69.1))
NEWER = (
    drafted(incidents=(WORSE,)),
    drafted(timeline=FINDINGS.timeline[:4]),
    drafted(timeline=(*FINDINGS.timeline, replace(FINDINGS.timeline[0], time=at(100), kind="change", evidence=FINDINGS.timeline[1].evidence))),
    drafted(prompts=()),
    draft.markdown(QUIET, COMMAND),
    FIRST,
)  # fmt: skip


MARKERS = st.sampled_from(
    (
        "---\n", "title: x\n", "<!-- retrolog:block id=a sha=0123456789ab -->\n", "<!-- retrolog:end a -->\n", "text\n",
        "<!-- retrolog:block id=b sha=0123456789ab seen=0123456789ab -->\r\n", "<!-- retrolog:end b -->", "\n", "\r\n",
        "<!-- retrolog:data index\n", "{}\n", "-->\n", "<!-- retrolog:data index\n{\"live\":[\"a\"]}\n-->\n",
    )
)  # fmt: skip


@given(st.lists(MARKERS, max_size=20).map("".join))
def test_any_mix_of_markers_survives_reading_and_merging(text: str) -> None:
    parsed = document.parse(text)
    assert str(parsed) == text
    if parsed.is_draft:
        once = merge(text, FIRST)
        assert merge(once, FIRST) == once


def test_the_same_draft_again_changes_nothing() -> None:
    assert merge(FIRST, FIRST) == FIRST


@pytest.mark.parametrize("newer", NEWER)
def test_an_untouched_document_becomes_the_new_draft(newer: str) -> None:
    merged = merge(FIRST, newer)
    assert {name: b.body for name, b in document.parse(merged).blocks.items()} == {
        name: b.body for name, b in document.parse(newer).blocks.items()
    }
    assert document.parse(merged).metadata == document.parse(newer).metadata
    assert merge(merged, newer) == merged


def test_an_edited_block_is_kept_and_the_newer_text_shown_once() -> None:
    edited = FIRST.replace("2,003 of 3,040 requests (65.9 %) failed.", "Two thirds of all requests failed.")
    assert edited != FIRST
    merged = merge(edited, NEWER[0])
    assert "Two thirds of all requests failed." in merged
    assert merged.count("Newly generated text") == 1
    assert "> From 2026-11-23 12:03:51" in merged
    assert merge(merged, NEWER[0]) == merged
    # Dismissed once, it does not come back until the text changes again.
    parsed = document.parse(merged)
    without = parsed.front + "".join(
        s.raw for s in parsed.segments if getattr(s, "id", "") != "conflict.summary"
    )
    assert "Newly generated" not in merge(without, NEWER[0])
    # And it goes by itself when the newest draft says again what the human started from.
    assert "Newly generated" not in merge(merged, FIRST)


def test_a_deleted_block_stays_deleted() -> None:
    parsed = document.parse(FIRST)
    without = parsed.front + "".join(s.raw for s in parsed.segments if getattr(s, "id", "") != "lessons")
    merged = without
    for newer in (*NEWER, *NEWER):
        merged = merge(merged, newer)
        assert "lessons" not in document.parse(merged).blocks


def test_what_a_new_draft_drops_and_a_later_one_has_again_comes_back() -> None:
    gone = merge(FIRST, NEWER[1])
    assert len(document.parse(gone).blocks) < len(document.parse(FIRST).blocks)
    assert set(document.parse(merge(gone, FIRST)).blocks) == set(document.parse(FIRST).blocks)


def test_human_text_between_blocks_keeps_its_place() -> None:
    marker = "<!-- retrolog:end timeline -->\n\n"
    mine = "- 12:10:00 — We told the customers.\n\n"
    edited = FIRST.replace(marker, marker + mine)
    merged = merge(edited, NEWER[0])
    assert marker + mine in merged


def entry_at(seconds: float, name: str) -> str:
    """A block of a timeline entry as a newer draft might bring it."""
    clock = wording.Clock("Europe/Berlin", at(0))
    return document.block(f"timeline.change.{name}", f"- {clock.time(at(seconds))} — **Change** {name}. [E1]")


def with_entries(*blocks: str) -> str:
    """The first draft with more entries, in the place that a draft would give them."""
    body = FIRST.split("<!-- retrolog:data index")[0]
    found = {one.id: one for one in document.parse(body).segments if isinstance(one, Block)}
    entries = [one.raw for name, one in found.items() if name.startswith(document.ENTRIES)]
    ordered = sorted([*entries, *blocks], key=lambda raw: re.search(r"- (\d\d:\d\d:\d\d) — ", raw)[1])  # type: ignore[index]
    start = body.index(entries[0])
    for raw in entries:
        body = body.replace(raw, "")
    return document.with_index(body[:start] + "".join(ordered) + body[start:], document.evidence_numbers(FIRST))


def times(text: str) -> list[str]:
    """The times of the timeline in the order of the document, generated ones and a human's."""
    return re.findall(r"^[-*] \**(\d\d:\d\d(?::\d\d)?)\** [—-] ", text.split("## Appendix")[0], re.MULTILINE)


HEAD = "<!-- retrolog:end timeline -->\n\n"
ONE = "- 12:01:00 — We saw a spike.\n\n"
TWO = f"{ONE}- 12:02:30 — A customer called.\n  She could not pay.\n\n"
TIGHT = "* 12:01 - We saw a spike.\n* **12:02:30** - A customer called.\n\n"


@pytest.mark.parametrize(
    ("mine", "seconds", "order", "why"),
    [
        (ONE, 100, ["12:01:00", "12:01:40", "12:03:14"], "after a human's that is earlier"),
        (ONE, 30, ["12:00:30", "12:01:00", "12:03:14"], "before a human's that is later"),
        (ONE, 60, ["12:01:00", "12:01:00", "12:03:14"], "after a human's of the same second"),
        (TWO, 100, ["12:01:00", "12:01:40", "12:02:30", "12:03:14"], "between two of a human, one of them of two lines"),
        (TIGHT, 100, ["12:01", "12:01:40", "12:02:30", "12:03:14"], "between two of a human in a tight list"),
        (f"{TWO}## Mine\n\n", 160, ["12:01:00", "12:02:30", "12:02:40", "12:03:14"], "above a heading of a human"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value and "\n" not in value else "",
)  # fmt: skip
def test_time_alone_orders_entries(mine: str, seconds: int, order: list[str], why: str) -> None:
    edited = FIRST.replace(HEAD, HEAD + mine)
    merged = merge(edited, with_entries(entry_at(seconds, "early")))
    assert times(merged)[: len(order)] == order, why
    assert human(merged) == human(edited)
    assert merge(merged, with_entries(entry_at(seconds, "early"))) == merged


def test_an_entry_follows_one_that_a_human_gave_another_time() -> None:
    edited = FIRST.replace("- 12:03:14 — ", "- 12:06:30 — ", 1)
    assert edited != FIRST
    merged = merge(edited, with_entries(entry_at(400, "late"), entry_at(380, "sooner")))
    mine = merged.index("- 12:06:30 — ")
    assert merged.index("- 12:06:20 — ") < mine or merged.index("- 12:06:40 — ") > mine


def test_an_entry_whose_time_was_corrected_moves() -> None:
    sooner, later = with_entries(entry_at(100, "moved")), with_entries(entry_at(260, "moved"))
    merged = merge(sooner, later)
    assert times(merged) == sorted(times(merged))
    assert "12:04:20" in times(merged)
    assert "12:01:40" not in times(merged)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 500), max_size=4), st.lists(st.integers(0, 500), max_size=4, unique=True), st.booleans())
def test_entries_of_all_hands_stay_in_order_of_time(mine: list[int], theirs: list[int], tight: bool) -> None:
    """A human's list stands before, between or after what a newer draft adds; merged, times never go back."""
    end = "\n" if tight else "\n\n"
    clock = wording.Clock("Europe/Berlin", at(0))
    text = FIRST
    for seconds in sorted(mine, reverse=True):
        line = f"- {clock.time(at(seconds))} — Said in the chat.{end}"
        text = edits.joined(edits.inserted(pieces(document.parse(text)), Piece(line), at(seconds)))
    merged = merge(text, with_entries(*(entry_at(seconds, f"n{seconds}") for seconds in theirs)))
    assert times(merged) == sorted(times(merged))
    assert len(times(merged)) == len(times(FIRST)) + len(mine) + len(theirs)
    assert human(merged) == human(text)


def test_people_keep_their_pseudonyms_when_others_come_before_them() -> None:
    line = "Nov 23 12:01:00 app-1 sudo:    yusuf : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/ls"
    other = replace(
        FINDINGS.timeline[0],
        time=at(60),
        summary="yusuf ran ls as root",
        evidence=(quoted("app-1/auth.log", 3, line),),
    )
    newer = drafted(timeline=(other, *FINDINGS.timeline))
    assert "person-2 ran ls as root" in newer
    assert "mailer 1.9.0 requested by person-1" in newer
    assert "person-1 ran ls" in draft.markdown(
        replace(FINDINGS, incidents=(), timeline=(other, *FINDINGS.timeline)), COMMAND
    )


def test_evidence_that_a_human_cites_outlives_its_sentence() -> None:
    edited = FIRST.replace(
        "<!-- retrolog:end summary -->\n\n", "<!-- retrolog:end summary -->\n\nSee [E7].\n\n"
    )
    merged = merge(edited, NEWER[4])
    assert "**E7**" in merged
    assert "**E5**" not in merged


def test_numbers_of_evidence_stay_when_a_newer_draft_cites_less() -> None:
    numbers = document.evidence_numbers(FIRST)
    less = document.evidence_numbers(NEWER[1])
    assert all(less[key] == number for key, number in numbers.items() if key in less)


def test_front_matter_keys_are_kept_when_changed_or_removed() -> None:
    edited = FIRST.replace("status: draft", "status: final  # agreed on Monday\nreviewers: [ops]")
    edited = edited.replace(f"command: {COMMAND}\n", "")
    merged = merge(edited, NEWER[0])
    assert "status: final  # agreed on Monday\nreviewers: [ops]\n" in merged
    assert "\ncommand:" not in merged
    assert "failed: 2100" in merged
    assert merge(merged, NEWER[0]) == merged


@pytest.mark.parametrize("text", ["", "# My notes\n", "---\ntitle: x\n---\nbody\n", "retrolog\n"])
def test_a_file_that_is_no_draft_is_refused(text: str) -> None:
    with pytest.raises(NotADraft):
        merge(text, FIRST)


def test_windows_line_ends_stay() -> None:
    windows = FIRST.replace("\n", "\r\n")
    assert merge(windows, FIRST) == windows
    merged = merge(windows, NEWER[0])
    assert "2,100" in merged
    assert "Newly generated" not in merged


def test_a_copied_block_belongs_to_whoever_copied_it() -> None:
    copy = document.parse(FIRST).blocks["summary"].raw
    merged = merge(FIRST + copy, NEWER[0])
    assert merged.count("2,003 of 3,040") >= 1
    assert merged.count("id=summary ") == 2


def human(text: str) -> str:
    """The bytes outside generated blocks, and the bodies of the blocks that were edited."""
    parts = [s.raw for s in document.parse(text).segments if isinstance(s, Text)]
    return "".join(parts)


def touched(text: str) -> dict[str, str]:
    blocks = document.parse(text).blocks
    return {name: b.body for name, b in blocks.items() if b.touched and not name.startswith("conflict.")}


LINES = (
    "A sentence of mine.",
    "- 12:20:00 — I called the provider. [E3]",
    "",
    "  two  spaces  ",
    "<b>bold</b>",
    "| a | b |",
    "> quote",
    "日本語",
    "## My section",
)


def edit(text: str, rng: random.Random) -> str:
    """A human's edit: a line inserted, deleted or changed, anywhere but in markers and data."""
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if i and not line.startswith(("<!--", "{", "-->", "---"))]
    at_line = rng.choice(places)
    action = rng.choice(("insert", "delete", "change", "block"))
    if action == "insert":
        lines.insert(at_line, f"{rng.choice(LINES)} {rng.randrange(10**6)}")
    elif action == "delete":
        del lines[at_line]
    elif action == "change":
        lines[at_line] += f" {rng.randrange(10**6)}"
    else:
        blocks = [s for s in document.parse(text).segments if isinstance(s, Block)]
        return text.replace(rng.choice(blocks).raw, "", 1) if blocks else text
    return "\n".join(lines)


@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.integers(0, 2**32))
def test_human_edits_survive_a_hundred_drafts_byte_for_byte(seed: int) -> None:
    rng = random.Random(seed)
    text = FIRST
    deleted: set[str] = set()
    for _ in range(100):
        for _ in range(rng.randrange(3)):
            before = set(document.parse(text).blocks)
            text = edit(text, rng)
            deleted |= {
                name for name in before - set(document.parse(text).blocks) if not name.startswith("conflict.")
            }
        words, bodies = human(text), touched(text)
        merged = merge(text, rng.choice(NEWER))
        assert human(merged) == words
        kept = document.parse(merged).blocks
        assert all(kept[name].body == body for name, body in bodies.items())
        assert not deleted & set(kept)
        text = merged
