"""Runs of operators that judge rows by time: rows with the watermark before each, in batches, over restarts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import polars as pl
import pytest

from tailrace.engine import keyed_slots
from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, WATERMARK
from tailrace.engine.operator import Operator, Outbox, Times
from tailrace.schema import BIGINT, STRING, Field, Schema, TimeAttribute, timestamp
from tailrace.state import row_queues, row_store
from tailrace.state.delta import StateDelta

INPUT = Schema(
    (Field("id", BIGINT), Field("k", STRING), Field("v", BIGINT), Field("ts", timestamp(3), TimeAttribute.ROWTIME))
)
Row = tuple[int, str | None, int | None, int]
"""Number, key, value and time in milliseconds."""


def crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let dropped rows and keys be compacted away although they are few."""
    for module in (keyed_slots, row_store, row_queues):
        monkeypatch.setattr(module, "_FEW", 3)


def rows(rng: random.Random, count: int) -> list[Row]:
    """Make rows whose times wander, many of them equal, some far behind."""
    time, out = 0, list[Row]()
    for number in range(count):
        time += rng.choice([0, 0, 1, 3, 14])
        key, value = rng.choice(["a", "b", "c", None]), rng.choice([None, 1, 2, 3])
        out.append((number, key, value, max(0, time - rng.choice([0, 0, 2, 9, 30]))))
    return out


def watermarks(given: Iterable[Row], delay: int) -> list[int]:
    """Give the watermark before each row, and the one after the last."""
    out = [MIN_WATERMARK]
    for *_, time in given:
        out.append(max(out[-1], time - delay))
    return out


def frame_of(given: list[Row], delay: int) -> pl.DataFrame:
    """Give rows with the watermark before each."""
    frame = pl.DataFrame(given, schema=list(INPUT.names), orient="row", infer_schema_length=None)
    marks = pl.Series(WATERMARK, watermarks(given, delay)[:-1])
    return frame.with_columns(pl.col("ts").cast(pl.Datetime("ms")), marks)


def run(
    make: Callable[[], Operator], given: list[Row], delay: int, size: int, further: Iterable[pl.Series] = ()
) -> tuple[list[pl.DataFrame], int]:
    """
    Let rows come in batches of this size, with a restart after each third; give what came out, and how many were late.

    `further` are more columns of the rows.
    """
    before = watermarks(given, delay)
    frame = frame_of(given, delay).with_columns(further)
    running, out, deltas = started(make), list[pl.DataFrame](), list[StateDelta]()
    for number, place in enumerate(range(0, len(frame), size)):
        stop = min(place + size, len(frame))
        out += running.process(0, frame[place:stop], Times(before[place]))
        out += running.advance(Times(before[stop]))
        if number % 3 == 2:
            delta = running.snapshot()
            assert delta is not None
            deltas = [delta] if delta.base else [*deltas, delta]
            running = started(make)
            running.restore(deltas)
    out += running.advance(Times(MAX_WATERMARK))
    return out, running.late_rows


def started(make: Callable[[], Operator]) -> Operator:
    """Make the operator ready."""
    operator = make()
    operator.outbox = Outbox()
    return operator


def numbers(batches: Iterable[pl.DataFrame]) -> list[int]:
    """Give the numbers of the rows that came out."""
    return [number for batch in batches for number in batch["id"].to_list()]
