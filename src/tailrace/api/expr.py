"""Expressions: columns, literals and what can be computed from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from tailrace.api import trees
from tailrace.api.durations import Span, span
from tailrace.api.places import place
from tailrace.api.trees import placed
from tailrace.errors import ConfigError
from tailrace.sql.binder import functions
from tailrace.sql.dialect import nodes as n
from tailrace.user_functions.declarations import Declaration

IntoExpr = Any
"""An expression, or a Python value that stands for itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Expr:
    """
    An expression over the columns of a table; it is a piece of SQL and is computed where the pipeline runs.

    Operators and methods take expressions or Python values; a Python text is a text, not a column. NULLs follow SQL.

    >>> import tailrace as tr
    >>> print((tr.col("amount") * 2 > 10) & tr.col("country").is_in(["NL", "DE"]))
    ((`amount` * 2) > 10) AND (`country` IN ('NL', 'DE'))
    """

    tree: n.Node
    name: str = ""

    def __str__(self) -> str:
        return trees.generate(self.tree) + (f" AS {trees.generate(trees.identifier(self.name))}" if self.name else "")

    def __repr__(self) -> str:
        return f"<Expr {self}>"

    def __bool__(self) -> bool:
        """
        Refuse: an expression has a value for each row, not for Python.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "an expression is neither true nor false; write & for and, | for or, ~ for not, is_in(...) for in"
        )

    def __hash__(self) -> int:
        return object.__hash__(self)

    __iter__ = None  # it has elements only where the pipeline runs; by `__getitem__` Python would count without end

    # names and types

    def alias(self, name: str) -> Expr:
        """Give it a name as a column of the result."""
        return Expr(self.tree, name)

    def cast(self, type: str) -> Expr:  # noqa: A002  as in Polars
        """Convert to a type that is written as in SQL, as `"DECIMAL(10, 2)"`; a value that can't be converted fails."""
        return _made(n.Cast, this=self, type=trees.type_tree(type), safe=False)

    def try_cast(self, type: str) -> Expr:  # noqa: A002  as above
        """Convert to a type; NULL for a value that can't be converted."""
        return _made(n.Cast, this=self, type=trees.type_tree(type), safe=True)

    # arithmetic

    def __add__(self, other: IntoExpr) -> Expr:
        return _binary("+", self, other)

    def __radd__(self, other: IntoExpr) -> Expr:
        return _binary("+", other, self)

    def __sub__(self, other: IntoExpr) -> Expr:
        return _binary("-", self, other)

    def __rsub__(self, other: IntoExpr) -> Expr:
        return _binary("-", other, self)

    def __mul__(self, other: IntoExpr) -> Expr:
        return _binary("*", self, other)

    def __rmul__(self, other: IntoExpr) -> Expr:
        return _binary("*", other, self)

    def __truediv__(self, other: IntoExpr) -> Expr:
        """Divide as SQL does: of integers it gives the whole part."""
        return _binary("/", self, other)

    def __rtruediv__(self, other: IntoExpr) -> Expr:
        return _binary("/", other, self)

    def __mod__(self, other: IntoExpr) -> Expr:
        return _binary("%", self, other)

    def __rmod__(self, other: IntoExpr) -> Expr:
        return _binary("%", other, self)

    def __neg__(self) -> Expr:
        return _made(n.Unary, op="-", this=self)

    # comparison

    def __eq__(self, other: IntoExpr) -> Expr:  # type: ignore[override]  # an expression, as in Polars
        return _binary("=", self, other)

    def __ne__(self, other: IntoExpr) -> Expr:  # type: ignore[override]  # as above
        return _binary("<>", self, other)

    def __lt__(self, other: IntoExpr) -> Expr:
        return _binary("<", self, other)

    def __le__(self, other: IntoExpr) -> Expr:
        return _binary("<=", self, other)

    def __gt__(self, other: IntoExpr) -> Expr:
        return _binary(">", self, other)

    def __ge__(self, other: IntoExpr) -> Expr:
        return _binary(">=", self, other)

    def eq_missing(self, other: IntoExpr) -> Expr:
        """Compare with NULL as a value of its own: IS NOT DISTINCT FROM."""
        return _made(n.Is, this=self, what="DISTINCT FROM", negated=True, other=tree_of(other))

    def ne_missing(self, other: IntoExpr) -> Expr:
        """Compare with NULL as a value of its own: IS DISTINCT FROM."""
        return _made(n.Is, this=self, what="DISTINCT FROM", negated=False, other=tree_of(other))

    def is_null(self) -> Expr:
        """Tell whether it is NULL."""
        return _made(n.Is, this=self, what="NULL", negated=False)

    def is_not_null(self) -> Expr:
        """Tell whether it is not NULL."""
        return _made(n.Is, this=self, what="NULL", negated=True)

    def is_true(self) -> Expr:
        """Tell whether it is TRUE: FALSE for NULL too."""
        return _made(n.Is, this=self, what="TRUE", negated=False)

    def is_false(self) -> Expr:
        """Tell whether it is FALSE: FALSE for NULL too."""
        return _made(n.Is, this=self, what="FALSE", negated=False)

    def is_between(self, low: IntoExpr, high: IntoExpr, *, symmetric: bool = False) -> Expr:
        """Tell whether it is from `low` to `high`, both included; if `symmetric`, the greater of them may be `low`."""
        return _made(n.Between, this=self, low=tree_of(low), high=tree_of(high), symmetric=symmetric, negated=False)

    def is_in(self, values: Iterable[IntoExpr]) -> Expr:
        """
        Tell whether it is one of these values; of none it is not.

        Raises:
            TypeError: a text, or what is no list.
        """
        if isinstance(values, str | bytes | Expr) or not isinstance(values, Iterable):
            raise TypeError(f"is_in() takes a list of values, not {values!r}")
        values = list(values)
        if not values:
            return lit(False)
        return _made(n.In, this=self, values=[tree_of(v) for v in values], negated=False)

    def like(self, pattern: str, escape: str | None = None) -> Expr:
        """Tell whether a text fits a pattern of `%` and `_`."""
        return self._like("LIKE", pattern, escape)

    def similar_to(self, pattern: str, escape: str | None = None) -> Expr:
        """Tell whether a whole text fits a pattern of SQL's regular expressions, as `"(a|b)%"`: SIMILAR TO."""
        return self._like("SIMILAR TO", pattern, escape)

    def _like(self, op: str, pattern: str, escape: str | None) -> Expr:
        mark = None if escape is None else trees.literal(escape)
        return _made(n.Like, op=op, this=self, pattern=trees.literal(pattern), escape=mark, negated=False)

    # logic

    def __and__(self, other: IntoExpr) -> Expr:
        return _binary("AND", self, other)

    def __rand__(self, other: IntoExpr) -> Expr:
        return _binary("AND", other, self)

    def __or__(self, other: IntoExpr) -> Expr:
        return _binary("OR", self, other)

    def __ror__(self, other: IntoExpr) -> Expr:
        return _binary("OR", other, self)

    def __invert__(self) -> Expr:
        return _made(n.Unary, op="NOT", this=self)

    # missing values, parts

    def fill_null(self, value: IntoExpr) -> Expr:
        """Give `value` in place of NULL: COALESCE."""
        return call("COALESCE", self, value)

    def __getitem__(self, index: IntoExpr) -> Expr:
        """Give the element number `index` of an array, from 1, or the value of a key of a map."""
        return _made(n.Item, this=self, index=tree_of(index))

    def field(self, name: str) -> Expr:
        """Give a field of a row."""
        if isinstance(self.tree, n.Name):
            return Expr(placed(n.Name(parts=[*(p.copy() for p in self.tree.args["parts"]), trees.identifier(name)])))
        return _made(n.Access, this=self, field=trees.identifier(name))

    # order

    def asc(self, *, nulls_last: bool | None = None) -> SortExpr:
        """Sort upward by it; NULLs come first unless `nulls_last`."""
        return SortExpr(self, descending=False, nulls_last=nulls_last)

    def desc(self, *, nulls_last: bool | None = None) -> SortExpr:
        """Sort downward by it; NULLs come last unless `nulls_last` is False."""
        return SortExpr(self, descending=True, nulls_last=nulls_last)

    # aggregates

    def sum(self) -> Expr:
        """Add up the values that are not NULL."""
        return call("SUM", self)

    def mean(self) -> Expr:
        """Give the mean: AVG, which of integers is one too, as in Flink."""
        return call("AVG", self)

    def min(self) -> Expr:
        """Give the least value."""
        return call("MIN", self)

    def max(self) -> Expr:
        """Give the greatest value."""
        return call("MAX", self)

    def count(self) -> Expr:
        """Count the values that are not NULL."""
        return call("COUNT", self)

    def n_unique(self) -> Expr:
        """Count the different values that are not NULL."""
        return call("COUNT", self).distinct()

    def std(self, *, ddof: int = 1) -> Expr:
        """Give the standard deviation: of a sample, or with `ddof=0` of all."""
        return call("STDDEV_SAMP" if ddof else "STDDEV_POP", self)

    def var(self, *, ddof: int = 1) -> Expr:
        """Give the variance: of a sample, or with `ddof=0` of all."""
        return call("VAR_SAMP" if ddof else "VAR_POP", self)

    def first(self) -> Expr:
        """Give the first value that is not NULL."""
        return call("FIRST_VALUE", self)

    def last(self) -> Expr:
        """Give the last value that is not NULL."""
        return call("LAST_VALUE", self)

    def implode(self) -> Expr:
        """Collect the values into an array: ARRAY_AGG."""
        return call("ARRAY_AGG", self)

    def join_text(self, separator: str = ",") -> Expr:
        """Write the values behind each other: LISTAGG."""
        return call("LISTAGG", self, separator)

    def distinct(self) -> Expr:
        """Let an aggregate take each different value once, as `col("a").sum().distinct()`."""
        return self._with(distinct=True)

    def filter(self, condition: Expr) -> Expr:
        """Let an aggregate take only the rows for which a condition holds."""
        return self._with(filter=condition.tree.copy())

    def shift(self, n: int = 1, default: IntoExpr = None) -> Expr:
        """Give the value `n` rows before this one: LAG; needs `over`. Streams refuse LEAD, a negative `n`, as in Flink."""
        further = [] if default is None else [default]
        return call("LAG" if n >= 0 else "LEAD", self, abs(n), *further)

    def over(
        self,
        partition_by: str | Expr | Iterable[str | Expr] = (),
        *,
        order_by: str | Expr | SortExpr | Iterable[str | Expr | SortExpr] = (),
        rows: int | Literal["unbounded"] | None = None,
        range: Span | None = None,  # noqa: A002  as in SQL
    ) -> Expr:
        """
        Compute an aggregate or rank for each row, over the rows up to it: OVER.

        `rows` takes so many rows before it, `range` those of so long before it; without either all before it count, and those of the
        same time. With `rows="unbounded"` those of the same time count one after the other.
        """
        frame = None
        if rows is not None or range is not None:
            size = trees.interval(span(range or "")) if rows is None else None if rows == "unbounded" else tree_of(rows)
            lower = placed(n.Bound(kind="PRECEDING", value=size))
            upper = placed(n.Bound(kind="CURRENT ROW"))
            frame = placed(n.Frame(unit="RANGE" if rows is None else "ROWS", lower=lower, upper=upper))
        partition = [column(c).tree.copy() for c in several(partition_by)]
        return self._with(over=placed(n.Over(partition=partition, order=sort_keys(order_by), frame=frame)))

    def _with(self, **parts: Any) -> Expr:
        if not isinstance(self.tree, n.Call):
            raise TypeError(f"{self} is no call of a function; write this behind an aggregate, as col('a').sum()")
        made = self.tree.copy()
        for key, value in parts.items():
            made.set(key, value)
        return Expr(placed(made), self.name)


