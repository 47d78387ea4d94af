"""A browser for each module, and a job with a dashboard that it looks at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from chromium import launch
from dashboards import Dashboard, Payments
from playwright.sync_api import Browser, Page, sync_playwright

import tailrace as tr


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a Chromium without a window; while there is one, no test of this process can run an event loop."""
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except OSError as error:
            pytest.skip(f"the dashboard in a browser: Chromium can't be had: {error}")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def dashboard() -> Iterator[Dashboard]:
    """Give the dashboard of a job that counts payments in windows."""
    payments = Payments()
    columns = {"card": str, "amount": int, "ts": datetime}
    rows = tr.from_rows(payments.rows, columns, name="payments", time=tr.event_time("ts", delay="1s"), bounded=False)
    counts = rows.window(tr.tumble("1s")).group_by("card").agg(n=tr.count())
    job = counts.to("blackhole").start("fraud")
    with tr.serve(job, listen="0") as server:
        yield Dashboard(server.url, payments, "fraud")
        payments.over.set()
        job.stop()


@pytest.fixture
def page(browser: Browser, dashboard: Dashboard) -> Iterator[Page]:
    """Give a page at the dashboard; whatever the browser complains of fails the test."""
    with browser.new_context(base_url=dashboard.url, viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        yield page
        assert complaints == []
