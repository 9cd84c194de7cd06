"""Reading by columns gives the table that reading row by row gives, for every format, dirt and way of cutting.

Bodies are made from the formats' own samples, repeated with changing digits until a kernel is worth its while; dirt is put
between: continuation lines, other formats, escapes, bytes that are no ASCII, empty and cut rows.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrolog.parsers import kernels
from retrolog.parsers.blocks import BlockParser, plan_for
from retrolog.parsers.detect import registry
from retrolog.parsers.tables import events_table
from retrolog.parsers.timestamps import TimeContext

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def context(data: bytes, zone: tzinfo = UTC) -> TimeContext:
    made = TimeContext(zone=zone, year=2026)
    plan_for(enumerate(data.split(b"\n"), 1), made)
    return made


def pieces(data: bytes, size: int) -> Iterator[tuple[bytes, int, int]]:
    line, at = 1, 0
    while at < len(data):
        end = data.find(b"\n", at + size) + 1 or len(data)
        yield data[at:end], line, at
        line += data.count(b"\n", at, end)
        at = end


def read(data: bytes, size: int, by_columns: bool, zone: tzinfo = UTC) -> tuple[pa.Table, BlockParser]:
    parser = BlockParser(context(data, zone))
    tables = [
        parser.feed(*piece) if by_columns else events_table(parser.events(*piece)) for piece in pieces(data, size)
    ]
    return pa.concat_tables([*tables, parser.finish()]), parser


def assert_same(data: bytes, size: int = 1 << 22, zone: tzinfo = UTC) -> BlockParser:
    expected, one_by_one = read(data, size, False, zone)
    found, by_columns = read(data, size, True, zone)
    for name in expected.column_names:
        assert found[name].to_pylist() == expected[name].to_pylist(), name
    assert by_columns.counts == one_by_one.counts
    assert by_columns.context.counts == one_by_one.context.counts
    assert sum(expected["lines"].to_pylist()) == data.count(b"\n")
    return by_columns


ACCESS = [
    '203.0.113.{n} - - [{clf}] "GET /item/{i}?page={n} HTTP/1.1" 200 {i} "-" "curl/8.{n}"',
    '2001:db8::{n} - alice [{clf}] "POST /cart HTTP/2.0" 502 157 "https://shop.example/" "Mozilla/5.0 (X11; {i})"',
]
TAILS = [a + ' rt=0.{i} urt="0.{n}" ust="200" upstream=10.0.0.{n}:80 rid={i}f2c' for a in ACCESS]
DECIMALS = [a + " 0.{i} 0.{n}" for a in ACCESS]
SYSLOG = [
    "{bsd} web-{n} sshd[{i}]: Accepted publickey for deploy from 10.0.0.{n} port {i}",
    "{bsd} web-{n} kernel: [{i}.000123] TCP: out of memory",
    "{bsd} db-1 app: ERROR upstream timeout; request {i}",
    "{bsd} db-1 worker: job={i} request_id=ab{i} done",
    "{bsd} fw : %ASA-6-302013: Built {i}",
    "{bsd} lb haproxy[{i}]: 10.0.0.{n}:5{i} [23/Nov/2026:10:00:00.000] web web/s{n} 0/0/1/2/3 200 12 - - ---- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\"",
    "{bsd} db-1 last message repeated {n} times",
]
ISO = ["{iso}+01:00 web-{n} app[{i}]: <{n}> started unit {i}", "{iso}+01:00 web-1 systemd[1]: Stopped target {i}."]
LOG4J = ["{day} {clock},{ms} INFO  [pool-{n}] com.example.App - order {i} placed", "{day} {clock},{ms} ERROR [main] com.example.Db - lost {i}"]
TEXT = ["{day} {clock}.{ms} something happened to {i}", "{day} {clock}.{ms} WARN queue {n} is long"]
POSTGRES = ["{day} {clock}.{ms} UTC [{i}] app@shop LOG:  duration: {n}.5 ms  statement: SELECT {i}", "{day} {clock}.{ms} UTC [{i}] app@shop ERROR:  deadlock detected"]
NGINX = ['{slashed} [error] {n}#{n}: *{i} connect() failed (111: Connection refused), client: 10.0.0.{n}, server: s, request: "GET /{i} HTTP/1.1"']
JSON = [
    '{{"timestamp":"{day}T{clock}.{ms}Z","level":"info","service":"shop","msg":"order {i} placed","order_id":{i}}}',
    '{{"timestamp":"{day}T{clock}.{ms}Z","level":"error","service":"shop","trace_id":"a{i}","msg":"failed","error":{{"type":"E","tries":{n}}}}}',
    '{{"timestamp":"{day}T{clock}.{ms}Z","level":"info","service":"shop","msg":"handled","method":"GET","path":"/p/{i}","status":200,"duration_ms":{n}.25}}',
]
SPACED = [
    '{{"order": {i}, "ratio": {n}.{n}5, "event": "order placed", "logger": "shop", "level": "info", "timestamp": "{day}T{clock}.{ms}Z"}}',
    '{{"ok": true, "none": null, "text": "say \\"{i}\\"", "event": "x", "level": "warning", "timestamp": "{day}T{clock}.{ms}Z", "tags": ["a", {n}]}}',
]
LOGFMT = ['ts={day}T{clock}.{ms}Z level=info msg="order placed" order={i} request_id=a{i}', "ts={day}T{clock}.{ms}Z level=warn msg=slow took={n}ms"]
BODIES = {
    "access": ACCESS, "access with pairs": TAILS, "access with decimals": DECIMALS, "syslog": SYSLOG, "syslog iso": ISO, "log4j": LOG4J,
    "text": TEXT, "postgres": POSTGRES, "nginx error": NGINX, "json": JSON, "spaced json": SPACED, "logfmt": LOGFMT,
}  # fmt: skip
TRACE = ["Traceback (most recent call last):", '  File "a.py", line 3, in run', "", "ValueError: bad 12:30 value", "com.example.Lost: gone"]
DIRT = [
    "", "   indented", "\tat com.example.Main(Main.java:12)", "plain words", "word 10:20 in it", "café ☕ 10:00:00",
    '10.0.0.1 - - [23/Nov/2026:10:40:29 +0100] "GET /a\\"b HTTP/1.1" 200 12 "-" "x"', '{"broken": ', "\x1b[31mred\x1b[0m",
    '10.0.0.4 - - [23/Nov/2026:10:40:29 +0100] "-" 408 0 "-" "-"', "Nov 23 10:00:00 host tag: other format", "2026-11-23 10:00:00",
    "level=info msg=x time=2026-11-23T10:00:00Z", "a\rb", "crlf\r", "[23/Nov/2026:10:40:29 +0100]", '{"time":"2026-11-23T10:00:00Z","msg":"x"}',
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "2026-11-23 10:40:29,123 INFO", "x" * 3000,
]  # fmt: skip


def rows(templates: list[str], count: int, rng: random.Random) -> list[str]:
    out, now = [], START
    for _ in range(count):
        now += timedelta(microseconds=rng.randrange(3_000_000))
        out.append(
            rng.choice(templates).format(
                n=rng.randrange(1, 250), i=rng.randrange(10**rng.randrange(1, 6)), ms=f"{now.microsecond // 1000:03}",
                clf=now.strftime("%d/%b/%Y:%H:%M:%S +0000"), bsd=f"{now:%b} {now.day:2} {now:%H:%M:%S}", iso=now.strftime("%Y-%m-%dT%H:%M:%S.%f"),
                day=f"{now:%Y-%m-%d}", clock=f"{now:%H:%M:%S}", slashed=f"{now:%Y/%m/%d %H:%M:%S}",
            )
        )  # fmt: skip
    return out


def body(lines: list[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


@pytest.mark.parametrize("name", BODIES)
def test_clean_rows(name: str) -> None:
    data = body(rows(BODIES[name], 3000, random.Random(name)))
    for size in (1 << 22, 1 << 16):
        assert_same(data, size)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("share", [0.002, 0.05, 0.4])
def test_dirty_rows(name: str, share: float) -> None:
    rng = random.Random(name + str(share))
    lines: list[str] = []
    for row in rows(BODIES[name], 2500, rng):
        lines.append(row)
        if rng.random() < share:
            lines += rng.choice([TRACE, [rng.choice(DIRT)], [row[: rng.randrange(len(row))]], [row + " "], [row + "\r"]])
    assert_same(body(lines), 1 << 17)


@pytest.mark.parametrize("name", ["log4j", "text", "syslog", "access", "json"])
def test_files_of_traces(name: str) -> None:
    rng = random.Random(name)
    lines = [line for row in rows(BODIES[name], 800, rng) for line in (row, *TRACE[: rng.randrange(6)])]
    assert_same(body(lines), 1 << 16)


SAMPLES = [(form.name, sample) for form in registry() for sample in form.samples]


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_every_sample_repeated(name: str, sample: str) -> None:
    rng = random.Random(sample)
    lines = [
        re.sub(r"(?<![\d:./-])\d(?![\d:./-])", lambda _: str(rng.randrange(10)), sample) if rng.random() < 0.8 else sample
        for _ in range(max(150, 20_000 // len(sample)))
    ]
    assert_same(body(lines))


@pytest.mark.parametrize("templates", [SYSLOG, TEXT], ids=["syslog", "text"])
def test_the_hour_that_happens_twice(templates: list[str]) -> None:
    lines = []
    for hour in (1, 2, 2, 3):
        for minute in range(60):
            lines += [
                t.format(n=1, i=minute, ms="000", bsd=f"Oct 25 {hour:02}:{minute:02}:00", day="2026-10-25", clock=f"{hour:02}:{minute:02}:00")
                for t in templates
            ]
    assert_same(body(lines), 1 << 15, ZoneInfo("Europe/Berlin"))


def test_a_new_year_in_a_file_without_years() -> None:
    lines = [f"Dec 31 23:{m // 10:02}:{m % 10:02} h app[{m}]: late {m}" for m in range(590)]
    lines += [f"Jan  1 00:{m // 10:02}:{m % 10:02} h app[{m}]: early {m}" for m in range(590)]
    assert_same(body(lines), 1 << 15)


def test_kernels_are_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this, all tests above could pass because every row goes the long way."""
    for name in ("access", "access with pairs", "access with decimals", "syslog", "syslog iso", "log4j", "text", "postgres", "json"):
        data = body(rows(BODIES[name], 3000, random.Random(name)))
        long_way = 0
        real = BlockParser.events

        def counted(self: BlockParser, data: bytes, line: int, offset: int, real=real) -> list[object]:  # type: ignore[no-untyped-def]
            nonlocal long_way
            long_way += data.count(b"\n")
            return real(self, data, line, offset)

        monkeypatch.setattr(BlockParser, "events", counted)
        read(data, 1 << 22, True)
        monkeypatch.setattr(BlockParser, "events", real)
        assert long_way < 1400, name
    assert kernels.SMALL < 1 << 16


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    name=st.sampled_from(sorted(BODIES)), seed=st.integers(0, 1 << 30), size=st.sampled_from([1 << 14, 1 << 15, 1 << 18]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["cut", "double", "quote", "byte", "drop"])), max_size=30),
)  # fmt: skip
def test_any_damage(name: str, seed: int, size: int, edits: list[tuple[float, str]]) -> None:
    rng = random.Random(seed)
    data = bytearray(body(rows(BODIES[name], 600, rng)))
    for place, kind in edits:
        at = int(place * (len(data) - 1))
        if kind == "cut":
            data[at:at] = b"\n"
        elif kind == "double":
            data[at:at] = data[at : at + 50]
        elif kind == "quote":
            data[at] = 34
        elif kind == "byte":
            data[at] = rng.choice(b" \t\r\"\\[]{}:=,%\x1b-09")
        else:
            del data[at : at + rng.randrange(40)]
    assert_same(bytes(data) if data.endswith(b"\n") else bytes(data) + b"\n", size)
