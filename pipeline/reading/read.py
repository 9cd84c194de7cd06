"""Reads a log file as blocks of whole lines in UTF-8, and fetches single lines back.

Only LF ends a line; a CR before it is left for the parser. The last line may lack its LF. Text arrives as valid
UTF-8: bytes that are none become U+FFFD, and a long run of NULs (what truncating an open log leaves) is taken out
and noted. Both change lengths, so every block can tell where its text stood before.

Offsets count bytes in the unpacked file as it is stored, byte order mark included, so that they can be sought
and stay true whether a file is read whole or in part. For UTF-16 and UTF-32 they count bytes in the recoded UTF-8 text.
"""

from __future__ import annotations

import codecs
import re
import threading
from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from .logfile import LogFile
from .slices import Slice
from .unpack import ReadNote

__all__ = [
    "BLOCK",
    "LONGEST_LINE",
    "Block",
    "Blocks",
    "ReadNote",
    "mended",
    "newlines",
    "read_blocks",
    "read_lines",
    "same_text",
]

BLOCK = 8 << 20
#: What is only glanced at comes in blocks that the processor's cache holds.
_GLANCED = 1 << 20
#: A longer line is cut here, so that a file without line ends cannot fill the memory.
LONGEST_LINE = 16 << 20
_PIECE = 1 << 18
_PEEK = 1 << 12
_LF = b"\n"
_HOLE = 16  # fewer NULs in a row are part of the text
_NULS = re.compile(rb"\0{%d,}" % _HOLE)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file as UTF-8: `data`, the first line's number (from 1), its offset, and how many lines."""

    data: bytes
    line: int
    offset: int
    lines: int
    #: Where replaced text ends in `data`, and how many bytes the file is ahead of `data` from there on.
    edits: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    stored: bool = False  # `data` is as it is stored, which may be no UTF-8: see `Blocks.glance`

    def original(self, position: int) -> int:
        """Turn a position in `data` (0 to its length) into an offset in the file."""
        ends, ahead = self.edits
        if not ends:
            return self.offset + position
        at = bisect_right(ends, position)
        return self.offset + position + (ahead[at - 1] if at else 0)


class Blocks(Iterator[Block]):
    """The blocks of a file in order; `notes` says what was wrong with it, completely once the last block was taken.

    `replaced` places were no UTF-8, `hole` NUL bytes were left out so far.
    """

    def __init__(self, file: LogFile, start: int, stop: int | None, line: int, block_size: int) -> None:
        self.file = file
        self.notes: list[ReadNote] = []
        self._start, self._stop, self._line, self._size = start, stop, line, block_size
        self.replaced = 0
        self.hole = 0
        self._glancing = False
        self._blocks = self._read()

    def __next__(self) -> Block:
        return next(self._blocks)

    def close(self) -> None:
        """Stop before the end and close the file."""
        self._blocks.close()

    def glance(self) -> Blocks:
        """From here on blocks come small, as they are in the processor's cache, and as they are stored, until one is taken."""
        self._glancing = True
        return self

    def take(self, block: Block) -> Block:
        """A block that was glanced at, as text; those after it come so, too."""
        self._glancing = False
        if not block.stored:
            return block
        data, ends, ahead, replaced, hole = _clean(block.data)
        self.replaced += replaced
        self.hole += hole
        return replace(block, data=data, edits=(tuple(ends), tuple(ahead)), stored=False)

    def _read(self) -> Generator[Block]:
        try:
            stream = self.file.open(self.notes)
        except OSError as error:
            self._note("unreadable", f"it could not be opened ({error.strerror or error})")
            return
        with stream:
            start = max(self._start, 0 if _recoded(self.file) else self.file.bom)
            yield from self._split(_text(self.file, stream, start, self._stop, self._size, self.notes), start)
        self.notes += mended(self.replaced, self.hole)

    def _split(self, chunks: Iterable[bytes], offset: int) -> Generator[Block]:
        """Gather chunks to blocks that end after a line; `offset` is where the lines being gathered begin."""
        done: list[bytes] = []  # whole lines
        tail: list[bytes] = []  # the line that has begun
        whole = kept = lost = hole = 0  # bytes of both; cut off that line as too long; NULs before the text
        for chunk in chunks:
            if lost:  # only the end of that line matters
                cut = chunk.find(b"\n") + 1
                lost += cut - 1 if cut else len(chunk)
                if not cut:
                    continue
                yield self._block([*tail, b"\n"], offset, hole, lost)
                offset += hole + kept + lost + 1
                tail, kept, lost, hole = [], 0, 0, 0
                chunk = chunk[cut:]
            cut = chunk.rfind(b"\n") + 1
            if cut:
                done += (*tail, chunk[:cut])
                whole += kept + cut
                chunk, tail, kept = chunk[cut:], [], 0
            blank = len(chunk) >= _HOLE and not kept and not chunk.strip(b"\0")
            if whole and (whole > (_GLANCED if self._glancing else self._size) - _PEEK or blank or kept + len(chunk) > LONGEST_LINE):
                yield self._block(done, offset, hole)
                offset += hole + whole
                done, whole, hole = [], 0, 0
            if blank:
                hole += len(chunk)
            elif chunk:
                tail.append(chunk)
                kept += len(chunk)
            if kept > LONGEST_LINE:
                tail = [b"".join(tail)[:LONGEST_LINE]]
                lost, kept = kept - LONGEST_LINE, LONGEST_LINE
        if hole and not whole and not kept:  # the file ends in it: a few NULs stand for the line that it is
            tail, kept = [b"\0" * min(hole, _HOLE - 1)], min(hole, _HOLE - 1)
            hole -= kept
        if whole:
            yield self._block(done, offset, hole)
            offset, hole = offset + hole + whole, 0
        if kept:
            yield self._block(tail, offset, hole, lost)

    def _block(self, parts: list[bytes], offset: int, hole: int = 0, lost: int = 0) -> Block:
        raw = parts[0] if len(parts) == 1 else b"".join(parts)
        if self._glancing and not hole and not lost:
            lines = newlines(raw) + (not raw.endswith(b"\n"))
            self._line += lines
            return Block(raw, self._line - lines, offset, lines, stored=True)
        data, ends, ahead, replaced, inner = _clean(raw)
        if hole:
            ends, ahead = [0, *ends], [hole, *(n + hole for n in ahead)]
        if lost:
            text = data.removesuffix(b"\n")
            ends.append(len(text))
            ahead.append((ahead[-1] if ahead else 0) + lost)
            size = f"{len(raw.removesuffix(_LF)) + lost:,}"
            self._note(
                "long_line",
                f"line {self._line:,} has {size} bytes; only the first {LONGEST_LINE:,} were read",
            )
        self.replaced += replaced
        self.hole += inner + hole
        lines = newlines(data) + (not data.endswith(b"\n"))
        block = Block(data, self._line, offset, lines, (tuple(ends), tuple(ahead)))
        self._line += lines
        return block

    def _note(self, kind: str, text: str) -> None:
        self.notes.append(ReadNote(kind, text))


