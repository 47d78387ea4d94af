"""Changelog normalize against a computation row by row: any batches, restarts, a time to live; and order of the changes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from tailrace.engine.batch import KIND, ORIGIN, RowKind
from tailrace.engine.operator import Times
from tailrace.engine.operators import normalize
from tailrace.engine.operators.normalize import NormalizeOperator
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Normalize, Scan
from tailrace.schema import BIGINT, INT, STRING, Field, Schema, array
from tailrace.state import row_store
from tailrace.state.delta import StateDelta

SCHEMA = Schema((Field("k", INT), Field("v", BIGINT), Field("tags", array(STRING))))
NODE = Normalize(schema=SCHEMA, input=Scan(schema=SCHEMA, table=Table("t", (), SCHEMA, {})), keys=("k",))
Row = tuple[Any, ...]
"""Kind, key, value, tags."""
Change = tuple[Any, ...]
"""Kind, key, value, tags, and the place of the row that made the change."""


@pytest.fixture(autouse=True)
def _crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores compact, and checkpoints have new bases, all the time."""
    monkeypatch.setattr(row_store, "_FEW", 5)
    monkeypatch.setattr(normalize, "_LEAST", 1)


def rows(seed: int, count: int = 300) -> list[Row]:
    """Give rows of which many are repeated, deletions of what is not there, and rows as they were, which say nothing."""
    rng = random.Random(seed)  # noqa: S311 - test data
    out: list[Row] = []
    for _ in range(count):
        if out and rng.random() < 0.2:
            out.append(out[-1])
        kind = rng.choice((RowKind.UPDATE_AFTER, RowKind.UPDATE_BEFORE, RowKind.DELETE, RowKind.INSERT))
        out.append((int(kind), rng.randrange(12), rng.choice((None, 1, 2)), rng.choice((None, [], ["a", None]))))
    return out


def expected(given: list[Row]) -> list[Change]:
    """Go through rows one by one."""
    there: dict[Any, Row] = {}
    out: list[Change] = []
    for place, (kind, *row) in enumerate(given):
        if kind == RowKind.UPDATE_BEFORE:
            continue
        before = there.pop(row[0], None)
        if kind == RowKind.DELETE:
            out += [] if before is None else [(int(RowKind.DELETE), *before, place)]
            continue
        there[row[0]] = tuple(row)
        if before is None:
            out.append((int(RowKind.INSERT), *row, place))
        elif before != tuple(row):
            out += [(int(RowKind.UPDATE_BEFORE), *before, place), (int(RowKind.UPDATE_AFTER), *row, place)]
    return out


def frame(given: list[Row], first: int) -> pl.DataFrame:
    """Make a batch."""
    columns = [pl.Series(n, [r[i + 1] for r in given], dtype=SCHEMA[n].type.polars) for i, n in enumerate(SCHEMA.names)]
    kinds = pl.Series(KIND, [r[0] for r in given], dtype=pl.Int8)
    return pl.DataFrame([*columns, kinds, pl.Series(ORIGIN, range(first, first + len(given)), dtype=pl.Int64)])


def run(make: Callable[[], NormalizeOperator], given: list[Row], size: int, restart_every: int = 0) -> list[Change]:
    """Give the changes in order."""
    operator, deltas, out = make(), list[StateDelta](), list[Change]()
    for number, first in enumerate(range(0, len(given), size)):
        if restart_every and number % restart_every == restart_every - 1:
            delta = operator.snapshot()
            deltas = [delta] if delta.base else [*deltas, delta]
            operator = make()
            operator.restore(deltas)
        batch = frame(given[first : first + size], first)
        for b in [*operator.process(0, batch, Times()), *operator.advance(Times())]:
            out += b.select([KIND, *SCHEMA.names, ORIGIN]).rows()
    return out


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("restart_every", [0, 3])
def test_each_change_in_its_order(size: int, restart_every: int) -> None:
    given = rows(size + restart_every)
    assert run(lambda: NormalizeOperator(NODE), given, size, restart_every) == expected(given)


def test_keys_are_forgotten_after_their_time() -> None:
    operator = NormalizeOperator(NODE, ttl=100)
    one: list[Row] = [(int(RowKind.UPDATE_AFTER), 1, 5, None)]

    def kinds(now: int) -> list[int]:
        return [k for b in operator.process(0, frame(one, 0), Times(now=now)) for k in b[KIND].to_list()]

    assert kinds(0) == [RowKind.INSERT]
    # what does not change is put out all the same, so that those that read it keep it too
    assert kinds(99) == [RowKind.UPDATE_BEFORE, RowKind.UPDATE_AFTER]
    again = NormalizeOperator(NODE, ttl=100)
    again.restore([operator.snapshot()])
    assert again.state_rows == 1
    assert kinds(200) == [RowKind.INSERT]
    again.advance(Times(now=200))
    assert again.state_rows == 0
