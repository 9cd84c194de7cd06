"""What the page answers, and to whom."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from retrolog.pipeline.drafting.document import digest, parse
from retrolog.pipeline.drafting.merge import merge
from retrolog.pipeline.review import security
from retrolog.pipeline.review.app import ASSETS, create_app
from retrolog.pipeline.review.security import COOKIE, Guard
from retrolog.pipeline.review.sheet import sheet
from retrolog.pipeline.review.store import Store

from .conftest import HOSTILE, Page, in_editor, opened


@pytest.fixture
def stranger(document: Path) -> Page:
    """A browser that has not entered."""
    guard = Guard(port=8123)
    store = Store(document)
    return Page(create_app(store, guard).test_client(), guard, store)


def test_the_link_works_once_and_gives_a_cookie_that_only_this_page_gets(stranger: Page) -> None:
    assert stranger.get("").status_code == 403
    answer = stranger.get("enter", token=stranger.guard.token)
    assert answer.status_code == 200
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"Path=/{stranger.guard.room}/" in cookie
    assert stranger.guard.token not in answer.text
    assert stranger.get("").status_code == 200
    assert stranger.get("enter", token=stranger.guard.token).status_code == 403


@pytest.mark.parametrize("token", ["", "x", "\u00e9", None])
def test_a_wrong_token_opens_nothing(stranger: Page, token: str | None) -> None:
    answer = stranger.get("enter", **({} if token is None else {"token": token}))
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert not stranger.guard.used, "a wrong guess does not use the link up"


@pytest.mark.parametrize("path", ["", "state", "log", "figure", "line?file=syslog&line=1", "asset/review.js"])
def test_without_the_cookie_nothing_is_shown(stranger: Page, path: str) -> None:
    answer = stranger.client.get(stranger.path(path))
    assert answer.status_code == 403
    assert "postmortem" not in answer.text.lower()


def test_another_cookie_is_no_cookie(stranger: Page) -> None:
    stranger.client.set_cookie(COOKIE, "x" * 32, domain="127.0.0.1", path="/")
    assert stranger.get("").status_code == 403


def test_another_room_is_no_room(page: Page) -> None:
    assert page.client.get(f"{page.origin}/elsewhere/").status_code in (403, 404)
    assert page.client.get(f"{page.origin}/").status_code in (403, 404)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:8123", "[::1]:8123"]
)
def test_another_host_name_is_refused(page: Page, host: str) -> None:
    answer = page.client.get(page.path(""), headers={"Host": host})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example", "X-Retrolog": "1"},
        {"Origin": "null", "X-Retrolog": "1"},
        {"Origin": "http://127.0.0.1:9999", "X-Retrolog": "1"},
        {"Origin": "https://127.0.0.1:8123", "X-Retrolog": "1"},
        {"Origin": "http://127.0.0.1:8123"},
        {"X-Retrolog": "1"},
        {"Origin": "http://127.0.0.1:8123", "X-Retrolog": "1", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:8123", "X-Retrolog": "1", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_changes_come_from_the_page_itself_only(page: Page, headers: dict[str, str]) -> None:
    before = page.store.read()
    answer = page.client.post(
        page.path("edit"), json={"op": "status", "args": {"status": "final"}}, headers=headers
    )
    assert answer.status_code == 403
    assert page.store.read() == before


def test_a_form_of_another_site_changes_nothing(page: Page) -> None:
    headers = {"Origin": page.origin, "X-Retrolog": "1"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        body = '{"op": "status", "args": {"status": "final"}}'
        assert (
            page.client.post(page.path("edit"), data=body, content_type=kind, headers=headers).status_code
            == 403
        )


@pytest.mark.parametrize(
    "name",
    [
        "../pyproject.toml",
        "..%2f..%2fpyproject.toml",
        "%2e%2e/report.css",
        "page.html.j2",
        "",
        "review.css/",
        "/etc/passwd",
        "C:\\x",
    ],
)
def test_only_the_pages_own_files_are_served(page: Page, name: str) -> None:
    answer = page.client.get(page.path(f"asset/{name}"))
    assert answer.status_code in (403, 404), "nothing outside the list is reachable"


def test_every_file_of_the_page_is_served_with_its_kind(page: Page) -> None:
    text = page.get("").text
    assert {"shared.css", "review.css", "review.js"} <= set(re.findall(r'"asset/([^"]+)"', text)) <= ASSETS.keys()
    for name in ASSETS:
        answer = page.get(f"asset/{name}")
        assert answer.status_code == 200
        assert answer.mimetype == {"css": "text/css", "js": "text/javascript"}[name.split(".")[-1]]


def test_every_answer_carries_the_policy(page: Page, stranger: Page) -> None:
    for answer in (
        page.get(""),
        page.get("state"),
        page.get("asset/none"),
        page.client.get(f"{page.origin}/x"),
        stranger.get(""),
    ):
        for name, value in security.HEADERS.items():
            assert answer.headers[name] == value
    assert "unsafe" not in security.POLICY
    assert "*" not in security.POLICY


def test_the_page_holds_no_inline_script_style_or_handler_and_nothing_from_elsewhere(page: Page) -> None:
    text = page.get("").text
    assert not re.search(r"<script(?![^>]* src=\"asset/)", text)
    assert "<style" not in text
    assert not re.search(r"<[a-z][^>]*\s(?:on[a-z]+|style)\s*=", text)
    outside = [
        url
        for url in re.findall(r"(?:src|href)=\"([^\"]*)\"", text)
        if not url.startswith(("asset/", "#", "data:,"))
    ]
    assert not outside


def test_hostile_log_text_is_text(page: Page) -> None:
    log = page.get("log", q="onerror").get_json()["html"]
    assert "&lt;img src=x onerror=" in log
    assert "<img" not in log
    assert "<script" not in log
    row = re.search(r'data-file="syslog" data-line="(\d+)"', log)
    assert row
    answer = page.post("promote", file="syslog", line=int(row[1]))
    assert answer.status_code == 200
    html = answer.get_json()["regions"]["entries"]
    assert "<img" not in html
    assert "<script" not in html
    assert 'href="javascript' not in html
    whole = page.get("line", file="syslog", line=int(row[1])).get_json()
    assert HOSTILE in whole["text"], "the whole line is plain text for textContent"
    assert sheet(page.store.read()).items, "the document still reads"


def test_hostile_words_in_the_document_are_text(page: Page) -> None:
    page.post(
        "add",
        time="09:11:00",
        label='"><img src=x>',
        words=HOSTILE + ' <svg onload="x"> ![a](http://x.example/p.png)',
    )
    html = page.get("").text
    for part in ("<img", "<svg onload", "<script>", 'href="javascript'):
        assert part not in html


def test_every_kind_of_change_is_written_at_once(page: Page) -> None:
    def now():  # type: ignore[no-untyped-def]
        return sheet(page.store.path.read_text())

    one, two = now().items[0], now().items[1]
    assert page.post("keep", ref=one.ref, mark=one.mark).get_json()["said"] == "entry kept"
    assert now().items[0].kept
    page.post("change", ref=one.ref, mark=one.mark, time=one.time, label="Change", words="said otherwise")
    assert now().items[0].words == "said otherwise"
    one = now().items[0]
    page.post("join", ref=two.ref, mark=two.mark, into=one.ref, into_mark=one.mark)
    assert "said otherwise" in now().items[0].words
    page.post("add", time="09:11:11", label="Call", words="on the call")
    assert "on the call" in [item.words for item in now().items]
    asked = now().questions[0]
    page.post("answer", ref=asked.ref, mark=asked.mark, answer="So it was.")
    assert now().questions[0].answer == "So it was."
    row = now().actions[0]
    page.post("set_action", row=row.row, mark=row.mark, values={"owner": "shop team", "ticket": "S-1"})
    assert now().actions[0].cells["owner"] == "shop team"
    page.post("add_action", values={"action": "new"})
    page.post("drop_action", row=now().actions[-1].row, mark=now().actions[-1].mark)
    assert len(now().actions) == len(sheet(page.store.path.read_text()).actions)
    page.post("drop", ref=now().items[-1].ref, mark=now().items[-1].mark)
    page.post("status", status="final")
    assert now().status == "final"
    for _ in range(20):
        page.post("undo")
    assert not page.store.undoable
    assert "said otherwise" not in page.store.path.read_text()


def test_a_change_of_what_an_editor_changed_meanwhile_is_refused_and_shown(page: Page) -> None:
    one = sheet(page.store.read()).items[0]
    text = in_editor(page.store.read(), one, "as the editor says.")
    page.store.path.write_text(text)
    answer = page.post(
        "change", ref=one.ref, mark=one.mark, time=one.time, label="", words="as the page says"
    )
    assert answer.status_code == 409
    assert "as the editor says." in answer.get_json()["current"]
    assert page.store.read() == text


def test_what_a_later_draft_says_of_an_edited_part_is_offered(page: Page) -> None:
    body = parse(page.store.read()).blocks["summary"].body
    page.store.path.write_text(page.store.read().replace(body, "\n## Summary\n\nMine.\n\n"))
    newer = re.sub(
        r"(?s)(id=summary) sha=\w+( -->\n).*?(<!-- retrolog:end summary)", _newer, page.store.read()
    )
    page.store.path.write_text(merge(page.store.read(), newer))
    html = page.get("state").get_json()["regions"]["checks"]
    assert "Newer words." in html
    one = sheet(page.store.read()).conflicts[0]
    page.post("newer", ref=one.ref, mark=one.mark, take=True)
    assert "Newer words." in parse(page.store.read()).blocks["summary"].body
    assert not sheet(page.store.read()).conflicts
    page.post("undo")
    page.post("newer", ref=one.ref, mark=one.mark, take=False)
    assert "Mine." in parse(page.store.read()).blocks["summary"].body
    assert not sheet(page.store.read()).conflicts


def _newer(match: re.Match[str]) -> str:
    body = "\n## Summary\n\nNewer words.\n\n"
    return f"{match[1]} sha={digest(body)}{match[2]}{body}{match[3]}"


def test_news_from_an_editor_reach_the_page_and_no_news_cost_nothing(page: Page) -> None:
    seen = page.get("state").get_json()["seen"]
    assert page.get("state", seen=seen).status_code == 204
    page.store.path.write_text(page.store.read().replace("status: draft", "status: final"))
    body = page.get("state", seen=seen).get_json()
    assert "final" in body["regions"]["head"]


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"op": "add"}, {"op": "add", "args": []}, {"op": "none", "args": {}}, {"op": "add", "args": {"time": 1}},
        {"op": "keep", "args": {"ref": "x"}}, {"op": "promote", "args": {"file": "a", "line": True}},
        {"op": "set_action", "args": {"row": "1", "mark": "x", "values": {}}}, {"op": "set_action", "args": {"row": 1, "mark": "x", "values": {"a": 1}}},
        {"op": "incident", "args": {"index": 0, "role": "__class__", "time": "1"}}, {"op": "add", "args": {"time": "x" * 30_000, "words": "x"}},
    ],
)  # fmt: skip
def test_requests_that_make_no_sense_are_refused(page: Page, body: object) -> None:
    before = page.store.read()
    headers = {"Origin": page.origin, "X-Retrolog": "1"}
    answer = page.client.post(
        page.path("edit"), data=json.dumps(body), content_type="application/json", headers=headers
    )
    assert answer.status_code == 400
    assert answer.is_json
    assert page.store.read() == before


def test_a_body_without_end_is_refused(page: Page) -> None:
    headers = {"Origin": page.origin, "X-Retrolog": "1"}
    answer = page.client.post(
        page.path("edit"), data=b"[" * (2 << 20), content_type="application/json", headers=headers
    )
    assert answer.status_code == 413


def test_what_fails_is_said_in_a_sentence(page: Page) -> None:
    answer = page.post("add", time="soon", label="", words="x")
    assert answer.status_code == 409
    assert "is no time" in answer.get_json()["error"]


@pytest.mark.parametrize(
    "query", [{"from": "x", "to": "y"}, {"from": "0", "to": "1"}, {"from": 9 * 10**18, "to": 1}, {}]
)
def test_the_figure_is_drawn_whatever_part_is_asked_for(page: Page, query: dict[str, str | int]) -> None:
    assert 'class="figure" viewBox' in page.get("figure", **query).get_json()["html"]


def test_zooming_shows_less(page: Page) -> None:
    html = page.get("figure").get_json()["html"]
    start, end = (int(re.search(f'data-{name}="(\\d+)"', html)[1]) for name in ("start", "end"))  # type: ignore[index]
    near = page.get("figure", **{"from": start, "to": (start + end) // 2}).get_json()["html"]
    assert int(re.search(r'data-end="(\d+)"', near)[1]) < end  # type: ignore[index]


def test_without_logs_the_quoted_lines_still_show(document: Path, tmp_path: Path) -> None:
    document.write_text(
        re.sub(r"(?m)^command: .*$", f"command: retrolog draft {tmp_path}/gone", document.read_text())
    )
    page = opened(document)
    one = sheet(page.store.read()).items[0]
    body = page.get("log", ref=one.ref).get_json()
    assert "--logs" in body["html"]
    assert "<pre>" in body["html"]
    assert page.get("line", file="syslog", line=1).status_code == 409
    assert page.post("promote", file="syslog", line=1).status_code == 409
    answer = page.post("incident", index=0, role="onset", time="09:10:10")
    assert "the figures stay" in answer.get_json()["said"]


def test_logs_may_be_named(document: Path, logs: Path) -> None:
    document.write_text(re.sub(r"(?m)^command: .*$", "command: cat", document.read_text()))
    page = opened(document, str(logs))
    assert 'class="line' in page.get("log").get_json()["html"]


def test_a_file_that_cannot_be_written_or_is_gone_is_said_in_a_sentence(page: Page) -> None:
    entry = {"time": "09:11:00", "label": "", "words": "A word."}
    page.store.path.chmod(0o444)
    answer = page.post("add", **entry)
    assert answer.status_code == 409
    assert "read-only" in answer.get_json()["error"]
    page.store.path.chmod(0o644)
    page.store.path.unlink()
    answer = page.post("add", **entry)
    assert answer.status_code == 409
    assert "was it moved?" in answer.get_json()["error"]


def test_the_file_keeps_its_permissions(page: Page) -> None:
    page.store.path.chmod(0o640)
    page.post("status", status="final")
    assert stat.S_IMODE(page.store.path.stat().st_mode) == 0o640
