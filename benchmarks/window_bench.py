"""Rows per second of the window aggregate alone: COUNT and SUM by key, from memory, one core."""

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

ROWS = 4_000_000
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


def batches() -> list[pl.DataFrame]:
    """Make the input: times rise at a fixed rate with half a second of disorder."""
    rng = np.random.default_rng(7)
    ts = np.arange(ROWS) * 1000 // EVENTS_PER_SECOND + rng.integers(0, 500, ROWS)
    frame = pl.DataFrame({"k": rng.integers(0, KEYS, ROWS), "v": rng.random(ROWS), "ts": ts})
    frame = frame.with_columns(pl.col("ts").cast(pl.Datetime("ms")))
    return [frame.slice(i, BATCH) for i in range(0, ROWS, BATCH)]


def main() -> None:
    """Measure, and print one line."""
    schema = Schema((Field("k", BIGINT), Field("v", DOUBLE), Field("ts", timestamp(3))))
    data = batches()
    for _ in range(3):
        op, out = operator(schema), 0
        start = time.perf_counter()
        for i, batch in enumerate(data):
            op.process(0, batch, Times())
            watermark = (i + 1) * BATCH * 1000 // EVENTS_PER_SECOND - 1000
            out += sum(len(b) for b in op.advance(Times(watermark)))
        out += sum(len(b) for b in op.advance(Times(MAX_WATERMARK)))
        seconds = time.perf_counter() - start
        print(f"{ROWS / seconds:,.0f} rows/s, {out} rows out")  # noqa: T201


if __name__ == "__main__":
    main()
