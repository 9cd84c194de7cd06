"""A window found by search holds every line that a full scan finds, or the whole file is read and it says why."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.pipeline.reading import seek
from retrolog.pipeline.reading.logfile import LogFile
from retrolog.pipeline.reading.read import read_blocks
from retrolog.pipeline.reading.seek import count_lines, find_range, first_last, needed, relation, split
from retrolog.pipeline.reading.slices import Step

SECOND = 1_000_000
MINUTE = 60 * SECOND


def probe(line: bytes) -> int | None:
    """The tests' own format: seconds since the epoch, then text."""
    word = line.split(b" ", 1)[0]
    return int(word) * SECOND if word.isdigit() else None


def write(path: Path, lines: list[bytes]) -> LogFile:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return LogFile(path.name, str(path), size=path.stat().st_size)


def log(
    seconds: list[int], extra: bytes = b"GET / 200 something that makes the line as long as they are"
) -> list[bytes]:
    return [b"%d %s" % (second, extra) for second in seconds]


def in_window(file: LogFile, start: int, end: int, found: seek.Range) -> list[tuple[int, bytes]]:
    """Numbered lines of the window in a range."""
    rows = []
    for block in read_blocks(file, start=found.start, stop=found.stop, line=found.first_line):
        for number, line in enumerate(block.data.split(b"\n"), block.line):
            time = probe(line)
            if time is not None and start <= time < end:
                rows.append((number, line))
    return rows


WHOLE = seek.Range(0, 1 << 60, 1, "whole", None, "")


@pytest.mark.parametrize("at", [0, 1, 5_000, 50_000, 99_000, 100_000])
def test_search_finds_the_window_and_reads_little(tmp_path: Path, at: int) -> None:
    file = write(tmp_path / "a.log", log(list(range(100_000))))
    start, end = at * SECOND, (at + 60) * SECOND
    found = find_range(file, start, end, probe, small=0)
    assert found.method == "search"
    assert in_window(file, start, end, found) == in_window(file, start, end, WHOLE)
    assert found.stop - found.start < 200_000
    assert found.disorder_s == 0


@pytest.mark.parametrize(("start", "end"), [(None, 500), (99_500, None), (-1000, 50), (0, 1_000_000)])
def test_open_and_wide_windows(tmp_path: Path, start: int | None, end: int | None) -> None:
    file = write(tmp_path / "a.log", log(list(range(100_000))))
    bounds = [None if bound is None else bound * SECOND for bound in (start, end)]
    found = find_range(file, *bounds, probe, small=0)
    low, high = (bounds[0] or 0), (bounds[1] if bounds[1] is not None else 1 << 60)
    assert in_window(file, low, high, found) == in_window(file, low, high, WHOLE)


@pytest.mark.parametrize(
    ("start", "end", "most"),
    [pytest.param(-9000, -8000, 0, id="before it"), pytest.param(300_000, 400_000, 70_000, id="after it")],
)
def test_a_file_far_from_the_window_is_hardly_read(tmp_path: Path, start: int, end: int, most: int) -> None:
    file = write(tmp_path / "a.log", log(list(range(100_000))))
    found = find_range(file, start * SECOND, end * SECOND, probe, small=0)
    assert found.stop - found.start <= most


def test_the_reason_for_reading_it_whole_is_said(tmp_path: Path) -> None:
    times = list(range(50_000))
    cases = {
        "it is small": (log(times[:10]), 1 << 20),
        "times in it go back": (log(times[25_000:] + times[:25_000]), 0),
        "no line with a time": ([b"started", *[b"  at frame"] * 60_000, b"1 end"], 0),
    }
    for why, (lines, small) in cases.items():
        found = find_range(write(tmp_path / "a.log", lines), 5 * SECOND, 9 * SECOND, probe, small=small)
        assert (found.method, found.start, found.first_line) == ("whole", 0, 1)
        assert why in found.note


def test_no_window_and_packed_files_are_whole(tmp_path: Path) -> None:
    file = write(tmp_path / "a.log", log(list(range(1000))))
    assert find_range(file, None, None, probe, small=0).method == "whole"
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"1 x\n"))
    packed = LogFile("a.gz", str(tmp_path / "a.gz"), (Step("gzip"),), "gzip", 10)
    assert find_range(packed, 1, 2, probe).method == "whole"


def test_the_hour_that_happens_twice_is_found_both_times(tmp_path: Path) -> None:
    hour = 3600
    times = [*range(10 * hour), *range(9 * hour, 20 * hour)]
    file = write(tmp_path / "a.log", log(times))
    start, end = (9 * hour + 600) * SECOND, (9 * hour + 660) * SECOND
    found = find_range(file, start, end, probe, small=0)
    rows = in_window(file, start, end, found)
    assert len(rows) == 120
    assert rows == in_window(file, start, end, WHOLE)


def test_disorder_widens_the_slack(tmp_path: Path) -> None:
    rng = random.Random(1)
    times = [max(0, second - rng.randrange(200)) for second in range(100_000)]
    file = write(tmp_path / "a.log", log(times))
    start, end = 40_000 * SECOND, 40_600 * SECOND
    found = find_range(file, start, end, probe, small=0)
    assert found.method == "search"
    assert found.disorder_s is not None
    assert found.disorder_s > 100
    assert in_window(file, start, end, found) == in_window(file, start, end, WHOLE)


