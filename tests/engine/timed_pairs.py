"""Two streams whose rows come interleaved, with what a join of them must put out computed pair by pair."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK
from tailrace.engine.operator import Operator, Outbox, Times
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Column
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import JoinKind, Scan
from tailrace.schema import BIGINT, STRING, Field, Schema, TimeAttribute, timestamp
from tailrace.state.delta import StateDelta

KINDS = tuple(JoinKind)
Item = tuple[int, str | None, int | None, int]
"""Number, key, value and time in milliseconds."""


def schema(side: str) -> Schema:
    """Give the columns of a side."""
    row_time = Field(f"{side}_ts", timestamp(3), TimeAttribute.ROWTIME)
    return Schema((Field(f"{side}_id", BIGINT), Field(f"{side}_k", STRING), Field(f"{side}_v", BIGINT), row_time))


SCANS = tuple(Scan(schema=schema(s), table=Table(s, (), schema(s), {})) for s in "lr")
LESS = catalogue.call("<", [Column(BIGINT, "l_v"), Column(BIGINT, "r_v")])


def output(kind: JoinKind) -> Schema:
    """Give the columns that a join puts out: the numbers."""
    return Schema(tuple(Field(f"{s}_id", BIGINT) for s in ("l" if kind.left_only else "lr")))


@dataclass(slots=True)
class Stream:
    """One side: rows in order, and the watermark before each and after the last, which is behind the greatest time."""

    rows: list[Item]
    marks: list[int] = field(default_factory=list)


def stream(rng: random.Random, count: int, delay: int, far: int) -> Stream:
    """Make rows whose times wander and go back by up to `far`."""
    time, made = 50, Stream([], [MIN_WATERMARK])
    for number in range(count):
        time += rng.choice([0, 0, 1, 4])
        key, value = rng.choice(["a", "b", None]), rng.choice([None, 1, 2, 3])
        made.rows.append((number, key, value, time - rng.randint(0, far)))
        made.marks.append(max(made.marks[-1], made.rows[-1][3] - delay))
    return made


def frame(side: int, rows: list[Item]) -> pl.DataFrame:
    """Give rows as a batch of a side."""
    made = pl.DataFrame(rows, schema=SCANS[side].schema.polars | {f"{'lr'[side]}_ts": pl.Int64()}, orient="row")
    return made.with_columns(pl.col(f"{'lr'[side]}_ts").cast(pl.Datetime("ms")))


def run(
    make: Callable[[], Operator], sides: tuple[Stream, Stream], size: int, *, restart: bool = True
) -> tuple[list[pl.DataFrame], Operator]:
    """Let rows of both sides come in batches of this size, with a restart after each third; give what came out."""
    running, out, deltas = started(make), list[pl.DataFrame](), list[StateDelta]()
    before = MIN_WATERMARK
    for number, place in enumerate(range(0, max(len(s.rows) for s in sides), size)):
        for port, side in enumerate(sides):
            batch = side.rows[place : place + size]
            out += running.process(port, frame(port, batch), Times(before)) if batch else []
        before = min(s.marks[min(place + size, len(s.rows))] for s in sides)
        out += running.advance(Times(before))
        if restart and number % 3 == 2:
            delta = running.snapshot()
            assert delta is not None
            deltas = [delta] if delta.base else [*deltas, delta]
            running = started(make)
            running.restore(deltas)
    out += running.advance(Times(MAX_WATERMARK))
    return out, running


def started(make: Callable[[], Operator]) -> Operator:
    """Make the operator ready."""
    operator = make()
    operator.outbox = Outbox()
    return operator


def found(batches: list[pl.DataFrame]) -> Counter[tuple[int | None, ...]]:
    """Give the rows that came out, by the numbers in them."""
    return Counter(row for batch in batches for row in batch.rows())


def expected(
    kind: JoinKind, sides: tuple[list[Item], list[Item]], meets: Callable[[Item, Item], bool]
) -> Counter[tuple[int | None, ...]]:
    """Give the rows that must come out, of rows none of which is late."""
    left, right = sides
    pairs = [(x, y) for x in left for y in right if x[1] is not None and x[1] == y[1] and meets(x, y)]
    lucky = {x[0] for x, _ in pairs}, {y[0] for _, y in pairs}
    if kind is JoinKind.SEMI:
        return Counter((x[0],) for x in left if x[0] in lucky[0])
    if kind is JoinKind.ANTI:
        return Counter((x[0],) for x in left if x[0] not in lucky[0])
    out: Counter[tuple[int | None, ...]] = Counter((x[0], y[0]) for x, y in pairs)
    if kind.keeps_left:
        out.update((x[0], None) for x in left if x[0] not in lucky[0])
    if kind.keeps_right:
        out.update((None, y[0]) for y in right if y[0] not in lucky[1])
    return out
