"""The functions of SQL's catalogue, and how Python calls them."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tailrace.api.expr import Expr, IntoExpr, tree_of
from tailrace.api.trees import placed
from tailrace.expressions.aggregates import AGGREGATES
from tailrace.expressions.functions import FUNCTIONS
from tailrace.sql.dialect import nodes as n

UNIT_FIRST = ("EXTRACT", "TIMESTAMPADD", "TIMESTAMPDIFF")
"""Functions whose first argument is a unit, as "DAY"."""

UNIT_SECOND = ("CEIL", "CEILING", "FLOOR")
"""Functions whose second argument is a unit, if they have one."""

_FORMS = (
    "AND",
    "OR",
    "NOT",
    "IN",
    "CASE",
    "LIKE",
    "MAP",
    "ARRAY",
    "ROW",
    "ITEM",
    "GET",
    "OVERLAPS",
    "NEGATE",
    "TRIM",
    "POSITIVE",
)
"""What operators and methods of an expression write."""

_RANKS = {
    "ROW_NUMBER": "The number of the row in its partition, from 1; needs `over`.",
    "RANK": "The rank of the row, with gaps behind equal ones; needs `over`.",
    "DENSE_RANK": "The rank of the row, without gaps; needs `over`.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A function as the catalogue has it: its SQL name, its signature and what it gives."""

    sql: str
    signature: str
    doc: str


@cache
def entries() -> dict[str, Entry]:
    """Give all functions by their Python names, sorted."""
    found = [Entry(name, f.signature, f.doc) for name, f in FUNCTIONS.items() if _is_word(name)]
    found += [Entry(a.name, a.signature, a.doc) for a in AGGREGATES.values()]
    found += [Entry(name, f"{name}()", doc) for name, doc in _RANKS.items()]
    return dict(sorted((_python(e.sql), e) for e in found if e.sql not in _FORMS))


def function(name: str, entry: Entry) -> Callable[..., Expr]:
    """Give a function of the catalogue as one of Python."""

    def called(*arguments: IntoExpr) -> Expr:
        return _called(entry, arguments)

    called.__name__ = called.__qualname__ = name
    called.__doc__ = f"{entry.signature}: {entry.doc}"
    return called


def _called(entry: Entry, arguments: tuple[IntoExpr, ...]) -> Expr:
    if not arguments and entry.signature == entry.sql:
        return Expr(placed(n.Call(this=entry.sql, bare=True)))
    unit = 0 if entry.sql in UNIT_FIRST else 1 if entry.sql in UNIT_SECOND else -1
    given = [symbol(a) if i == unit and isinstance(a, str) else tree_of(a) for i, a in enumerate(arguments)]
    return Expr(placed(n.Call(this=entry.sql, arguments=given, distinct=False)))


def symbol(word: str) -> n.Node:
    """Give a keyword as an argument."""
    return placed(n.Symbol(this=word.upper()))


def _is_word(name: str) -> bool:
    return name.replace("_", "").isalnum() and name[0].isalpha()


def _python(name: str) -> str:
    low = name.lower()
    return f"{low}_" if keyword.iskeyword(low) else low
