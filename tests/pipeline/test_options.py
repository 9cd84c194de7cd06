"""Clock offsets are read from words, and what is none is named."""

from __future__ import annotations

import pytest

from retrolog.pipeline.errors import BadOption
from retrolog.pipeline.options import clock_offsets


def test_an_offset_that_is_none_is_named() -> None:
    assert clock_offsets(("db-*=-38", "a=b=1.5")) == (("db-*", -38.0), ("a=b", 1.5))
    with pytest.raises(BadOption, match="GLOB=SECONDS"):
        clock_offsets(("db-1",))
