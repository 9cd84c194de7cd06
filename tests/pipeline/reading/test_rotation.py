"""Names group the parts of a log, times inside order them, and what does not add up is said."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.reading.logfile import LogFile
from retrolog.pipeline.reading.rotation import Times, order, part_of

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("name", "stem", "date", "number"),
    [
        ("access.log", "access.log", "", None),
        ("nginx/access.log.1", "nginx/access.log", "", 1),
        ("access.log.12.gz", "access.log", "", 12),
        ("access.log.gz", "access.log", "", None),
        ("syslog.2.xz", "syslog", "", 2),
        ("messages-20261123", "messages", "20261123", None),
        ("messages-20261123.gz", "messages", "20261123", None),
        ("messages-20261123-1795437115", "messages", "20261123", None),
        ("messages-1795437115", "messages", "20261123123155", None),
        ("app.log.2026-11-23", "app.log", "20261123", None),
        ("app.log.2026-11-23T10-00-00", "app.log", "20261123100000", None),
        ("app.log.2026-11-23-10", "app.log", "2026112310", None),
        ("app-2026-11-23.log", "app.log", "20261123", None),
        ("app_2026_11_23.log.zst", "app.log", "20261123", None),
        ("app-2026-11-23T10-00-00.000.log.gz", "app.log", "20261123100000000", None),
        ("app.1.log", "app.log", "", 1),
        ("app.2026-11-23.3.log", "app.log", "20261123", 3),
        ("2026-11-23.log", "*.log", "20261123", None),
        ("error.log.old", "error.log", "", None),
        ("u_ex261123.log", "u_ex.log", "261123", None),
        ("postgresql-2026-11-23_000000.log", "postgresql.log", "20261123000000", None),
        ("postgresql-15-main.log", "postgresql-15-main.log", "", None),
        ("worker-1.log", "worker-1.log", "", None),
        ("10.0.0.1", "10.0.0.1", "", None),
        ("remote/10.0.0.1.log", "remote/10.0.0.1.log", "", None),
        ("php7.4", "php7.4", "", None),
        ("app-20261123.1", "app", "20261123", 1),
        ("app.web1.root.log.INFO.20261123-101500.4711", "app.web1.root.log.INFO", "20261123101500", 4711),
        ("bundle.zip/var/log/syslog.1", "bundle.zip/var/log/syslog", "", 1),
        (".gz", ".gz", "", None),
    ],
)
def test_names(name: str, stem: str, date: str, number: int | None) -> None:
    part = part_of(name)
    assert (part.stem, part.date, part.number) == (stem, date, number)


@given(st.text(max_size=40))
def test_any_name_has_a_stem(name: str) -> None:
    assert part_of(name).stem


def ordered(times: dict[str, Times], same: set[frozenset[str]] = frozenset()) -> tuple[list[str], str]:  # type: ignore[assignment]
    files = [LogFile(name, name) for name in times]
    random.Random(4).shuffle(files)
    result = order(files, lambda f: times[f.file], lambda a, b: frozenset((a.file, b.file)) in same)
    return [file.file for file in result.files], "; ".join(result.notes)


def test_order_is_by_content_and_says_when_names_disagree() -> None:
    times: dict[str, Times] = {
        "a.log.1": (0, HOUR),
        "a.log.2": (HOUR, 2 * HOUR),
        "a.log": (2 * HOUR, 3 * HOUR),
    }
    files, notes = ordered(times)
    assert files == ["a.log.1", "a.log.2", "a.log"]
    assert "not what the names say" in notes


def test_names_decide_where_no_time_is_known() -> None:
    files, notes = ordered(
        {"a.log": (None, None), "a.log.1": (None, None), "a.log.10": (None, None), "a.log.2": (None, None)}
    )
    assert files[-3:] == ["a.log.2", "a.log.1", "a.log"]
    assert "part 3, 4, 5, 6, 7 and 2 more is missing" in notes


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["x.log", "x.log.1", "x.log.3"], "part 2 is missing"),
        (["x.log", "x.log.2"], "part 1 is missing"),
        (["x-20261120", "x-20261121", "x-20261122", "x-20261124"], "no part for 2026-11-23"),
        (["x-20261101", "x-20261108", "x-20261122"], ""),  # written weekly: no day is missing
        (["x.log", "x.log.1", "x.log.2"], ""),
    ],
)
def test_missing_parts(names: list[str], says: str) -> None:
    by_age = sorted(names, key=lambda name: part_of(name).age)
    times: dict[str, Times] = {name: (at * HOUR, at * HOUR + 1) for at, name in enumerate(by_age)}
    _, notes = ordered(times)
    assert says in notes if says else notes == ""


def test_overlap_is_said_but_not_a_moment_of_it() -> None:
    _, notes = ordered({"a.log.1": (0, HOUR), "a.log": (HOUR // 2, 2 * HOUR)})
    assert "a.log.1 and a.log overlap by 1,800 s" in notes
    _, notes = ordered({"a.log.1": (0, HOUR), "a.log": (HOUR - 1_000_000, 2 * HOUR)})
    assert notes == ""


def test_duplicates_are_found_by_text() -> None:
    times: dict[str, Times] = {"a.log.1": (0, HOUR), "a.log.1.gz": (0, None), "a.log": (HOUR, 2 * HOUR)}
    files = [LogFile(name, name) for name in times]
    result = order(files, lambda f: times[f.file], lambda a, b: {a.file, b.file} == {"a.log.1", "a.log.1.gz"})
    assert result.duplicates == {"a.log.1.gz": "a.log.1"}
    assert "a.log.1.gz holds the same text as a.log.1" in result.notes
    assert order(files, lambda f: times[f.file], lambda a, b: False).duplicates == {}


@given(st.permutations(range(6)), st.randoms())
def test_names_never_change_the_order_of_timed_parts(numbers: list[int], shuffle: random.Random) -> None:
    files = [LogFile(f"a.log.{number}", str(at)) for at, number in enumerate(numbers)]
    given_files = files.copy()
    shuffle.shuffle(given_files)
    result = order(given_files, lambda f: (int(f.path) * HOUR, int(f.path) * HOUR + HOUR))
    assert [file.path for file in result.files] == [file.path for file in files]
