"""Queries inside of the expressions of another one."""

from __future__ import annotations

from dataclasses import dataclass

from query_nodes import Aggregate, Column, Dialect, Expr, Relation, Type, Writer, names


@dataclass(frozen=True, slots=True)
class Marked(Relation):
    """
    The rows of `left` with what a comparison of `mine` comes to: with `theirs` in the rows of `right` for which `on` holds.

    Without `on` the query reads nothing around it; then a stream gives no result as long as it has no row, as Flink does.
    `word` is IN, NOT IN, EXISTS, NOT EXISTS, or an operator with SOME or ALL. With `other` it is a condition: that or the other.
    """

    left: Relation
    right: Relation
    on: Expr | None
    mine: Expr
    theirs: Expr
    word: str
    name: str
    other: Expr | None

    @property
    def columns(self) -> tuple[Column, ...]:
        own = tuple(Column(c.name, c.type) for c in self.left.columns)
        return own if self.other else (*own, Column(self.name, Type.BOOLEAN))

    @property
    def updating(self) -> bool:
        return True

    def sql(self, to: Writer) -> str:
        condition = f" WHERE {self.on.sql(to.to)}" if self.on else ""
        inner = f"(SELECT {self.theirs.sql(to.to)} FROM {to.source(self.right)}{condition})"
        compared = f"{'' if self.word.endswith('EXISTS') else self.mine.sql(to.to)} {self.word} {inner}"
        waits = "" if self.on or to.to is Dialect.FLINK else f" WHERE EXISTS {inner}"
        own, source = names(self.left.columns), to.source(self.left)
        if self.other is None:
            return f"SELECT {own}, {compared} AS {self.name} FROM {source}{waits}"
        both = f"({compared} OR {self.other.sql(to.to)})"
        return f"SELECT {own} FROM {source}{waits}{' AND' if waits else ' WHERE'} {both}"


@dataclass(frozen=True, slots=True)
class Valued(Relation):
    """The rows of `left` with an aggregate of the rows of `right` for which `on` holds, without `on` of all, if there are any."""

    left: Relation
    right: Relation
    call: Aggregate
    name: str
    on: Expr | None

    @property
    def columns(self) -> tuple[Column, ...]:
        return (*(Column(c.name, c.type) for c in self.left.columns), Column(self.name, self.call.type))

    @property
    def updating(self) -> bool:
        return True

    def sql(self, to: Writer) -> str:
        own, source = names(self.left.columns), to.source(self.left)
        condition = f" WHERE {self.on.sql(to.to)}" if self.on else ""
        waits = " HAVING COUNT(*) > 0" if not self.on and to.to is Dialect.DUCK else ""
        inner = f"SELECT {self.call.sql(to.to)} FROM {to.source(self.right)}{condition}{waits}"
        return f"SELECT {own}, ({inner}) AS {self.name} FROM {source}"
