"""VALUES: constant rows, once."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, Batch
from tailrace.engine.operator import Operator, Times
from tailrace.engine.user_steps import UserSteps
from tailrace.expressions.lower import Lowering
from tailrace.expressions.nodes import Expr
from tailrace.plan.nodes import Values
from tailrace.state.delta import StateDelta


class ValuesOperator(Operator):
    """Puts its rows out in the first tick, and ends."""

    def __init__(self, node: Values, timezone: str) -> None:
        self._node = node
        self._timezone = timezone
        self._given = False

    def advance(self, times: Times) -> list[Batch]:
        if self._given:
            return []
        self._given = True
        rows = [row for exprs in self._node.rows if len(row := self._row(exprs))]
        return [pl.concat(rows) if rows else self._node.schema.empty()]

    def _row(self, exprs: tuple[Expr, ...]) -> Batch:
        """Give one row; none where a function of the user failed."""
        lowering = Lowering(self._timezone)
        pairs = zip(map(lowering.lower, exprs), self._node.schema, strict=True)
        values = [value.cast(f.type.polars).alias(f.name) for value, f in pairs]
        one = UserSteps(lowering.steps).add(pl.DataFrame({"$one": [0]}), self)
        return one.select(values) if len(one) else self._node.schema.empty()

    def watermark(self, times: Times) -> int:
        return MAX_WATERMARK

    def snapshot(self) -> StateDelta:
        return StateDelta(base=True, scalars={"given": self._given})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        for delta in deltas:
            self._given = bool(delta.scalars["given"])
