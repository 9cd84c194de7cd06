"""Every other output carries the human's words, stays inert, and tells outsiders nothing of the inside."""

from __future__ import annotations

import csv
import io
import json
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest

from retrolog.pipeline.drafting import draft
from retrolog.pipeline.errors import BadOption, MissingExtra, NotADraft
from retrolog.pipeline.finishing import confluence, exports, outputs, pdf, render, word

from ..drafting.test_draft import hostile
from ..example import FINDINGS, INCIDENT, QUIET, at
from ..test_safe import HOSTILE

ANCHOR = "<!-- retrolog:end summary -->\n\n"
TEXT = draft.markdown(FINDINGS, "retrolog draft logs")
HUMAN = TEXT.replace(ANCHOR, f"{ANCHOR}We called it **Mailgate**.\n\n").replace(
    "<!-- retrolog:end timeline -->\n\n",
    "<!-- retrolog:end timeline -->\n\n- 12:04:30 — We opened a bridge call.\n\n",
)


def test_slack_has_the_story_and_nothing_active() -> None:
    text = outputs.slack(HUMAN)
    assert text.startswith("*Outage on 2026-11-23, 12:03 to 12:05* (draft)\n")
    assert "2,003 of 3,040 requests (65.9 %) failed." in text
    assert "*Mailgate*" in text
    assert "[E1]" not in text
    assert "_3 questions still open in the document._" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_slack_makes_no_links_of_log_text(text: str) -> None:
    made = outputs.slack(draft.markdown(hostile(text), "x"))
    assert "<" not in made.replace("&lt;", "")
    assert "@here" not in made


@pytest.mark.parametrize("target", list(outputs.TARGETS))
def test_markdown_for_trackers(target: str) -> None:
    text = outputs.TEXTS[target](HUMAN)
    assert text.startswith("# Outage on")
    assert "<!--" not in text
    assert "- 12:04:30 — We opened a bridge call." in text
    assert ("```mermaid" in text) is outputs.TARGETS[target]


@pytest.mark.parametrize("text", HOSTILE)
def test_mermaid_labels_hold_no_syntax(text: str) -> None:
    rows = outputs.mermaid(exports.timeline(draft.markdown(hostile(text), "x"))).split("\n")[2:-1]
    for row in rows:
        assert row.count(":") == 1
        assert not set(row) & set("#;<>`{}[]|&")


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(BadOption):
        outputs.plain_markdown(TEXT, "wiki")


def test_the_executive_page_is_short() -> None:
    page = outputs.executive(HUMAN)
    assert "Mailgate" in page
    assert "## Corrective" in page
    assert "## Timeline" not in page
    assert "[E" not in page
    assert "<svg" in render.html(page)


def test_outsiders_learn_times_and_shares_only() -> None:
    said = HUMAN.replace(
        "- 12:04:30 — We opened",
        "## Public statement\n\nWe are sorry. [E1]\n\n## More\n\n- 12:04:30 — We opened",
    )
    text = outputs.external(said)
    assert "We are sorry." in text
    assert "65.9 % of requests failed" in text
    for inside in (
        "app-1",
        "mailer",
        "syslog",
        "/checkout",
        "/product",
        "person-",
        "E1",
        "Mailgate",
        "logs",
        "3,040",
        "3040",
        "deploy",
        "sha256",
    ):
        assert inside not in text, inside
    assert "<h1" in render.html(text)


def test_a_quiet_day_for_outsiders() -> None:
    assert "No disruption was found" in outputs.external(draft.markdown(QUIET, "x"))


def test_the_timeline_is_the_documents() -> None:
    steps = exports.timeline(HUMAN)
    assert [step.clock for step in steps] == sorted(step.clock for step in steps)
    mine = next(step for step in steps if step.clock == "12:04:30")
    assert (mine.time, mine.text, mine.evidence) == (at(270), "We opened a bridge call.", ())
    assert steps[0].label == "Trigger"
    assert steps[0].evidence == (4,)


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("- 2026-11-24 00:10:00 — later", at(13 * 3600 - 3000)),
        ("- 12:04:30+02:00 — offset", at(270 - 3600)),
        ("- **12:04** - bold", at(240)),
        ("- 25:04:30 — no time", None),
        ("- 2026-13-40 12:04:30 — no date", None),
    ],
)
def test_times_of_human_entries(line: str, time: int | None) -> None:
    steps = exports.timeline(TEXT.replace(ANCHOR, f"{ANCHOR}{line}\n\n"))
    words = line.split(" — ")[-1].split(" - ")[-1]
    assert next(step for step in steps if step.text == words).time == time


