"""Rows of equal keys made one, by sorting one number a row: several times faster than grouping by many columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import holds, numbers, values

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

Numbers = npt.NDArray[np.int64]
_ROOM = 1 << 62
_DENSE = 1 << 20


def fold(
    table: pa.Table,
    keys: Sequence[str],
    sums: Sequence[str],
    greatest: Sequence[str],
    first: tuple[Sequence[str], Sequence[str]],
    last: tuple[Sequence[str], Sequence[str]],
) -> dict[str, Any]:
    """Columns of one row a key, in ascending order of the keys (nulls last), for a table that is not empty.

    `sums` are added, of `greatest` the greatest value is taken (neither may hold nulls). `first` and `last` are (columns
    that say the order, columns to take from the first or last row in that order); ties end the same whatever the order
    of the rows, when the ordering columns tell rows apart.
    """
    table = table.combine_chunks()
    codes = packed([_rank(table[name]) for name in keys])
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
    out: dict[str, Any] = {}
    some = numbers(order[starts])
    for name in keys:
        out[name] = table[name].take(some)
    for name in sums:
        out[name] = numbers(np.add.reduceat(values(table[name])[order], starts))
    for name in greatest:
        out[name] = numbers(np.maximum.reduceat(values(table[name])[order], starts))
    ends = np.append(starts[1:], len(order)) - 1
    for (by, columns), places in ((first, starts), (last, ends)):
        if columns:
            ranks = [_rank(table[name]) for name in reversed(by)]
            chosen = numbers(np.lexsort([*ranks, codes])[places])
            for name in columns:
                out[name] = table[name].take(chosen)
    return out


def packed(parts: Sequence[npt.NDArray[Any]]) -> Numbers:
    """One number a row that orders rows as these numbers do, one after the other; there must be rows."""
    codes, size = np.zeros(len(parts[0]), np.int64), 1
    for part in parts:
        low, high = int(part.min()), int(part.max())
        if low == high:
            continue
        if high - low >= _ROOM >> 20 or part.dtype == np.uint64:
            part, low, high = _renumbered(part), 0, len(part)
        count = high - low + 1
        if size * count >= _ROOM:
            codes, size = _renumbered(codes), len(codes)
        codes = codes * count + (part.astype(np.int64) - low)
        size *= count
    return codes


def added(ordered: npt.NDArray[Any], begins: Numbers) -> npt.NDArray[Any]:
    """The sum of each run of numbers, which may be held narrow, that begins there."""
    sums: npt.NDArray[Any] = np.add.reduceat(ordered, begins, dtype=np.int64 if ordered.dtype.kind == "i" else None)
    return sums


def narrow(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The integers in as few bytes each as the largest needs: rows that are kept or sent take a third of the room.

    Always signed, so that columns of different widths join to the wider one.
    """
    if column.dtype.kind != "i" or not len(column):
        return column
    low, high = int(column.min()), int(column.max())
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return column.astype(kind)
    return column


def _renumbered(part: npt.NDArray[Any]) -> Numbers:
    """The place of each number among the distinct ones."""
    codes: Numbers = np.unique(part, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return codes


def coded(column: Any) -> tuple[Numbers, list[Any]]:
    """The distinct values of a column (text, flags or numbers; None for null) and each row's place among them."""
    encoded = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    codes = values(encoded.indices).astype(np.int64)
    known = encoded.dictionary.to_pylist()
    if encoded.indices.null_count:
        codes = np.where(holds(pc.is_valid(encoded.indices)), codes, len(known))
        known.append(None)
    return codes, known


def combined(columns: Sequence[tuple[Numbers, Sequence[Any]]]) -> tuple[Numbers, list[tuple[Any, ...]]]:
    """The distinct combinations of values in several columns, each given as by `coded`, and each row's place among them."""
    code, size = np.zeros(len(columns[0][0]), np.int64), 1
    for codes, known in columns:
        if size * len(known) > _DENSE:
            code, size = distinct(code, size)[0], len(code)
        code = code * len(known) + codes
        size *= len(known)
    places, some = distinct(code, size)
    at = np.zeros(len(some), np.int64)
    at[places] = np.arange(len(places))  # any row of each combination
    return places, list(zip(*([known[k] for k in codes[at].tolist()] for codes, known in columns), strict=True))


def distinct(codes: Numbers, size: int) -> tuple[Numbers, Numbers]:
    """The place of each number among the distinct ones, and these; all are from 0 to below `size`."""
    if size > _DENSE:
        some, places = np.unique(codes, return_inverse=True)
        return places.reshape(-1).astype(np.int64), some
    seen = np.zeros(size, np.bool_)
    seen[codes] = True
    some = np.flatnonzero(seen)
    rank = np.zeros(size, np.int64)
    rank[some] = np.arange(len(some))
    return rank[codes], some


def _rank(column: Any) -> npt.NDArray[Any]:
    """A number for each value that orders rows as the values do, nulls last."""
    if pa.types.is_int64(column.type) and not column.null_count:
        return values(column)
    encoded = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(encoded.type):
        inner = encoded.dictionary.dictionary_encode()  # a dictionary may hold a value twice
        encoded = pa.DictionaryArray.from_arrays(inner.indices.take(encoded.indices), inner.dictionary)
    else:
        encoded = encoded.dictionary_encode()
    known = len(encoded.dictionary)
    rank = np.empty(known + 1, np.int64)
    rank[values(pc.array_sort_indices(encoded.dictionary)).astype(np.int64)] = np.arange(known)
    rank[known] = known
    codes = values(encoded.indices).astype(np.int64)
    if encoded.indices.null_count:
        codes = np.where(holds(pc.is_valid(encoded.indices)), codes, known)
    return rank[codes]
