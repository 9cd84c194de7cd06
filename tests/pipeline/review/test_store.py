"""The file on disk: written at once, merged with what an editor did, taken back part by part."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.drafting import draft
from retrolog.pipeline.errors import CannotWrite, NotADraft
from retrolog.pipeline.review import edits
from retrolog.pipeline.review.sheet import sheet
from retrolog.pipeline.review.store import Clash, Store, fingerprint, merge

from ..example import FINDINGS

DRAFT = draft.markdown(FINDINGS, "retrolog draft logs")
LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "\n"]), max_size=8).map("".join)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    path = tmp_path / "pm.md"
    path.write_text(DRAFT)
    return Store(path)


def add(words: str, time: str = "12:04:00"):  # type: ignore[no-untyped-def]
    return lambda text: edits.add(text, time=time, label="", words=words)


def test_a_file_that_is_no_draft_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# shopping\n")
    with pytest.raises(NotADraft, match="holds no retrolog draft"):
        Store(tmp_path / "notes.md")


def test_a_file_that_went_away_is_said_so(store: Store) -> None:
    store.path.unlink()
    with pytest.raises(NotADraft, match="moved"):
        store.change(add("x"), "add")


def test_a_file_that_nobody_may_write_stays_and_is_said_so(store: Store) -> None:
    store.path.chmod(0o444)
    with pytest.raises(CannotWrite, match="read-only"):
        store.change(add("x"), "add")
    assert store.path.read_text() == DRAFT
    assert store.undoable == ""
    store.path.chmod(0o644)
    assert "Said so." in store.change(add("Said so."), "add")


def test_two_pages_on_one_file_keep_what_both_did(store: Store) -> None:
    other = Store(store.path)
    store.change(add("From the one."), "add")
    other.change(add("From the other."), "add")
    store.change(add("Again from the one."), "add")
    text = store.read()
    assert all(words in text for words in ("From the one.", "From the other.", "Again from the one."))
    store.undo()
    assert "From the other." in store.read(), "undo takes back its own page's change"
    assert "Again from the one." not in store.read()


def test_every_change_is_in_the_file_at_once(store: Store) -> None:
    store.change(add("first"), "entry added")
    assert "first" in store.path.read_text()
    assert store.undoable == "entry added"
    store.undo()
    assert store.path.read_text() == DRAFT
    assert (store.undoable, store.redoable) == ("", "entry added")
    store.redo()
    assert "first" in store.path.read_text()


def test_a_new_change_forgets_what_was_taken_back(store: Store) -> None:
    store.change(add("first"), "one")
    store.undo()
    store.change(add("second"), "two")
    assert store.redoable == ""


def test_undo_keeps_what_an_editor_did_elsewhere(store: Store) -> None:
    store.change(add("from the page"), "entry added")
    store.path.write_text(store.path.read_text() + "\nFrom the editor.\n")
    text = store.undo()
    assert "from the page" not in text
    assert text == DRAFT + "\nFrom the editor.\n"
    assert "from the page" in store.redo()


def test_a_change_lands_on_what_the_editor_wrote(store: Store) -> None:
    store.path.write_text(DRAFT.replace("# ", "# Edited ", 1))
    text = store.change(add("from the page"), "entry added")
    assert "# Edited " in text
    assert "from the page" in text


def test_undo_refuses_to_undo_what_an_editor_changed_after_it(store: Store) -> None:
    one = sheet(DRAFT).items[0]
    store.change(
        lambda text: edits.change(text, one.ref, one.mark, time=one.time, label="", words="page words"),
        "changed",
    )
    store.path.write_text(store.path.read_text().replace("page words", "editor words"))
    with pytest.raises(Clash, match="changed"):
        store.undo()
    assert "editor words" in store.path.read_text()
    assert store.undoable == "changed"


def test_an_edit_that_fails_leaves_the_file(store: Store) -> None:
    with pytest.raises(edits.Refused):
        store.change(add("x", time="soon"), "add")
    assert store.path.read_text() == DRAFT
    assert not store.undoable


def test_bytes_that_are_no_utf8_come_back(tmp_path: Path) -> None:
    path = tmp_path / "pm.md"
    path.write_bytes(DRAFT.encode() + b"\nbroken \xff\xfe\n")
    store = Store(path)
    store.change(add("x"), "add")
    assert b"\xff\xfe" in path.read_bytes()
    store.undo()
    assert path.read_bytes() == DRAFT.encode() + b"\nbroken \xff\xfe\n"


def test_changes_from_many_threads_all_arrive(store: Store) -> None:
    threads = [threading.Thread(target=store.change, args=(add(f"entry {n}."), "add")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"entry {n}." in store.read() for n in range(12))


def test_a_save_between_reading_and_writing_is_seen(store: Store) -> None:
    raced = []

    def edit(text: str) -> str:
        if not raced:
            raced.append(True)
            store.path.write_text(text + "\nSaved just now.\n")
        return edits.add(text, time="12:04:00", label="", words="from the page")

    text = store.change(edit, "add")
    assert "Saved just now." in text
    assert "from the page" in text


@given(LINES, LINES, LINES)
def test_merging_takes_both_sides_or_refuses(base: str, ours: str, theirs: str) -> None:
    assert merge(base, base, theirs) == theirs
    assert merge(base, ours, base) == ours
    assert merge(base, ours, ours) == ours
    merged = merge(base, ours, theirs)
    other = merge(base, theirs, ours)
    assert (merged is None) == (other is None)
    if merged is not None:
        assert sorted(merged) == sorted(other or "")


@given(st.text(), st.text(), st.text())
def test_merging_takes_any_text(base: str, ours: str, theirs: str) -> None:
    merge(base, ours, theirs)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected", "why"),
    [
        ("a\nb\nc\n", "x\nb\nc\n", "a\nb\ny\n", "x\nb\ny\n", "apart"),
        ("a\nb\n", "x\nb\n", "a\ny\n", "x\ny\n", "next to each other"),
        ("a\nb\n", "x\nb\n", "y\nb\n", None, "the same line, differently"),
        ("a\nb\n", "x\nb\n", "x\nb\n", "x\nb\n", "the same line, alike"),
        ("a\nb\n", "b\n", "a\nb\nc\n", "b\nc\n", "one takes away, one adds"),
        ("a\n", "a\nx\n", "a\ny\n", "a\ny\nx\n", "both add at one place"),
    ],
)
def test_merging_case_by_case(base: str, ours: str, theirs: str, expected: str | None, why: str) -> None:
    assert merge(base, ours, theirs) == expected, why


def test_fingerprints_tell_texts_apart() -> None:
    assert fingerprint("a") != fingerprint("b")
    assert fingerprint("\udcff")
