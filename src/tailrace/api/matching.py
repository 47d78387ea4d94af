"""Patterns of rows: MATCH_RECOGNIZE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tailrace.api import queries, trees
from tailrace.api.durations import Span, span
from tailrace.api.expr import Expr, SortExpr, column, several, sort_keys
from tailrace.api.trees import placed
from tailrace.sql.dialect import nodes as n


@dataclass(frozen=True, slots=True)
class Match:
    """What rows are looked for, and what is told of those that are found; `Table.match` takes it."""

    pattern: str
    define: Mapping[str, Expr]
    measures: Mapping[str, Expr]
    order_by: Sequence[str | Expr | SortExpr]
    partition_by: Sequence[str | Expr] = ()
    within: Span | None = None
    after: str = "PAST LAST ROW"
    subsets: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def tree(self, table: n.Query) -> n.Query:
        """Give the query over a table."""
        source = placed(
            n.MatchSource(
                input=queries.source_of(table),
                partition=[column(c).tree.copy() for c in several(self.partition_by)],
                order=sort_keys(self.order_by),
                measures=[_measure(name, e) for name, e in self.measures.items()],
                all_rows=False,
                within=None if self.within is None else trees.interval(span(self.within)),
                subsets=[_subset(name, variables) for name, variables in self.subsets.items()],
                defines=[_define(name, condition) for name, condition in self.define.items()],
                **trees.pattern(self.pattern, self.after),
            )
        )
        return queries.select(source)


def step(variable: str, name: str) -> Expr:
    """
    Give a column of the rows that a variable of a pattern stands for.

    >>> import tailrace as tr
    >>> print(tr.call("LAST", tr.step("up", "price")))
    LAST(`up`.`price`)
    """
    return Expr(trees.name(variable, name))


def _measure(name: str, expr: Expr) -> n.Measure:
    return placed(n.Measure(this=expr.tree.copy(), alias=trees.identifier(name)))


def _define(name: str, condition: Expr) -> n.Define:
    return placed(n.Define(name=trees.identifier(name), condition=condition.tree.copy()))


def _subset(name: str, variables: Sequence[str]) -> n.Subset:
    return placed(n.Subset(name=trees.identifier(name), variables=trees.texts(variables)))
