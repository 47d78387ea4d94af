"""Joins of what a SELECT reads with the queries inside of its expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Column, Expr, Literal, Outer, columns, substitute, transform
from tailrace.plan.nodes import Aggregate, Calc, JoinKind, Limit, Rank
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.rewrite.decorrelate import pull, with_outer_rows
from tailrace.plan.rewrite.predicates import filtered, joined
from tailrace.plan.rewrite.pulled import Pulled, projected, side_by_side
from tailrace.schema import BOOLEAN, Schema
from tailrace.sql.binder.enclosing import Enclosing, new_scope
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.joins import settled
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

TRUE = Literal(BOOLEAN.with_nullable(False), value=True)
BindQuery = Callable[[n.Query, Enclosing], Plan]


@dataclass(frozen=True, slots=True)
class _Step:
    """One join; what the query inside needs of the rows of the query around is filled in when their plan is known."""

    right: Plan
    kind: JoinKind
    condition: Expr | None
    scope: int

    def over(self, left: Plan) -> Plan:
        right = with_outer_rows(self.right, self.scope, left)
        return side_by_side(left, right, self.kind, self.condition, times=True)


@dataclass
class SubqueryJoins:
    """
    Collects the joins that queries in expressions mean, while the expressions are bound.

    `taken` are the names that the columns of the joined queries must not have.
    """

    bind_query: BindQuery
    source: Source
    taken: set[str]
    scope: int = field(default_factory=new_scope)
    _steps: list[_Step] = field(default_factory=list)
    _loose: set[int] = field(default_factory=set)

    def over(self, plan: Plan) -> Plan:
        """Give a plan with all joins on top."""
        for step in self._steps:
            plan = step.over(plan)
        return plan

    def filtered_over(self, plan: Plan, predicate: Expr | None) -> tuple[Plan, Expr | None]:
        """Give a plan with a filter and all joins on top; what comes back of the filter is still to be done."""
        if not self._steps:
            return plan, predicate
        return settled(self.over(filtered(plan, predicate)), None), None

    def is_loose(self, node: n.Node) -> bool:
        """Tell whether NULL is as good as FALSE for a part of a condition."""
        return id(node) in self._loose

    def loosen(self, nodes: Iterable[n.Node]) -> None:
        """Remember parts of a condition for which NULL is as good as FALSE."""
        self._loose |= {id(x) for x in nodes}

    def compared(
        self, node: n.Node, given: Sequence[n.Node], pulled: Pulled, binder: ExpressionBinder
    ) -> tuple[list[Expr], list[Expr]]:
        """
        Give what stands left of IN, and what the query gives.

        Raises:
            ConfigError: these are different numbers of values.
        """
        outputs = list(pulled.outputs.values())
        if len(given) != len(outputs):
            message = f"{len(given)} values are compared with the {len(outputs)} columns of a query"
            raise ConfigError(message, location=at(node, self.source))
        return [binder.bind(g) for g in given], outputs

    def pulled(self, node: n.Node, binder: ExpressionBinder, *, any_row: bool = False) -> Pulled:
        """Bind the query of a node, and take the columns of this one out of it; `any_row` tells that its LIMIT does not matter."""
        plan = self.bind_query(node.args["query"], Enclosing(binder, self.scope))
        return pull(_without_limit(plan) if any_row else plan, self.scope)

    def side(
        self, pulled: Pulled, exprs: Sequence[Expr], *, nullable: bool = False
    ) -> tuple[Plan, list[Expr], list[Expr]]:
        """Give the plan of a query with new names; and its conditions, and expressions over it, as they read beside it."""
        read = dict.fromkeys(name for e in (*pulled.conditions, *exprs) for name in sorted(columns(e)))
        types = {name: pulled.plan.schema[name].type for name in read}
        fresh = {name: self.fresh() for name in read}
        plan = projected(pulled.plan, {fresh[name]: Column(types[name], name) for name in read}, None)
        renamed: dict[str, Expr] = {
            name: Column(t.with_nullable(t.nullable or nullable), fresh[name]) for name, t in types.items()
        }
        conditions, beside = ([self._here(substitute(e, renamed)) for e in es] for es in (pulled.conditions, exprs))
        return plan, conditions, beside

    def any_row(self, plan: Plan, keys: Sequence[str] = ()) -> tuple[Plan, str]:
        """Give one row for each of the different keys of a plan (none: for all its rows), with a column that is true, and its name."""
        if not keys:
            marked, mark = self.marked(plan)
            return grouped(marked, (mark,)), mark
        mark = self.fresh()
        kept: dict[str, Expr] = {k: Column(plan.schema[k].type, k) for k in keys}
        return projected(grouped(plan, tuple(keys)), kept | {mark: TRUE}, None), mark

    def marked(self, plan: Plan) -> tuple[Plan, str]:
        """Give all rows of a plan with a column that is true alone, and its name."""
        mark = self.fresh()
        return projected(plan, {mark: TRUE}, None), mark

    def join(self, plan: Plan, kind: JoinKind, conditions: Sequence[Expr]) -> None:
        """Add a join with a plan of names of its own."""
        self._steps.append(_Step(plan, kind, joined(conditions), self.scope))

    def fresh(self) -> str:
        """Give a name that nothing has."""
        number = 0
        while (name := f"__q{number}") in self.taken:
            number += 1
        self.taken.add(name)
        return name

    def _here(self, expr: Expr) -> Expr:
        """Read the columns of this query, which are those of the query around for the one inside."""
        return transform(
            expr, lambda e: Column(e.type, e.name) if isinstance(e, Outer) and e.scope == self.scope else e
        )


def grouped(plan: Plan, keys: tuple[str, ...]) -> Aggregate:
    """Give the different values of some columns."""
    fields = tuple(replace(plan.schema[k], time=None) for k in keys)
    return Aggregate(schema=Schema(fields), input=plan, keys=keys, aggregates=(), location=plan.location)


def _without_limit(plan: Plan) -> Plan:
    """Give the rows without an order and LIMIT of which there is one if there is any at all."""
    match plan:
        case Calc(predicate=None):
            return _without_limit(plan.input) if isinstance(plan.input, Limit | Rank | Calc) else plan
        case Limit() if plan.count and not plan.offset:
            return plan.input
        case Rank(number=None, start=1):
            return plan.input
    return plan
