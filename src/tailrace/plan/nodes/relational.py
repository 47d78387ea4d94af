"""Nodes that read, compute, combine and write rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tailrace.expressions.nodes import AggregateCall, Expr
from tailrace.plan.catalog import Table
from tailrace.plan.nodes.base import Node, Unary


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan(Node):
    """
    Reads a table: its physical and metadata columns, as `schema` names them (pruned ones are left out).

    Computed columns and the watermark are nodes above (`Calc`, `AssignWatermark`).
    """

    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Values(Node):
    """Constant rows; each row has one expression without columns for each field."""

    rows: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calc(Unary):
    """Keeps the rows for which `predicate` is true (over the input), then computes `exprs`, one for each field."""

    exprs: tuple[Expr, ...]
    predicate: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignWatermark(Unary):
    """Makes `column` the row time, with a watermark of `expr` for each partition. The schema is the input's."""

    column: str
    expr: Expr
    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(Unary):
    """
    GROUP BY: the `keys` (input columns), then one field for each aggregate; all named as in `schema`.

    Over a `WindowTable` with its start and end among the keys it becomes a `WindowAggregate` by a rewrite. `ttl` (ms, 0: for
    ever, None: as the job) is how long a group lives.
    """

    keys: tuple[str, ...]
    aggregates: tuple[AggregateCall, ...]
    ttl: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Union(Node):
    """UNION ALL of inputs with the same column names and types."""

    members: tuple[Node, ...]

    @property
    def inputs(self) -> tuple[Node, ...]:
        return self.members

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        return replace(self, members=inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Unary):
    """LIMIT without ORDER BY: any `count` rows; the pipeline ends when it has them."""

    count: int
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink(Unary):
    """
    Writes into a table; the input's columns are exactly `table.written`, by name and type.

    `table` is None for a SELECT at the top of a script: its rows go to whoever runs it.
    """

    table: Table | None
