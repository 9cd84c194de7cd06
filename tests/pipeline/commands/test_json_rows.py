"""The column-wise writer of JSON lines gives what `json.dumps` gives for every row."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.parsers.base import Event
from retrolog.parsers.tables import events_table
from retrolog.pipeline.commands import events as module

TEXT = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(['a"b', "back\\slash", "tab\tnl\n", "\x7f", "é☕", "{", "}"]))
FIELDS = st.dictionaries(st.sampled_from(["user", "k", "a\"b", "status", "path"]), st.one_of(TEXT, st.integers(), st.booleans()), max_size=3)
EVENTS = st.builds(
    Event,
    time=st.one_of(st.none(), st.integers(-(1 << 50), 1 << 51)), message=st.text(max_size=20), format=st.sampled_from(["access", "text"]),
    severity=st.sampled_from([None, "error"]), host=TEXT, service=TEXT, pid=st.one_of(st.none(), st.integers(0, 1 << 40)), client=TEXT,
    method=st.sampled_from([None, "GET"]), path=TEXT, status=st.sampled_from([None, 200, 502]), bytes=st.one_of(st.none(), st.integers(0, 1 << 40)),
    duration=st.one_of(st.none(), st.floats(0, 1e9)), upstream=TEXT, request_id=TEXT, fields=FIELDS,
)  # fmt: skip


def written(table: pa.Table) -> tuple[str, str]:
    out = io.BytesIO()
    module.write([table], "jsonl", out)
    slow = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in module.rows(table))
    return out.getvalue().decode(), slow


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=12))
def test_columns_give_what_rows_give(events: list[Event]) -> None:
    table = with_file(events)
    fast, slow = written(table)
    assert fast == slow


def with_file(events: list[Event]) -> pa.Table:
    table = events_table(events)
    for name in ("source", "file"):
        table = table.append_column(name, pa.array(["a.log"] * len(events), pa.string()).dictionary_encode())
    return table


@pytest.mark.parametrize("tables", [0, 1, 3])
def test_parquet_holds_every_row_and_the_columns_also_of_none(tables: int) -> None:
    out = io.BytesIO()
    parts = [with_file([Event(n, f"m{n}", host=f"h{n}", line=n, fields={"k": "v"})]) for n in range(tables)]
    module.write(parts, "parquet", out)
    read = pq.read_table(pa.BufferReader(out.getvalue()))
    assert read.column_names == with_file([]).column_names
    assert [row["message"] for row in module.rows(read)] == [f"m{n}" for n in range(tables)]
    assert read["host"].to_pylist() == [f"h{n}" for n in range(tables)]


def test_a_mask_holds_for_parquet_too() -> None:
    out = io.BytesIO()
    event = Event(1, "of secret", format="secret", path="/secret", client=None, line=1, fields={"k": ["secret"], "n": 1})
    module.write([with_file([event])], "parquet", out, lambda text: text.replace("secret", "*"))
    row = pq.read_table(pa.BufferReader(out.getvalue())).to_pylist()[0]
    assert (row["message"], row["path"], row["format"], row["client"]) == ("of *", "/*", "secret", None)
    assert row["fields"] == '{"k":["*"],"n":1}'
