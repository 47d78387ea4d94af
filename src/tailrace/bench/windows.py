"""The window aggregate alone: COUNT and SUM by 10,000 keys, from batches in memory."""

from __future__ import annotations

import time

import numpy as np
import polars as pl

from tailrace.engine.batch import MAX_WATERMARK
from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.window_aggregate import WindowAggregateOperator
from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Scan, WindowAggregate, WindowKind, WindowProperty, WindowSpec
from tailrace.schema import BIGINT, DOUBLE, Field, Schema, timestamp

BATCH = 65_536
KEYS = 10_000
EVENTS_PER_SECOND = 100_000


def operator(schema: Schema) -> WindowAggregateOperator:
    """Make a 10-second tumbling count and sum."""
    calls = (AggregateCall("COUNT", BIGINT), AggregateCall("SUM", DOUBLE, "v", DOUBLE))
    out = Schema((schema["k"], Field("n", BIGINT), Field("total", DOUBLE), Field("window_end", timestamp(3))))
    scan = Scan(schema=schema, table=Table("t", (), schema, {}))
    spec = WindowSpec(WindowKind.TUMBLE, "ts", 10_000, 10_000)
    node = WindowAggregate(
        schema=out, input=scan, window=spec, keys=("k",), aggregates=calls, properties=(WindowProperty.END,)
    )
    op = WindowAggregateOperator(node, "UTC")
    op.outbox = Outbox()
    return op


def batches(rows: int) -> list[pl.DataFrame]:
    """Make the input: times rise at a fixed rate with half a second of disorder."""
    rng = np.random.default_rng(7)
    ts = np.arange(rows) * 1000 // EVENTS_PER_SECOND + rng.integers(0, 500, rows)
    frame = pl.DataFrame({"k": rng.integers(0, KEYS, rows), "v": rng.random(rows), "ts": ts})
    frame = frame.with_columns(pl.col("ts").cast(pl.Datetime("ms")))
    return [frame.slice(i, BATCH) for i in range(0, rows, BATCH)]


def measure(rows: int) -> float:
    """Give the seconds that `rows` rows take, the best of three runs after one that warms up."""
    schema = Schema((Field("k", BIGINT), Field("v", DOUBLE), Field("ts", timestamp(3))))
    data = batches(rows)
    return min([_seconds(schema, data) for _ in range(4)][1:])


def _seconds(schema: Schema, data: list[pl.DataFrame]) -> float:
    op = operator(schema)
    start = time.perf_counter()
    for i, batch in enumerate(data):
        op.process(0, batch, Times())
        op.advance(Times((i + 1) * BATCH * 1000 // EVENTS_PER_SECOND - 1000))
    op.advance(Times(MAX_WATERMARK))
    return time.perf_counter() - start
