"""Exceptions that nobody caught are errors of the program below whose row they stand."""

from __future__ import annotations

import pytest

from retrolog.pipeline.counting.uncaught import with_uncaught

from ..traffic import events, said

CASES = [
    ("exporting 18\njava.lang.OutOfMemoryError: Java heap space\n\tat java.util.Arrays.copyOf(Arrays.java:3537)", "info", "error", "HotSpot, on stderr"),
    ("next\nException in thread \"worker-3\" java.lang.IllegalStateException: closed\n\tat a.B.run(B.java:1)", "info", "error", "ThreadGroup.uncaughtException"),
    ("got job 17\nTraceback (most recent call last):\n  File \"w.py\", line 3\nValueError: bad job", "debug", "error", "CPython"),
    ("handling 17\npanic: runtime error: index out of range\n\ngoroutine 1 [running]:", None, "error", "Go"),
    ("listening\nthread 'main' panicked at src/main.rs:4:5:\nindex out of bounds", "notice", "error", "Rust"),
    ("up\nTypeError: Cannot read properties of undefined\n    at Object.<anonymous> (/srv/a.js:3:7)", "info", "error", "Node"),
    ("retrying\njava.net.SocketTimeoutException: Read timed out\n\tat a.B.run(B.java:1)", "warning", "warning", "the row knew of it"),
    ("lost\njava.io.IOException: gone", "critical", "critical", "the row knew of it"),
    ("SELECT 1\n  FROM error\n WHERE code = 'Error: x'", "info", "info", "a statement over several rows"),
    ("config:\n  handler: a.b.ErrorHandler\n  on: Exception", "info", "info", "settings that name exceptions"),
    ("java.lang.OutOfMemoryError: Java heap space", "info", "info", "one row: its writer chose the level"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "level", "expected", "why"), CASES)
def test_an_exception_that_nobody_caught_is_an_error(message: str, level: str | None, expected: str, why: str) -> None:
    table = with_uncaught(events([said(0, "calm"), said(1, message, level, lines=message.count("\n") + 1), said(2, "wrong", "error")]))
    assert table["severity"].to_pylist() == ["info", expected, "error"], why
