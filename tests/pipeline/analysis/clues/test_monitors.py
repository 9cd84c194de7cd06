"""What monitors of many makes write about the life of an alert, file by file; and what no monitor means by the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retrolog.pipeline.analysis.clues.signs import records, signs
from retrolog.pipeline.counting.changes import Lexicon
from retrolog.pipeline.investigate import collect
from retrolog.pipeline.options import Options

from ...traffic import said, summary

LEXICON = Lexicon.load(None)
#: D: an alert begins or a check fails, R: it ends, A: it is acknowledged, N: a note, -: none of these; a blank: no event of its own.
_ROLES = {"detection": "D", "resolved": "R", "note": "N"}


def _cases() -> dict[str, list[tuple[str, str]]]:
    cases: dict[str, list[tuple[str, str]]] = {}
    for row in (Path(__file__).parent / "cases" / "monitors.txt").read_text(encoding="utf-8").splitlines():
        if row.startswith("== "):
            name = row[3:]
            cases[name] = []
        elif row:
            cases[name].append((row[0], row[2:]))
    return cases


CASES = _cases()


def test_there_are_many_makes() -> None:
    assert len(CASES) >= 35


@pytest.mark.parametrize("name", CASES)
def test_alerts_are_known_in_any_form(tmp_path: Path, name: str) -> None:
    rows = CASES[name]
    (tmp_path / name).write_text("\n".join(text for _, text in rows) + "\n", encoding="utf-8")
    frame = signs(collect([str(tmp_path)], Options()).summary, LEXICON)
    told: dict[int, dict[str, Any]] = {row["line"]: row for row in records(frame)}

    def mark(line: int) -> str:
        row = told[line]
        return "A" if row["kind"] == "ack" else _ROLES.get(row["role"], "-")

    wrong = [(want, mark(line), text) for line, (want, text) in enumerate(rows, 1) if want != " " and mark(line) != want and (want, mark(line)) != ("N", "A")]
    assert not wrong


def _kinds(texts: list[str], source: str = "x/notices.log", service: str = "notices") -> list[str | None]:
    rows = [said(30 * n, text, None, source=source, service=service) for n, text in enumerate(texts)]
    return [row["kind"] for row in records(signs(summary(rows), LEXICON))]


def test_the_end_of_an_alert_is_known_by_its_beginning() -> None:
    assert _kinds(["Monitor shop-api is DOWN", "shop-api all good, status=okay", "Monitor shop-api is DOWN", "shop-api all good, status=okay"]) == [
        "alert", "alert_resolved", "alert", "alert_resolved",
    ]  # fmt: skip


def test_another_things_good_state_ends_nothing() -> None:
    assert _kinds(["Monitor shop-api is DOWN", "blog all good, status=okay"])[1] is None


def test_states_in_cells_are_alerts_and_what_a_shop_sells_is_not() -> None:
    assert _kinds(["checkout,Down,HTTP 500", "checkout,Up,HTTP 200"]) == ["check_failed", "alert_resolved"]
    assert _kinds(["order 7,open,12.50", "order 7,closed,12.50"]) == [None, None]


def test_who_reports_every_check_ends_nothing_by_a_good_one() -> None:
    assert _kinds(["checkout,up,12", "checkout,up,9", "checkout,up,11", "checkout,down,3", "checkout,up,12", "checkout,up,10"]) == [None, None, None, "check_failed", None, None]
