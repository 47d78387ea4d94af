"""GROUP BY without a window against an independent computation, with rows taken back, in any batches, over restarts."""

from __future__ import annotations

import random
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from change_tables import table_of

from tailrace.engine.batch import KIND, RowKind
from tailrace.engine.operator import Times
from tailrace.engine.operators.group_aggregate import GroupAggregateOperator
from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Aggregate, Scan
from tailrace.schema import BIGINT, BOOLEAN, STRING, DataType, Field, Schema, decimal
from tailrace.state.delta import StateDelta

INPUT = Schema(
    (Field("k", STRING), Field("v", BIGINT), Field("d", decimal(10, 2)), Field("s", STRING), Field("f", BOOLEAN))
)

TYPES: dict[str, pl.DataType] = dict(INPUT.polars)


def call(
    function: str, result: DataType, arg: str | None = None, *, distinct: bool = False, use: str | None = None
) -> AggregateCall:
    """Make an aggregate call over a column of the input."""
    return AggregateCall(function, result, arg, INPUT[arg].type if arg else None, distinct, use)


CALLS = (
    call("COUNT", BIGINT),
    call("SUM", BIGINT, "v"),
    call("MIN", BIGINT, "v"),
    call("MAX", STRING, "s"),
    call("SUM", decimal(38, 2), "d"),
    call("COUNT", BIGINT, "s", distinct=True),
    call("SUM", BIGINT, "v", distinct=True),
    call("MAX", BIGINT, "v", use="f"),
    call("AVG", decimal(38, 6), "d"),
)
Row = tuple[object, ...]


def operator(keys: tuple[str, ...], *, retract: bool, ttl: int = 0) -> GroupAggregateOperator:
    """Make the operator for all calls."""
    outputs = tuple(Field(f"a{i}", c.type) for i, c in enumerate(CALLS))
    schema = Schema(tuple(INPUT[k] for k in keys) + outputs)
    scan = Scan(schema=INPUT, table=Table("t", (), INPUT, {}))
    return GroupAggregateOperator(
        Aggregate(schema=schema, input=scan, keys=keys, aggregates=CALLS), retract=retract, ttl=ttl
    )


def changes(rng: random.Random, count: int, *, retract: bool) -> pl.DataFrame:
    """Make rows with NULLs and few keys; with `retract` a part of those that are there is taken back, in random order."""
    there: list[Row] = []
    out: list[Row] = []
    for _ in range(count):
        if retract and there and rng.random() < 0.45:
            out.append(
                (*there.pop(rng.randrange(len(there))), int(rng.choice([RowKind.UPDATE_BEFORE, RowKind.DELETE])))
            )
            continue
        row = (
            rng.choice(["a", "b", None]),
            rng.choice([None, rng.randint(-3, 3)]),
            rng.choice([None, f"{rng.randint(-500, 500) / 100:.2f}"]),
            rng.choice([None, "x", "y", "z"]),
            rng.choice([None, True, False]),
        )
        there.append(row)
        out.append((*row, int(rng.choice([RowKind.INSERT, RowKind.UPDATE_AFTER])) if retract else 0))
    frame = pl.DataFrame(out, schema=["k", "v", "d", "s", "f", KIND], orient="row", infer_schema_length=None)
    return frame.cast(pl.Schema(TYPES | {KIND: pl.Int8()}))


