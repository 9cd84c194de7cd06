"""Rows of equal keys made one, by sorting one number a row: several times faster than grouping by many columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from ..parsers.arrays import values

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

Numbers = npt.NDArray[np.int64]
_ROOM = 1 << 62


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
    codes = key_codes([table[name] for name in keys])
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
    out: dict[str, Any] = {}
    some = pa.array(order[starts])
    for name in keys:
        out[name] = table[name].take(some)
    for name in sums:
        out[name] = pa.array(np.add.reduceat(values(table[name])[order], starts))
    for name in greatest:
        out[name] = pa.array(np.maximum.reduceat(values(table[name])[order], starts))
    ends = np.append(starts[1:], len(order)) - 1
    for (by, columns), places in ((first, starts), (last, ends)):
        if columns:
            ranks = [_rank(table[name])[0] for name in reversed(by)]
            chosen = pa.array(np.lexsort([*ranks, codes])[places])
            for name in columns:
                out[name] = table[name].take(chosen)
    return out


def key_codes(columns: Sequence[Any]) -> Numbers:
    """One number a row that orders rows as these columns do, one after the other, nulls last."""
    codes, size = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        rank, count = _rank(column)
        if size * count >= _ROOM:
            distinct, codes = np.unique(codes, return_inverse=True)
            codes, size = codes.reshape(-1).astype(np.int64), len(distinct)
        codes = codes * count + rank
        size *= count
    return codes


def _rank(column: Any) -> tuple[Numbers, int]:
    """The place of each value among the distinct ones (or, for whole numbers close together, their distance), and how many places."""
    if pa.types.is_int64(column.type) and not column.null_count:
        numbers = values(column)
        low, high = int(numbers.min()), int(numbers.max())
        if high - low < 1 << 40:
            return numbers - low, high - low + 1
    encoded = column.combine_chunks().dictionary_encode() if isinstance(column, pa.ChunkedArray) else column.dictionary_encode()
    known = len(encoded.dictionary)
    rank = np.empty(known + 1, np.int64)
    rank[values(pc.array_sort_indices(encoded.dictionary))] = np.arange(known)
    rank[known] = known
    places = values(pc.fill_null(encoded.indices, known))
    return rank[places], known + 1
