"""Window aggregates against an independent computation, row by row."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator

import polars as pl
import pytest

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, WATERMARK
from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.window_aggregate import WindowAggregateOperator
from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Scan, WindowAggregate, WindowKind, WindowProperty, WindowSpec
from tailrace.schema import BIGINT, BOOLEAN, STRING, DataType, Field, Schema, decimal, timestamp

INPUT = Schema(
    (
        Field("k", STRING),
        Field("v", BIGINT),
        Field("d", decimal(10, 2)),
        Field("s", STRING),
        Field("f", BOOLEAN),
        Field("ts", timestamp(3)),
    )
)


def call(
    function: str, result: DataType, arg: str | None = None, *, distinct: bool = False, use: str | None = None
) -> AggregateCall:
    """Make an aggregate call over a column of the input."""
    return AggregateCall(function, result, arg, INPUT[arg].type if arg else None, distinct, use)


CALLS = (
    call("COUNT", BIGINT),
    call("SUM", BIGINT, "v"),
    call("AVG", BIGINT, "v"),
    call("MIN", BIGINT, "v"),
    call("MAX", STRING, "s"),
    call("SUM", decimal(38, 2), "d"),
    call("COUNT", BIGINT, "s", distinct=True),
    call("COUNT", BIGINT, "v", use="f"),
)


def operator(spec: WindowSpec, keys: tuple[str, ...] = ("k",)) -> WindowAggregateOperator:
    """Make the operator for all calls."""
    scan = Scan(schema=INPUT, table=Table("t", (), INPUT, {}))
    outputs = tuple(Field(f"a{i}", c.type) for i, c in enumerate(CALLS))
    edges = (Field("window_start", timestamp(3)), Field("window_end", timestamp(3)), Field("window_time", timestamp(3)))
    schema = Schema(tuple(INPUT[k] for k in keys) + outputs + edges)
    properties = (WindowProperty.START, WindowProperty.END, WindowProperty.TIME)
    node = WindowAggregate(schema=schema, input=scan, window=spec, keys=keys, aggregates=CALLS, properties=properties)
    out = WindowAggregateOperator(node, "UTC")
    out.outbox = Outbox()
    return out


Row = tuple[str | None, int | None, object, str | None, bool | None, int]


def rows(count: int, seed: int, spread: int) -> list[Row]:
    """Make rows with NULLs, repeated keys, and times that wander by up to `spread` ms."""
    rng = random.Random(seed)  # noqa: S311 - test data
    out: list[Row] = []
    for i in range(count):
        key = rng.choice(["a", "b", "c", None])
        value = rng.choice([None, rng.randint(-50, 50)])
        money = rng.choice([None, f"{rng.randint(-9999, 9999) / 100:.2f}"])
        out.append(
            (
                key,
                value,
                money,
                rng.choice([None, "x", "yy", "z"]),
                rng.choice([None, True, False]),
                i * 40 - rng.randint(0, spread),
            )
        )
    return out


def frame(part: list[Row], watermarks: list[int] | None = None) -> pl.DataFrame:
    """Make a batch."""
    names = list(zip(*part, strict=True))
    out = pl.DataFrame(
        {
            "k": pl.Series(names[0], dtype=pl.String),
            "v": pl.Series(names[1], dtype=pl.Int64),
            "d": pl.Series(names[2], dtype=pl.String).cast(pl.Decimal(10, 2)),
            "s": pl.Series(names[3], dtype=pl.String),
            "f": pl.Series(names[4], dtype=pl.Boolean),
            "ts": pl.Series(names[5], dtype=pl.Int64).cast(pl.Datetime("ms")),
        }
    )
    return out if watermarks is None else out.with_columns(pl.Series(WATERMARK, watermarks, dtype=pl.Int64))


def windows_of(ts: int, spec: WindowSpec) -> Iterator[tuple[int, int]]:
    """Give (start, end) of each window that has a time, straight from the definition."""
    if spec.kind is WindowKind.CUMULATE:
        start = (ts - spec.offset) // spec.size * spec.size + spec.offset
        yield from ((start, e) for e in range(start + spec.slide, start + spec.size + 1, spec.slide) if ts < e)
        return
    start = (ts - spec.offset) // spec.slide * spec.slide + spec.offset
    while start > ts - spec.size:
        yield start, start + spec.size
        start -= spec.slide


def expected(data: list[Row], watermarks: list[int], spec: WindowSpec) -> tuple[dict[object, tuple[object, ...]], int]:
    """Compute all windows row by row, with Flink's rule for late rows; give results by key and window, and late rows."""
    groups: dict[object, list[Row]] = defaultdict(list)
    late = 0
    for row, watermark in zip(data, watermarks, strict=True):
        windows = list(windows_of(row[5], spec))
        still_open = [w for w in windows if w[1] - 1 > watermark]
        late += bool(windows) and not still_open
        for window in still_open:
            groups[row[0], window].append(row)
    return {key: summary(group) for key, group in groups.items()}, late


