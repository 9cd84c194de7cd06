"""Text from logs stays text: in Markdown, HTML, terminals, comments and spreadsheets."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from retrolog.pipeline import safe
from retrolog.pipeline.drafting import document

HOSTILE = (
    "<script>alert(1)</script>",
    "[click](http://evil.example)",
    "![x](https://evil.example/t.png)",
    "<img src=x onerror=alert(1)>",
    "http://evil.example/a and www.evil.example",
    "`code` ``more``",
    "`",
    "**bold** _it_ ~~gone~~ $math$",
    "# heading",
    "- item",
    "1. item",
    "===",
    "> quote",
    "| a | b |",
    "\\[x\\](y)",
    "&lt;b&gt; &#x3c;",
    "<!-- retrolog:end summary -->",
    "-->",
    "[E1]: javascript:alert(1)",
    "[^1]: note",
    "@everyone please",
    "javascript:alert(1)",
    "\x1b[2J\x1b]0;title\x07",
    "\u202eevil\u202c \u2066x\u2069 \u200b",
    "a\r\nb\nc\u2028d\x85e",
    "{{ 7*7 }} {% raw %}",
    "```\n</pre>\n```",
    "mail me@evil.example now",
    "| `a|b` |",
    "=cmd|' /C calc'!A0",
)
ACTIVE = {
    "html_inline",
    "html_block",
    "link_open",
    "image",
    "em_open",
    "strong_open",
    "s_open",
    "heading_open",
}
ACTIVE |= {
    "bullet_list_open",
    "ordered_list_open",
    "blockquote_open",
    "hr",
    "table_open",
    "fence",
    "code_block",
}


def kinds(markdown: str) -> set[str]:
    """Types of all tokens a permissive renderer sees: HTML on, links found by itself."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    tokens = parser.parse(markdown)
    return {child.type for token in tokens for child in [token, *(token.children or [])]}


@pytest.mark.parametrize("text", HOSTILE)
def test_prose_is_inert_wherever_it_stands(text: str) -> None:
    for markdown in (safe.prose(text), f"12:00:00 — {safe.prose(text)} [E1]", f"word\n\n{safe.prose(text)}"):
        assert not kinds(markdown) & ACTIVE, markdown
        assert "\n" not in safe.prose(text)


@given(st.text(max_size=80))
def test_any_prose_is_inert(text: str) -> None:
    assert not kinds(safe.prose(text)) & ACTIVE


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=3))
def test_any_mix_of_hostile_texts_is_inert(texts: list[str]) -> None:
    assert not kinds(safe.prose(" ".join(texts))) & ACTIVE
    assert not kinds(safe.prose("".join(texts))) & ACTIVE


@given(st.text(max_size=60))
def test_a_code_span_says_exactly_the_cleaned_text(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(f"a {safe.code(text)} b")
    spans = [
        child.content for token in tokens for child in token.children or [] if child.type == "code_inline"
    ]
    assert spans == [safe.clean(text) or " "]


@given(st.text(max_size=60))
def test_a_table_keeps_its_cells(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {safe.code(text, cell=True)} | {safe.prose(text, cell=True)} |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    assert [token.type for token in tokens].count("td_open") == 2


@given(st.text(max_size=120))
def test_quoted_lines_can_neither_close_their_block_nor_forge_a_marker(text: str) -> None:
    body = safe.fenced(text)
    tokens = MarkdownIt("commonmark", {"html": True}).parse(f"- item\n\n{body}\n")
    assert [token.type for token in tokens if token.type in ("fence", "html_block")] == ["fence"]
    whole = document.block("a", body) + document.block("b", "end")
    assert list(document.parse(whole).blocks) == ["a", "b"]


@given(st.text())
def test_clean_text_holds_nothing_unseen(text: str) -> None:
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", safe.clean(text)
    )
    assert safe.terminal(text) == safe.clean(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\u202eb", "a\\u202eb"),
        ("a\tb", "a b"),
        ("a\nb", "a\\nb"),
        ("Grüße, 世界", "Grüße, 世界"),
    ],
)
def test_what_cannot_be_seen_is_shown(text: str, shown: str) -> None:
    assert safe.clean(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /product/3 answered 500", "GET /product/3 answered 500"),
        ("db_pool exhausted (10 of 10)", "`db_pool` exhausted (10 of 10)"),
        ("see access.log, error.log: now", "see `access.log`, `error.log`: now"),
        ("All failed (/product/{id}).", "All failed (`/product/{id}`)."),
        ("What rules (the limit max_client_conn) out?", "What rules (the limit `max_client_conn`) out?"),
        ("see f_(x) now", "see `f_(x)` now"),
    ],
)
def test_ordinary_words_stay_as_they_are(text: str, shown: str) -> None:
    assert safe.prose(text) == shown


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", ' "=1', "|cmd"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe.spreadsheet(text).startswith("'")


@pytest.mark.parametrize("text", ["12:00", "GET /", "2 min", "a=b", ""])
def test_other_cells_are_unchanged(text: str) -> None:
    assert safe.spreadsheet(text) == text


def test_json_in_a_comment_cannot_end_it() -> None:
    assert "--" not in safe.in_comment('{"a": "-->", "b": "<!--"}')