def test_long_lines_and_traces_between_timed_lines(tmp_path: Path) -> None:
    lines: list[bytes] = []
    for second in range(3000):
        lines += [b"%d event" % second, b"  at frame of a trace, 99999 not a time"] if second % 3 else []
        lines += [b"%d %s" % (second, b"x" * 70_000)] if second % 500 == 0 else []
    file = write(tmp_path / "a.log", lines)
    for at in range(0, 3000, 113):
        found = find_range(file, at * SECOND, (at + 20) * SECOND, probe, slack_us=0, small=0)
        assert in_window(file, at * SECOND, (at + 20) * SECOND, found) == in_window(
            file, at * SECOND, (at + 20) * SECOND, WHOLE
        )


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    count=st.integers(1, 4000),
    jitter=st.sampled_from([0, 1, 5, 30]),
    untimed=st.sampled_from([0, 0.3, 0.9]),
    gap=st.sampled_from([1, 20, 600]),
    place=st.floats(-0.1, 1.1),
    width=st.integers(1, 2000),
)
def test_search_equals_a_full_scan(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int, count: int, jitter: int, untimed: float, gap: int, place: float, width: int,
) -> None:  # fmt: skip
    rng = random.Random(seed)
    now, lines = 1_000_000, []
    for _ in range(count):
        now += rng.randrange(gap)
        if rng.random() < untimed:
            lines.append(b"    " + b"frame " * rng.randrange(20))
        else:
            lines.append(b"%d %s" % (now - rng.randrange(jitter + 1), b"y" * rng.randrange(120)))
    file = write(tmp_path_factory.mktemp("seek") / "a.log", lines)
    start = int(1_000_000 + place * (now - 1_000_000)) * SECOND
    end = start + width * SECOND
    found = find_range(file, start, end, probe, small=0)
    assert in_window(file, start, end, found) == in_window(file, start, end, WHOLE)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=3000), start=st.integers(0, 10**6), parts=st.integers(1, 9))
def test_any_bytes_can_be_searched_counted_and_split(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, start: int, parts: int
) -> None:
    path = tmp_path_factory.mktemp("any") / "a"
    path.write_bytes(data)
    file = LogFile("a", str(path), size=len(data))
    find_range(file, start, start + 10**6, probe, small=0)
    first_last(file, probe)
    assert count_lines(file) == sum(block.lines for block in read_blocks(file))
    ranges = split(file, parts)
    assert sum(count_lines(file, *edge) for edge in ranges) == count_lines(file)
    assert b"".join(data[one:two] for one, two in ranges) == data


def test_first_and_last_time(tmp_path: Path) -> None:
    lines = [b"banner", b"", *log(list(range(100, 5000))), b"  trace", b"  trace"]
    file = write(tmp_path / "a.log", lines)
    assert first_last(file, probe) == (100 * SECOND, 4999 * SECOND)
    (tmp_path / "a.gz").write_bytes(gzip.compress((tmp_path / "a.log").read_bytes()))
    packed = LogFile("a.gz", str(tmp_path / "a.gz"), (Step("gzip"),))
    assert first_last(packed, probe) == (100 * SECOND, None)
    assert first_last(write(tmp_path / "b", [b"nothing timed"] * 9), probe) == (None, None)
    assert first_last(LogFile("gone", str(tmp_path / "gone")), probe) == (None, None)


def test_parts_that_cannot_touch_the_window_are_named() -> None:
    times = {"a.3": (0, None), "a.2": (100, None), "a.1": (200, None), "a": (300, 400)}
    files = [LogFile(name, name) for name in times]

    def unread(start: int, end: int) -> list[str]:
        bounds = start * SECOND, end * SECOND
        known = {k: tuple(None if t is None else t * SECOND for t in v) for k, v in times.items()}
        rows = needed(files, lambda file: known[file.file], *bounds, slack_us=10 * SECOND)  # type: ignore[arg-type,return-value]
        return [file.file for file, why in rows if why]

    assert unread(120, 150) == ["a.3", "a.1", "a"]
    assert unread(230, 240) == ["a.3", "a.2", "a"]
    assert unread(205, 240) == ["a.3", "a"]  # a.2 may end within the slack
    assert unread(1000, 2000) == ["a.3", "a.2", "a.1", "a"]
    assert unread(0, 2000) == []


def test_parts_out_of_order_are_all_read() -> None:
    known = {"a.2": (100 * MINUTE, None), "a.1": (50 * MINUTE, None)}
    rows = needed([LogFile(name, name) for name in known], lambda file: known[file.file], 200 * MINUTE, None)
    assert [why for _, why in rows] == ["", ""]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (range(900), "before"),
        (range(5000, 5900), "after"),
        (range(900, 1300), "touches"),
        (range(1950, 2100), "touches"),
    ],
)
def test_where_a_streamed_block_lies(tmp_path: Path, seconds: range, expected: str) -> None:
    file = write(tmp_path / "a", log(list(seconds)))
    (block,) = read_blocks(file)
    assert relation(block, 1000 * SECOND, 2000 * SECOND, probe) == expected


def test_a_block_without_times_is_not_left_out(tmp_path: Path) -> None:
    (block,) = read_blocks(write(tmp_path / "a", [b"no time"] * 50))
    assert relation(block, 0, 1, probe) == "touches"


def test_counting_on_all_cores_counts_every_line(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789abcde\n" * (5 << 20) + b"open end")
    assert count_lines(LogFile("a", str(path))) == (5 << 20) + 1
