"""Decoders of what only zip entries are packed with: LZMA with a header of its own, and enhanced deflate (deflate64).

They look like the standard library's decompressors. Damage raises ValueError or what the library raises.
Reference: PKWARE APPNOTE.TXT, 4.4.5 and 5.8.8.
"""

from __future__ import annotations

import lzma
import struct

from .unpack import LIMITS


class ZipLzma:
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


class Deflate64:
    """Enhanced deflate, as Windows packs files over 2 GB; a few bytes at a time, as its output cannot be bounded."""

    _BITE = 1 << 10

    def __init__(self) -> None:
        import inflate64

        self._inflater = inflate64.Inflater()
        self._pending = memoryview(b"")
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        return bool(self._inflater.eof)

    @property
    def needs_input(self) -> bool:
        return not self.eof and not self._pending

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if data:
            self._pending = memoryview(bytes(self._pending) + data)
        parts, length = [], 0
        while self._pending and not self.eof and (max_length < 0 or length < max_length):
            bite, self._pending = self._pending[: self._BITE], self._pending[self._BITE :]
            part = self._inflater.inflate(bytes(bite))
            parts.append(part)
            length += len(part)
        if self.eof:
            self.unused_data, self._pending = bytes(self._pending), memoryview(b"")
        return b"".join(parts)
