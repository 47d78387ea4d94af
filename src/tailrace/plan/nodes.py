"""
The logical plan: relational nodes with typed outputs.

A plan is a tree of immutable nodes (a shared sub-plan is one object with two parents). Expressions in a node are over
the columns of its input by name; `schema` is what the node puts out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from tailrace.errors import Location
from tailrace.expressions.nodes import AggregateCall, Expr
from tailrace.plan.catalog import Table
from tailrace.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Any node; `location` is the SQL or Python that made it."""

    schema: Schema
    location: Location | None = field(default=None, compare=False)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes that this one reads."""
        return ()

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        """Give the same node over other inputs."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unary(Node):
    input: Node

    @property
    def inputs(self) -> tuple[Node, ...]:
        return (self.input,)

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        return replace(self, input=inputs[0])


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
class Calc(_Unary):
    """Keeps the rows for which `predicate` is true (over the input), then computes `exprs`, one for each field."""

    exprs: tuple[Expr, ...]
    predicate: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignWatermark(_Unary):
    """Makes `column` the row time, with a watermark of `expr` for each partition. The schema is the input's."""

    column: str
    expr: Expr
    table: Table


class WindowKind(Enum):
    """How a window table function cuts time."""

    TUMBLE = "TUMBLE"
    HOP = "HOP"
    CUMULATE = "CUMULATE"


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """
    A window over the time attribute `time_column`; all lengths in milliseconds.

    `slide` is the step of HOP and CUMULATE and equals `size` for TUMBLE. Windows start at multiples of the slide (the
    size for CUMULATE) since 1970, shifted by `offset`.
    """

    kind: WindowKind
    time_column: str
    size: int
    slide: int
    offset: int = 0
    processing_time: bool = False

    def __str__(self) -> str:
        step = "" if self.kind is WindowKind.TUMBLE else f", step {self.slide} ms"
        return f"{self.kind.value}({self.time_column}, size {self.size} ms{step})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTable(_Unary):
    """A window table function: each row with `window_start`, `window_end`, `window_time`, once for each window it is in."""

    window: WindowSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(_Unary):
    """
    GROUP BY: the `keys` (input columns), then one field for each aggregate; all named as in `schema`.

    Over a `WindowTable` with its start and end among the keys it becomes a `WindowAggregate` by a rewrite.
    """

    keys: tuple[str, ...]
    aggregates: tuple[AggregateCall, ...]


class WindowProperty(Enum):
    """The columns that a window adds."""

    START = "window_start"
    END = "window_end"
    TIME = "window_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowAggregate(_Unary):
    """
    Aggregates by `keys` and window, and puts each window out once, when the watermark has passed its end.

    The schema is keys, then one field for each aggregate, then one for each of `properties`.
    """

    window: WindowSpec
    keys: tuple[str, ...]
    aggregates: tuple[AggregateCall, ...]
    properties: tuple[WindowProperty, ...]


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
class Limit(_Unary):
    """LIMIT without ORDER BY: any `count` rows; the pipeline ends when it has them."""

    count: int
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink(_Unary):
    """
    Writes into a table; the input's columns are exactly `table.written`, by name and type.

    `table` is None for a SELECT at the top of a script: its rows go to whoever runs it.
    """

    table: Table | None


def walk(node: Node) -> list[Node]:
    """Give the nodes of a plan, inputs before the nodes that read them, each once."""
    seen: dict[int, Node] = {}

    def visit(n: Node) -> None:
        if id(n) not in seen:
            for child in n.inputs:
                visit(child)
            seen[id(n)] = n

    visit(node)
    return list(seen.values())
