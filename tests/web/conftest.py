"""A browser for the session, and a job with a dashboard that it looks at."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from dashboards import Dashboard, Payments
from playwright.sync_api import Browser, Page, sync_playwright

import tailrace as tr

RECIPE = Path(__file__).resolve().parents[1] / "services" / "chromium.sh"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOAD_SECONDS = 600
"""The first start downloads the browser."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give a Chromium without a window."""
    made = subprocess.run([str(RECIPE), "start"], capture_output=True, text=True, timeout=LOAD_SECONDS, check=False)
    if made.returncode:
        pytest.skip(f"the dashboard in a browser: Chromium can't be had: {made.stderr.strip()[-500:]}")
    found = dict(re.findall(r"(\w+)=(\S+)", made.stdout))
    environment: dict[str, str | float | bool] = dict(os.environ)
    if "libraries" in found:
        environment |= {"LD_LIBRARY_PATH": found["libraries"], "XDG_DATA_HOME": found["data"]}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found["chromium"], env=environment, args=FLAGS)
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
