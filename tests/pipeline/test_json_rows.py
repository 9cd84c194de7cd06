"""The column-wise writer of JSON lines gives what `json.dumps` gives for every row."""

from __future__ import annotations

import io
import json

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.parsers.base import Event
from retrolog.parsers.tables import events_table
from retrolog.pipeline import events as module

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
    out = io.StringIO()
    module.write(table, "jsonl", out)
    slow = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in module.rows(table))
    return out.getvalue(), slow


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=12))
def test_columns_give_what_rows_give(events: list[Event]) -> None:
    table = events_table(events)
    for name in ("source", "file"):
        table = table.append_column(name, pa.array(["a.log"] * len(events), pa.string()).dictionary_encode())
    fast, slow = written(table)
    assert fast == slow
