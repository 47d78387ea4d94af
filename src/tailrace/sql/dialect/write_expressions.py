"""From the syntax tree to text: expressions. Names and texts get their quotes here, and only here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.generator import Generator

from tailrace.sql.dialect import nodes as n

_ATOMS = (
    *(n.Name, n.Text, n.Number, n.Hex, n.Constant, n.Temporal, n.Interval, n.Call, n.Cast, n.Case, n.Item, n.Access),
    *(n.Constructor, n.Subquery),
)
_CHAINED = ("AND", "OR", "+", "*", "||")
_KEYED = {"EXTRACT": ("FROM",), "POSITION": ("IN",), "OVERLAY": ("PLACING", "FROM", "FOR")}


def quoted(text: str) -> str:
    """Give a text in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def _operand(g: Generator, node: exp.Expr) -> str:
    """Give an operand, in parentheses unless it stands by itself."""
    return g.sql(node) if isinstance(node, _ATOMS) else f"({g.sql(node)})"


def listed(g: Generator, nodes: Any) -> str:
    """Give nodes with commas between them."""
    return ", ".join(g.sql(x) for x in nodes or ())


def part(g: Generator, prefix: str, node: Any) -> str:
    """Give a part with what stands before it; nothing for a part that is not there."""
    return f"{prefix}{g.sql(node)}" if node is not None else ""


def alias(g: Generator, e: exp.Expr) -> str:
    """Give the alias of a source, with its columns."""
    if n.get(e, "alias") is None:
        return ""
    columns = n.get(e, "columns")
    return f" AS {g.sql(e.args['alias'])}" + (f" ({listed(g, columns)})" if columns else "")


def hints(g: Generator, e: exp.Expr) -> str:
    """Give the hints of a node, with a space before them."""
    given = n.get(e, "hints")
    return f" /*+ {listed(g, given)} */" if given else ""


def _identifier(_: Generator, e: exp.Expr) -> str:
    return "`" + str(e.this).replace("`", "``") + "`"


def _name(g: Generator, e: exp.Expr) -> str:
    return ".".join(g.sql(p) for p in e.args["parts"])


def _star(g: Generator, e: exp.Expr) -> str:
    return "".join(g.sql(p) + "." for p in n.get(e, "qualifier") or ()) + "*"


def _interval(_: Generator, e: exp.Expr) -> str:
    sign = "-" if n.get(e, "negative") else ""
    to = f" TO {e.args['to']}" if n.get(e, "to") else ""
    return f"INTERVAL {sign}{quoted(e.this)} {e.args['unit']}{to}"


def _unary(g: Generator, e: exp.Expr) -> str:
    return f"{e.args['op']} {_operand(g, e.this)}"


def _binary(g: Generator, e: exp.Expr) -> str:
    left, op, rest = e.args["left"], e.args["op"], [e.args["right"]]
    while op in _CHAINED and isinstance(left, n.Binary) and left.args["op"] == op:  # of any length, as it is read
        rest.append(left.args["right"])
        left = left.args["left"]
    return f" {op} ".join(_operand(g, x) for x in (left, *reversed(rest)))


def _not(e: exp.Expr) -> str:
    return "NOT " if n.get(e, "negated") else ""


def _is(g: Generator, e: exp.Expr) -> str:
    other = n.get(e, "other")
    return f"{_operand(g, e.this)} IS {_not(e)}{e.args['what']}" + (f" {_operand(g, other)}" if other else "")


def _between(g: Generator, e: exp.Expr) -> str:
    word = "BETWEEN SYMMETRIC" if n.get(e, "symmetric") else "BETWEEN"
    low, high = _operand(g, e.args["low"]), _operand(g, e.args["high"])
    return f"{_operand(g, e.this)} {_not(e)}{word} {low} AND {high}"


def _in(g: Generator, e: exp.Expr) -> str:
    return f"{_operand(g, e.this)} {_not(e)}IN ({listed(g, e.args['values'])})"


