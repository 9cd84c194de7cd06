"""The laws of the summary: merging is the same as having seen everything at once, whatever the split and the caps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrolog.parsers.base import event_schema
from retrolog.pipeline.counting import counts
from retrolog.pipeline.counting import summary as module
from retrolog.pipeline.counting.counts import merge, summarize
from retrolog.pipeline.counting.summary import LAYOUTS

START = 1_795_425_660_000_000


def events(rows: list[dict[str, object]]) -> pa.Table:
    """A table of events as `ingest` gives it; columns left out are null."""
    fields = list(event_schema())
    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([*fields, ("source", text), ("file", text)])
    return pa.Table.from_pylist([{f.name: row.get(f.name) for f in schema} for row in rows], schema=schema)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, object]]:
    """Requests and messages of two sources in any order; `line` is unique, as in a file."""
    out: list[dict[str, object]] = []
    for line in range(draw(st.integers(0, 40))):
        source = draw(st.sampled_from(["a.log", "b.log"]))
        common = {
            "time": draw(st.one_of(st.none(), st.integers(START, START + 30_000_000))),
            "line": line, "lines": 1, "offset": line * 10, "size": 9, "format": "f", "source": source, "file": source,
            "host": draw(st.sampled_from([None, "h1"])), "request_id": draw(st.sampled_from([None, "a0", "b0", "c1"])),
        }  # fmt: skip
        if draw(st.booleans()):
            common |= {
                "method": draw(st.sampled_from(["GET", "POST", None])), "bytes": draw(st.sampled_from([None, 0, 5, 17, 4711])), "path": draw(st.sampled_from(["/a/1", "/b", "/healthz"])), "message": "",
                "status": draw(st.sampled_from([200, 404, 499, 500])), "client": draw(st.sampled_from(["c1", "c2"])),
                "duration": draw(st.sampled_from([None, 0.25, 0.5, 2.0])),
            }  # fmt: skip
        else:
            common |= {
                "message": draw(st.sampled_from(["job 1 done", "job 22 done", "disk full", ""])),
                "severity": draw(st.sampled_from([None, "info", "error"])),
            }
        out.append(common)
    return out


def tables(summary: module.Summary) -> dict[str, list[dict[str, object]]]:
    return {name: table.to_pylist() for name, table in sorted(summary.tables.items()) if table.num_rows}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows(), st.integers(0, 40), st.sampled_from([7, 200_000]))
def test_merging_parts_is_the_whole(all_rows: list[dict[str, object]], cut: int, cap: int) -> None:
    layouts = {name: replace(layout, cap=min(cap, layout.cap)) for name, layout in LAYOUTS.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LAYOUTS", layouts)
        whole = merge([summarize(events(all_rows))])
        parts = [summarize(events(all_rows[cut:])), summarize(events(all_rows[:cut]))]
        merged = merge(parts)
    assert tables(merged) == tables(whole)
    assert merged.levels == whole.levels


@settings(max_examples=30, deadline=None)
@given(rows())
def test_every_dated_event_is_counted_once(all_rows: list[dict[str, object]]) -> None:
    dated = [r for r in all_rows if r["time"] is not None]
    summary = summarize(events(all_rows))
    assert sum(summary.table("seconds")["events"].to_pylist()) == len(dated)
    requests = sum(summary.table("requests")["count"].to_pylist())
    assert requests + sum(summary.table("patterns")["count"].to_pylist()) == len(dated)


def test_a_health_check_is_no_users_request() -> None:
    base = {"time": START, "lines": 1, "source": "a", "file": "a", "method": "GET", "message": "", "client": "c"}
    summary = summarize(
        events([base | {"line": 1, "path": "/healthz", "status": 500}, base | {"line": 2, "path": "/", "status": 500}])
    )
    row = summary.table("seconds").to_pylist()[0]
    assert (row["requests"], row["failed"], row["probes"], row["probes_failed"]) == (1, 1, 1, 1)


def test_the_first_event_of_a_pattern_is_the_earliest() -> None:
    base = {"lines": 1, "source": "a", "file": "a", "severity": "error"}
    table = events(
        [
            base | {"time": START + 900, "line": 1, "message": "disk 2 full"},
            base | {"time": START + 100, "line": 2, "message": "disk 1 full"},
        ]
    )
    row = summarize(table).table("patterns").to_pylist()[0]
    assert (row["count"], row["line"], row["message"], row["last_time"]) == (2, 2, "disk 1 full", START + 900)


@pytest.mark.parametrize("texts", [["GET", None, "POST"], [None, "POST", "GET"], [None, None, None]])
def test_what_stands_for_no_text_does_not_change_a_hash(texts: list[str | None]) -> None:
    """The code behind a null is undefined: blocks with other texts have another one there."""
    dictionary = pa.array(["other", *sorted({text for text in texts if text})], pa.string())
    known = dictionary.to_pylist()
    hashes = set()
    for behind in range(len(known)):
        codes = pa.array([behind if text is None else known.index(text) for text in texts], pa.int32(), mask=np.array([text is None for text in texts]))
        hashes.add(tuple(counts._hashed(pa.chunked_array([pa.DictionaryArray.from_arrays(codes, dictionary)])).to_pylist()))
    assert len(hashes) == 1


def test_one_stray_time_does_not_stretch_the_analysis_over_decades() -> None:
    base = {"lines": 1, "source": "a", "file": "a", "message": "tick"}
    rows = [base | {"time": START + n * 1_000_000, "line": n + 1} for n in range(30)]
    strays = [base | {"time": 1_000_000, "line": 90}, base | {"time": START + 60_000_000_000_000, "line": 91}]
    kept, left_out = module.focused(summarize(events([*rows, *strays])))
    assert left_out == 2
    assert kept.table("seconds").num_rows == 30
    assert module.focused(kept) == (kept, 0)
