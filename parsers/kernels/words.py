"""Texts of many rows told apart without a Python object each: eight bytes at a time, or by their digits' runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays import flags, holds, numbers, texts, values
from ..columns import REQUEST_ID_PATTERN
from .rows import Mask, Positions, bytes_of, pc

Words = npt.NDArray[np.uint64]
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)


class Text:
    """A block's bytes as the words of eight that begin at any of them."""

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        padded = np.concatenate([data, np.zeros(8, np.uint8)])
        self._words = np.ndarray((len(data) + 1,), "<u8", padded, strides=(1,))

    def words(self, begin: Positions, size: Positions | np.int64) -> Words:
        """The first eight bytes at each position, those behind `size` as zero."""
        out: Words = self._words[begin] & _MASKS[np.clip(size, 0, 8)]
        return out


def mixed(words: Words) -> Words:
    """Words that spread over all bits (a multiplication and a shift): what is equal stays so, and the rest is checked by who asks."""
    with np.errstate(over="ignore"):
        words = words * np.uint64(0x9E3779B97F4A7C15)
        return words ^ (words >> np.uint64(29))


def grouped(codes: npt.NDArray[Any]) -> tuple[Positions, Positions]:
    """The first place of each distinct number, and the group of every place; groups are numbered as they come."""
    group = values(numbers(codes).dictionary_encode().indices).astype(np.int64)
    if not len(group):
        return group, group
    highest = np.maximum.accumulate(group)
    return np.flatnonzero(np.diff(highest, prepend=-1) > 0), group


#: Bytes that are looked at together: what is made of them stays in the processor's cache.
_STEP = 1 << 17
_EVEN, _PAIRS, _NIBBLES, _BYTES = (np.uint64(int(pattern * 8, 16)) for pattern in ("55", "33", "0f", "01"))


def collapsed(array: pa.Array) -> pa.Array:
    """The texts (no slice of others) with every run of ASCII digits made one 0: what is left is their form. Null stays null."""
    offsets, data = bytes_of(array)
    alike = np.empty(len(data), np.uint8)
    bits = np.zeros(len(data) // 64 * 8 + 8, np.uint8)  # which bytes are kept
    begins = np.zeros(len(data) + 1, np.bool_)
    begins[offsets] = True  # a text that begins with a digit keeps it
    before = np.False_
    for at in range(0, len(data), _STEP):
        piece = data[at : at + _STEP]
        value = piece - np.uint8(48)
        digit = value < 10
        again = np.empty(len(piece), np.bool_)
        again[0] = digit[0] & before
        np.logical_and(digit[1:], digit[:-1], out=again[1:])
        before = digit[-1]
        kept = np.packbits(begins[at : at + len(piece)] | ~again, bitorder="little")
        bits[at // 8 : at // 8 + len(kept)] = kept
        np.subtract(piece, value * digit.view(np.uint8), out=alike[at : at + len(piece)])
    words = bits.view("<u8")
    ahead = np.append(np.zeros(1, np.int64), np.cumsum(_ones(words)[:-1]))
    place = offsets >> 6
    starts = ahead[place] + _ones(words[place] & ((np.uint64(1) << (offsets & 63).astype(np.uint64)) - np.uint64(1)))
    left = numbers(alike).filter(pa.Array.from_buffers(pa.bool_(), len(data), [None, pa.py_buffer(bits)]))
    buffers = [array.buffers()[0], pa.py_buffer(starts.astype(np.int32)), left.buffers()[1]]
    return pa.Array.from_buffers(pa.string(), len(array), buffers, array.null_count)


def _ones(words: Words) -> Positions:
    """How many bits of each word are set."""
    with np.errstate(over="ignore"):
        words = words - ((words >> np.uint64(1)) & _EVEN)
        words = (words & _PAIRS) + ((words >> np.uint64(2)) & _PAIRS)
        words = (words + (words >> np.uint64(4))) & _NIBBLES
        return ((words * _BYTES) >> np.uint64(56)).astype(np.int64)


def rows_with(array: pa.Array, said: bytes) -> Positions:
    """The texts (no slice of others) that hold these bytes, eight at most, by number: several times faster than Arrow's search."""
    offsets, data = bytes_of(array)
    at = np.flatnonzero(data == said[0])
    if len(said) > 1 and len(at):
        at = at[Text(data).words(at, np.int64(len(said))) == np.uint64(int.from_bytes(said, "little"))]
    row = np.searchsorted(offsets, at, "right") - 1
    row = row[at + len(said) <= offsets[row + 1]]
    return row[np.diff(row, prepend=-1) > 0]


def request_ids(messages: pa.Array, asked: Mask) -> tuple[pa.Array, Mask]:
    """The request ids that messages name where they are asked for one, and which of those may say more.

    That is a request's columns behind `path=` or `uri=`, or an id in letters that are no ASCII.

    The rule is that of `take_trailing`. A pair's sign is looked for first, and the pattern asked of the few rows that have one.
    """
    count = len(messages)
    hinting = np.zeros(count, np.bool_)
    nothing = pa.nulls(count, pa.string())
    offsets, data = bytes_of(messages)
    if not len(data):
        return nothing, hinting
    signs = np.flatnonzero((data == 61) | (data == 58))
    before = np.maximum(signs - 1, 0)
    before = np.maximum(before - (data[before] == 34), 1) if len(data) > 1 else before
    last, other = data[before], data[before - 1]
    named = ((last | 32) == 100) & ((other | 32) == 105) | (last == 116) & (other == 110)  # id, Id, ID; traceparent
    pathlike = (data[signs] == 61) & ((last == 104) & (other == 116) | (last == 105) & (other == 114))  # path=, uri=
    for found, ask in ((signs[pathlike], "hint"), (signs[named], "id")):
        if not len(found):
            continue
        row = np.unique(np.searchsorted(offsets, found, "right") - 1)
        row = row[asked[row]]
        if not len(row):
            continue
        some = messages.take(numbers(row))
        if ask == "hint":
            hinting[row[holds(pc.match_substring_regex(some, "(?:path|uri)="))]] = True
            continue
        hinting[row[~holds(pc.string_is_ascii(some))]] = True  # the two kinds of pattern take other letters for a word's
        ids = pc.struct_field(pc.extract_regex(some, REQUEST_ID_PATTERN), "id")
        mask = np.zeros(count, np.bool_)
        mask[row] = True
        nothing = pc.replace_with_mask(nothing, flags(mask), ids)
    return nothing, hinting


def by_kind(told: list[str | None], kind: Positions) -> pa.DictionaryArray:
    """A dictionary column of what each row's kind says."""
    known = sorted({value for value in told if value is not None})
    if not known:
        return pa.nulls(len(kind), pa.dictionary(pa.int32(), pa.string()))
    place = {value: at for at, value in enumerate(known)}
    codes = np.array([-1 if value is None else place[value] for value in told], np.int32)[kind]
    valid = None if None not in told else flags(codes >= 0).buffers()[1]
    indices = pa.Array.from_buffers(pa.int32(), len(codes), [valid, pa.py_buffer(np.maximum(codes, 0))])
    return pa.DictionaryArray.from_arrays(indices, texts(known))
