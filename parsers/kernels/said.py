"""Requests told in messages, by columns: what `retrolog.parsers.said` takes from one message, from those of many rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ..arrays import flags, holds, numbers, optional
from ..arrays import one as scalar
from ..said import BEGINS, METHODS, SAID, UNITS
from .rows import Positions, bytes_of, pc

#: The last letters of methods.
_LAST = np.zeros(256, np.bool_)
_LAST[[ord(method[-1]) for method in METHODS]] = True


def with_said(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns of events, those of a request filled from the message of events that have none of them."""
    messages = pa.concat_arrays([pc.cast(columns["message"], pa.string()), pa.nulls(0, pa.string())])  # no slice of another
    row = _rows(messages)
    for name in ("method", "path", "status"):
        if name in columns and len(row):
            row = row[~holds(pc.is_valid(columns[name].take(numbers(row))))]
    if not len(row):
        return columns
    found = pc.extract_regex(messages.take(numbers(row)), SAID)
    said = {name: _either(found, name) for name in ("method", "path", "status", "took", "unit")}
    told = holds(pc.and_(pc.is_valid(found), pc.or_(_some(found.field("quote")), pc.is_valid(said["took"]))))
    row, said = row[told], {name: part.filter(flags(told)) for name, part in said.items()}
    if not len(row):
        return columns
    unit = said["unit"].dictionary_encode()
    each = optional([UNITS[one] for one in unit.dictionary.to_pylist()], pa.float64()).take(unit.indices)
    made = {
        "method": said["method"], "path": said["path"], "status": said["status"].cast(pa.int16()), "duration": pc.multiply(said["took"].cast(pa.float64()), each),
    }  # fmt: skip
    mask = np.zeros(len(messages), np.bool_)
    mask[row] = True
    out = dict(columns)
    for name, part in made.items():
        kind = pa.string() if name in ("method", "path") else part.type
        known = columns[name].cast(kind) if name in columns else pa.nulls(len(messages), kind)
        if name == "duration":  # one that the event had stays
            part = pc.coalesce(known.filter(flags(mask)), part)
        out[name] = pc.replace_with_mask(known, flags(mask), part)
    out["method"] = out["method"].dictionary_encode()
    return out


def _rows(messages: pa.Array) -> Positions:
    """The messages that hold a path behind the last letter of a method early on."""
    offsets, data = bytes_of(messages)
    slash = np.flatnonzero(data == 47)
    slash = slash[slash >= 4]
    slash = slash[(data[slash - 1] == 32) & _LAST[data[slash - 2]]]
    row = np.searchsorted(offsets, slash, "right") - 1
    row = row[slash - offsets[row] < BEGINS]
    found: Positions = row[np.diff(row, prepend=-1) > 0]
    return found


def _some(found: Any) -> Any:
    return pc.fill_null(pc.greater(pc.binary_length(found), 0), False)


def _either(found: Any, name: str) -> Any:
    """What one of the two ways of writing says, null for neither."""
    one, other = found.field(name), found.field(f"{name}2")
    return pc.if_else(_some(one), one, pc.if_else(_some(other), other, scalar(None)))


__all__ = ["with_said"]
