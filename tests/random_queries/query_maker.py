"""Random queries, by families that can be switched on one by one."""

from __future__ import annotations

from dataclasses import replace

from query_joins import Exists, In, IntervalJoin, Join, SetOperation, WindowJoin
from query_nodes import KEYS, Base, Column, Dialect, Expr, Group, Relation, Select, Type, same
from query_parts import PartMaker
from query_ranks import First, GroupingSets, Order, Ordered, Over, Top, WindowTop
from query_subqueries import Marked, Valued
from query_tables import FIELDS
from query_versions import TemporalJoin
from query_windows import SessionGroup, Window, WindowGroup, WindowRows

FAMILIES = (
    "calc", "window", "window_rows", "cascade", "session", "group", "nested", "distinct", "grouping_sets", "union", "join", "over",
    "set_operation", "mixed", "window_join", "interval_join", "temporal_join", "exists", "not_in", "marked", "valued", "top", "window_top", "first", "ordered", "changing",
)  # fmt: skip
"""What is made: each is a method `make_…` of `QueryMaker`. A method that is not named here waits for its operator."""
MIXED = ("select", "group", "distinct", "join", "set_operation")
"""What `mixed` puts over each other; each is a method `over_…`."""
CHANGING = (
    "calc", "window", "group", "nested", "distinct", "grouping_sets", "union", "join", "set_operation", "mixed", "exists",
    "not_in", "marked", "valued", "top",
)  # fmt: skip
"""What `changing` makes, over tables whose rows are inserted, updated and deleted."""
LATE = ("calc", "window", "window_rows", "cascade", "group", "nested", "distinct", "grouping_sets")
"""The families whose rows may be late; the oracle knows what the others do with rows in time alone."""