def _like(g: Generator, e: exp.Expr) -> str:
    escape = n.get(e, "escape")
    tail = f" ESCAPE {_operand(g, escape)}" if escape else ""
    return f"{_operand(g, e.this)} {_not(e)}{e.args['op']} {_operand(g, e.args['pattern'])}{tail}"


def _case(g: Generator, e: exp.Expr) -> str:
    whens = "".join(f" WHEN {g.sql(w.args['condition'])} THEN {g.sql(w.args['value'])}" for w in e.args["whens"])
    return f"CASE{part(g, ' ', n.get(e, 'operand'))}{whens}{part(g, ' ELSE ', n.get(e, 'default'))} END"


def _cast(g: Generator, e: exp.Expr) -> str:
    return f"{'TRY_CAST' if n.get(e, 'safe') else 'CAST'}({g.sql(e.this)} AS {g.sql(e.args['type'])})"


def _call(g: Generator, e: exp.Expr) -> str:
    if n.get(e, "bare"):
        return str(e.this)
    distinct = "DISTINCT " if n.get(e, "distinct") else ""
    clauses = "".join(f" {g.sql(c)}" for c in n.get(e, "clauses") or ())
    order = f" ORDER BY {listed(g, keys)}" if (keys := n.get(e, "order")) else ""
    inside = distinct + _arguments(g, e.this, n.get(e, "arguments") or []) + clauses + order
    qualifier = "".join(g.sql(q) + "." for q in n.get(e, "qualifier") or ())
    return f"{qualifier}{function_name(e.this)}({inside.strip()}){_behind_call(g, e)}"


def _behind_call(g: Generator, e: exp.Expr) -> str:
    nulls, order, condition = (n.get(e, key) for key in ("nulls", "within_group", "filter"))
    text = f" {nulls} NULLS" if nulls else ""
    text += f" WITHIN GROUP (ORDER BY {listed(g, order)})" if order else ""
    text += f" FILTER (WHERE {g.sql(condition)})" if condition else ""
    return text + part(g, " OVER ", n.get(e, "over"))


def function_name(name: str) -> str:
    """Give a function's name, in backticks where it needs them."""
    return name if name.replace("_", "a").isalnum() and name.isascii() else f"`{name.replace('`', '``')}`"


def _arguments(g: Generator, name: str, arguments: list[exp.Expr]) -> str:
    texts = [g.sql(a) for a in arguments]
    if name in _KEYED:
        texts[: 1 if name == "POSITION" else 0] = [_operand(g, arguments[0])] if name == "POSITION" else []
        return texts[0] + "".join(f" {w} {t}" for w, t in zip(_KEYED[name], texts[1:], strict=False))
    if name == "TRIM":
        return texts[1] if arguments[0].this == "BOTH" and len(texts) == 2 else _trim(texts)
    if name in ("CEIL", "CEILING", "FLOOR") and len(texts) == 2 and isinstance(arguments[1], n.Symbol):
        return " TO ".join(texts)
    if name in ("JSON_OBJECT", "JSON_OBJECTAGG"):
        pairs = zip(arguments[::2], texts[1::2], strict=True)
        return ", ".join(f"KEY {_operand(g, k)} VALUE {v}" for k, v in pairs)
    return ", ".join(texts)


def _trim(texts: list[str]) -> str:
    what = f" {texts[1]}" if len(texts) == 3 else ""
    return f"{texts[0]}{what} FROM {texts[-1]}"


def _clause(g: Generator, e: exp.Expr) -> str:
    words, value = str(e.args["words"]), n.get(e, "value")
    if value is None:
        return words
    first, _, rest = words.partition(" ")
    return f"{first} {g.sql(value)} {rest}".strip()


def _constructor(g: Generator, e: exp.Expr) -> str:
    kind, inside = e.args["kind"], listed(g, n.get(e, "arguments"))
    return f"{kind}({inside})" if kind == "ROW" else f"{kind}[{inside}]"


