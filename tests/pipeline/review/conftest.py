"""A small recorded-looking outage with hostile lines in it, its draft, and the review page on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from retrolog.pipeline.drafting import draft
from retrolog.pipeline.drafting.document import parse
from retrolog.pipeline.investigate import investigate
from retrolog.pipeline.options import Options
from retrolog.pipeline.review.app import create_app
from retrolog.pipeline.review.security import COOKIE, Guard
from retrolog.pipeline.review.serve import start
from retrolog.pipeline.review.sheet import Item
from retrolog.pipeline.review.store import Store
from retrolog.pipeline.window import Window

BEGIN = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
HOSTILE = '<img src=x onerror="document.title=1"><script>alert(1)</script> [x](javascript:alert(1)) <!-- retrolog:end timeline -->'
LINES_BEFORE = 600


def _stamp(second: int) -> datetime:
    return BEGIN + timedelta(seconds=second)


def write_logs(folder: Path) -> None:
    """Twenty minutes of a shop: a release at 9:10:00 fails requests from 9:10:04 to 9:12:30, when it is taken back."""
    (folder / "nginx").mkdir(parents=True)
    access, system = [], []
    for second in range(1200):
        for part in range(2):
            path = ("/", "/cart", "/item/7", "/search")[(second + part) % 4]
            failed = 604 <= second <= 750 and path == "/item/7"
            access.append(
                f"192.0.2.{second % 40 + 1} - - [{_stamp(second):%d/%b/%Y:%H:%M:%S} +0000] "
                f'"GET {path} HTTP/1.1" {500 if failed else 200} {75 if failed else 5120} "-" "Mozilla/5.0"'
            )
    notes = (
        (590, "cron[77]: (root) CMD (/usr/local/bin/rotate)"),
        (600, "deploy[811]: starting deploy of shop 4.2.0 requested by marina"),
        (602, f"shop[9]: {HOSTILE}"),
        (615, "monitor[12]: ALERT shop CRITICAL: HTTP 500 (3 checks)"),
        (700, "marina[40]: looking at it, the new release is suspect"),
        (748, "deploy[890]: rolling back shop to 4.1.9 requested by marina"),
        (770, "monitor[12]: RESOLVED shop OK: HTTP 200"),
    )
    for second, text in notes:
        system.append(f"{_stamp(second).isoformat()} web-1 {text}")
    (folder / "nginx/access.log").write_text("\n".join(access) + "\n")
    (folder / "syslog").write_text("\n".join(system) + "\n")


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outage") / "logs"
    write_logs(folder)
    return folder


@pytest.fixture(scope="session")
def drafted(logs: Path) -> str:
    """The draft as the command would write it."""
    micros = round(BEGIN.timestamp()) * 1_000_000
    window = Window(micros, micros + 1_200_000_000)
    findings = investigate([str(logs)], Options(window=window))
    assert findings.incidents, "the tests need an outage to review"
    return draft.markdown(findings, f"retrolog draft {logs}")


@pytest.fixture
def document(tmp_path: Path, drafted: str) -> Path:
    path = tmp_path / "postmortem.md"
    path.write_text(drafted)
    return path


def in_editor(text: str, entry: Item, words: str) -> str:
    """The document after someone wrote other words into an entry with an editor."""
    body = parse(text).blocks[entry.ref.removeprefix("b:")].body
    return text.replace(body, f"- {entry.time} — {words}\n", 1)


@dataclass
class Page:
    """The page's application with a browser that has entered."""

    client: FlaskClient
    guard: Guard
    store: Store

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.guard.port}"

    def path(self, name: str) -> str:
        return f"{self.origin}/{self.guard.room}/{name}"

    def get(self, name: str, **query: str | int):  # type: ignore[no-untyped-def]
        return self.client.get(self.path(name), query_string=query)

    def post(self, op: str, **args: object):  # type: ignore[no-untyped-def]
        headers = {"Origin": self.origin, "X-Retrolog": "1"}
        return self.client.post(self.path("edit"), json={"op": op, "args": args}, headers=headers)


def opened(document: Path, *logs: str) -> Page:
    guard = Guard(port=8123)
    store = Store(document)
    client = create_app(store, guard, logs).test_client()
    client.set_cookie(COOKIE, guard.session, domain="127.0.0.1", path=f"/{guard.room}/")
    return Page(client, guard, store)


@pytest.fixture
def page(document: Path) -> Page:
    return opened(document)


@pytest.fixture
def served(document: Path) -> Iterator[Guard]:
    """The page on a real port."""
    server, guard = start(document)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield guard
    server.shutdown()
    server.server_close()
    thread.join(10)
