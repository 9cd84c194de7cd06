"""The recorded walk goes through: from logs to every finished form, with few keys."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from retrolog.benchmarks.walk import BROWSERS, CASES, Count, table, walk

HERE = Path(__file__).parents[2]


def test_the_table_adds_up() -> None:
    made = table({"one": [Count("look"), Count("edit", 3, 1, 40)], "two": [Count("edit", 2), Count("drop", 1)]})
    assert "| edit | 3 | 1 | 2 | 0 |" in made
    assert "| drop | 0 | 0 | 1 | 0 |" in made
    assert "| **all** | **3** | **1** | **3** | **0** |" in made
    assert "look" not in made


def test_the_page_names_every_step_and_case() -> None:
    told = (HERE / "docs/review.md").read_text(encoding="utf-8")
    assert "python benchmarks/walk.py" in told
    assert all(f"{case.name}: keys" in told for case in CASES)


def test_from_logs_to_every_finished_form(tmp_path: Path) -> None:
    if not any(map(shutil.which, BROWSERS)) and not os.environ.get("CI"):
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    pytest.importorskip("weasyprint")
    pytest.importorskip("docx")
    counts = walk(CASES[1], tmp_path)
    assert sum(one.keys + one.clicks for one in counts) < 80
    made = {path.name for path in tmp_path.iterdir() if path.stat().st_size}
    assert {"postmortem.pdf", "postmortem.docx", "postmortem.xml", "executive.pdf", "customers.pdf", "phone.png"} <= made
