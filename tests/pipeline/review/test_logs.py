"""The lines around a moment: on one clock, searched, folded, masked as in the document, quoted with their digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from retrolog.pipeline.drafting.document import parse
from retrolog.pipeline.finishing.verify import verify
from retrolog.pipeline.reading.lookup import DiscoveredLogs
from retrolog.pipeline.review.logs import ROWS, EventLog, Filter, NoLogs, asked
from retrolog.pipeline.review.sheet import Sheet, sheet


@pytest.fixture(scope="module")
def page(drafted: str) -> Sheet:
    return sheet(drafted)


@pytest.fixture(scope="module")
def log(drafted: str, page: Sheet, tmp_path_factory: pytest.TempPathFactory) -> EventLog:
    return EventLog(asked(parse(drafted), tmp_path_factory.mktemp("none")), page, drafted)


def test_rows_are_in_order_of_time_around_the_moment(log: EventLog, page: Sheet) -> None:
    moment = page.items[1].moment
    view = log.view(page.clock, Filter(gist=False), moment=moment)
    times = [row.moment for row in view.rows]
    assert times == sorted(times)
    assert len(times) == ROWS
    assert times[0] < (moment or 0) < times[-1]
    assert {row.source for row in view.rows} == {"nginx/access.log", "syslog"}


def test_the_gist_folds_requests_that_were_answered_and_lines_of_a_kind(log: EventLog, page: Sheet) -> None:
    every = log.view(page.clock, Filter(gist=False), moment=None)
    gist = log.view(page.clock, Filter(), moment=None)
    assert gist.total < every.total / 20
    assert not [row for row in gist.rows if row.status == 200]
    assert max(row.same for row in gist.rows) > 1


def test_lines_that_the_document_quotes_are_never_folded_away(log: EventLog, page: Sheet) -> None:
    cited = {(one.file, one.line): number for number, one in page.evidence.items()}
    shown = set()
    first, total = 0, 1
    while first < total:
        view = log.view(page.clock, Filter(), first=first, cited=cited)
        shown |= {row.cited for row in view.rows}
        total, first = view.total, first + ROWS
    assert set(page.evidence) <= shown


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(text="ROLLING back"), 1),
        (Filter(text="requested by person-1", gist=False), 2),
        (Filter(text="[x](javascript"), 1),
        (Filter(text=".*"), 0),
        (Filter(source="syslog", gist=False), 7),
        (Filter(service="deploy", gist=False), 2),
        (Filter(source="none"), 0),
        (Filter(level="error", source="nginx/access.log", text="/item/7", gist=False), None),
        (Filter(level="nonsense", source="syslog", gist=False), 7),
    ],
)
def test_search_and_filters(log: EventLog, page: Sheet, chosen: Filter, expected: int | None) -> None:
    view = log.view(page.clock, chosen)
    if expected is None:
        assert view.total > 50
        assert {row.status for row in view.rows} == {500}
    else:
        assert view.total == expected


def test_people_are_masked_as_in_the_document(log: EventLog, page: Sheet, drafted: str) -> None:
    assert "person-1" in drafted
    rows = log.view(page.clock, Filter(source="syslog", gist=False)).rows
    assert not [row for row in rows if "marina" in row.message or "marina" in row.service]
    assert [row for row in rows if row.message.endswith("requested by person-1")]


def test_a_quoted_line_verifies(log: EventLog, logs: Path, drafted: str) -> None:
    from retrolog.pipeline.reading.sources import discover
    from retrolog.pipeline.review import edits

    item, row = log.quote("syslog", 2)
    raw = (logs / "syslog").read_bytes().split(b"\n")[1]
    assert item.digest == hashlib.sha256(raw).hexdigest()[:16]
    assert (logs / "syslog").read_bytes()[item.offset : item.offset + item.size] == raw
    assert "marina" not in item.text
    text = edits.promote(drafted, time=row.time, label="", words=edits.spoken(row), evidence=item)
    assert {verdict.status for verdict in verify(text, DiscoveredLogs(discover([str(logs)])))} == {
        "confirmed"
    }


@pytest.mark.parametrize(
    ("file", "line"), [("syslog", 0), ("syslog", 10**9), ("../etc/passwd", 1), ("/etc/passwd", 1), ("", -1)]
)
def test_only_lines_of_these_logs_are_quoted(log: EventLog, file: str, line: int) -> None:
    with pytest.raises(NoLogs):
        log.quote(file, line)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "cat x",
        "retrolog render x",
        "retrolog draft",
        "retrolog draft 'unclosed",
        "retrolog draft https://x.example/logs",
        "retrolog draft -",
        "retrolog draft gone --nonsense",
    ],
)
def test_a_document_names_only_logs_that_are_here(command: str, tmp_path: Path) -> None:
    document = parse(f'---\nretrolog: {{version: 1}}\ncommand: "{command}"\n---\n')
    with pytest.raises(NoLogs, match="--logs"):
        asked(document, tmp_path)


def test_a_relative_path_is_looked_for_beside_the_document(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    document = parse(
        "---\nretrolog: {version: 1}\ncommand: retrolog draft logs --tz Europe/Berlin --year 2025 --no-mask\n---\n"
    )
    question = asked(document, tmp_path)
    assert question.paths == (str(tmp_path / "logs"),)
    assert (question.options.zone_name, question.options.zone_given, question.options.year) == (
        "Europe/Berlin",
        True,
        2025,
    )
    assert not question.mask


def test_clocks_that_are_ahead_are_set_right(
    log: EventLog, page: Sheet, drafted: str, tmp_path: Path
) -> None:
    ahead = drafted.replace("{file: syslog,", "{file: syslog, clock_offset_s: 2.5,", 1)
    assert ahead != drafted
    other = EventLog(asked(parse(ahead), tmp_path), page, ahead)
    moments = [
        {row.line: row.moment for row in one.view(page.clock, Filter(source="syslog", gist=False)).rows}
        for one in (log, other)
    ]
    assert {moments[0][line] - moments[1][line] for line in moments[0]} == {2_500_000}
