"""Session windows against a computation row by row, in any batches, over restarts."""

from __future__ import annotations

import random
from dataclasses import dataclass

import polars as pl
import pytest

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, WATERMARK
from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.session_aggregate import SessionAggregateOperator
from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Scan, WindowAggregate, WindowKind, WindowProperty, WindowSpec
from tailrace.schema import BIGINT, STRING, Field, Schema, timestamp
from tailrace.state.delta import StateDelta

INPUT = Schema((Field("k", STRING), Field("v", BIGINT), Field("ts", timestamp(3))))
CALLS = (
    AggregateCall("COUNT", BIGINT),
    AggregateCall("SUM", BIGINT, "v", BIGINT),
    AggregateCall("COUNT", BIGINT, "v", BIGINT, distinct=True),
)
GAP = 10


def operator() -> SessionAggregateOperator:
    """Make the operator, with sessions that end after 10 ms of silence."""
    outputs = tuple(Field(f"a{i}", c.type) for i, c in enumerate(CALLS))
    edges = (Field("window_start", timestamp(3)), Field("window_end", timestamp(3)))
    node = WindowAggregate(
        schema=Schema((INPUT["k"], *outputs, *edges)),
        input=Scan(schema=INPUT, table=Table("t", (), INPUT, {})),
        window=WindowSpec(WindowKind.SESSION, "ts", GAP, GAP),
        keys=("k",),
        aggregates=CALLS,
        properties=(WindowProperty.START, WindowProperty.END),
    )
    out = SessionAggregateOperator(node, "UTC")
    out.outbox = Outbox()
    return out


@dataclass
class Session:
    """An open session of the oracle."""

    start: int
    end: int
    values: list[int | None]


Row = tuple[str | None, int | None, int]


def rows(seed: int, count: int) -> list[Row]:
    """Make rows whose times wander, some far behind."""
    rng = random.Random(seed)  # noqa: S311 - test data
    time, out = 0, list[Row]()
    for _ in range(count):
        time += rng.choice([0, 1, 3, 6, 14])
        out.append(
            (rng.choice(["a", "b", None]), rng.choice([None, 1, 2, 3]), max(0, time - rng.choice([0, 0, 2, 9, 30])))
        )
    return out


def expected(given: list[Row], delay: int) -> tuple[set[tuple[object, ...]], int]:
    """Take the rows one at a time, with a watermark after each; give the sessions put out, and how many rows were late."""
    open_: dict[str | None, list[Session]] = {}
    out: set[tuple[object, ...]] = set()
    watermark, late = MIN_WATERMARK, 0
    for key, value, time in given:
        mine = open_.setdefault(key, [])
        touched = [s for s in mine if s.start <= time + GAP and s.end >= time]
        merged = Session(
            min([time, *(s.start for s in touched)]), max([time + GAP, *(s.end for s in touched)]), [value]
        )
        if merged.end - 1 <= watermark:
            late += 1
            continue
        for session in touched:
            merged.values += session.values
            mine.remove(session)
        mine.append(merged)
        watermark = max(watermark, time - delay)
        for k, sessions in open_.items():
            out |= {row(k, s) for s in sessions if s.end - 1 <= watermark}
            open_[k] = [s for s in sessions if s.end - 1 > watermark]
    return out | {row(k, s) for k, sessions in open_.items() for s in sessions}, late


def row(key: str | None, session: Session) -> tuple[object, ...]:
    """Give a session as the operator would."""
    known = [v for v in session.values if v is not None]
    return (key, len(session.values), sum(known) if known else None, len(set(known)), session.start, session.end)


@pytest.mark.parametrize("size", [1, 5, 300])
@pytest.mark.parametrize("delay", [0, 12])
def test_sessions(size: int, delay: int) -> None:
    """Whatever the batches, with a restart after each third, sessions and late rows are those of the oracle."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    given = rows(seed, 300)
    running, out, deltas, watermark = operator(), list[pl.DataFrame](), list[StateDelta](), MIN_WATERMARK
    frame = pl.DataFrame(given, schema=["k", "v", "ts"], orient="row", infer_schema_length=None)
    greatest = frame["ts"].cum_max() - delay
    before = greatest.shift(1, fill_value=MIN_WATERMARK)
    batches = frame.with_columns(pl.col("ts").cast(pl.Datetime("ms")), before.alias(WATERMARK))
    for number, place in enumerate(range(0, len(frame), size)):
        running.process(0, batches.slice(place, size), Times(watermark))
        watermark = int(greatest.slice(place, size).max())  # type: ignore[arg-type] # a number
        out += running.advance(Times(watermark))
        if number % 3 == 2:
            delta = running.snapshot()
            deltas = [delta] if delta.base else [*deltas, delta]
            running = operator()
            running.restore(deltas)
    out += running.advance(Times(MAX_WATERMARK))
    got = pl.concat(out).with_columns(pl.col("window_start", "window_end").dt.epoch("ms"))
    want, late = expected(given, delay)
    assert sorted(map(str, got.rows())) == sorted(map(str, want))
    assert running.late_rows == late
    assert running.state_rows == 0
