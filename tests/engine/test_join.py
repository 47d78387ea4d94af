"""Regular joins against nested loops over the rows that are there in the end: any batches, over restarts."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product

import polars as pl
import pytest
from change_tables import table_of

from tailrace.engine.batch import KIND, RowKind
from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.join import JoinInput, JoinOperator
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Column, Expr
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Join, JoinKey, JoinKind, Scan
from tailrace.schema import BIGINT, STRING, Field, Schema
from tailrace.state.delta import StateDelta

LEFT = Schema((Field("id", BIGINT), Field("k", BIGINT), Field("s", STRING), Field("v", BIGINT)))
RIGHT = Schema((Field("id0", BIGINT), Field("k0", BIGINT), Field("s0", STRING), Field("v0", BIGINT)))
SIDES = (LEFT, RIGHT)
Row = tuple[object, ...]

CONDITION: Expr = catalogue.call("<", [Column(BIGINT, "v"), Column(BIGINT, "v0")])
KEYS = {
    "one": (JoinKey("k", "k0"),),
    "two": (JoinKey("k", "k0"), JoinKey("s", "s0")),
    "nulls": (JoinKey("s", "s0", null_safe=True),),
    "both": (JoinKey("k", "k0"), JoinKey("s", "s0", null_safe=True)),
    "unique": (JoinKey("id", "id0"),),
    "none": (),
}
INSERTS, EQUAL, UNIQUE = JoinInput(), JoinInput(updates=True), JoinInput(updates=True, key=("id",))


def node(kind: JoinKind, keys: tuple[JoinKey, ...], condition: Expr | None, rng: random.Random) -> Join:
    """Make a join of two tables that puts out some of their columns."""
    scans = [Scan(schema=s, table=Table("t", (), s, {})) for s in SIDES]
    fields = LEFT.fields if kind.left_only else (*LEFT.fields, *RIGHT.fields)
    out = Schema(tuple(rng.sample(fields, rng.randint(1, len(fields)))))
    return Join(schema=out, left=scans[0], right=scans[1], kind=kind, keys=keys, condition=condition)


def operator(plan: Join, inputs: tuple[JoinInput, JoinInput]) -> JoinOperator:
    """Make the operator."""
    updates = plan.kind not in (JoinKind.INNER, JoinKind.SEMI) or any(i.updates for i in inputs)
    made = JoinOperator(plan, inputs, "UTC", updates=updates)
    made.outbox = Outbox()
    return made


def changes(rng: random.Random, given: JoinInput, count: int) -> list[tuple[Row, int]]:
    """Make rows with NULLs and few values; rows that are there are updated and deleted if the side updates."""
    there: list[Row] = []
    out: list[tuple[Row, int]] = []
    for number in range(count):
        gone = there.pop(rng.randrange(len(there))) if given.updates and there and rng.random() < 0.5 else None
        if gone is not None:
            updated = rng.random() < 0.6
            out.append((gone, int(RowKind.UPDATE_BEFORE if updated else RowKind.DELETE)))
            if not updated:
                continue
        fresh = number if given.key or not given.updates else rng.randrange(3)
        one = gone[0] if gone is not None and given.key else fresh
        row = (one, rng.choice([None, 1, 2, 3]), rng.choice([None, "a", "b"]), rng.choice([None, 1, 2, 3]))
        there.append(row)
        out.append((row, int(RowKind.INSERT if gone is None else RowKind.UPDATE_AFTER)))
    return out


def frame(port: int, rows: list[tuple[Row, int]], given: JoinInput) -> pl.DataFrame:
    """Make a batch."""
    types = SIDES[port].polars | ({KIND: pl.Int8()} if given.updates else {})
    data = [(*row, kind) if given.updates else row for row, kind in rows]
    return pl.DataFrame(data, schema=types, orient="row")


def is_true(left: Row, right: Row, plan: Join) -> bool:
    """Tell whether two rows match."""
    a = dict(zip(LEFT.names, left, strict=True))
    b = dict(zip(RIGHT.names, right, strict=True))
    for key in plan.keys:
        if a[key.left] != b[key.right] or (a[key.left] is None and not key.null_safe):
            return False
    if plan.condition is None:
        return True
    return a["v"] is not None and b["v0"] is not None and int(str(a["v"])) < int(str(b["v0"]))


def expected(plan: Join, left: Counter[Row], right: Counter[Row]) -> Counter[Row]:
    """Join two tables by nested loops."""
    lefts, rights = list(left.elements()), list(right.elements())
    pairs = [(i, j) for (i, a), (j, b) in product(enumerate(lefts), enumerate(rights)) if is_true(a, b, plan)]
    met = ({i for i, _ in pairs}, {j for _, j in pairs})
    alone = [[r for i, r in enumerate(rows) if i not in met[port]] for port, rows in enumerate((lefts, rights))]
    empty = (None,) * 4
    if plan.kind is JoinKind.SEMI:
        rows = [(*r, *empty) for i, r in enumerate(lefts) if i in met[0]]
    else:
        rows = [] if plan.kind is JoinKind.ANTI else [(*lefts[i], *rights[j]) for i, j in pairs]
        rows += [(*r, *empty) for r in alone[0] if plan.kind.keeps_left]
        rows += [(*empty, *r) for r in alone[1] if plan.kind.keeps_right]
    places = [(*LEFT.names, *RIGHT.names).index(name) for name in plan.schema.names]
    return Counter(tuple(r[p] for p in places) for r in rows)


@pytest.mark.parametrize("size", [1, 6, 60])
@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("kind", JoinKind)
def test_what_comes_out_is_the_join(kind: JoinKind, keys: str, size: int) -> None:
    """Whatever updates, the changes are valid and end in the rows of the join, with restarts."""
    ways = list(product(product((INSERTS, EQUAL, UNIQUE), repeat=2), (None, CONDITION)))
    for inputs, condition in random.sample(ways, 4):
        seed = random.randrange(2**32)  # noqa: S311 - printed
        print(f"seed {seed} {inputs} {condition}")  # noqa: T201
        rng = random.Random(seed)  # noqa: S311 - test data
        left, right = inputs
        plan = node(kind, KEYS[keys], condition, rng)
        run(plan, (left, JoinInput(right.updates, ("id0",) if right.key else None)), size, rng)


def run(plan: Join, inputs: tuple[JoinInput, JoinInput], size: int, rng: random.Random) -> None:
    """Join random changes and compare."""
    given = [changes(rng, inputs[port], 60) for port in (0, 1)]
    running, out, deltas, tick = operator(plan, inputs), list[pl.DataFrame](), list[StateDelta](), 0
    places = [0, 0]
    while any(places[p] < len(given[p]) for p in (0, 1)):
        for port in rng.sample([0, 1], rng.choice([1, 2])):
            for _ in range(rng.choice([1, 2])):
                rows = given[port][places[port] : places[port] + size]
                places[port] += len(rows)
                if rows:
                    assert not running.process(port, frame(port, rows, inputs[port]), Times())
        out += running.advance(Times())
        tick += 1
        if tick % 5 == 4:
            delta = running.snapshot()
            deltas = [delta] if delta.base else [*deltas, delta]
        if tick % 10 == 4:
            running = operator(plan, inputs)
            running.restore(deltas)
    tables = [table_of([frame(p, given[p], inputs[p])]) for p in (0, 1)]
    assert table_of(out) == expected(plan, tables[0], tables[1])
