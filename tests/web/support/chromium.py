"""Debian's Chromium without a window, for the tests of the dashboard and its pictures."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from playwright.sync_api import Browser, Playwright

RECIPE = Path(__file__).resolve().parents[2] / "services" / "chromium.sh"
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


def launch(playwright: Playwright) -> Browser:
    """
    Start the browser.

    Raises:
        OSError: it can't be had on this machine.
    """
    made = subprocess.run([str(RECIPE), "start"], capture_output=True, text=True, timeout=LOAD_SECONDS, check=False)
    if made.returncode:
        raise OSError(made.stderr.strip()[-500:])
    found = dict(re.findall(r"(\w+)=(\S+)", made.stdout))
    environment: dict[str, str | float | bool] = dict(os.environ)
    if "libraries" in found:
        environment |= {"LD_LIBRARY_PATH": found["libraries"], "XDG_DATA_HOME": found["data"]}
    return playwright.chromium.launch(executable_path=found["chromium"], env=environment, args=FLAGS)
