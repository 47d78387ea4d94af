"""Aggregates over the rows before each row."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.nodes.base import Unary
from tailrace.plan.nodes.ranks import SortKey


@dataclass(frozen=True, slots=True)
class Frame:
    """
    The rows that count for a row: those of its partition from `preceding` before it (None: from the first) up to itself.

    With `rows` that is a number of rows; else milliseconds of time, and rows of the same time count for each other.
    """

    rows: bool
    preceding: int | None = None

    def __str__(self) -> str:
        before = "UNBOUNDED" if self.preceding is None else f"{self.preceding}{'' if self.rows else ' ms'}"
        return f"{'ROWS' if self.rows else 'RANGE'} {before} PRECEDING"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverAggregate(Unary):
    """Each row of the input, by time, with one more field for each of `calls`: its aggregate over the row's frame."""

    partition: tuple[str, ...]
    time: str
    processing_time: bool
    frame: Frame
    calls: tuple[AggregateCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverUpdates(Unary):
    """
    Each row of the input with one more field for each of `calls`, put out again when rows of its frame come or go.

    Rows are ordered by any columns; a `frame` that is no number of rows begins at the first row, and rows that are equal in
    their order count for each other. A call may be ROW_NUMBER, RANK or DENSE_RANK.
    """

    partition: tuple[str, ...]
    order: tuple[SortKey, ...]
    frame: Frame
    calls: tuple[AggregateCall, ...]
