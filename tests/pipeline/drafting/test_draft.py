"""The JSON answer keeps its contract, and the draft says what the findings carry: no more, no less, the same every time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from retrolog.pipeline.drafting import document, draft
from retrolog.pipeline.drafting.merge import merge
from retrolog.pipeline.errors import BadOption
from retrolog.pipeline.findings import Bound, EndpointImpact, Entry, Evidence, Findings
from retrolog.pipeline.finishing import check

from ..example import FINDINGS, INCIDENT, QUIET, TIMELINE, at, quoted
from ..test_safe import HOSTILE

COMMAND = "retrolog draft logs --tz Europe/Berlin"
TEXT = draft.markdown(FINDINGS, COMMAND)
LATER = replace(
    INCIDENT, onset=Bound(at(420), at(420), at(420), "first failed request"), recovery=None, severity="partial",
    detected=None, resolution=None, trigger=None, candidates=(),
)  # fmt: skip


def test_the_answer_keeps_its_contract() -> None:
    answer = draft.answer(FINDINGS)
    assert answer["schema"] == "retrolog/1"
    assert answer["window"] == {"start": "2026-11-23T12:00:00+01:00", "end": "2026-11-23T12:08:00+01:00"}
    incident = answer["incidents"][0]
    assert incident["onset"] == "2026-11-23T12:03:51.088+01:00"
    assert incident["recovery"] == "2026-11-23T12:05:58.352+01:00"
    assert incident["detected"] == "2026-11-23T12:03:56+01:00"
    assert incident["trigger"]["evidence"][0].items() >= {"file": "app-1/syslog", "line": 24}.items()
    assert incident["impact"]["failed_percent"] == 65.888
    assert incident["impact"]["endpoints"][0] == {"path": "/product/{}", "requests": 940, "failed": 855}
    assert set(answer["timeline"][0]) == {
        "time", "end", "kind", "severity", "host", "service", "summary", "count", "reason", "evidence",
    }  # fmt: skip
    assert answer["sources"][2]["clock_offset_s"] == -38.0
    assert [entry["time"] for entry in answer["timeline"]] == sorted(
        entry["time"] for entry in answer["timeline"]
    )
    json.dumps(answer)


def test_the_answer_is_masked_unless_told_otherwise() -> None:
    assert "carla" not in json.dumps(draft.answer(FINDINGS))
    assert "carla" in json.dumps(draft.answer(FINDINGS, mask=False))


def test_an_entry_answers_with_five_lines_at_most() -> None:
    many = replace(TIMELINE[1], evidence=tuple(quoted("a.log", n, f"line {n}") for n in range(1, 9)))
    assert len(draft.answer(replace(FINDINGS, timeline=(many,)))["timeline"][0]["evidence"]) == 5


def test_the_same_findings_give_the_same_bytes() -> None:
    assert draft.markdown(FINDINGS, COMMAND) == TEXT


def test_nothing_secret_or_personal_is_in_the_draft() -> None:
    for word in ("carla", "abc123", "192.0.2.160", "198.51.100.7"):
        assert word not in TEXT
    assert "192.0.2.160" in draft.markdown(FINDINGS, COMMAND, mask=False)


def test_front_matter_says_what_the_document_is() -> None:
    front = document.parse(TEXT).metadata
    assert front["status"] == "draft"
    assert front["title"] == "Outage on 2026-11-23, 12:03 to 12:05"
    assert front["command"] == COMMAND
    assert front["incidents"][0]["failed_percent"] == 65.89
    assert next(source["digest"] for source in front["sources"]) == "a" * 16
    assert front["retrolog"]["version"]


@pytest.mark.parametrize(
    "heading",
    ["Summary", "Impact", "Timeline", "Root cause and resolution", "What went well, badly, and by luck",
     "Corrective and preventative measures", "Appendix: sources and assumptions", "Appendix: evidence"],
)  # fmt: skip
def test_sections(heading: str) -> None:
    assert f"\n## {heading}\n" in TEXT


def test_entries_follow_the_pattern_and_are_in_order() -> None:
    entries = re.findall(r"^- (\d\d:\d\d:\d\d) — .*\[E\d+\]$", TEXT, re.MULTILINE)
    assert len(entries) == len(TIMELINE)
    assert entries == sorted(entries)


def test_every_reference_leads_to_its_line() -> None:
    assert not [
        one
        for one in check.check(TEXT)
        if one.rule in ("lost-evidence", "no-evidence", "long-entry", "long-body")
    ]


def test_lines_add_up() -> None:
    assert (
        "7,881 lines in 4 files = 7,875 inside the window + 4 outside of it + 1 without a time + 1 that continue another."
        in TEXT
    )
    wrong = draft.markdown(replace(FINDINGS, accounting={"in_window": 7000}), COMMAND)
    assert "881 lines fewer than read are accounted for" in wrong


def test_a_trigger_is_never_a_verdict() -> None:
    assert "**Likely trigger, unconfirmed:**" in TEXT
    assert "none confirmed" in TEXT
    none = draft.markdown(
        replace(FINDINGS, incidents=(replace(INCIDENT, trigger=None, candidates=()),)), COMMAND
    )
    assert "no change or event that could have been it was found" in none
    assert "No change or event before the onset stands out" in none


def test_no_outage_is_an_answer() -> None:
    text = draft.markdown(QUIET, COMMAND)
    assert "# No outage found on 2026-11-23" in text
    assert "No outage found.\n" in text
    assert "Read were 7,879 events in 3 files" in text
    for word in ("## Impact", "## Root cause", "## What went", "[E1]", "Appendix: evidence"):
        assert word not in text


def test_what_cannot_be_told_is_said() -> None:
    unsure = replace(QUIET, verdict="The logs cannot tell: no request is logged between 12:03 and 12:06")
    assert "The logs cannot tell: no request is logged between 12:03 and 12:06." in draft.markdown(
        unsure, COMMAND
    )


def test_several_incidents_are_told_apart() -> None:
    text = draft.markdown(replace(FINDINGS, incidents=(INCIDENT, LATER)), COMMAND)
    assert "# 2 outages on 2026-11-23" in text
    assert "**Outage 1.**" in text
    assert "**Partial degradation 2.** From 2026-11-23 12:07:00 to beyond the end of the window" in text
    assert "## Impact of outage 1, 12:03:51 to 12:05:58" in text
    assert "## Impact of partial degradation 2" in text
    assert "The logs hold no alert and no report by a person." in text


def test_nothing_at_all_is_still_a_document() -> None:
    empty = Findings((None, None), "UTC", (), (), (), None)
    text = draft.markdown(empty, COMMAND)
    assert "# No outage found" in text
    assert "0 lines in 0 files" in text
    assert draft.answer(empty)["window"] == {"start": None, "end": None}


def test_offsets_are_shown_where_the_zone_shifts() -> None:
    night = 1_793_491_200_000_000  # 2026-11-01 00:00 UTC; New York leaves daylight saving time at 06:00 UTC
    hours = [night + hour * 3_600_000_000 for hour in (5, 6)]
    entries = tuple(Entry(time, "x", "error", "", (quoted("a", 1, f"{time}"),)) for time in hours)
    text = draft.markdown(
        replace(QUIET, window=(night, night + 12 * 3_600_000_000), zone="America/New_York", timeline=entries),
        COMMAND,
    )
    assert "- 2026-11-01 01:00:00-04:00 — x." in text
    assert "- 2026-11-01 01:00:00-05:00 — x." in text


def test_a_long_timeline_is_cut_and_the_rest_listed() -> None:
    more = tuple(
        Entry(at(10 + n), f"warning {n}", "warning", "", (quoted("a.log", n + 1, f"w {n}"),), score=n / 100)
        for n in range(30)
    )
    text = draft.markdown(replace(FINDINGS, timeline=TIMELINE + more), COMMAND)
    main, rest = text.split("## Appendix: further events")
    assert len(re.findall(r"^- \d\d:\d\d:\d\d — ", main, re.MULTILINE)) == 12
    assert len(re.findall(r"^- \d\d:\d\d:\d\d — ", rest, re.MULTILINE)) == len(TIMELINE) + 30 - 12


def test_markers_hold_nothing_that_ends_a_comment() -> None:
    for comment in re.findall(r"<!--(.*?)-->", TEXT, re.DOTALL):
        assert "--" not in comment


def hostile(text: str) -> Findings:
    """Findings in which every text that a log can supply is `text`."""
    line = Evidence("a`b|c.log", 3, 1, 5, 9, "d" * 16, text)
    change = {"summary": text, "evidence": (line,)}
    candidate: Any = replace(INCIDENT.trigger, **change, reasons_for=(text,), reasons_against=(text,))  # type: ignore[type-var]
    incident = replace(
        INCIDENT, trigger=candidate, candidates=(candidate,), detected=candidate, resolution=candidate, scope=(text,),
        impact=replace(INCIDENT.impact, endpoints=(EndpointImpact(text, 9, 9),), statuses=((text, 2),)),
    )  # fmt: skip
    return replace(
        FINDINGS, incidents=(incident,), timeline=tuple(replace(entry, **change) for entry in TIMELINE),  # type: ignore[arg-type]
        sources=tuple(replace(source, file=text, skipped=text, notes=(text,), format=text) for source in FINDINGS.sources),
        assumptions=(text,), blips=(text,), prompts=(("root_cause", text), (text, text)), misleading=(replace(TIMELINE[0], **change),),  # type: ignore[arg-type]
        actions=({"action": text, "type": text, "because": text, "evidence": (line,)},), verdict=text,
        went_well=((text, (line,)),), lucky=((text, ()),),
    )  # fmt: skip


def shape(text: str) -> list[str]:
    """The kinds of block that a permissive renderer sees, without those that vary with the length of a text."""
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text.split("\n---\n", 1)[1])
    kinds = []
    for token in tokens:
        kinds.append(token.type)
        kinds += [
            child.type
            for child in token.children or []
            if child.type not in ("text", "code_inline", "softbreak")
        ]
    return kinds


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("text", HOSTILE)
def test_log_text_changes_nothing_of_the_documents_shape(text: str, mask: bool) -> None:
    made = draft.markdown(hostile(text), text, mask=mask)
    assert shape(made) == shape(draft.markdown(hostile("word"), "word", mask=mask))
    parsed = document.parse(made)
    assert str(parsed) == made
    assert list(parsed.blocks) == list(
        document.parse(draft.markdown(hostile("word"), "word", mask=mask)).blocks
    )
    assert parsed.metadata["status"] == "draft"
    assert merge(made, made) == made


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_any_log_text_makes_a_document_that_can_be_read_again(text: str) -> None:
    made = draft.markdown(hostile(text), "x")
    assert str(document.parse(made)) == made
    assert document.parse(made).metadata["status"] == "draft"
    assert merge(made, made) == made


@pytest.mark.parametrize("style", list(draft.STYLES))
def test_every_style_tells_the_incident(style: str) -> None:
    text = draft.markdown(FINDINGS, COMMAND, style)
    for part in ("2,003 of 3,040", "unconfirmed", "12:03:51", "> **Question", "| Owner |", "[E1]", "**E1**"):
        assert part in text, part
    assert merge(text, text) == text
    assert draft.markdown(QUIET, COMMAND, style)


@pytest.mark.parametrize("style", list(draft.STYLES))
def test_a_copied_style_drafts_the_same(style: str, tmp_path: Path) -> None:
    for name, source in draft.style_files(style).items():
        (tmp_path / name).write_text(source)
    own = draft.markdown(FINDINGS, COMMAND, str(tmp_path / f"{style}.md.j2"))
    assert (
        own.split("\n---\n", 1)[1].split("<!-- retrolog:data index")[0]
        == (
            draft.markdown(FINDINGS, COMMAND, style)
            .split("\n---\n", 1)[1]
            .split("<!-- retrolog:data index")[0]
        )
    )


def test_another_style_can_be_drafted_into_a_document() -> None:
    edited = TEXT.replace("2,003 of 3,040 requests (65.9 %) failed.", "Two thirds failed.")
    merged = merge(edited, draft.markdown(FINDINGS, COMMAND, "srebook", previous=edited))
    assert "Two thirds failed." in merged
    assert "## Root causes and trigger" in merged


def test_own_templates_are_sandboxed_and_inert(tmp_path: Path) -> None:
    own = tmp_path / "own.md.j2"
    own.write_text('{% call block("a") %}# {{ title }} {{ zone }}{% endcall %}{% include "appendix.md.j2" %}')
    text = draft.markdown(replace(FINDINGS, zone="[x](http://e)"), COMMAND, str(own))
    assert "`[x](http://e)`" in text
    assert "Appendix: sources" in text
    for bad in ("{{ ''.__class__.__mro__ }}", "{{ nothing }}", "{% if %}", '{% include "none" %}'):
        own.write_text(bad)
        with pytest.raises(BadOption):
            draft.markdown(FINDINGS, COMMAND, str(own))
    with pytest.raises(BadOption, match="retrolog"):
        draft.markdown(FINDINGS, COMMAND, "nosuch")