@dataclass(frozen=True, slots=True)
class SortExpr:
    """An expression to sort by, and how."""

    by: Expr
    descending: bool = False
    nulls_last: bool | None = None


def col(name: str) -> Expr:
    """
    Give a column by its name.

    >>> import tailrace as tr
    >>> print(tr.col("card"))
    `card`
    """
    return Expr(trees.name(name))


def lit(value: Any) -> Expr:
    """
    Give a Python value as an expression.

    Raises:
        ConfigError: SQL has no literal for it.

    >>> import tailrace as tr
    >>> print(tr.lit("it's"))
    'it''s'
    """
    return Expr(trees.literal(value))


def call(function: str | Declaration[..., Any] | type[Any], *arguments: IntoExpr) -> Expr:
    """
    Call a function: one of SQL by its name, or one that was declared by `@tr.udf` or `@tr.udaf`.

    Raises:
        TypeError: a class or function that is not declared.

    >>> import tailrace as tr
    >>> print(tr.call("CONCAT_WS", "-", tr.col("a"), tr.col("b")))
    CONCAT_WS('-', `a`, `b`)
    """
    if isinstance(function, type):  # to type checkers a class stays one when it is decorated
        raise TypeError(f"{function.__name__} is no function of SQL; declare it by @tr.udaf")
    if not isinstance(function, str | Declaration):
        raise TypeError(f"{function!r} is no function of SQL; declare it by @tr.udf")
    name = function if isinstance(function, str) else function.__name__
    made = _made(n.Call, this=name, arguments=[tree_of(a) for a in arguments], distinct=False)
    if not isinstance(function, str):
        functions.let_mean(made.tree, function)
    return made


