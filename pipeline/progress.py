"""How far reading has come, on one line of standard error; nothing where that is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

_EVERY = 0.1  # seconds between two looks of the line
_FIRST = 0.7  # a command that is done sooner shows none


class Progress:
    """Told of bytes and lines as they are read, shows the sum, the rate and the time left; a context manager.

    `total` is the bytes to come as far as known. The line is erased at the end, also after Ctrl-C.
    """

    def __init__(self, total: int = 0, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = sys.stderr if out is None else out
        self._shown = self._out.isatty()
        self._clock = clock
        self._start = clock()
        self._last = self._start + _FIRST - _EVERY
        self._bytes = self._lines = self._width = 0
        self.total = total

    def __call__(self, size: int, lines: int) -> None:
        """Takes note of more bytes and lines."""
        self._bytes += size
        self._lines += lines
        now = self._clock()
        if self._shown and now - self._last >= _EVERY:
            self._last = now
            text = self.text(now - self._start)
            self._out.write("\r" + text.ljust(self._width))
            self._out.flush()
            self._width = len(text)

    def text(self, seconds: float) -> str:
        """The line after so many seconds."""
        rate = self._bytes / max(seconds, 1e-6)
        parts = [f"read {_bytes(self._bytes)}" + (f" of {_bytes(self.total)}" if self.total >= self._bytes else "")]
        parts += [f"{self._lines:,} lines"] if self._lines else []
        parts += [f"{_bytes(rate)}/s"]
        if self.total > self._bytes and rate:
            parts.append(f"{(self.total - self._bytes) / rate:,.0f} s left")
        return ", ".join(parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._out.flush()


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
