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

from retrolog.parsers.blocks import BlockParser, plan_for
from retrolog.parsers.detect import registry
from retrolog.parsers.kernels import by_columns
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
INGRESS = [a + " {i} 0.{i} [shop-web-80] [] 10.0.0.{n}:8080 {i} 0.{n} 200 {i}f2c" for a in ACCESS]
INGRESS_ODD = [
    *INGRESS, *(a + t for a in ACCESS[:1] for t in (
        " {i} 0.{i} [] [x] - - - - a{i}", " {i} 0.00{i} [a-b-80] [] 10.0.0.{n}:80, 10.0.0.2:80 0, {i} 0.1, 0.2 502, 200 {i}f", " {i} 0.5 [upstream-default-backend] [] 10.0.0.1:80 5 0.5 503",
        " {i} 0.{i} [a b] [] 10.0.0.{n}:8080 {i} 0.{n} 200 -", " {i} 1 [a] [] 10.0.0.1:80 5 0.5 503 x{i}",
    )),
]
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
_PROXIED = '10.0.0.{n}:5{i} [23/Nov/2026:10:00:00.000] '
HAPROXY = [
    "{bsd} lb haproxy[81{d}]: " + _PROXIED + 'https~ web/s{n} 0/0/1/2/{n} 200 {i} - - ---- 1/1/0/0/0 0/0 "GET /p/{i} HTTP/1.1"',
    "<134>{bsd} lb haproxy[81{d}]: " + _PROXIED + 'web web/<NOSRV> -1/-1/-1/-1/+{n} 503 +{i} - - SC-- 1/1/0/0/0 0/0 {{agent|x}} "POST /cart HTTP/2.0"',
    "{bsd} lb haproxy[81{d}]: Server web/s{n} is DOWN, reason: Layer4 timeout, check duration: {i}ms.",
    "{bsd} lb haproxy[81{d}]: 2001:db8::{n}f:5{i} [23/Nov/2026:10:00:00.000] web web/s{n} 0/0/1/2/-1 -1 0 - - CR-- 1/1/0/0/0 0/0 \"GET /abs/{i} HTTP/1.1\"",
]
HAPROXY_ODD = [
    *HAPROXY, "{bsd} lb haproxy[81{d}]: " + _PROXIED + 'web web/<NOSRV> -1/-1/-1/-1/{n} 400 {i} - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"',
    "{bsd} lb haproxy[81{d}]: " + _PROXIED + "fnt bck/srv1 0/0/5007 {i} -- 0/0/0/0/3 0/0", "{bsd} lb haproxy: " + _PROXIED + "web/1: SSL handshake failure",
    "{bsd} lb haproxy[81{d}]: " + _PROXIED + 'w w/s 0/0/1/2/3 200 12 - - ---- 1/1/0/0/0 0/0 "GET http://a/{i} HTTP/1.1"', "{bsd} lb haproxy[81{d}]: rid=abc{i} x",
    "{iso}+01:00 lb haproxy[81{d}]: " + _PROXIED + 'web web/s{n} 0/0/1/2/3 200 12 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"', "{bsd} web-1 haproxy-exporter[{i}]: up {i}",
]
RFC5424 = [
    '<13{d}>1 {day}T{clock}.{ms}Z web-{n} app {i} ID{n} [origin@32473 ip="10.0.0.{n}" x="a=b {{,"][meta id="{i}"] order {i} placed',
    "<34>1 {day}T{clock}.{ms}{n}Z web-1 su - - - failed for user{i} rid=ab{i}c",
    '<165>1 {day}T{clock}+01:00 - evnt - - [a][b c=""]',
    '<165>1 {day}T{clock}Z h app x{n} - [a k="1" k="2"] twice', '<165>1 {day}T{clock}Z h app 1 - [a k="say \\"{i}\\""] escaped',
    '<13>1 {day}T{clock}Z lb haproxy {i} - - 10.0.0.{n}:5{i} [23/Nov/2026:10:00:00.000] web web/s{n} 0/0/1/2/3 200 12 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"',
]
NGINX = ['{slashed} [error] {n}#{n}: *{i} connect() failed (111: Connection refused), client: 10.0.0.{n}, server: s, request: "GET /{i} HTTP/1.1"',
    '{slashed} [warn] {n}#{n}: *{i} upstream timed out, client: 10.0.0.{n}, server: , request: "POST /cart?id={i} HTTP/2.0", upstream: "http://10.0.0.{n}:80/", host: "shop.example", referrer: "https://shop.example/{i}"',
    '{slashed} [notice] {n}#{n}: signal {n} (SIGCHLD) received from {i}', '{slashed} [emerg] bind() failed, host: odd, client: 10.0.0.{n}',
    '{slashed} [error] {n}#{n}: *{i} FastCGI sent in stderr: "PHP message: x, client: {n}", client: 10.0.0.{n}, server: s, request: "GET / HTTP/1.1", subrequest: "/auth", upstream: "fastcgi://unix:/run/x:", host: "-"',
    '{slashed} [info] {n}#{n}: *{i} client closed, client: unix:, server: s, request: "PRI * HTTP/2.0"', "{slashed} [odd] {n}#{n}: *{i} x rid=ab{i}cd",
]
KLOG = [
    'I{dense} {clock}.{ms}{ms}       1 reflector.go:{i}] "Synced" pod="shop/{i}" err="{n}"', "W{dense} {clock}.{ms}{ms} {i} server.go:{n}] http: TLS handshake error from 10.0.0.{n}:{i}: EOF",
    "E{dense} {clock}.{ms}{ms}    {n} controller.go:114] request_id=ab{i} failed ",
]
KLOG_ODD = [
    *KLOG, "I20261123 {clock}.{ms}{ms} {n} main.cc:{n}] started {i}", "F{dense} {clock}.{ms}Z {n} a.go:1]no space {i}", 'I{dense} {clock} {n} "a\\b".go:1] x', "I1323 {clock}.{ms} 1 a.go:1] no month", "I{dense} {clock}.{ms}{ms} 1 a.go:1] ",
    "X{dense} {clock}.{ms} 1 a.go:1] no level",
]
JSON = [
    '{{"timestamp":"{day}T{clock}.{ms}Z","level":"info","service":"shop","msg":"order {i} placed","order_id":{i}}}',
    '{{"timestamp":"{day}T{clock}.{ms}Z","level":"error","service":"shop","trace_id":"a{i}","msg":"failed","error":{{"type":"E","tries":{n}}}}}',
    '{{"timestamp":"{day}T{clock}.{ms}Z","level":"info","service":"shop","msg":"handled","method":"GET","path":"/p/{i}","status":200,"duration_ms":{n}.25}}',
]
SPACED = [
    '{{"order": {i}, "ratio": {n}.{n}5, "event": "order placed", "logger": "shop", "level": "info", "timestamp": "{day}T{clock}.{ms}Z"}}',
    '{{"ok": true, "none": null, "text": "say \\"{i}\\"", "event": "x", "level": "warning", "timestamp": "{day}T{clock}.{ms}Z", "tags": ["a", {n}]}}',
]
ESCAPED = [
    '{{"time":"{day}T{clock}.{ms}Z","level":"info","logger":"shop","msg":"say \\"{i}\\" to C:\\\\dir\\n","note":"a\\tb \\"{n}\\""}}',
    '{{"time":"{day}T{clock}.{ms}Z","level":"warn","logger":"shop","msg":"caf\\u00e9 {i}","user":"\\u003c{n}\\u003e"}}',
    '{{"time":"{day}T{clock}.{ms}Z","level":"warn","logger":"s\\/p","msg":"path\\/{i} \\u002f\\u0022 ends in \\\\","tries":{n}}}',
]
REQUESTS = [
    '{{"time":"{day}T{clock}.{ms}+01:00","client_ip":"10.0.0.{n}","method":"GET","uri":"/p/{i}?a={n}","status":20{d},"bytes":{i},"latency_ms":0.{n}5,"ua":"x/{n}"}}',
    '{{"time":"{day}T{clock}.{ms}+01:00","client_ip":"10.0.0.{n}:4{n}","method":"POST","uri":"https://shop.example/p/{i}","status":502,"bytes":{i},"latency_ms":{i},"ua":""}}',
]
EPOCHS = [
    '{{"level":"info","ts":{epoch}.{ms}{n},"logger":"api","msg":"request_id=ab{i}c done","n":{i}}}',
    '{{"level":"error","ts":{epoch}.{ms}{n},"logger":"api","msg":"path=/x status=500 {i}","n":0{n}}}',
    '{{"level":"info","ts":{epoch},"logger":"api","msg":"plain","v":-{n}.5,"w":{n}e3}}',
]
MILLIS = ['{{"level":{d}0,"time":{epoch}{ms},"pid":{n},"hostname":"web-{n}","msg":"listening on {i}"}}', '{{"level":50,"time":{epoch}{ms},"pid":{n},"hostname":"web-1","msg":"lost","err":{{"type":"E","stack":"a\\nb {i}"}}}}']
NESTED = [
    '{{"time":"{day}T{clock}.{ms}Z","level":"info","msg":"request","http":{{"request":{{"method":"GET"}},"response":{{"status_code":20{d}}}}},"url":{{"path":"/p/{i}"}},"client":{{"ip":"10.0.0.{n}"}},"duration_ms":{n}}}',
    '{{"@timestamp":"{day}T{clock}.{ms}Z","log":{{"level":"warn","logger":"shop"}},"message":"order {i} waits","host":{{"name":"web-{d}","hostname":"web-{d}"}},"labels":{{"a":"x{n}","deep":{{"b":[{{"c":{n}}}],"d":{{}}}}}},"process":{{"pid":{i}}}}}',
    '{{"time":"{day}T{clock}.{ms}Z","log":{{"level":"error"}},"msg":"answered","response":{{"status":50{d},"body_bytes":{i}}},"request":{{"method":"POST","uri":"/cart/{i}?x={n}","remote_addr":"10.0.0.{n}"}}}}',
]
NESTED_ODD = [
    *NESTED, '{{"time":"{day}T{clock}.{ms}Z","msg":"camel","statusCode":{d}0{d},"requestMethod":"GET","requestPath":"/a/{i}"}}',
    '{{"time": "{day}T{clock}.{ms}Z", "msg": "spaced", "http": {{"status_code": 20{d}, "method": "GET"}}, "path": "/p/{i}", "tags": {{"a": {n}}}}}',
    '{{"time":"{day}T{clock}.{ms}Z","msg":"twice","http":{{"method":"GET","method":"PUT"}},"http.method":"POST","path":"/{i}","status":200}}',
    '{{"time":"{day}T{clock}.{ms}Z","msg":"say \\"{i}\\"","res":{{"statusCode":20{d},"text":"a\\"b"}},"req":{{"method":"GET","url":"https://a/b{i}"}},"size":{n}}}',
]
LOGFMT = [
    'ts={day}T{clock}.{ms}Z level=info msg="order placed" order={i} request_id=a{i}', "ts={day}T{clock}.{ms}Z level=warn msg=slow took={n}ms",
    'ts={day}T{clock}.{ms}Z level=info msg="a = b and rid=ab{i}" caller=main.go:{n} empty= quoted=""',
    "ts={day}T{clock}.{ms}Z level=info method=GET path=/p/{i} status=20{d} duration_ms={n} bytes={i} remote=10.0.0.{n}:5{n}",
    'ts={day}T{clock}.{ms}Z level=error msg="say \\"{i}\\"" bare  spaced=1 x="y"z',
]


