"""Temporal joins against a look at all versions of a key: deletions, ties, late rows, any batches, restarts."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import polars as pl
import pytest

from tailrace.engine import version_store
from tailrace.engine.batch import KIND, MAX_WATERMARK, MIN_WATERMARK, RowKind
from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.temporal_join import TemporalJoinOperator, VersionsOperator
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Column, Expr
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import JoinKey, JoinKind, Scan, TemporalJoin, Versions
from tailrace.schema import BIGINT, STRING, Field, Schema, timestamp
from tailrace.state import row_store
from tailrace.state.delta import StateDelta

LEFT = Schema((Field("id", BIGINT), Field("k", STRING), Field("v", BIGINT), Field("ts", timestamp(3))))
RIGHT = Schema((Field("k0", STRING), Field("v0", BIGINT), Field("ts0", timestamp(3))))
CONDITION: Expr = catalogue.call("<", [Column(BIGINT, "v"), Column(BIGINT, "v0")])

Left = tuple[int, str | None, int | None, int]
Right = tuple[str | None, int | None, int, int]
"""Key, value, time and row kind."""


@pytest.fixture(autouse=True)
def _crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (version_store, row_store):
        monkeypatch.setattr(module, "_FEW", 3)


def node(kind: JoinKind, condition: Expr | None) -> TemporalJoin:
    """Make a join of two tables."""
    left, right = (Scan(schema=s, table=Table("t", (), s, {})) for s in (LEFT, RIGHT))
    out = Schema((Field("id", BIGINT), Field("v0", BIGINT), Field("ts0", timestamp(3))))
    return TemporalJoin(
        schema=out,
        left=left,
        right=right,
        kind=kind,
        keys=(JoinKey("k", "k0"),),
        condition=condition,
        time="ts",
        version_time="ts0",
    )


def version(versions: list[Right], key: str | None, time: int) -> Right | None:
    """Give the row that was there at a time."""
    own = [(r[2], place, r) for place, r in enumerate(versions) if key is not None and r[0] == key and r[2] <= time]
    return max(own)[2] if own else None


def expected(
    waiting: list[Left], versions: list[Right], before: int, plan: TemporalJoin
) -> Counter[tuple[object, ...]]:
    """Look up each row among all versions."""
    out: Counter[tuple[object, ...]] = Counter()
    for number, key, value, time in waiting:
        found = version(versions, key, time)
        if time < before and found is not version(versions, key, before):
            found = None
        there = found is not None and found[3] != RowKind.DELETE
        if there and plan.condition is not None:
            there = value is not None and found is not None and found[1] is not None and value < found[1]
        if there and found is not None:
            out[number, found[1], found[2]] += 1
        elif plan.kind is JoinKind.LEFT:
            out[number, None, None] += 1
    return out


def batches(rng: random.Random, size: int) -> tuple[list[Left], list[Right]]:
    """Make rows of both sides that wander in time; deletions, and rows before updates, come too."""
    left, right = list[Left](), list[Right]()
    for _ in range(size):
        clock = rng.randrange(40)
        left.append((rng.randrange(10**6), rng.choice(["a", "b", "c", None]), rng.choice([None, 1, 2, 3]), clock))
        kind = rng.choice([RowKind.INSERT, RowKind.UPDATE_AFTER, RowKind.UPDATE_BEFORE, RowKind.DELETE])
        right.append((rng.choice(["a", "b", "d", None]), rng.choice([None, 1, 2, 3]), rng.randrange(40), int(kind)))
    return left, right


def shifted(rows: list[Left] | list[Right], place: int, by: int) -> list[tuple[object, ...]]:
    """Move the times of rows."""
    return [(*r[:place], int(r[place] or 0) + by, *r[place + 1 :]) for r in rows]


def frames(left: list[Left], right: list[Right]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make the batches of both sides."""
    return (
        pl.DataFrame(left, schema=LEFT.polars, orient="row"),
        pl.DataFrame(right, schema={**RIGHT.polars, KIND: pl.Int8()}, orient="row"),
    )


