"""
A batch is a Polars frame. Beside its own columns it may carry hidden ones, which calcs pass through.

| column       | type  | on which streams                                              |
| ------------ | ----- | ------------------------------------------------------------- |
| `$kind`      | Int8  | streams that update: the row kind, as `RowKind` numbers it    |
| `$watermark` | Int64 | with a watermark after each row: the watermark before the row |
| `$origin`    | Int64 | up to the first stateful operator: the row's place in the tick |
| `$trace`     | Int32 | in ticks with traced rows: which trace, see `row_traces`       |

Outside of the engine, before and after a tick, `$traceparent` (String) has the trace of each row as headers have it.

A `$` can't begin a column's name in a table (the binder refuses it), so the names never meet.
"""

from __future__ import annotations

from enum import IntEnum

import polars as pl

KIND = "$kind"
WATERMARK = "$watermark"
ORIGIN = "$origin"
TRACE = "$trace"
HIDDEN = (KIND, WATERMARK, ORIGIN, TRACE)
TRACEPARENT = "$traceparent"

Batch = pl.DataFrame

MIN_WATERMARK = -(2**63)
MAX_WATERMARK = 2**63 - 1


class RowKind(IntEnum):
    """What a row of an updating stream does, as Flink numbers it."""

    INSERT = 0
    UPDATE_BEFORE = 1
    UPDATE_AFTER = 2
    DELETE = 3

    @property
    def sign(self) -> str:
        """How Flink shows it: +I, -U, +U, -D."""
        return ("+I", "-U", "+U", "-D")[self]


def hidden(batch: Batch) -> list[str]:
    """Give the names of the hidden columns that a batch carries."""
    return [name for name in HIDDEN if name in batch.columns]
