"""Queries inside of the expressions of one SELECT: each becomes a join of what the SELECT reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tailrace.errors import ConfigError, Location
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Expr, outers
from tailrace.plan.nodes import JoinKind
from tailrace.plan.rewrite.predicates import joined
from tailrace.plan.rewrite.pulled import Pulled
from tailrace.sql.binder.aggregates import has_query
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.places import at
from tailrace.sql.binder.subquery_joins import SubqueryJoins
from tailrace.sql.binder.subquery_values import ValueBinder, operands
from tailrace.sql.dialect import nodes as n


class Subqueries(SubqueryJoins):
    """Binds the queries in expressions: those in conditions that must be true become semi and anti joins, others values."""

    def condition(self, node: n.Node, what: str, binder: ExpressionBinder) -> Expr | None:
        """Give what is left of a condition when queries in parts that must all be true have become semi and anti joins."""
        if not has_query(node):
            return binder.condition(node, what)
        rest = [self._part(part, what, binder, negated=negated) for part, negated in _parts(node)]
        return joined(p for p in rest if p is not None)

    def _part(self, node: n.Node, what: str, binder: ExpressionBinder, *, negated: bool) -> Expr | None:
        match node:
            case n.Exists():
                return self._semi(node, [], binder, negated=negated)
            case n.InQuery():
                return self._semi(node, operands(node), binder, negated=negated is not bool(n.get(node, "negated")))
            case n.Quantified() if n.get(node, "query") and (kind := _as_in(node)) is not None:
                return self._semi(node, operands(node), binder, negated=negated is kind)
        if not negated:
            self.loosen(_loose(node))
        found = binder.condition(node, what)
        return catalogue.call("NOT", [found], at(node, self.source)) if negated else found

    def _semi(self, node: n.Node, given: Sequence[n.Node], binder: ExpressionBinder, *, negated: bool) -> Expr | None:
        """Join what a query in a condition finds; give what is left to be true."""
        pulled = self.pulled(node, binder, any_row=not given)
        if pulled.single:
            found = ValueBinder(self, node, binder).of_single(pulled)
            return catalogue.call("NOT", [found], at(node, self.source)) if negated else found
        left, outputs = self.compared(node, given, pulled, binder) if given else ([], [])
        place, several = at(node, self.source), len(left) > 1
        if negated and left and not several:
            self._known(pulled, left[0], outputs[0], place)
        equal = _unknown_or_equal if negated and several else _equal
        kind = JoinKind.ANTI if negated else JoinKind.SEMI
        self._found(pulled, outputs, lambda right: [equal(a, b, place) for a, b in zip(left, right, strict=True)], kind)
        return None

    def _known(self, pulled: Pulled, left: Expr, right: Expr, place: Location) -> None:
        """
        Drop the rows for which NOT IN is not known: a value on the right is NULL, or that on the left, and there are any rows.

        Each is a join of its own that finds its rows by key; one condition for all would compare each row with each.
        """
        if left.type.nullable:
            unknown = catalogue.call("IS NULL", [left], place)
            self._found(pulled, [], lambda _: [unknown], JoinKind.ANTI)
        if right.type.nullable:
            self._found(pulled, [right], lambda r: [catalogue.call("IS NULL", r, place)], JoinKind.ANTI)

    def _found(
        self, pulled: Pulled, values: Sequence[Expr], more: Callable[[list[Expr]], list[Expr]], kind: JoinKind
    ) -> None:
        """Join what a query finds: rows that meet its conditions, and those that `more` gives for values beside the left."""
        plan, conditions, beside = self.side(pulled, values)
        if not plan.schema.fields:
            plan, _ = self.any_row(pulled.plan)
        self.join(plan, kind, [*conditions, *more(beside)])

    def value(self, node: n.Node, binder: ExpressionBinder) -> Expr:
        """Give what a query in an expression comes to, as an expression over what was read and joined."""
        return ValueBinder(self, node, binder).bind()


class OnSubqueries(Subqueries):
    """Binds the queries in ON: values and EXISTS that read nothing around them, as Flink takes no others there."""

    def value(self, node: n.Node, binder: ExpressionBinder) -> Expr:
        if isinstance(node, n.InQuery | n.Quantified):
            raise self._refused("IN, SOME and ALL with a query can't stand in ON", node)
        return super().value(node, binder)

    def pulled(self, node: n.Node, binder: ExpressionBinder, *, any_row: bool = False) -> Pulled:
        found = super().pulled(node, binder, any_row=any_row)
        if found.conditions or any(outers(e, self.scope) for e in found.outputs.values()):
            raise self._refused("a query in ON can't read the columns of the join", node)
        return found

    def _refused(self, message: str, node: n.Node) -> ConfigError:
        hint = "write it into WHERE, or into a query around one side"
        return ConfigError(f"{message}, as in Flink", hint=hint, location=at(node, self.source))


def _parts(node: n.Node, *, negated: bool = False) -> Iterator[tuple[n.Node, bool]]:
    """Give the parts of a condition that must all be true, or false (`negated`)."""
    if isinstance(node, n.Unary) and node.args["op"] == "NOT":
        yield from _parts(node.this, negated=not negated)
    elif isinstance(node, n.Binary) and node.args["op"] == ("OR" if negated else "AND"):
        for side in ("left", "right"):
            yield from _parts(node.args[side], negated=negated)
    else:
        yield node, negated


def _loose(node: n.Node) -> Iterator[n.Node]:
    """Give the parts of a condition for which NULL is as good as FALSE."""
    if isinstance(node, n.Binary) and node.args["op"] in ("AND", "OR"):
        for side in ("left", "right"):
            yield from _loose(node.args[side])
    else:
        yield node


def _as_in(node: n.Quantified) -> bool | None:
    """Tell that a comparison means IN (True) or NOT IN (False); None for others."""
    return {("=", "SOME"): True, ("<>", "ALL"): False}.get((node.args["op"], node.args["quantifier"]))


def _equal(a: Expr, b: Expr, location: Location) -> Expr:
    return catalogue.call("=", [a, b], location)


def _unknown_or_equal(a: Expr, b: Expr, location: Location) -> Expr:
    """Give the condition that NOT IN finds no row for: a comparison with NULL is not known to be false."""
    found = _equal(a, b, location)
    for side in (b, a):
        if side.type.nullable:
            found = catalogue.call("OR", [catalogue.call("IS NULL", [side], location), found], location)
    return found
