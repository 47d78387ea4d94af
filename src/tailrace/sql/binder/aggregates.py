"""SELECT with GROUP BY or aggregates: what is computed before, in and after the aggregation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.expressions import aggregates, catalogue
from tailrace.expressions.nodes import AggregateCall, Call, Cast, Column, Expr, Literal
from tailrace.plan.nodes import Aggregate, WindowKind, WindowProperty, WindowTable, walk
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.rewrite.attached import attached_window
from tailrace.plan.rewrite.windows import groups_by_window, window_aggregate
from tailrace.plan.windowing import windowed
from tailrace.schema import BIGINT, Field, Schema
from tailrace.sql.binder import json_aggregates
from tailrace.sql.binder.aggregate_calls import aggregate_call, takes
from tailrace.sql.binder.composed_aggregates import composed
from tailrace.sql.binder.expressions import GROUP_WINDOW_KINDS, ExpressionBinder, Inner
from tailrace.sql.binder.functions import meant
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc
from tailrace.sql.binder.user_aggregates import user_aggregate
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source
from tailrace.user_functions.known import Known

_GROUPINGS = ("GROUPING", "GROUPING_ID", "GROUP_ID")


def has_aggregate(node: n.Node) -> bool:
    """Tell whether an aggregate is called anywhere in an expression, but not in a query inside of it."""
    return any(is_aggregate(part) for part in node.walk(prune=lambda x: isinstance(x, n.Query)))


def has_query(node: n.Node) -> bool:
    """Tell whether a query stands anywhere in an expression."""
    return any(isinstance(part, n.Query) for part in node.walk())


def is_aggregate(node: exp.Expr) -> bool:
    """Tell whether a node is a call of an aggregate that is not over a window of rows."""
    if not isinstance(node, n.Call) or n.get(node, "over") is not None:
        return False
    user = meant(node)
    return user.is_aggregate if user is not None else aggregates.is_aggregate(str(node.this))


@dataclass
class Grouping:
    """
    Collects what an aggregation needs while expressions over its result are bound.

    Helper columns are called `__k0` (keys), `__a0` (arguments and filters) and `__r0` (results).
    """

    below: ExpressionBinder
    keys: dict[str, Expr] = field(default_factory=dict)
    arguments: dict[str, Expr] = field(default_factory=dict)
    calls: dict[str, AggregateCall] = field(default_factory=dict)
    ttl: int | None = None

    def add_key(self, expr: Expr) -> None:
        """Add a key of GROUP BY."""
        if expr not in self.keys.values():
            name = expr.name if isinstance(expr, Column) else self._fresh("__k", len(self.keys))
            self.keys[name] = expr

    def key(self, expr: Expr) -> Column | None:
        """Give the key column that holds an expression; None if it is no key."""
        return next((Column(e.type, name) for name, e in self.keys.items() if e == expr), None)

    def call(self, node: n.Call) -> Expr:
        """Give what an aggregate comes to, over the columns of the result; equal calls share a column."""
        user = meant(node)
        if user is not None:
            return self.result(self._user_call(user, node))
        if str(node.this).upper() in json_aggregates.NAMES:
            place = at(node, self.below.source)
            return json_aggregates.json_aggregate(node, lambda x: self._inner(x, ""), self, place)
        made = self._call(node)
        if aggregates.AGGREGATES[made.function].composed:
            return composed(made, self)
        return self.result(made)

    def result(self, made: AggregateCall) -> Column:
        """Give the column that holds the result of a call."""
        for name, known in self.calls.items():
            if known == made:
                return Column(made.type, name)
        name = self._fresh("__r", len(self.calls))
        self.calls[name] = made
        return Column(made.type, name)

    def _call(self, node: n.Call) -> AggregateCall:
        function, distinct = str(node.this).upper(), bool(n.get(node, "distinct"))
        place = at(node, self.below.source)
        argument, constants = self._arguments(node, function)
        condition = self._condition(node)
        return aggregate_call(function, argument, constants, self.column, place, distinct=distinct, condition=condition)

    def _user_call(self, user: Known, node: n.Call) -> AggregateCall:
        given = [self._inner(a, "") for a in n.get(node, "arguments") or []]
        condition = n.get(node, "filter")
        passes = self.column(self._inner(condition, "FILTER")) if condition is not None else None
        distinct = bool(n.get(node, "distinct"))
        return user_aggregate(user, given, self.column, self.below.at(node), distinct=distinct, condition=passes)

    def _condition(self, node: n.Call) -> Expr | None:
        """Give what rows must fulfil to count: FILTER, and with IGNORE NULLS that there is a value."""
        given = n.get(node, "filter")
        condition = self._inner(given, "FILTER") if given is not None else None
        if n.get(node, "nulls") != "IGNORE":
            return condition
        place = at(node, self.below.source)
        if condition is not None:
            hint = "write FILTER (WHERE ... AND x IS NOT NULL)"
            raise ConfigError("FILTER can't stand behind IGNORE NULLS, as in Flink", hint=hint, location=place)
        return catalogue.call("IS NOT NULL", [self._inner(node.args["arguments"][0], "")], place)

    def _arguments(self, node: n.Call, function: str) -> tuple[Expr | None, tuple[Any, ...]]:
        """Give the argument, and the values of the constants behind it."""
        arguments = n.get(node, "arguments") or []
        if function == "COUNT" and len(arguments) == 1 and isinstance(arguments[0], n.Star):
            return None, ()
        entry, place = aggregates.AGGREGATES[function], at(node, self.below.source)
        if not takes(entry, len(arguments)):
            if function == "COUNT" and len(arguments) > 1:
                return self._all_of(node, arguments), ()
            taken = "one argument" if entry.constants == 0 else "other arguments"
            message = f"{function} takes {taken}, not {len(arguments)}"
            raise ConfigError(message, hint=f"write {entry.signature}", location=place)
        return self._inner(arguments[0], ""), tuple(self._constant(a, function) for a in arguments[1:])

    def _all_of(self, node: n.Call, arguments: list[n.Node]) -> Expr | None:
        """Give what COUNT of several columns counts: the one that may be NULL, or None for rows."""
        found = [e for e in (self._inner(a, "") for a in arguments) if e.type.nullable]
        if len(found) > 1 or n.get(node, "distinct"):
            raise ConfigError(
                "COUNT of several columns takes one that may be NULL, as in Flink",
                hint="write COUNT(CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN 1 END)",
                location=at(node, self.below.source),
            )
        return found[0] if found else None

    def _constant(self, node: n.Node, function: str) -> Any:
        found = self.below.bind(node)
        several = found.args if isinstance(found, Call) and found.function == "ARRAY" else (found,)
        values = [e.value for e in map(_uncast, several) if isinstance(e, Literal) and e.value is not None]
        if len(values) == len(several):
            return values[0] if several == (found,) else tuple(values)
        raise ConfigError(f"{function} needs a constant here", location=at(node, self.below.source))

    def _inner(self, node: n.Node, what: str) -> Expr:
        if has_aggregate(node):
            raise ConfigError("an aggregate can't stand inside another one", location=at(node, self.below.source))
        return self.below.condition(node, what) if what else self.below.bind(node)

    def column(self, expr: Expr) -> str:
        """Give the name of the input column that holds an expression."""
        known = next((name for name, e in (self.keys | self.arguments).items() if e == expr), None)
        if known is not None:
            return known
        plain = isinstance(expr, Column) and expr.name not in self.keys and expr.name not in self.arguments
        name = expr.name if plain and isinstance(expr, Column) else self._fresh("__a", len(self.arguments))
        self.arguments[name] = expr
        return name

    def argument(self, name: str) -> Expr:
        """Give the expression that an input column holds."""
        return (self.keys | self.arguments)[name]

    def _fresh(self, prefix: str, number: int) -> str:
        taken = {*self.below.scope.schema.names, *self.keys, *self.arguments, *self.calls}
        while f"{prefix}{number}" in taken:
            number += 1
        return f"{prefix}{number}"

    def plan(self, plan: Plan, predicate: Expr | None, node: n.Node) -> Plan:
        """Give the aggregation of a plan."""
        place = at(node, self.below.source)
        inputs = self.keys | self.arguments
        below = calc(plan, [Output(name, e) for name, e in inputs.items()], predicate, place)
        fields = list(_key_fields(below, tuple(self.keys)))
        fields += [Field(name, c.type) for name, c in self.calls.items()]
        made = Aggregate(
            schema=Schema(tuple(fields)),
            input=below,
            keys=tuple(self.keys),
            aggregates=tuple(self.calls.values()),
            ttl=self.ttl,
            location=place,
        )
        return checked(made)


def checked(made: Aggregate) -> Aggregate:
    """
    Give an aggregation that this version can run.

    Raises:
        UnsupportedError: it groups by a window in a way that needs more than the window's slices.
    """
    if not groups_by_window(made):
        return made
    if window_aggregate(made) is None:
        _check_attached(made)
    _check_hop(made)
    return made


def _uncast(expr: Expr) -> Expr:
    return _uncast(expr.arg) if isinstance(expr, Cast) else expr


def _check_attached(made: Aggregate) -> None:
    """Make sure that an aggregation of the rows of a window table can be run on rows with their windows."""
    if any(isinstance(n, WindowTable) and n.window.kind is WindowKind.SESSION for n in walk(made)):
        return  # the rows of sessions are put out when they are over, and aggregated as any others
    if attached_window(made) is None:
        raise UnsupportedError(
            "an aggregation by processing time that mixes the window's edges with other columns is not supported yet",
            hint="compute it from the result of the aggregation",
            location=made.location,
        )


def _check_hop(plan: Plan) -> None:
    spec = next(node.window for node in walk(plan)[::-1] if isinstance(node, WindowTable))
    if spec.kind is WindowKind.HOP and spec.size % spec.slide:
        raise ConfigError(
            f"the size of HOP must be a multiple of its slide, not {spec.size} ms and {spec.slide} ms",
            hint="Flink aggregates over such windows only",
            location=plan.location,
        )


def _key_fields(plan: Plan, keys: tuple[str, ...]) -> Iterator[Field]:
    """Give the fields of the keys: the time of a window stays a time attribute, any other becomes a plain timestamp."""
    window = windowed(plan)
    edges = window.edges if window is not None else {}
    for name in keys:
        field = plan.schema[name]
        yield field if edges.get(name) is WindowProperty.TIME else replace(field, time=None)


Edge = Callable[[n.Call, ExpressionBinder], Column | None]
"""Gives the column of a window that an auxiliary function as TUMBLE_START means; None for other functions."""


class GroupedBinder(ExpressionBinder):
    """
    Binds expressions over the result of an aggregation: keys, aggregates, and what is computed from them.

    `absent` are keys of other groupings of the same GROUP BY, which are NULL in this one; `edge` knows the window of GROUP
    BY.
    """

    def __init__(
        self,
        grouping: Grouping,
        absent: Sequence[Expr] = (),
        edge: Edge | None = None,
        inner: Inner | None = None,
    ) -> None:
        super().__init__(grouping.below.scope, grouping.below.source, grouping.below.enclosing, inner)
        self._grouping = grouping
        self._absent = absent
        self._edge = edge

    def bind(self, node: n.Node) -> Expr:
        if isinstance(node, n.Call):
            special = self._special(node)
            if special is not None:
                return special
        if not self._is_above(node):
            found = self._group_value(self._grouping.below.bind(node))
            if found is not None:
                return found
        return super().bind(node)

    def _is_above(self, node: n.Node) -> bool:
        """Tell whether a part of an expression can be computed from the result only."""
        return has_aggregate(node) or has_query(node) or any(self._is_special(c) for c in node.find_all(n.Call))

    def _is_special(self, node: n.Call) -> bool:
        name = str(node.this).upper()
        return name in _GROUPINGS or (self._edge is not None and name.partition("_")[0] in GROUP_WINDOW_KINDS)

    def _special(self, node: n.Call) -> Expr | None:
        if is_aggregate(node):
            return self._grouping.call(node)
        if str(node.this).upper() in _GROUPINGS:
            return self._grouping_id(node)
        return self._edge(node, self._grouping.below) if self._edge is not None else None

    def _group_value(self, expr: Expr) -> Expr | None:
        """Give the key that holds an expression, NULL for a key of another grouping, None if it is no key."""
        if expr in self._absent:
            return Literal(expr.type.with_nullable(True), None)
        return self._grouping.key(expr)

    def _grouping_id(self, node: n.Call) -> Expr:
        """Give a bit for each argument: 1 where it is not a key of this grouping."""
        name = str(node.this).upper()
        arguments = [self._grouping.below.bind(a) for a in n.get(node, "arguments") or []]
        for argument in arguments:
            if self._group_value(argument) is None:
                raise ConfigError(f"{name} takes keys of GROUP BY", location=self.at(node))
        bits = 0
        for argument in arguments:
            bits = bits << 1 | (argument in self._absent)
        return Literal(BIGINT.with_nullable(False), bits)

    def name(self, node: n.Name) -> Expr:
        outer = self.outer(node)
        if outer is not None:
            return outer
        found, fields = self.scope.resolve(node, self.source)
        result = self._group_value(found)
        if result is None:
            raise ConfigError(
                f"the column '{'.'.join(node.texts)}' is neither in GROUP BY nor in an aggregate",
                hint=f"add it to GROUP BY, or aggregate it, as MAX({'.'.join(node.texts)})",
                location=at(node, self.source),
            )
        for text in fields:
            result = self._field(result, text, at(node, self.source))
        return result


def distinct(plan: Plan, node: n.Node, source: Source) -> Plan:
    """Give the rows of a plan without those that are equal: an aggregation by every column."""
    schema = Schema(tuple(_key_fields(plan, plan.schema.names)))
    return checked(
        Aggregate(schema=schema, input=plan, keys=plan.schema.names, aggregates=(), location=at(node, source))
    )
