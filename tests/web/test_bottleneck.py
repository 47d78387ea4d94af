"""What sets the pace of a real job is found, and seen in a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Browser, expect

import tailrace as tr
from tailrace.web.history import JobHistory
from tailrace.web.views import observation_view

WAIT = 30_000
RED = "rgb(216, 69, 60)"


def numbers() -> Iterator[dict[str, Any]]:
    """Give rows as fast as they are taken."""
    while True:
        for n in range(1000):
            yield {"n": n}


@tr.udf(result_type="BIGINT", input_types=["BIGINT"])
def slowly(values: pl.Series) -> pl.Series:
    """Take a while for each batch."""
    time.sleep(0.1)
    return values


@pytest.fixture
def job() -> Iterator[tr.Job]:
    """Give a job whose time goes into a function."""
    rows = tr.from_rows(numbers, {"n": int}, name="numbers", bounded=False)
    job = rows.select(m=tr.call(slowly, tr.col("n"))).filter(tr.col("m") > 10).to("blackhole").start("slow")
    yield job
    job.stop()
    job.wait()


def test_a_slow_function_is_the_bottleneck(job: tr.Job) -> None:
    """The operator that calls it takes the engine's time."""
    history, found = JobHistory(), None
    end = time.monotonic() + 30
    while (found is None or found["name"] != "calc") and time.monotonic() < end:  # at first it only reads
        time.sleep(0.5)
        seen = job.observe()
        if seen is not None and seen.operators:
            found = history.take(observation_view(seen), time.time_ns() // 1_000_000)["bottleneck"]
    assert found is not None
    assert (found["name"], found["reason"]) == ("calc", "it takes most of the engine's time")


def test_a_slow_function_is_seen(browser: Browser, job: tr.Job) -> None:
    """The graph names the operator beside a red rule and marks it; the function's calls and time stand in a table."""
    with tr.serve(job, listen="0") as server, browser.new_page() as page:
        page.goto(f"{server.url}/#/graph")
        said = page.locator(".verdict")
        expect(said).to_contain_text("it takes most of the engine's time", timeout=WAIT)
        expect(said).to_have_css("border-left-color", RED)
        expect(page.locator(".node.slow")).to_have_attribute("aria-label", re.compile("bottleneck"))
        page.goto(f"{server.url}/#/profile")
        function = page.locator("table", has_text="Functions of yours").get_by_role("row", name="slowly")
        calls, _, failed, spent, _ = (function.get_by_role("cell").nth(i) for i in range(-5, 0))
        expect(calls).to_have_text(re.compile("[1-9]"), timeout=WAIT)
        expect(failed).to_have_text("0")
        expect(spent).to_have_text(re.compile(r"[1-9].* (ms|s|min)"))
