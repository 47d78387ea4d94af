"""The dashboard in a browser: it lives, it can be used by everybody, and no name becomes markup."""

from __future__ import annotations

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from dashboards import Dashboard
from playwright.sync_api import Browser, Page, expect

from tailrace.engine.executor import OperatorStatistics
from tailrace.runtime.observation import Observation, PartitionStatus
from tailrace.runtime.summary import CheckpointStatus, SinkStatus, SourceStatus, Status
from tailrace.web.address import TOKEN, Address
from tailrace.web.pages import PAGES
from tailrace.web.server import Server

NAMES = [page.name for page in PAGES]
HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[31m</script>"
SECRET = "a secret of the test"  # noqa: S105  of the test


def test_the_graph_moves(page: Page) -> None:
    """Rows flow along the edges, and the numbers change."""
    page.goto("/#/graph")
    expect(page.locator(".node")).to_have_count(6, timeout=20_000)
    expect(page.locator(".edge.moving").first).to_be_attached(timeout=20_000)
    facts = page.locator(".page-graph > .hint").first
    before = facts.text_content()
    expect(facts).not_to_have_text(before or "", timeout=10_000)
    expect(page.locator(".verdict")).to_contain_text(re.compile("It keeps up|Bottleneck"))


def test_a_chart_shows_a_burst(page: Page, dashboard: Dashboard) -> None:
    """That this test makes; before it the throughput was low."""
    page.goto("/#/time-lines")
    chart = page.locator(".chart", has_text="Throughput").locator("canvas")
    expect(chart).to_have_attribute("aria-label", re.compile(r"rows in \d\d?(\.\d)?/s"), timeout=20_000)
    most = "Math.max(...Chart.getChart(document.querySelector('canvas')).data.datasets[0].data.slice(-5).map(p => p.y))"
    assert page.evaluate(most) < 1000
    dashboard.payments.burst.set()
    end = time.monotonic() + 20
    while page.evaluate(most) < 5000 and time.monotonic() < end:
        page.wait_for_timeout(200)
    assert page.evaluate(most) > 5000


def test_by_keyboard(page: Page) -> None:
    """An operator is chosen, and the page changed, without a pointer."""
    page.goto("/#/graph")
    node = page.locator(".node").first
    node.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".panel")).to_contain_text("Rows out")
    page.locator("nav a", has_text="Sources").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sources")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")


@pytest.mark.parametrize("name", NAMES)
def test_everybody_can_use_it(browser: Browser, dashboard: Dashboard, name: str) -> None:
    """No fault is found by axe on a wide and a narrow screen, in light and dark; nothing sticks out."""
    for width in (1280, 390):
        with browser.new_context(viewport={"width": width, "height": 800}) as context:
            page = context.new_page()
            page.goto(f"{dashboard.url}/#/{name}")
            expect(page.locator(f".page-{name}")).to_be_visible(timeout=20_000)
            expect(page.locator("#state")).not_to_be_empty()
            for theme in ("light", "dark"):
                page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
                found = Axe().run(page).response["violations"]
                assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == [], f"{width} {theme}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width


class Hostile:
    """A job whose every text is an attack."""

    inspection = None
    control = None

    def observe(self) -> Observation:
        source = SourceStatus(HOSTILE, HOSTILE, 1, 1, 1, 1, {HOSTILE: 1}, 1, 1, HOSTILE)
        status = Status(HOSTILE, HOSTILE, 1.0, (source,), (SinkStatus("o", HOSTILE, 1, 0, 0),), CheckpointStatus())
        operators = (
            OperatorStatistics(HOSTILE, 1, 1, 0, 0, None, 0.0, HOSTILE, ()),
            OperatorStatistics("o", 1, 1, 0, 0, None, 0.0, HOSTILE, (HOSTILE,)),
        )
        return Observation(status, operators, (PartitionStatus(HOSTILE, HOSTILE, HOSTILE),))


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text(browser: Browser, name: str) -> None:
    """Whatever a job, table, partition or reason is called: it is shown, and never is markup."""
    with Server(Address("127.0.0.1", 0), lambda: [Hostile()]) as server, browser.new_context() as context:
        page = context.new_page()
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        page.goto(f"{server.url}/#/{name}")
        expect(page.locator(f".page-{name}")).to_be_visible(timeout=20_000)
        expect(page.locator("#state")).to_have_text(HOSTILE)
        assert page.locator("img[src=x]").count() == 0


def test_signing_in(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is asked for once, and scripts can't read what the browser keeps."""
    monkeypatch.setenv(TOKEN, SECRET)
    with Server(Address("127.0.0.1", 0), lambda: [Hostile()]) as server, browser.new_context() as context:
        page = context.new_page()
        page.goto(server.url)
        expect(page).to_have_url(f"{server.url}/login")
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("this is not the token")
        assert Axe().run(page).response["violations"] == []
        page.get_by_label("Token").fill(SECRET)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#state")).to_have_text(HOSTILE)
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(f"{server.url}/login")
