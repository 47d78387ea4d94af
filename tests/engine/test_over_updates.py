"""OVER over rows that come and go, against a computation of the whole: any batches, equal rows, restarts, a time to live."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from change_tables import table_of

from tailrace.engine.batch import KIND, RowKind
from tailrace.engine.operator import Times
from tailrace.engine.operators.over_updates import OverUpdatesOperator
from tailrace.engine.ranked_rows import Identity
from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Frame, OverUpdates, Scan, SortKey
from tailrace.schema import BIGINT, INT, STRING, Field, Schema
from tailrace.state import row_queues, row_store
from tailrace.state.delta import StateDelta

INPUT = Schema((Field("id", INT), Field("k", STRING), Field("v", BIGINT)))
CALLS = (
    AggregateCall("SUM", BIGINT, "v", BIGINT),
    AggregateCall("MAX", BIGINT, "v", BIGINT),
    AggregateCall("RANK", BIGINT.with_nullable(False)),
    AggregateCall("DENSE_RANK", BIGINT.with_nullable(False)),
)
SCHEMA = Schema((*INPUT.fields, Field("s", BIGINT), Field("m", BIGINT), Field("r", BIGINT), Field("d", BIGINT)))
Row = tuple[Any, ...]


@pytest.fixture(autouse=True)
def _crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores compact, and checkpoints have new bases, all the time."""
    monkeypatch.setattr(row_store, "_FEW", 5)
    monkeypatch.setattr(row_queues, "_FEW", 5)


def node(frame: Frame) -> OverUpdates:
    """Make the node: partitions by k, in the order of v."""
    scan = Scan(schema=INPUT, table=Table("t", (), INPUT, {}))
    order = (SortKey("v", descending=False, nulls_last=False),)
    return OverUpdates(schema=SCHEMA, input=scan, partition=("k",), order=order, frame=frame, calls=CALLS)


def changes(seed: int, *, unique: bool) -> tuple[list[tuple[int, Row]], list[Row]]:
    """Give changes and the rows that are left, as they came; without `unique` there are equal rows."""
    rng = random.Random(seed)  # noqa: S311 - test data
    left: list[Row] = []
    out: list[tuple[int, Row]] = []
    for number in range(250):
        if left and rng.random() < 0.4:
            gone = rng.choice(left)
            left.remove(gone)  # of equal rows the first that came
            out.append((int(rng.choice((RowKind.DELETE, RowKind.UPDATE_BEFORE))), gone))
        else:
            row = (number if unique else 0, rng.choice(("a", "b", None)), rng.choice((None, *range(5))))
            left.append(row)
            out.append((int(rng.choice((RowKind.INSERT, RowKind.UPDATE_AFTER))), row))
    return out, left


def expected(left: list[Row], frame: Frame) -> list[Row]:
    """Compute all partitions at once, row by row."""
    out: list[Row] = []
    for k in ("a", "b", None):
        mine = sorted((r for r in left if r[1] == k), key=lambda r: (r[2] is not None, r[2] or 0))
        for i, row in enumerate(mine):
            last = i if frame.rows else max(j for j, r in enumerate(mine) if r[2] == row[2])
            first = 0 if frame.preceding is None else max(0, i - frame.preceding)
            values = [r[2] for r in mine[first : last + 1] if r[2] is not None]
            place = 1 + min(j for j, r in enumerate(mine) if r[2] == row[2])
            dense = len({r[2] for r in mine[: i + 1]})
            out.append((*row, sum(values) if values else None, max(values, default=None), place, dense))
    return sorted(out, key=repr)


def batch(given: list[tuple[int, Row]]) -> pl.DataFrame:
    """Make a batch."""
    rows = pl.DataFrame([r for _, r in given], schema=INPUT.polars, orient="row")
    return rows.with_columns(pl.Series(KIND, [k for k, _ in given], dtype=pl.Int8))


@pytest.mark.parametrize("frame", [Frame(rows=False), Frame(rows=True), Frame(rows=True, preceding=2)], ids=str)
@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize(("size", "restart_every"), [(1, 0), (9, 4), (1000, 0)])
def test_results(frame: Frame, size: int, restart_every: int, *, unique: bool) -> None:
    identity = Identity(("id",), unique=True) if unique else Identity(INPUT.names)
    given, left = changes(size + unique, unique=unique)
    operator, deltas, out = OverUpdatesOperator(node(frame), identity), list[StateDelta](), list[pl.DataFrame]()
    for number, first in enumerate(range(0, len(given), size)):
        if restart_every and number % restart_every == restart_every - 1:
            delta = operator.snapshot()
            deltas = [delta] if delta.base else [*deltas, delta]
            operator = OverUpdatesOperator(node(frame), identity)
            operator.restore(deltas)
        out += operator.process(0, batch(given[first : first + size]), Times())
        out += operator.advance(Times())
    assert sorted(table_of(out).elements(), key=repr) == expected(left, frame)
    assert operator.state_rows == len(left)


def test_only_what_differs_is_put_out() -> None:
    operator = OverUpdatesOperator(node(Frame(rows=True)), Identity(("id",), unique=True))
    insert = int(RowKind.INSERT)
    operator.process(0, batch([(insert, (1, "a", 1)), (insert, (2, "a", 3)), (insert, (3, "b", 1))]), Times())
    (out,) = operator.process(0, batch([(insert, (4, "a", 2))]), Times())
    assert [(r["id"], r[KIND], r["s"]) for r in out.iter_rows(named=True)] == [(2, 1, 4), (2, 2, 6), (4, 0, 3)]


def test_partitions_are_forgotten_after_their_time() -> None:
    operator = OverUpdatesOperator(node(Frame(rows=True)), Identity(("id",), unique=True), ttl=10)
    insert = int(RowKind.INSERT)
    operator.process(0, batch([(insert, (1, "a", 1)), (insert, (2, "b", 1))]), Times(now=0))
    operator.process(0, batch([(insert, (3, "a", 2))]), Times(now=5))
    again = OverUpdatesOperator(node(Frame(rows=True)), Identity(("id",), unique=True), ttl=10)
    again.restore([operator.snapshot()])
    again.advance(Times(now=12))
    assert again.state_rows == 2
    (out,) = again.process(0, batch([(insert, (4, "b", 5))]), Times(now=12))
    assert out["s"].to_list() == [5]
