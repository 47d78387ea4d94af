"""A query inside of another one reads its columns: they are taken out of its plan, so that both can be joined."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Column, Expr, Literal, outers, substitute
from tailrace.plan.nodes import (
    Aggregate,
    Calc,
    Join,
    JoinKind,
    Limit,
    Node,
    OuterRows,
    OverAggregate,
    Rank,
    Union,
)
from tailrace.plan.rewrite.predicates import conjuncts, filtered, joined
from tailrace.plan.rewrite.pulled import (
    Names,
    Pulled,
    equal_outside,
    exposed,
    inside,
    is_correlated,
    projected,
    settled,
    side_by_side,
    with_rows,
)
from tailrace.plan.rewrite.ranks import as_rank
from tailrace.plan.rewrite.walks import bottom_up
from tailrace.schema import BIGINT, Field, Schema


def pull(plan: Node, scope: int, *, limits: bool = False) -> Pulled:
    """
    Take the columns of the query around, which `scope` tells, out of a plan.

    With `limits` there may be LIMIT over them, which then counts for each row of the query around.

    Raises:
        ConfigError: they stand where Flink does not take them.
        UnsupportedError: they stand where they can't be taken from.
    """
    return _Puller(scope, Names.apart(plan), limits).pull(plan)


def with_outer_rows(plan: Node, scope: int, around: Node) -> Node:
    """Put the different rows of the query around, whose plan is given, where the plan inside needs them."""

    def step(node: Node) -> Node:
        if not isinstance(node, OuterRows) or node.scope != scope:
            return node
        pairs = zip(node.schema, node.names, strict=True)
        below = projected(around, {f.name: Column(f.type, name) for f, name in pairs}, None)
        return Aggregate(schema=node.schema, input=below, keys=node.schema.names, aggregates=(), location=node.location)

    return bottom_up((plan,), step)[0]


@dataclass(frozen=True, slots=True)
class _Puller:
    scope: int
    names: Names
    limits: bool

    def pull(self, node: Node) -> Pulled:
        if not is_correlated(node, self.scope):
            return Pulled.of(node)
        match node:
            case Calc():
                return self._calc(node)
            case Join() if type(node) is Join:
                return self._join(node)
            case Aggregate():
                return self._aggregate(node)
            case Rank() | Limit():
                return self._rank(node)
            case OverAggregate():
                return self._over(node)
            case Union():
                hint = "write the condition into a query around the UNION, or one EXISTS for each"
                raise self._refused("under a UNION", hint, node)
        message = "a column of the query around can't be used here"
        raise UnsupportedError(message, hint="compare it in the WHERE of the query inside", location=node.location)

    def _settled(self, node: Node) -> Pulled:
        return settled(self.pull(node), self.scope, self.names)

    def _calc(self, node: Calc) -> Pulled:
        below = self.pull(node.input)
        outputs = {f.name: substitute(e, below.outputs) for f, e in zip(node.schema, node.exprs, strict=True)}
        parts = [substitute(p, below.outputs) for p in conjuncts(node.predicate)]
        if below.single:
            return replace(below, outputs=outputs, passes=joined([*conjuncts(below.passes), *parts]))
        outside = [p for p in parts if outers(p, self.scope)]
        local = joined(p for p in parts if p not in outside)
        return Pulled(filtered(below.plan, local), outputs, (*below.conditions, *outside))

    def _aggregate(self, node: Aggregate) -> Pulled:
        """Group by what is compared with the query around too; without GROUP BY there is a row for each of its rows."""
        below = self._settled(node.input)
        keys = list(node.keys)
        keys += [c for c in below.compared if c not in keys]
        results = node.schema.fields[len(node.keys) :]
        kept = [replace(below.plan.schema[k], time=None) for k in keys]
        made = replace(node, schema=Schema((*kept, *results)), input=below.plan, keys=tuple(keys))
        if node.keys:
            return Pulled(made, {f.name: Column(f.type, f.name) for f in node.schema}, below.conditions)
        outputs = {f.name: _of_nothing(f, c.function) for f, c in zip(results, node.aggregates, strict=True)}
        return Pulled(made, outputs, below.conditions, single=True)

    def _rank(self, node: Rank | Limit) -> Pulled:
        """Let places count for each value that is compared with the query around."""
        places = isinstance(node, Rank) and node.number is not None
        if not places and not self.limits:
            hint = "write FROM (SELECT DISTINCT k FROM t) AS a, LATERAL (SELECT ... FROM t WHERE t.k = a.k ORDER BY ... LIMIT n)"
            raise self._refused("under a LIMIT", hint, node)
        below = self._settled(node.input)
        added = below.compared
        number = node.schema.fields[-1:] if places else ()
        schema = Schema((*below.plan.schema.fields, *number))
        rank = node if isinstance(node, Rank) else as_rank(node)
        partition = tuple(dict.fromkeys((*rank.partition, *added)))
        made = replace(rank, schema=schema, input=below.plan, partition=partition)
        return Pulled(made, {f.name: Column(f.type, f.name) for f in node.schema}, below.conditions)

    def _over(self, node: OverAggregate) -> Pulled:
        below = self._settled(node.input)
        calls = node.schema.fields[len(node.input.schema) :]
        partition = tuple(dict.fromkeys((*node.partition, *below.compared)))
        schema = Schema((*below.plan.schema.fields, *calls))
        made = replace(node, schema=schema, input=below.plan, partition=partition)
        return Pulled(made, {f.name: Column(f.type, f.name) for f in node.schema}, below.conditions)

    def _join(self, node: Join) -> Pulled:
        if node.kind is JoinKind.FULL:
            raise self._refused("under a FULL JOIN", "join the queries one after the other", node)
        if node.kind is JoinKind.RIGHT:
            keys = tuple(replace(k, left=k.right, right=k.left) for k in node.keys)
            turned = replace(node, left=node.right, right=node.left, keys=keys, ttl=node.ttl[::-1], kind=JoinKind.LEFT)
            return self._join(turned)
        left, right = self._side(node.left), self._side(node.right)
        own = conjuncts(node.condition)
        conditions = left.conditions
        if node.kind is JoinKind.INNER:
            outside = [p for p in own if outers(p, self.scope)]
            conditions = (*conditions, *right.conditions, *outside)
            own = [p for p in own if p not in outside]
        else:
            left, own = self._on_left(left, [*own, *right.conditions])
            conditions = left.conditions
        made = replace(side_by_side(left.plan, right.plan, node.kind, joined(own)), keys=node.keys, ttl=node.ttl)
        shown = {f.name: Column(f.type, f.name) for f in made.schema if f.name in node.schema.names}
        return Pulled(made, dict(shown), conditions)

    def _side(self, node: Node) -> Pulled:
        """Give one side of a join with its columns as they were called."""
        pulled = self.pull(node)
        if pulled.single or any(outers(e, self.scope) for e in pulled.outputs.values()):
            return settled(pulled, self.scope, self.names)
        return exposed(pulled, self.names) if pulled.conditions else pulled

    def _on_left(self, left: Pulled, own: list[Expr]) -> tuple[Pulled, list[Expr]]:
        """Give the left of a join with all that its conditions read of the query around, and the conditions over that."""
        known = equal_outside(left, self.scope)
        own = [inside(p, known) for p in own]
        missing = frozenset(o for p in own for o in outers(p, self.scope))
        if not missing:
            return left, own
        made, by_outer = with_rows(left, self.scope, self.names, missing)
        return made, [inside(p, by_outer) for p in own]

    def _refused(self, where: str, hint: str, node: Node) -> ConfigError:
        message = f"a column of the query around can't be used {where}, as in Flink"
        return ConfigError(message, hint=hint, location=node.location)


def _of_nothing(field: Field, function: str) -> Expr:
    """Give an aggregate of the rows that belong to a row of the query around, of which there may be none."""
    column = Column(field.type.with_nullable(True), field.name)
    if function != "COUNT":
        return column
    return catalogue.call("COALESCE", [column, Literal(BIGINT.with_nullable(False), 0)])