SAID = [  # requests told in messages, and what looks like them
    '{day} {clock},{ms} INFO [http] shop.api - "POST /basket/{i}?x={n}" 50{d} {n}.{i}ms', "{day} {clock},{ms} INFO [http] shop.api - GET /basket/{i} -> 20{d} in {n} ms",
    "{day} {clock},{ms} WARN [http] shop.api - GET /basket/{i} 20{d}", "{day} {clock},{ms} INFO [http] shop.api - waited {n} ms for GET /x 200 1ms",
    '{{"time":"{day}T{clock}.{ms}Z","level":"info","msg":"GET /p/{i} 50{d} {n}ms","n":{n}}}', '{{"time":"{day}T{clock}.{ms}Z","level":"info","msg":"\\"PUT /p/{i}\\" 50{d}","request_id":"ab{i}"}}',
    'ts={day}T{clock}.{ms}Z level=info msg="GET /p/{i} 20{d} {n}us"', "{bsd} web-1 shop[{i}]: [20{d}] GET /p/{i} (0.{n}s) request_id=abc{i}", '{bsd} web-1 shop[{i}]: shop: "GET /p/{i} HTTP/1.1" 200 {i} {n} ms',
]


def in_cri(templates: list[str]) -> list[str]:
    """The rows as containerd writes them; trailing zeros of the fraction are left out, as Go does."""
    return [f"{{day}}T{{clock}}.{fraction}Z {stream} F {row}" for row in templates for fraction, stream in (("{ms}{ms}{ms}", "stdout"), ("{ms}1", "stderr"))]


