"""UNION ALL: rows of all inputs, as they come."""

from __future__ import annotations

import polars as pl

from tailrace.engine.batch import Batch, hidden
from tailrace.engine.operator import Operator, Times
from tailrace.plan.nodes import Union


class UnionOperator(Operator):
    """Names the columns of every input as the first names them."""

    passes_rows = True

    def __init__(self, node: Union) -> None:
        self._fields = node.schema.fields
        self._inputs = [m.schema.names for m in node.members]

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        pairs = zip(self._inputs[port], self._fields, strict=True)
        renamed = [pl.col(name).cast(f.type.polars).alias(f.name) for name, f in pairs]
        return [batch.select([*renamed, *hidden(batch)])]
