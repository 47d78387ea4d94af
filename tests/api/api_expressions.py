"""From an expression in SQL to the same one in the words of the API, where it has them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import tailrace as tr
from tailrace.api import functions
from tailrace.api.expr import Expr, SortExpr
from tailrace.api.function_calls import entries
from tailrace.expressions.aggregates import AGGREGATES
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect.flink import generate

Inner = Callable[[n.Node], Expr]
Sort = Callable[[list[n.SortKey]], list[SortExpr]]

_UNITS = {"DAY": "days", "HOUR": "hours", "MINUTE": "minutes", "SECOND": "seconds"}
_OPERATORS: dict[str, Callable[[Any, Any], Expr]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "AND": lambda a, b: a & b,
    "OR": lambda a, b: a | b,
}
_METHODS = {
    "SUM": Expr.sum,
    "AVG": Expr.mean,
    "MIN": Expr.min,
    "MAX": Expr.max,
    "COUNT": Expr.count,
    "STDDEV_SAMP": Expr.std,
    "STDDEV_POP": lambda e: e.std(ddof=0),
    "VAR_SAMP": Expr.var,
    "VAR_POP": lambda e: e.var(ddof=0),
    "FIRST_VALUE": Expr.first,
    "LAST_VALUE": Expr.last,
    "ARRAY_AGG": Expr.implode,
}


_IN_PATTERNS = ("FIRST", "LAST", "PREV", "NEXT", "MATCH_ROWTIME", "MATCH_PROCTIME")
"""Functions that there are in patterns alone; the API has no names of its own for them."""


class NoWordsError(Exception):
    """The API has no words for a part of a query."""


def expression(node: n.Node, inner: Inner, sort: Sort) -> Expr:
    """Give an expression; `inner` gives those below it."""
    match node:
        case n.Text() | n.Number() | n.Hex() | n.Constant() | n.Temporal() | n.Interval():
            return tr.lit(literal(node))
        case n.Unary():
            return _unary(node.args["op"], inner(node.this))
        case n.Binary():
            return _binary(node, inner)
        case n.Case():
            return _case(node, inner)
        case n.Cast():
            of = inner(node.this)
            text = generate(node.args["type"])
            return of.try_cast(text) if n.get(node, "safe") else of.cast(text)
        case n.Call():
            return _call(node, inner, sort)
        case n.Item():
            return inner(node.this)[inner(node.args["index"])]
        case n.Access():
            return inner(node.this).field(str(node.args["field"].this))
        case n.Constructor():
            return _constructor(node, inner)
    return _predicate(node, inner)


def column_name(expr: Expr) -> str:
    """Give the name of the column that an expression is."""
    if not isinstance(expr.tree, n.Name):
        raise NoWordsError("a field behind an alias")
    return str(expr.tree.texts[-1])


def aggregates_in(node: n.Node) -> list[n.Call]:
    """Give the calls of aggregates in a node, but those with OVER and those of queries within."""
    found = [c for c in node.find_all(n.Call) if str(c.this).upper() in AGGREGATES and n.get(c, "over") is None]
    return [c for c in found if c.find_ancestor(n.Over) is None]


def literal(node: n.Node) -> Any:
    """Give the Python value of a literal."""
    text = str(node.this)
    match node:
        case n.Text():
            return text
        case n.Number():
            if text.startswith("."):
                raise NoWordsError("a number without a digit before its point")
            return float(text) if "e" in text.lower() else Decimal(text) if "." in text else int(text)
        case n.Hex():
            return bytes.fromhex(text)
        case n.Constant():
            if text == "UNKNOWN":
                raise NoWordsError(text)
            return {"TRUE": True, "FALSE": False, "NULL": None}[text]
        case n.Interval():
            return _span(node)
    return _temporal(node)


def _span(node: n.Interval) -> dt.timedelta:
    if n.get(node, "to") or node.args["unit"] not in _UNITS or not str(node.this).isdigit():
        raise NoWordsError("such an interval")
    span = dt.timedelta(**{_UNITS[node.args["unit"]]: int(node.this)})
    return -span if n.get(node, "negative") else span


def _temporal(node: n.Node) -> Any:
    read: Any = {"DATE": dt.date, "TIME": dt.time, "TIMESTAMP": dt.datetime}[str(node.args["kind"])]
    try:
        value = read.fromisoformat(str(node.this))
    except ValueError:
        raise NoWordsError("such a literal") from None
    if str(value) != str(node.this):  # another precision would be another type
        raise NoWordsError("such a literal")
    return value


def _unary(op: str, of: Expr) -> Expr:
    if op not in ("NOT", "-"):
        raise NoWordsError(f"the operator {op}")
    return ~of if op == "NOT" else -of


def _none(_: Expr) -> Expr:
    raise NoWordsError("an operator")


def _binary(node: n.Binary, inner: Inner) -> Expr:
    operator = _OPERATORS.get(node.args["op"])
    if operator is None:
        raise NoWordsError(f"the operator {node.args['op']}")
    return operator(inner(node.args["left"]), inner(node.args["right"]))


def _case(node: n.Case, inner: Inner) -> Expr:
    if n.get(node, "operand") is not None:
        raise NoWordsError("the short CASE")
    first, *rest = node.args["whens"]
    made = tr.when(inner(first.args["condition"])).then(inner(first.args["value"]))
    for more in rest:
        made = made.when(inner(more.args["condition"])).then(inner(more.args["value"]))
    default = n.get(node, "default")
    return made if default is None else made.otherwise(inner(default))


def _predicate(node: n.Node, inner: Inner) -> Expr:
    match node:
        case n.Is(args={"what": "NULL"}):
            return inner(node.this).is_not_null() if n.get(node, "negated") else inner(node.this).is_null()
        case n.Is(args={"what": "DISTINCT FROM"}):
            one, other = inner(node.this), inner(node.args["other"])
            return one.eq_missing(other) if n.get(node, "negated") else one.ne_missing(other)
        case n.Is(args={"what": "TRUE"}):
            made = inner(node.this).is_true()
        case n.Is(args={"what": "FALSE"}):
            made = inner(node.this).is_false()
        case n.Between():
            low, high = inner(node.args["low"]), inner(node.args["high"])
            made = inner(node.this).is_between(low, high, symmetric=bool(n.get(node, "symmetric")))
        case n.In():
            made = inner(node.this).is_in(inner(v) for v in node.args["values"])
        case n.Like(args={"pattern": n.Text()}):
            escape = n.get(node, "escape")
            like = inner(node.this).like if node.args["op"] == "LIKE" else inner(node.this).similar_to
            made = like(node.args["pattern"].this, None if escape is None else str(escape.this))
        case _:
            raise NoWordsError(type(node).__name__)
    return ~made if n.get(node, "negated") else made


def _constructor(node: n.Constructor, inner: Inner) -> Expr:
    given = [inner(a) for a in n.get(node, "arguments") or []]
    match node.args["kind"]:
        case "ARRAY":
            return functions.array(*given)
        case "ROW":
            return functions.row(*given)
    return functions.map_(dict(zip(given[::2], given[1::2], strict=True)))


def _call(node: n.Call, inner: Inner, sort: Sort) -> Expr:
    if any(n.get(node, p) for p in ("qualifier", "nulls", "order", "within_group", "clauses")):
        raise NoWordsError("such a call")
    name, arguments = str(node.this).upper(), n.get(node, "arguments") or []
    if name in AGGREGATES and len(arguments) == 1:
        made = tr.count() if isinstance(arguments[0], n.Star) else _METHODS.get(name, _none)(inner(arguments[0]))
    else:
        made = _function(name, arguments, inner)
    if n.get(node, "distinct"):
        made = made.distinct()
    if (condition := n.get(node, "filter")) is not None:
        made = made.filter(inner(condition))
    return made if n.get(node, "over") is None else _over(made, node.args["over"], inner, sort)


def _function(name: str, arguments: list[n.Node], inner: Inner) -> Expr:
    if name in ("LAG", "LEAD") and all(isinstance(a, n.Number) for a in arguments[1:2]):
        steps = literal(arguments[1]) if len(arguments) > 1 else 1
        return inner(arguments[0]).shift(steps if name == "LAG" else -steps, *(inner(a) for a in arguments[2:]))
    if name in _IN_PATTERNS:
        return tr.call(name, *(inner(a) for a in arguments))
    python = next((p for p, e in entries().items() if e.sql == name), None)
    if python is None:
        raise NoWordsError(f"the function {name}")
    if name == "TRIM":
        side, *rest = arguments
        text, characters = rest[-1], rest[0] if len(rest) > 1 else None
        given = [inner(text), None if characters is None else inner(characters), str(side.this)]
    else:
        given = [str(a.this) if isinstance(a, n.Symbol) else inner(a) for a in arguments]
    made: Expr = getattr(functions, python)(*given)
    return made


def _over(made: Expr, over: n.Over, inner: Inner, sort: Sort) -> Expr:
    if n.get(over, "window"):
        raise NoWordsError("a named window")
    frame = n.get(over, "frame")
    extent: dict[str, Any] = {}
    if frame is not None:
        lower, upper = frame.args["lower"], frame.args["upper"]
        unit, size = frame.args["unit"].lower(), n.get(lower, "value")
        if lower.args["kind"] != "PRECEDING" or upper.args["kind"] != "CURRENT ROW":
            raise NoWordsError("such a frame")
        if size is not None or unit == "rows":
            extent = {unit: "unbounded" if size is None else literal(size)}
    partition = [inner(p) for p in n.get(over, "partition") or []]
    return made.over(partition, order_by=sort(n.get(over, "order") or []), **extent)
