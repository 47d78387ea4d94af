"""Windows of rows as written: calls with OVER, and the names of WINDOW."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from tailrace.errors import ConfigError, Location, UnsupportedError, did_you_mean
from tailrace.expressions.nodes import Expr
from tailrace.plan.nodes import SortKey
from tailrace.schema import Kind
from tailrace.sql.binder.literals import literal
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

_WITHOUT_ORDER = (Kind.ARRAY, Kind.MAP, Kind.ROW, Kind.VARIANT)


def is_over(node: exp.Expr) -> bool:
    """Tell whether a node is a call over a window of rows."""
    return isinstance(node, n.Call) and n.get(node, "over") is not None


def has_over(node: n.Node) -> bool:
    """Tell whether a call with OVER stands anywhere in an expression, but not in a query inside of it."""
    return any(is_over(part) for part in node.walk(prune=lambda x: isinstance(x, n.Query)))


def constant(node: n.Node) -> Expr | None:
    """Give the constant that a node is; None for all else, also a constant that can't be read."""
    try:
        return literal(node)
    except ValueError:
        return None


def sort_key(node: n.SortKey, column: str) -> SortKey:
    """Give the key that orders by a column as a key of ORDER BY tells."""
    descending, nulls = bool(n.get(node, "descending")), n.get(node, "nulls")
    return SortKey(column, descending, descending if nulls is None else nulls == "LAST")


def check_order(expr: Expr, location: Location) -> None:
    """
    Make sure that rows can be ordered by an expression.

    Raises:
        UnsupportedError: its type has no order here.
    """
    if expr.type.kind in _WITHOUT_ORDER:
        message = f"ORDER BY of {expr.type.sql()} is not supported"
        raise UnsupportedError(message, hint="order by an element or a field of it", location=location)


def definitions(node: n.Select) -> dict[str, n.Over]:
    """Give the windows that WINDOW names."""
    return {str(d.args["name"].this): d.args["over"] for d in n.get(node, "windows") or []}


def resolved(over: n.Over, known: dict[str, n.Over], source: Source) -> n.Over:
    """
    Give a window with the parts of the named one that it builds on.

    Raises:
        ConfigError: there is no window of that name, or what it has already is written again.
    """
    name = n.get(over, "window")
    if name is None:
        return over
    others = {k: w for k, w in known.items() if k != name.this}
    if name.this not in known:
        hint = did_you_mean(name.this, known) or "name it: WINDOW w AS (PARTITION BY ... ORDER BY ...)"
        raise ConfigError(f"there is no window '{name.this}'", hint=hint, location=at(name, source))
    base = resolved(known[name.this], others, source)
    if n.get(over, "partition") or (n.get(over, "order") and n.get(base, "order")):
        message = f"the window '{name.this}' has its PARTITION BY and ORDER BY already"
        raise ConfigError(message, location=at(name, source))
    parts = {key: n.get(over, key) or n.get(base, key) for key in ("partition", "order", "frame")}
    made = n.Over(window=None, **parts)
    made.meta.update(over.meta)
    return made


def meanings(items: Iterable[n.Node]) -> dict[str, n.Node]:
    """Give what the columns of a SELECT mean, by the names that were given to them."""
    named = [i for i in items if isinstance(i, n.SelectItem) and n.get(i, "alias") is not None]
    return {str(i.args["alias"].this): i.this for i in reversed(named)}


def expanded(node: n.Node, known: dict[str, n.Node]) -> n.Node:
    """Give an expression with the names of columns of a SELECT replaced by what they mean."""

    def meaning(part: exp.Expr) -> n.Node | None:
        return known.get(part.texts[0]) if isinstance(part, n.Name) and len(part.texts) == 1 else None

    whole = meaning(node)
    if whole is not None:
        return whole
    made = node.copy()
    found = [(p, m) for p in made.walk(prune=lambda x: isinstance(x, n.Query)) if (m := meaning(p)) is not None]
    for part, replacement in found:
        part.replace(replacement.copy())
    return made
