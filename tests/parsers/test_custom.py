"""Own formats: columns by the names of groups, stamps, severities, rows that must not hang, and formats of other packages."""

import importlib.metadata
import pickle
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.parsers import detect
from retrolog.parsers.base import Event, Format
from retrolog.parsers.blocks import BlockParser
from retrolog.parsers.custom import OwnPattern, declared, own_format
from retrolog.parsers.detect import formats_with
from retrolog.parsers.grok import PatternError
from retrolog.parsers.timestamps import TimeContext
from retrolog.parsers.zones import named_zone

AT = 1_795_430_429_000_000  # 2026-11-23 10:40:29 UTC


def read(row: str, **declaration: Any) -> Event | None:
    form = own_format("own", **declaration)
    assert form.parse is not None
    return form.parse(row, TimeContext(zone=named_zone("UTC"), year=2026))  # type: ignore[arg-type]


def test_groups_become_columns_and_fields() -> None:
    event = read(
        "2026-11-23 10:40:29 BOOM shop[12] web-1 GET /a?b=1 502 17 0.250 r-9 tea late",
        pattern=r"(?P<time>\S+ \S+) (?P<level>\w+) (?P<service>\w+)\[(?P<pid>\d+)\] (?P<host>\S+) (?P<method>\S+) (?P<path>\S+) "
        r"(?P<status>\d+) (?P<bytes>\d+) (?P<duration>\S+) (?P<request_id>\S+) (?P<drink>\w+)",
        severity={"boom": "alert"},
    )
    assert event is not None
    assert (event.time, event.severity, event.service, event.pid, event.host) == (AT, "alert", "shop", 12, "web-1")
    assert (event.method, event.path, event.status, event.bytes) == ("GET", "/a?b=1", 502, 17)
    assert (event.duration, event.request_id, event.fields, event.message) == (0.25, "r-9", {"drink": "tea"}, "late")


