"""Joins, and conditions on other relations."""

from __future__ import annotations

from dataclasses import dataclass

from query_nodes import Column, Dialect, Expr, Item, Relation, Writer, names


@dataclass(frozen=True, slots=True)
class Join(Relation):
    """A join by `kind` (INNER, LEFT, RIGHT, FULL); no column of one side is named as one of the other."""

    kind: str
    left: Relation
    right: Relation
    on: Expr
    items: tuple[Item, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(i.name, i.value.type) for i in self.items)

    @property
    def updating(self) -> bool:
        return self.kind != "INNER" or self.left.updating or self.right.updating

    def sql(self, to: Writer) -> str:
        items = ", ".join(i.sql(to.to) for i in self.items)
        left, right = to.source(self.left), to.source(self.right)
        return f"SELECT {items} FROM {left} {self.kind} JOIN {right} ON {self.on.sql(to.to)}"


@dataclass(frozen=True, slots=True)
class WindowJoin(Join):
    """A join of the rows of two windows on their bounds, among others: each window is put out once."""

    @property
    def updating(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Exists(Relation):
    """The rows of `left` for which there is (or is not) a row of `right`."""

    left: Relation
    right: Relation
    on: Expr
    negated: bool

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(c.name, c.type) for c in self.left.columns)

    @property
    def updating(self) -> bool:
        return self.negated or self.left.updating or self.right.updating

    def sql(self, to: Writer) -> str:
        word = "NOT EXISTS" if self.negated else "EXISTS"
        inner = f"SELECT 1 FROM {to.source(self.right)} WHERE {self.on.sql(to.to)}"
        return f"SELECT {names(self.columns)} FROM {to.source(self.left)} WHERE {word} ({inner})"


@dataclass(frozen=True, slots=True)
class In(Relation):
    """The rows of `left` whose value is (or is not) among those of the one column of `right`."""

    left: Relation
    right: Relation
    value: Expr
    negated: bool

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(c.name, c.type) for c in self.left.columns)

    @property
    def updating(self) -> bool:
        return self.negated or self.left.updating or self.right.updating

    def sql(self, to: Writer) -> str:
        word = "NOT IN" if self.negated else "IN"
        inner = f"SELECT {names(self.right.columns)} FROM {to.source(self.right)}"
        return (
            f"SELECT {names(self.columns)} FROM {to.source(self.left)} WHERE {self.value.sql(to.to)} {word} ({inner})"
        )


@dataclass(frozen=True, slots=True)
class IntervalJoin(Relation):
    """A join of two row times that are at most so many milliseconds apart, each way."""

    kind: str
    left: Relation
    right: Relation
    on: Expr
    before: int
    after: int
    items: tuple[Item, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(i.name, i.value.type) for i in self.items)

    @property
    def updating(self) -> bool:
        return False

    def sql(self, to: Writer) -> str:
        if self.left.time is None or self.right.time is None:
            raise ValueError("an interval join needs row times")
        items = ", ".join(i.sql(to.to) for i in self.items)
        mine, theirs = self.left.time.name, self.right.time.name
        low, high = (f"INTERVAL '{x // 1000}' SECOND" for x in (self.before, self.after))
        within = f"{mine} BETWEEN {theirs} - {low} AND {theirs} + {high}"
        left, right = to.source(self.left), to.source(self.right)
        return f"SELECT {items} FROM {left} {self.kind} JOIN {right} ON {self.on.sql(to.to)} AND {within}"


@dataclass(frozen=True, slots=True)
class SetOperation(Relation):
    """UNION, INTERSECT or EXCEPT, of rows or (ALL) of how often they are there."""

    word: str
    left: Relation
    right: Relation

    @property
    def columns(self) -> tuple[Column, ...]:
        keeps_time = self.word == "UNION ALL"
        return tuple(
            Column(c.name, c.type, time=keeps_time and c.time and d.time)
            for c, d in zip(self.left.columns, self.right.columns, strict=True)
        )

    @property
    def updating(self) -> bool:
        return self.word != "UNION ALL" or self.left.updating or self.right.updating

    def sql(self, to: Writer) -> str:
        hidden = ", __wm" if self.time and to.to is Dialect.DUCK else ""
        parts = (f"SELECT {names(r.columns)}{hidden} FROM {to.source(r)}" for r in (self.left, self.right))
        return f" {self.word} ".join(parts)
