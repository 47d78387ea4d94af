"""A query as a value: EXISTS, IN, comparisons with SOME and ALL, and the only value of its only row."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.errors import ConfigError, Location
from tailrace.expressions import aggregates, catalogue
from tailrace.expressions.nodes import AggregateCall, Column, Expr, Literal, columns
from tailrace.plan.keys import unique_keys
from tailrace.plan.nodes import Aggregate, JoinKind
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.rewrite.predicates import filtered
from tailrace.plan.rewrite.pulled import Names, Pulled, settled
from tailrace.schema import BOOLEAN, Field, Schema
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.places import at
from tailrace.sql.binder.subquery_joins import TRUE, SubqueryJoins
from tailrace.sql.dialect import nodes as n

_FALSE = Literal(BOOLEAN.with_nullable(False), value=False)
_UNKNOWN = Literal(BOOLEAN.with_nullable(True), None)


@dataclass(frozen=True, slots=True)
class ValueBinder:
    """Binds one query in an expression; its joins go to `joins`."""

    joins: SubqueryJoins
    node: n.Node
    binder: ExpressionBinder

    def bind(self) -> Expr:
        """
        Give the value.

        Raises:
            ConfigError: the query has other columns than it must have, or Flink refuses it here.
        """
        pulled = self.joins.pulled(self.node, self.binder, any_row=isinstance(self.node, n.Exists))
        match self.node:
            case n.Exists():
                return self._exists(pulled)
            case n.InQuery():
                return self._in(pulled, operands(self.node), negated=bool(n.get(self.node, "negated")))
            case n.Quantified():
                return self._quantified(self.node, pulled)
        return self._scalar(pulled)

    @property
    def _place(self) -> Location:
        return at(self.node, self.joins.source)

    def _call(self, name: str, *args: Expr) -> Expr:
        return catalogue.call(name, list(args), self._place)

    def of_single(self, pulled: Pulled) -> Expr:
        """Give EXISTS or IN of a query that has one row, or none where it does not pass."""
        given = [] if isinstance(self.node, n.Exists) else operands(self.node)
        left, outputs = self.joins.compared(self.node, given, pulled, self.binder) if given else ([], [])
        passes = [pulled.passes] if pulled.passes is not None else []
        if not outputs and not passes:
            return TRUE
        plan, conditions, beside = self.joins.side(pulled, [*outputs, *passes], nullable=True)
        self.joins.join(plan, JoinKind.LEFT, conditions)
        found: Expr = TRUE
        for a, b in zip(left, beside, strict=False):
            found = self._call("AND", found, self._call("=", a, b))
        return self._call("CASE", beside[-1], found, _FALSE) if passes else found

    def _exists(self, pulled: Pulled) -> Expr:
        if pulled.single:
            return self.of_single(pulled)
        return self._call("IS NOT NULL", self._mark(self._settled(pulled), []))

    def _settled(self, pulled: Pulled) -> Pulled:
        return settled(pulled, self.joins.scope, Names.apart(pulled.plan))

    def _mark(self, pulled: Pulled, equal: list[tuple[Expr, Expr]]) -> Expr:
        """Join a column that is true where there is a row that is equal in all these pairs, else NULL."""
        outputs = [b for _, b in equal]
        keys = [
            name for name in pulled.plan.schema.names if any(name in columns(e) for e in (*pulled.conditions, *outputs))
        ]
        marked, mark = self.joins.any_row(pulled.plan, keys)
        exprs = [*outputs, Column(BOOLEAN.with_nullable(False), mark)]
        plan, conditions, beside = self.joins.side(
            Pulled(marked, pulled.outputs, pulled.conditions), exprs, nullable=True
        )
        pairs = [self._call("=", a, b) for (a, _), b in zip(equal, beside, strict=False)]
        self.joins.join(plan, JoinKind.LEFT, [*conditions, *pairs])
        return beside[-1]

    def _in(self, pulled: Pulled, given: list[n.Node], *, negated: bool) -> Expr:
        found = self._found(pulled, given, loose=self.joins.is_loose(self.node) and not negated)
        return self._call("NOT", found) if negated else found

    def _found(self, pulled: Pulled, given: list[n.Node], *, loose: bool) -> Expr:
        """Give TRUE if a row is equal, NULL (`loose`: or FALSE) if one may be, FALSE if none can be."""
        if pulled.single:
            return self.of_single(pulled)
        pulled = self._settled(pulled)
        left, right = self.joins.compared(self.node, given, pulled, self.binder)
        if not any(e.type.nullable for e in (*left, *right)):
            return self._call("IS NOT NULL", self._mark(pulled, list(zip(left, right, strict=True))))
        if len(left) > 1 and not loose:
            hint = "write it as a condition of WHERE, joined by AND or OR"
            message = "IN with several columns can't be a value, as in Flink"
            raise ConfigError(message, hint=hint, location=self._place)
        known = self._any_row(pulled)
        mark = self._call("IS NOT NULL", self._mark(pulled, list(zip(left, right, strict=True))))
        if loose:
            return mark
        unknown = self._call("OR", self._call("IS NULL", left[0]), self._any_null(pulled, right[0]))
        nothing = self._call("NOT", known)
        return self._call("CASE", nothing, _FALSE, mark, TRUE, unknown, _UNKNOWN, _FALSE)

    def _any_row(self, pulled: Pulled) -> Expr:
        """
        Tell whether there is any row.

        Without any condition there is no result at all as long as there is none, as in Flink.
        """
        if pulled.conditions:
            return self._call("IS NOT NULL", self._mark(pulled, []))
        plan, _ = self.joins.any_row(pulled.plan)
        self.joins.join(plan, JoinKind.INNER, [])
        return TRUE

    def _any_null(self, pulled: Pulled, value: Expr) -> Expr:
        """Tell whether there is a row whose value is NULL."""
        if not value.type.nullable:
            return _FALSE
        nulls = filtered(pulled.plan, self._call("IS NULL", value))
        return self._call("IS NOT NULL", self._mark(Pulled(nulls, pulled.outputs, pulled.conditions), []))

    def _aggregated(self, pulled: Pulled, value: Column, functions: list[str]) -> list[Expr]:
        """Join aggregates of a value over the rows that belong together; see `_any_row` for none."""
        keys = pulled.compared
        calls = {self.joins.fresh(): _aggregate(f, value, self._place) for f in functions}
        made = _grouped(pulled.plan, keys, calls)
        exprs: list[Expr] = [Column(c.type, name) for name, c in calls.items()]
        plan, conditions, beside = self.joins.side(Pulled(made, {}, pulled.conditions), exprs, nullable=True)
        self.joins.join(plan, JoinKind.LEFT if pulled.conditions else JoinKind.INNER, conditions)
        return beside

    def _quantified(self, node: n.Quantified, pulled: Pulled) -> Expr:
        op, every = str(node.args["op"]), node.args["quantifier"] == "ALL"
        if (op, every) in (("=", False), ("<>", True)):
            return self._in(pulled, operands(node), negated=every)
        (left,), _ = self.joins.compared(node, operands(node), pulled, self.binder)
        pulled = self._settled(pulled)
        (value,) = pulled.outputs.values()
        assert isinstance(value, Column)
        if op in ("=", "<>"):
            least, greatest = self._aggregated(pulled, value, ["MIN", "MAX"])
            same = self._call("AND", self._call("=", left, least), self._call("=", left, greatest))
            found = self._for_all(pulled, value, same)
            return found if every else self._call("NOT", found)
        (bound,) = self._aggregated(pulled, value, ["MAX" if (op[0] == ">") is every else "MIN"])
        holds = self._call(op, left, bound)
        if every:
            return self._for_all(pulled, value, holds)
        unknown = self._call("CASE", self._any_null(pulled, value), _UNKNOWN, _FALSE)
        return self._call("AND", self._some_row(pulled), self._call("OR", holds, unknown))

    def _for_all(self, pulled: Pulled, value: Column, holds: Expr) -> Expr:
        """Give whether a comparison is true for all rows, when it `holds` for all values that are known."""
        known = self._call("CASE", self._any_null(pulled, value), _UNKNOWN, TRUE)
        return self._call("OR", self._call("NOT", self._some_row(pulled)), self._call("AND", holds, known))

    def _some_row(self, pulled: Pulled) -> Expr:
        """Tell whether there is a row; where its aggregate is joined without a condition, that is so."""
        return self._any_row(pulled) if pulled.conditions else TRUE

    def _scalar(self, pulled: Pulled) -> Expr:
        """Give the only column of the only row; NULL without a row, and several rows fail."""
        if len(pulled.outputs) != 1:
            message = f"a query as a value must have one column, not {len(pulled.outputs)}"
            raise ConfigError(message, location=self._place)
        passes = [pulled.passes] if pulled.passes is not None else []
        several = not pulled.single
        if several:
            pulled = self._settled(pulled)
            pulled, several = self._as_array(pulled)
        exprs = [*pulled.outputs.values(), *passes]
        plan, conditions, beside = self.joins.side(pulled, exprs, nullable=True)
        self.joins.join(plan, JoinKind.LEFT, conditions)
        value = self._call("SINGLE VALUE", beside[0]) if several else beside[0]
        nothing = Literal(value.type.with_nullable(True), None)
        return self._call("CASE", beside[1], value, nothing) if passes else value

    def _as_array(self, pulled: Pulled) -> tuple[Pulled, bool]:
        """Give all values as an array, unless the plan knows that there is one at most."""
        keys = pulled.compared
        if any(key <= set(keys) for key in unique_keys(pulled.plan)):
            return pulled, False
        ((name, value),) = pulled.outputs.items()
        assert isinstance(value, Column)
        column = self.joins.fresh()
        call = _aggregate("ARRAY_AGG", value, self._place)
        made = _grouped(pulled.plan, keys, {column: call})
        return Pulled(made, {name: Column(call.type, column)}, pulled.conditions), True


def operands(node: n.Node) -> list[n.Node]:
    """Give the values that are compared with the columns of a query."""
    this = node.this
    if isinstance(this, n.Constructor) and this.args["kind"] == "ROW":
        return list(n.get(this, "arguments") or [])
    return [this]


def _aggregate(function: str, value: Column, location: Location) -> AggregateCall:
    type_ = aggregates.result_type(function, value.type, location)
    return AggregateCall(function, type_, value.name, value.type, location=location)


def _grouped(plan: Plan, keys: tuple[str, ...], calls: dict[str, AggregateCall]) -> Aggregate:
    fields = [Field(k, plan.schema[k].type) for k in keys]
    fields += [Field(name, c.type) for name, c in calls.items()]
    return Aggregate(
        schema=Schema(tuple(fields)),
        input=plan,
        keys=keys,
        aggregates=tuple(calls.values()),
        location=plan.location,
    )
