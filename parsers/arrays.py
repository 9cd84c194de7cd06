"""Arrow arrays from lists and NumPy arrays, and back, without pandas.

`pa.array` and `to_numpy` first ask pandas whether a value is one of its own, and to ask they import it: half a second that
a command which only prints events must not spend. These functions hand over buffers instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

_TYPES: dict[Any, str] = {
    pa.int8(): "i1", pa.int16(): "i2", pa.int32(): "i4", pa.int64(): "i8", pa.uint8(): "u1", pa.uint16(): "u2", pa.uint32(): "u4",
    pa.uint64(): "u8", pa.float32(): "f4", pa.float64(): "f8",
}  # fmt: skip


def numbers(values: npt.NDArray[Any]) -> pa.Array:
    """A NumPy array of numbers as an Arrow array of the same type."""
    values = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def flags(mask: npt.NDArray[np.bool_]) -> pa.Array:
    """A NumPy array of truth values as an Arrow array."""
    return pa.Array.from_buffers(pa.bool_(), len(mask), [None, pa.py_buffer(np.packbits(mask, bitorder="little"))])


def optional(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Numbers (or timestamps, as integers) and None as an Arrow array of that type."""
    valid = np.array([value is not None for value in values], np.bool_)
    storage = "i8" if pa.types.is_timestamp(kind) else _TYPES[kind]
    data = np.array([0 if value is None else value for value in values], storage)
    bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(data), [bits, pa.py_buffer(data)])


def texts(values: Sequence[str | None]) -> pa.Array:
    """Texts and None as an Arrow array of strings."""
    parts = [b"" if value is None else value.encode("utf-8", "replace") for value in values]
    offsets = np.zeros(len(parts) + 1, np.int32)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    valid = np.array([value is not None for value in values], np.bool_)
    bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(
        pa.string(), len(parts), [bits, pa.py_buffer(offsets), pa.py_buffer(b"".join(parts))]
    )


def values(array: Any) -> npt.NDArray[Any]:
    """The numbers or truth values of an Arrow array or column as a NumPy array; what stands for null is undefined."""
    if isinstance(array, pa.ChunkedArray):
        if array.num_chunks != 1:
            return np.concatenate([values(chunk) for chunk in array.chunks]) if array.num_chunks else np.zeros(0, np.int64)
        array = array.chunk(0)
    data = array.buffers()[1]
    if pa.types.is_boolean(array.type):
        if data is None:
            return np.zeros(0, np.bool_)
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        return bits[array.offset : array.offset + len(array)].astype(np.bool_)
    kind = "i8" if pa.types.is_timestamp(array.type) else _TYPES[array.type]
    if data is None:
        return np.zeros(0, kind)
    return np.frombuffer(data, kind)[array.offset : array.offset + len(array)]


@lru_cache(maxsize=256)
def one(value: str | bool | int | None) -> Any:
    """A value as an Arrow scalar (None is a null text), for functions of `pyarrow.compute`, which ask pandas as well."""
    if isinstance(value, bool):
        return flags(np.array([value]))[0]
    if isinstance(value, int):
        return numbers(np.array([value]))[0]
    return texts([value])[0]


def holds(truth: Any) -> npt.NDArray[np.bool_]:
    """An Arrow column of truth values as a NumPy mask; null is false."""
    return values(pyarrow.compute.coalesce(truth, one(False)))


def joined(pieces: Sequence[Any], separator: str, count: int) -> Any:
    """The texts of each row that are not null with a separator between them, "" where all are null."""
    # Arrow drops rows whose texts are all null from its answer: a text in front, which is cut off again, leaves no row without one.
    compute: Any = pyarrow.compute
    front = texts([""]).take(numbers(np.zeros(count, np.int64)))
    out = compute.binary_join_element_wise(front, *pieces, one(separator), null_handling="skip")
    return compute.utf8_slice_codeunits(out, len(separator))
