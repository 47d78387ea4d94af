"""
The functions of SQL's catalogue as Python functions, in small letters: `functions.upper(col("name"))`.

Arguments are expressions or Python values. Names that Python keeps for itself end with `_`, as `functions.if_`. What
each gives is on the page of functions; the types for editors are in `functions.pyi`, made from the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable

from tailrace.api.expr import Expr, IntoExpr, tree_of
from tailrace.api.function_calls import entries, function, symbol
from tailrace.api.trees import placed
from tailrace.errors import did_you_mean
from tailrace.expressions.foreign import instead_of
from tailrace.sql.dialect import nodes as n

_SIDES = ("BOTH", "LEADING", "TRAILING")


def array(*elements: IntoExpr) -> Expr:
    """
    Give an array of these values.

    >>> print(array(1, 2))
    ARRAY[1, 2]
    """
    return Expr(placed(n.Constructor(kind="ARRAY", arguments=[tree_of(e) for e in elements])))


def row(*fields: IntoExpr) -> Expr:
    """
    Give a row of these values.

    >>> print(row(1, "a"))
    ROW(1, 'a')
    """
    return Expr(placed(n.Constructor(kind="ROW", arguments=[tree_of(f) for f in fields])))


def map_(entries: dict[IntoExpr, IntoExpr]) -> Expr:
    """
    Give a map of these entries.

    >>> print(map_({"a": 1}))
    MAP['a', 1]
    """
    pairs = [tree_of(x) for pair in entries.items() for x in pair]
    return Expr(placed(n.Constructor(kind="MAP", arguments=pairs)))


def trim(text: IntoExpr, characters: IntoExpr = None, side: str = "BOTH") -> Expr:
    """
    Give a text without these characters (spaces) at its ends, or at one: LEADING or TRAILING.

    Raises:
        ValueError: there is no such side.

    >>> print(trim("xxa", "x", "leading"))
    TRIM(LEADING 'x' FROM 'xxa')
    """
    if side.upper() not in _SIDES:
        raise ValueError(f"there is no side '{side}'; write one of {', '.join(_SIDES)}")
    further = [] if characters is None else [tree_of(characters)]
    return Expr(placed(n.Call(this="TRIM", arguments=[symbol(side), *further, tree_of(text)])))


def __getattr__(name: str) -> Callable[..., Expr]:
    found = entries()
    if name not in found:
        hint = instead_of(name) or did_you_mean(name, found)
        raise AttributeError(f"there is no function '{name}'" + (f"; {hint}" if hint else ""))
    return function(name, found[name])


def __dir__() -> list[str]:
    return [*entries(), "array", "map_", "row", "trim"]