def _type(g: Generator, e: exp.Expr) -> str:
    text = str(e.this)
    if numbers := n.get(e, "numbers"):
        text += f"({', '.join(numbers)})"
    if e.this == "ROW":
        text += f"<{listed(g, n.get(e, 'fields'))}>"
    elif children := n.get(e, "children"):
        text += f"<{listed(g, children)}>"
    return text + (" NOT NULL" if n.get(e, "not_null") else "")


def _type_field(g: Generator, e: exp.Expr) -> str:
    return f"{g.sql(e.args['name'])} {g.sql(e.args['type'])}{part(g, ' ', n.get(e, 'comment'))}"


def _sort_key(g: Generator, e: exp.Expr) -> str:
    nulls = n.get(e, "nulls")
    return g.sql(e.this) + (" DESC" if n.get(e, "descending") else "") + (f" NULLS {nulls}" if nulls else "")


def _bound(g: Generator, e: exp.Expr) -> str:
    kind, value = str(e.args["kind"]), n.get(e, "value")
    if value is not None:
        return f"{_operand(g, value)} {kind}"
    return kind if kind == "CURRENT ROW" else f"UNBOUNDED {kind}"


def window(g: Generator, e: exp.Expr) -> str:
    """Give a window in parentheses."""
    partition, order = n.get(e, "partition"), n.get(e, "order")
    parts = (
        part(g, "", n.get(e, "window")),
        f"PARTITION BY {listed(g, partition)}" if partition else "",
        f"ORDER BY {listed(g, order)}" if order else "",
        part(g, "", n.get(e, "frame")),
    )
    return "(" + " ".join(p for p in parts if p) + ")"


def _over(g: Generator, e: exp.Expr) -> str:
    only_name = not any(n.get(e, key) for key in ("partition", "order", "frame"))
    return g.sql(e.args["window"]) if only_name and n.get(e, "window") else window(g, e)


def _frame(g: Generator, e: exp.Expr) -> str:
    return f"{e.args['unit']} BETWEEN {g.sql(e.args['lower'])} AND {g.sql(e.args['upper'])}"


def _quantified(g: Generator, e: exp.Expr) -> str:
    query = n.get(e, "query")
    inside = g.sql(query) if query is not None else listed(g, e.args["values"])
    return f"{_operand(g, e.this)} {e.args['op']} {e.args['quantifier']} ({inside})"


EXPRESSIONS: dict[type[exp.Expr], Callable[..., str]] = {
    n.Identifier: _identifier,
    n.Name: _name,
    n.Star: _star,
    n.Text: lambda _, e: quoted(str(e.this)),
    n.Number: lambda _, e: str(e.this),
    n.Hex: lambda _, e: f"X'{e.this}'",
    n.Constant: lambda _, e: str(e.this),
    n.Temporal: lambda _, e: f"{e.args['kind']} {quoted(str(e.this))}",
    n.Interval: _interval,
    n.Symbol: lambda _, e: str(e.this),
    n.Unary: _unary,
    n.Binary: _binary,
    n.Is: _is,
    n.Between: _between,
    n.In: _in,
    n.Like: _like,
    n.Case: _case,
    n.Cast: _cast,
    n.Subquery: lambda g, e: f"({g.sql(e.args['query'])})",
    n.InQuery: lambda g, e: f"{_operand(g, e.this)} {_not(e)}IN ({g.sql(e.args['query'])})",
    n.Exists: lambda g, e: f"EXISTS ({g.sql(e.args['query'])})",
    n.Quantified: _quantified,
    n.SortKey: _sort_key,
    n.Bound: _bound,
    n.Frame: _frame,
    n.Over: _over,
    n.Clause: _clause,
    n.Call: _call,
    n.Constructor: _constructor,
    n.Item: lambda g, e: f"{_operand(g, e.this)}[{g.sql(e.args['index'])}]",
    n.Access: lambda g, e: f"({g.sql(e.this)}).{g.sql(e.args['field'])}",
    n.Type: _type,
    n.TypeField: _type_field,
}
"""A writer for each node of expressions."""
