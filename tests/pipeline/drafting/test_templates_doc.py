"""The page on templates names every variable that a template gets, and its example drafts."""

from __future__ import annotations

import re
from pathlib import Path

from retrolog.pipeline.drafting import draft
from retrolog.pipeline.drafting.view import View

from ..example import FINDINGS

PAGE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text(encoding="utf-8")


def test_every_variable_is_described() -> None:
    names = set(draft._context(FINDINGS, View(FINDINGS)))
    described = set(re.findall(r"`([a-z_]+)(?:\([a-z]*\))?`", PAGE)) | set(
        re.findall(r"\{% call ([a-z]+)\(", PAGE)
    )
    assert names <= described
    incident = View(FINDINGS).incident(FINDINGS.incidents[0], 1)
    assert set(incident) <= described | {"endpoints"}
    entry = View(FINDINGS).timeline()[0][0]
    assert set(entry) <= described


def test_the_examples_draft(tmp_path: Path) -> None:
    examples = re.findall(r"(?:^    .*\n?)+", PAGE, re.MULTILINE)
    assert len(examples) == 2
    for example in examples:
        own = tmp_path / "own.md.j2"
        own.write_text(re.sub(r"(?m)^    ", "", example))
        assert "2,003 of 3,040 requests" in draft.markdown(FINDINGS, "x", str(own))
