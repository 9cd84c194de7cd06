"""7z archives: read where py7zr is installed, a clear word where it is not."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from retrolog.pipeline.errors import NothingToRead
from retrolog.pipeline.reading import decoders, sevenzip
from retrolog.pipeline.reading.logfile import LogFile
from retrolog.pipeline.reading.read import read_blocks
from retrolog.pipeline.reading.sources import discover

TEXT = b"".join(b"2026-11-23 10:00:%02d line %d\n" % (n % 60, n) for n in range(5000))


def pack(members: dict[str, bytes]) -> bytes:
    py7zr = pytest.importorskip("py7zr")
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(data, name)
    return out.getvalue()


def text_of(file: LogFile) -> bytes:
    return b"".join(block.data for block in read_blocks(file))


def test_members_with_their_own_wrappers(tmp_path: Path) -> None:
    packed = pack(
        {"a/one.log": TEXT, "empty.log": b"", "two.log.gz": gzip.compress(TEXT), "three.log": TEXT[:99]}
    )
    (tmp_path / "bundle.7z").write_bytes(packed)
    found = discover([tmp_path])
    assert {file.file: (file.container, text_of(file)) for file in found.files} == {
        "bundle.7z/a/one.log": ("7z", TEXT),
        "bundle.7z/empty.log": ("7z", b""),
        "bundle.7z/three.log": ("7z", TEXT[:99]),
        "bundle.7z/two.log.gz": ("7z/gzip", TEXT),
    }


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bundle.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    monkeypatch.setitem(sys.modules, "py7zr", None)
    with pytest.raises(NothingToRead, match=r"retrolog\[7z\]"):
        discover([tmp_path])


@pytest.mark.parametrize("cut", [8, 40, 200, -50, -5])
def test_damage_is_said(tmp_path: Path, cut: int) -> None:
    (tmp_path / "bundle.7z").write_bytes(pack({"one.log": TEXT})[:cut])
    (tmp_path / "other.log").write_bytes(TEXT)
    found = discover([tmp_path])
    assert [file.file for file in found.files] == ["other.log"]
    assert "7z" in found.skipped[0].reason


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sevenzip, "LIMITS", decoders.Limits(floor=1 << 20, ratio=10))
    (tmp_path / "bundle.7z").write_bytes(pack({"one.log": b"same\n" * 1_000_000}))
    (file,) = discover([tmp_path]).files
    blocks = read_blocks(file)
    assert sum(len(block.data) for block in blocks) <= 1 << 20
    assert [note.kind for note in blocks.notes] == ["bomb"]