def mended(replaced: int, hole: int) -> list[ReadNote]:
    """What to say of so many places that are no UTF-8, and of so many NUL bytes that were left out."""
    notes = []
    if replaced:
        notes.append(ReadNote("encoding", f"bytes that are not UTF-8 are shown as U+FFFD in {replaced:,} places"))
    if hole:
        notes.append(ReadNote("hole", f"{hole:,} NUL bytes in a row, as truncating an open log leaves, were left out"))
    return notes


def read_blocks(
    file: LogFile,
    start: int = 0,
    block_size: int = BLOCK,
    stop: int | None = None,
    line: int = 1,
) -> Blocks:
    """Iterate over a file as blocks of whole lines, about `block_size` bytes each, longer only for a longer line.

    `start` and `stop` are offsets of line starts (see the module), `line` is the number of the line at `start`. A file is
    read up to its size when it is opened. Damage, limits and failing reads end the iteration early and are in `notes`;
    nothing is raised for what a file holds.
    """
    return Blocks(file, start, stop, line, block_size)


def read_lines(file: LogFile, wanted: Iterable[tuple[int, int, int]]) -> dict[int, bytes]:
    """Fetch quoted lines back: `wanted` are (line, offset, size) as blocks gave them, the answer is text by line number.

    The text is cleaned as in blocks. What is no longer there is missing from the answer, or shorter.
    """
    rows = sorted(wanted, key=lambda row: (row[1], row[2]))
    found: dict[int, bytes] = {}
    notes: list[ReadNote] = []
    try:
        if not file.packed:
            with file.open_slice(notes) as place:
                for line, offset, size in rows:
                    if offset < place.size:
                        found[line] = _clean(place.pread(offset, size))[0]
            return found
        with file.open(notes) as stream:
            window, begin = b"", 0  # unpacked text from `begin` on, no longer than needed
            chunks = _text(file, stream, 0, None, 1 << 20, notes)
            for line, offset, size in rows:
                while begin + len(window) < offset + size and (chunk := next(chunks, b"")):
                    useless = max(0, min(offset - begin, len(window)))
                    window, begin = window[useless:] + chunk, begin + useless
                text = window[max(0, offset - begin) : offset - begin + size]
                if text or (not size and begin + len(window) >= offset):
                    found[line] = _clean(text)[0]
    except OSError:
        return found
    return found


def same_text(one: LogFile, two: LogFile) -> bool:
    """Whether two files hold the same text, whatever they are packed in; stops at the first difference."""
    blocks = [read_blocks(file, block_size=1 << 20) for file in (one, two)]
    left = [b"", b""]
    try:
        while True:
            for side in (0, 1):
                if not left[side]:
                    left[side] = next((block.data for block in blocks[side]), b"")
            length = min(len(left[0]), len(left[1]))
            if not length:
                return left[0] == left[1]
            if left[0][:length] != left[1][:length]:
                return False
            left = [text[length:] for text in left]
    finally:
        for side in (0, 1):
            blocks[side].close()


