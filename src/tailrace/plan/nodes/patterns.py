"""Patterns of rows, as of MATCH_RECOGNIZE."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.expressions.nodes import AggregateCall, Column, Expr
from tailrace.plan.nodes.base import Unary
from tailrace.plan.nodes.ranks import SortKey
from tailrace.schema import DataType

MATCH_TIME = "MATCH_ROWTIME()"
"""The field with the time at which a match is known."""


@dataclass(frozen=True, slots=True)
class PatternPart:
    """
    A variable of a pattern: from `low` up to `high` rows (None: any number) one after the other, for which `condition` is true.

    A greedy one takes as many as it can, any other as few. The condition is over the names of `RowReference`s and
    `PatternAggregate`s, whose rows are those matched so far and the row at hand; None: any row.
    """

    variable: str
    low: int = 1
    high: int | None = 1
    greedy: bool = True
    condition: Expr | None = None

    @property
    def many(self) -> bool:
        """Tell whether it has a quantifier that says how many rows, and not just whether there is one."""
        return (self.low, self.high) not in ((1, 1), (0, 1))

    def __str__(self) -> str:
        high = "" if self.high is None else str(self.high)
        numbers = str(self.low) if self.low == self.high else f"{self.low},{high}"
        shown = {"1": "", "0,1": "?", "0,": "*", "1,": "+"}.get(numbers, f"{{{numbers}}}")
        return self.variable + shown + ("" if self.greedy else "?")


@dataclass(frozen=True, slots=True)
class RowReference:
    """
    A column of one row of a variable (None: of all): `offset` rows after the first or before the last.

    NULL where the variable has no such row.
    """

    column: str
    type: DataType
    variable: str | None
    first: bool
    offset: int

    @property
    def name(self) -> str:
        """How conditions and fields name it."""
        side, offset = "FIRST" if self.first else "LAST", f", {self.offset}" if self.offset else ""
        return f"{side}({self.variable or '*'}.{self.column}{offset})"

    @property
    def value(self) -> Column:
        """The expression that reads it."""
        return Column(self.type.with_nullable(True), self.name)


@dataclass(frozen=True, slots=True)
class PatternAggregate:
    """An aggregate over the rows of a variable (None: of all)."""

    variable: str | None
    call: AggregateCall

    @property
    def name(self) -> str:
        """How conditions and fields name it."""
        return f"{self.call} of {self.variable or '*'}"

    @property
    def value(self) -> Column:
        """The expression that reads it."""
        return Column(self.call.type, self.name)


PatternValue = RowReference | PatternAggregate


@dataclass(frozen=True, slots=True)
class AfterMatch:
    """Where the next match may begin: PAST LAST ROW, TO NEXT ROW, TO FIRST or TO LAST of `variable`."""

    kind: str
    variable: str | None = None

    def __str__(self) -> str:
        return f"SKIP {self.kind}{f' {self.variable}' if self.variable else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRecognize(Unary):
    """
    One row for each match of a pattern in the rows of a partition, in the order of `time`, then `order`, then as they came.

    The schema is the columns of `partition`, then the values of `measured`, then `MATCH_TIME` if it is asked for. `values`
    are those that conditions read. A match lasts less than `within` ms (None: as long as it likes).
    """

    partition: tuple[str, ...]
    time: str
    processing_time: bool
    order: tuple[SortKey, ...]
    parts: tuple[PatternPart, ...]
    values: tuple[PatternValue, ...]
    measured: tuple[PatternValue, ...]
    after: AfterMatch
    within: int | None = None

    @property
    def reads(self) -> set[str]:
        """The columns of the input that it needs."""
        columns = (v.column if isinstance(v, RowReference) else v.call.arg for v in (*self.values, *self.measured))
        return {*self.partition, self.time, *(k.column for k in self.order), *(c for c in columns if c is not None)}
