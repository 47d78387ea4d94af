"""Groups of rows, and what is computed of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tailrace.api import given, queries, trees
from tailrace.api.expr import Expr, col, column
from tailrace.api.trees import placed
from tailrace.sql.dialect import nodes as n

T = TypeVar("T")

_WINDOW = ("window_start", "window_end")


@dataclass(frozen=True, slots=True)
class Grouping:
    """Several sets of keys to group by: ROLLUP, CUBE or GROUPING SETS."""

    kind: str
    sets: tuple[tuple[str, ...], ...]

    @property
    def keys(self) -> list[str]:
        """All keys in the order in which they are first named."""
        return list(dict.fromkeys(k for s in self.sets for k in s))

    def tree(self) -> n.GroupingSets:
        """Give it as an element of GROUP BY."""
        if self.kind != "GROUPING SETS":
            return placed(n.GroupingSets(kind=self.kind, elements=[trees.name(k) for k in self.keys]))
        sets = [placed(n.KeySet(keys=[trees.name(k) for k in s])) for s in self.sets]
        return placed(n.GroupingSets(kind=self.kind, elements=sets))


def rollup(*keys: str) -> Grouping:
    """Group by all keys, by all but the last, and so on up to none: ROLLUP."""
    return Grouping("ROLLUP", (keys,))


def cube(*keys: str) -> Grouping:
    """Group by each subset of the keys: CUBE."""
    return Grouping("CUBE", (keys,))


def grouping_sets(*sets: str | Sequence[str]) -> Grouping:
    """Group by each of these sets of keys: GROUPING SETS."""
    return Grouping("GROUPING SETS", tuple((s,) if isinstance(s, str) else tuple(s) for s in sets))


class GroupBy(Generic[T]):
    """Rows in groups; `agg` says what is computed of each."""

    def __init__(
        self,
        make: Callable[[n.Query], T],
        tree: n.Query,
        keys: Sequence[str | Expr | Grouping],
        named: Mapping[str, Expr],
        *,
        windowed: bool,
    ) -> None:
        self._make = make
        self._tree = tree
        self._sets = [k for k in keys if isinstance(k, Grouping)]
        self._keys = [column(k) for k in keys if not isinstance(k, Grouping)]
        self._keys += [expr.alias(name) for name, expr in named.items()]
        self._windowed = windowed

    def agg(self, *exprs: Expr, **named: Expr) -> T:
        """
        Give the keys (behind `window` the window too) and these aggregates, one row for each group.

        >>> import polars as pl
        >>> import tailrace as tr
        >>> t = tr.from_polars(pl.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]}), name="rows")
        >>> sorted(t.group_by("k").agg(n=tr.count(), total=tr.col("v").sum()).collect().rows())
        [('a', 2, 4), ('b', 1, 2)]
        """
        for name, value in named.items():
            if not isinstance(value, Expr):
                raise given.wrong(f"{name}={value!r} is no aggregate", 'write it as col("amount").sum()')
        window = [col(c) for c in _WINDOW] if self._windowed else []
        in_sets = [col(k) for s in self._sets for k in s.keys]
        keys = [*self._keys, *in_sets, *window]
        items: list[n.Node] = [queries.item(k) for k in keys]
        if exprs or named or not items:
            items += queries.items_of(exprs, named)
        elements = [*(k.tree.copy() for k in (*self._keys, *window)), *(s.tree() for s in self._sets)]
        group = placed(n.GroupBy(elements=elements, distinct=False)) if elements else None
        return self._make(queries.selected(self._tree, items, group=group))
