"""Top-N against sorting all rows that are there in the end: any batches, rows taken back, ties, NULLs, restarts."""

from __future__ import annotations

import random
from collections import Counter
from functools import cmp_to_key, partial

import polars as pl
import pytest
import timed_runs as timed
from change_tables import table_of

from tailrace.engine import ranked_rows
from tailrace.engine.batch import KIND, RowKind
from tailrace.engine.operator import Times
from tailrace.engine.operators.rank import RankOperator
from tailrace.engine.ranked_rows import Identity
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Rank, Scan, SortKey
from tailrace.schema import BIGINT, DOUBLE, STRING, Field, Schema, decimal
from tailrace.state.delta import StateDelta

INPUT = Schema(
    (
        Field("id", BIGINT),
        Field("k", STRING),
        Field("v", BIGINT),
        Field("s", STRING),
        Field("d", DOUBLE),
        Field("m", decimal(30, 2)),
    )
)
Row = tuple[object, ...]
SCAN = Scan(schema=INPUT, table=Table("t", (), INPUT, {}))

ORDERS = {
    "none": (),
    "ascending": (SortKey("v", descending=False, nulls_last=False),),
    "descending": (SortKey("v", descending=True, nulls_last=True),),
    "nulls first": (SortKey("v", descending=True, nulls_last=False),),
    "text": (SortKey("s", descending=True, nulls_last=True),),
    "two": (SortKey("s", descending=False, nulls_last=True), SortKey("v", descending=True, nulls_last=True)),
    "double": (SortKey("d", descending=False, nulls_last=False), SortKey("m", descending=True, nulls_last=True)),
}
APPENDS, EQUAL, UNIQUE = None, Identity(INPUT.names), Identity(("id",), unique=True)


def node(order: tuple[SortKey, ...], start: int, end: int | None, *, number: bool, by: tuple[str, ...]) -> Rank:
    """Make a rank."""
    fields = (*INPUT.fields, Field("rn", BIGINT)) if number else INPUT.fields
    name = "rn" if number else None
    return Rank(schema=Schema(fields), input=SCAN, partition=by, order=order, start=start, end=end, number=name)


def changes(rng: random.Random, identity: Identity | None, count: int) -> list[tuple[Row, int]]:
    """Make rows with NULLs, ties and equal rows; with an identity a part of them is updated or deleted."""
    there: list[Row] = []
    out: list[tuple[Row, int]] = []
    for number in range(count):
        gone = there.pop(rng.randrange(len(there))) if identity and there and rng.random() < 0.45 else None
        if gone is not None:
            updated = rng.random() < 0.6
            out.append((gone, int(RowKind.UPDATE_BEFORE if updated else RowKind.DELETE)))
            if not updated:
                continue
        one = number if identity is not EQUAL else rng.randrange(2)
        row = (
            gone[0] if gone is not None and identity is UNIQUE else one,
            rng.choice([None, "a", "b"]),
            rng.choice([None, 1, 2, 3, -(2**63), 2**63 - 1]),
            rng.choice([None, "x", "xy", "é", ""]),
            rng.choice([None, 0.0, -0.0, -1.5, 2.5, float("inf")]),
            rng.choice([None, "0.10", "-7.00", "123456789012345678901234.50"]),
        )
        there.append(row)
        out.append((row, int(RowKind.INSERT if gone is None else RowKind.UPDATE_AFTER)))
    return out


def frame(rows: list[tuple[Row, int]], *, updates: bool) -> pl.DataFrame:
    """Make a batch."""
    data = [(*row, kind) for row, kind in rows]
    names = [*INPUT.names, KIND]
    made = pl.DataFrame(data, schema=names, orient="row", infer_schema_length=None)
    made = made.cast(pl.Schema(INPUT.polars | {KIND: pl.Int8()}))
    return made if updates else made.drop(KIND)


def expected(plan: Rank, rows: pl.DataFrame) -> Counter[Row]:
    """Sort the rows that are left, which stand as they came, and take the places."""
    left: list[Row] = []
    for row in rows.rows():
        if rows.columns[-1] == KIND and row[-1] in (int(RowKind.UPDATE_BEFORE), int(RowKind.DELETE)):
            left.remove(row[:-1])
        else:
            left.append(row[: len(INPUT)])
    groups: dict[Row, list[Row]] = {}
    for row in left:
        groups.setdefault(tuple(row[INPUT.names.index(p)] for p in plan.partition), []).append(row)
    out: Counter[Row] = Counter()
    for group in groups.values():
        group.sort(key=cmp_to_key(partial(compared, plan.order)))
        for place, row in enumerate(group, 1):
            if plan.start <= place <= (plan.end or place):
                out[(*row, place) if plan.number else row] += 1
    return out


def compared(order: tuple[SortKey, ...], a: Row, b: Row) -> int:
    """Compare two rows, key by key."""
    for key in order:
        x, y = (r[INPUT.names.index(key.column)] for r in (a, b))
        if x == y:
            continue
        if x is None or y is None:
            return 1 if (x is None) is key.nulls_last else -1
        less = (x.encode() < y.encode()) if isinstance(x, str) and isinstance(y, str) else x < y  # type: ignore[operator]
        return -1 if less is not key.descending else 1
    return 0


