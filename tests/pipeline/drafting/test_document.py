"""A document is read and written back byte for byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.drafting import document


@given(st.text())
def test_any_text_survives_reading(text: str) -> None:
    assert str(document.parse(text)) == text
