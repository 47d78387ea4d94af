"""Sorting by time against a computation row by row: any batches, ties, late rows, restarts."""

from __future__ import annotations

import random

import polars as pl
import pytest
import timed_runs as timed

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK
from tailrace.engine.operator import Times
from tailrace.engine.operators.sort import SortByClockOperator, SortOperator
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Scan, Sort, SortKey

SCAN = Scan(schema=timed.INPUT, table=Table("t", (), timed.INPUT, {}))
TIME = SortKey("ts", descending=False, nulls_last=False)
VALUE = SortKey("v", descending=True, nulls_last=True)


def expected(given: list[timed.Row], delay: int, *, by_value: bool) -> tuple[list[int], int]:
    """Put rows out as the watermark passes them; give their numbers, and how many came too late."""
    out: list[int] = []
    waiting: list[timed.Row] = []
    last, late = MIN_WATERMARK, 0
    marks = timed.watermarks(given, delay)
    for row, before, watermark in zip(given, marks, [*marks[1:-1], MAX_WATERMARK], strict=False):
        if row[3] <= last:
            late += 1
        else:
            waiting.append(row)
        if watermark > before:
            due = [r for r in waiting if r[3] <= watermark]
            due.sort(key=lambda r: (r[3], -(r[2] or 0) if by_value else 0))
            waiting = [r for r in waiting if r[3] > watermark]
            out += [r[0] for r in due]
            last = max([last, *(r[3] for r in due)])
    return out, late


@pytest.fixture(autouse=True)
def _crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    timed.crowd(monkeypatch)


@pytest.mark.parametrize("size", [1, 5, 200])
@pytest.mark.parametrize("delay", [0, 5, 20])
@pytest.mark.parametrize("by_value", [False, True])
def test_rows_come_in_order(delay: int, size: int, *, by_value: bool) -> None:
    """Rows come in the order of time, and a row not after the last one that was put out is late."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    given = timed.rows(random.Random(seed), 200)  # noqa: S311 - test data
    plan = Sort(schema=timed.INPUT, input=SCAN, order=(TIME, VALUE) if by_value else (TIME,), time="ts")
    out, late = timed.run(lambda: SortOperator(plan), given, delay, size)
    assert (timed.numbers(out), late) == expected(given, delay, by_value=by_value)


def test_without_a_watermark_of_each_row() -> None:
    """Rows are judged against what was put out at the last tick."""
    plan = Sort(schema=timed.INPUT, input=SCAN, order=(TIME,), time="ts")
    running = timed.started(lambda: SortOperator(plan))

    def tick(before: int, after: int, *times: int) -> list[int]:
        rows = [(time, "a", 1, time) for time in times]
        frame = pl.DataFrame(rows, schema=list(timed.INPUT.names), orient="row")
        running.process(0, frame.with_columns(pl.col("ts").cast(pl.Datetime("ms"))), Times(before))
        return timed.numbers(running.advance(Times(after)))

    assert tick(MIN_WATERMARK, 10, 12, 7, 10) == [7, 10]
    assert tick(10, 15, 9, 10, 11, 20) == [11, 12]
    assert timed.numbers(running.advance(Times(MAX_WATERMARK))) == [20]
    assert running.late_rows == 2
    assert running.state_rows == 0


def test_by_the_clock() -> None:
    """Rows of one moment are sorted by what follows."""
    clock = SortKey("ts", descending=False, nulls_last=False)
    rows = pl.DataFrame({"id": [1, 2, 3, 4], "v": [None, 1, 3, 1]})
    plans = [Sort(schema=timed.INPUT, input=SCAN, order=o, processing_time=True) for o in ((clock,), (clock, VALUE))]
    out = [timed.numbers(SortByClockOperator(p).process(0, rows, Times())) for p in plans]
    assert out == [[1, 2, 3, 4], [3, 2, 4, 1]]
