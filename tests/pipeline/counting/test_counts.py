"""Counting gives what counting row by row in Python would, however tables are read, cut, ordered and coarsened."""

from __future__ import annotations

import random
from collections import Counter as Tally
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrolog.pipeline.counting import summary as layouts
from retrolog.pipeline.counting.counts import Counter, Counts, summarize
from retrolog.pipeline.counting.folding import added, coded, combined, distinct, narrow, packed
from retrolog.pipeline.counting.ledgers import Ledger
from retrolog.pipeline.counting.requests import Known
from retrolog.pipeline.counting.summary import Summary, refold
from retrolog.pipeline.investigate import jobs
from retrolog.pipeline.options import Options
from retrolog.pipeline.reading.ingest import Reader
from retrolog.pipeline.reading.sources import discover

from .test_summary import events

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
#: Rows of access logs in layouts of their own: common, combined, and with tails.
TAILS = ("", ' "-" "{agent}"', ' "{referrer}" "{agent}" rt={seconds:.3f} urt="{seconds:.3f}" rid={number:x}0', ' "-" "{agent}" {seconds:.3f}')
AGENTS = ("curl/8.1", "Mozilla/5.0 (X11)", "kube-probe/1.30", "Googlebot/2.1", "-", "", "caf\u00e9", 'a\\"b', "tab\there")
PATHS = ("/", "/item/{number}", "/healthz", "/search?q={number}", "*", "http://h/x", "/a b", "/caf\u00e9", "")
DIRT = ("", "  indented", "plain words", '10.0.0.1 - - [bad] "GET / HTTP/1.1" 200 1', "2026-11-23 10:00:00 ERROR other", "\x00\x00", "\r", '{"cut": ')


def access(count: int, seed: int, tail: str, dirt: float) -> bytes:
    rng, now, out = random.Random(seed), START, []
    for _ in range(count):
        now += timedelta(seconds=rng.random() * 2)
        values = {"number": rng.randrange(10**6), "seconds": rng.random(), "agent": rng.choice(AGENTS), "referrer": rng.choice(("-", "https://a.example/"))}
        client = rng.choice(("10.0.0.1", "10.0.0.2", "2001:db8::1", "host.example", "unix:", "1.2.3.4:55:66", "a b"))
        user = rng.choice(("-", "-", "-", "alice", "b c", "unix"))
        size = rng.choice(("0", "-", "512", "9" * 19, "x"))
        path = rng.choice(PATHS).format(**values)
        out.append(
            f'{client} - {user} [{now:%d/%b/%Y:%H:%M:%S} +0000] "{rng.choice(("GET", "POST", "get"))} {path} HTTP/1.1" '
            f"{rng.choice((200, 404, 499, 502, 444, 99))} {size}" + tail.format(**values)
        )
        if rng.random() < dirt:
            out.append(rng.choice(DIRT))
    return "\n".join(out).encode() + b"\n"


def counted(path: Path, counting: bool) -> Summary:
    (job,) = jobs(discover([str(path)]), Options())
    counter = Counter()
    for table in Reader(job.file, job.source, job.reading, job.reach, counting=counting).tables():
        counter.add(table)
    return counter.counts().summary()


def same(one: Summary, other: Summary) -> None:
    assert one.levels == other.levels
    for name in one.tables.keys() | other.tables.keys():
        assert one.table(name).equals(other.table(name)), name


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("dirt", [0.0, 0.05])
def test_reading_what_counting_asks_for_counts_the_same(tmp_path: Path, tail: str, dirt: float) -> None:
    for seed in range(3):
        path = tmp_path / "access.log"
        path.write_bytes(access(1500, seed, tail, dirt))
        same(counted(path, True), counted(path, False))