def test_measures_are_the_documents() -> None:
    found = exports.measures(HUMAN.replace("| prevent | | |", "| prevent | @ops | T-1 |"))
    assert found[0].action.startswith("Limit the connections of the role mailer.")
    assert (found[0].type, found[0].owner, found[0].ticket) == ("prevent", "@ops", "T-1")
    assert len(found) == len(FINDINGS.actions)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_measures_for_other_tools() -> None:
    assert len(rows(exports.export_measures(TEXT, "csv"))) == 2
    assert json.loads(exports.export_measures(TEXT, "json"))[0]["owner"] is None
    issues = [json.loads(line) for line in exports.export_measures(TEXT, "github").splitlines()]
    assert issues[0]["title"] == "Limit the connections of the role mailer."
    assert issues[0]["labels"] == ["postmortem", "prevent"]
    assert rows(exports.export_measures(TEXT, "jira"))[0]["Issue Type"] == "Task"
    with pytest.raises(BadOption):
        exports.export_measures(TEXT, "xml")


def test_the_timeline_for_other_tools() -> None:
    assert rows(exports.export_timeline(TEXT, "csv"))[0]["time"] == "2026-11-23T12:03:14+01:00"
    assert json.loads(exports.export_timeline(TEXT, "json"))[0]["label"] == "Trigger"
    sketch = json.loads(exports.export_timeline(TEXT, "timesketch").splitlines()[0])
    assert sketch["datetime"] == "2026-11-23T11:03:14+00:00"
    assert {"message", "timestamp_desc"} <= set(sketch)
    grafana = json.loads(exports.export_timeline(TEXT, "grafana").splitlines()[0])
    assert grafana["time"] == at(194) // 1000
    with pytest.raises(BadOption):
        exports.export_timeline(TEXT, "ical")


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1", "-1"])
def test_no_export_holds_a_formula(text: str) -> None:
    made = draft.markdown(hostile(text), "x")
    for table in (
        exports.export_measures(made, "csv"),
        exports.export_timeline(made, "csv"),
        exports.export_measures(made, "jira"),
    ):
        assert not [
            cell for row in csv.reader(io.StringIO(table)) for cell in row if cell[:1] in "=+@" and cell
        ]


@pytest.mark.parametrize("text", [*HOSTILE, "]]>", "\x00\x0b"])
def test_confluence_is_well_formed_whatever_the_logs_say(text: str) -> None:
    body = confluence.confluence(draft.markdown(hostile(text), "x") + f"\n{text}\n")
    root = ET.fromstring(f'<r xmlns:ac="ac" xmlns:ri="ri">{body}</r>')
    assert not [element for element in root.iter() if element.tag in ("script", "img", "style", "iframe")]


def test_confluence_has_macros_for_questions_and_lines() -> None:
    body = confluence.confluence(HUMAN)
    assert body.count('ac:name="note"') == len(FINDINGS.prompts)
    assert '<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[' in body
    assert "Mailgate" in body


@pytest.mark.parametrize("text", ["word", "<script>", "\x00\x0b]]>", "\ud800"])
def test_word_opens_and_holds_the_document(text: str) -> None:
    library = pytest.importorskip("docx")
    data = word.docx(draft.markdown(hostile(text), "x") + "\nMailgate\n")
    read = library.Document(io.BytesIO(data))
    assert "Mailgate" in [p.text for p in read.paragraphs]
    assert next(p.text for p in read.paragraphs if p.style.name == "Heading 1") == "Summary"
    assert len(read.tables) == 4
    for name in zipfile.ZipFile(io.BytesIO(data)).namelist():
        assert not name.endswith((".bin", "vbaProject"))


def test_pdf_is_made_without_loading_anything() -> None:
    pytest.importorskip("weasyprint")
    data = pdf.pdf(HUMAN.replace(ANCHOR, f"{ANCHOR}![x](http://127.0.0.1:9/x.png)\n\n"))
    assert data.startswith(b"%PDF-")
    assert len(data) > 10_000


@pytest.mark.parametrize(("function", "module"), [(word.docx, "docx"), (pdf.pdf, "weasyprint")])
def test_a_missing_extra_is_named_with_its_command(
    function: Callable[[str], bytes], module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install 'retrolog\["):
        function(TEXT)


@pytest.mark.parametrize(
    "function",
    [
        *outputs.TEXTS.values(),
        outputs.executive,
        outputs.external,
        confluence.confluence,
        word.docx,
        exports.timeline,
        exports.measures,
    ],
)
def test_a_file_that_is_no_draft_is_refused(function: Callable[[str], object]) -> None:
    with pytest.raises(NotADraft):
        function("# notes\n")


@pytest.mark.parametrize(
    ("signal", "public", "fact"),
    [
        ("failures", "% of requests failed", "requests failed"),
        ("silence", "an estimated 65", "requests missing, estimated"),
        ("errors", "% of what was attempted failed", "outcomes were failures"),
    ],
)
def test_a_share_is_said_as_what_it_is(signal: str, public: str, fact: str) -> None:
    text = draft.markdown(replace(FINDINGS, incidents=(replace(INCIDENT, signal=signal),)), "retrolog draft logs")
    assert public in outputs.external(text)
    assert fact in render.html(text)
    assert ("about 2,003" in render.html(text)) == (signal == "silence")
