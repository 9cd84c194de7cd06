"""Unpacks compressed streams of bounded memory and bounded expansion, told by magic bytes.

Damage never raises: the bytes that could be read are given, and a `ReadNote` says what is wrong.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import IO, Any

from .decoders import LIMITS, Decoder, Limits, decoder_errors, new_decoder

CHUNK = 1 << 18
#: Output of one decoder call. An error inside a call loses that call's output, so it starts small and grows.
_FIRST_STEP, _LARGEST_STEP = 1 << 10, 1 << 18


@dataclass(frozen=True, slots=True)
class ReadNote:
    """Something the reader must be told about a file: `kind` is a word for programs, `text` a sentence.

    Kinds: truncated, corrupt, garbage, bomb, unreadable, shrunk, hole, long_line, encoding, archive.
    """

    kind: str
    text: str


_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"LZIP\x01", "lzip"),
    (b"\x1f\x9d", "compress"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # an empty archive
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"LPKSHHRH", "journal"),
)
#: Bytes of head that `wrapper` needs to see.
HEAD = 512


def wrapper(head: bytes) -> str | None:
    """Name the wrapper that bytes begin with: gzip, bzip2, xz, lzip, compress(1), zstd, lz4, tar, zip, 7z, a systemd journal; None for anything else.

    A magic alone is short (two bytes for gzip), so what must follow it in the format is checked too. Zstandard's and
    LZ4's skippable frames (RFC 8878, 3.1.2) count as zstd.
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            if kind == "gzip" and not (head[2:3] == b"\x08" and len(head) > 3 and head[3] < 0x20):
                return None
            if kind == "compress" and not (len(head) > 2 and 10 <= head[2] & 0x1F <= 16 and not head[2] & 0x60):
                return None
            if kind == "bzip2" and not (
                head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")
            ):
                return None
            return kind
    if head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F:
        return "zstd"
    return "tar" if _is_tar(head) else None


def _is_tar(head: bytes) -> bool:
    """A tar header: its checksum field is the sum of its bytes, with the field itself read as spaces (POSIX pax)."""
    if len(head) < 512 or not head[0]:
        return False
    digits = head[148:156].strip(b" \0")
    try:
        said = int(digits, 8)
    except ValueError:
        return False
    return said == sum(head[:148]) + 8 * 32 + sum(head[156:512])


def gzip_time(head: bytes) -> int | None:
    """The time in a gzip header, in microseconds since the epoch, or None where it was left out (RFC 1952, MTIME)."""
    if len(head) < 8 or head[:2] != b"\x1f\x8b":
        return None
    seconds: int = struct.unpack_from("<I", head, 4)[0]
    return seconds * 1_000_000 or None


class Unpacked(io.RawIOBase):
    """The unpacked bytes of a stream, member after member, until its end, damage, or a limit.

    Trailing zero bytes (tape padding) are ignored; other bytes after the last member are garbage and noted. The notes
    go to the list that was passed in.
    """

    def __init__(self, raw: IO[bytes], kind: str, notes: list[ReadNote], limits: Limits = LIMITS) -> None:
        self._raw, self._kind, self._notes, self._limits = raw, kind, notes, limits
        self._decoder: Decoder | None = None
        self._errors = decoder_errors()
        self._input = b""
        self._held = memoryview(b"")  # decoded beyond what was asked for
        self._consumed = 0  # packed bytes taken from `raw`
        self._members = 0
        self._step = _FIRST_STEP
        self._done = False
        self.unpacked = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()

    def physical(self) -> int:
        """Bytes of the outermost packed stream consumed so far, which is what expansion is measured against."""
        inner = getattr(self._raw, "physical", None)
        return int(inner()) if inner else self._consumed

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, fewer only at the end; all of them when it is negative."""
        parts, length = [], 0
        while size < 0 or length < size:
            part = self._some(size - length if size >= 0 else _LARGEST_STEP)
            if not part:
                break
            parts.append(part)
            length += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _some(self, most: int) -> bytes:
        if self._held:
            part, self._held = self._held[:most], self._held[most:]
            return bytes(part)
        while not self._done:
            if self._decoder is None and not self._begin_member():
                break
            out = self._advance()
            if out:
                self.unpacked += len(out)
                self._check_expansion()
                if len(out) <= most:
                    return out
                self._held = memoryview(out)[most:]
                return out[:most]
        return b""

    def _advance(self) -> bytes:
        decoder = self._decoder
        assert decoder is not None
        try:
            out = decoder.decompress(self._input, self._step)
        except self._errors as error:
            self._stop("corrupt", f"the {self._kind} data is damaged ({_plain(error)})")
            return b""
        self._input = b""
        self._step = min(self._step * 2, _LARGEST_STEP)
        if decoder.eof:
            self._input, self._decoder = decoder.unused_data or b"", None  # lz4 says None
            if getattr(decoder, "mismatch", False):
                self._note("corrupt", f"a checksum of the {self._kind} data does not match: lines may be damaged")
            if self._kind == "deflate":  # a zip member ends with its one stream
                self._done = True
        elif not out and decoder.needs_input and not self._fill():
            if getattr(decoder, "endless", False):
                self._done = True
            else:
                self._stop("truncated", f"the {self._kind} data ends early")
        return out

    def _begin_member(self) -> bool:
        """Make a decoder for the next member; False at the end of all of them."""
        self._input = self._input.lstrip(b"\0") if self._members else self._input
        while len(self._input) < 10:
            if not self._fill():
                break
            self._input = self._input.lstrip(b"\0") if self._members else self._input
        if not self._input:
            self._done = True
            return False
        if self._members and wrapper(self._input) != self._kind:
            # A header cut in its first bytes is the start of a member that was still being written.
            partial = any(m.startswith(self._input[: len(m)]) for m, kind in _MAGIC if kind == self._kind)
            if partial and len(self._input) < 10:
                self._stop("truncated", f"the {self._kind} data ends early")
            else:
                self._stop(
                    "garbage", f"what follows the {self._kind} data is something else and was left out"
                )
            return False
        self._members += 1
        self._decoder = new_decoder(self._kind)
        return True

    def _fill(self) -> bool:
        try:
            data = self._raw.read(CHUNK if self._consumed else 1 << 14)  # a head alone should cost little
        except OSError as error:
            self._stop("unreadable", f"reading failed ({error.strerror or error})")
            return False
        self._consumed += len(data)
        self._input += data
        return bool(data)

    def _check_expansion(self) -> None:
        limits = self._limits
        packed = max(self.physical(), 1)
        if self.unpacked > limits.total:
            self._stop("bomb", f"it unpacks to more than {limits.total >> 30} GiB, which is refused")
        elif self.unpacked > limits.floor and self.unpacked > limits.ratio * packed:
            self._stop(
                "bomb",
                f"it unpacks to more than {limits.ratio} times its size, as a decompression bomb does, "
                "which is refused",
            )

    def _note(self, kind: str, text: str) -> None:
        self._notes.append(ReadNote(kind, text))

    def _stop(self, kind: str, why: str) -> None:
        if not self._done:
            self._note(kind, f"{why}; the {self.unpacked:,} bytes before that were read")
        self._done = True


def _plain(error: Exception) -> str:
    """A library's message as one line of printable text."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(c for c in text if c.isprintable())[:120]
