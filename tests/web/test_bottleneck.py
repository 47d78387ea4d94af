"""What sets the pace of a real job is found."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import polars as pl

import tailrace as tr
from tailrace.web.history import JobHistory
from tailrace.web.views import observation_view


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


def test_a_slow_function_is_the_bottleneck() -> None:
    """The operator that calls it takes the engine's time."""
    rows = tr.from_rows(numbers, {"n": int}, name="numbers", bounded=False)
    job = rows.select(m=tr.call(slowly, tr.col("n"))).filter(tr.col("m") > 10).to("blackhole").start("slow")
    history, found = JobHistory(), None
    end = time.monotonic() + 30
    try:
        while (found is None or found["name"] != "calc") and time.monotonic() < end:  # at first it only reads
            time.sleep(0.5)
            seen = job.observe()
            if seen is not None and seen.operators:
                found = history.take(observation_view(seen), time.time_ns() // 1_000_000)["bottleneck"]
    finally:
        job.stop()
        job.wait()
    assert found is not None
    assert (found["name"], found["reason"]) == ("calc", "it takes most of the engine's time")