def left(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the rows that are there in the end."""
    rows = table_of([frame])
    return pl.DataFrame(list(rows.elements()), schema=INPUT.polars, orient="row")


def expected(frame: pl.DataFrame, keys: tuple[str, ...]) -> Counter[Row]:
    """Compute the groups in one batch."""
    rows = left(frame)
    v, d, s = pl.col("v"), pl.col("d"), pl.col("s")
    known = rows.with_columns(pl.lit(1).alias("all"))
    out = known.group_by(list(keys) or ["all"]).agg(
        pl.len().cast(pl.Int64).alias("a0"),
        pl.when(v.count() > 0).then(v.sum()).alias("a1"),
        v.min().alias("a2"),
        s.max().alias("a3"),
        pl.when(d.count() > 0).then(d.sum()).alias("a4"),
        s.drop_nulls().n_unique().cast(pl.Int64).alias("a5"),
        pl.when(v.count() > 0).then(v.unique().sum()).alias("a6"),
        v.filter(pl.col("f").fill_null(value=False)).max().alias("a7"),
        d.count().alias("count"),
    )
    groups = out.drop("all", strict=False).rows()
    at = len(keys) + 4
    return Counter((*row[:-1], None if row[at] is None else average(row[at], row[-1])) for row in groups)


def average(total: Decimal, count: int) -> Decimal:
    """Divide as Flink does: six places, half up."""
    return (total / count).quantize(Decimal("0.000001"), ROUND_HALF_UP)


@pytest.mark.parametrize("keys", [("k",), ("k", "s"), ()])
@pytest.mark.parametrize("retract", [False, True])
@pytest.mark.parametrize("size", [1, 7, 400])
def test_the_changes_make_the_groups(keys: tuple[str, ...], size: int, *, retract: bool) -> None:
    """Whatever the batches, with a checkpoint after each and restarts, the changes are valid and end in the right groups."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    frame = changes(random.Random(seed), 400, retract=retract)  # noqa: S311 - test data
    running, out, deltas = operator(keys, retract=retract), [], list[StateDelta]()
    for place in range(0, len(frame), size):
        batch = frame.slice(place, size)
        out += running.process(0, batch if retract else batch.drop(KIND), Times())
        out += running.advance(Times())
        delta = running.snapshot()
        deltas = [delta] if delta.base else [*deltas, delta]
        if place // size % 5 == 4:
            running = operator(keys, retract=retract)
            running.restore(deltas)
    assert table_of(out) == expected(frame, keys)


@pytest.mark.parametrize("retract", [False, True])
def test_a_checkpoint_takes_the_values_that_changed(*, retract: bool) -> None:
    """However many different values a key has, a checkpoint writes only those that came or went since the last one."""
    running, deltas = operator((), retract=retract), list[StateDelta]()
    rows = pl.DataFrame({"k": "a", "v": range(1000), "d": "1.00", "s": [str(i % 900) for i in range(1000)], "f": True})
    rows = rows.cast(pl.Schema(TYPES)).with_columns(pl.lit(0, dtype=pl.Int8).alias(KIND))
    gone = rows.tail(2).with_columns(pl.lit(3, dtype=pl.Int8).alias(KIND))
    more = rows.head(5).with_columns(pl.col("v") + 5000)
    for batch in (rows, pl.concat([more, gone]) if retract else more):
        running.process(0, batch, Times())
        deltas.append(running.snapshot())
    again = operator((), retract=retract)
    again.restore(deltas)
    (result,) = (b for b in again.process(0, more.head(1), Times()) if b[KIND][0] == RowKind.UPDATE_AFTER)

    assert [d.base for d in deltas] == [True, False]
    assert {n: len(f) for n, f in deltas[0].frames.items() if n in {"values-5", "values-6"}} == {
        "values-5": 900,
        "values-6": 1000,
    }
    assert len(deltas[1].frames["values-6"]) == (7 if retract else 5)
    assert ("values-5" in deltas[1].frames) == retract  # how often a text is there has changed
    assert result["a5"].to_list() == [900]
    assert result["a6"].to_list() == [499_500 + 5 * 5000 + 10 - (998 + 999 if retract else 0)]


def test_a_key_that_nobody_touches_is_forgotten() -> None:
    """After its time to live a key begins anew; one that is touched lives on, and is put out even without a change."""
    running = operator(("k",), retract=False, ttl=100)
    row = pl.DataFrame({"k": ["a"], "v": [None], "d": [None], "s": [None], "f": [None]}).cast(pl.Schema(TYPES))
    first, again, anew = (running.process(0, row, Times(now=now)) for now in (0, 99, 199))
    assert [b[KIND].to_list() for b in first] == [[0]]
    assert [b[KIND].to_list() for b in again] == [[1], [2]]
    assert [(b[KIND].to_list(), b["a0"].to_list()) for b in anew] == [([0], [1])]
    running.advance(Times(now=299))
    assert running.state_rows == 0


def test_forgotten_keys_are_compacted_away() -> None:
    """Keys that came and went leave no growing state, and a checkpoint after that is whole."""
    running = operator(("s",), retract=True)
    count = 70_000
    rows = pl.DataFrame({"k": "a", "v": 1, "d": "1.00", "s": [str(i) for i in range(count)], "f": True}).cast(
        pl.Schema(TYPES)
    )
    running.process(0, rows.with_columns(pl.lit(0, dtype=pl.Int8).alias(KIND)), Times())
    base = running.snapshot()
    running.process(0, rows.slice(3).with_columns(pl.lit(3, dtype=pl.Int8).alias(KIND)), Times())
    running.advance(Times())
    assert running.state_rows == 3
    delta = running.snapshot()
    assert base.base
    assert delta.base
    assert sorted(delta.frames["groups"]["s"].to_list()) == ["0", "1", "2"]
    again = operator(("s",), retract=True)
    again.restore([delta])
    out = again.process(0, rows.head(1).with_columns(pl.lit(3, dtype=pl.Int8).alias(KIND)), Times())
    assert [b[KIND].to_list() for b in out] == [[int(RowKind.DELETE)]]