def newlines(data: bytes | memoryview) -> int:
    """Count line feeds; NumPy compares 32 bytes at a time, which `bytes.count` does not."""
    if len(data) < 1 << 14:
        return bytes(data).count(b"\n")
    import numpy as np

    whole = np.frombuffer(data, np.uint8)
    return sum(int(np.count_nonzero(whole[at : at + 2 * _PIECE] == 10)) for at in range(0, len(whole), 2 * _PIECE))


def _recoded(file: LogFile) -> bool:
    return file.encoding != "utf-8"


def _text(
    file: LogFile, stream: IO[bytes], start: int, stop: int | None, size: int, notes: list[ReadNote]
) -> Iterator[bytes]:
    """The text from offset `start` to `stop` in chunks: as stored for UTF-8, recoded for the other encodings."""
    if _recoded(file):
        chunks: Iterator[bytes] = _recode(stream, file.encoding, file.bom, min(size, _PIECE))
        skip = start
    elif isinstance(stream, Slice):
        stream.seek(start)
        chunks, skip = _plain(stream, size, notes), 0
    else:
        # Pieces that stay in the processor's cache, gathered once: a large buffer costs more than the unpacking.
        chunks, skip = iter(lambda: stream.read(min(size, _PIECE)), b""), start
    at = start - skip
    for chunk in chunks:
        begin = at
        at += len(chunk)
        if skip or (stop is not None and at > stop):
            chunk = chunk[max(0, start - begin) : None if stop is None else max(0, stop - begin)]
            skip = max(0, start - at)
        if chunk:
            yield chunk
        if stop is not None and at >= stop:
            return


def _plain(place: Slice, size: int, notes: list[ReadNote]) -> Iterator[bytes]:
    """Chunks that end after a line where one ends near: then a chunk is a block, and is copied nowhere."""
    at = place.tell()
    while at < place.size:
        try:
            near = max(at, at + size - _PEEK)
            end = place.pread(near, at + size - near).rfind(b"\n") + 1 if at + size < place.size else 0
            chunk = place.pread(at, near + end - at if end else size)
        except OSError as error:
            notes.append(ReadNote("unreadable", f"reading failed at byte {at:,} ({error.strerror or error})"))
            return
        if not chunk:
            notes.append(ReadNote("shrunk", f"it became {place.size - at:,} bytes shorter while it was read"))
            return
        at += len(chunk)
        yield chunk


def _recode(stream: IO[bytes], encoding: str, bom: int, size: int) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    stream.read(bom)
    while chunk := stream.read(size):
        text = decoder.decode(chunk).encode()
        if text:
            yield text
    rest = decoder.decode(b"", final=True).encode()
    if rest:
        yield rest


_broken = threading.local()


def _mark_broken(error: UnicodeError) -> tuple[str, int]:
    """Error handler of the UTF-8 decoder: remember where bytes are wrong; it stops where `replace` does."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    _broken.places.append((error.start, error.end, b"\xef\xbf\xbd"))
    return "\ufffd", error.end


codecs.register_error("retrolog.mark_broken", _mark_broken)


def _beyond_ascii(raw: bytes) -> list[tuple[int, int]]:
    """Spans of bytes that hold all that is no ASCII; none cuts a character.

    Decoding a whole block for a few letters in it makes a text of two or four bytes a character of all of it.
    """
    if raw.isascii():
        return []
    import numpy as np

    high = np.flatnonzero(np.frombuffer(raw, np.int8) < 0)
    gaps = np.flatnonzero(np.diff(high) > _PEEK)
    starts, ends = high[np.append(0, gaps + 1)], high[np.append(gaps, len(high) - 1)] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _clean(raw: bytes) -> tuple[bytes, list[int], list[int], int, int]:
    """Make bytes valid UTF-8 without long NUL runs.

    Answers the text, where edits end in it, how many bytes `raw` is ahead of it from there, and how many places were
    replaced and NULs removed.
    """
    places: list[tuple[int, int, bytes]] = []
    for start, end in _beyond_ascii(raw):
        found = _broken.places = []
        raw[start:end].decode("utf-8", "retrolog.mark_broken")
        places += [(start + first, start + last, new) for first, last, new in found]
    replaced, hole = len(places), 0
    if b"\0" in raw and b"\0" * _HOLE in raw:
        holes = [(match.start(), match.end(), b"") for match in _NULS.finditer(raw)]
        hole = sum(end - start for start, end, _ in holes)
        places = sorted(places + holes)
    if not places:
        return raw, [], [], 0, 0
    parts: list[bytes] = []
    ends: list[int] = []
    ahead: list[int] = []
    at = shift = 0
    for start, end, new in places:
        parts += (raw[at:start], new)
        shift += end - start - len(new)
        ends.append(end - shift)
        ahead.append(shift)
        at = end
    parts.append(raw[at:])
    return b"".join(parts), ends, ahead, replaced, hole
