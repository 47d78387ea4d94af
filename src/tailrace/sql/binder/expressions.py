"""Expressions as written to typed ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Protocol

from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.expressions import catalogue
from tailrace.expressions.aggregates import is_aggregate
from tailrace.expressions.nodes import Expr, Literal
from tailrace.expressions.user_calls import user_call
from tailrace.schema import Kind
from tailrace.sql.binder import json_calls
from tailrace.sql.binder.enclosing import Enclosing
from tailrace.sql.binder.functions import meant
from tailrace.sql.binder.literals import literal, symbol
from tailrace.sql.binder.places import at
from tailrace.sql.binder.scope import Scope
from tailrace.sql.binder.types import data_type
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source
from tailrace.user_functions.known import Known

GROUP_WINDOW_KINDS = ("TUMBLE", "HOP", "SESSION")
_SHORT = 8
"""Up to so many conditions in a row are left as they were written."""
NUMBERING = ("ROW_NUMBER", "RANK", "DENSE_RANK")
"""Functions that number the rows of a window."""
_GROUP_WINDOWS = frozenset(
    f"{kind}{part}" for kind in GROUP_WINDOW_KINDS for part in ("", "_START", "_END", "_ROWTIME", "_PROCTIME")
)


class Inner(Protocol):
    """What joins the queries inside of expressions to what the expressions are over."""

    def value(self, node: n.Node, binder: ExpressionBinder) -> Expr:
        """Give what a query in an expression comes to."""


class ExpressionBinder:
    """
    Gives the typed expression of a node, over the columns of one scope.

    Names that are not there may be columns of the query around (`enclosing`); `inner` takes queries in expressions, None where
    none may stand.
    """

    def __init__(
        self, scope: Scope, source: Source, enclosing: Enclosing | None = None, inner: Inner | None = None
    ) -> None:
        self.scope = scope
        self.source = source
        self.enclosing = enclosing
        self.inner = inner

    def bind(self, node: n.Node) -> Expr:
        """
        Give the typed expression.

        Raises:
            ConfigError: an unknown column or function, or types that do not fit; points at the place.
        """
        try:
            constant = literal(node)
        except ValueError as error:
            raise ConfigError(str(error), location=self.at(node)) from None
        return constant if constant is not None else self._bind(node)

    def condition(self, node: n.Node, what: str) -> Expr:
        """Give an expression that must be BOOLEAN, as in WHERE."""
        found = self.bind(node)
        if found.type.kind not in (Kind.BOOLEAN, Kind.NULL):
            message = f"{what} needs a BOOLEAN, but this is {found.type.sql()}"
            raise ConfigError(message, hint="compare it with something", location=self.at(node))
        return found

    def at(self, node: n.Node) -> Location:
        """Give the place of a node."""
        return at(node, self.source)

    def _bind(self, node: n.Node) -> Expr:
        match node:
            case n.Name():
                return self.name(node)
            case n.Binary() if node.args["op"] in ("AND", "OR"):
                return self._chain(node)
            case n.Binary():
                return self._call(node.args["op"], [node.args["left"], node.args["right"]], node)
            case n.Unary():
                return self._unary(node)
            case n.Is():
                return self._is(node)
            case n.Between():
                return self._between(node)
            case n.In():
                found = self._call("IN", [node.this, *node.args["values"]], node)
                return self._negated(found, node)
            case n.Like():
                operands = [node.this, node.args["pattern"]]
                found = self._call(node.args["op"], operands + [x for x in [n.get(node, "escape")] if x], node)
                return self._negated(found, node)
            case n.Case():
                return self._case(node)
        return self._bind_call(node)

    def _bind_call(self, node: n.Node) -> Expr:
        match node:
            case n.Cast():
                type_ = data_type(node.args["type"], self.source)
                return catalogue.cast(self.bind(node.this), type_, bool(n.get(node, "safe")), self.at(node))
            case n.Call():
                return self.call(node)
            case n.Constructor():
                return self._constructor(node)
            case n.Item():
                return self._item(node)
            case n.Access():
                return self._field(self.bind(node.this), node.args["field"].this, self.at(node))
            case n.Symbol():
                return symbol(str(node.this))
            case n.Subquery() | n.InQuery() | n.Exists():
                return self._query(node)
            case n.Quantified():
                return self._query(node) if n.get(node, "query") else self._quantified(node)
        raise ConfigError("an expression is expected here", location=self.at(node))

    def _constructor(self, node: n.Constructor) -> Expr:
        arguments = n.get(node, "arguments") or []
        for inner in (a for a in arguments if isinstance(a, n.Subquery)):
            hint = "join the query, and name its column here"
            message = f"a query can't be a value of {node.args['kind']}, as in Flink"
            raise ConfigError(message, hint=hint, location=self.at(inner))
        return self._call(node.args["kind"], arguments, node)

    def _chain(self, node: n.Binary) -> Expr:
        """Give a chain of AND or of OR as a tree that is not deeper than it must be."""
        op, operands = node.args["op"], [node.args["right"]]
        left = node.args["left"]
        while isinstance(left, n.Binary) and left.args["op"] == op:
            operands.append(left.args["right"])
            left = left.args["left"]
        bound = [self.bind(part) for part in [left, *reversed(operands)]]
        return self._tree(op, bound, node)

    def _tree(self, op: str, parts: list[Expr], node: n.Node) -> Expr:
        if len(parts) <= _SHORT:
            return reduce(lambda a, b: catalogue.call(op, [a, b], self.at(node)), parts)
        half = len(parts) // 2
        sides = [self._tree(op, side, node) for side in (parts[:half], parts[half:])]
        return catalogue.call(op, sides, self.at(node))

    def name(self, node: n.Name) -> Expr:
        """Give the column or field that a name means."""
        outer = self.outer(node)
        if outer is not None:
            return outer
        found: Expr
        found, fields = self.scope.resolve(node, self.source)
        for field in fields:
            found = self._field(found, field, self.at(node))
        return found

    def outer(self, node: n.Name) -> Expr | None:
        """Give the column of the query around that a name means, unless it means one of this query."""
        if self.enclosing is None or self.scope.knows(node):
            return None
        return self.enclosing.find(node)

    def _query(self, node: n.Node) -> Expr:
        if self.inner is not None:
            return self.inner.value(node, self)
        hint = "write it into WHERE, HAVING or SELECT, or join the query"
        raise ConfigError("a query can't stand here", hint=hint, location=self.at(node))

    def call(self, node: n.Call) -> Expr:
        """Give the call of a scalar function; aggregates are not for here."""
        name, user = str(node.this), meant(node)
        if n.get(node, "over") is not None:
            hint = "windows stand in SELECT and QUALIFY; compute it in a query below"
            raise ConfigError(f"{name.upper()} OVER can't stand here", hint=hint, location=self.at(node))
        if name.upper() in NUMBERING:
            hint = f"{name.upper()}() OVER (PARTITION BY ... ORDER BY ...)"
            raise ConfigError(f"{name.upper()} needs OVER", hint=hint, location=self.at(node))
        if user.is_aggregate if user is not None else is_aggregate(name):
            message = f"{name.upper()} is an aggregate and can't stand here"
            raise ConfigError(message, hint="aggregates stand in SELECT and HAVING", location=self.at(node))
        if name.upper() in _GROUP_WINDOWS:
            kind = name.upper().partition("_")[0]
            hint = f"GROUP BY {kind}(ts, INTERVAL '1' MINUTE), or group by window_start and window_end of TABLE({kind}(...))"
            raise ConfigError(f"{name.upper()} belongs to a GROUP BY {kind}(...)", hint=hint, location=self.at(node))
        for part in ("distinct", "filter"):
            if n.get(node, part):
                raise ConfigError(f"{part.upper()} is for aggregates, not for {name}", location=self.at(node))
        if user is not None:
            return self._user_call(user, node)
        if name.upper() == "JSON":
            hint = "write JSON_OBJECT(KEY 'a' VALUE JSON(...)) or JSON_ARRAY(JSON(...))"
            raise ConfigError("JSON can't stand here", hint=hint, location=self.at(node))
        if name.upper() in (*json_calls.QUERIES, *json_calls.MAKERS):
            return json_calls.JsonCall(node, self.bind, self.source).bound()
        return self._call(name, n.get(node, "arguments") or [], node)

    def _user_call(self, user: Known, node: n.Call) -> Expr:
        if user.is_process:
            message = f"{user.name} is a process function: it stands in FROM"
            hint = f"write FROM {user.name}(input => TABLE t PARTITION BY k)"
            raise ConfigError(message, hint=hint, location=self.at(node))
        if user.is_table:
            hint = f"write CROSS JOIN LATERAL TABLE({user.signature}) AS t (...) in FROM"
            raise ConfigError(f"{user.name} gives rows and can't stand here", hint=hint, location=self.at(node))
        return user_call(user, [self.bind(a) for a in n.get(node, "arguments") or []], self.at(node))

    def _call(self, name: str, arguments: Sequence[n.Node], node: n.Node) -> Expr:
        return catalogue.call(name, [self.bind(a) for a in arguments], self.at(node))

    def _field(self, row: Expr, field: str, at: Location) -> Expr:
        if row.type.kind is not Kind.ROW:
            message = f"{row.type.sql()} has no field '{field}'"
            raise ConfigError(message, hint="only a ROW has fields", location=at)
        if field not in row.type.names:
            hint = did_you_mean(field, row.type.names) or "fields: " + ", ".join(row.type.names)
            raise ConfigError(f"the ROW has no field '{field}'", hint=hint, location=at)
        return catalogue.call("GET", [row, symbol(field)], at)

    def _item(self, node: n.Item) -> Expr:
        """Give `a[i]`: a ROW's field too may be named or counted so."""
        whole, index = self.bind(node.this), self.bind(node.args["index"])
        if whole.type.kind is not Kind.ROW:
            return catalogue.call("ITEM", [whole, index], self.at(node))
        names = whole.type.names
        value = index.value if isinstance(index, Literal) else None
        if isinstance(value, int) and 1 <= value <= len(names):
            return self._field(whole, names[value - 1], self.at(node))
        if isinstance(value, str):
            return self._field(whole, value, self.at(node))
        message = "a field of a ROW is named by a text or counted from 1, both as constants"
        raise ConfigError(message, hint="fields: " + ", ".join(names), location=self.at(node.args["index"]))

    def _negated(self, expr: Expr, node: n.Node) -> Expr:
        return catalogue.call("NOT", [expr], self.at(node)) if n.get(node, "negated") else expr

    def _unary(self, node: n.Unary) -> Expr:
        return self._call(node.args["op"], [node.this], node)

    def _quantified(self, node: n.Quantified) -> Expr:
        """Give a comparison with SOME or ALL of a list."""
        this = self.bind(node.this)
        parts = [catalogue.call(node.args["op"], [this, self.bind(v)], self.at(node)) for v in node.args["values"]]
        word = "AND" if node.args["quantifier"] == "ALL" else "OR"
        return reduce(lambda a, b: catalogue.call(word, [a, b], self.at(node)), parts)

    def _is(self, node: n.Is) -> Expr:
        what, word = node.args["what"], "IS NOT" if n.get(node, "negated") else "IS"
        operands = [node.this] + ([node.args["other"]] if what == "DISTINCT FROM" else [])
        return self._call(f"{word} {what}", operands, node)

    def _between(self, node: n.Between) -> Expr:
        this, low, high = node.this, node.args["low"], node.args["high"]
        found = self._call("BETWEEN", [this, low, high], node)
        if n.get(node, "symmetric"):
            swapped = self._call("BETWEEN", [this, high, low], node)
            found = catalogue.call("OR", [found, swapped], self.at(node))
        return self._negated(found, node)

    def _case(self, node: n.Case) -> Expr:
        operand = n.get(node, "operand")
        arguments: list[Expr] = []
        for when in node.args["whens"]:
            condition = self.bind(when.args["condition"])
            if operand is not None:
                condition = catalogue.call("=", [self.bind(operand), condition], self.at(when))
            arguments += [condition, self.bind(when.args["value"])]
        default = n.get(node, "default")
        arguments.append(self.bind(default if default is not None else n.Constant(this="NULL")))
        return catalogue.call("CASE", arguments, self.at(node))
