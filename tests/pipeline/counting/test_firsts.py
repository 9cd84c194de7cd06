"""The first message of every kind and second is what folding row by row gives, however events are split, ordered and coarsened."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrolog.pipeline.counting import firsts as module
from retrolog.pipeline.counting import summary
from retrolog.pipeline.counting.firsts import Firsts

from .test_summary import START, events

KEYS = summary.LAYOUTS["patterns"].keys
Row = dict[str, Any]


def table(rows: list[Row]) -> pa.Table:
    """Events as counting hands them over: with the second they are in, and the signature of their message."""
    seconds = pa.array([row["time"] // 1_000_000 for row in rows], pa.int64())
    signatures = pa.array([row["signature"] for row in rows], pa.string()).dictionary_encode()
    return events(rows).append_column("second", seconds).append_column("signature", signatures)


def naive(rows: list[Row], cap: int) -> list[Row]:
    """A row a key: the first of its events by time, file and line; bins double until there are no more than the cap."""
    level = 0
    while True:
        width = 1 << level
        found: dict[tuple[Any, ...], Row] = {}
        for row in sorted(rows, key=lambda row: (row["time"], row["file"], row["line"])):
            second = row["time"] // 1_000_000
            key = tuple(second - second % width if name == "second" else row[name] for name in KEYS)
            known = found.setdefault(key, {**row, **dict(zip(KEYS, key, strict=True)), "count": 0, "last_time": row["time"], "message": row["message"][:2000]})
            known["count"] += 1
            known["last_time"] = row["time"]
        if len(found) <= cap:
            break
        level += 1
    columns = summary.columns_of("patterns")
    order = sorted(found, key=lambda key: [(value is None, value) for value in key])
    return [{name: found[key].get(name) for name in columns} for key in order]


def told(firsts: Firsts) -> list[Row]:
    made = firsts.table()
    assert made.schema == summary.empty("patterns").schema
    return [{name: int(value.timestamp() * 1e6) if hasattr(value, "timestamp") else value for name, value in row.items()} for row in made.to_pylist()]


@st.composite
def many(draw: st.DrawFn) -> list[Row]:
    """Events of two files in any order, with times, keys and texts that meet often."""
    return [
        {
            "time": START + draw(st.integers(0, 12)) * 500_000, "line": line, "lines": draw(st.integers(1, 3)), "offset": line * 10, "size": 9,
            "source": draw(st.sampled_from(["a", "b"])), "file": draw(st.sampled_from(["z.log", "y.log"])), "format": "text",
            "host": draw(st.sampled_from([None, "h1", "h2"])), "service": draw(st.sampled_from([None, "s"])), "severity": draw(st.sampled_from([None, "error"])),
            "signature": draw(st.sampled_from(["job <n>", "caf\u00e9", ""])), "message": draw(st.sampled_from(["job 1", "", "caf\u00e9" * 600])),
            "pid": draw(st.sampled_from([None, 7])), "fields": draw(st.sampled_from([None, '{"a":1}'])),
        }
        for line in range(draw(st.integers(0, 50)))
    ]  # fmt: skip


@pytest.fixture(params=[3, 10, 200_000], ids=lambda cap: f"cap {cap}")
def cap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Caps that coarsen nearly always, at times and never; what is gathered is made one early with the small ones."""
    most = int(request.param)
    monkeypatch.setattr(summary, "HIGHEST", 40)
    monkeypatch.setattr(summary, "LAYOUTS", {**summary.LAYOUTS, "patterns": replace(summary.LAYOUTS["patterns"], cap=most)})
    if most < 100:
        monkeypatch.setattr(module, "_GATHERED", 5)
    return most


def floor(rows: list[Row]) -> int:
    """Kinds of events, which no width of bins makes fewer."""
    return len({tuple(row[name] for name in KEYS if name != "second") for row in rows})


freely = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@freely
@given(rows=many(), cuts=st.lists(st.integers(0, 50), max_size=4))
def test_added_in_parts_it_is_the_naive_fold(cap: int, rows: list[Row], cuts: list[int]) -> None:
    firsts = Firsts()
    bounds = [0, *sorted(cuts), len(rows)]
    for begin, end in pairwise(bounds):
        firsts.add(table(rows[begin:end]))
    if floor(rows) <= cap:
        assert told(firsts) == naive(rows, cap)
    else:
        assert sum(row["count"] for row in told(firsts)) == len(rows)


@freely
@given(rows=many(), cuts=st.lists(st.integers(0, 50), min_size=1, max_size=4), seed=st.randoms(use_true_random=False))
def test_merging_is_having_seen_all_in_any_order(cap: int, rows: list[Row], cuts: list[int], seed: Any) -> None:
    whole = Firsts()
    whole.add(table(rows))
    bounds = [0, *sorted(cuts), len(rows)]
    parts = []
    for begin, end in pairwise(bounds):
        part = Firsts()
        some = rows[begin:end]
        seed.shuffle(some)
        part.add(table(some))
        if seed.random() < 0.5:
            part.settle()
        parts.append(part)
    seed.shuffle(parts)
    merged = Firsts()
    for part in parts:
        merged.absorb(part)
    expected = whole.table()
    assert merged.table().equals(expected)
    assert merged.level == whole.level


@freely
@given(rows=many(), cut=st.integers(0, 50))
def test_a_table_that_was_written_is_taken_as_what_it_was_made_of(cap: int, rows: list[Row], cut: int) -> None:
    whole = Firsts()
    whole.add(table(rows))
    again = Firsts()
    for some in (rows[:cut], rows[cut:]):
        part = Firsts()
        part.add(table(some))
        again.take(part.table(), part.level)
    assert again.table().equals(whole.table())
    assert again.level == whole.level


def test_nothing_is_a_table_of_no_rows() -> None:
    assert Firsts().table().equals(summary.empty("patterns"))
