"""Binary journals: an event an entry, the same by journalctl and by the library, wherever the journal lies; damage is said.

`data/small.journal.xz` was made by systemd-journal-remote from five entries in the export format.
"""

import importlib.util
import json
import lzma
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from retrolog.pipeline.reading import journal
from retrolog.pipeline.reading.read import read_blocks
from retrolog.pipeline.reading.sources import discover

PACKED = (Path(__file__).parent / "data" / "small.journal.xz").read_bytes()
LISTED = shutil.which("journalctl") is not None


LIBRARY = importlib.util.find_spec("cysystemd") is not None
WAYS = [
    pytest.param("journalctl", marks=pytest.mark.skipif(not LISTED, reason="journalctl is not installed")),
    pytest.param("cysystemd", marks=pytest.mark.skipif(not LIBRARY, reason="cysystemd is not installed")),
]


def entries(folder: Path) -> tuple[list[dict[str, str]], list[str]]:
    (file,) = discover([str(folder)]).files
    blocks = read_blocks(file)
    text = b"".join(block.data for block in blocks)
    return [json.loads(row) for row in text.splitlines()], [note.text for note in blocks.notes]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wrapped", ["plain", "xz", "tar"])
def test_each_entry_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, wrapped: str) -> None:
    if way != "journalctl":
        monkeypatch.setattr(journal, "_journalctl", lambda: None)
    logs = tmp_path / "logs"
    logs.mkdir()
    if wrapped == "xz":
        (logs / "system.journal.xz").write_bytes(PACKED)
    else:
        plain = (logs if wrapped == "plain" else tmp_path) / "system.journal"
        plain.write_bytes(lzma.decompress(PACKED))
    if wrapped == "tar":
        with tarfile.open(logs / "bundle.tar", "w") as archive:
            archive.add(tmp_path / "system.journal", "var/system.journal")
    rows, notes = entries(logs)
    assert not notes
    assert [row["SYSLOG_IDENTIFIER"] for row in rows] == ["nginx", "nginx", "app", "app", "kernel"]
    assert [row["__REALTIME_TIMESTAMP"] for row in rows] == [str(1795430429000000 + n * 1000000) for n in range(5)]
    assert rows[3]["MESSAGE"] == "first row\nsecond row"


@pytest.mark.skipif(not (LISTED and LIBRARY), reason="needs journalctl and cysystemd")
def test_both_ways_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "system.journal").write_bytes(lzma.decompress(PACKED))
    listed = entries(tmp_path)
    monkeypatch.setattr(journal, "_journalctl", lambda: None)
    assert entries(tmp_path) == listed


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [300, 5000])
def test_a_damaged_journal_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, size: int) -> None:
    if way != "journalctl":
        monkeypatch.setattr(journal, "_journalctl", lambda: None)
    (tmp_path / "system.journal").write_bytes(lzma.decompress(PACKED)[:size])
    rows, notes = entries(tmp_path)
    assert rows == []
    assert "the journal cannot be read further" in notes[0]


def test_without_a_reader_it_is_skipped_and_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_journalctl", lambda: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (tmp_path / "system.journal").write_bytes(lzma.decompress(PACKED))
    (tmp_path / "app.log").write_text("2026-11-23 10:40:29 x\n")
    (skipped,) = discover([str(tmp_path)]).skipped
    assert "retrolog[journal]" in skipped.reason


@pytest.mark.skipif(not LISTED, reason="journalctl is not installed")
def test_a_name_is_no_pattern_and_no_option(tmp_path: Path) -> None:
    name = "--file=[a]*.journal"
    (tmp_path / name).write_bytes(lzma.decompress(PACKED))
    rows, notes = entries(tmp_path)
    assert len(rows) == 5
    assert not notes
    assert os.listdir(tmp_path) == [name]
