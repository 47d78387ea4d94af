"""Nodes that read two inputs side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from tailrace.expressions.nodes import Expr
from tailrace.plan.nodes.base import Node
from tailrace.plan.nodes.windows import WindowSpec


class JoinKind(Enum):
    """What becomes of rows without a match: dropped, kept with NULLs, or (SEMI, ANTI) all that is asked."""

    INNER = "INNER"
    LEFT = "LEFT"
    RIGHT = "RIGHT"
    FULL = "FULL"
    SEMI = "SEMI"
    ANTI = "ANTI"

    @property
    def keeps_left(self) -> bool:
        """Tell that a row of the left without a match is put out."""
        return self in (JoinKind.LEFT, JoinKind.FULL, JoinKind.ANTI)

    @property
    def keeps_right(self) -> bool:
        """Tell that a row of the right without a match is put out."""
        return self in (JoinKind.RIGHT, JoinKind.FULL)

    @property
    def left_only(self) -> bool:
        """Tell that only rows of the left are put out."""
        return self in (JoinKind.SEMI, JoinKind.ANTI)


@dataclass(frozen=True, slots=True)
class JoinKey:
    """Two columns of one type that must be equal; with `null_safe` NULL equals NULL (IS NOT DISTINCT FROM)."""

    left: str
    right: str
    null_safe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Join(Node):
    """
    A regular join: keeps all rows of both sides, and puts out what matches.

    The columns of both sides have different names; the schema is any of them (SEMI, ANTI: of the left). Rows match if
    all `keys` are equal and `condition`, over the columns of both sides, is true. `ttl` (ms, 0: for ever, None: as the job) is how
    long rows of the left and of the right live.
    """

    left: Node
    right: Node
    kind: JoinKind
    keys: tuple[JoinKey, ...] = ()
    condition: Expr | None = None
    ttl: tuple[int | None, int | None] = (None, None)

    @property
    def inputs(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        return replace(self, left=inputs[0], right=inputs[1])


@dataclass(frozen=True, slots=True)
class LookupRetry:
    """How often a table is asked again for keys that it has no rows of, and after how long (ms) each time."""

    attempts: int
    delay: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalJoin(Join):
    """
    Joins each row of the left, INNER or LEFT, with the one row of the right that was there at the left's `time`.

    The rows of the right are versions: each holds from its `version_time` until the next one of the same key, which is among
    the join's keys. Both are row times. While a query is bound, `time` may be a processing time, and `version_time` is empty;
    `retry` is for the lookup that it becomes then.
    """

    time: str
    version_time: str = ""
    retry: LookupRetry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowJoin(Join):
    """
    A join of rows that are in equal windows, put out once, when the watermark has passed the end of the window.

    `edges` are the columns of both sides with the window's end, `local` tells that they are in the job's time zone. That
    they are equal is no part of `keys`.
    """

    window: WindowSpec
    edges: tuple[str, str]
    local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalJoin(Join):
    """
    A join of rows whose times are near each other: the left's is that of the right plus `lower` to `upper` milliseconds.

    `times` are the time attributes of both sides. A row is kept until no row that may come can match it, and put out then if it
    stands alone.
    """

    times: tuple[str, str]
    lower: int
    upper: int
    processing_time: bool = False

    def lives(self, port: int) -> int:
        """Tell how many milliseconds behind its own time a row of a side (0: left) may still meet its match."""
        return self.upper if port else -self.lower
