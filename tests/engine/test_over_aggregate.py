"""OVER against a computation row by row, for each kind of frame, in any batches, over restarts."""

from __future__ import annotations

import random

import polars as pl
import pytest

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK
from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.over_aggregate import OverAggregateOperator
from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Frame, OverAggregate, Scan
from tailrace.schema import BIGINT, STRING, Field, Schema, array, timestamp
from tailrace.state.delta import StateDelta

INPUT = Schema(
    (Field("id", BIGINT), Field("k", STRING), Field("v", BIGINT), Field("s", STRING), Field("ts", timestamp(3)))
)
CALLS = (
    AggregateCall("COUNT", BIGINT),
    AggregateCall("SUM", BIGINT, "v", BIGINT),
    AggregateCall("MIN", BIGINT, "v", BIGINT),
    AggregateCall("MAX", STRING, "s", STRING),
    AggregateCall("COUNT", BIGINT, "v", BIGINT, distinct=True),
    AggregateCall("SUM", BIGINT, "v", BIGINT, distinct=True),
    AggregateCall("ARRAY_AGG", array(BIGINT), "v", BIGINT, distinct=True),
    AggregateCall("LAG", BIGINT, "v", BIGINT, constants=(1,)),
    AggregateCall("LAG", BIGINT, "v", BIGINT, constants=(3, -7)),
)
DELAY = 20
Row = tuple[int, str | None, int | None, str | None, int]


def operator(frame: Frame) -> OverAggregateOperator:
    """Make the operator."""
    fields = tuple(Field(f"a{i}", c.type) for i, c in enumerate(CALLS))
    node = OverAggregate(
        schema=Schema((*INPUT.fields, *fields)),
        input=Scan(schema=INPUT, table=Table("t", (), INPUT, {})),
        partition=("k",),
        time="ts",
        processing_time=False,
        frame=frame,
        calls=CALLS,
    )
    out = OverAggregateOperator(node)
    out.outbox = Outbox()
    return out


def rows(seed: int, count: int) -> list[Row]:
    """Make rows out of order by less than the watermark's delay."""
    rng = random.Random(seed)  # noqa: S311 - test data
    time, out = 100, list[Row]()
    for i in range(count):
        time += rng.choice([0, 0, 1, 4, 9])
        value, text = rng.choice([None, 1, 2, -3]), rng.choice([None, "x", "y"])
        out.append((i, rng.choice(["a", "b", None]), value, text, time - rng.choice([0, 0, 3, DELAY - 1])))
    return out


def expected(given: list[Row], frame: Frame) -> list[tuple[object, ...]]:
    """Look at every row's frame by itself."""
    ordered = sorted(given, key=lambda r: r[4])
    out = []
    for place, row in enumerate(ordered):
        peers = [r for r in ordered if r[1] == row[1]]
        if frame.rows:
            before = [r for r in ordered[: place + 1] if r[1] == row[1]]
            members = before if frame.preceding is None else before[-frame.preceding - 1 :]
        else:
            low = -1 if frame.preceding is None else row[4] - frame.preceding
            members = [r for r in peers if low <= r[4] <= row[4]]
        values = [r[2] for r in members if r[2] is not None]
        texts = [r[3] for r in members if r[3] is not None]
        results = (
            len(members),
            sum(values) if values else None,
            min(values, default=None),
            max(texts, default=None),
            len(set(values)),
            sum(set(values)) if values else None,
            list(dict.fromkeys(r[2] for r in members)),
            members[-2][2] if len(members) > 1 else None,
            members[-4][2] if len(members) > 3 else -7,
        )
        out.append((row[0], *results))
    numbers = [r[0] for r in ordered]
    return [out[numbers.index(i)] for i in sorted(numbers)]


@pytest.mark.parametrize("size", [1, 6, 400])
@pytest.mark.parametrize(
    "frame",
    [
        Frame(rows=False),
        Frame(rows=True),
        Frame(rows=True, preceding=3),
        Frame(rows=False, preceding=15),
        Frame(rows=False, preceding=0),
    ],
    ids=str,
)
def test_every_frame(frame: Frame, size: int) -> None:
    """Whatever the batches, with a restart after each third, each row has the aggregates of its frame."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    given = rows(seed, 300)
    table = pl.DataFrame(given, schema=["id", "k", "v", "s", "ts"], orient="row", infer_schema_length=None)
    batches = table.with_columns(pl.col("ts").cast(pl.Datetime("ms")))
    running, out, deltas, watermark = operator(frame), list[pl.DataFrame](), list[StateDelta](), MIN_WATERMARK
    for number, place in enumerate(range(0, len(table), size)):
        running.process(0, batches.slice(place, size), Times(watermark))
        watermark = max(watermark, max(r[4] for r in given[place : place + size]) - DELAY)
        out += running.advance(Times(watermark))
        if number % 3 == 2:
            delta = running.snapshot()
            deltas = [delta] if delta.base else [*deltas, delta]
            running = operator(frame)
            running.restore(deltas)
    out += running.advance(Times(MAX_WATERMARK))
    got = pl.concat(out).sort("id").select("id", *(f"a{i}" for i in range(len(CALLS)))).rows()
    assert got == expected(given, frame)
    assert running.late_rows == 0
