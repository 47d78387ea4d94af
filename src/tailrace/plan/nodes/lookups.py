"""The node that asks another table for what it knows of each row."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.expressions.nodes import Expr, columns
from tailrace.plan.catalog import Table
from tailrace.plan.nodes.base import Unary
from tailrace.plan.nodes.joins import JoinKind, LookupRetry
from tailrace.schema import Field, Schema


@dataclass(frozen=True, slots=True)
class LookupKey:
    """A column of the table that is looked up in, and the value that it must have, over the columns of the input."""

    column: str
    value: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupJoin(Unary):
    """
    Joins each row, INNER or LEFT, with the rows that a table has for its `keys` when the row comes.

    What is found and passes `predicate` gives the fields `found` by `exprs`, both over the columns of the table. The schema is
    any of the input's and these; `condition` is over all of them.
    """

    kind: JoinKind
    table: Table
    keys: tuple[LookupKey, ...]
    found: Schema
    exprs: tuple[Expr, ...]
    predicate: Expr | None = None
    condition: Expr | None = None
    retry: LookupRetry | None = None

    @property
    def asked(self) -> Schema:
        """The columns of the table that are asked for, those of the keys among them."""
        used = [*self.exprs, *([] if self.predicate is None else [self.predicate])]
        names = {k.column for k in self.keys} | {name for e in used for name in columns(e)}
        return Schema(tuple(Field(f.name, f.type) for f in self.table.schema if f.name in names))
