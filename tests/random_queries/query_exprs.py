"""Random expressions over the columns of a relation."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from query_nodes import KEYS, NUMBERS, Aggregate, Column, Expr, Type, null, same

SPREADS = ("STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP")
FUNCTIONS = (*["COUNT", "SUM", "AVG", "MIN", "MAX"] * 4, "COUNT", "COUNT", "SUM", *SPREADS)
"""The aggregate functions that are called; the frequent ones more than once."""
PASSED = (Type.TIME, Type.REAL, Type.WIDE)
"""Types that are only handed on: nothing is computed from them."""


class ExprMaker:
    """Makes expressions; `depth` is how deep they may go."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def scalar(self, columns: Sequence[Column], kind: Type | None = None, depth: int = 2) -> Expr:
        """Make an expression, of this type if one is asked for."""
        if kind is None:
            kind = self._rng.choice([c.type for c in columns])
        leaves = [c.expr for c in columns if c.type is kind]
        if kind in PASSED:
            return self._rng.choice(leaves)
        if depth <= 0 or self._rng.random() < 0.4:
            return self._rng.choice(leaves) if leaves and self._rng.random() < 0.85 else self._literal(kind)
        return self._rng.choice(self._forms(kind))(columns, depth - 1)

    def predicate(self, columns: Sequence[Column], depth: int = 2) -> Expr:
        """Make a condition."""
        usable = [c for c in columns if c.type not in PASSED]
        roll = self._rng.random()
        if depth > 0 and roll < 0.3:
            parts = [self.predicate(usable, depth - 1) for _ in range(2)]
            return same(Type.BOOLEAN, self._rng.choice(["({0} AND {1})", "({0} OR {1})"]), *parts)
        if depth > 0 and roll < 0.4:
            return same(Type.BOOLEAN, "(NOT {0})", self.predicate(usable, depth - 1))
        if roll < 0.55:
            template = self._rng.choice(["({0} IS NULL)", "({0} IS NOT NULL)"])
            return same(Type.BOOLEAN, template, self.scalar(usable, self._some_type(usable), depth - 1))
        return self._comparison(usable, depth)

    def aggregate(self, columns: Sequence[Column]) -> Aggregate:
        """Make a call of an aggregate function."""
        condition = self.predicate(columns, 1) if self._rng.random() < 0.25 else None
        function = self._rng.choice(FUNCTIONS)
        if function == "COUNT" and self._rng.random() < 0.6:
            return Aggregate("COUNT", None, condition=condition)
        if function in SPREADS:
            return self._spread(function, [c.expr for c in columns if c.type is Type.DOUBLE], condition)
        kinds = NUMBERS if function in ("SUM", "AVG") else (*KEYS, Type.DOUBLE)
        distinct = function in ("COUNT", "SUM") and self._rng.random() < 0.25
        return Aggregate(function, self._argument(columns, kinds), distinct, condition)

    @staticmethod
    def _spread(function: str, columns: list[Expr], condition: Expr | None) -> Aggregate:
        """Call a variance of a column; Flink has -1 for the sample of one constant."""
        return (
            Aggregate(function, columns[0], condition=condition) if columns else Aggregate("COUNT", condition=condition)
        )

    def _argument(self, columns: Sequence[Column], kinds: Sequence[Type]) -> Expr:
        there = [c.type for c in columns if c.type in kinds]
        return self.scalar(columns, self._rng.choice(there or list(kinds)), 1)

    def _some_type(self, columns: Sequence[Column]) -> Type:
        return self._rng.choice([c.type for c in columns] or [Type.BIGINT])

    def _comparison(self, columns: Sequence[Column], depth: int) -> Expr:
        kind = self._some_type(columns)
        if kind is Type.BOOLEAN:
            template = self._rng.choice(["{0}", "({0} IS TRUE)", "({0} IS NOT FALSE)", "({0} IS UNKNOWN)"])
            duck = template.replace("IS UNKNOWN", "IS NULL")
            return Expr(kind, template, duck, (self.scalar(columns, kind, 0),))
        left = self.scalar(columns, kind, depth - 1)
        roll = self._rng.random()
        if roll < 0.15:
            return same(Type.BOOLEAN, "({0} BETWEEN {1} AND {2})", left, *(self._literal(kind) for _ in range(2)))
        if roll < 0.3:
            template = self._rng.choice(["({0} IN ({1}, {2}))", "({0} NOT IN ({1}, {2}))"])
            return same(Type.BOOLEAN, template, left, *(self._literal(kind) for _ in range(2)))
        if roll < 0.4 and kind is Type.STRING:
            pattern = self._rng.choice(["a%", "%b", "_", "%"])
            return same(Type.BOOLEAN, f"({{0}} LIKE '{pattern}')", left)
        operator = self._rng.choice(["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
        right = self.scalar(columns, kind, depth - 1)
        # Flink takes WHERE p >= p OR … for true where p is NULL
        right = self._literal(kind) if right == left else right
        return same(Type.BOOLEAN, f"({{0}} {operator} {{1}})", left, right)

    def _literal(self, kind: Type) -> Expr:
        value = self._rng.randint(-5, 5)
        texts = {
            Type.INT: str(value) if value >= 0 else f"({value})",
            Type.BIGINT: f"CAST({value} AS BIGINT)",
            Type.DOUBLE: f"CAST({value / 4} AS DOUBLE)",
            Type.DECIMAL: f"CAST({value}.25 AS DECIMAL(10, 2))",
            Type.STRING: f"CAST('{self._rng.choice(['a', 'b', 'x y', ''])}' AS {{}})",
            Type.BOOLEAN: self._rng.choice(["TRUE", "FALSE"]),
        }
        text = texts[kind]
        if self._rng.random() < 0.1:
            return null(kind)
        return Expr(kind, text.format("STRING"), text.format("VARCHAR"))

    def _forms(self, kind: Type) -> list[Callable[[Sequence[Column], int], Expr]]:
        def fixed(template: str, *kinds: Type, duck: str = "") -> Callable[[Sequence[Column], int], Expr]:
            return lambda columns, depth: Expr(
                kind, template, duck or template, tuple(self.scalar(columns, k, depth) for k in kinds)
            )

        def case(columns: Sequence[Column], depth: int) -> Expr:
            parts = self.predicate(columns, depth), self.scalar(columns, kind, depth), self.scalar(columns, kind, depth)
            return same(
                kind, self._rng.choice(["CASE WHEN {0} THEN {1} ELSE {2} END", "CASE WHEN {0} THEN {1} END"]), *parts
            )

        common = [case, fixed("COALESCE({0}, {1})", kind, kind), fixed("NULLIF({0}, {1})", kind, kind)]
        divisor = self._rng.choice([2, 3, -7])
        if kind in (Type.INT, Type.BIGINT):
            ways = [
                fixed("({0} + {1})", kind, kind),
                fixed("({0} - {1})", kind, kind),
                fixed(f"({{0}} * {divisor})", kind),
                fixed(f"({{0}} / {divisor})", kind, duck=f"({{0}} // {divisor})"),
                fixed(f"MOD({{0}}, {abs(divisor)})", kind),
                fixed("ABS({0})", kind),
            ]
            if kind is Type.INT:
                ways.append(fixed("CHAR_LENGTH({0})", Type.STRING, duck="CAST(LENGTH({0}) AS INT)"))
            # MOD of a BIGINT by an INT is an INT in Flink
            ways = ways if kind is Type.INT else [w for i, w in enumerate(ways) if i != 4]
            return [*common, *ways]
        if kind is Type.DOUBLE:
            return [*common, fixed("({0} + {1})", kind, kind), fixed("(-{0})", kind), fixed("FLOOR({0})", kind)]
        if kind is Type.DECIMAL:
            return [*common, fixed("CAST({0} - {1} AS DECIMAL(10, 2))", kind, kind), fixed("ABS({0})", kind)]
        if kind is Type.STRING:
            return [
                *common,
                fixed("({0} || {1})", kind, kind),
                fixed("UPPER({0})", kind),
                fixed("SUBSTRING({0}, 1, 1)", kind),
                fixed("CAST({0} AS STRING)", Type.BIGINT, duck="CAST({0} AS VARCHAR)"),
            ]
        return [*common, self.predicate]
