"""Decoders of packed streams, each looking like the standard library's; what one may ask for is bounded.

Damage raises one of `decoder_errors`. References: RFC 1952 (gzip), RFC 8878 (zstd), nongnu.org/lzip/manual (File format), PKWARE APPNOTE.TXT, 4.4.5 and 5.8.8 (LZMA and
enhanced deflate in zip entries).
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast


@dataclass(frozen=True, slots=True)
class Limits:
    """How far packed data may expand before it counts as a bomb; `ratio` is asked only above `floor` bytes."""

    ratio: int = 500  # logs pack 10 to 100 times, seldom 300; a deflate bomb reaches 1030
    floor: int = 64 << 20
    total: int = 256 << 30  # bytes of unpacked text in one file, or of one spooled archive
    depth: int = 8  # wrappers inside wrappers
    members: int = 100_000  # files of one archive, nested ones included
    memory: int = 256 << 20  # what a decoder may ask for (xz and zstd dictionaries)


LIMITS = Limits()


class Decoder(Protocol):
    """What the standard library's bz2 and lzma decompressors look like; the others are made to look the same."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Damage(Exception):
    """The packed bytes break their format's rules."""


class _GzipMember:
    """One gzip member (RFC 1952) on a raw deflate decoder.

    Header and trailer are read here, so that a wrong checksum is a remark after the data and not an error that
    swallows the last of it.
    """

    def __init__(self) -> None:
        from isal import igzip_lib, isal_zlib

        self._deflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
        self._crc32: Callable[[bytes, int], int] = isal_zlib.crc32
        self._crc = 0
        self._length = 0
        self._pending = b""
        self._in_header = True
        self.eof = False
        self.unused_data = b""
        self.mismatch = False

    @property
    def needs_input(self) -> bool:
        return not self.eof and (self._in_header or self._deflate.eof or bool(self._deflate.needs_input))

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if self._in_header:
            self._pending += data
            length = _gzip_header_length(self._pending)
            if length is None:
                return b""
            data, self._pending, self._in_header = self._pending[length:], b"", False
        out = b""
        if not self._deflate.eof:
            out = self._deflate.decompress(data, max_length)
            self._crc = self._crc32(out, self._crc)
            self._length += len(out)
            data = (self._deflate.unused_data or b"") if self._deflate.eof else b""
        if self._deflate.eof:
            self._pending += data
            if len(self._pending) >= 8:
                crc, length = struct.unpack_from("<II", self._pending)
                self.mismatch = crc != self._crc or length != self._length & 0xFFFFFFFF
                self.unused_data, self._pending, self.eof = self._pending[8:], b"", True
        return out


def _gzip_header_length(data: bytes) -> int | None:
    """Bytes of the gzip header that `data` begins with, or None when more is needed (RFC 1952, 2.3)."""
    if len(data) < 10:
        return None
    flags, at = data[3], 10
    if flags & 4:
        if len(data) < at + 2:
            return None
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for bit in (8, 16):  # name, comment: each ends with a NUL
        if flags & bit:
            end = data.find(b"\0", at)
            if end < 0:
                if len(data) > at + (1 << 20):
                    raise Damage("the gzip header does not end")
                return None
            at = end + 1
    at += 2 if flags & 2 else 0
    return at if len(data) >= at else None


class _Bites:
    """A decoder whose library cannot bound its output is given a kilobyte at a time; subclasses say what a bite becomes."""

    _BITE = 1 << 10

    def __init__(self) -> None:
        self._pending = memoryview(b"")
        self.eof = False
        self.unused_data = b""

    @property
    def needs_input(self) -> bool:
        return not self.eof and not self._pending

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if data:
            self._pending = memoryview(bytes(self._pending) + data)
        parts, length = [], 0
        while self._pending and not self.eof and (max_length < 0 or length < max_length):
            bite, self._pending = self._pending[: self._BITE], self._pending[self._BITE :]
            part, left = self._bitten(bite)
            parts.append(part)
            length += len(part)
            if left is not None:
                self.eof, self.unused_data, self._pending = True, left + bytes(self._pending), memoryview(b"")
        return b"".join(parts)

    def _bitten(self, bite: memoryview) -> tuple[bytes, bytes | None]:
        """What a bite unpacks to, and at the end of the stream what of the bite lies behind it."""
        raise NotImplementedError


