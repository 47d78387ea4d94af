"""Write the pictures of the dashboard in docs/images/dashboard: one of each page, of the demo while it runs."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "web" / "support"))

from chromium import launch  # noqa: E402  it stands with the tests

from tailrace.web.pages import PAGES  # noqa: E402  as above

PICTURES = ROOT / "docs" / "images" / "dashboard"
WARM_SECONDS = 45
"""So long the demo runs before: charts with nothing on them say nothing."""

DEMO = [sys.executable, "-m", "tailrace", "demo", "--ui", "0", "--database", "demo.db"]
NARROW = "graph"
"""This page is shown on a small screen, in the dark, too."""


def main() -> None:
    """Run the demo and write the pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = subprocess.Popen(DEMO, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # noqa: S603  ours
        try:
            assert demo.stderr is not None
            url = re.findall(r"http://\S+", next(line for line in demo.stderr if "dashboard" in line))[0]
            browser = launch(playwright)
            take(browser, url)
        finally:
            demo.terminate()
            demo.communicate(timeout=60)


def take(browser: Browser, url: str) -> None:
    """Take a picture of each page."""
    page = browser.new_page(viewport={"width": 1280, "height": 760}, color_scheme="light")
    page.goto(url)
    page.wait_for_timeout(WARM_SECONDS * 1000)
    for one in PAGES:
        page.goto(f"{url}/#/{one.name}")
        page.wait_for_timeout(3000)
        if one.name == "dead-letters":
            page.locator("[data-letter] button").first.click()
            page.wait_for_timeout(1000)
        page.screenshot(path=PICTURES / f"{one.name}.png")
    page = browser.new_page(viewport={"width": 390, "height": 760}, color_scheme="dark")
    page.goto(f"{url}/#/{NARROW}")
    page.wait_for_timeout(3000)
    page.screenshot(path=PICTURES / f"{NARROW}-narrow.png")


if __name__ == "__main__":
    main()