@pytest.mark.parametrize(
    ("grok", "row", "expected"),
    [
        ("%{COMBINEDAPACHELOG}", '192.0.2.1 - - [23/Nov/2026:10:40:29 +0000] "GET /a HTTP/1.1" 502 - "-" "curl/8"',
         {"time": AT, "client": "192.0.2.1", "method": "GET", "path": "/a", "status": 502, "bytes": None,
          "fields": {"httpversion": "1.1", "user_agent": "curl/8"}}),
        ("%{SYSLOGLINE}", "Nov 23 10:40:29 web-1 shop[7]: up", {"time": AT, "host": "web-1", "service": "shop", "pid": 7, "message": "up"}),
        (r"%{HTTPDATE:timestamp} %{WORD:[http][request][method]} %{URIPATH:[url][original]} %{INT:[http][response][status_code]:int}",
         "23/Nov/2026:10:40:29 +0000 GET /a/b 404", {"time": AT, "method": "GET", "path": "/a/b", "status": 404}),
        (r"%{DATE_EU:date} %{TIME:time} %{LOGLEVEL:loglevel} %{INT:n:int} %{NUMBER:x:float} %{GREEDYDATA:msg}",
         "23.11.2026 10:40:29 Warning 5 2.5 hello there",
         {"time": AT, "severity": "warning", "message": "hello there", "fields": {"n": 5, "x": 2.5}}),
        (r"%{NUMBER:ts} (?<request>\S+ \S+ \S+) %{NUMBER:duration_ms}", "1795430429 PUT /x HTTP/1.1 1500",
         {"time": AT, "method": "PUT", "path": "/x", "duration": 1.5}),
    ],
)  # fmt: skip
def test_names_of_grok_and_ecs_are_known(grok: str, row: str, expected: dict[str, Any]) -> None:
    event = read(row, grok=grok)
    assert event is not None
    assert {name: getattr(event, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("time_format", "stamp", "expected"),
    [
        ("%d|%m|%Y %H-%M-%S", "23|11|2026 10-40-29", AT),
        ("%Y%j%H%M%S", "2026327104029", AT),
        ("%y.%m.%d %I.%M.%S.%f %p %z", "26.11.23 11.40.29.5 AM +0100", AT + 500_000),
        ("%d|%m|%Y", "31|02|2026", None),
    ],
)
def test_stamps_of_ones_own_form(time_format: str, stamp: str, expected: int | None) -> None:
    event = read(f"{stamp}; x", pattern="(?P<time>[^;]+); (?P<message>.*)", time_format=time_format)
    assert (event.time if event else None) == expected


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        ({"pattern": "(?P<a>x)", "grok": "x"}, "either"),
        ({}, "either"),
        ({"pattern": "x"}, "names no group"),
        ({"pattern": "(?P<a>x"}, "missing )"),
        ({"pattern": "(?P<a>x{2000})"}, "RE2 cannot"),
        ({"pattern": "(?P<a>x)", "severity": {"x": "loud"}}, "'loud' is no severity"),
        ({"pattern": "(?P<a>x)", "samples": ["x", "y"]}, "sample 2"),
        ({"pattern": "(?P<time>.*)", "samples": ["noon"]}, "no time that can be read"),
        ({"pattern": "(?P<time>.*)", "time_format": "%d %b"}, "no year"),
        ({"pattern": "(?P<time>.*)", "time_format": "%Y %Z"}, "depends on the machine"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused_in_a_sentence(declaration: dict[str, Any], said: str) -> None:
    with pytest.raises(PatternError, match=r".") as caught:
        own_format("own", **declaration)
    assert said in str(caught.value)


@pytest.mark.parametrize("pattern", [r"(?P<message>(a+)+)b", r"(?P<message>(a|a)*)b", r"(?P<message>(.*a){20})b"])
def test_no_row_makes_a_pattern_hang(pattern: str) -> None:
    begin = time.perf_counter()
    assert read("a" * 20_000, pattern=pattern) is None
    assert time.perf_counter() - begin < 5


def test_rows_matched_ahead_are_read_alike_and_a_format_travels() -> None:
    form = own_format("own", pattern=r"(?P<level>\w)!(?P<time>\d+)!", samples=["E!1795430429!x"])
    rows = b"E!1795430429!one\n  at x\nW!1795430430!two\nno event\n"
    for one in (form, pickle.loads(pickle.dumps(form))):
        whole = BlockParser(TimeContext(), formats=formats_with((one,)))
        events = [*whole.events(rows, 1, 0), *whole.last_event()]
        assert [(e.line, e.lines, e.format, e.severity, e.message) for e in events] == [
            (1, 2, "own", "error", "one\n  at x"),
            (3, 2, "own", "warning", "two\nno event"),
        ]
        split = BlockParser(TimeContext(), formats=formats_with((one,)))
        offset = 0
        parts = []
        for number, row in enumerate(rows.splitlines(keepends=True), 1):
            parts += split.events(row, number, offset)
            offset += len(row)
        assert [*parts, *split.last_event()] == events


def test_a_pattern_says_where_it_stops() -> None:
    form = own_format("own", grok=r"%{LOGLEVEL:level}: %{IP:client} %{TIMESTAMP_ISO8601:time}")
    assert isinstance(form.parse, OwnPattern)
    assert form.parse.stops("INFO: 192.0.2.1 now") == (16, "time")
    assert form.parse.stops("INFO! ") == (4, ":")
    assert form.parse.stops("2026") == (0, "level")
    assert form.parse.stops("INFO: 192.0.2.1 2026-13-41 10:00")[1] == "time"


def test_an_own_format_replaces_the_one_of_its_name_and_is_asked_first() -> None:
    own = own_format("nginx_error", pattern=r"(?P<time>\S+ \S+) \[(?P<level>\w+)\] (?P<message>.*)")
    formats = formats_with((own,))
    assert formats[0] is own
    assert [form.name for form in formats].count("nginx_error") == 1
    assert len(formats) == len(detect.registry())


class _Entry:
    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value, self._loads = name, f"pkg:{name}", value

    def load(self) -> Any:
        if isinstance(self._loads, Exception):
            raise self._loads
        return self._loads


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that declares formats is on the path."""
    (tmp_path / "pkg-1.dist-info").mkdir()
    (tmp_path / "pkg-1.dist-info" / "entry_points.txt").write_text("[retrolog.formats]\na = pkg:a\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("_installed")
def test_packages_add_formats_and_broken_ones_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    good, taken = (Format(name, "T", ("x", "y"), "r", parse=lambda text, context: None) for name in ("fine", "taken"))
    entries = [_Entry("a", (good, taken)), _Entry("b", ImportError("no module")), _Entry("c", 5), _Entry("d", good)]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: entries if group == "retrolog.formats" else [])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert declared({"taken"}) == [good]
    assert [str(warning.message).split(" (")[0] for warning in said] == [
        "the log format taken of pkg:a is left out: its name is taken",
        "the log format b",
        "the entry point c",
        "the log format fine of pkg:d is left out: its name is taken",
    ]


@pytest.mark.usefixtures("_installed")
def test_a_package_that_is_not_there_is_said() -> None:
    with pytest.warns(UserWarning, match=r"the log format a \(pkg:a\) cannot be loaded"):
        assert declared() == []


_FORM = own_format("own", grok=r"%{DATA:time}\|%{LOGLEVEL:level}?\|%{GREEDYDATA:message}")


@given(st.text(max_size=80))
def test_any_row_is_read_or_refused(row: str) -> None:
    assert _FORM.parse is not None
    for text in (row, f"2026-11-23 10:40:29|INFO|{row}", f"{row}||"):
        event = _FORM.parse(text, TimeContext())
        assert event is None or event.format == "own"
