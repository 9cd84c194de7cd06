"""Rows of a block as positions in its bytes, and columns cut out of them without a Python object a row.

What a kernel needs: where rows begin and end, where quotes and spaces stand, texts between two positions of every row,
and stamps read once a distinct second.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from ..arrays import flags, holds, numbers, one, values
from ..timestamps import Reading, TimeContext, read_time

if TYPE_CHECKING:
    from ..base import Format
    from ..rowwise import RowParser

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

#: Noted in a context's state while it only matters that rows have a time, not of which year.
YEARS_ASIDE = "years_aside"
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
#: Reads a text that is nothing but a stamp, as `read_time` does.
ReadTime = Callable[[str, TimeContext], Reading | None]
_HALF_YEAR = 183 * 86_400_000_000
_WIDTHS = 12  # widths of stamps that a block's rows may have


class Unsure(Exception):
    """A kernel cannot vouch for a block: it is read row by row."""


class Rows:
    """The rows of a block of whole lines: `start`, `end` (without CR and LF) and `size` (without LF), and its bytes."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.data = np.frombuffer(text, np.uint8)
        self.buffer = pa.py_buffer(text)
        ends = np.flatnonzero(self.data == 10)
        if not len(ends) or ends[-1] != len(text) - 1:
            ends = np.append(ends, len(text))
        self.start: Positions = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
        self.end: Positions = ends
        self.size: Positions = ends - self.start
        self._places: dict[int, Positions] = {}
        self.returned = b"\r" in text
        if self.returned:
            last = self.data[np.maximum(ends - 1, 0)]
            self.end = ends - ((last == 13) & (self.size > 0))

    def __len__(self) -> int:
        return len(self.start)

    def places(self, byte: int) -> Positions:
        """Where a byte stands in the block."""
        if byte not in self._places:
            self._places[byte] = np.flatnonzero(self.data == byte)
        return self._places[byte]

    def holding(self, found: Positions) -> Mask:
        """Which rows hold any of these positions."""
        mask = np.zeros(len(self), np.bool_)
        mask[np.searchsorted(self.end, found, "left").clip(max=len(self) - 1)] = True
        return mask

    def odd(self) -> Mask:
        """Rows with bytes that ask for care: no ASCII, control characters other than tab, a CR amid the row."""
        mask = np.zeros(len(self), np.bool_)
        if not self.text.isascii():
            mask |= self.holding(np.flatnonzero(self.data >= 128))
        low = self.data < 32
        if np.count_nonzero(low) > len(self):
            places = np.flatnonzero(low)
            byte = self.data[places]
            places, byte = places[(byte != 10) & (byte != 9)], byte[(byte != 10) & (byte != 9)]
            if self.returned:
                row = np.searchsorted(self.start, places, "right") - 1
                places = places[~((byte == 13) & (places == self.end[row]))]
            if len(places):
                mask |= self.holding(places)
        return mask

    def cut(self, begin: Positions, end: Positions) -> pa.Array:
        """The texts between two positions; pieces must follow one another in the block."""
        return _pieces(self.buffer, begin, end)

    def first_after(self, places: Positions, at: Positions, limit: Positions) -> Positions:
        """The first of the sorted `places` at or after each position, `limit` where there is none before it."""
        if not len(places):
            return limit
        index = np.searchsorted(places, at)
        found = places[np.minimum(index, len(places) - 1)]
        return np.where((index < len(places)) & (found < limit), found, limit)

    def row_text(self, row: int) -> str:
        """One row as the parsers are given it."""
        return self.text[self.start[row] : self.end[row]].decode()


def _pieces(buffer: pa.Buffer, begin: Positions, end: Positions) -> pa.Array:
    count = len(begin)
    if not count:
        return pa.nulls(0, pa.string())
    offsets = np.empty(2 * count + 1, np.int32)
    offsets[0:-1:2] = begin
    offsets[1::2] = end
    offsets[-1] = end[-1]
    pieces = pa.Array.from_buffers(pa.string(), 2 * count, [None, pa.py_buffer(offsets), buffer])
    return pieces.take(numbers(np.arange(0, 2 * count, 2, dtype=np.int64)))


def cut(texts: pa.Array, begin: Positions, end: Positions) -> pa.Array:
    """What stands between two positions of the bytes of texts (see `bytes_of`); pieces must follow one another."""
    return _pieces(texts.buffers()[2], begin, end)


