"""Random queries, by families that can be switched on one by one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from query_exprs import ExprMaker
from query_nodes import KEYS, Aggregate, Base, Column, Dialect, Expr, Group, Item, Relation, Select, Type
from query_tables import FIELDS
from query_windows import Window, WindowGroup, WindowRows

FAMILIES = ("calc", "window", "window_rows", "cascade", "group", "nested", "distinct")
"""What is made: each name is a method of `QueryMaker`."""


class QueryMaker:
    """Makes one query from one seed; the tables `t0` and `t1` are its input. `offsets` gives some windows an offset."""

    def __init__(self, rng: random.Random, *, offsets: bool = True) -> None:
        self._rng = rng
        self._offsets = offsets
        self._exprs = ExprMaker(rng)
        self._names = 0

    def make(self, family: str) -> Relation:
        """Make a query of a family."""
        made: Relation = getattr(self, family)()
        return made

    def calc(self) -> Relation:
        """Projection and filter, over each other."""
        rel = self.rows()
        for _ in range(self._rng.randint(1, 2)):
            rel = self._select(rel)
        return rel

    def window(self) -> Relation:
        """GROUP BY of a window, with a projection or filter over it at times."""
        rel = self._window_group(self.rows())
        return self._select(rel) if self._rng.random() < 0.3 else rel

    def window_rows(self) -> Relation:
        """A window table function without GROUP BY, or with one over its columns that does not close windows."""
        rel = self.rows()
        items = self._some_items(rel.columns, 2)
        rows = WindowRows(rel, self._window(), items, self._properties(1), self._maybe_predicate(rel.columns))
        if self._rng.random() < 0.6:
            return rows
        return self._group(replace(rows, properties=()))  # by both bounds it would be a group by window

    def cascade(self) -> Relation:
        """Windows over the results of windows."""
        inner = self._window_group(self.rows(), cascade=True)
        return self._window_group(inner)

    def group(self) -> Relation:
        """GROUP BY of rows that are only inserted."""
        return self._group(self.rows())

    def nested(self) -> Relation:
        """GROUP BY of rows that are taken back."""
        rel: Relation = self._group(self.rows(), keyed=True)
        for _ in range(self._rng.randint(1, 2)):
            if self._rng.random() < 0.5:
                rel = self._select(rel)
            rel = self._group(rel)
        return rel

    def distinct(self) -> Relation:
        """SELECT DISTINCT, and GROUP BY over it."""
        rel = self.rows()
        items = tuple(self._item(c.expr) for c in self._some([c for c in rel.columns if c.type in KEYS], 3))
        found = Select(rel, items, self._maybe_predicate(rel.columns), distinct=True)
        return found if self._rng.random() < 0.6 else self._group(found)

    def rows(self) -> Relation:
        """Give a table, or a projection of it that keeps the row time."""
        base = Base(self._rng.choice(["t0", "t0", "t1"]), FIELDS)
        return base if self._rng.random() < 0.6 else self._select(base, keep_time=True)

    def _select(self, rel: Relation, *, keep_time: bool = False) -> Select:
        items = list(self._some_items(rel.columns, 5))
        if keep_time and rel.time:
            items = [i for i in items if i.value.sql(Dialect.FLINK) != rel.time.name]
            items.append(self._item(rel.time.expr))
        return Select(rel, tuple(items), self._maybe_predicate(rel.columns))

    def _some_items(self, columns: Sequence[Column], most: int) -> tuple[Item, ...]:
        """Make up to so many expressions; the row time is among them once at most."""
        plain = [c for c in columns if not c.time]
        made = [self._exprs.scalar(plain) for _ in range(self._rng.randint(1, most))]
        kept = [self._item(value) for value in made]
        time = next((c for c in columns if c.time), None)
        if time and self._rng.random() < 0.3:
            kept.append(self._item(time.expr))
        return tuple(kept)

    def _group(self, rel: Relation, *, keyed: bool = False) -> Group:
        keys = self._keys(rel.columns, 1 if keyed else 0)
        aggregates = self._aggregates(rel.columns)
        return Group(rel, keys, aggregates, self._having(aggregates))

    def _window_group(self, rel: Relation, *, cascade: bool = False) -> WindowGroup:
        keys = self._keys(rel.columns, 0)
        aggregates = self._aggregates(rel.columns)
        properties = self._properties(0)
        if cascade:
            properties = (*(p for p in properties if p[0] != "window_time"), ("window_time", self._name()))
        having = self._having(aggregates)
        return WindowGroup(rel, self._window(), keys, aggregates, properties, having)

    def _window(self) -> Window:
        kind = self._rng.choice(["TUMBLE", "HOP", "CUMULATE"])
        step = self._rng.choice([1000, 2000, 5000, 10_000, 500])
        size = step if kind == "TUMBLE" else step * self._rng.randint(1, 4)
        offset = self._rng.choice([0, 0, 0, step // 2, -step // 5])
        return Window(kind, size, step, offset if self._offsets else 0)

    def _properties(self, least: int) -> tuple[tuple[str, str], ...]:
        count = self._rng.randint(least, 3)
        chosen = self._rng.sample(["window_start", "window_end", "window_time"], count)
        return tuple((p, self._name()) for p in chosen)

    def _keys(self, columns: Sequence[Column], least: int) -> tuple[Item, ...]:
        usable = [c for c in columns if c.type in KEYS or (c.type is Type.TIME and not c.time)]
        count = min(len(usable), self._rng.choice([least, 1, 1, 2]))
        return tuple(self._item(c.expr) for c in self._rng.sample(usable, count))

    def _aggregates(self, columns: Sequence[Column]) -> tuple[Item, ...]:
        plain = [c for c in columns if not c.time]
        return tuple(self._item(self._exprs.aggregate(plain)) for _ in range(self._rng.randint(1, 3)))

    def _having(self, aggregates: Sequence[Item]) -> Expr | None:
        counts = [a.value for a in aggregates if isinstance(a.value, Aggregate) and a.value.function == "COUNT"]
        if not counts or self._rng.random() < 0.6:
            return None
        call, bound = self._rng.choice(counts), self._rng.randint(0, 3)
        return Expr(Type.BOOLEAN, f"{call.sql(Dialect.FLINK)} > {bound}", f"{call.sql(Dialect.DUCK)} > {bound}")

    def _maybe_predicate(self, columns: Sequence[Column]) -> Expr | None:
        plain = [c for c in columns if not c.time]
        return self._exprs.predicate(plain) if self._rng.random() < 0.4 else None

    def _some(self, columns: Sequence[Column], most: int) -> list[Column]:
        return self._rng.sample(list(columns), min(len(columns), self._rng.randint(1, most)))

    def _item(self, value: Expr | Aggregate) -> Item:
        return Item(self._name(), value)

    def _name(self) -> str:
        self._names += 1
        return f"c{self._names}"
