"""Texts joined by columns: rows without any text stay in their place."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.parsers.arrays import joined

TEXT = st.none() | st.text("ab,", max_size=3)


@pytest.mark.parametrize("empty", [0, 1, 3])
def test_rows_without_a_text_before_others_are_kept(empty: int) -> None:
    rows = [None] * empty + ["a", None, "b"]
    assert joined([pa.array(rows), pa.array(rows)], ",", len(rows)).to_pylist() == [""] * empty + ["a,a", "", "b,b"]


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=8))
def test_the_same_as_joining_row_by_row(rows: list[tuple[str | None, ...]]) -> None:
    columns = [pa.array([row[at] for row in rows], pa.string()) for at in range(3)]
    assert joined(columns, ";", len(rows)).to_pylist() == [";".join(t for t in row if t is not None) for row in rows]
