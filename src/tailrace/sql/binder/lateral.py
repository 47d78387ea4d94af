"""LATERAL: a query in FROM that reads the columns of what stands left of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Column, Expr, outers, substitute
from tailrace.plan.nodes import Aggregate, Calc, JoinKind, Scan, walk
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.rewrite.decorrelate import pull
from tailrace.plan.rewrite.predicates import conjuncts
from tailrace.plan.rewrite.pulled import Names, Pulled, exposed, settled
from tailrace.schema import Field, Schema
from tailrace.sql.binder.enclosing import Enclosing
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.joins import refuse_same_names
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc, unique
from tailrace.sql.binder.scope import Member, Relation, Scope
from tailrace.sql.binder.subquery_joins import SubqueryJoins
from tailrace.sql.binder.written_names import given_names
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source


@dataclass(frozen=True, slots=True)
class LateralBinder:
    """Binds a join whose right is LATERAL; `joins` binds the query inside, and joins it to the left."""

    node: n.Join
    left: Relation
    enclosing: Enclosing | None
    joins: SubqueryJoins
    source: Source

    def bind(self) -> Relation:
        """
        Give the relation of both.

        Raises:
            ConfigError: the join is not one that Flink has for it, or something in the query is wrong.
        """
        right, kind = self.node.args["right"], self._kind()
        alias = str(given.this) if (given := n.get(right, "alias")) is not None else ""
        refuse_same_names(self.left, [alias] if alias else [], right, self.source)
        around = Enclosing(self._binder(self.left), self.joins.scope)
        plan = self.joins.bind_query(right.this, around)
        names = self._names(plan.schema.names, n.get(right, "columns") or [], right)
        limits = kind is JoinKind.INNER and _is_distinct(self.left.plan) and _tables(plan) == _tables(self.left.plan)
        pulled = pull(plan, self.joins.scope, limits=limits)
        condition = self._condition(Member(alias, dict(zip(names, names, strict=True))), plan, names)
        on = conjuncts(condition)
        pulled = self._prepared(
            replace(pulled, outputs=dict(zip(names, pulled.outputs.values(), strict=True))), kind, on
        )
        made, given_names = self._joined(pulled, kind, on)
        member = Member(alias, dict(zip(names, given_names, strict=True)))
        return Relation(made, (*self.left.members, member))

    def _binder(self, relation: Relation) -> ExpressionBinder:
        return ExpressionBinder(Scope(relation.plan.schema, relation.members), self.source, self.enclosing)

    def _kind(self) -> JoinKind:
        word = str(self.node.args["kind"])
        if word in ("RIGHT", "FULL") or n.get(self.node, "using") or n.get(self.node, "natural"):
            what = f"{word} JOIN" if word in ("RIGHT", "FULL") else "JOIN by common names"
            hint = "write CROSS JOIN LATERAL (...), or LEFT JOIN LATERAL (...) ON TRUE"
            raise ConfigError(f"{what} can't have LATERAL on its right", hint=hint, location=at(self.node, self.source))
        return JoinKind.LEFT if word == "LEFT" else JoinKind.INNER

    def _names(self, own: tuple[str, ...], given: list[n.Node], right: n.Node) -> list[str]:
        """Give the names behind the alias instead of the query's own, if there are any."""
        if given and len(given) != len(own):
            message = f"{len(given)} names are given for {len(own)} columns"
            raise ConfigError(message, location=at(right, self.source))
        return given_names(given, self.source) or list(own)

    def _condition(self, member: Member, plan: Plan, names: list[str]) -> Expr | None:
        """Bind ON; the columns of the query are called as they are shown, behind a mark that no column of the left has."""
        node = n.get(self.node, "condition")
        if node is None:
            return None
        marked = replace(member, columns={name: _marked(name) for name in names})
        added = (Field(_marked(name), f.type) for name, f in zip(names, plan.schema, strict=True))
        schema = Schema((*self.left.plan.schema.fields, *added))
        binder = ExpressionBinder(Scope(schema, (*self.left.members, marked)), self.source, self.enclosing)
        return binder.condition(node, "ON")

    def _prepared(self, pulled: Pulled, kind: JoinKind, on: list[Expr]) -> Pulled:
        """Give what is to be joined: in an outer join, columns that are NULL where there is no row."""
        names = Names.apart(pulled.plan)
        names.taken |= set(pulled.outputs)
        if kind is JoinKind.INNER:
            # as in Flink, an aggregate of no rows is no row then
            passes = conjuncts(pulled.passes)
            return replace(pulled, single=False, passes=None, conditions=(*pulled.conditions, *passes))
        scope = self.joins.scope
        if any(outers(e, scope) for e in pulled.outputs.values()) or (pulled.single and (on or pulled.passes)):
            return settled(pulled, scope, names)
        return pulled if pulled.single else exposed(pulled, names)

    def _joined(self, pulled: Pulled, kind: JoinKind, on: list[Expr]) -> tuple[Plan, list[str]]:
        """Give the columns of the left and those of the query, and how these are called."""
        plan, conditions, outputs = self.joins.side(
            pulled, list(pulled.outputs.values()), nullable=kind is JoinKind.LEFT
        )
        by_name = {_marked(name): e for name, e in zip(pulled.outputs, outputs, strict=True)}
        if not plan.schema.fields:
            plan, _ = self.joins.marked(pulled.plan)
        self.joins.join(plan, kind, [*conditions, *(substitute(p, by_name) for p in on)])
        joined = self.joins.over(self.left.plan)
        own = [Output(f.name, Column(f.type, f.name)) for f in self.left.plan.schema]
        names = unique([*self.left.plan.schema.names, *pulled.outputs])[len(own) :]
        more = [Output(name, e) for name, e in zip(names, outputs, strict=True)]
        return calc(joined, [*own, *more], None, at(self.node, self.source)), names


def _marked(name: str) -> str:
    return f"__lateral.{name}"


def _tables(plan: Plan) -> set[str]:
    return {node.table.name for node in walk(plan) if isinstance(node, Scan)}


def _is_distinct(plan: Plan) -> bool:
    """Tell whether a plan gives the different values of something."""
    if isinstance(plan, Calc) and plan.predicate is None:
        return _is_distinct(plan.input)
    return isinstance(plan, Aggregate) and not plan.aggregates
