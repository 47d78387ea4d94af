"""VALUES: constant rows, once."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, Batch
from tailrace.engine.operator import Operator, Times
from tailrace.expressions.lower import lower
from tailrace.plan.nodes import Values
from tailrace.state.delta import StateDelta


class ValuesOperator(Operator):
    """Puts its rows out in the first tick, and ends."""

    def __init__(self, node: Values, timezone: str) -> None:
        one = pl.DataFrame({"$one": [0]})
        fields = node.schema.fields
        rows = [
            one.select(
                lower(e, timezone).value.cast(f.type.polars).alias(f.name) for e, f in zip(row, fields, strict=True)
            )
            for row in node.rows
        ]
        self._frame = pl.concat(rows) if rows else node.schema.empty()
        self._given = False

    def advance(self, times: Times) -> list[Batch]:
        if self._given:
            return []
        self._given = True
        return [self._frame]

    def watermark(self, times: Times) -> int:
        return MAX_WATERMARK

    def snapshot(self) -> StateDelta:
        return StateDelta(base=True, scalars={"given": self._given})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        for delta in deltas:
            self._given = bool(delta.scalars["given"])
