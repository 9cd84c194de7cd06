"""The page shows the whole document, loads nothing, runs nothing, and keeps whatever the document holds inert."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.pipeline.drafting import document, draft, entries
from retrolog.pipeline.errors import NotADraft
from retrolog.pipeline.finishing import render

from ..drafting.test_draft import hostile
from ..example import FINDINGS, QUIET, at
from ..test_safe import HOSTILE

TEXT = draft.markdown(FINDINGS, "retrolog draft logs")
PAGE = render.html(TEXT)
ANCHOR = "<!-- retrolog:end summary -->\n\n"


def with_human(text: str) -> str:
    return render.html(TEXT.replace(ANCHOR, f"{ANCHOR}{text}\n\n"))


class Tags(HTMLParser):
    """Collects tags and attributes; fails on nesting that a browser would have to repair."""

    VOID = frozenset({"meta", "img", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    parser.close()
    assert not parser.open
    return parser


def test_the_page_is_well_formed_and_loads_nothing() -> None:
    found = tags(PAGE)
    assert not {"script", "link", "iframe", "object", "embed", "form", "base", "img"} & set(found.tags)
    names = {name for name, _ in found.attributes}
    assert not {name for name in names if name.startswith("on")}
    assert "style" not in names
    assert not [v for n, v in found.attributes if n in ("src", "href") and not v.startswith("#")]
    assert "url(" not in PAGE
    assert "@import" not in PAGE


def test_the_policy_allows_its_own_style_and_nothing_else() -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', PAGE)
    style = re.search(r"<style>(.*?)</style>", PAGE, re.DOTALL)
    assert policy
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].replace("&#39;", "'").startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_references_lead_to_their_lines() -> None:
    targets = set(re.findall(r'href="#(e\d+)"', PAGE))
    anchors = set(re.findall(r'id="(e\d+)"', PAGE))
    assert targets
    assert targets <= anchors


def test_the_figure_stands_above_the_timeline() -> None:
    assert 0 < PAGE.index("<svg") < PAGE.index(">Timeline</h2>")
    for label in ("onset 12:03:51", "recovery 12:05:58", "detected 12:03:56", "trigger? 12:03:14"):
        assert label in PAGE


def test_marks_follow_the_front_matter() -> None:
    moved = render.html(
        TEXT.replace("onset: '2026-11-23T12:03:51.088+01:00'", "onset: '2026-11-23T12:03:40+01:00'")
    )
    assert "onset 12:03:40" in moved


def test_a_deleted_figure_stays_deleted() -> None:
    parsed = document.parse(TEXT)
    text = parsed.front + "".join(s.raw for s in parsed.segments if getattr(s, "id", "") != "figure")
    assert "<svg" not in render.html(text)


def test_markers_and_data_are_not_shown() -> None:
    assert "retrolog:" not in PAGE
    assert "&lt;!--" not in PAGE


def test_comments_of_humans_stay_private() -> None:
    page = with_human("Before <!-- ask legal --> after.\n\n<!--\nall of\n\nthis\n-->")
    assert "ask legal" not in page
    assert "all of" not in page
    assert "Before  after." in page.replace("Before after.", "Before  after.")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onclick='x()'>b</b>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://evil.example/t.png)",
        "![x](data:image/svg+xml;base64,PHN2Zz4=)",
        "<style>*{display:none}</style>",
        "</main></body><script>1</script>",
        '<a href="https://evil.example" style="position:fixed">x</a>',
        "```retrolog-element\n<script>\n```",
        "<!-- a --><script>1</script>",
        "[E1]: javascript:alert(1)",
        "&lt;script&gt;",
    ],
)
def test_html_of_humans_is_inert(text: str) -> None:
    found = tags(with_human(text))
    assert not {"script", "iframe", "img", "object", "form"} & set(found.tags)
    assert found.tags.count("style") == 1
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "style"]
    assert not [
        v for n, v in found.attributes if n == "href" and v.lower().startswith(("javascript", "data"))
    ]


def test_embedded_pictures_are_shown() -> None:
    assert '<img src="data:image/png;base64,iVBORw0KGgo=" alt="a">' in with_human(
        "![a](data:image/png;base64,iVBORw0KGgo=)"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_log_text_makes_no_tags(text: str) -> None:
    made, plain = (tags(render.html(draft.markdown(hostile(word), "x"))).tags for word in (text, "word"))
    assert [tag for tag in made if tag != "code"] == [tag for tag in plain if tag != "code"]


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=200))
def test_any_human_text_renders_to_a_well_formed_page(text: str) -> None:
    page = with_human(text)
    assert "<script" not in page
    tags(page)


def test_broken_data_costs_the_figure_only() -> None:
    for broken in (
        TEXT.replace('"step":1', '"step":0'),
        TEXT.replace('{"errors"', "{errors"),
        TEXT.replace('"start":1', '"start":"x1'),
    ):
        page = render.html(broken)
        assert "<svg" not in page
        assert ">Timeline</h2>" in page


@pytest.mark.parametrize(
    "front", ["incidents: nonsense", "incidents: [1, {onset: x}]", "title: [", "status: {a: 1}"]
)
def test_front_matter_may_be_anything(front: str) -> None:
    parsed = document.parse(TEXT)
    page = render.html(f"---\n{front}\nretrolog: 1\n---\n" + "".join(s.raw for s in parsed.segments))
    assert ">Timeline</h2>" in page


def test_a_quiet_day_has_no_facts() -> None:
    page = render.html(draft.markdown(QUIET, "x"))
    assert 'class="facts"' not in page
    assert "No outage found" in page


def test_an_open_end_is_drawn_to_the_edge() -> None:
    ongoing = replace(FINDINGS.incidents[0], recovery=None)
    page = render.html(draft.markdown(replace(FINDINGS, incidents=(ongoing,)), "x"))
    assert "recovery 12" not in page
    assert 'class="span"' in page


def test_windows_line_ends_render_the_same() -> None:
    assert render.html(TEXT.replace("\n", "\r\n")) == PAGE


def test_the_same_document_gives_the_same_page() -> None:
    assert render.html(TEXT) == PAGE


@pytest.mark.parametrize(
    ("value", "expected"), [("2026-11-23T12:00:00+01:00", at(0)), ("x", None), (None, None), (3, None)]
)
def test_times_of_the_front_matter(value: object, expected: int | None) -> None:
    assert entries.instant(value) == expected


def test_a_file_that_is_no_draft_is_refused() -> None:
    with pytest.raises(NotADraft):
        render.html("# notes\n")
