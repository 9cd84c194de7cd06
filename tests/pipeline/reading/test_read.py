"""Whatever a log is packed in, the same text comes out, its lines are numbered right, and damage is said, not raised."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retrolog.pipeline.reading import decoders, read, unpack
from retrolog.pipeline.reading.logfile import LogFile
from retrolog.pipeline.reading.read import read_blocks, read_lines, same_text
from retrolog.pipeline.reading.slices import Step
from retrolog.pipeline.reading.sources import discover

TEXT = b"".join(b"2026-11-23 10:%02d:%02d caf\xc3\xa9 %d\n" % (i // 60 % 60, i % 60, i) for i in range(3000))


def tar(data: bytes, mode: str = "w", name: str = "var/log/app.log") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo(name)
        info.size, info.mtime = len(data), 1_700_000_000
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(data: bytes, method: int = zipfile.ZIP_DEFLATED, name: str = "var/log/app.log") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo(name, (2026, 11, 23, 10, 0, 0)), data, method)
    return out.getvalue()


def lzipped(data: bytes) -> bytes:
    """One lzip member with a dictionary of 8 MiB."""
    settings = {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 23, "lc": 3, "lp": 0, "pb": 2}
    packed = lzma.compress(data, format=lzma.FORMAT_RAW, filters=[settings])
    return b"LZIP\x01\x17" + packed + struct.pack("<IQQ", zlib.crc32(data), len(data), len(packed) + 26)


def lzw(data: bytes) -> bytes:
    """What `compress -b 16` makes of data whose table does not fill: groups of eight codes, padded where codes grow wider."""
    table = {bytes((value,)): value for value in range(256)}
    out, group, width, written, text = bytearray(b"\x1f\x9d\x90"), list[int](), 9, 0, b""
    for at in range(len(data) + 1):
        longer = text + data[at : at + 1]
        if at < len(data) and longer in table:
            text = longer
            continue
        if text:
            group.append(table[text])
            written += 1
            table[longer] = 256 + len(table) - 255
        text = data[at : at + 1]
        grows = 256 + written > (1 << width) - 1 and width < 16  # the reader's table is one text behind
        if len(group) == 8 or grows or at == len(data):
            packed = sum(code << place * width for place, code in enumerate(group)).to_bytes(width, "little")
            out += packed if at < len(data) else packed[: (len(group) * width + 7) // 8]
            group.clear()
            width += grows
    return bytes(out)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzip": lzipped,
    "compress": lzw,
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
    "tar": tar,
    "tar.gz": lambda data: tar(data, "w:gz"),
    "tar.bz2": lambda data: tar(data, "w:bz2"),
    "tar.xz": lambda data: tar(data, "w:xz"),
    "tar.Z": lambda data: lzw(tar(data)),
    "tar.lz": lambda data: lzipped(tar(data)),
    "tar.zst": lambda data: zstandard.compress(tar(data)),
    "tar.lz4": lambda data: lz4.frame.compress(tar(data)),
    "zip": zipped,
}
STREAMS = ("gzip", "bzip2", "xz", "lzip", "zstd", "lz4")


def one_file(folder: Path, data: bytes, name: str = "some.name") -> LogFile:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    (file,) = discover([folder / name]).files
    return file


def text_of(file: LogFile, **options: int) -> bytes:
    return b"".join(block.data for block in read_blocks(file, **options))


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("name", ["app.log", "app.log.gz", "app.zip", "noise"])
def test_any_container_under_any_name_gives_the_same_text(tmp_path: Path, kind: str, name: str) -> None:
    file = one_file(tmp_path, PACKERS[kind](TEXT), name)
    blocks = read_blocks(file, block_size=4096)
    assert b"".join(block.data for block in blocks) == TEXT
    assert blocks.notes == []
    assert file.container == kind


@pytest.mark.parametrize("inner", PACKERS)
@pytest.mark.parametrize("outer", PACKERS)
def test_containers_nest(tmp_path: Path, outer: str, inner: str) -> None:
    file = one_file(tmp_path, PACKERS[outer](PACKERS[inner](TEXT)))
    assert text_of(file) == TEXT


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_methods(tmp_path: Path, method: int) -> None:
    assert text_of(one_file(tmp_path, zipped(TEXT, method))) == TEXT


def with_method(archive: bytes, method: int) -> bytes:
    """A zip archive of one stored entry, said to be packed by another method (APPNOTE.TXT, 4.3.7 and 4.3.12)."""
    directory = archive.index(b"PK\x01\x02")
    number = method.to_bytes(2, "little")
    return archive[:8] + number + archive[10 : directory + 10] + number + archive[directory + 12 :]


def test_zip_method_that_is_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(with_method(zipped(TEXT, zipfile.ZIP_STORED), 6))
    (tmp_path / "b.log").write_bytes(TEXT)
    (skipped,) = discover([tmp_path]).skipped
    assert "implode" in skipped.reason


def test_zip_entries_of_enhanced_deflate_and_zstandard(tmp_path: Path) -> None:
    inflate64 = pytest.importorskip("inflate64")
    packer = inflate64.Deflater()
    enhanced = packer.deflate(TEXT) + packer.flush()
    for name, packed, method in (("a", enhanced, 9), ("b", zstandard.compress(TEXT), 93)):
        assert text_of(one_file(tmp_path / name, with_method(zipped(packed, zipfile.ZIP_STORED), method))) == TEXT


def test_damaged_lzma_entry_is_noted(tmp_path: Path) -> None:
    for name, packed in (("size", b"\x09\x04\x07\x00" + bytes(40)), ("memory", b"\x09\x04\x05\x00\x5d\xff\xff\xff\xff" + bytes(40))):
        blocks = read_blocks(one_file(tmp_path / name, with_method(zipped(packed, zipfile.ZIP_STORED), 14)))
        assert not b"".join(block.data for block in blocks)
        assert any("LZMA" in note.text for note in blocks.notes)


@pytest.mark.parametrize("kind", STREAMS)
def test_several_members_are_one_text(tmp_path: Path, kind: str) -> None:
    packed = b"".join(PACKERS[kind](part) for part in (TEXT[:1000], b"", TEXT[1000:50_000], TEXT[50_000:]))
    assert text_of(one_file(tmp_path, packed)) == TEXT


@pytest.mark.parametrize("kind", STREAMS)
def test_zero_padding_is_no_garbage_but_other_bytes_are(tmp_path: Path, kind: str) -> None:
    padded = read_blocks(one_file(tmp_path / "a", PACKERS[kind](TEXT) + bytes(1024)))
    assert b"".join(block.data for block in padded) == TEXT
    assert padded.notes == []
    followed = read_blocks(one_file(tmp_path / "b", PACKERS[kind](TEXT) + b"something else altogether"))
    assert b"".join(block.data for block in followed) == TEXT
    assert [note.kind for note in followed.notes] == ["garbage"]


@pytest.mark.parametrize("kind", STREAMS)
@settings(max_examples=40, deadline=None)
@given(cut=st.floats(0, 1, exclude_max=True))
def test_truncated_anywhere_gives_a_prefix_and_a_note(
    tmp_path_factory: pytest.TempPathFactory, kind: str, cut: float
) -> None:
    packed = PACKERS[kind](TEXT)
    keep = max(10, int(len(packed) * cut))
    path = tmp_path_factory.mktemp("cut") / "x"
    path.write_bytes(packed[:keep])
    (file,) = discover([path]).files
    blocks = read_blocks(file)
    got = b"".join(block.data for block in blocks)
    # Only the last line may be incomplete, and a cut inside a character shows as U+FFFD.
    assert TEXT.startswith(got.removesuffix("\ufffd".encode()))
    assert [note.kind for note in blocks.notes if note.kind != "encoding"] == ["truncated"]


def test_truncated_gzip_gives_all_that_zlib_can(tmp_path: Path) -> None:
    import zlib

    packed = gzip.compress(TEXT)
    for keep in range(20, len(packed), 997):
        expected = zlib.decompressobj(31).decompress(packed[:keep])
        (tmp_path / "x").write_bytes(packed[:keep])
        (file,) = discover([tmp_path / "x"]).files
        got = text_of(file)
        assert len(got) >= len(expected) - 300, keep  # a decoder may hold back what may be a longer match


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(STREAMS), at=st.floats(0.05, 1, exclude_max=True), flip=st.integers(1, 255))
def test_flipped_bytes_never_raise(
    tmp_path_factory: pytest.TempPathFactory, kind: str, at: float, flip: int
) -> None:
    packed = bytearray(PACKERS[kind](TEXT))
    packed[int(len(packed) * at)] ^= flip
    path = tmp_path_factory.mktemp("flip") / "x"
    path.write_bytes(packed)
    for file in discover([path]).files:
        blocks = read_blocks(file)
        got = b"".join(block.data for block in blocks)
        if kind not in ("zstd", "lz4"):  # these two need not carry a checksum
            assert blocks.notes or got == TEXT


def test_wrong_gzip_checksum_keeps_the_text(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 1
    blocks = read_blocks(one_file(tmp_path, bytes(packed)))
    assert b"".join(block.data for block in blocks) == TEXT
    assert [note.kind for note in blocks.notes] == ["corrupt"]


def test_gzip_header_fields_are_passed_over(tmp_path: Path) -> None:
    plain = gzip.compress(TEXT, mtime=0)
    flags = 4 | 8 | 16 | 2  # extra field, name, comment, header checksum
    header = plain[:3] + bytes([flags]) + plain[4:10] + b"\x05\x00extra" + b"name\0" + b"comment\0" + b"\0\0"
    assert text_of(one_file(tmp_path, header + plain[10:])) == TEXT


@pytest.mark.parametrize("kind", STREAMS)
def test_a_bomb_is_refused_and_what_was_read_is_kept(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = decoders.Limits(floor=1 << 20, ratio=50)
    monkeypatch.setattr(unpack.Unpacked.__init__, "__defaults__", (limits,))
    bomb = PACKERS[kind](b"same line\n" * 4_000_000)
    blocks = read_blocks(one_file(tmp_path, bomb), block_size=1 << 18)
    size = sum(len(block.data) for block in blocks)
    assert size + (1 << 18) >= 1 << 20
    assert size < 40_000_000
    assert [note.kind for note in blocks.notes] == ["bomb"]
    assert "refused" in blocks.notes[0].text


def test_a_bomb_inside_a_bomb_is_measured_from_the_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = decoders.Limits(floor=1 << 20, ratio=2000)  # one layer of gzip alone reaches 1030
    monkeypatch.setattr(unpack.Unpacked.__init__, "__defaults__", (limits,))
    blocks = read_blocks(one_file(tmp_path, gzip.compress(gzip.compress(b"same line\n" * 10_000_000))))
    assert sum(len(block.data) for block in blocks) < 50_000_000
    assert "bomb" in {note.kind for note in blocks.notes}


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    blocks = read_blocks(one_file(tmp_path, zipped(b"\n" * (200 << 20))))
    assert sum(len(block.data) for block in blocks) < 100 << 20
    assert [note.kind for note in blocks.notes] == ["bomb"]


# Encodings.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("bom", [True, False])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("packer", ["plain", "gzip", "zip"])
def test_encodings(tmp_path: Path, encoding: str, bom: bool, ending: str, packer: str) -> None:
    text = "".join(f"2026-11-23 10:00:{i % 60:02d} größe 日本 😀 {i}{ending}" for i in range(2000))
    data = ("\ufeff" * bom + text).encode(encoding)
    file = one_file(tmp_path, PACKERS[packer](data))
    assert (file.encoding, file.bom > 0) == (encoding, bom)
    assert text_of(file, block_size=1000) == text.encode()
    assert sum(block.lines for block in read_blocks(file, block_size=1000)) == 2000


def test_odd_end_of_utf_16_is_shown(tmp_path: Path) -> None:
    file = one_file(tmp_path, "line\nend".encode("utf-16") + b"x")
    assert text_of(file) == "line\nend\ufffd".encode()


def test_invalid_bytes_are_visible_and_offsets_stay_those_of_the_file(tmp_path: Path) -> None:
    rows = [
        b"first \xff\xfe row\n",
        b"second\n",
        b"caf\xe9\n",
        b"good \xc3\xa9\n",
        b"a\0b\n",
        b"\xf0\x28\x8c\n",
        b"last\n",
    ]
    data = b"".join(rows)
    file = one_file(tmp_path, data)
    blocks = read_blocks(file)
    (block,) = blocks
    assert block.data == data.decode("utf-8", "replace").encode()
    assert block.lines == 7
    at = position = 0
    for row in rows:
        assert block.original(position) == at
        shown = row.decode("utf-8", "replace").encode()
        assert block.original(position + len(shown)) == at + len(row)
        assert read_lines(file, [(1, at, len(row.rstrip(b"\n")))])[1] == shown.rstrip(b"\n")
        at, position = at + len(row), position + len(shown)
    assert [note.kind for note in blocks.notes] == ["encoding"]


@pytest.mark.parametrize("packer", ["plain", "gzip"])
def test_hole_left_by_truncating_an_open_log(tmp_path: Path, packer: str) -> None:
    data = b"\0" * 3_000_000 + b"2026-11-23 10:00:00 after\nnext\n" + b"\0" * 100
    file = one_file(tmp_path, PACKERS[packer](data))
    blocks = read_blocks(file, block_size=4096)
    got = list(blocks)
    assert b"".join(block.data for block in got).rstrip(b"\0") == b"2026-11-23 10:00:00 after\nnext\n"
    assert got[0].original(0) == 3_000_000
    assert [note.kind for note in blocks.notes] == ["hole"]
    assert read_lines(file, [(1, 3_000_000, 25)]) == {1: b"2026-11-23 10:00:00 after"}


@pytest.mark.parametrize("packer", ["plain", "xz"])
def test_a_line_without_end_is_cut_and_the_next_is_where_it_was(
    tmp_path: Path, packer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "LONGEST_LINE", 10_000)
    data = b"first\n" + b"y" * 50_000 + b"\nthird\n" + b"z" * 20_000
    file = one_file(tmp_path, PACKERS[packer](data))
    blocks = read_blocks(file, block_size=1000)
    got = list(blocks)
    lines = b"".join(block.data for block in got).split(b"\n")
    assert [len(line) for line in lines] == [5, 10_000, 5, 10_000]
    third = next(block for block in got if b"third" in block.data)
    assert third.original(third.data.index(b"third")) == data.index(b"third")
    assert third.line + third.data[: third.data.index(b"third")].count(b"\n") == 3
    assert [note.kind for note in blocks.notes] == ["long_line", "long_line"]
    assert "line 2 has 50,000 bytes" in blocks.notes[0].text
    assert "line 4 has 20,000 bytes" in blocks.notes[1].text


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"x", b"x\n", b"\n\n\nx", b"\r\n", b"\0", b"\xef\xbb\xbf", b"\xff\xfe"]
)
def test_small_files(tmp_path: Path, data: bytes) -> None:
    file = one_file(tmp_path, data)
    blocks = list(read_blocks(file))
    text = data[file.bom :]
    assert b"".join(block.data for block in blocks) == text
    assert sum(block.lines for block in blocks) == text.count(b"\n") + (text[-1:] not in (b"", b"\n"))


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    data = "a\rb\x0bc\x0cd\x1ce\x85f\u2028g\u2029h\n".encode()
    (block,) = read_blocks(one_file(tmp_path, data))
    assert (block.lines, block.data) == (1, data)


# Laws.

_line = st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b" "))


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(_line, max_size=40),
    size=st.integers(1, 200),
    kind=st.sampled_from(["plain", "gzip", "zstd"]),
)
@example(lines=[b"", b"\xc3", b"\xa9"], size=1, kind="plain")
def test_lines_are_conserved_at_any_block_size(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int, kind: str
) -> None:
    data = b"x" + b"\n".join(lines)
    path = tmp_path_factory.mktemp("law") / "f"
    path.write_bytes(PACKERS[kind](data))
    file = LogFile("f", str(path), () if kind == "plain" else (Step(kind),))
    number, end, texts = 1, 0, []
    for block in read_blocks(file, block_size=size):
        assert block.line == number
        assert block.original(0) == end
        assert block.data.endswith(b"\n") or block.original(len(block.data)) == len(data)
        number, end = number + block.lines, block.original(len(block.data))
        texts.append(block.data)
    assert end == len(data)
    assert b"".join(texts) == data.decode("utf-8", "replace").encode()
    assert number - 1 == data.count(b"\n") + (not data.endswith(b"\n"))


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=400))
def test_any_bytes_never_raise(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "f"
    path.write_bytes(raw)
    for encoding in ("utf-8", "utf-16-le", "utf-32-be"):
        text = text_of(LogFile("f", str(path), encoding=encoding))
        text.decode()  # it is always valid UTF-8


@pytest.mark.parametrize("kind", ["plain", "gzip", "tar.gz", "zip", "zstd"])
def test_cited_lines_come_back(tmp_path: Path, kind: str) -> None:
    file = one_file(tmp_path, PACKERS[kind](TEXT))
    wanted, expected, offset = [], {}, 0
    for number, line in enumerate(TEXT.split(b"\n"), 1):
        if number % 711 == 5:
            wanted.append((number, offset, len(line)))
            expected[number] = line
        offset += len(line) + 1
    assert read_lines(file, reversed(wanted)) == expected
    assert read_lines(file, [(9, len(TEXT) + 5, 10)]) == {}


@pytest.mark.parametrize("kind", ["plain", "gzip", "tar", "zip"])
def test_reading_from_the_middle_to_a_stop(tmp_path: Path, kind: str) -> None:
    start, stop = TEXT.index(b"\n", 5000) + 1, TEXT.index(b"\n", 60_000) + 1
    file = one_file(tmp_path, PACKERS[kind](TEXT))
    blocks = list(read_blocks(file, start=start, stop=stop, line=77, block_size=999))
    assert b"".join(block.data for block in blocks) == TEXT[start:stop]
    assert (blocks[0].offset, blocks[0].line) == (start, 77)


def test_a_growing_file_is_read_to_its_size_when_opened(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\n" * 1000)
    (file,) = discover([path]).files
    blocks = read_blocks(file, block_size=100)
    first = next(blocks)
    with path.open("ab") as more:
        more.write(b"two\n" * 1000)
    assert first.data + b"".join(block.data for block in blocks) == b"one\n" * 1000


def test_a_file_that_shrinks_or_goes_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\n" * 1000)
    (file,) = discover([path]).files
    blocks = read_blocks(file, block_size=100)
    next(blocks)
    path.write_bytes(b"")
    assert list(blocks) == []
    assert [note.kind for note in blocks.notes] == ["shrunk"]
    path.unlink()
    gone = read_blocks(file)
    assert list(gone) == []
    assert [note.kind for note in gone.notes] == ["unreadable"]
    assert read_lines(file, [(1, 0, 3)]) == {}


def test_same_text_looks_through_containers(tmp_path: Path) -> None:
    one, two = one_file(tmp_path, TEXT, "a"), one_file(tmp_path, gzip.compress(TEXT), "b")
    three = one_file(tmp_path, gzip.compress(TEXT + b"more"), "c")
    assert same_text(one, two)
    assert not same_text(one, three)
    assert not same_text(three, two)


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_what_was_only_glanced_at_reads_on_as_text(tmp_path: Path, packing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small blocks as they are stored, until one is taken: lines, offsets and edits are then those of reading all as text."""
    monkeypatch.setattr(read, "_GLANCED", 20_000)
    monkeypatch.setattr(read, "_PIECE", 10_000)
    rows = [b"line %d caf\xff\xfe%s\n" % (n, b"\0" * (40 if n % 700 == 0 else 2)) for n in range(8000)]
    data = b"".join(rows)
    file = one_file(tmp_path, PACKERS[packing](data), f"log.{packing}")
    blocks = read_blocks(file, block_size=50_000).glance()
    passed = [next(blocks) for _ in range(3)]
    assert [block.stored for block in passed] == [True] * 3
    assert b"".join(block.data for block in passed) == data[: sum(len(block.data) for block in passed)]
    kept = [blocks.take(passed[-1]), *blocks]
    assert not any(block.stored for block in kept)
    text = b"".join(block.data for block in kept)
    assert text_of(file).endswith(text)
    first = passed[2]
    assert (kept[0].line, kept[0].offset) == (first.line, first.offset) == (sum(b.lines for b in passed[:2]) + 1, sum(len(b.data) for b in passed[:2]))
    assert sum(block.lines for block in kept) == len(rows) - first.line + 1
    line = text.split(b"\n")[100]
    place = text.index(line)
    assert place < len(kept[0].data)
    assert data[kept[0].original(place) :].startswith(rows[first.line - 1 + 100].split(b"\xff")[0])
    assert blocks.replaced == 2 * (len(rows) - first.line + 1)  # of what was left out nothing is said
