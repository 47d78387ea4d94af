"""
Bound expressions: every node knows its type, and columns are named as in the input's schema.

They are immutable values; two equal trees mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tailrace.errors import Location
from tailrace.schema import DataType
from tailrace.user_functions.known import Known


@dataclass(frozen=True, slots=True)
class Expr:
    """Any expression; `type` is its logical type."""

    type: DataType

    @property
    def children(self) -> tuple[Expr, ...]:
        """The expressions directly below."""
        return ()

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        """Give the same node over other children."""
        return self


@dataclass(frozen=True, slots=True)
class Column(Expr):
    """A column of the input."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Outer(Expr):
    """A column of a query around the one that the expression belongs to; `scope` tells which. No plan that runs has any."""

    scope: int
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Literal(Expr):
    """
    A constant, as the Python value that Polars takes for its type.

    None, bool, int, float, str, bytes, Decimal, date, time, datetime; an interval is an int (months or milliseconds).
    """

    value: Any

    def __str__(self) -> str:
        return "NULL" if self.value is None else repr(self.value)


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """
    A call of a scalar function of the catalogue; operators are functions too (`+`, `AND`, `CASE`).

    `function` is the catalogue's key. `location` is where it was written, for errors at run time.
    """

    function: str
    args: tuple[Expr, ...]
    location: Location | None = field(default=None, compare=False)

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, args=children)

    def __str__(self) -> str:
        inner = [str(a) for a in self.args]
        if not self.function[0].isalpha() and len(inner) == 2:
            return f"({inner[0]} {self.function} {inner[1]})"
        return f"{self.function}({', '.join(inner)})"


@dataclass(frozen=True, slots=True)
class UserCall(Expr):
    """
    A call of a function of the user.

    `spared` tells of each argument whether the function is not called where it is NULL: the value is NULL then.
    """

    function: Known
    args: tuple[Expr, ...]
    spared: tuple[bool, ...]
    location: Location | None = field(default=None, compare=False)

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, args=children)

    def __str__(self) -> str:
        return f"{self.function.name}({', '.join(map(str, self.args))})"


@dataclass(frozen=True, slots=True)
class Cast(Expr):
    """CAST (a value that can't be converted fails its row) or, with `safe`, TRY_CAST (it becomes NULL)."""

    arg: Expr
    safe: bool = False
    location: Location | None = field(default=None, compare=False)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.arg,)

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, arg=children[0])

    def __str__(self) -> str:
        return f"{'TRY_CAST' if self.safe else 'CAST'}({self.arg} AS {self.type.sql()})"


@dataclass(frozen=True, slots=True)
class UserAggregateCall:
    """
    What a call of an aggregate of the user has beside others.

    `types` are those of its arguments, `spared` tells of each whether rows are left out where it is NULL.
    """

    function: Known
    types: tuple[DataType, ...]
    spared: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """
    A call of an aggregate function; it stands only in aggregate nodes, never inside an `Expr`.

    `arg` is the name of an input column, None for COUNT(*); `filter` the name of a BOOLEAN input column; `constants` are
    the values of further arguments. `user` is the aggregate of the user that it calls; several arguments of one are a ROW then.
    """

    function: str
    type: DataType
    arg: str | None = None
    arg_type: DataType | None = None
    distinct: bool = False
    filter: str | None = None
    constants: tuple[Any, ...] = ()
    user: UserAggregateCall | None = None
    location: Location | None = field(default=None, compare=False)

    def __str__(self) -> str:
        inner = ("DISTINCT " if self.distinct else "") + ", ".join([self.arg or "*", *map(repr, self.constants)])
        return f"{self.function}({inner})" + (f" FILTER {self.filter}" if self.filter else "")


def changing_functions(expr: Expr) -> list[str]:
    """Give the names of the functions of the user in it that give other results for equal arguments."""
    calls = (e for e in walk(expr) if isinstance(e, UserCall))
    return [c.function.name for c in calls if not c.function.declaration.deterministic]


def is_changing(expr: Expr) -> bool:
    """Tell whether there is one."""
    return bool(changing_functions(expr))


def walk(expr: Expr) -> Iterator[Expr]:
    """Give the expression and all below it, top first."""
    yield expr
    for child in expr.children:
        yield from walk(child)


def columns(expr: Expr) -> set[str]:
    """Give the names of the columns that it reads."""
    return {e.name for e in walk(expr) if isinstance(e, Column)}


def outers(expr: Expr, scope: int) -> set[Outer]:
    """Give the columns of one query around that it reads."""
    return {e for e in walk(expr) if isinstance(e, Outer) and e.scope == scope}


def transform(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Give the expression with `change` applied to each node, children first."""
    if expr.children:
        expr = expr.with_children(tuple(transform(c, change) for c in expr.children))
    return change(expr)


def substitute(expr: Expr, by_name: dict[str, Expr]) -> Expr:
    """Give the expression with columns replaced by the expressions of these names."""
    return transform(expr, lambda e: by_name.get(e.name, e) if isinstance(e, Column) else e)
