"""LIMIT: so many rows, then no more input."""

from __future__ import annotations

from collections.abc import Iterable

from tailrace.engine.batch import Batch
from tailrace.engine.operator import Operator, Times
from tailrace.plan.nodes import Limit
from tailrace.state.delta import StateDelta


class LimitOperator(Operator):
    """Skips `offset` rows and passes `count`."""

    passes_rows = True

    def __init__(self, node: Limit) -> None:
        self._skip = node.offset
        self._left = node.count

    @property
    def satisfied(self) -> bool:
        return self._left == 0

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        out = batch.slice(self._skip, self._left)
        self._skip -= min(self._skip, len(batch))
        self._left -= len(out)
        return [out] if len(out) else []

    def snapshot(self) -> StateDelta:
        return StateDelta(base=True, scalars={"skip": self._skip, "left": self._left})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        for delta in deltas:
            self._skip, self._left = int(delta.scalars["skip"]), int(delta.scalars["left"])
