"""The pages of insight and actions in a browser: a window's reason, rows, letters that are replayed, savepoints, plan, profile."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from shop import HOSTILE, Shop, open_shop, payment, until

from tailrace.web.address import Address
from tailrace.web.server import Server

WAIT = 30_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Give a running pipeline, to which rows come all the time."""
    over = threading.Event()

    def trickle(made: Shop) -> None:
        while not over.wait(0.3):
            made.pay(payment("<b>bold</b>", 3, 42))

    with open_shop(tmp_path_factory.mktemp("shop")) as made:
        made.pay(payment("c1", 5, 10), payment("c2", 6, 40), payment("evil", HOSTILE, 41))
        thread = threading.Thread(target=trickle, args=(made,))
        thread.start()
        yield made
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def server(shop: Shop) -> Iterator[Server]:
    """Give the dashboard of it, that takes orders."""
    with Server(Address("127.0.0.1", 0), lambda: [shop.script], actions=True) as made:
        yield made


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """Give a page of it; whatever the browser complains of, and each dialog, fails the test."""
    with browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        yield page
        assert complaints == []


def usable(page: Page) -> None:
    """Find no fault by axe, wide and narrow."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_window_says_why_it_is_open(page: Page) -> None:
    """In words, with the partition that holds it and how much is missing."""
    page.goto("/#/windows")
    why = page.locator(".why").first
    expect(why).to_contain_text("Event time here is 1970-01-01 00:00:", timeout=WAIT)
    expect(why).to_contain_text(re.compile("held back by partition|comes from 'payments'"))
    expect(page.locator("table").first).to_contain_text("closes when event time passes 1970-01-01 00:00:59.999")
    expect(page.locator("table").nth(1)).to_contain_text("holds event time back")
    usable(page)


def test_rows_are_seen_live_and_hidden_ones_are_not(page: Page) -> None:
    """What comes is text, whatever it looks like."""
    page.goto("/#/rows")
    page.locator("#operator").select_option("sink-paid", timeout=WAIT)
    sample = page.locator(".sample")
    expect(sample).to_contain_text("<b>bold</b>", timeout=WAIT)
    expect(sample).to_contain_text("***")
    expect(page.locator(".hint[role=status]")).to_contain_text("Hidden: secret.")
    expect(sample).not_to_contain_text("4711")
    assert sample.locator("b").count() == 0
    usable(page)


def test_a_dead_letter_is_found_and_replayed_as_it_came(page: Page) -> None:
    """What is still bad is told to be; what is hidden stays so."""
    page.goto("/#/dead-letters")
    letter = page.locator("[data-letter]").first
    expect(letter).to_be_visible(timeout=WAIT)
    page.locator("#letters-search").fill("no such text")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("[data-letter]")).to_have_count(0, timeout=WAIT)
    page.locator("#letters-search").fill("amount")
    page.keyboard.press("Enter")
    letter.locator("button").click(timeout=WAIT)
    panel = page.locator(".letter")
    expect(panel).to_contain_text("<script>alert(1)</script>\\u001b[31m\\u202e", timeout=WAIT)
    expect(panel).not_to_contain_text("4711")
    usable(page)
    panel.get_by_role("button", name="Replay").click()
    expect(panel.locator(".told")).to_contain_text("was not taken again", timeout=WAIT)


def test_a_row_is_mended_in_the_browser(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where nothing is hidden, the text that came can be changed before it is replayed."""
    with (
        open_shop(tmp_path_factory.mktemp("open"), redact="") as shop,
        Server(Address("127.0.0.1", 0), lambda: [shop.script], actions=True) as server,
        browser.new_context(base_url=server.url) as context,
    ):
        shop.pay(payment("c1", 5, 10), payment("c2", "six", 40))
        until(lambda: (seen := shop.script.status()) is not None and seen.sources[0].dead_letters)
        page = context.new_page()
        page.goto("/#/dead-letters")
        row = page.locator("[data-letter]").first
        expect(row).to_be_visible(timeout=WAIT)
        shop.pay(payment("c3", "seven", 41))
        expect(page.locator("[data-letter]")).to_have_count(2, timeout=WAIT)  # it comes by itself
        page.locator("[data-letter]", has_text="six").locator("button").click()
        text = page.get_by_label("The row, to be mended")
        text.fill(text.input_value().replace('"six"', "6"))
        page.get_by_role("button", name="Replay").click()
        expect(page.locator(".told")).to_contain_text("Replayed: the row was taken", timeout=WAIT)
        until(lambda: ("c2", 6) in shop.paid())
        assert shop.paid().count(("c2", 6)) == 1


def test_a_savepoint_is_taken(page: Page, shop: Shop) -> None:
    page.goto("/#/checkpoints")
    page.get_by_label("Name").fill("from-the-browser")
    page.get_by_role("button", name="Take a savepoint").click()
    expect(page.locator("[role=status].hint")).to_contain_text("Savepoint from-the-browser is there", timeout=WAIT)
    expect(page.locator("table").first).to_contain_text("from-the-browser", timeout=WAIT)
    assert (shop.folder / "state" / "savepoints" / "from-the-browser").is_dir()
    usable(page)


def test_the_plan_beside_the_script(page: Page) -> None:
    """An operator shows the line that it comes from; secrets are not there."""
    page.goto("/#/plan")
    expect(page.locator(".code")).to_contain_text("INSERT INTO counts", timeout=WAIT)
    page.locator(".parts button", has_text="WindowAggregate").click()
    expect(page.locator(".marked")).to_contain_text("TUMBLE")
    usable(page)


def test_a_profile_is_taken(page: Page) -> None:
    """By operator and kernel, with a flame graph."""
    page.goto("/#/profile")
    page.get_by_label("Seconds").fill("2")
    page.get_by_role("button", name="Take a profile").click()
    expect(page.locator(".flames .flame").first).to_be_attached(timeout=WAIT)
    expect(page.locator("table", has_text="By operator and kernel")).to_contain_text("(waiting)")
    usable(page)
