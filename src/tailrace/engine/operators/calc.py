"""Filter and projection, as one pass of Polars expressions."""

from __future__ import annotations

import polars as pl

from tailrace.engine.batch import Batch, hidden
from tailrace.engine.checks import checked
from tailrace.engine.operator import Operator, Times
from tailrace.engine.predicate import Predicate, with_time
from tailrace.engine.user_steps import UserSteps
from tailrace.expressions.lower import Lowering, is_constant, is_volatile, needs
from tailrace.expressions.nodes import Expr
from tailrace.plan.nodes import Calc

_WORTH_SHARING = 2048
"""Rows from which on looking for what expressions share costs less than computing it twice."""
_SHARING = pl.QueryOptFlags.none().update(comm_subexpr_elim=True)


class CalcOperator(Operator):
    """
    Keeps the rows for which the predicate is true, then computes the columns.

    A row for which an expression fails (a bad CAST, a division by zero) is rejected; the others go on, in order.
    """

    passes_rows = True

    def __init__(self, node: Calc, timezone: str) -> None:
        self._predicate = Predicate(node.predicate, timezone) if node.predicate is not None else None
        lowering = Lowering(timezone)
        self._values = [_lowered(e, lowering) for e in node.exprs]
        self._steps = UserSteps(lowering.steps)
        self._checks = tuple(lowering.checks)
        self._names = [f.name for f in node.schema]
        self._types = [f.type.polars for f in node.schema]
        self._needs = {name for e in node.exprs for name in needs(e)}
        self._volatile = any(is_volatile(e) for e in node.exprs)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        carried = hidden(batch)
        batch = with_time(batch, times, self._needs)
        if self._predicate is not None:
            batch = self._predicate.passing(batch, times, self)
        batch = checked(self._steps.add(batch, self), self._checks, self)
        if not len(batch):
            return []
        # with_columns on a frame gives constants its length, which select would not
        values = [x.cast(t).alias(f"$out{i}") for i, (x, t) in enumerate(zip(self._values, self._types, strict=True))]
        renamed = [pl.col(f"$out{i}").alias(n) for i, n in enumerate(self._names)]
        return [self._with(batch, values).select([*renamed, *carried])]

    def _with(self, batch: Batch, values: list[pl.Expr]) -> Batch:
        """Add columns; in a large batch what several of them share is computed once."""
        if len(batch) < _WORTH_SHARING or self._volatile:
            return batch.with_columns(values)
        return batch.lazy().with_columns(values).collect(optimizations=_SHARING)


def _lowered(expr: Expr, lowering: Lowering) -> pl.Expr:
    """Lower an expression; one without columns is made a scalar, which takes the length of the frame."""
    value = lowering.lower(expr)
    return value.first() if is_constant(expr) else value
