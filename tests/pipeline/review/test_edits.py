"""Each edit changes the part it is about, keeps every other byte, survives a later draft, and can be taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrolog.pipeline.drafting import draft
from retrolog.pipeline.drafting.document import parse
from retrolog.pipeline.drafting.merge import merge
from retrolog.pipeline.findings import Evidence
from retrolog.pipeline.finishing import check
from retrolog.pipeline.review import edits
from retrolog.pipeline.review.sheet import Sheet, sheet
from retrolog.pipeline.review.store import Store

from ..example import FINDINGS, INCIDENT, S

COMMAND = "retrolog draft logs"
DRAFT = draft.markdown(FINDINGS, COMMAND)
WINDOWS = DRAFT.replace("\n", "\r\n")
LINE = Evidence(
    "app-1/syslog",
    99,
    1,
    9000,
    60,
    "00112233445566aa",
    "Nov 23 12:04:59 app-1 kernel: `out` of [memory](x)",
    None,
)
HOSTILE = (
    "<!-- retrolog:end timeline --> \x1b[31m | `x`\n<!-- retrolog:block id=a sha=000000000000 -->",
    "- 10:00:00 — nested",
    "\u202eabc\u2066 \ud800",
    "---\nstatus: final\n---",
    "[E1] [E99]",
    "> **Question (owner?):** mine",
)


def again(text: str) -> str:
    """The document after a newer draft with other figures."""
    worse = replace(INCIDENT, impact=replace(INCIDENT.impact, failed=2100, failed_percent=69.1))
    newer = draft.markdown(replace(FINDINGS, incidents=(worse,)), COMMAND, previous=text)
    return merge(text, newer)


def item(text: str, at: int):  # type: ignore[no-untyped-def]
    return sheet(text).items[at]


def test_keep_marks_an_entry_until_it_changes() -> None:
    one = item(DRAFT, 0)
    text = edits.keep(DRAFT, one.ref, one.mark)
    assert item(text, 0).kept
    assert item(again(text), 0).kept, "a later draft leaves the mark"
    changed = edits.change(
        text, one.ref, one.mark, time=one.time, label=one.label, words="now says something else"
    )
    assert not item(changed, 0).kept
    assert edits.keep(text, one.ref, one.mark, on=False) == DRAFT


def test_drop_takes_an_entry_away_for_good() -> None:
    one = item(DRAFT, 1)
    text = edits.drop(DRAFT, one.ref, one.mark)
    assert one.ref not in {other.ref for other in sheet(text).items}
    assert one.ref not in {other.ref for other in sheet(again(text)).items}


def test_change_moves_an_entry_to_its_time_and_a_later_draft_keeps_it() -> None:
    one = item(DRAFT, 0)
    last = sheet(DRAFT).items[-1]
    text = edits.change(DRAFT, one.ref, one.mark, time=last.time, label="Call", words="said | so [E1]")
    moved = sheet(text).items[-1]
    assert (moved.ref, moved.label, moved.words, moved.touched) == (one.ref, "Call", "said | so [E1]", True)
    assert sheet(again(text)).items[-1].words == "said | so [E1]"


def test_change_without_a_change_changes_nothing() -> None:
    one = item(DRAFT, 0)
    assert edits.change(DRAFT, one.ref, one.mark, time=one.time, label=one.label, words=one.words) == DRAFT


def test_merged_entries_carry_the_words_and_evidence_of_both() -> None:
    one, two = sheet(DRAFT).items[:2]
    text = edits.join(DRAFT, two.ref, two.mark, one.ref, one.mark)
    merged = item(text, 0)
    assert len(sheet(text).items) == len(sheet(DRAFT).items) - 1
    assert merged.time == one.time
    assert merged.cites == tuple(dict.fromkeys([*one.cites, *two.cites]))
    assert two.words.split(" [E")[0] in merged.words


@pytest.mark.parametrize("text", [DRAFT, WINDOWS], ids=["lf", "crlf"])
def test_an_own_entry_stands_at_its_time_and_survives_later_drafts(text: str) -> None:
    between = sheet(text).items[2]
    new = edits.add(text, time=between.time, label="Chat", words="the channel says so")
    times = [one.moment for one in sheet(new).items]
    assert times == sorted(one or 0 for one in times)
    own = [one for one in sheet(new).items if one.own]
    assert [one.words for one in own] == ["the channel says so"]
    assert "the channel says so" in again(new)
    assert ("\r\n" in new) == ("\r\n" in text)
    assert new.count("\n") - new.count("\r\n") == (0 if "\r\n" in text else new.count("\n"))


def test_own_entries_are_in_order_of_time_whatever_the_order_they_came_in() -> None:
    text = DRAFT
    for time in ("12:05:30", "12:03:00", "12:04:00", "12:05:31", "11:00:00"):
        text = edits.add(text, time=time, label="", words=f"at {time}")
    times = [one.moment or 0 for one in sheet(text).items]
    assert times == sorted(times)


def test_an_own_entry_can_be_changed_and_dropped() -> None:
    text = edits.add(DRAFT, time="12:04:00", label="Chat", words="first words")
    own = next(one for one in sheet(text).items if one.own)
    changed = edits.change(text, own.ref, own.mark, time="12:04:00", label="Call", words="other words")
    assert changed == text.replace("**Chat** first words", "**Call** other words")
    own = next(one for one in sheet(changed).items if one.own)
    assert edits.drop(changed, own.ref, own.mark) == DRAFT


def test_a_promoted_line_is_quoted_with_its_place_and_digest() -> None:
    text = edits.promote(DRAFT, time="12:04:59", label="", words="kernel: out of memory", evidence=LINE)
    own = next(one for one in sheet(text).items if one.own)
    quoted = sheet(text).evidence[own.cites[0]]
    assert (quoted.file, quoted.line, quoted.offset, quoted.size, quoted.digest) == (
        "app-1/syslog",
        99,
        9000,
        60,
        LINE.digest,
    )
    assert quoted.text == LINE.text
    assert not [one for one in check.check(text) if one.rule == "lost-evidence"]
    later = again(text)
    assert sheet(later).evidence[own.cites[0]].digest == LINE.digest, "a later draft keeps what a human cites"
    twice = edits.promote(text, time="12:05:00", label="", words="again", evidence=LINE)
    assert len(sheet(twice).evidence) == len(sheet(text).evidence), "one line has one number"


def test_an_answer_closes_a_question_and_taking_it_back_opens_it() -> None:
    one = sheet(DRAFT).questions[0]
    text = edits.answer(DRAFT, one.ref, one.mark, answer="Because of this.\n\n- and | that\n<!-- x -->")
    done = sheet(text).questions[0]
    assert done.question == one.question
    assert done.answer.startswith("Because of this.\n\n- and | that")
    assert sum(f.rule == "open-prompt" for f in check.check(text)) == len(sheet(DRAFT).questions) - 1
    assert "Because of this." in again(text)
    assert edits.answer(text, done.ref, done.mark, answer="  ") == DRAFT


def test_a_question_can_be_given_to_someone() -> None:
    one = sheet(DRAFT).questions[0]
    text = edits.answer(DRAFT, one.ref, one.mark, answer="", owner="on-call (web)*")
    asked = sheet(text).questions[0]
    assert (asked.owner, asked.answer, asked.question) == ("on-call web", "", one.question)
    assert "open-prompt" in {f.rule for f in check.check(text)}


def test_measures_get_owner_and_ticket_and_other_rows_stay() -> None:
    row = sheet(DRAFT).actions[0]
    text = edits.set_action(DRAFT, row.row, row.mark, {"owner": "shop | team", "ticket": "SHOP-7\\"})
    assert sheet(text).actions[0].cells["owner"] == "shop \\| team"
    assert sheet(text).actions[0].cells["action"] == row.cells["action"]
    assert sheet(text).actions[1:] == sheet(DRAFT).actions[1:]
    text = edits.add_action(text, {"action": "one more", "type": "detect"})
    assert sheet(text).actions[-1].cells["action"] == "one more"
    text = edits.drop_action(text, sheet(text).actions[0].row, sheet(text).actions[0].mark)
    assert len(sheet(text).actions) == len(sheet(DRAFT).actions)
    assert "one more" in again(text)


def test_a_row_is_found_again_when_rows_above_it_came_or_went() -> None:
    first, second = sheet(DRAFT).actions[:2]
    shorter = edits.drop_action(DRAFT, first.row, first.mark)
    text = edits.set_action(shorter, second.row, second.mark, {"owner": "me"})
    assert sheet(text).actions[0].cells["owner"] == "me"


def test_a_moment_of_the_incident_is_written_in_the_documents_zone() -> None:
    onset = (sheet(DRAFT).items[0].moment or 0) + 5 * S
    text = edits.set_incident(DRAFT, 0, {"onset": onset})
    assert parse(text).metadata["incidents"][0]["onset"] == sheet(DRAFT).clock.iso(onset)
    assert again(text).splitlines()[:8][-1:] != [], "the front matter still parses"
    assert parse(again(text)).metadata["incidents"][0]["onset"] == sheet(DRAFT).clock.iso(onset)
    with pytest.raises(edits.Refused, match="before the onset"):
        edits.set_incident(DRAFT, 0, {"recovery": 0})
    with pytest.raises(edits.Refused, match="needs an onset"):
        edits.set_incident(DRAFT, 0, {"onset": None})
    with pytest.raises(edits.Refused, match="no such incident"):
        edits.set_incident(DRAFT, 7, {"onset": onset})


def test_a_conflict_is_settled_either_way() -> None:
    one = item(DRAFT, 0)
    mine = edits.change(DRAFT, one.ref, one.mark, time=one.time, label=one.label, words="my words")
    name = one.ref.removeprefix("b:")
    later = merge(mine, re.sub(rf"(?s)(id={re.escape(name)} sha=)\w+( -->\n)- (\S+) — .*?\n", _newer, DRAFT))
    entry = next(other for other in sheet(later).items if other.ref == one.ref)
    assert "newer words" in entry.newer
    taken = edits.take_newer(later, entry.ref, entry.mark)
    settled = next(other for other in sheet(taken).items if other.ref == one.ref)
    assert (settled.newer, settled.touched, "newer words" in settled.words) == ("", False, True)
    left = edits.take_newer(later, entry.ref, entry.mark, take=False)
    settled = next(other for other in sheet(left).items if other.ref == one.ref)
    assert (settled.newer, settled.words) == ("", "my words")


def _newer(match: re.Match[str]) -> str:
    from retrolog.pipeline.drafting.document import digest

    body = f"- {match[3]} — newer words\n"
    return f"{match[1]}{digest(body)}{match[2]}{body}"


@pytest.mark.parametrize(
    "edit",
    [
        lambda text, one: edits.keep(text, one.ref, "stale"),
        lambda text, one: edits.drop(text, one.ref, "stale"),
        lambda text, one: edits.change(text, one.ref, "stale", time="12:00:00", label="", words="x"),
        lambda text, one: edits.join(text, one.ref, one.mark, one.ref + "x", "stale"),
        lambda text, one: edits.set_action(text, 3, "stale", {"owner": "me"}),
    ],
)
def test_what_changed_meanwhile_is_never_overwritten(edit: Callable[[str, object], str]) -> None:
    with pytest.raises(edits.Stale):
        edit(DRAFT, item(DRAFT, 0))


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda: edits.add(DRAFT, time="soon", label="", words="x"), "is no time"),
        (lambda: edits.add(DRAFT, time="12:00:00", label="", words=" \n "), "needs words"),
        (
            lambda: edits.add(
                "---\nretrolog: {}\n---\nhello\n", time="2026-11-23 12:00:00", label="", words="x"
            ),
            "no timeline",
        ),
        (lambda: edits.set_status(DRAFT, "secret"), "one of"),
        (
            lambda: edits.join(
                DRAFT, item(DRAFT, 0).ref, item(DRAFT, 0).mark, item(DRAFT, 0).ref, item(DRAFT, 0).mark
            ),
            "merged with another",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(edit: Callable[[], str], why: str) -> None:
    with pytest.raises(edits.Refused, match=why):
        edit()


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("text", [DRAFT, WINDOWS], ids=["lf", "crlf"])
def test_no_words_break_the_structure_of_the_document(text: str, words: str) -> None:
    ids = list(parse(text).blocks)
    one = item(text, 0)
    row = sheet(text).actions[0]
    asked = sheet(text).questions[0]
    changed = [
        edits.change(text, one.ref, one.mark, time=one.time, label=words, words=words),
        edits.add(text, time=one.time, label=words, words=words),
        edits.answer(text, asked.ref, asked.mark, answer=words, owner=words),
        edits.answer(text, asked.ref, asked.mark, answer="", owner=words),
        edits.set_action(text, row.row, row.mark, {"owner": words, "action": words}),
        edits.add_action(text, {"action": words}),
    ]
    for new in changed:
        new.encode()
        assert list(parse(new).blocks) == ids
        assert parse(new).front == parse(text).front
        assert len(sheet(new).actions) in (len(sheet(text).actions), len(sheet(text).actions) + 1)


Edit = Callable[[str], str]
WORDS = st.one_of(st.text(min_size=1, max_size=30), st.sampled_from(HOSTILE))


@st.composite
def some_edit(draw: st.DrawFn) -> Callable[[Sheet], Edit | None]:
    """An edit that depends on what the document holds by the time it is made."""
    kind = draw(
        st.sampled_from(
            [
                "keep",
                "drop",
                "change",
                "join",
                "add",
                "promote",
                "answer",
                "set",
                "row",
                "away",
                "incident",
                "status",
            ]
        )
    )
    at, words, seconds = draw(st.integers(0, 99)), draw(WORDS), draw(st.integers(0, 540))
    time = f"12:{seconds // 60:02}:{seconds % 60:02}"

    def edit(page: Sheet) -> Edit | None:
        items, asked, rows = page.items, page.questions, page.actions
        one = items[at % len(items)] if items else None
        if kind == "add":
            return lambda text: edits.add(text, time=time, label="Chat", words=words)
        if kind == "promote":
            line = replace(LINE, line=at, digest=f"{at:016x}", text=words)
            return lambda text: edits.promote(text, time=time, label="", words="seen", evidence=line)
        if kind == "status":
            return lambda text: edits.set_status(text, "final" if at % 2 else "draft")
        if kind == "incident":
            moment = (page.window[0] or 0) + seconds * S
            return lambda text: edits.set_incident(text, 0, {"trigger": moment})
        if kind == "row":
            return lambda text: edits.add_action(text, {"action": words})
        if kind in ("set", "away") and rows:
            row = rows[at % len(rows)]
            if kind == "set":
                return lambda text: edits.set_action(text, row.row, row.mark, {"owner": words})
            return lambda text: edits.drop_action(text, row.row, row.mark)
        if kind == "answer" and asked:
            question = asked[at % len(asked)]
            return lambda text: edits.answer(text, question.ref, question.mark, answer=words)
        if one is None:
            return None
        if kind == "keep":
            return lambda text: edits.keep(text, one.ref, one.mark)
        if kind == "drop":
            return lambda text: edits.drop(text, one.ref, one.mark)
        if kind == "change":
            return lambda text: edits.change(text, one.ref, one.mark, time=time, label="Note", words=words)
        if kind == "join" and len(items) > 1:
            other = items[(at + 1) % len(items)]
            return lambda text: edits.join(text, one.ref, one.mark, other.ref, other.mark)
        return None

    return edit


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(some_edit(), max_size=8), windows=st.booleans())
def test_any_edits_then_undo_give_the_bytes_back_and_redo_the_edits(
    chosen: list[Callable[[Sheet], Edit | None]], windows: bool, tmp_path: Path
) -> None:
    path = tmp_path / "pm.md"
    start = WINDOWS if windows else DRAFT
    path.write_bytes(start.encode())
    store = Store(path)
    for make in chosen:
        edit = make(sheet(store.read()))
        if edit is None:
            continue
        try:
            store.change(edit, "a change")
        except edits.Refused:
            continue
        blocks = parse(store.read()).blocks
        assert set(blocks) - {name for name in blocks if name.startswith("evidence.")} <= set(
            parse(start).blocks
        )
        times = [one.moment for one in sheet(store.read()).items if one.moment is not None]
        assert times == sorted(times)
    edited = store.read()
    human = _human(edited, start)
    later = again(edited)
    for words in human:
        assert words in later, "what a human wrote survives a later draft byte for byte"
    assert again(later) == later
    while store.undoable:
        store.undo()
    assert path.read_bytes() == start.encode()
    while store.redoable:
        store.redo()
    assert store.read() == edited


def _human(edited: str, start: str) -> list[str]:
    """What a human changed: the bodies of blocks that are no longer as drafted, and entries of their own."""
    drafted = parse(start).blocks
    blocks = [b.body for b in parse(edited).blocks.values() if b.id in drafted and b.touched]
    return blocks + [one.words for one in sheet(edited).items if one.own and one.words in edited]