def summary(group: list[Row]) -> tuple[object, ...]:
    """Aggregate one group in plain Python."""
    values = [r[1] for r in group if r[1] is not None]
    money = [round(float(str(r[2])) * 100) for r in group if r[2] is not None]
    texts = [r[3] for r in group if r[3] is not None]
    total = sum(values)
    average = None if not values else math.trunc(total / len(values))
    return (
        len(group),
        total if values else None,
        average,
        min(values, default=None),
        max(texts, default=None),
        sum(money) if money else None,
        len(set(texts)),
        sum(1 for r in group if r[4] and r[1] is not None),
    )


def result(batches: list[pl.DataFrame]) -> dict[object, tuple[object, ...]]:
    """Read the operator's output as the oracle gives it."""
    out: dict[object, tuple[object, ...]] = {}
    for batch in batches:
        for *key_and_aggregates, start, end, time in batch.with_columns(
            pl.col("window_start", "window_end", "window_time").to_physical()
        ).iter_rows():
            key, *aggregates = key_and_aggregates
            assert time == end - 1
            money = aggregates[5]
            aggregates[5] = None if money is None else round(money * 100)
            assert (key, (start, end)) not in out
            out[key, (start, end)] = tuple(aggregates)
    return out


SPECS = (
    WindowSpec(WindowKind.TUMBLE, "ts", 1000, 1000),
    WindowSpec(WindowKind.TUMBLE, "ts", 1000, 1000, offset=300),
    WindowSpec(WindowKind.HOP, "ts", 3000, 1000),
    WindowSpec(WindowKind.HOP, "ts", 2500, 1000, offset=-200),
    WindowSpec(WindowKind.HOP, "ts", 500, 1500),
    WindowSpec(WindowKind.CUMULATE, "ts", 3000, 500),
)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("restart", [False, True], ids=["", "restart"])
def test_rows_with_their_own_watermarks(spec: WindowSpec, size: int, *, restart: bool) -> None:
    """Late and out-of-order rows count in just the windows that are open for them, however they are batched."""
    data = rows(150 if size == 1 else 600, seed=size, spread=5500)
    marks: list[int] = []
    top = MIN_WATERMARK
    for row in data:
        marks.append(top)
        top = max(top, row[5] - 700)
    op = operator(spec)
    out: list[pl.DataFrame] = []
    deltas = []
    for start in range(0, len(data), size):
        part, own = data[start : start + size], marks[start : start + size]
        out += op.process(0, frame(part, own), Times())
        reached = max(
            m if m != MIN_WATERMARK else MIN_WATERMARK for m in [*own, part[-1][5] - 700, *(r[5] - 700 for r in part)]
        )
        out += op.advance(Times(reached))
        if restart and start % (3 * size) == 0:
            deltas.append(op.snapshot())
            op, old = operator(spec), op
            op.restore(deltas)
            assert op.state_rows == old.state_rows
            deltas = []
    out += op.advance(Times(MAX_WATERMARK))
    want, late = expected(data, marks, spec)

    assert result(out) == want
    assert late > 0
    assert op.late_rows == late
    assert op.state_rows == 0


def test_increments_after_a_base_restore_the_same_state() -> None:
    """A base and the increments after it give the state as it was."""
    spec = SPECS[2]
    data = rows(300, seed=5, spread=500)
    op = operator(spec)
    deltas = []
    for start in range(0, 300, 50):
        op.process(0, frame(data[start : start + 50]), Times())
        deltas.append(op.snapshot())
    assert [d.base for d in deltas] == [True, False, False, False, False, False]

    other = operator(spec)
    other.restore(deltas)

    assert result(other.advance(Times(MAX_WATERMARK))) == result(op.advance(Times(MAX_WATERMARK)))


def test_global_windows() -> None:
    """Without keys there is one row a window."""
    op = operator(WindowSpec(WindowKind.HOP, "ts", 2000, 1000), keys=())
    op.process(0, frame([("a", 1, "1.00", "x", True, 500), ("b", 2, "2.00", "x", False, 1500)]), Times())
    out = pl.concat(op.advance(Times(MAX_WATERMARK)))

    assert out.select("a0", "a1", "a6").rows() == [(1, 1, 1), (2, 3, 1), (1, 2, 1)]
