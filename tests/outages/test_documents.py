"""What a reader gets of each recorded outage: every form of its draft is whole, short enough, and tells outsiders nothing."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import tarfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from retrolog.pipeline.cli import main
from retrolog.pipeline.drafting.citations import citations
from retrolog.pipeline.drafting.document import parse
from retrolog.pipeline.finishing import check, exports, outputs, picture, render
from retrolog.pipeline.finishing.pdf import SMALLER, pdf

from .test_recorded import CASES, truth

SAMPLE = Path(__file__).parents[2] / "samples/db-connections"
WINDOW = {"start": "2026-11-23T12:02:00+01:00", "end": "2026-11-23T12:08:00+01:00"}
FOLDERS = [SAMPLE, *CASES]
OUTAGES = [SAMPLE, *(case for case in CASES if truth(case)["outages"])]
NAME = {"ids": lambda folder: folder.name}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def asked(folder: Path) -> list[str]:
    known: dict[str, Any] = {"window": WINDOW, "timezone": "Europe/Berlin"} if folder == SAMPLE else truth(folder)
    return ["--from", known["window"]["start"], "--to", known["window"]["end"], "--tz", known["timezone"]]


@cache
def drafted(folder: Path) -> str:
    result = run("draft", folder / "logs", *asked(folder))
    assert result.exit_code == 0, result.stderr
    return result.stdout


@cache
def answered(folder: Path) -> dict[str, Any]:
    result = run("draft", folder / "logs", *asked(folder), "--format", "json")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def internals(folder: Path) -> set[str]:
    """Whatever names the inside of the system: hosts, services, files, paths, programs, addresses and people of the logs."""
    answer, text = answered(folder), drafted(folder)
    names = {str(row[key]) for row in answer["timeline"] for key in ("host", "service") if row[key]}
    names |= {part for row in answer["sources"] for part in (row["file"], *row["file"].split("/")) if "." in part}
    names |= {row["path"] for one in answer["incidents"] for row in one["impact"]["endpoints"] if len(row["path"]) > 1}
    for quoted in citations(text):
        names |= set(re.findall(r"\d{1,3}(?:\.\d{1,3}){3}|(?:/[\w.-]+){2,}|[\w.]+@[\w.]+|[\w-]+\[\d+\]", quoted.text))
        names |= {quoted.digest, quoted.file}
    return {name for name in names if len(name) > 2} | {"person-", "client-", "sha256", "[E"}


@pytest.mark.parametrize("folder", FOLDERS, **NAME)
def test_outsiders_learn_nothing_of_the_inside(folder: Path, tmp_path: Path) -> None:
    document = tmp_path / "postmortem.md"
    document.write_text(drafted(folder), encoding="utf-8")
    inside = internals(folder)
    assert len(inside) > 5, "there is something to hide"
    for name in ("out.html", "out.md", "out.txt", "out.xml"):
        assert run("render", document, "-o", tmp_path / name, "--audience", "external").exit_code == 0
        told = (tmp_path / name).read_text(encoding="utf-8")
        body = re.sub(r"(?s)<style>.*?</style>|<meta[^>]*>", "", told)
        leaked = [one for one in inside if re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", body)]
        assert not leaked, name
        found = answered(folder)["incidents"]
        counted = bool(found) and found[0]["impact"]["failed_percent"] > 0
        assert bool(re.search(r"% of (?:requests failed|what was attempted failed|requests were not answered)", body)) == counted


@pytest.mark.parametrize("folder", OUTAGES, **NAME)
@pytest.mark.parametrize("statement", ["{host} was restarted.", "Requests to /cart failed.", "We blocked 203.0.113.9."])
def test_a_statement_that_names_the_inside_is_refused(folder: Path, statement: str, tmp_path: Path) -> None:
    named = next((row["host"] for row in answered(folder)["timeline"] if row["host"] and re.search(r"[\d-]", row["host"])), None)
    if "{host}" in statement and named is None:
        pytest.skip("these logs name no host")
    document = tmp_path / "postmortem.md"
    mine = f"\n## Public statement\n\n{statement.format(host=named)}\n\n"
    document.write_text(drafted(folder).replace("<!-- retrolog:data figure", f"{mine}<!-- retrolog:data figure", 1))
    result = run("render", document, "--audience", "external")
    assert result.exit_code != 0
    assert "public statement names" in result.stderr
    document.write_text(document.read_text().replace(statement.format(host=named), "We are sorry; it was over at 12:06."))
    assert "We are sorry" in run("render", document, "--audience", "external").stdout


@pytest.mark.parametrize("folder", FOLDERS, **NAME)
def test_managers_get_one_page(folder: Path) -> None:
    pytest.importorskip("weasyprint")
    assert _pages(pdf(outputs.executive(drafted(folder)), one_page=True)) == 1


def test_a_long_executive_page_is_set_smaller(tmp_path: Path) -> None:
    pytest.importorskip("weasyprint")
    long = drafted(SAMPLE).replace("<!-- retrolog:end summary -->", "- More that has to be said of it.\n" * 10 + "\n<!-- retrolog:end summary -->")
    whole, fitted = (pdf(outputs.executive(long), one_page=one) for one in (False, True))
    assert _pages(whole) > 1
    assert _pages(fitted) == 1
    assert min(SMALLER) >= 0.7, "it can still be read"


def _pages(data: bytes) -> int:
    """How many page objects a PDF holds, also inside packed streams (ISO 32000-1, 7.7.3.3)."""
    parts = [data]
    for match in re.finditer(rb"stream\r?\n", data):
        with contextlib.suppress(zlib.error):
            parts.append(zlib.decompressobj().decompress(data[match.end() :]))
    return sum(len(re.findall(rb"/Type\s*/Page(?!\w)", part)) for part in parts)


@pytest.mark.parametrize("folder", OUTAGES, **NAME)
def test_every_form_is_made(folder: Path, tmp_path: Path) -> None:
    document = tmp_path / "postmortem.md"
    document.write_text(drafted(folder), encoding="utf-8")
    for name in ("page.html", "page.docx", "page.md", "page.txt", "page.xml"):
        result = run("render", document, "-o", tmp_path / name)
        assert result.exit_code == 0, result.stderr
    assert (tmp_path / "page-figure.png").read_bytes().startswith(b"\x89PNG")
    assert 'ri:filename="page-figure.png"' in (tmp_path / "page.xml").read_text()
    assert len((tmp_path / "page.txt").read_text()) <= 3000
    chart = re.search(r"(?s)```mermaid\ntimeline\n(.*?)```", (tmp_path / "page.md").read_text())
    assert chart
    for row in chart[1].splitlines():
        assert re.fullmatch(r"    [\d∶ +-]+ : [^:;#\"{}<>`%&|\[\]]+", row), "a row of Mermaid's timeline"
    word = pytest.importorskip("docx").Document(str(tmp_path / "page.docx"))
    assert len(word.inline_shapes) == 1
    assert "a second, 2026-11-2" in word.inline_shapes[0]._inline.docPr.get("descr")
    assert not [line for line in (tmp_path / "page.md").read_text().splitlines() if "drawn when rendered" in line]


@pytest.mark.parametrize("folder", OUTAGES, **NAME)
def test_a_draft_is_not_final_and_its_own_words_are_no_fault(folder: Path, tmp_path: Path) -> None:
    document = tmp_path / "postmortem.md"
    document.write_text(drafted(folder), encoding="utf-8")
    result = run("render", document, "-o", tmp_path / "page.html", "--strict")
    assert result.exit_code == 1
    assert not (tmp_path / "page.html").exists()
    assert {one.rule for one in check.check(drafted(folder))} <= {"open-prompt", "missing-owner", "missing-ticket", "unconfirmed-trigger"}


@pytest.mark.parametrize("folder", OUTAGES, **NAME)
def test_what_is_said_of_the_outage_cites_lines(folder: Path) -> None:
    text = drafted(folder)
    blocks = parse(text).blocks
    listed = [line for name in ("lessons", "summary") for line in blocks[name].body.splitlines() if line.startswith("- ")]
    assert listed
    for line in (*listed, *(b.body.strip() for name, b in blocks.items() if name.startswith("timeline."))):
        assert re.search(r"\[E\d+\]$", line) or line.endswith("found in the logs."), line
    assert all(step.evidence for step in exports.timeline(text))


@pytest.mark.parametrize("folder", OUTAGES, **NAME)
def test_citations_are_found_again_in_an_archive(folder: Path, tmp_path: Path) -> None:
    document = tmp_path / "postmortem.md"
    document.write_text(drafted(folder), encoding="utf-8")
    assert run("verify", document, "--logs", folder / "logs").exit_code == 0
    kept = tmp_path / "kept"
    kept.mkdir()
    with tarfile.open(kept / "november.tar.gz", "w:gz") as archive:
        archive.add(folder / "logs", "elsewhere")
    result = run("verify", document, "--logs", kept)
    assert result.exit_code == 0, result.stdout
    assert "moved to november.tar.gz/elsewhere/" in result.stdout


def test_a_changed_line_is_reported_wherever_the_others_are(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(SAMPLE / "logs", logs)
    document = tmp_path / "postmortem.md"
    document.write_text(drafted(SAMPLE), encoding="utf-8")
    cited = next(one for one in citations(drafted(SAMPLE)) if not one.file.endswith(".gz") and one.lines == 1)
    file = logs / cited.file
    data = file.read_bytes()
    assert data[cited.offset : cited.offset + 1].isascii()
    file.write_bytes(data[: cited.offset + 30] + b"#" + data[cited.offset + 31 :])
    result = run("verify", document, "--logs", logs)
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.startswith(f"E{cited.number} ") and "changed" in line]


def test_the_picture_is_the_same_everywhere_and_small() -> None:
    svg = render.figure_svg(parse(drafted(SAMPLE)))
    one = picture.png(svg)
    assert one == picture.png(svg)
    assert len(one) < 60_000
    from PIL import Image

    image = Image.open(io.BytesIO(one)).convert("RGB")
    assert image.width == 1920
    shades = {colour for _, colour in image.getcolors(1 << 20) or []}
    assert (163, 31, 24) in shades, "failures are drawn"