def in_docker(templates: list[str]) -> list[str]:
    """The rows as docker's `json-file` has them."""
    rows = [row.replace("\\", "\\\\").replace('"', '\\"') for row in templates]
    return [
        f'{{{{"log":"{row}\\n","stream":"{stream}","time":"{{day}}T{{clock}}.{fraction}Z"}}}}'
        for row in rows for fraction, stream in (("{ms}{ms}{ms}", "stdout"), ("{ms}1", "stderr"))
    ]  # fmt: skip


INSIDE = {
    "access": TAILS, "ingress": INGRESS, "json": JSON, "log4j": LOG4J, "text": [*TEXT, "{day} {clock} note rid=ab{i}c for {n}"], "logfmt": LOGFMT[:3], "nginx": NGINX[:3], "syslog": SYSLOG[:3], "klog": KLOG, "said": SAID[:4],
    "mixed": [*ACCESS, *JSON, "plain words {i}", "   indented {i}", "Traceback (most recent call last):", "ValueError: {i}", "Caused by: x {n}", "", "\\tat com.example.Main"],
    "streams": ['{{"time":"{day}T{clock}Z","level":"info","msg":"m{i}","stream":"own"}}', 'level=info ts={day}T{clock}Z msg=x stream=own', '{{"time":"{day}T{clock}Z","level":"info","msg":"m{i}","x":"\\u00e9\\u001b"}}'],
}  # fmt: skip
WRAPPED = {f"cri {name}": in_cri(rows) for name, rows in INSIDE.items()} | {f"docker {name}": in_docker(rows) for name, rows in INSIDE.items()}
WRAPPED |= {f"compose {name}": [f"{who} | {row}" for row in rows for who in ("api-1   ", "worker_{d}")] for name, rows in INSIDE.items()}
WRAPPED |= {f"kubectl {name}": [f"[pod/shop-{{d}}d4/{who}] {row}" for row in rows for who in ("app", "side-car")] for name, rows in INSIDE.items()}
WRAPPED["cri parts"] = [*in_cri(ACCESS), "{day}T{clock}.{ms}Z stdout P {i} begins ", "{day}T{clock}.{ms}Z stdout F", "{day}T{clock}.{ms}Z stderr F:x tagged {i}"]
WRAPPED["docker parts"] = [
    *in_docker(ACCESS), '{{"log":"{i} begins","stream":"stdout","time":"{day}T{clock}.{ms}Z"}}', '{{"log":"a\\nb {i}\\n","stream":"stdout","time":"{day}T{clock}.{ms}Z"}}',
    '{{"log":"cr\\r\\n","stream":"stdout","time":"{day}T{clock}.{ms}Z"}}', '{{"log":"x\\n","stream":"stdout","attrs":{{"tag":"a"}},"time":"{day}T{clock}.{ms}Z"}}',
]
BODIES = {
    "access": ACCESS, "access with pairs": TAILS, "access with decimals": DECIMALS, "ingress": INGRESS, "odd ingress": INGRESS_ODD, "syslog": SYSLOG, "syslog iso": ISO, "log4j": LOG4J,
    "text": TEXT, "postgres": POSTGRES, "nginx error": NGINX, "rfc 5424": RFC5424, "klog": KLOG, "odd klog": KLOG_ODD, "haproxy": HAPROXY, "odd haproxy": HAPROXY_ODD, "json": JSON, "spaced json": SPACED, "escaped json": ESCAPED, "json requests": REQUESTS, "json epochs": EPOCHS, "json millis": MILLIS, "nested json": NESTED, "odd nested json": NESTED_ODD, "logfmt": LOGFMT, "plain logfmt": LOGFMT[:3],
    "said in text": SAID[:4], "said in json": SAID[4:6], "said in logfmt": SAID[6:7], "said in syslog": SAID[7:],
    "plain nginx error": NGINX[:3], "plain rfc 5424": RFC5424[:3], **WRAPPED,
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
                day=f"{now:%Y-%m-%d}", clock=f"{now:%H:%M:%S}", slashed=f"{now:%Y/%m/%d %H:%M:%S}", dense=f"{now:%m%d}",
                epoch=int(now.timestamp()), d=rng.randrange(1, 7),
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
    for name in ("access", "access with pairs", "access with decimals", "syslog", "syslog iso", "log4j", "text", "postgres", "json", "escaped json", "json millis", "nested json", "plain logfmt", "plain nginx error", "plain rfc 5424", "haproxy", "klog", "cri klog", "ingress", "compose json", "kubectl access", "cri access", "cri json", "docker access", "docker log4j"):
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
    assert by_columns.SMALL < 1 << 16


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


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("limit", [4 << 20, 900])
def test_traces_behind_rows_that_a_kernel_leaves_to_the_format(end: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrolog.parsers.rowwise.MESSAGE_LIMIT", limit)
    trace = ["Traceback (most recent call last):", '  File "/srv/a.py", line 3, in run', "    go()", "", "ValueError: caf\u00e9", "\tat end"]
    heads = [
        'ts=2026-11-23T10:{m:02}:{s:02}Z level=error msg="failed \\"{n}\\"" exception="Traceback:\\n  line {n}" method=GET path=/p/{n}',
        "2026-11-23 10:{m:02}:{s:02},117 ERROR [shop] failed method=GET path=/p/{n} request_id=8acd{n:08}",
    ]
    for head in heads:
        rows = []
        for n in range(600):
            rows.append(head.format(n=n, m=n // 60, s=n % 60))
            rows += (trace * (n % 4))[: n % 17]
        read_by_columns = assert_same((end.join(rows) + end).encode())
        assert read_by_columns.counts["events"] == 600
