"""Walks a reviewer's way from logs to a finished document in a real browser, and counts every key and click.

    python benchmarks/walk.py [--out DIR] [--case NAME]

It runs the commands as a user does: `draft`, `review` (the page in Chromium, driven by Playwright), `check`, `verify`, `render`
into every form, `export`. It leaves the documents, and a screenshot of each step, in DIR, and prints a table of what was pressed.
Keys and clicks are counted where they are sent, letters of the human's own words apart. It fails where a step does not do
what it should. Needs `pip install '.[dev]'` and a Chromium on the path.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from retrolog.pipeline.drafting.document import parse
from retrolog.pipeline.review.sheet import Sheet, sheet

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOME = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
WAIT = 60_000  # milliseconds, for machines that are busy
FORMS = ("html", "pdf", "docx", "md", "txt", "xml")


@dataclass(frozen=True)
class Case:
    """A recorded outage, and what the people who were there know of it; answers stand in the order of the questions."""

    name: str
    logs: str
    window: tuple[str, str]
    zone: str
    answers: tuple[str, ...]
    owners: tuple[tuple[str, str], ...]
    chat: tuple[str, str]
    call: tuple[str, str]
    search: str
    edited: tuple[str, str]
    onset: str
    statement: str


CASES = (
    Case(
        name="db-connections",
        logs="samples/db-connections/logs",
        window=("2026-11-23 12:02", "2026-11-23 12:08"),
        zone="Europe/Berlin",
        answers=(
            "Nobody could open a product or pay. Orders that had been paid were kept; 37 carts were lost, and their owners got a voucher.",
            "The new report worker opens a connection for each report and keeps it. Its load test ran with one report at a time, so the pool never filled.",
            "Restarting the shop was tried first, and made it worse for some seconds, as all instances connected again at once.",
            "It holds while the worker is stopped. The release that closes its connections is due on Wednesday; until then reports are made by hand.",
            "Reports start at noon. At six in the evening four times as many people would have been in the shop.",
        ),
        owners=(("data team", "DATA-118"), ("platform team", "PLAT-530"), ("on-call team", "OPS-77"), ("platform team", "PLAT-531")),
        chat=("12:04:40", "In the chat support reports calls: customers see an error page when they pay."),
        call=("12:05:30", "On the call it is agreed to stop the report worker."),
        search="1.9.0 started",
        edited=("PostgreSQL", "PostgreSQL has no connection left for the shop."),
        onset="12:03:50",
        statement="We are sorry for the trouble. Orders that were paid are safe.",
    ),
    Case(
        name="flapping-backend",
        logs="tests/outages/flapping_backend/logs",
        window=("2026-11-24T00:21:06+11:00", "2026-11-24T00:27:00+11:00"),
        zone="Australia/Sydney",
        answers=(
            "Some streams stood still for up to ten seconds at a time; nothing was lost, and no recording was touched.",
            "One of three servers lost its network storage and answered 503 for it. It stayed in rotation, as its health page does not look at the storage.",
            "Taking the server out of rotation was considered and left, as nobody on the call was sure how.",
            "No. The storage server was replaced overnight and the mount is new, but the health page still does not look at it.",
            "Only one server of three was hit, so most players got their next piece from another one.",
        ),
        owners=(("streaming team", "STR-412"),) * 4,
        chat=("00:23:50", "In the chat the duty editor reports that the picture stands still."),
        call=("00:24:30", "On the call it is agreed to mount the storage again."),
        search="stale",
        edited=("stale file handle", "The mount of the segment store is stale on one of three servers."),
        onset="00:22:42",
        statement="We are sorry for the trouble. It is over, and nothing was lost.",
    ),
)


@dataclass
class Count:
    """What one step took."""

    step: str
    keys: int = 0
    clicks: int = 0
    letters: int = 0


@dataclass
class Hands:
    """A person at the page: whatever is pressed, clicked or typed is counted under the step that it belongs to."""

    page: Page
    out: Path
    counts: list[Count] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, shown: str = "") -> Iterator[None]:
        self.counts.append(Count(name))
        yield
        self.settle()
        if shown:
            self.page.screenshot(path=self.out / f"{len(self.counts):02}-{shown}.png")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.counts[-1].keys += 1
            self.settle()

    def type(self, words: str) -> None:
        self.page.keyboard.type(words)
        self.counts[-1].letters += len(words)

    def click(self, place: str) -> None:
        self.page.locator(place).first.click()
        self.counts[-1].clicks += 1
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_selector("body:not(.busy)")
        self.page.wait_for_selector("#log:not([aria-busy])", state="attached")

    def hear(self, words: str) -> None:
        """Waits until the page says so."""
        self.page.wait_for_function(
            "words => document.getElementById('said').textContent.includes(words)", arg=words, timeout=WAIT
        )
        self.settle()


def retrolog(*arguments: str | Path, status: int = 0) -> str:
    """Runs the command and gives what it printed; stops the walk where its exit status is another one."""
    asked = [str(one) for one in arguments]
    done = subprocess.run([sys.executable, "-m", "retrolog", *asked], capture_output=True, text=True, check=False)
    if done.returncode != status:
        raise SystemExit(f"retrolog {' '.join(asked)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def reviewing(document: Path) -> Iterator[str]:
    """The link of the running page."""
    asked = [sys.executable, "-m", "retrolog", "review", str(document), "--no-browser"]
    with subprocess.Popen(asked, stderr=subprocess.PIPE, text=True) as served:
        assert served.stderr is not None
        try:
            line = served.stderr.readline()
            link = re.search(r"http://\S+", line)
            if link is None:
                raise SystemExit(f"the page did not start: {line}{served.stderr.read()}")
            yield link.group()
        finally:
            served.terminate()


def walk(case: Case, out: Path) -> list[Count]:
    """From logs to every finished form; returns what each step in the page took."""
    from playwright.sync_api import sync_playwright

    out.mkdir(parents=True, exist_ok=True)
    document = out / "postmortem.md"
    document.unlink(missing_ok=True)
    start, end = case.window
    retrolog("draft", HOME / case.logs, "--from", start, "--to", end, "--tz", case.zone, "-o", document)
    retrolog("check", document, status=1)
    drafted = document.read_text(encoding="utf-8")
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    with reviewing(document) as link, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(WAIT)
        page.goto(link)
        page.wait_for_selector("#log .line", state="attached")
        hands = Hands(page, out)
        review(case, hands, lambda: sheet(document.read_text(encoding="utf-8")))
        chromium.close()
    finish(case, document, drafted)
    return hands.counts


def review(case: Case, hands: Hands, now: Callable[[], Sheet]) -> None:
    """What a reviewer does in the page, by keyboard but for what is easier with a mouse."""
    page = hands.page
    with hands.step("open the page", "opened"):
        pass
    with hands.step("keep the first entry", "kept"):
        hands.press("y")
        hands.hear("entry kept")
    with hands.step("edit an entry", "edited"):
        entry = next(i for i, one in enumerate(now().items) if case.edited[0].casefold() in one.words.casefold())
        hands.click(f"#e-{entry + 1} .what > p")
        hands.press("e")
        cited = " ".join(f"[E{number}]" for number in now().items[entry].cites)
        page.wait_for_selector("#d-words:focus")
        hands.press("Control+a")
        hands.type(f"{case.edited[1]} {cited}")
        page.screenshot(path=hands.out / "editing.png")
        hands.press("Control+Enter")
        hands.hear("entry changed")
    with hands.step("merge two entries", "merged"):
        later = next(i for i, one in enumerate(now().items) if case.edited[1] in one.words) + 1
        hands.click(f"#e-{later + 1} .what > p")
        hands.press("m")
        hands.hear("entries merged")
    with hands.step("drop an entry", "dropped"):
        labels = [one.label for one in now().items]
        spare = next(labels.index(label) for label in ("Change", "Misleading", "Note", "Recovery") if label in labels)
        hands.click(f"#e-{spare + 1} .what > p")
        hands.press("x")
        hands.hear("entry dropped")
    for name, (time, words) in (("chat", case.chat), ("call", case.call)):
        with hands.step(f"add what was said ({name})", name):
            hands.press("a")
            page.wait_for_selector("#d-entry[open]")
            hands.click("#d-time")
            hands.press("Control+a")
            hands.type(time)
            hands.press("Tab")
            hands.type(name.capitalize())
            hands.press("Tab")
            hands.type(words)
            hands.press("Control+Enter")
            hands.hear("entry added")
    with hands.step("search the logs, promote a line", "promoted"):
        hands.press("/")
        hands.type(case.search)
        page.wait_for_timeout(600)
        hands.settle()
        hands.press("Enter")
        page.wait_for_selector("#log .line:focus")
        page.screenshot(path=hands.out / "searching.png")
        hands.press("p")
        hands.hear("log line promoted")
        hands.press("Escape")
    with hands.step("set another onset and see the figures follow", "onset"):
        before = page.locator(".stats").inner_text()
        hands.click("#i-0-onset")
        hands.press("Control+a")
        hands.type(case.onset)
        hands.press("Tab")
        hands.hear(f"onset set to {case.onset}")
        page.locator("#plot", has_text=f"onset {case.onset}").wait_for()
        changed = page.locator(".stats").inner_text()
    with hands.step("undo that", "undone"):
        hands.press("Escape", "u")
        hands.hear("Undone")
        assert page.locator(".stats").inner_text() == before
        assert changed != before or "–" in before
    with hands.step("confirm the trigger", "trigger"):
        hands.press("Escape", "c", "Enter")
        hands.hear("trigger confirmed")
    with hands.step("answer the questions", "answered"):
        answers = iter(case.answers)
        hands.press("q")
        for at in range(len(now().questions)):
            page.wait_for_selector(".question.open textarea:focus")
            hands.type(next(answers))
            if at == 1:
                page.screenshot(path=hands.out / "answering.png")
            hands.press("Control+Enter")
            hands.hear("question answered")
        hands.press("Escape")
    with hands.step("fill the table of measures", "measures"):
        for at in range(len(now().actions)):
            owner, ticket = case.owners[at]
            hands.press("w")
            hands.type(owner)
            hands.press("Tab")
            hands.type(f"{ticket}")
            hands.press("Escape")
            hands.hear("measure changed")
    with hands.step("keep the other entries", "looked-at"):
        hands.press("h")
        for _ in range(2 * len(now().items)):
            if page.locator("#entries .entry:not(.done)").count() == 0:
                break
            hands.press("y")
    with hands.step("mark as final", "final"):
        hands.press("F")
        hands.hear("marked as final")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.reload()
    page.wait_for_selector("#log .line", state="attached")
    hands.settle()
    page.screenshot(path=hands.out / "phone.png")


def finish(case: Case, document: Path, drafted: str) -> None:
    """Checks, verifies, renders and exports the finished document, and drafts into it again."""
    logs = HOME / case.logs
    assert parse(document.read_text(encoding="utf-8")).metadata["status"] == "final"
    retrolog("check", document)
    retrolog("verify", document, "--logs", logs)
    for form in FORMS:
        retrolog("render", document, "-o", document.with_suffix(f".{form}" if form != "md" else ".github.md"), "--strict")
    retrolog("render", document, "-o", document.with_name("executive.pdf"), "--executive", "--strict")
    statement = f"\n## Public statement\n\n{case.statement}\n\n"
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace("<!-- retrolog:data figure", f"{statement}<!-- retrolog:data figure", 1), encoding="utf-8")
    retrolog("render", document, "-o", document.with_name("customers.pdf"), "--audience", "external", "--strict")
    for what, forms in (("measures", ("csv", "json", "github", "jira")), ("timeline", ("csv", "json", "timesketch", "grafana"))):
        for form in forms:
            ending = "csv" if form in ("csv", "jira") else "json" if form == "json" else "jsonl"
            retrolog("export", document, "--what", what, "--format", form, "-o", document.with_name(f"{what}-{form}.{ending}"))
    mine = [case.chat[1], case.call[1], case.edited[1], case.answers[0], case.statement]
    start, end = case.window
    retrolog("draft", logs, "--from", start, "--to", end, "--tz", case.zone, "-o", document)
    again = document.read_text(encoding="utf-8")
    assert all(words in again for words in mine), "a later draft keeps every word"
    assert drafted != again


def table(counted: dict[str, list[Count]]) -> str:
    """What each walk took, as a Markdown table."""
    steps = list(dict.fromkeys(one.step for counts in counted.values() for one in counts if one.keys or one.clicks))
    rows = [f"| | {' | '.join(f'{name}: keys | clicks' for name in counted)} |", f"| --- |{' ---: | ---: |' * len(counted)}"]
    for step in steps:
        cells = []
        for counts in counted.values():
            one = next((count for count in counts if count.step == step), Count(step))
            cells += [str(one.keys), str(one.clicks)]
        rows.append(f"| {step} | {' | '.join(cells)} |")
    sums = [f"**{sum(c.keys for c in counts)}** | **{sum(c.clicks for c in counts)}**" for counts in counted.values()]
    letters = [f"{sum(c.letters for c in counts)} | " for counts in counted.values()]
    return "\n".join([*rows, f"| **all** | {' | '.join(sums)} |", f"| letters of the human's own words | {' | '.join(letters)}|"])


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    asked.add_argument("--out", type=Path, help="where documents and screenshots go [default: a new folder]")
    asked.add_argument("--case", choices=[case.name for case in CASES], help="walk one outage only")
    given = asked.parse_args()
    out = given.out or Path(tempfile.mkdtemp(prefix="walk-"))
    counted = {case.name: walk(case, out / case.name) for case in CASES if given.case in (None, case.name)}
    print(f"Documents and screenshots: {out}\n")
    print(table(counted))


if __name__ == "__main__":
    main()