class _ZstdFrame(_Bites):
    """One zstd frame: a kilobyte of input cannot become more than 32 MB (RFC 8878, 3.1.1.2)."""

    def __init__(self) -> None:
        import zstandard

        super().__init__()
        self._frame = zstandard.ZstdDecompressor(max_window_size=LIMITS.memory // 2).decompressobj()

    def _bitten(self, bite: memoryview) -> tuple[bytes, bytes | None]:
        part = self._frame.decompress(bite)
        return part, self._frame.unused_data if self._frame.eof else None


class _Deflate64(_Bites):
    """Enhanced deflate, as Windows packs files over 2 GB in zip archives."""

    def __init__(self) -> None:
        import inflate64

        super().__init__()
        self._inflater = inflate64.Inflater()

    def _bitten(self, bite: memoryview) -> tuple[bytes, bytes | None]:
        # it does not say where in a bite the stream ended; a zip entry holds nothing behind it
        return self._inflater.inflate(bytes(bite)), b"" if self._inflater.eof else None


class _LzwStream(_Bites):
    """The stream of compress(1): codes of 9 bits to 16, each a text that was seen before and how it went on.

    Codes stand in groups of eight, low bits first; where their width grows or the table is emptied, the rest of a group is
    padding. A text is kept as its last bytes and the code of what stands before these: a table cannot grow beyond some 16 MB.
    No end is marked, so a stream that was cut off reads as one that ends there.
    """

    endless = True
    _HEAD, _CLEAR, _TAIL = 3, 256, 256

    def __init__(self) -> None:
        super().__init__()
        self._head = b""
        self._most = 0  # bits of the widest code
        self._group = b""
        self._taken = 0  # codes of the group that were read
        self._padding = 0  # bytes to pass over
        self._empty()

    def _empty(self) -> None:
        self._tails = [bytes((value,)) for value in range(256)]
        self._firsts = bytearray(range(256))
        self._bases = [-1] * 256
        if self._block:
            self._remember(-1, 0, b"")  # stands for the code that empties the table
        self._width, self._before = 9, -1

    def _remember(self, base: int, first: int, tail: bytes) -> None:
        self._bases.append(base)
        self._firsts.append(first)
        self._tails.append(tail)

    @property
    def _block(self) -> bool:
        return len(self._head) == self._HEAD and bool(self._head[2] & 0x80)

    def _bitten(self, bite: memoryview) -> tuple[bytes, bytes | None]:
        data = bytes(bite)
        if len(self._head) < self._HEAD:
            wanted = self._HEAD - len(self._head)
            self._head, data = self._head + data[:wanted], data[wanted:]
            if len(self._head) < self._HEAD:
                return b"", None
            self._most = self._head[2] & 0x1F
            if not 10 <= self._most <= 16:
                raise Damage("the header asks for codes of a width that there is not")
            self._empty()
        data, at, out = self._group + data, 0, []
        while True:
            passed = min(self._padding, len(data) - at)
            at, self._padding = at + passed, self._padding - passed
            width = self._width
            group = data[at : at + width]
            codes = len(group) * 8 // width
            if self._padding or codes <= self._taken:
                break
            number, mask = int.from_bytes(group, "little"), (1 << width) - 1
            shift, end = self._taken * width, codes * width
            while shift < end:
                code = (number >> shift) & mask
                shift += width
                if code == self._CLEAR and self._block:
                    self._empty()
                    break
                out.append(self._text(code))
                if len(self._bases) > mask and width < self._most:
                    self._width += 1
                    break
            else:
                self._taken = codes
                if codes < 8:
                    break
                at, self._taken = at + width, 0
                continue
            self._taken, self._padding = 0, width  # the codes below are counted from the next group on
        self._group = data[at:]
        return b"".join(out), None

    def _text(self, code: int) -> bytes:
        """What a code stands for; what stood before it and its first byte become a code of their own."""
        known, before = len(self._bases), self._before
        if before < 0 and code > 255:
            raise Damage("the first code is none of a byte")
        if code > known or (code == known and known >= 1 << self._most):
            raise Damage("a code comes before the text it stands for")
        if before >= 0 and known < 1 << self._most:
            first = self._firsts[before if code == known else code]
            tail = self._tails[before]
            base, tail = (self._bases[before], tail) if len(tail) < self._TAIL else (before, b"")
            self._remember(base, self._firsts[before], tail + bytes((first,)))
        self._before = code
        text = self._tails[code]
        base = self._bases[code]
        if base < 0:
            return text
        parts = [text]
        while base >= 0:
            parts.append(self._tails[base])
            base = self._bases[base]
        return b"".join(reversed(parts))


class _LzipMember:
    """One lzip member: "LZIP", version and size of the dictionary, an LZMA stream with its end marked, then checksum and sizes."""

    _HEAD, _TRAILER = 6, 20

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._decoder: lzma.LZMADecompressor | None = None
        self._sum = 0
        self.eof = False
        self.mismatch = False
        self.unused_data = b""

    @property
    def needs_input(self) -> bool:
        return self._decoder is None or self._decoder.eof or self._decoder.needs_input

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if self._decoder is None:
            self._head += data
            if len(self._head) < self._HEAD:
                return b""
            version, coded = self._head[4:6]
            base = 1 << (coded & 31)
            dictionary = base - base // 16 * (coded >> 5)
            if version != 1 or not 4096 <= dictionary <= LIMITS.memory:
                raise Damage("the header of an lzip member is wrong")
            described = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": 3, "lp": 0, "pb": 2}
            self._decoder = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=[described])
            data = self._head[self._HEAD :]
        if self._decoder.eof:
            self._tail += data
            out = b""
        else:
            out = self._decoder.decompress(data, max_length)
            self._sum = zlib.crc32(out, self._sum)
            self._tail = self._decoder.unused_data
        if self._decoder.eof and len(self._tail) >= self._TRAILER:
            self.eof, self.unused_data = True, self._tail[self._TRAILER :]
            self.mismatch = int.from_bytes(self._tail[:4], "little") != self._sum
        return out


