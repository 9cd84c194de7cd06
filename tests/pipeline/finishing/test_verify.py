"""Citations are confirmed where they were, found again where they went, and reported when they changed or vanished."""

from __future__ import annotations

import gzip
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.analysis.evidence import digest
from retrolog.pipeline.drafting import draft
from retrolog.pipeline.drafting.citations import citations
from retrolog.pipeline.errors import NotADraft
from retrolog.pipeline.findings import Entry, Evidence
from retrolog.pipeline.finishing import verify
from retrolog.pipeline.reading import sources
from retrolog.pipeline.reading.lookup import DiscoveredLogs

from ..example import QUIET, at

LINES = [f"2026-11-23T12:00:{n:02}Z app[1]: event number {n} of this log" for n in range(60)]
LINES[20:23] = ["2026-11-23T12:00:20Z app[1]: ERROR boom", "  File a.py, line 3", "ValueError: no"]


def cite(lines: list[str], number: int, file: str = "app.log", count: int = 1) -> Evidence:
    raw = "\n".join(lines[number - 1 : number - 1 + count]).encode()
    offset = len("\n".join(lines[: number - 1]).encode()) + (number > 1)
    return Evidence(file, number, count, offset, len(raw), digest(raw), lines[number - 1])


CITED = (cite(LINES, 5), cite(LINES, 21, count=3), cite(LINES, 40))
TEXT = draft.markdown(
    replace(
        QUIET, timeline=tuple(Entry(at(n), f"entry {n}", "error", "", (one,)) for n, one in enumerate(CITED))
    ),
    "x",
)


def statuses(tmp_path: Path, text: str = TEXT) -> list[str]:
    return [str(one) for one in verify.verify(text, DiscoveredLogs(sources.discover([str(tmp_path)])))]


def write(path: Path, lines: list[str], end: str = "\n") -> None:
    path.write_bytes("".join(line + end for line in lines).encode())


def test_what_stands_where_it_was_is_confirmed(tmp_path: Path) -> None:
    write(tmp_path / "app.log", LINES)
    assert statuses(tmp_path) == [f"E{n} app.log:{line} confirmed" for n, line in ((1, 5), (2, 21), (3, 40))]


def test_rotated_and_packed_lines_are_found_again(tmp_path: Path) -> None:
    (tmp_path / "app.log.2.gz").write_bytes(gzip.compress("\n".join(LINES).encode()))
    write(tmp_path / "app.log", ["2026-11-24T12:00:00Z app[1]: another day"])
    assert statuses(tmp_path) == [
        f"E{n} app.log:{line} moved to app.log.2.gz:{line}" for n, line in ((1, 5), (2, 21), (3, 40))
    ]


def test_lines_move_when_lines_before_them_go(tmp_path: Path) -> None:
    write(tmp_path / "app.log", LINES[3:])
    assert statuses(tmp_path)[1] == "E2 app.log:21 moved to app.log:18"


def test_line_ends_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path / "app.log", LINES[:5] + LINES[30:], "\r\n")
    assert [one.split()[2] for one in statuses(tmp_path)] == ["confirmed", "lost:", "moved"]


def test_a_changed_line_is_told_from_a_lost_one(tmp_path: Path) -> None:
    other = list(LINES)
    other[4] = other[4].replace("number 4", "number 7")
    write(tmp_path / "app.log", other[:30])
    assert [one.split()[2].rstrip(":") for one in statuses(tmp_path)] == ["changed", "confirmed", "lost"]


def test_nothing_to_compare_with_is_a_loss(tmp_path: Path) -> None:
    write(tmp_path / "else.log", ["2026-11-23T12:00:00Z app[1]: x"])
    verdicts = verify.verify(TEXT, DiscoveredLogs(sources.discover([str(tmp_path)])))
    assert verify.failed(verdicts)
    assert {one.status for one in verdicts} == {"lost"}
    assert not verify.failed([replace(one, status="moved") for one in verdicts])


def test_a_citation_without_a_digest_is_lost(tmp_path: Path) -> None:
    write(tmp_path / "app.log", LINES)
    text = TEXT.replace(f" · `sha256:{CITED[0].digest}`", "")
    assert "no digest" in statuses(tmp_path, text)[0]


class Pieces:
    """Logs cut into blocks anywhere between lines."""

    def __init__(self, lines: list[str], cuts: list[int]) -> None:
        bounds = [0, *sorted(cuts), len(lines)]
        self._pieces = [
            Piece("".join(f"{row}\n" for row in lines[a:b]).encode(), a + 1)
            for a, b in itertools.pairwise(bounds)
            if b > a
        ]

    def files(self) -> list[str]:
        return ["other.log"]

    def lines(self, file: str, wanted: object) -> dict[int, bytes]:
        return {}

    def blocks(self, file: str) -> object:
        return iter(self._pieces)


class Piece:
    def __init__(self, data: bytes, line: int) -> None:
        self.data, self.line = data, line


@given(st.lists(st.integers(0, len(LINES)), max_size=12))
def test_an_event_is_found_across_blocks(cuts: list[int]) -> None:
    found = verify.verify(TEXT, Pieces(LINES, cuts))  # type: ignore[arg-type]
    assert [(one.status, one.line) for one in found] == [("moved", 5), ("moved", 21), ("moved", 40)]


def test_of_equal_lines_the_nearest_counts(tmp_path: Path) -> None:
    write(tmp_path / "app.log", ["x"] + LINES[:5] * 3)
    assert statuses(tmp_path)[0] == "E1 app.log:5 moved to app.log:6"


def test_a_file_that_is_no_draft_is_refused() -> None:
    with pytest.raises(NotADraft):
        citations("# notes\n")


def test_a_line_whose_bytes_were_mended_is_found_by_the_size_it_has_in_its_file() -> None:
    mended = "caf\ufffd said \ufffd\nother\n".encode()
    line = mended.split(b"\n")[0]
    size = len(b"caf\xe9 said \xff")
    assert list(verify._matches(mended, 5, {(1, size): {digest(line)}})) == [(digest(line), size, 5)]
    assert list(verify._matches(mended, 5, {(1, size - 3): {digest(line)}})) == []
