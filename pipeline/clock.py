"""Puts every source on one clock: applies the offsets that `retrolog.pipeline.offsets` is sure of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from .summary import LAYOUTS, Summary, refold

SECOND = 1_000_000


def aligned(summary: Summary, offsets: Mapping[str, float]) -> Summary:
    """The summary with each source's stamps moved to true time: stamp less offset (seconds, positive is ahead).

    Bins move by the offset rounded to their width; first and last events keep their microseconds.
    """
    moved = {source: offset for source, offset in offsets.items() if offset}
    if not moved:
        return summary
    tables = {}
    for name, table in summary.tables.items():
        shift = np.array([moved.get(s, 0.0) for s in table["source"].to_pylist()])
        for column in table.column_names:
            if column in ("time", "last_time"):
                micros = table[column].to_numpy() - np.round(shift * SECOND).astype(np.int64)
                table = _replaced(table, column, micros)
            elif column == "second":
                width = summary.width(name)
                moved_to = table[column].to_numpy() - np.round(shift).astype(np.int64)
                table = _replaced(table, column, moved_to - moved_to % width)
        tables[name] = refold(name, table)
    return Summary({n: tables[n] for n in LAYOUTS if n in tables}, summary.levels)


def _replaced(table: pa.Table, column: str, values: np.ndarray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), column, pa.array(values))
