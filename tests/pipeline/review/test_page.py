"""The page in a real Chromium: by keyboard from draft to finished, on a phone, in the dark, for everyone."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrolog.pipeline.drafting.document import parse
from retrolog.pipeline.drafting.merge import merge
from retrolog.pipeline.finishing import check
from retrolog.pipeline.review.security import Guard
from retrolog.pipeline.review.sheet import sheet

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("no Chromium is installed (apt-get install chromium)", allow_module_level=True)

from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

from .conftest import in_editor

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
WAIT = 15_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "Chromium is missing, and in CI these tests are not skipped"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, served: Guard) -> Iterator[Open]:
    """Opens the page in a fresh profile; any script error, refused resource or request to elsewhere fails the test."""
    contexts = []
    troubles: list[str] = []

    def enter(**options: object) -> Page:
        context = browser.new_context(**{"viewport": DESK, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console",
            lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None,
        )
        page.on(
            "request", lambda one: None if _own(one.url, served) else troubles.append(f"asked for {one.url}")
        )
        page.on("dialog", _unexpected(troubles))
        page.goto(served.url)
        page.wait_for_selector("#log .line, #log .notice:not(:has-text('Reading'))", state="attached")
        return page

    yield enter
    for context in contexts:
        context.close()
    assert not troubles


def _own(url: str, guard: Guard) -> bool:
    return url.startswith((f"http://127.0.0.1:{guard.port}/{guard.room}/", "data:"))


def _unexpected(troubles: list[str]) -> Callable[[Dialog], None]:
    def note(dialog: Dialog) -> None:
        troubles.append(f"a dialog says {dialog.message}")
        dialog.dismiss()

    return note


def settled(page: Page) -> None:
    page.wait_for_selector("body:not(.busy)")
    page.wait_for_selector("#log:not([aria-busy])", state="attached")


def said(page: Page, words: str) -> None:
    expect(page.locator("#said")).to_contain_text(words, timeout=WAIT)
    settled(page)


def chosen(page: Page) -> str:
    return page.locator("#entries .entry[aria-current]").get_attribute("data-ref") or ""


def scan(page: Page) -> list[str]:
    """What axe-core finds, as lines."""
    import axe_playwright_python

    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]


def test_by_keyboard_from_draft_to_finished(visit: Open, document: Path, drafted: str) -> None:
    page = visit()
    keys = page.keyboard
    start = document.read_text()
    first = chosen(page)

    keys.press("y")
    said(page, "entry kept")
    assert chosen(page) != first, "keeping goes on to the next entry"
    keys.press("e")
    page.wait_for_selector("#d-entry[open]")
    page.fill("#d-words", "The release took a wrong turn. [E1]")
    keys.press("Control+Enter")
    said(page, "entry changed")
    assert "The release took a wrong turn. [E1]" in document.read_text()

    keys.press("j")
    keys.press("m")
    said(page, "entries merged")
    keys.press("j")
    dropped = chosen(page)
    keys.press("x")
    said(page, "entry dropped")
    assert dropped.removeprefix("b:") not in parse(document.read_text()).blocks

    keys.press("a")
    page.wait_for_selector("#d-entry[open]")
    page.fill("#d-time", "09:11:11")
    page.fill("#d-words", "On the call: errors follow the release.")
    keys.press("Control+Enter")
    said(page, "entry added")
    assert chosen(page).startswith("o:"), "the new entry is selected"

    keys.press("/")
    page.keyboard.type("onerror")
    expect(page.locator("#log .line")).to_have_count(1)
    keys.press("Enter")
    page.wait_for_selector("#log .line:focus")
    keys.press("p")
    said(page, "log line promoted")
    assert [
        item
        for item in sheet(document.read_text()).items
        if item.own and "onerror" in item.words and item.cites
    ]

    keys.press("Escape")
    keys.press("c")
    page.wait_for_selector("#triggers button:focus")
    keys.press("Enter")
    said(page, "trigger confirmed")
    assert "Trigger, confirmed by a person in the review" in document.read_text()

    questions = len(sheet(document.read_text()).questions)
    keys.press("Escape")
    keys.press("q")
    for number in range(questions):
        page.wait_for_selector(".question.open textarea:focus")
        page.keyboard.type(f"Answer {number}.")
        keys.press("Control+Enter")
        said(page, "question answered")
    assert all(one.answer for one in sheet(document.read_text()).questions)

    keys.press("Escape")
    for number in range(len(sheet(document.read_text()).actions)):
        keys.press("w")
        page.keyboard.type("shop team")
        keys.press("Tab")
        page.keyboard.type(f"SHOP-{number}")
        keys.press("Escape")
        said(page, "measure changed")
    settled(page)
    assert {one.cells["owner"] for one in sheet(document.read_text()).actions} == {"shop team"}
    assert {one.cells["ticket"] for one in sheet(document.read_text()).actions} == {
        f"SHOP-{number}" for number in range(len(sheet(document.read_text()).actions))
    }

    keys.press("h")
    for _ in range(2 * len(sheet(document.read_text()).items)):
        if page.locator("#entries .entry:not(.done)").count() == 0:
            break
        keys.press("y")
        settled(page)
    keys.press("F")
    said(page, "marked as final")
    expect(page.locator("#left")).to_contain_text("0 things left")
    finished = document.read_text()
    assert parse(finished).metadata["status"] == "final"
    assert not check.failed(check.check(finished)), "nothing keeps it from being shared"
    later = merge(finished, drafted)
    assert "The release took a wrong turn." in later
    assert "On the call: errors follow the release." in later

    for _ in range(200):
        if page.locator('[data-do="undo"]').is_disabled():
            break
        keys.press("u")
        settled(page)
    assert document.read_text() == start
    keys.press("Shift+U")
    said(page, "Done again: entry kept")


def test_a_trigger_is_rejected_named_in_own_words_and_taken_from_a_log_line(visit: Open, document: Path) -> None:
    page = visit()
    start = document.read_text()
    section = page.locator("#triggers")
    expect(section).to_contain_text("Not confirmed yet")
    section.get_by_role("button", name="Reject").first.click()
    said(page, "candidate rejected")
    expect(section.locator(".choice.rejected")).to_have_count(1)
    section.locator("[data-trigger-time]").fill("09:09:58")
    section.locator("[data-trigger-words]").fill("The provider moved our rack.")
    page.keyboard.press("Enter")
    said(page, "trigger confirmed")
    expect(section).to_contain_text("Confirmed: The provider moved our rack.")
    expect(page.locator("#i-0-trigger")).to_have_value("09:09:58")
    section.get_by_role("button", name="Decide anew").click()
    said(page, "trigger open")
    section.get_by_role("button", name="Nobody knows").click()
    said(page, "trigger unknown")
    assert "unknown, as a person decided" in document.read_text()
    page.keyboard.press("/")
    page.keyboard.type("looking at it")
    expect(page.locator("#log .line")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_selector("#log .line:focus")
    page.keyboard.press("t")
    said(page, "trigger confirmed")
    summary = parse(document.read_text()).blocks["summary"].body
    assert "looking at it" in summary.split("confirmed by a person in the review")[1]
    assert scan(page) == []
    for _ in range(5):
        page.keyboard.press("Escape")
        page.keyboard.press("u")
        settled(page)
    assert document.read_text() == start


def test_moments_are_set_by_key_and_the_figures_follow(visit: Open, document: Path) -> None:
    page = visit()
    failed = page.locator(".stats").inner_text()
    page.keyboard.press("/")
    page.keyboard.type("ALERT shop")
    expect(page.locator("#log .line")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_selector("#log .line:focus")
    page.keyboard.press("[")
    said(page, "onset set to 09:10:15")
    assert page.locator(".stats").inner_text() != failed
    assert page.locator("#i-0-onset").input_value() == "09:10:15"
    assert "onset 09:10:15" in page.locator("#plot").inner_text()
    assert "From 2026-03-10 09:10:15" in document.read_text()
    page.fill("#i-0-onset", "nonsense")
    page.keyboard.press("Tab")
    said(page, "is no time")
    expect(page.locator("#i-0-onset")).to_have_value("09:10:15")


def test_a_click_in_the_figure_jumps_and_dragging_zooms(visit: Open) -> None:
    page = visit()
    box = page.locator("svg.figure").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.6)
    page.wait_for_timeout(300)
    settled(page)
    start, end = (int(page.locator("#plot").get_attribute(f"data-{name}") or 0) for name in ("start", "end"))
    line = page.locator("#log .line[aria-current]")
    share = (int(line.get_attribute("data-moment") or 0) - start) / (end - start)
    assert 0.4 < share < 0.6
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page.locator("#plot")).not_to_have_attribute("data-end", str(end))
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    expect(page.locator('[data-do="zoom-all"]')).to_be_disabled()
    page.keyboard.press("+")
    expect(page.locator('[data-do="zoom-all"]')).to_be_enabled()


def test_what_an_editor_does_meanwhile_is_merged(visit: Open, document: Path) -> None:
    page = visit()
    page.keyboard.press("e")
    page.wait_for_selector("#d-entry[open]")
    document.write_text(
        document.read_text().replace("status: draft", "status: draft\nreviewers: two")
        + "\nFrom the editor.\n"
    )
    page.fill("#d-words", "From the page.")
    page.keyboard.press("Control+Enter")
    said(page, "entry changed")
    text = document.read_text()
    assert "From the page." in text
    assert text.endswith("\nFrom the editor.\n")
    assert "reviewers: two" in text
    page.keyboard.press("u")
    said(page, "Undone")
    assert "From the page." not in document.read_text()
    assert "From the editor." in document.read_text()


def test_when_both_changed_the_same_entry_both_are_shown(visit: Open, document: Path) -> None:
    page = visit()
    one = sheet(document.read_text()).items[0]
    page.keyboard.press("e")
    page.wait_for_selector("#d-entry[open]")
    document.write_text(in_editor(document.read_text(), one, "The editor's words."))
    page.fill("#d-words", "The page's words.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#d-clash[open]")
    assert "The editor's words." in page.locator("#d-theirs").inner_text()
    assert "The page's words." in page.locator("#d-mine").inner_text()
    assert "The page's words." not in document.read_text()
    page.click("#d-use-mine")
    said(page, "entry changed")
    assert "The page's words." in document.read_text()
    assert "The editor's words." not in document.read_text()
    page.keyboard.press("u")
    said(page, "Undone")
    assert "The editor's words." in document.read_text(), "nothing is lost"


def test_an_answer_that_is_being_typed_survives_news_from_the_editor(visit: Open, document: Path) -> None:
    page = visit()
    page.keyboard.press("q")
    page.keyboard.type("Half a sen")
    document.write_text(document.read_text().replace("status: draft", "status: final"))
    expect(page.locator(".badge")).to_have_text("final", timeout=WAIT)
    page.keyboard.type("tence.")
    page.keyboard.press("Control+Enter")
    said(page, "question answered")
    assert "Half a sentence." in document.read_text()


def test_an_answer_that_an_editor_gave_meanwhile_is_not_overwritten(visit: Open, document: Path) -> None:
    page = visit()
    one = sheet(document.read_text()).questions[0]
    page.keyboard.press("q")
    page.keyboard.type("From the page.")
    block = parse(document.read_text()).blocks[one.ref.removeprefix("b:")]
    answered = f"\n> {one.question}\n\nFrom the editor.\n\n"
    document.write_text(document.read_text().replace(block.body, answered, 1))
    page.wait_for_selector(".question.answered")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#d-clash[open]")
    assert "From the editor." in document.read_text()
    page.click("#d-clash [data-close]")
    assert "From the page." not in document.read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(visit: Open, scheme: str, size: dict[str, int]) -> None:
    page = visit(color_scheme=scheme, viewport=size)
    assert scan(page) == []
    for key, dialog in (("?", "#d-help"), ("a", "#d-entry")):
        page.keyboard.press(key)
        page.wait_for_selector(f"{dialog}[open]")
        assert scan(page) == [], dialog
        page.keyboard.press("Escape")
    if size is PHONE:
        page.click("[data-pane=logs]")
        assert scan(page) == []


def test_on_a_phone_everything_fits_and_can_be_touched(visit: Open, document: Path) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator("#entries .entry").nth(1).tap()
    page.locator("#entries .entry").nth(1).locator('[data-do="keep"]').tap()
    said(page, "entry kept")
    page.locator("[data-pane=logs]").tap()
    assert page.locator("#log").is_visible()
    assert not page.locator("#document").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator("#log .line").nth(3).tap()
    page.locator('.line-tools [data-do="promote"]').tap()
    said(page, "log line promoted")
    assert [item for item in sheet(document.read_text()).items if item.own]
    small = [
        box
        for button in page.locator(".line-tools button, .switch button").all()
        if (box := button.bounding_box()) and box["height"] < 24
    ]
    assert not small, "targets are at least 24 pixels high (WCAG 2.5.8)"


def test_the_dark_page_is_dark(visit: Open) -> None:
    page = visit(color_scheme="dark")
    colours = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", colours)[:3]) < 64


def test_nothing_moves_for_those_who_asked_for_it(visit: Open) -> None:
    page = visit(reduced_motion="reduce")
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0).length"
    )
    assert moving == 0


def test_single_keys_can_be_turned_off(visit: Open, document: Path) -> None:
    page = visit()
    page.keyboard.press("?")
    page.wait_for_selector("#d-help[open]")
    page.click("#d-single")
    page.keyboard.press("Escape")
    before = document.read_text()
    page.keyboard.press("x")
    page.wait_for_timeout(300)
    assert document.read_text() == before


def test_focus_goes_into_a_dialog_and_back(visit: Open) -> None:
    page = visit()
    page.keyboard.press("j")
    entry = chosen(page)
    page.keyboard.press("e")
    page.wait_for_selector("#d-words:focus")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.ref") == entry


def test_hostile_lines_do_nothing(visit: Open) -> None:
    page = visit()
    page.keyboard.press("/")
    page.keyboard.type("onerror")
    expect(page.locator("#log .line")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_selector("#log .line:focus")
    page.keyboard.press("o")
    page.wait_for_selector("#d-line[open]")
    assert "<script>alert(1)</script>" in page.locator("#d-raw").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    said(page, "log line promoted")
    assert page.title().startswith("Review:")
    assert page.locator("#log img, #entries img, #entries script, #log script").count() == 0


def test_another_page_of_the_browser_gets_nothing(visit: Open, served: Guard) -> None:
    page = visit()
    other = page.context.new_page()
    answer = other.request.get(
        f"http://127.0.0.1:{served.port}/{served.room}/state", headers={"Origin": "http://evil.example"}
    )
    assert answer.status == 403
    assert other.request.get(f"http://127.0.0.1:{served.port}/").status in (403, 404)