class _ZipLzma:
    """LZMA as zip entries hold it: version, size and bytes of the properties, then the raw stream (APPNOTE.TXT, 5.8.8)."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder: lzma.LZMADecompressor | None = None
        self.eof = False
        self.unused_data = b""

    @property
    def needs_input(self) -> bool:
        return self._decoder is None or self._decoder.needs_input

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if self._decoder is None:
            self._head += data
            if len(self._head) < 9:
                return b""
            size, settings, dictionary = struct.unpack_from("<HBI", self._head, 2)
            if size != 5 or settings >= 9 * 5 * 5:
                raise ValueError("the properties of an LZMA entry are wrong")
            if dictionary > LIMITS.memory:
                raise ValueError(f"an LZMA entry asks for {dictionary:,} bytes of memory")
            rest, context = divmod(settings, 9)
            described = {"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096), "lc": context, "lp": rest % 5, "pb": rest // 5}
            self._decoder = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=[described])
            data = self._head[9:]
        out = self._decoder.decompress(data, max_length)
        self.eof, self.unused_data = self._decoder.eof, self._decoder.unused_data
        return out


def new_decoder(kind: str) -> Decoder:
    """A decoder of one gzip or lzip member, bzip2, xz or compress(1) stream, zstd or lz4 frame, or zip entry (deflate, lzma, deflate64)."""
    decoder: Any
    if kind == "gzip":
        decoder = _GzipMember()
    elif kind == "deflate":
        from isal import igzip_lib

        decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    elif kind == "bzip2":
        decoder = bz2.BZ2Decompressor()
    elif kind == "xz":
        decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=LIMITS.memory)
    elif kind == "lzip":
        decoder = _LzipMember()
    elif kind == "compress":
        decoder = _LzwStream()
    elif kind == "lzma":
        decoder = _ZipLzma()
    elif kind == "deflate64":
        decoder = _Deflate64()
    elif kind == "zstd":
        decoder = _ZstdFrame()
    else:
        import lz4.frame

        decoder = lz4.frame.LZ4FrameDecompressor()
    return decoder  # type: ignore[no-any-return]


def decoder_errors() -> tuple[type[Exception], ...]:
    """What the decoders raise on damage; each library has its own idea."""
    import zstandard
    from isal import igzip_lib

    isal_error = cast(type[Exception], igzip_lib.IsalError)  # its stub calls the class an instance
    return (
        Damage, OSError, EOFError, ValueError, RuntimeError, MemoryError,
        lzma.LZMAError, zlib.error, zstandard.ZstdError, isal_error,
    )  # fmt: skip