def bytes_of(texts: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """The offsets and bytes of an array of strings that was made by `take` or `cut`."""
    _, starts, data = texts.buffers()
    offsets = np.frombuffer(starts, np.int32, len(texts) + 1)
    return offsets, np.frombuffer(data, np.uint8, int(offsets[-1])) if data else np.zeros(0, np.uint8)


_DIGITS_ALIKE = np.arange(256, dtype=np.uint8)
_DIGITS_ALIKE[48:58] = 48


def digits_alike(texts: pa.Array) -> pa.Array:
    """The texts with every digit made a 0: what is left is their form."""
    _, data = bytes_of(texts)
    return pa.Array.from_buffers(
        pa.string(), len(texts), [None, texts.buffers()[1], pa.py_buffer(_DIGITS_ALIKE[data])]
    )


@dataclass(frozen=True, slots=True)
class Stamps:
    """Times of rows: microseconds, which are sound, where they stand, and what was assumed (`kinds`) by their minute."""

    time: Positions
    sound: Mask
    begin: Positions
    width: Positions
    minute: Positions
    kinds: tuple[tuple[str, ...], ...]
    read: ReadTime = read_time

    def pick(self, picked: Any) -> Stamps:
        """The stamps of some of the rows."""
        return Stamps(
            self.time[picked], self.sound[picked], self.begin[picked], self.width[picked], self.minute[picked], self.kinds, self.read
        )

    def told(self, at: int) -> tuple[int, tuple[str, ...]]:
        """The time of one row, and what was assumed for it."""
        return int(self.time[at]), self.kinds[self.minute[at]]

    def count(self, picked: Any) -> Counter[str]:
        """What was assumed for the picked rows, as `TimeContext.counts` has it."""
        counts: Counter[str] = Counter()
        many = np.bincount(self.minute[picked], minlength=len(self.kinds)).tolist()
        for kinds, rows in zip(self.kinds, many, strict=True):
            for kind in kinds:
                if rows:
                    counts[kind] += rows
        return counts


_CLOCK = re.compile(r"(?<!\d)\d\d:\d\d:(\d\d)(?:[.,](\d{1,9}))?")


def read_stamps(rows: Rows, begin: Positions, sample: str, context: TimeContext, line: int, read: ReadTime = read_time) -> Stamps:
    """Times of rows whose stamps begin at these positions and are written as `sample` is.

    Each distinct minute is read once by `read`; seconds and their fraction are added. Raises `Unsure` where a time
    depends on the rows before it: in an hour that happens twice, where a new year begins, and where no plan tells the year.
    """
    width = len(sample)
    clock = _CLOCK.search(sample)
    if clock is None:
        raise Unsure("the stamp has no time of day to the second")
    head, tail = clock.start(1), sample[clock.end() :]
    inside = begin + width <= len(rows.data)
    safe = np.minimum(begin, max(0, len(rows.data) - width))  # still in order, as `cut` asks
    sound: Mask = inside.copy()
    seconds, good = _digits(rows, safe + head, 2)
    sound &= good & (seconds < 70)
    micros = seconds * 1_000_000
    if clock[2]:
        sound &= rows.data[safe + clock.start(2) - 1] == ord(sample[clock.start(2) - 1])
        fraction, good = _digits(rows, safe + clock.start(2), len(clock[2]))
        sound &= good
        digits = len(clock[2])
        micros = micros + (fraction * 10 ** (6 - digits) if digits <= 6 else fraction // 10 ** (digits - 6))
    for place, letter in enumerate(tail.encode(), clock.end()):
        sound &= rows.data[safe + place] == letter
    encoded = rows.cut(safe, np.minimum(safe + head, len(rows.data))).dictionary_encode()
    form = re.compile(_form(sample[:head]))
    minutes = encoded.dictionary.to_pylist()
    times = np.zeros(len(minutes), np.int64)
    known = np.zeros(len(minutes), np.bool_)
    kinds: list[tuple[str, ...]] = []
    anchor, before, last = context._anchor, context._before, context._last
    context.line = line
    try:
        for at, text in enumerate(minutes):
            context.begin()
            context._anchor = None
            found = read(text + "00" + tail, context) if form.fullmatch(text) else None
            kinds.append(context._kinds)
            if "doubled_hour" in context._kinds or "no_year" in context._kinds:
                raise Unsure("the hour happens twice, or the year is not known")
            if found is not None and found[1] is not None:
                times[at], known[at] = found[1], True
    finally:
        context.begin()
        context._anchor, context._before = anchor, before
    if any("year_less" in kind for kind in kinds) and YEARS_ASIDE not in context.state:
        plan = context.plan
        reach = times[known] if last is None else np.append(times[known], last)
        if plan is None or plan.year_at(line) != plan.year_at(line + len(rows)) or np.ptp(reach) > _HALF_YEAR:
            raise Unsure("a new year may begin here")
    minute = values(encoded.indices).astype(np.int64)
    return Stamps(times[minute] + micros, sound & known[minute], safe, np.full(len(begin), width), minute, tuple(kinds), read)


def stamps_between(
    rows: Rows, begin: Positions, end: Positions, context: TimeContext, line: int, shape: re.Pattern[str] | None = None,
    read: ReadTime = read_time,
) -> Stamps:  # fmt: skip
    """Times of rows whose stamps differ in width, as those do whose trailing zeros are left out: `read_stamps` for each width.

    Stamps of a width are read as its first one is written, which must fit the shape where one is given.
    """
    count = len(begin)
    width = end - begin
    time, minute = np.zeros(count, np.int64), np.zeros(count, np.int64)
    sound = np.zeros(count, np.bool_)
    kinds: list[tuple[str, ...]] = [()]
    widths, many = np.unique(width, return_counts=True)
    for size in widths[np.argsort(-many)][:_WIDTHS].tolist():
        here = np.flatnonzero(width == size)
        first = int(begin[here[0]])
        sample = rows.text[first : first + size].decode("ascii", "replace")
        if _CLOCK.search(sample) is None or (shape is not None and not shape.fullmatch(sample)):
            continue
        some = read_stamps(rows, begin[here], sample, context, line, read)
        time[here], sound[here], minute[here] = some.time, some.sound, some.minute + len(kinds)
        kinds += some.kinds
    return Stamps(time, sound, begin, width, minute, tuple(kinds), read)


def numeric_stamps(rows: Rows, begin: Positions, end: Positions) -> Stamps:
    """Times of rows that write them as numbers since 1970, behind a colon and before a comma or brace: `epoch_time` for many rows.

    `begin` and `end` take these in. What is no plain number, or none of a time, is not sound.
    """
    said = pc.replace_substring_regex(rows.cut(begin, end), r"^: ?(\d{9,19}(?:\.\d{1,9})?)[,}][\s\S]*$", r"\1")
    plain = holds(pc.match_substring_regex(said, r"^\d{9,18}(?:\.\d{1,9})?$"))
    said = pc.if_else(flags(plain), said, one("0"))
    pointed = holds(pc.match_substring(said, "."))
    whole = values(pc.replace_substring_regex(said, r"\..*$", "").cast(pa.int64()))
    real = values(said.cast(pa.float64()))
    time, sound = np.zeros(len(whole), np.int64), np.zeros(len(whole), np.bool_)
    # nanoseconds a unit: seconds, milli-, micro- and nanoseconds, told by the number's size
    for low, high, scale in ((10**8, 10**10, 10**9), (10**11, 10**13, 10**6), (10**14, 10**16, 10**3), (10**17, 1 << 62, 1)):
        here = plain & (low <= whole) & (whole < high)
        sound |= here
        time = np.where(here, whole * (scale // 1000) if scale >= 1000 else whole // 1000, time)
        time = np.where(here & pointed, np.rint(real * scale / 1000).astype(np.int64), time)
    none = np.zeros(len(time), np.int64)
    return Stamps(time, sound, begin, none, none, ((),))


def _digits(rows: Rows, begin: Positions, count: int) -> tuple[Positions, Mask]:
    """The number that so many digits of every row make, and where they are digits."""
    number: Positions = np.zeros(len(begin), np.int64)
    good = np.ones(len(begin), np.bool_)
    for place in range(count):
        digit = rows.data[begin + place] - np.uint8(48)
        good &= digit < 10
        number = number * 10 + digit
    return number, good


def _form(sample: str) -> str:
    """A pattern for stamps written as this one: digits for digits, letters for letters, a day padded either way."""
    out = ""
    for at, letter in enumerate(sample):
        padded = at and sample[at - 1] == " " and letter in " 0123456789"
        out += (
            r"[ \d]" if padded else r"\d" if letter.isdigit() else "[A-Za-z]" if letter.isalpha() else re.escape(letter)
        )
    return out


def follow(context: TimeContext, rows: Rows, stamps: Stamps, at: int) -> None:
    """Leaves the context as if the row at this place had just been read one by one."""
    if stamps.kinds[stamps.minute[at]]:
        context._anchor = None
        begin = int(stamps.begin[at])
        stamps.read(rows.text[begin : begin + int(stamps.width[at])].decode(), context)
        context._kinds = ()
        context.accept(int(stamps.time[at]))


class Plain:
    """What is found in rows whose reading hangs on nothing that is within them."""

    __slots__ = ()

    def ready(self, parser: RowParser) -> bool:
        """Always."""
        del parser
        return True

    def passed(self, parser: RowParser, picked: Positions) -> None:
        """Nothing is remembered of such rows."""
        del parser, picked

    def named(self, form: Format) -> str:
        """The format's own name."""
        return form.name


@dataclass(slots=True)
class Alone(Plain):
    """What a kernel found in rows that are events by themselves, whose columns (`parts`) it has cut already."""

    source: Rows
    rows: Positions
    begins: Mask
    stamps: Stamps
    parts: dict[str, Any]

    def settle(self, end: Positions) -> Mask:
        """A row that another goes on is none of the usual."""
        alone: Mask = end == self.source.end[self.rows]
        return alone

    def columns(self, picked: Positions) -> dict[str, pa.Array]:
        """The columns of the picked rows."""
        whole = len(picked) == len(self.rows)
        index = numbers(picked)
        return {name: (part if whole else part.take(index)) for name, part in self.parts.items()}
