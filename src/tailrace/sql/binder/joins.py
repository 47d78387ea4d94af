"""JOIN: two relations side by side, with the columns of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from tailrace.errors import ConfigError, did_you_mean
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Column, Expr, Outer, walk
from tailrace.plan.nodes import Calc, IntervalJoin, Join, JoinKind, LookupRetry, TemporalJoin, Unnest, WindowJoin
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.rewrite.filters import push_filter
from tailrace.plan.rewrite.joins import split_condition
from tailrace.plan.rewrite.predicates import filtered, joined
from tailrace.plan.rewrite.timed_joins import timed_join
from tailrace.plan.times import time_of
from tailrace.schema import Field, Schema
from tailrace.sql.binder.enclosing import Enclosing
from tailrace.sql.binder.expressions import ExpressionBinder, Inner
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc, renamed, unique
from tailrace.sql.binder.scope import Member, Relation, Scope
from tailrace.sql.binder.temporal import settle, temporal
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source


class OnQueries(Inner, Protocol):
    """What joins the queries in ON to the left."""

    def over(self, plan: Plan) -> Plan:
        """Give a plan with all joins on top."""


@dataclass(frozen=True, slots=True)
class JoinBinder:
    """Binds one join of two relations that are bound."""

    node: n.Join
    left: Relation
    right: Relation
    source: Source
    time: str | None = None
    """The column of the left that the right is read as of, in a temporal join."""
    ttl: tuple[int | None, int | None] = (None, None)
    retry: LookupRetry | None = None
    enclosing: Enclosing | None = None
    queries: Callable[[Plan], OnQueries] | None = None
    """Gives what takes the queries in ON, over a plan with the columns of both sides; None: there may be none."""

    def bind(self) -> Relation:
        """
        Give the relation of both.

        Raises:
            ConfigError: a name is there twice, or the condition is wrong.
        """
        refuse_same_names(self.left, [m.alias for m in self.right.members], self.node.args["right"], self.source)
        right = _apart(self.right, self.left.plan.schema.names)
        both = Relation(self._joined(right, None), (*self.left.members, *right.members))
        names = self._shared_names()
        if names:
            return self._using(names, both, right)
        condition = n.get(self.node, "condition")
        if condition is None:
            return both
        queries = self.queries(both.plan) if self.queries is not None else None
        binder = ExpressionBinder(Scope(both.plan.schema, both.members), self.source, self.enclosing, queries)
        found = binder.condition(condition, "ON")
        if any(isinstance(e, Outer) for e in walk(found)):
            message = "a column of the query around can't be used in ON, as in Flink"
            raise ConfigError(message, hint="compare it in WHERE", location=at(condition, self.source))
        return Relation(self._joined(right, found, queries), both.members)

    @property
    def _kind(self) -> JoinKind:
        word = str(self.node.args["kind"])
        return JoinKind.INNER if word == "CROSS" else JoinKind[word]

    def _joined(self, right: Relation, condition: Expr | None, queries: OnQueries | None = None) -> Join:
        left = self.left.plan if queries is None else queries.over(self.left.plan)
        left_fields = [_field(f, nullable=self._kind.keeps_right) for f in left.schema]
        right_fields = [_field(f, nullable=self._kind.keeps_left) for f in right.plan.schema]
        made = Join(
            schema=Schema((*left_fields, *right_fields)),
            left=left,
            right=right.plan,
            kind=self._kind,
            condition=condition,
            ttl=self.ttl,
            location=at(self.node, self.source),
        )
        return made if self.time is None else temporal(made, self.time, self.retry)

    def _shared_names(self) -> list[n.Identifier]:
        """Give the names of USING, or those that NATURAL means."""
        if not n.get(self.node, "natural"):
            return list(n.get(self.node, "using") or [])
        theirs = {name for m in self.right.members for name in m.visible}
        found = [n.Identifier(this=c) for m in self.left.members for c in m.visible if c in theirs]
        for name in found:
            name.meta.update(self.node.meta)
        return found

    def _using(self, names: list[n.Identifier], both: Relation, right: Relation) -> Relation:
        """Join by the names of both sides; each is one column then, besides those of the sides."""
        parts: list[Expr] = []
        merged: dict[str, Expr] = {}
        for name in names:
            a, b = (self._column(name, r, both.plan) for r in (self.left, right))
            parts.append(catalogue.call("=", [a, b], at(name, self.source)))
            merged[str(name.this)] = self._merged(a, b)
        plan: Plan = self._joined(right, joined(parts))
        added = {name: e for name, e in merged.items() if not isinstance(e, Column)}
        plan, given = _with_columns(plan, added)
        columns = {name: e.name if isinstance(e, Column) else given[name] for name, e in merged.items()}
        members = tuple(replace(m, hidden=m.hidden | merged.keys()) for m in both.members)
        common = Member("", columns, natural=bool(n.get(self.node, "natural")))
        return Relation(plan, (common, *members))

    def _column(self, name: n.Identifier, relation: Relation, plan: Plan) -> Column:
        text = str(name.this)
        found = [m.columns[text] for m in relation.members if text in m.visible]
        if len(found) == 1:
            return Column(plan.schema[found[0]].type, found[0])
        if found:
            raise ConfigError(f"the column '{text}' may be one of several", location=at(name, self.source))
        known = [c for m in relation.members for c in m.visible]
        hint = did_you_mean(text, known) or "columns: " + ", ".join(known)
        message = f"there is no column '{text}' on the {'left' if relation is self.left else 'right'} of the join"
        raise ConfigError(message, hint=hint, location=at(name, self.source))

    def _merged(self, a: Column, b: Column) -> Expr:
        if self._kind in (JoinKind.INNER, JoinKind.LEFT):
            return a
        return catalogue.call("COALESCE", [a, b], at(self.node, self.source))


def refuse_same_names(left: Relation, names: Iterable[str], node: n.Node, source: Source) -> None:
    """
    Make sure that none of these names of relations stands on the left already.

    Raises:
        ConfigError: one does.
    """
    taken = {m.alias for m in left.members if m.alias}
    for name in names:
        if name in taken:
            hint = f"give one of them another name: {name} AS {name}2"
            raise ConfigError(f"the name '{name}' stands twice in FROM", hint=hint, location=at(node, source))


def _field(field: Field, *, nullable: bool) -> Field:
    return replace(field, type=field.type.with_nullable(True)) if nullable else field


def _apart(relation: Relation, taken: tuple[str, ...]) -> Relation:
    """Give a relation whose plan has none of these names."""
    old = relation.plan.schema.names
    new = unique([*taken, *old])[len(taken) :]
    by_old = dict(zip(old, new, strict=True))
    members = tuple(replace(m, columns={c: by_old[p] for c, p in m.columns.items()}) for m in relation.members)
    return Relation(renamed(relation.plan, new, relation.plan.location), members)


def _with_columns(plan: Plan, added: dict[str, Expr]) -> tuple[Plan, dict[str, str]]:
    """Give a plan with further columns, and what each of them is called."""
    if not added:
        return plan, {}
    names = unique([*plan.schema.names, *added])[len(plan.schema) :]
    own = [Output(f.name, Column(f.type, f.name)) for f in plan.schema]
    more = [Output(name, e) for name, e in zip(names, added.values(), strict=True)]
    return calc(plan, [*own, *more], None, plan.location), dict(zip(added, names, strict=True))


def settled(plan: Plan, predicate: Expr | None) -> Plan:
    """
    Give what FROM and WHERE mean together: which joins there are, and what they do to time attributes.

    A condition of WHERE belongs to the inner joins that it is about. A join by window or interval keeps the time attributes of
    both sides. The rows of a regular join have no order in time: its time attributes become plain timestamps.
    """
    return _decided(push_filter(filtered(plan, predicate)))


def has_join(plan: Plan) -> bool:
    """Tell whether a relation is a join, or computed or unnested over one."""
    return isinstance(plan, Join) or (isinstance(plan, Calc | Unnest) and has_join(plan.input))


def _decided(node: Plan) -> Plan:
    match node:
        case WindowJoin() | IntervalJoin():
            return node
        case Join():
            made = split_condition(node)
            made = replace(made, left=_decided(made.left), right=_decided(made.right))
            if isinstance(made, TemporalJoin):
                return settle(made)
            made = timed_join(made) or made
            return replace(made, schema=Schema(tuple(_timed(f, made) for f in made.schema)))
        case Calc() if has_join(node):
            below = _decided(node.input)
            pairs = zip(node.schema, node.exprs, strict=True)
            fields = tuple(replace(f, time=time_of(e, below.schema)) for f, e in pairs)
            return replace(node, input=below, schema=Schema(fields))
        case Unnest() if has_join(node):
            below = _decided(node.input)
            kept = tuple(below.schema[f.name] for f in node.schema if f.name not in node.added)
            added = tuple(node.schema[name] for name in node.added)
            return replace(node, input=below, schema=Schema((*kept, *added)))
    return node


def _timed(field: Field, node: Join) -> Field:
    """Give a column of a join with the time attribute that it has on its side, if the join keeps it."""
    if not isinstance(node, WindowJoin | IntervalJoin):
        return replace(field, time=None)
    side = node.left if field.name in node.left.schema else node.right
    return replace(field, time=side.schema[field.name].time)
