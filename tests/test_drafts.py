"""Golden incidents: made-up logs in `tests/drafts/NAME/logs`, what is asked in `window.toml`, what must come out in `expected.json`.

Every value of `expected.json` must be in the answer; more may be. `evidence` there is what the answer's must begin with. The
numbers were counted from the logs, not copied from an answer. To add a case, add a folder. On a mismatch the whole answer is
left beside it as `actual.json`. Each case is also drafted as a document, which must hold its own: every citation is confirmed
in the logs, another draft of the same logs changes nothing, every form renders, and nothing from a log line can act.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tomllib
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from retrolog.pipeline.cli import main

CASES = sorted(path.parent for path in Path(__file__).parent.glob("drafts/*/window.toml"))
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def asked(case: Path) -> list[str]:
    """The arguments that name the case's logs and window."""
    window = tomllib.loads((case / "window.toml").read_text(encoding="utf-8"))
    words = [str(case / "logs"), "--from", window["from"], "--to", window["to"]]
    return [*words, "--tz", window["tz"]] if "tz" in window else words


@cache
def answer(case: Path) -> dict[str, Any]:
    result = run("draft", *asked(case), "--format", "json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@cache
def document(case: Path) -> str:
    result = run("draft", *asked(case))
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture
def drafted(case: Path, tmp_path: Path) -> Path:
    """The case's document as a file."""
    path = tmp_path / "postmortem.md"
    path.write_bytes(document(case).encode())
    return path


def differences(expected: Any, actual: Any, where: str = "answer") -> list[str]:
    """Where `actual` lacks what `expected` says."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [d for key, value in expected.items() for d in differences(value, actual.get(key), f"{where}.{key}")]
    if isinstance(expected, list) and isinstance(actual, list):
        actual = actual[: len(expected)] if where.endswith(".evidence") else actual
        if len(expected) == len(actual):
            pairs = enumerate(zip(expected, actual, strict=True))
            return [d for at, (one, other) in pairs for d in differences(one, other, f"{where}[{at}]")]
    return [] if expected == actual else [f"{where} is {actual!r}, expected {expected!r}"]


def test_cases_are_found() -> None:
    incidents = [json.loads((case / "expected.json").read_text())["incidents"] for case in CASES]
    assert len(CASES) >= 3
    assert any(incidents)
    assert not all(incidents), "a case without an outage is needed as well"


@each_case
def test_the_answer(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    found = differences(expected, answer(case))
    if found:
        (case / "actual.json").write_text(json.dumps(answer(case), indent=1), encoding="utf-8")
    assert not found, f"{found}; the answer is in {case.name}/actual.json"


@each_case
def test_every_line_has_one_fate(case: Path) -> None:
    held = 0
    for path in case.glob("logs/**/*"):
        if path.is_file():
            data = path.read_bytes()
            held += (gzip.decompress(data) if path.suffix == ".gz" else data).count(b"\n")
    assert sum(json.loads((case / "expected.json").read_text())["lines"].values()) == held


@each_case
def test_every_citation_is_confirmed(case: Path, drafted: Path) -> None:
    result = run("verify", drafted, "--logs", case / "logs")
    assert result.exit_code == 0, result.stdout
    assert all(line.endswith(" confirmed") for line in result.stdout.splitlines())


@each_case
def test_drafting_again_changes_nothing(case: Path, drafted: Path) -> None:
    before = drafted.read_bytes()
    # the command line that is written down is that of the test runner in both
    assert run("draft", *asked(case), "-o", drafted).exit_code == 0
    assert drafted.read_bytes() == before


@pytest.mark.parametrize("style", ["srebook", "atlassian", "pagerduty", "course"])
def test_each_style_drafts_the_same_facts(style: str) -> None:
    case = CASES[-1]
    result = run("draft", *asked(case), "--style", style)
    assert result.exit_code == 0, result.stderr
    figures = re.compile(r"(?m)^- \{severity.*$")
    assert figures.findall(result.stdout) == figures.findall(document(case))


class Acting(HTMLParser):
    """Collects the elements and attributes by which a page could do something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "form", "img", "link", "base"):
            self.found.append(tag)
        for name, value in attrs:
            inside = name in ("href", "xlink:href") and (value or "").startswith("#")
            if name.startswith("on") or (name in ("href", "src", "xlink:href", "action") and not inside):
                self.found.append(f"{tag} {name}={value}")


@each_case
def test_the_page_is_inert(case: Path, drafted: Path) -> None:
    page = run("render", drafted).stdout
    parser = Acting()
    parser.feed(page)
    assert parser.found == []
    assert_no_controls(page)


def assert_no_controls(text: str) -> None:
    """No character that a terminal obeys, that reorders what is read, or that cannot be seen."""
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text) == []


@each_case
@pytest.mark.parametrize("words", [["--to", "md"], ["--to", "slack"], ["--executive"], ["--audience", "external"]], ids=" ".join)
def test_other_forms_are_inert(case: Path, drafted: Path, words: list[str]) -> None:
    result = run("render", drafted, *words)
    assert result.exit_code == 0, result.stderr
    assert_no_controls(result.stdout)


@each_case
def test_the_wiki_form_is_xml(case: Path, drafted: Path) -> None:
    text = run("render", drafted, "--to", "confluence").stdout
    names = 'xmlns:ac="urn:ac" xmlns:ri="urn:ri"'
    root = ElementTree.fromstring(f"<page {names}>{text}</page>")
    assert {"script", "img", "a"}.isdisjoint({element.tag for element in root.iter() if not element.get("href", "#").startswith("#")})


@each_case
@pytest.mark.parametrize("what", ["measures", "timeline"])
def test_exported_cells_are_no_formulas(case: Path, drafted: Path, what: str) -> None:
    assert_no_formulas(run("export", drafted, "--what", what).stdout)


@each_case
def test_event_cells_are_no_formulas(case: Path) -> None:
    assert_no_formulas(run("events", *asked(case), "--format", "csv").stdout)


def assert_no_formulas(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) > 0
    assert [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")] == []


@each_case
def test_secrets_stay_in_the_logs(case: Path) -> None:
    assert re.findall("hunter22|ghp_[a-z0-9]+", document(case)) == []


@each_case
def test_markers_in_logs_are_not_markers_of_the_document(case: Path) -> None:
    begun = re.findall(r"(?m)^<!-- retrolog:block id=(\S+)", document(case))
    assert len(begun) == len(set(begun))
    assert re.findall(r"(?m)^<!-- retrolog:end (\S+)", document(case)) == begun
