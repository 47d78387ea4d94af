"""The parts that random queries are made of."""

from __future__ import annotations

import random
from collections.abc import Sequence

from query_exprs import SPREADS, ExprMaker
from query_nodes import KEYS, Aggregate, Base, Column, Dialect, Expr, Group, Item, Relation, Select, Type, same
from query_ranks import Order
from query_tables import FIELDS
from query_windows import Window, WindowGroup


class PartMaker:
    """
    Makes parts from one seed; the tables `t0` and `t1` are the input.

    With `faults` there is also what Flink 2.2 computes wrongly: offsets of windows, INTERSECT ALL and EXCEPT ALL over
    other operators, temporal LEFT JOINs with keys that are NULL, top-1 (some plans say that it only inserts, and its rows are not taken back), and IN of a column that is
    compared with the query in other ways too (NULL instead of FALSE where no row is equal).
    """

    def __init__(self, rng: random.Random, *, faults: bool = True) -> None:
        self._rng = rng
        self._faults = faults
        self._exprs = ExprMaker(rng)
        self._names = 0

    def rows(self) -> Relation:
        """Give a table, or a projection of it that keeps the row time."""
        base = Base(self._rng.choice(["t0", "t0", "t1"]), FIELDS)
        return base if self._rng.random() < 0.6 else self.select(base, keep_time=True)

    def select(self, rel: Relation, *, keep_time: bool = False) -> Select:
        items = list(self.some_items(rel.columns, 5))
        if keep_time and rel.time:
            items = [i for i in items if i.value.sql(Dialect.FLINK) != rel.time.name]
            items.append(self.item(rel.time.expr))
        return Select(rel, tuple(items), self.maybe_predicate(rel.columns))

    def some_items(self, columns: Sequence[Column], most: int) -> tuple[Item, ...]:
        """Make up to so many expressions; the row time is among them once at most."""
        plain = [c for c in columns if not c.time]
        made = [self._exprs.scalar(plain) for _ in range(self._rng.randint(1, most))]
        kept = [self.item(value) for value in made]
        time = next((c for c in columns if c.time), None)
        if time and self._rng.random() < 0.3:
            kept.append(self.item(time.expr))
        return tuple(kept)

    def group(self, rel: Relation, *, keyed: bool = False) -> Group:
        keys = self.keys(rel.columns, 1 if keyed else 0)
        aggregates = self.aggregates(rel.columns)
        return Group(rel, keys, aggregates, self.having(aggregates))

    def window_group(self, rel: Relation, *, cascade: bool = False) -> WindowGroup:
        keys = self.keys(rel.columns, 0)
        aggregates = self.aggregates(rel.columns)
        properties = self.properties(0)
        if cascade:
            properties = (*(p for p in properties if p[0] != "window_time"), ("window_time", self.name()))
        having = self.having(aggregates)
        return WindowGroup(rel, self.some_window(), keys, aggregates, properties, having)

    def some_window(self) -> Window:
        kind = self._rng.choice(["TUMBLE", "HOP", "CUMULATE"])
        step = self._rng.choice([1000, 2000, 5000, 10_000, 500])
        size = step if kind == "TUMBLE" else step * self._rng.randint(1, 4)
        offset = self._rng.choice([0, 0, 0, step // 2, -step // 5])
        return Window(kind, size, step, offset if self._faults else 0)

    def properties(self, least: int) -> tuple[tuple[str, str], ...]:
        count = self._rng.randint(least, 3)
        chosen = self._rng.sample(["window_start", "window_end", "window_time"], count)
        return tuple((p, self.name()) for p in chosen)

    def keys(self, columns: Sequence[Column], least: int) -> tuple[Item, ...]:
        usable = [c for c in columns if c.type in KEYS or (c.type is Type.TIME and not c.time)]
        count = min(len(usable), self._rng.choice([least, 1, 1, 2]))
        return tuple(self.item(c.expr) for c in self._rng.sample(usable, count))

    def aggregates(self, columns: Sequence[Column]) -> tuple[Item, ...]:
        plain = [c for c in columns if not c.time]
        return tuple(self.item(self._exprs.aggregate(plain)) for _ in range(self._rng.randint(1, 3)))

    def having(self, aggregates: Sequence[Item]) -> Expr | None:
        counts = [a.value for a in aggregates if isinstance(a.value, Aggregate) and a.value.function == "COUNT"]
        if not counts or self._rng.random() < 0.6:
            return None
        call, bound = self._rng.choice(counts), self._rng.randint(0, 3)
        return Expr(Type.BOOLEAN, f"{call.sql(Dialect.FLINK)} > {bound}", f"{call.sql(Dialect.DUCK)} > {bound}")

    def maybe_predicate(self, columns: Sequence[Column]) -> Expr | None:
        plain = [c for c in columns if not c.time]
        return self._exprs.predicate(plain) if self._rng.random() < 0.4 else None

    def side(self) -> Select:
        """Make one side of a join: plain columns with names of their own, at times of groups."""
        rel: Relation = self.rows()
        if self._rng.random() < 0.3:
            rel = self.group(rel, keyed=True)
        columns = [c for c in rel.columns if not c.time and c.type is not Type.REAL]
        kept = self.some(columns, 4)
        if not any(c.type in KEYS for c in kept):
            kept += [c for c in columns if c.type in KEYS][:1]
        if not any(c.type in KEYS for c in kept):
            return self.side()
        return Select(rel, tuple(self.item(c.expr) for c in kept), self.maybe_predicate(rel.columns))

    def pair(self, left: Relation, right: Relation) -> tuple[Column, Column]:
        """Find two columns to compare, or a column of a key type and a cast of one of the other side to text."""
        pairs = [(a, b) for a in left.columns for b in right.columns if a.type is b.type and a.type in KEYS]
        if pairs:
            return self._rng.choice(pairs)
        mine = next(c for c in left.columns if c.type in KEYS)
        flink = {Type.STRING: "'a'", Type.BOOLEAN: "TRUE"}.get(mine.type, "1")
        name = f"CAST({flink} AS {{}})"
        return mine, Column(name.format(mine.type.value), mine.type)

    def condition(self, left: Relation, right: Relation) -> Expr:
        """Make the condition of a join: an equality at least."""
        mine, theirs = self.pair(left, right)
        on = same(Type.BOOLEAN, "{0} = {1}", mine.expr, theirs.expr)
        if self._rng.random() < 0.3:
            both = [c for c in (*left.columns, *right.columns) if not c.time and c.type is not Type.REAL]
            on = same(Type.BOOLEAN, "{0} AND {1}", on, self._exprs.predicate(both, 1))
        return on

    def identified(self) -> Select:
        """Make rows with their number first, then others, then their time, under names of their own."""
        base = Base(self._rng.choice(["t0", "t0", "t1"]), FIELDS)
        others = self.some([c for c in FIELDS[1:] if not c.time], 4)
        kept = [FIELDS[0], *others, FIELDS[-1]]
        return Select(base, tuple(self.item(c.expr) for c in kept), self.maybe_predicate(FIELDS))

    def order(self, rel: Relation) -> Order:
        """Order by one or two columns, and last by all that tell the rows apart."""
        usable = [c for c in rel.columns if c.type in (*KEYS, Type.DOUBLE)]
        first = self.some(usable, 2)
        rest = [c for c in usable if c not in first]
        return Order(tuple((c, self._rng.random() < 0.5) for c in (*first, *rest)))

    def plain_aggregate(self, columns: Sequence[Column]) -> Aggregate:
        """Make a call without DISTINCT and FILTER, of what is exact."""
        while True:
            call = self._exprs.aggregate([c for c in columns if not c.time])
            if call.type is not Type.WIDE and call.function not in SPREADS:
                return Aggregate(call.function, call.argument)

    def some(self, columns: Sequence[Column], most: int) -> list[Column]:
        return self._rng.sample(list(columns), min(len(columns), self._rng.randint(1, most)))

    def item(self, value: Expr | Aggregate) -> Item:
        return Item(self.name(), value)

    def name(self) -> str:
        self._names += 1
        return f"c{self._names}"
