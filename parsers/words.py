"""Texts of many rows told apart without a Python object each: eight bytes at a time, or by their digits' runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .arrays import flags, holds, numbers, texts, values
from .columns import REQUEST_ID_PATTERN
from .kernels_rows import Mask, Positions, bytes_of, pc

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
_ONES = np.array([byte.bit_count() for byte in range(256)], np.uint8)
_BELOW = np.array([(1 << place) - 1 for place in range(8)], np.uint8)
_GONE = 255  # no byte of UTF-8
_DIGITS_ALIKE = bytes(48 if 48 <= byte < 58 else byte for byte in range(256))


def collapsed(array: pa.Array) -> pa.Array:
    """The texts (no slice of others) with every run of ASCII digits made one 0: what is left is their form. Null stays null."""
    offsets, data = bytes_of(array)
    begins = np.zeros(len(data), np.bool_)
    begins[offsets[:-1][offsets[:-1] < len(data)]] = True  # a text that begins with a digit keeps it
    bits = np.zeros(len(data) // 8 + 1, np.uint8)
    kept: list[bytes] = []
    before = np.False_
    for at in range(0, len(data), _STEP):
        piece = data[at : at + _STEP]
        digit = (piece - np.uint8(48)) < 10
        drop = np.empty(len(piece), np.bool_)
        drop[0] = digit[0] & before
        np.logical_and(digit[1:], digit[:-1], out=drop[1:])
        np.greater(drop, begins[at : at + _STEP], out=drop)
        before = digit[-1]
        packed = np.packbits(drop, bitorder="little")
        bits[at // 8 : at // 8 + len(packed)] = packed
        marked = piece | (np.uint8(0) - drop.view(np.uint8))
        kept.append(marked.tobytes().translate(_DIGITS_ALIKE, bytes([_GONE])))
    gone = np.zeros(len(bits), np.int32)
    np.cumsum(_ONES[bits[:-1]], dtype=np.int32, out=gone[1:])
    dropped = gone[offsets >> 3] + _ONES[bits[offsets >> 3] & _BELOW[offsets & 7]]
    buffers = [array.buffers()[0], pa.py_buffer(offsets - dropped), pa.py_buffer(b"".join(kept))]
    return pa.Array.from_buffers(pa.string(), len(array), buffers, array.null_count)


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