@pytest.mark.parametrize("size", [1, 7, 150])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("identity", [APPENDS, EQUAL, UNIQUE], ids=["appends", "equal", "unique"])
def test_what_comes_out_are_the_best(
    order: str, size: int, identity: Identity | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes, the changes are valid and end in the rows with these places, with restarts."""
    monkeypatch.setattr(ranked_rows, "_SPARE", 1)  # so that the best are often filled up from the rest
    timed.crowd(monkeypatch)
    ways = [(1, 1), (1, 3), (2, 3), (3, 3), (1, 40), (1, None), (4, 2)]
    for (start, end), number in random.sample([(w, n) for w in ways for n in (False, True)], 3):
        seed = random.randrange(2**32)  # noqa: S311 - printed
        print(f"seed {seed} {start} to {end}, number {number}")  # noqa: T201
        rng = random.Random(seed)  # noqa: S311 - test data
        by = rng.choice([("k",), ("k", "s"), ()])
        run(node(ORDERS[order], start, end, number=number, by=by), identity, size, rng)


def run(plan: Rank, identity: Identity | None, size: int, rng: random.Random, ttl: int = 0) -> None:
    """Rank random changes and compare, with a checkpoint after each third batch and a restart after each sixth."""
    rows = frame(changes(rng, identity, 150), updates=identity is not None)
    running, out, deltas = RankOperator(plan, identity, ttl), list[pl.DataFrame](), list[StateDelta]()
    for tick, place in enumerate(range(0, len(rows), size)):
        out += running.process(0, rows.slice(place, size), Times())
        out += running.advance(Times())
        if tick % 3 == 2:
            delta = running.snapshot()
            deltas = [delta] if delta.base else [*deltas, delta]
        if tick % 6 == 2:
            running = RankOperator(plan, identity, ttl)
            running.restore(deltas)
    assert table_of(out) == expected(plan, rows)


def one(id_: int, key: str, value: int, kind: RowKind = RowKind.INSERT) -> pl.DataFrame:
    """Make a batch of one change."""
    return frame([((id_, key, value, None, None, None), int(kind))], updates=True)


def shown(batches: list[pl.DataFrame]) -> list[tuple[str, object, object]]:
    """Give kind, number and place of what came out."""
    return [(RowKind(k).sign, i, p) for b in batches for k, i, p in b.select(KIND, "id", "rn").iter_rows()]


def test_rows_that_go_are_taken_back_before_others_come() -> None:
    """A place that changes is an update, one that is left or new is a delete or an insert."""
    plan = node(ORDERS["descending"], 1, 2, number=True, by=("k",))
    running = RankOperator(plan, UNIQUE)
    assert shown(running.process(0, one(1, "a", 5), Times())) == [("+I", 1, 1)]
    assert shown(running.process(0, one(2, "a", 7), Times())) == [("-U", 1, 1), ("+U", 2, 1), ("+I", 1, 2)]
    assert shown(running.process(0, one(3, "a", 1), Times())) == []
    out = shown(running.process(0, one(2, "a", 7, RowKind.DELETE), Times()))
    assert sorted(out[:2]) == [("-U", 1, 2), ("-U", 2, 1)]
    assert out[2:] == [("+U", 1, 1), ("+U", 3, 2)]
    assert shown(running.process(0, one(1, "a", 5, RowKind.DELETE), Times()))[-1] == ("+U", 3, 1)
    assert shown(running.process(0, one(3, "a", 1, RowKind.DELETE), Times())) == [("-D", 3, 1)]
    assert running.state_rows == 0


@pytest.mark.parametrize("number", [False, True], ids=["place unseen", "place seen"])
def test_a_change_is_one_batch(*, number: bool) -> None:
    """So that who counts by group does not see one vanish between the row that goes and the row that comes."""
    running = RankOperator(node(ORDERS["descending"], 1, 1, number=number, by=("k",)), UNIQUE)
    running.process(0, one(1, "a", 5), Times())
    (batch,) = running.process(0, one(2, "a", 7), Times())
    assert batch["id"].to_list() == [1, 2]


@pytest.mark.parametrize("identity", [APPENDS, UNIQUE], ids=["appends", "unique"])
def test_a_partition_that_nobody_touches_is_forgotten(identity: Identity | None) -> None:
    """After its time to live it begins anew, silently; one that is touched lives on, over a restart."""
    plan = node(ORDERS["descending"], 1, 2, number=True, by=("k",))
    running = RankOperator(plan, identity, ttl=100)

    def came(id_: int, key: str, now: int) -> list[tuple[str, object, object]]:
        rows = one(id_, key, id_)  # a greater number is better
        return shown(running.process(0, rows if identity else rows.drop(KIND), Times(now=now)))

    assert came(1, "a", 0) == [("+I", 1, 1)]
    assert came(11, "b", 0) == [("+I", 11, 1)]
    assert came(2, "a", 60) == [("-U", 1, 1), ("+U", 2, 1), ("+I", 1, 2)]
    delta = running.snapshot()
    running = RankOperator(plan, identity, ttl=100)
    running.restore([delta])
    assert came(3, "a", 159)[0] == ("-U", 2, 1)
    assert came(12, "b", 159) == [("+I", 12, 1)]
    assert running.state_rows == (2 if identity is None else 3) + 1
    running.advance(Times(now=259))
    assert running.state_rows == 0
    assert came(1, "a", 260) == [("+I", 1, 1)]
