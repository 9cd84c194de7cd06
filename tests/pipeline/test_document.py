"""A document is read and written back byte for byte, and a human's words survive every re-draft."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from retrolog.pipeline import document, draft
from retrolog.pipeline.document import Block, Text
from retrolog.pipeline.errors import NotADraft

from .example import FINDINGS, INCIDENT, QUIET, at, quoted

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


@given(st.text())
def test_any_text_survives_reading(text: str) -> None:
    assert str(document.parse(text)) == text


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
        once = document.merge(text, FIRST)
        assert document.merge(once, FIRST) == once


def test_the_same_draft_again_changes_nothing() -> None:
    assert document.merge(FIRST, FIRST) == FIRST


@pytest.mark.parametrize("newer", NEWER)
def test_an_untouched_document_becomes_the_new_draft(newer: str) -> None:
    merged = document.merge(FIRST, newer)
    assert {name: b.body for name, b in document.parse(merged).blocks.items()} == {
        name: b.body for name, b in document.parse(newer).blocks.items()
    }
    assert document.parse(merged).metadata == document.parse(newer).metadata
    assert document.merge(merged, newer) == merged


def test_an_edited_block_is_kept_and_the_newer_text_shown_once() -> None:
    edited = FIRST.replace("2,003 of 3,040 requests (65.9 %) failed.", "Two thirds of all requests failed.")
    assert edited != FIRST
    merged = document.merge(edited, NEWER[0])
    assert "Two thirds of all requests failed." in merged
    assert merged.count("Newly generated text") == 1
    assert "> From 2026-11-23 12:03:51" in merged
    assert document.merge(merged, NEWER[0]) == merged
    # Dismissed once, it does not come back until the text changes again.
    parsed = document.parse(merged)
    without = parsed.front + "".join(
        s.raw for s in parsed.segments if getattr(s, "id", "") != "conflict.summary"
    )
    assert "Newly generated" not in document.merge(without, NEWER[0])
    # And it goes by itself when the newest draft says again what the human started from.
    assert "Newly generated" not in document.merge(merged, FIRST)


def test_a_deleted_block_stays_deleted() -> None:
    parsed = document.parse(FIRST)
    without = parsed.front + "".join(s.raw for s in parsed.segments if getattr(s, "id", "") != "lessons")
    merged = without
    for newer in (*NEWER, *NEWER):
        merged = document.merge(merged, newer)
        assert "lessons" not in document.parse(merged).blocks


def test_what_a_new_draft_drops_and_a_later_one_has_again_comes_back() -> None:
    gone = document.merge(FIRST, NEWER[1])
    assert len(document.parse(gone).blocks) < len(document.parse(FIRST).blocks)
    assert set(document.parse(document.merge(gone, FIRST)).blocks) == set(document.parse(FIRST).blocks)


def test_human_text_between_blocks_keeps_its_place() -> None:
    marker = "<!-- retrolog:end timeline -->\n\n"
    mine = "- 12:10:00 — We told the customers.\n\n"
    edited = FIRST.replace(marker, marker + mine)
    merged = document.merge(edited, NEWER[0])
    assert marker + mine in merged


def test_new_entries_go_before_or_after_a_humans_by_time() -> None:
    marker = "<!-- retrolog:end timeline -->\n\n"
    edited = FIRST.replace(marker, marker + "- 12:01:00 — We saw a spike.\n\n")
    for seconds, order in (
        (100, ["12:01:00", "12:01:40", "12:03:14"]),
        (30, ["12:00:30", "12:01:00", "12:03:14"]),
    ):
        early = replace(FINDINGS.timeline[1], time=at(seconds), end=None)
        newer = drafted(timeline=(early, *FINDINGS.timeline[:1], *FINDINGS.timeline[2:]))
        fresh = newer.replace("timeline.error.", "timeline.early.")
        merged = document.merge(edited, document.with_index(fresh.split("<!-- retrolog:data index")[0], {}))
        assert re.findall(r"^- (\d\d:\d\d:\d\d) — ", merged, re.MULTILINE)[:3] == order


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
    merged = document.merge(edited, NEWER[4])
    assert "**E7**" in merged
    assert "**E5**" not in merged


def test_numbers_of_evidence_stay_when_a_newer_draft_cites_less() -> None:
    numbers = document.evidence_numbers(FIRST)
    less = document.evidence_numbers(NEWER[1])
    assert all(less[key] == number for key, number in numbers.items() if key in less)


def test_front_matter_keys_are_kept_when_changed_or_removed() -> None:
    edited = FIRST.replace("status: draft", "status: final  # agreed on Monday\nreviewers: [ops]")
    edited = edited.replace(f"command: {COMMAND}\n", "")
    merged = document.merge(edited, NEWER[0])
    assert "status: final  # agreed on Monday\nreviewers: [ops]\n" in merged
    assert "\ncommand:" not in merged
    assert "failed: 2100" in merged
    assert document.merge(merged, NEWER[0]) == merged


@pytest.mark.parametrize("text", ["", "# My notes\n", "---\ntitle: x\n---\nbody\n", "retrolog\n"])
def test_a_file_that_is_no_draft_is_refused(text: str) -> None:
    with pytest.raises(NotADraft):
        document.merge(text, FIRST)


def test_windows_line_ends_stay() -> None:
    windows = FIRST.replace("\n", "\r\n")
    assert document.merge(windows, FIRST) == windows
    merged = document.merge(windows, NEWER[0])
    assert "2,100" in merged
    assert "Newly generated" not in merged


def test_a_copied_block_belongs_to_whoever_copied_it() -> None:
    copy = document.parse(FIRST).blocks["summary"].raw
    merged = document.merge(FIRST + copy, NEWER[0])
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
        merged = document.merge(text, rng.choice(NEWER))
        assert human(merged) == words
        kept = document.parse(merged).blocks
        assert all(kept[name].body == body for name, body in bodies.items())
        assert not deleted & set(kept)
        text = merged