def test_a_clean_log_counts_the_same_with_every_row_read_by_columns(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    row = '10.0.0.{} - - [{:%d/%b/%Y:%H:%M:%S} +0000] "GET /item/{} HTTP/1.1" {} 5 "-" "curl/8.{}" rt=0.{:03}\n'
    path.write_text(
        "".join(row.format(k % 200, START + timedelta(seconds=k // 5), k % 50, 502 if k % 7 == 0 else 200, k % 9, k % 1000) for k in range(5000))
    )
    summary = counted(path, True)
    same(summary, counted(path, False))
    assert sum(summary.table("requests")["count"].to_pylist()) == 5000
    failed = Tally(START.timestamp() + k // 5 for k in range(5000) if k % 7 == 0)
    seconds = {row["second"]: row["failed"] for row in summary.table("seconds").to_pylist()}
    assert {s: n for s, n in seconds.items() if n} == failed


rows_of_numbers = st.lists(
    st.tuples(
        st.sampled_from([("a", False), ("a", True), ("b", False)]),
        st.one_of(st.integers(0, 40), st.integers(-(2**40), 2**40)),
        st.integers(0, 2**64 - 1),
        st.integers(0, 5),
    ),
    max_size=60,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows_of_numbers, st.integers(0, 60), st.sampled_from([3, 20, 200_000]), st.booleans())
def test_a_ledger_holds_what_folding_all_rows_gives(
    rows: list[tuple[tuple[str, bool], int, int, int]], cut: int, cap: int, known: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts, "LAYOUTS", {**layouts.LAYOUTS, "clients": replace(layouts.LAYOUTS["clients"], cap=cap)})
        ledgers = [Ledger("clients"), Ledger("clients")]
        for ledger, part in zip(ledgers, (rows[:cut], rows[cut:]), strict=True):
            if part:
                add(ledger, part)
                ledger.settle()
        if known:  # a part that begins with what is known of another
            ledgers[0].level = ledgers[1].level = max(ledger.level for ledger in ledgers)
        whole = Ledger("clients")
        for ledger in ledgers:
            whole.absorb(ledger)
        found = whole.table()
        table = pa.table(
            {
                "source": [group[0] for group, *_ in rows], "second": pa.array([second for _, second, *_ in rows], pa.int64()),
                "client": pa.array([client for *_, client, _ in rows], pa.uint64()), "bot": pa.array([group[1] for group, *_ in rows], pa.bool_()),
                **{name: pa.array([n for *_, n in rows], pa.int64()) for name in ("count", "failed", "closed")},
            }
        )  # fmt: skip
        expected, level = layouts.coarsen("clients", refold("clients", table), 0) if rows else (layouts.empty("clients"), 0)
    assert found.to_pylist() == expected.to_pylist()
    assert whole.level == level


latencies = st.lists(
    st.tuples(
        st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["/", "/a", "/a/b", "/a/b/c/d/e", "/a/b/c/d/f", "(other)", None]), st.booleans()),
        st.integers(0, 40_000), st.integers(0, 800), st.integers(1, 200),
    ),
    max_size=60,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(latencies, st.integers(0, 60), st.sampled_from([1, 2, 4, 9, 25, 200_000]))
def test_buckets_widen_and_endpoints_are_cut_where_wide_bins_do_not_suffice(
    rows: list[tuple[tuple[str, str | None, bool], int, int, int]], cut: int, cap: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts, "LAYOUTS", {**layouts.LAYOUTS, "latency": replace(layouts.LAYOUTS["latency"], cap=cap)})
        whole = Ledger("latency")
        for part in (rows[:cut], rows[cut:]):
            ledger = Ledger("latency")
            if part:
                groups, seconds, buckets, numbers = zip(*part, strict=True)
                ledger.add(ledger.group(groups), np.array(seconds, np.int64), {"count": np.array(numbers, np.int64)}, np.array(buckets, np.int16))
            if cut % 2:
                ledger.settle()
            whole.absorb(ledger)
        found = whole.table()
        table = pa.table(
            {
                "source": [group[0] for group, *_ in rows], "second": pa.array([second for _, second, *_ in rows], pa.int64()),
                "endpoint": pa.array([group[1] for group, *_ in rows], pa.string()), "failed": pa.array([group[2] for group, *_ in rows], pa.bool_()),
                "bucket": pa.array([bucket for *_, bucket, _ in rows], pa.int16()), "count": pa.array([n for *_, n in rows], pa.int64()),
            }
        )  # fmt: skip
        expected, level = layouts.coarsen("latency", refold("latency", table), 0) if rows else (layouts.empty("latency"), 0)
    assert found.to_pylist() == expected.to_pylist()
    assert whole.level == level


@pytest.mark.parametrize("name", layouts.LAYOUTS)
def test_each_level_is_coarser_than_the_one_before(name: str) -> None:
    rungs = [layouts.rung(name, level) for level in range(layouts.HIGHEST + 1)]
    for fine, coarse in pairwise(rungs):
        steps = [b - a for a, b in zip((fine.width.bit_length(), *fine[1:]), (coarse.width.bit_length(), *coarse[1:]), strict=True)]
        assert sorted(steps) == [0, 0, 0, 1], (fine, coarse)


def test_a_wider_bucket_holds_what_narrower_ones_held() -> None:
    buckets = np.arange(801, dtype=np.int16)
    for steps in range(layouts.STEPS):
        once = layouts.stepped(layouts.stepped(buckets, steps), steps + 1)
        assert (once == layouts.stepped(buckets, steps + 1)).all()
        assert (np.abs(once - buckets) <= 1 << steps).all()


def add(ledger: Ledger, rows: list[tuple[tuple[str, bool], int, int, int]]) -> None:
    groups, seconds, clients, numbers = zip(*rows, strict=True)
    number = np.array(numbers, np.int64)
    ledger.add(
        ledger.group(groups), np.array(seconds, np.int64), {"count": number, "failed": number, "closed": number}, np.array(clients, np.uint64)
    )


@given(st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(0, 3), st.integers(0, 2**40)), min_size=1, max_size=40))
def test_packed_numbers_order_rows_as_their_columns_do(rows: list[tuple[int, int, int]]) -> None:
    code = packed([np.array(column, np.int64) for column in zip(*rows, strict=True)])
    by_code = sorted(range(len(rows)), key=lambda k: (code[k], k))
    assert by_code == sorted(range(len(rows)), key=lambda k: (rows[k], k))
    assert len(set(code.tolist())) == len(set(rows))


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b"]), st.booleans(), st.sampled_from([None, 200, 500])), min_size=1, max_size=40))
def test_combinations_are_those_of_the_rows(rows: list[tuple[str | None, bool, int | None]]) -> None:
    texts, truths, statuses = zip(*rows, strict=True)
    columns = [coded(pa.array(texts, pa.string())), coded(pa.array(truths, pa.bool_())), coded(pa.array(statuses, pa.int16()))]
    places, keys = combined(columns)
    assert [keys[at] for at in places.tolist()] == rows
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("size", [100, 1 << 40])
def test_distinct_numbers_whatever_their_range(size: int) -> None:
    codes = np.array([7, 3, 7, 99, 3], np.int64)
    places, some = distinct(codes, size)
    assert some.tolist() == [3, 7, 99]
    assert some[places].tolist() == codes.tolist()


def test_answers_are_asked_once_and_room_is_bounded() -> None:
    asked: list[str | None] = []

    def lengths(texts: pa.Array) -> list[int]:
        asked.extend(texts.to_pylist())
        return [len(text or "") for text in texts.to_pylist()]

    known = Known(lengths, most=3)
    assert known.of(["a", "bb", "a", None]) == [1, 2, 1, 0]
    assert known.of(["bb", None]) == [2, 0]
    assert asked == ["a", "bb", None]
    assert known.of(["ccc", "a", "dddd"]) == [3, 1, 4]  # more than it keeps: all are asked again
    assert asked[3:] == ["ccc", "a", "dddd"]
    assert known.of(list("abcdefg")) == [1] * 7


def test_few_rows_of_different_tables_are_counted_together_and_apart() -> None:
    base = {"time": 1_795_425_660_000_000, "lines": 1, "source": "a", "file": "a", "message": "disk full"}
    plain = events([base | {"line": 1}, base | {"line": 2}])
    request = events([base | {"line": 3, "method": "GET", "path": "/", "status": 200, "message": None}])
    encoded = request.set_column(request.schema.get_field_index("path"), "path", request["path"].dictionary_encode())
    encoded = encoded.append_column("agent", pa.array(["Googlebot/2.1"]).dictionary_encode())
    counter = Counter()
    for table in (plain, encoded, plain):
        counter.add(table)
    summary = counter.counts().summary()
    assert summary.table("seconds")["events"].to_pylist() == [5]
    assert summary.table("requests")["bot"].to_pylist() == [True]
    assert summary.table("patterns")["count"].to_pylist() == [4]


def test_nothing_comes_of_nothing() -> None:
    for nothing in (Counts().summary(), summarize(events([]))):
        assert (nothing.tables, nothing.levels) == ({}, {})


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([0, 127], np.int8), ([-128, 0], np.int8), ([128], np.int16), ([-129, 5], np.int16), ([2**31 - 1], np.int32), ([2**31], np.int64),
        ([-(2**63), 2**63 - 1], np.int64), ([], np.int64),
    ],
)  # fmt: skip
def test_integers_are_held_in_as_few_bytes_as_they_need(column: list[int], kind: type) -> None:
    held = narrow(np.array(column, np.int64))
    assert held.dtype == kind
    assert held.tolist() == column


def test_hashes_and_durations_stay_as_they_are() -> None:
    assert narrow(np.array([1], np.uint64)).dtype == np.uint64
    assert narrow(np.array([1.0])).dtype == np.float64


def test_sums_of_narrow_numbers_do_not_wrap() -> None:
    column = np.full(300, 100, np.int8)
    assert added(column, np.array([0, 100])).tolist() == [10_000, 20_000]
    assert packed([np.array([-100, 100], np.int8), np.array([0, 0], np.int8)]).tolist() == [0, 200]


def test_what_many_hand_over_adds_up_beyond_what_each_needs() -> None:
    """Counts of a part fit a byte, those of the whole do not; the years are far apart, so bins are numbers of all sizes."""
    whole = Ledger("seconds")
    names = layouts.LAYOUTS["seconds"].sums
    for _ in range(300):
        part = Ledger("seconds")
        part.add(part.group([("a",), ("b",)]), np.array([5, 2**40], np.int64), {name: np.array([120, 1], np.int64) for name in names})
        part.settle()
        whole.absorb(part)
    found = whole.table()
    assert found["second"].to_pylist() == [5, 2**40]
    assert all(found[name].to_pylist() == [36_000, 300] for name in names)
    assert found.schema == layouts.empty("seconds").schema