def tree_of(value: IntoExpr) -> n.Node:
    """Give the tree of an expression, or of a Python value."""
    return value.tree.copy() if isinstance(value, Expr) else trees.literal(value)


def column(value: str | Expr) -> Expr:
    """
    Give an expression, a text being the name of a column.

    Raises:
        ConfigError: it is neither.
    """
    if not isinstance(value, str | Expr):
        hint = 'write "card", col("card"), or an expression; a value that is the same in all rows is lit(...)'
        message = f"{value!r} is neither the name of a column nor an expression"
        raise ConfigError(message, hint=hint, location=place().location())
    return col(value) if isinstance(value, str) else value


def several(values: Any) -> list[Any]:
    """Give one thing or many as a list."""
    return [values] if isinstance(values, (str, Expr, SortExpr)) else list(values)


def sort_keys(values: Any) -> list[n.SortKey]:
    """Give the keys of an ORDER BY."""
    found = [v if isinstance(v, SortExpr) else SortExpr(column(v)) for v in several(values)]
    return [
        placed(
            n.SortKey(
                this=key.by.tree.copy(),
                descending=key.descending,
                nulls=None if key.nulls_last is None else "LAST" if key.nulls_last else "FIRST",
            )
        )
        for key in found
    ]


def _made(node: type[n.Node], **parts: Any) -> Expr:
    """Give a node with expressions as copies of their trees, and all other parts as they are."""
    return Expr(placed(node(**{k: v.tree.copy() if isinstance(v, Expr) else v for k, v in parts.items()})))


def _binary(op: str, left: IntoExpr, right: IntoExpr) -> Expr:
    return _made(n.Binary, op=op, left=tree_of(left), right=tree_of(right))
