"""Events in order of time: as sorting all of them gives, whether they fit into memory or not."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.parsers.base import Event
from retrolog.parsers.tables import events_table
from retrolog.pipeline.commands.in_order import HELD, InOrder

#: Times of the events of each block of each file.
FILES = st.lists(st.lists(st.lists(st.one_of(st.none(), st.integers(0, 6)), max_size=5), max_size=4), max_size=4)


def blocks(times: list[list[int | None]], file: int) -> list[pa.Table]:
    """The blocks of a file whose events say which they are."""
    line, tables = 0, []
    for block in times:
        events = []
        for time in block:
            line += 1
            events.append(Event(time, f"{file}:{line}", host=f"h{line}", line=line))
        tables.append(events_table(events))
    return tables


def expected(files: list[list[list[int | None]]]) -> list[str]:
    rows = []
    for file, times in enumerate(files):
        flat = [time for block in times for time in block]
        last = next((time for time in flat if time is not None), 0)
        for line, time in enumerate(flat, 1):
            last = last if time is None else time
            rows.append((last, file, line))
    return [f"{file}:{line}" for _, file, line in sorted(rows)]


@settings(max_examples=150, deadline=None)
@given(FILES, st.sampled_from([0, 600, HELD]), st.integers(1, 7))
def test_it_is_as_sorting_gives(files: list[list[list[int | None]]], held: int, at_once: int) -> None:
    events = InOrder(held)
    for file, times in enumerate(files):
        events.add(blocks(times, file))
    tables = list(events.tables(at_once))
    assert [said for table in tables for said in table["message"].to_pylist()] == expected(files)
    assert all(len(table) <= at_once for table in tables)
    for table in tables:
        assert table["host"].to_pylist() == ["h" + said.split(":")[1] for said in table["message"].to_pylist()]
    assert len(events) == len(expected(files))


@pytest.mark.parametrize("times", [[3, 4, 5], [5, 4, 3]])
def test_what_does_not_fit_is_on_disk(times: list[int]) -> None:
    events = InOrder(held=0)
    events.add(blocks([[time] for time in times], 0))
    assert events._tables == [None] * 3
    assert len(list(events.tables())) >= 1