@pytest.mark.parametrize("size", [0, 1, 6, 40])
@pytest.mark.parametrize("kind", [JoinKind.INNER, JoinKind.LEFT])
@pytest.mark.parametrize("condition", [None, CONDITION])
def test_rows_meet_the_version_of_their_time(size: int, kind: JoinKind, condition: Expr | None) -> None:
    """Each row comes once, when the watermark has passed it, with what was there."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)  # noqa: S311 - test data
    plan = node(kind, condition)
    waiting, versions, deltas = list[Left](), list[Right](), list[StateDelta]()
    running, watermark = started(plan), MIN_WATERMARK
    for tick in range(20):
        left, right = batches(rng, size)
        left = [(i, k, v, t) for i, k, v, t in shifted(left, 3, 10 * tick)]  # type: ignore[misc]
        right = [(k, v, t, o) for k, v, t, o in shifted(right, 2, 10 * tick)]  # type: ignore[misc]
        for port, frame in enumerate(frames(left, right)):
            if len(frame):
                assert running.process(port, frame, Times(watermark)) == []
        waiting += left
        versions += [r for r in right if r[3] != RowKind.UPDATE_BEFORE]
        before, watermark = watermark, MAX_WATERMARK if tick == 19 else max(watermark, 10 * tick - rng.randrange(9))
        due = [r for r in waiting if r[3] <= watermark]
        waiting = [r for r in waiting if r[3] > watermark]
        out = [
            row for b in running.advance(Times(watermark)) for row in b.with_columns(pl.col("ts0").to_physical()).rows()
        ]
        assert Counter(out) == expected(due, versions, before, plan)
        if tick % 3 == 2:
            delta = running.snapshot()
            deltas = [delta] if delta.base else [*deltas, delta]
            running = started(plan)
            running.restore(deltas)
    assert running.state_rows <= len(versions)


def started(plan: TemporalJoin) -> TemporalJoinOperator:
    """Make the operator ready."""
    made = TemporalJoinOperator(plan, "UTC")
    made.outbox = Outbox()
    return made


def test_old_versions_are_dropped() -> None:
    """Of a key that changes all the time no more is kept than rows may need, whether or not anybody asks for it."""
    running = started(node(JoinKind.INNER, None))
    for tick in range(50):
        rows = pl.DataFrame({"k0": ["a", "b"] * 5, "v0": range(10), "ts0": range(10 * tick, 10 * tick + 10)})
        running.process(1, rows.cast(RIGHT.polars), Times(10 * tick - 1))  # type: ignore[arg-type]
        running.advance(Times(10 * tick + 9))
    assert running.state_rows <= 14


def test_versions_live_no_longer_than_told() -> None:
    """A version that was written too long ago is forgotten."""
    running = TemporalJoinOperator(node(JoinKind.LEFT, None), "UTC", ttl=1000)
    running.outbox = Outbox()
    _, right = frames([], [("a", 1, 5, 0)])
    running.process(1, right, Times(MIN_WATERMARK, now=0))
    for now, value in ((500, 1), (1500, None)):
        left, _ = frames([(now, "a", 1, now)], [])
        running.process(0, left, Times(5, now=now))
        assert running.advance(Times(now, now=now))[0]["v0"].to_list() == [value]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_each_last_row_is_a_version(size: int) -> None:
    """A row passes unless a later one of its key has come before it, over restarts too."""
    rng = random.Random(5)  # noqa: S311 - test data
    rows = [(rng.choice("ab"), n, n // 3 + rng.randrange(6), 0) for n in range(100)]
    kept, last = list[int](), dict[str, int]()
    for key, number, time, _ in rows:
        if time >= last.get(key, -1):
            last[key] = time
            kept.append(number)
    plan = Versions(schema=RIGHT, input=Scan(schema=RIGHT, table=Table("t", (), RIGHT, {})), keys=("k0",), time="ts0")
    running, deltas, out = VersionsOperator(plan), list[StateDelta](), list[int]()
    for place in range(0, 100, size):
        frame = pl.DataFrame([r[:3] for r in rows[place : place + size]], schema=RIGHT.polars, orient="row")
        out += [n for b in running.process(0, frame, Times()) for n in b["v0"].to_list()]
        running.advance(Times())
        delta = running.snapshot()
        deltas = [delta] if delta.base else [*deltas, delta]
        running = VersionsOperator(plan)
        running.restore(deltas)
    assert out == kept
    assert running.state_rows == len(np.unique([r[0] for r in rows]))
