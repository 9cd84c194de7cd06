"""Finds the part of a file that a window can be in, without reading the rest.

A plain file is searched by bisection over byte offsets. That is right only where times grow down the file, so the
file is sampled first: how far times go back (its disorder) sets the slack that is read on both sides of the window, and
where samples contradict the answer, or too few lines have a time, the whole file is read instead, with the reason.

A `probe` takes a line's bytes (without its LF) and answers its time in microseconds since the epoch in UTC, or None
where it has none of its own (a stack trace's lines), or where the time lacks a year.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from threading import Thread

from .logfile import LogFile
from .read import Block, newlines, read_blocks
from .slices import Slice

Probe = Callable[[bytes], int | None]

SLACK_US = 60_000_000
#: Files up to this size are read whole: parsing them costs less than the search's samples.
SMALL = 1 << 20
_SAMPLES = 128  # places looked at over a whole file, fewer of a small one
_APART = 1 << 16  # bytes that lie between them at least
_LINES = 8  # lines probed at each
_REACH = 1 << 20  # how far from a place a line with a time is looked for
_EDGE = 1 << 17  # bytes probed line by line on each side of both edges, fewer of a small file
_NEAR = 1 << 15  # bisection stops at this distance, or less in a small file: reading it is cheaper than another probe
_WORST = 15 * 60_000_000  # files whose times go back further are not searched
_PIECE = 1 << 20
_COUNTED = 1 << 19  # bytes in which newlines are counted at once: they stay in the cache
_SAMPLED = 48  # lines of a streamed block that are asked for their time ...
_APART = 1 << 17  # ... fewer where blocks are small pieces of a large file


@dataclass(frozen=True, slots=True)
class Range:
    """The bytes of a file that can hold the window: `[start, stop)`, both at line starts; `first_line` counts from 1.

    `method` is "search", "whole", or "none" where nothing of the file can be in the window (`start == stop` then).
    `disorder_s` is how far times were seen to go back, None when it was not measured. `note` says why, for --verbose.
    """

    start: int
    stop: int
    first_line: int
    method: str
    disorder_s: float | None
    note: str


def find_range(
    file: LogFile,
    start_us: int | None,
    end_us: int | None,
    probe: Probe,
    slack_us: int = SLACK_US,
    small: int = SMALL,
) -> Range:
    """Find the bytes of a plain file that can hold lines of the window `[start_us, end_us)`; None is an open end.

    Every line whose time is in the window lies in the answer, as far as samples can tell: within `slack_us`, or more
    where the file's disorder asks for it. The answer begins with a line that has a time, so that the lines of an
    event stay together. Packed files and those that cannot be searched get the whole file. Raises OSError when the
    file cannot be opened.
    """
    if file.packed:
        return Range(
            0, file.size, 1, "whole", None, f"it is {file.container}, {file.encoding}: only read in order"
        )
    with file.open_slice([]) as place:
        search = _Search(place, probe, start_us, end_us, slack_us)
        if start_us is None and end_us is None:
            return search.whole("there is no window")
        if place.size <= small:
            return search.whole("it is small")
        start, stop, method, note = search.run()
        if method == "whole":
            return search.whole(note)
        return Range(start, stop, 1 + _lines_before(file, place, start), method, search.disorder / 1e6, note)


#: How many lines lie before an offset of a file: an analysis looks into the same file again, not far from where it was.
_BEFORE: dict[LogFile, tuple[int, int]] = {}
_REMEMBERED = 256


def _lines_before(file: LogFile, place: Slice, offset: int) -> int:
    begin, lines = _BEFORE.get(file, (0, 0))
    if begin > offset:
        begin = lines = 0
    lines += _count(place, begin, offset)
    if len(_BEFORE) >= _REMEMBERED:
        _BEFORE.clear()
    _BEFORE[file] = offset, lines
    return lines


def count_lines(file: LogFile, start: int = 0, stop: int | None = None) -> int:
    """Count the lines that begin in a byte range of a plain file whose `start` is a line start."""
    with file.open_slice([]) as place:
        stop = place.size if stop is None else min(stop, place.size)
        open_end = stop > start and place.pread(stop - 1, 1) != b"\n"
        return _count(place, start, stop) + open_end


def first_last(file: LogFile, probe: Probe, rows: Sequence[bytes] = ()) -> tuple[int | None, int | None]:
    """Read the times a file begins and ends with from a few lines of its head and tail; a packed file has no tail.

    `rows` are its first lines where they are known. Out of the first and last few timed lines the earliest and the latest are taken, since neighbours may be out of order.
    """
    head = _times(rows, probe, _LINES)
    if len(head) < _LINES:
        head = _head_times(file, probe)
    first = min(head, default=None)
    if file.packed or not head:
        return first, None
    try:
        with file.open_slice([]) as place:
            return first, max(_tail_times(place, probe), default=None)
    except OSError:
        return first, None


def _head_times(file: LogFile, probe: Probe) -> list[int]:
    head: list[int] = []
    blocks = read_blocks(file, block_size=1 << 14)
    looked = 0
    for block in blocks:
        head += _times(block.data.split(b"\n"), probe, _LINES - len(head))
        looked += len(block.data)
        if len(head) >= _LINES or looked > _REACH:
            break
    blocks.close()
    return head


def _tail_times(place: Slice, probe: Probe) -> list[int]:
    reach = 1 << 13
    while True:
        begin = max(0, place.size - reach)
        lines = place.pread(begin, reach).split(b"\n")
        times = _times(reversed(lines[1 if begin else 0 :]), probe, _LINES)
        if times or not begin or reach >= _REACH:
            return times
        reach *= 8


def _times(lines: Iterable[bytes], probe: Probe, most: int) -> list[int]:
    times: list[int] = []
    for line in lines:
        if len(times) >= most:
            break
        time = probe(line) if line else None
        if time is not None:
            times.append(time)
    return times


def needed(
    files: Sequence[LogFile],
    times: Callable[[LogFile], tuple[int | None, int | None]],
    start_us: int | None,
    end_us: int | None,
    slack_us: int = SLACK_US,
) -> Iterator[tuple[LogFile, str]]:
    """Yield each part of a log, in the order given (oldest first), with why it need not be read, or "".

    A part ends where its own last line says, else before the next part begins: a packed file's tail is not known.
    """
    known = [times(file) for file in files]
    for at, file in enumerate(files):
        first, last = known[at]
        if last is None and first is not None and at + 1 < len(files):
            last = known[at + 1][0]
            if last is not None and last < first:  # not in order: the next one's head says nothing
                last = None
        why = ""
        if end_us is not None and first is not None and first >= end_us + slack_us:
            why = "it begins after the window"
        elif start_us is not None and last is not None and last < start_us - slack_us:
            why = "it ends before the window"
        yield file, why


def relation(
    block: Block, start_us: int | None, end_us: int | None, probe: Probe, slack_us: int = SLACK_US
) -> str:
    """Say where a block lies by a sample of its lines: "before" the window, "after" it, or "touches" it.

    For files that are streamed: a block before the window need only be counted, and reading may stop after it. Where
    no sampled line has a time it touches.
    """
    data, size = block.data, len(block.data)
    times: list[int] = []
    for at in range(0, size, apart(size)):
        begin = data.rfind(b"\n", 0, at) + 1
        times += _times(_lines_from(data, begin, 3), probe, 1)
    times += _times(reversed(data[-(1 << 13) :].split(b"\n")[1:]), probe, 1)
    if times and start_us is not None and max(times) < start_us - slack_us:
        return "before"
    if times and end_us is not None and min(times) >= end_us + slack_us:
        return "after"
    return "touches"


def apart(size: int) -> int:
    """How many bytes of a streamed block lie between two lines that are asked for their time."""
    return max(1, size // _SAMPLED, min(_APART, size >> 3) if size > SMALL >> 2 else 0)


def _lines_from(data: bytes, begin: int, most: int) -> Iterator[bytes]:
    for _ in range(most):
        end = data.find(b"\n", begin)
        if end < 0:
            return
        yield data[begin:end]
        begin = end + 1


def _count(place: Slice, start: int, stop: int) -> int:
    """Count newlines of a byte range: small pieces into a buffer that stays in the cache, on every core."""
    workers = min(os.cpu_count() or 1, 4, 1 + (stop - start) // (16 * _PIECE))
    if workers <= 1:
        return _count_here(place, start, stop)
    share = (stop - start) // workers + 1
    totals: list[int] = []
    failures: list[OSError] = []

    def count(at: int) -> None:
        try:
            totals.append(_count_here(place, at, min(at + share, stop)))
        except OSError as error:
            failures.append(error)

    # `concurrent.futures` would do the same, after importing what takes as long as reading 30 MB
    threads = [Thread(target=count, args=(at,)) for at in range(start, stop, share)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(totals)


def _count_here(place: Slice, start: int, stop: int) -> int:
    buffer = bytearray(min(_COUNTED, max(0, stop - start)))
    total = 0
    while start < stop:
        view = memoryview(buffer)[: min(len(buffer), stop - start)]
        got = place.pread_into(start, view)
        if not got:
            break
        total += newlines(view[:got])
        start += got
    return total


class _Search:
    """One search in one file: times at offsets, what was sampled, and the bisection."""

    def __init__(
        self, place: Slice, probe: Probe, start_us: int | None, end_us: int | None, slack_us: int
    ) -> None:
        self._place, self._probe = place, probe
        self._start, self._end, self._slack = start_us, end_us, slack_us
        self.disorder = 0
        self._samples: list[tuple[int, int]] = []  # line start and time

    def whole(self, why: str) -> Range:
        measured = self.disorder / 1e6 if self._samples else None
        return Range(0, self._place.size, 1, "whole", measured, f"read whole: {why}")

    def run(self) -> tuple[int, int, str, str]:
        """Answer start, stop, method and note."""
        why = self._sample() or self._unsearchable()
        if why:
            return 0, 0, "whole", why
        start = stop = 0
        for _ in range(3):
            self._slack = max(self._slack, 2 * self.disorder + 1_000_000)
            start, stop = self._bisect()
            before = self.disorder
            self._measure_edges(start, stop)
            if self._unsearchable():
                return 0, 0, "whole", self._unsearchable()
            if self.disorder == before or 2 * self.disorder < self._slack:
                break
        if self._contradicted(start, stop):
            return 0, 0, "whole", "times elsewhere in it are in the window too: it is not in order"
        size = self._place.size
        if start >= stop:
            return start, start, "none", "nothing in it is near the window"
        note = (
            f"{stop - start:,} of {size:,} bytes, found by search with {self._slack / 1e6:g} s of slack; "
            f"times go back by at most {self.disorder / 1e6:g} s where it was sampled"
        )
        return start, stop, "search", note

    def _unsearchable(self) -> str:
        return f"times in it go back by {self.disorder / 1e6:,.0f} s" if self.disorder > _WORST else ""

    def _sample(self) -> str:
        """Look at places all over the file; answer why it cannot be searched, or nothing."""
        size = self._place.size
        latest, silent, places = -(1 << 62), 0, 0
        for offset in sorted({*range(0, size, max(1, size // _SAMPLES, min(_APART, size // 16))), max(0, size - _NEAR)}):
            found = self._timed(offset, _LINES, reach=1 << 16)
            places += 1
            silent += not found
            for at, time in found:
                self._samples.append((at, time))
                self.disorder = max(self.disorder, latest - time)
                latest = max(latest, time)
        return "most places in it show no line with a time of its own" if 2 * silent > places else ""

    def _timed(self, offset: int, most: int, reach: int = _REACH) -> list[tuple[int, int]]:
        """Line start and time of the first timed lines that begin at or after an offset."""
        found: list[tuple[int, int]] = []
        looked, want = 0, 1 << 12
        at = offset - 1 if offset else 0  # the byte before tells whether a line begins at the offset itself
        skip = offset > 0
        rest = b""
        while len(found) < most and looked < reach and at < self._place.size:
            piece = self._place.pread(at, want)
            if not piece:
                break
            looked += len(piece)
            base, text = at - len(rest), rest + piece
            at += len(piece)
            last = at >= self._place.size
            begin = 0
            while len(found) < most:
                end = text.find(b"\n", begin)
                if end < 0 and not last:
                    break
                line = text[begin:] if end < 0 else text[begin:end]
                if not skip and line:
                    time = self._probe(line)
                    if time is not None:
                        found.append((base + begin, time))
                skip = False
                begin = len(text) if end < 0 else end + 1
                if begin >= len(text):
                    break
            rest = text[begin:]
            want = min(want * 4, 1 << 20)
        return found

    def _bisect(self) -> tuple[int, int]:
        size = self._place.size
        start, stop = 0, size
        if self._start is not None:
            start = self._edge(self._start - self._slack)[0]
        if self._end is not None:
            stop = self._edge(self._end + self._slack)[1]
        return start, max(start, stop)

    def _edge(self, time: int) -> tuple[int, int]:
        """Starts of two lines not far apart: times are before `time` up to the first, and not from the second on."""
        low, high = 0, self._place.size
        low_line, high_line = 0, self._place.size
        first = self._timed(0, 1)
        if not first or first[0][1] >= time:
            return 0, 0 if first else high_line
        near = min(_NEAR, max(_NEAR >> 3, self._place.size >> 9))
        while high - low > near:
            middle = (low + high) // 2
            found = self._timed(middle, 1)
            if not found or found[0][0] >= high_line:
                high = middle
            elif found[0][1] < time:
                low, low_line = found[0][0] + 1, found[0][0]
            else:
                high, high_line = middle, found[0][0]
        return low_line, high_line

    def _measure_edges(self, start: int, stop: int) -> None:
        near = min(_EDGE, max(_NEAR >> 1, self._place.size >> 7))
        for edge in {start, stop}:
            begin = max(0, edge - near)
            text = self._place.pread(begin, edge + near - begin)
            lines = text.split(b"\n")[1 if begin else 0 : None if begin + len(text) >= self._place.size else -1]
            latest = -(1 << 62)
            for time in _times(lines, self._probe, len(lines)):
                self.disorder = max(self.disorder, latest - time)
                latest = max(latest, time)

    def _contradicted(self, start: int, stop: int) -> bool:
        """Whether a line outside the range has the window's times: at all samples, and ever closer to the edges."""
        seen = list(self._samples)
        for n in range(12, self._place.size.bit_length()):
            for offset in (start - (1 << n), stop + (1 << n)):
                if 0 <= offset < self._place.size:
                    seen += self._timed(offset, _LINES, reach=1 << 16)
        return any(
            (offset < start and self._start is not None and time >= self._start)
            or (offset >= stop and self._end is not None and time < self._end)
            for offset, time in seen
        )


def split(file: LogFile, parts: int, start: int = 0, stop: int | None = None) -> list[tuple[int, int]]:
    """Cut a byte range of a plain file into about `parts` ranges that begin at line starts, to be read side by side."""
    with file.open_slice([]) as place:
        stop = place.size if stop is None else min(stop, place.size)
        edges = [start]
        for n in range(1, parts):
            edge = _next_line(place, start + (stop - start) * n // parts, stop)
            if edge > edges[-1]:
                edges.append(edge)
    return [(one, two) for one, two in pairwise([*edges, stop]) if two > one]


def _next_line(place: Slice, offset: int, stop: int) -> int:
    while offset < stop:
        piece = place.pread(offset, _PIECE)
        found = piece.find(b"\n")
        if found >= 0:
            return min(offset + found + 1, stop)
        if not piece:
            break
        offset += len(piece)
    return stop
