"""Events lie in their file where they say: offset and size are its bytes, also where text was mended and blocks end amid an event."""

from __future__ import annotations

import gzip
import random
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrolog.pipeline.reading import ingest
from retrolog.pipeline.reading.ingest import Reader
from retrolog.pipeline.reading.lookup import DiscoveredLogs
from retrolog.pipeline.reading.reach import Stream
from retrolog.pipeline.reading.read import read_blocks
from retrolog.pipeline.reading.rules import Reading
from retrolog.pipeline.reading.sources import discover

STAMPED = (b"2026-11-23 10:%02d:%02d,%03d ERROR [main] com.example.Cart - could not save %d", b'10.0.0.1 - - [23/Nov/2026:10:%02d:%02d +0000] "GET /%d HTTP/1.1" 200 %d "-" "x"')
BROKEN = (b"", b"", b" caf\xe9", b"\xff\xfe\xfd", b" caf\xc3\xa9 \xe2\x82", b"\xf0\x9f\x98", b"\r", b" " + b"\0" * 20 + b"end", b"\0" * 20)
MORE = (b"    at com.example.Cart.save(Cart.java:7)", b"  caf\xe9 \xff", b"", b"Caused by: x\xff")


def dirty(rows: int, seed: int, share: float, kind: bytes) -> bytes:
    rng = random.Random(seed)
    out = []
    for n in range(rows):
        out.append(kind % (n // 60 % 60, n % 60, rng.randrange(1000), n) + (rng.choice(BROKEN) if rng.random() < share else b""))
        while rng.random() < share:
            out.append(rng.choice(MORE))
    return b"\n".join(out) + rng.choice((b"\n", b"", b"\xff\n", b"\xff"))


def check(path: Path, block_size: int, monkeypatch: pytest.MonkeyPatch, counting: bool = False) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(ingest, "read_blocks", partial(read_blocks, block_size=block_size))
        (file,) = discover([str(path)]).files
        tables = list(Reader(file, "source", Reading(undated=True), counting=counting).tables())
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = data.split(b"\n")
    events = [event for table in tables for event in table.select(["line", "lines", "offset", "size"]).to_pylist()]
    assert sum(event["lines"] for event in events) == len(lines) - (not lines[-1])
    for event in events:
        expected = b"\n".join(lines[event["line"] - 1 :][: event["lines"]])
        found = data[event["offset"] :][: event["size"]]
        blank = len(expected) - len(expected.lstrip(b"\0"))  # NULs that a crash leaves before a line are none of it
        assert found in (expected, expected[blank:]), event
    wanted = [(event["line"], event["offset"], event["size"]) for event in events]
    again = DiscoveredLogs(discover([str(path)])).lines(file.file, wanted)
    assert {line: text.count(b"\n") + 1 for line, text in again.items()} == {event["line"]: event["lines"] for event in events}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    rows=st.integers(80, 500), seed=st.integers(0, 1 << 20), share=st.sampled_from([0.05, 0.5]), kind=st.sampled_from(STAMPED),
    size=st.integers(4200, 40_000), counting=st.booleans(),
)  # fmt: skip
def test_an_event_is_exactly_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, seed: int, share: float, kind: bytes, size: int, counting: bool
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(dirty(rows, seed, share, kind))
    check(path, size, monkeypatch, counting)


def test_also_in_a_packed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(dirty(900, 3, 0.4, STAMPED[0])))
    check(path, 6000, monkeypatch)


def test_the_end_of_a_passed_block_keeps_where_its_text_was_mended(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    rows = [b"caf\xe9 \xff" * 3 + b" first", b"2026-11-23 10:00:00 caf\xe9 one", b"  \xff two", b"  three"]
    path.write_bytes(b"\n".join(rows) + b"\n")
    (file,) = discover([str(path)]).files
    (block,) = read_blocks(file)

    class Head:
        """Stands for the head of a file whose rows begin with a time where they begin with a digit."""

        @staticmethod
        def probe(row: bytes) -> int | None:
            return 0 if row[:1].isdigit() else None

    tail = Stream(Head(), Reading().wanted, iter([block]))._tail(block)  # type: ignore[arg-type]
    data = path.read_bytes()
    assert tail.line == 2
    assert data[tail.offset :].startswith(rows[1])
    at = tail.data.index(b"  three")
    assert data[tail.original(at) :] == b"  three\n"