class QueryMaker(PartMaker):
    """Makes whole queries."""

    def make(self, family: str) -> Relation:
        """Make a query of a family."""
        made: Relation = getattr(self, f"make_{family}")()
        return made

    def make_changing(self) -> Relation:
        """A query of another family over tables that update."""
        return self.make(self._rng.choice(CHANGING))

    def make_calc(self) -> Relation:
        """Projection and filter, over each other."""
        rel = self.rows()
        for _ in range(self._rng.randint(1, 2)):
            rel = self.select(rel)
        return rel

    def make_window(self) -> Relation:
        """GROUP BY of a window, with a projection or filter over it at times."""
        rel = self.window_group(self.rows())
        return self.select(rel) if self._rng.random() < 0.3 else rel

    def make_window_rows(self) -> Relation:
        """A window table function without GROUP BY, or with one over its columns that does not close windows."""
        rel = self.rows()
        items = self.some_items(rel.columns, 2)
        rows = WindowRows(rel, self.some_window(), items, self.properties(1), self.maybe_predicate(rel.columns))
        if self._rng.random() < 0.6:
            return rows
        return self.group(replace(rows, properties=()))  # by both bounds it would be a group by window

    def make_cascade(self) -> Relation:
        """Windows over the results of windows."""
        inner = self.window_group(self.rows(), cascade=True)
        return self.window_group(inner)

    def make_group(self) -> Relation:
        """GROUP BY of rows that are only inserted."""
        return self.group(self.rows())

    def make_nested(self) -> Relation:
        """GROUP BY of rows that are taken back."""
        rel: Relation = self.group(self.rows(), keyed=True)
        for _ in range(self._rng.randint(1, 2)):
            if self._rng.random() < 0.5:
                rel = self.select(rel)
            rel = self.group(rel)
        return rel

    def make_distinct(self) -> Relation:
        """SELECT DISTINCT, and GROUP BY over it."""
        rel = self.rows()
        items = tuple(self.item(c.expr) for c in self.some([c for c in rel.columns if c.type in KEYS], 3))
        found = Select(rel, items, self.maybe_predicate(rel.columns), distinct=True)
        return found if self._rng.random() < 0.6 else self.group(found)

    def make_session(self) -> Relation:
        """GROUP BY of session windows."""
        rel = self.rows()
        keys = tuple(self.some([c for c in rel.columns if c.type in KEYS], 2)) if self._rng.random() < 0.7 else ()
        gap = self._rng.choice([1000, 2000, 5000])
        return SessionGroup(rel, keys, gap, self.aggregates(rel.columns), (self.name(), self.name()))

    def make_grouping_sets(self) -> Relation:
        """GROUP BY of several sets of keys."""
        rel = self.rows()
        keys = tuple(self.some([c for c in rel.columns if c.type in KEYS], 3))
        word = self._rng.choice(["GROUPING SETS", "ROLLUP", "CUBE"])
        sets = (keys, *((k,) for k in self.some(keys, 2)), *([()] if self._rng.random() < 0.5 else []))
        return GroupingSets(rel, word, keys, sets, self.aggregates(rel.columns))

    def make_join(self) -> Relation:
        """Joins of rows and of groups, at times of three tables, and groups over them."""
        joined = self._join(self.side(), self.side())
        if self._rng.random() < 0.25:
            joined = self._join(joined, self.side())
        return self.group(joined) if self._rng.random() < 0.3 else joined

    def _join(self, left: Relation, right: Relation) -> Join:
        kind = self._rng.choice(["INNER", "INNER", "LEFT", "RIGHT", "FULL"])
        on = self.condition(left, right)
        items = tuple(self.item(c.expr) for c in (*left.columns, *right.columns))
        return Join(kind, left, right, on, items)

    def make_exists(self) -> Relation:
        """EXISTS, NOT EXISTS and IN."""
        left, right = self.side(), self.side()
        if self._rng.random() < 0.6:
            return Exists(left, right, self.condition(left, right), self._rng.random() < 0.5)
        return self._in(left, right, negated=False)

    def make_not_in(self) -> Relation:
        """NOT IN, which knows NULL."""
        return self._in(self.side(), self.side(), negated=True)

    def _in(self, left: Relation, right: Relation, *, negated: bool) -> Relation:
        mine, theirs = self.pair(left, right)
        return In(left, Select(right, (self.item(theirs.expr),)), mine.expr, negated)

    def make_marked(self) -> Relation:
        """IN, EXISTS and comparisons with SOME and ALL in SELECT, and under OR."""
        left, right = self._alike()
        mine, theirs = self.pair(left, right)
        on = self._correlation(left, right)
        if not self._faults and on and mine.name in on.sql(Dialect.FLINK):
            return self.make_marked()
        word = self._rng.choice(["IN", "NOT IN", *(["EXISTS", "NOT EXISTS"] if on else []), *self._quantified(mine)])
        other = self._exprs.predicate(left.columns, 1) if self._rng.random() < 0.4 else None
        return Marked(left, right, on, mine.expr, theirs.expr, word, self.name(), other)

    def _alike(self) -> tuple[Relation, Relation]:
        """Make two sides with columns to compare; Flink's planner fails on some constants instead of them."""
        while True:
            left, right = self.side(), self.side()
            if {c.type for c in left.columns} & {c.type for c in right.columns} & set(KEYS):
                return left, right

    def _quantified(self, column: Column) -> list[str]:
        words = [f"{op} {every}" for op in ("=", "<>", "<", ">=") for every in ("ALL", "ANY")]
        return [] if column.type is Type.BOOLEAN else words

    def make_valued(self) -> Relation:
        """Aggregates of a query as values."""
        left, right = self._alike()
        found = Valued(left, right, self.plain_aggregate(right.columns), self.name(), self._correlation(left, right))
        return self.group(found) if self._rng.random() < 0.2 else found

    def _correlation(self, left: Relation, right: Relation) -> Expr | None:
        """Make what a query compares with the one around it: equalities, another comparison, or nothing."""
        roll = self._rng.random()
        if roll < 0.25:
            return None
        on = self.condition(left, right)
        if roll < 0.5:
            mine, theirs = self.pair(left, right)
            less = same(Type.BOOLEAN, "{0} <= {1}", mine.expr, theirs.expr)
            return less if roll < 0.4 else same(Type.BOOLEAN, "{0} AND {1}", on, less)
        return on

    def make_union(self) -> Relation:
        """UNION ALL, as it is, in windows and in groups."""
        union = self._set_operation("UNION ALL", time=True)
        roll = self._rng.random()
        if roll < 0.4 and union.time:
            return self.window_group(union)
        return self.group(union) if roll < 0.7 else union

    def make_set_operation(self) -> Relation:
        """UNION, INTERSECT and EXCEPT, with and without ALL."""
        word = self._rng.choice(["UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
        return self._set_operation(word, time=False)

    def _set_operation(self, word: str, *, time: bool) -> SetOperation:
        kinds = self._rng.sample([Type.STRING, Type.INT, Type.BOOLEAN, Type.BIGINT], self._rng.randint(1, 2))
        return SetOperation(word, *(self._of_types(kinds, time=time) for _ in range(2)))

    def _of_types(self, kinds: list[Type], *, time: bool) -> Relation:
        """Make rows of these types; no constants, from which Flink draws conclusions that are not so."""
        base = Base(self._rng.choice(["t0", "t0", "t1"]), FIELDS)
        picked = [self._rng.choice([c for c in FIELDS if c.type is k]) for k in kinds]
        items = [self.item(c.expr) for c in picked]
        if time:
            items.append(self.item(FIELDS[-1].expr))
        return Select(base, tuple(items), self.maybe_predicate(FIELDS))

    def make_mixed(self) -> Relation:
        """Operators over operators, so that each gets rows that are taken back."""
        rel: Relation = self.side()
        for _ in range(self._rng.randint(2, 4)):
            rel = getattr(self, f"over_{self._rng.choice(MIXED)}")(self._exact(rel))
        return rel

    def _exact(self, rel: Relation) -> Relation:
        """Leave out rounded numbers, and row times; what is left has a column to group and join by."""
        columns = [c for c in rel.columns if not c.time and c.type is not Type.REAL]
        items = [self.item(c.expr) for c in columns]
        if not any(c.type in KEYS for c in columns):
            items.append(self.item(self._exprs.scalar(rel.columns, Type.INT, 0)))
        return Select(rel, tuple(items))

    def over_select(self, rel: Relation) -> Relation:
        """Projection and filter."""
        return self.select(rel)

    def over_group(self, rel: Relation) -> Relation:
        """GROUP BY."""
        return self.group(rel, keyed=self._rng.random() < 0.8)

    def over_distinct(self, rel: Relation) -> Relation:
        """SELECT DISTINCT of some columns."""
        items = tuple(self.item(c.expr) for c in self.some([c for c in rel.columns if c.type in KEYS], 3))
        return Select(rel, items, distinct=True)

    def over_join(self, rel: Relation) -> Relation:
        """A join with rows or groups."""
        return self._join(rel, self.side())

    def over_set_operation(self, rel: Relation) -> Relation:
        """A set operation with rows of the same types."""
        columns = self.some([c for c in rel.columns if c.type in KEYS], 2)
        words = [
            "UNION ALL",
            "UNION",
            "INTERSECT",
            "EXCEPT",
            *(["INTERSECT ALL", "EXCEPT ALL"] if self._faults else []),
        ]
        word = self._rng.choice(words)
        mine = Select(rel, tuple(self.item(c.expr) for c in columns))
        return SetOperation(word, mine, self._of_types([c.type for c in columns], time=False))

    def make_interval_join(self) -> Relation:
        """Joins of rows that are near each other in time."""
        left, right = self.identified(), self.identified()
        kind = self._rng.choice(["INNER", "INNER", "LEFT", "RIGHT", "FULL"])
        before, after = (self._rng.choice([0, 1000, 3000]) for _ in range(2))
        items = tuple(self.item(c.expr) for c in (*left.columns, *right.columns) if not c.time)
        return IntervalJoin(kind, left, right, self.condition(left, right), before, after, items)

    def make_temporal_join(self) -> Relation:
        """Joins with the version of a row that was there at the time of another."""
        left = self.identified()
        mine = self._rng.choice([c for c in left.columns if c.type in KEYS])
        key = self._rng.choice([c for c in FIELDS[1:] if c.type is mine.type])
        others = self.some([c for c in FIELDS if not c.time and c is not key], 2)
        fields = tuple((c.name, replace(c, name=self.name())) for c in (key, FIELDS[-1], *others))
        plain = [c for c in (*left.columns, *(f for _, f in fields)) if not c.time]
        condition = self._exprs.predicate(plain, 1) if self._rng.random() < 0.4 else None
        right = Base(self._rng.choice(["t0", "t1", "t1"]), FIELDS)
        kind = self._rng.choice(["INNER", "LEFT"] if self._faults else ["INNER"])
        joined = TemporalJoin(kind, left, right, mine, fields, condition)
        return self.group(joined) if self._rng.random() < 0.2 else joined

    def make_window_join(self) -> Relation:
        """Joins of the rows or groups of the same windows of two tables, at times grouped by window again."""
        window = self.some_window()
        left, right = (self._window_side(window) for _ in range(2))
        on = self.condition(left, right)
        for mine, theirs in zip(left.columns[-2:], right.columns[-2:], strict=True):
            on = same(Type.BOOLEAN, "{0} AND {1}", on, same(Type.BOOLEAN, f"{mine.name} = {theirs.name}"))
        kept = (*left.columns, *right.columns)
        items = tuple(self.item(c.expr) for c in kept)
        kind = self._rng.choice(["INNER", "LEFT", "RIGHT", "FULL"])
        made = WindowJoin(kind, left, right, on, items)
        if kind not in ("INNER", "LEFT") or self._rng.random() < 0.7:
            return made
        edges = made.columns[len(left.columns) - 2 : len(left.columns)]
        return Group(made, tuple(self.item(c.expr) for c in edges), self.aggregates(made.columns))

    def _window_side(self, window: Window) -> Relation:
        rel = self.rows()
        keys = self.some([c for c in rel.columns if c.type in KEYS], 2)
        if not keys:
            return self._window_side(window)
        edges = (("window_start", self.name()), ("window_end", self.name()))
        if self._rng.random() < 0.3:
            return WindowGroup(rel, window, tuple(self.item(c.expr) for c in keys), self.aggregates(rel.columns), edges)
        others = self.some([c for c in rel.columns if not c.time and c not in keys], 2)
        return WindowRows(rel, window, tuple(self.item(c.expr) for c in (*keys, *others)), edges)

    def make_top(self) -> Relation:
        """The first rows of each key, of rows and of groups."""
        rel = self.identified() if self._rng.random() < 0.6 else self._groups()
        keys = (
            tuple(self.some([c for c in rel.columns if c.type in KEYS and not c.whole], 1))
            if self._rng.random() < 0.7
            else ()
        )
        ranked = self.name() if self._rng.random() < 0.5 else ""
        found = Top(rel, keys, self.order(rel), self._rng.randint(1 if self._faults else 2, 3), ranked)
        return self.group(found) if self._rng.random() < 0.2 else found

    def _groups(self) -> Relation:
        """Make groups without rounded numbers, whose keys tell them apart."""
        rel = self.rows()
        keys = self.keys([c for c in rel.columns if not c.time and c.type is not Type.TIME], 1)
        calls = tuple(a for a in self.aggregates(rel.columns) if a.value.type in (*KEYS, Type.DOUBLE))
        return Group(rel, keys, calls) if keys else self._groups()

    def make_window_top(self) -> Relation:
        """The first rows of each window."""
        rows = self.identified()
        items = tuple(self.item(c.expr) for c in rows.columns if not c.time)
        rel = WindowRows(rows, self.some_window(), items, (("window_start", self.name()), ("window_end", self.name())))
        order = Order(((rel.columns[1], self._rng.random() < 0.5), (rel.columns[0], False)))
        keys = (*rel.columns[-2:], *(self.some([c for c in rel.columns[1:-2] if c.type in KEYS], 1)))
        return WindowTop(rel, keys if self._rng.random() < 0.7 else keys[:2], order, self._rng.randint(1, 3), "")

    def make_first(self) -> Relation:
        """The first or last row of each key."""
        rel = self.identified()
        keys = tuple(self.some([c for c in rel.columns[1:] if c.type in KEYS], 2))
        found = First(rel, keys, rel.columns[0], self._rng.random() < 0.5)
        return self.group(found) if self._rng.random() < 0.3 else found

    def make_ordered(self) -> Relation:
        """ORDER BY and LIMIT."""
        rel = self.identified() if self._rng.random() < 0.6 else self._groups()
        return Ordered(rel, self.order(rel), self._rng.randint(1, 5))

    def make_over(self) -> Relation:
        """Aggregates over the rows before each row."""
        rel = self.identified()
        keys = tuple(self.some([c for c in rel.columns[1:] if c.type in KEYS], 1)) if self._rng.random() < 0.8 else ()
        start = self._rng.choice(["UNBOUNDED", "1", "3"])
        frame = f"ROWS BETWEEN {start} PRECEDING AND CURRENT ROW"
        if self._rng.random() < 0.5:
            start = self._rng.choice(["UNBOUNDED", "INTERVAL '2' SECOND"])
            frame = f"RANGE BETWEEN {start} PRECEDING AND CURRENT ROW"
        calls = tuple((self.name(), self.plain_aggregate(rel.columns)) for _ in range(self._rng.randint(1, 3)))
        return Over(rel, keys, rel.columns[0], frame, calls)
