"""What a sentence quotes of a message over several rows: what the program said, and what was thrown."""

from __future__ import annotations

import pytest

from retrolog.pipeline.analysis.sentences import said

CASES = [
    ("took job\nTraceback (most recent call last):\n  File \"a.py\"\nKeyError: 'x'\n\nDuring handling of it:\n\nTraceback (most recent call last):\n  f\nValueError: bad",
     "took job … ValueError: bad", "CPython tells last what was thrown last"),
    ("handling 17\npanic: index out of range [5]\n\ngoroutine 1 [running]:\nmain.main()\n\t/x/main.go:8 +0x1d", "handling 17 … panic: index out of range [5]", "Go"),
    ("up\nthread 'main' panicked at src/main.rs:4:5:\nlength is 3\nnote: run with `RUST_BACKTRACE=1`", "up … length is 3", "Rust, since 1.73"),
    ("up\nTypeError: x is undefined\n    at f (/srv/a.js:3:7)\n\nNode.js v20.1.0", "up … TypeError: x is undefined", "Node ends with its version"),
    ("exporting 18\njava.lang.OutOfMemoryError: Java heap space\n\tat a.B.run(B.java:1)", "exporting 18 … java.lang.OutOfMemoryError: Java heap space", "HotSpot"),
    ("no answer\njava.io.IOException: closed\n\tat a.B.c(B.java:1)\nCaused by: java.net.SocketException: reset\n\t... 3 more",
     "no answer … Caused by: java.net.SocketException: reset", "the cause stands last"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "expected", "why"), CASES)
def test_a_trace_is_told_by_what_was_thrown(message: str, expected: str, why: str) -> None:
    assert said(message) == expected, why
