"""First and last rows of keys against a computation row by row: any batches, ties, late rows, restarts."""

from __future__ import annotations

import random

import polars as pl
import pytest
import timed_runs as timed
from change_tables import table_of

from tailrace.engine.batch import KIND
from tailrace.engine.operator import Times
from tailrace.engine.operators.keep_first import KeepEarliestOperator, KeepFirstOperator
from tailrace.engine.operators.rank import RankOperator
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Deduplicate, Scan

SCAN = Scan(schema=timed.INPUT, table=Table("t", (), timed.INPUT, {}))
SIZES = [1, 5, 200]


def node(*, last: bool, processing_time: bool) -> Deduplicate:
    """Make the node."""
    return Deduplicate(
        schema=timed.INPUT, input=SCAN, keys=("k",), time="ts", last=last, processing_time=processing_time
    )


@pytest.fixture(autouse=True)
def _crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    timed.crowd(monkeypatch)


@pytest.fixture
def given() -> list[timed.Row]:
    """Rows that are the same for all sizes of batches in a run, and are printed by their seed."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    return timed.rows(random.Random(seed), 200)  # noqa: S311 - test data


@pytest.mark.parametrize("size", SIZES)
def test_the_first_that_came(given: list[timed.Row], size: int) -> None:
    """By processing time it is put out at once, and no other."""
    plan = node(last=False, processing_time=True)
    out, late = timed.run(lambda: KeepFirstOperator(plan), given, 0, size)
    want = {key: number for number, key, *_ in reversed(given)}
    assert timed.numbers(out) == sorted(want.values())
    assert late == 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("processing_time", [False, True])
def test_the_last(given: list[timed.Row], size: int, *, processing_time: bool) -> None:
    """Of rows of one time the one that came last counts, and no row is late."""
    plan = node(last=True, processing_time=processing_time)
    out, late = timed.run(lambda: RankOperator(plan, None), given, 0, size)
    want: dict[str | None, timed.Row] = {}
    for row in given:
        if processing_time or row[1] not in want or want[row[1]][3] <= row[3]:
            want[row[1]] = row
    table = table_of(b.drop("ts") for b in out)
    assert sorted(table.elements()) == sorted(row[:3] for row in want.values())
    assert late == 0
    assert {kind for batch in out for kind in batch[KIND].unique()} <= {0, 1, 2}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("delay", [0, 5, 20])
def test_the_earliest(given: list[timed.Row], delay: int, size: int) -> None:
    """The earliest row that is not before the watermark; one that would have been it but came too late is counted."""
    plan = node(last=False, processing_time=False)
    out, late = timed.run(lambda: KeepEarliestOperator(plan), given, delay, size)
    want: dict[str | None, timed.Row] = {}
    missed = 0
    for row, watermark in zip(given, timed.watermarks(given, delay), strict=False):
        known = want.get(row[1])
        if known is not None and known[3] <= row[3]:
            continue
        if row[3] < watermark:
            missed += 1
        else:
            want[row[1]] = row
    assert sorted(timed.numbers(out)) == sorted(row[0] for row in want.values())
    assert late == missed


def test_a_key_is_forgotten_after_its_time_to_live() -> None:
    """Then its next row is a first one again, whether rows that were dropped came in between or not."""
    plan = node(last=False, processing_time=True)
    running = timed.started(lambda: KeepFirstOperator(plan, ttl=100))
    row = pl.DataFrame([(1, "a", 1, 0)], schema=list(timed.INPUT.names), orient="row")
    row = row.with_columns(pl.col("ts").cast(pl.Datetime("ms")))
    came = [sum(map(len, running.process(0, row, Times(now=now)))) for now in (0, 99, 100, 150)]
    assert came == [1, 0, 1, 0]
    running.advance(Times(now=200))
    assert running.state_rows == 0
