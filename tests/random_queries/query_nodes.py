"""
Queries as trees that can be written twice: in Flink's SQL for Tailrace, and in DuckDB's for the oracle.

Where the two languages mean different things by the same words, the trees write different words. These are the places:

| Flink                              | DuckDB                                                        |
| ---------------------------------- | ------------------------------------------------------------- |
| `/` of integers cuts               | `//`                                                          |
| AVG of integers cuts               | SUM // COUNT                                                  |
| AVG of DECIMAL rounds to 6 places  | the same by whole numbers                                     |
| SUM keeps the integer type         | a cast                                                        |
| no keys and no rows: no row        | HAVING COUNT(*) > 0                                           |
| windows as table functions         | their bounds by plain arithmetic on milliseconds              |
| late rows                          | the watermark before each row in a hidden column `__wm`       |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class Dialect(Enum):
    """Which language a tree is written in."""

    FLINK = "flink"
    DUCK = "duck"


class Type(Enum):
    """The types of columns, named as Flink names them; REAL is a DOUBLE that is rounded, so that nothing may depend on it."""

    INT = "INT"
    BIGINT = "BIGINT"
    DOUBLE = "DOUBLE"
    DECIMAL = "DECIMAL(10, 2)"
    WIDE = "DECIMAL(38, 6)"
    STRING = "STRING"
    BOOLEAN = "BOOLEAN"
    TIME = "TIMESTAMP(3)"
    REAL = "REAL"


NUMBERS = (Type.INT, Type.BIGINT, Type.DOUBLE, Type.DECIMAL)
KEYS = (Type.INT, Type.BIGINT, Type.STRING, Type.BOOLEAN, Type.DECIMAL)
"""Types that rows are grouped and joined by."""


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression: a template for each language, with `{0}` and so on for its parts."""

    type: Type
    flink: str
    duck: str
    parts: tuple[Expr, ...] = ()

    def sql(self, to: Dialect) -> str:
        """Write it."""
        template = self.flink if to is Dialect.FLINK else self.duck
        return template.format(*(p.sql(to) for p in self.parts)) if self.parts else template


def same(kind: Type, template: str, *parts: Expr) -> Expr:
    """Give an expression that both languages write alike."""
    return Expr(kind, template, template, parts)


def null(kind: Type) -> Expr:
    """Give NULL of a type."""
    flink = "DOUBLE" if kind is Type.REAL else kind.value
    duck = {Type.STRING: "VARCHAR", Type.TIME: "TIMESTAMP"}.get(kind, flink)
    return Expr(kind, f"CAST(NULL AS {flink})", f"CAST(NULL AS {duck})")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a relation; `time` marks its row time, `whole` that it has no NULL."""

    name: str
    type: Type
    time: bool = False
    whole: bool = False

    @property
    def expr(self) -> Expr:
        """A reference to it."""
        return same(self.type, self.name)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A call of an aggregate function; without an argument it is COUNT(*)."""

    function: str
    argument: Expr | None = None
    distinct: bool = False
    condition: Expr | None = None

    @property
    def type(self) -> Type:
        """The type of its result."""
        if self.argument is None or self.function == "COUNT":
            return Type.BIGINT
        if self.function.startswith(("STDDEV", "VAR")):
            return Type.REAL
        kind = self.argument.type
        if self.function == "AVG":
            return {Type.DOUBLE: Type.REAL, Type.DECIMAL: Type.WIDE}.get(kind, kind)
        return Type.WIDE if self.function == "SUM" and kind is Type.DECIMAL else kind

    def sql(self, to: Dialect) -> str:
        """Write it."""
        if to is Dialect.FLINK or self.function not in ("AVG", "SUM"):
            return self.call(self.function, to)
        return self._sum() if self.function == "SUM" else self._average()

    def call(self, function: str, to: Dialect, template: str = "{}") -> str:
        """Write a call of a function on the same rows; `template` is put around the argument."""
        argument = template.format(self.argument.sql(to)) if self.argument else "*"
        where = f" FILTER (WHERE {self.condition.sql(to)})" if self.condition else ""
        return f"{function}({'DISTINCT ' if self.distinct else ''}{argument}){where}"

    def _sum(self) -> str:
        assert self.argument is not None
        call = self.call("SUM", Dialect.DUCK)
        return f"CAST({call} AS {self.type.value})" if self.argument.type in (Type.INT, Type.BIGINT) else call

    def _average(self) -> str:
        assert self.argument is not None
        count = self.call("COUNT", Dialect.DUCK)
        if self.argument.type in (Type.INT, Type.BIGINT):
            return f"CAST({self.call('SUM', Dialect.DUCK)} // {count} AS {self.type.value})"
        if self.argument.type is Type.DOUBLE:
            return self.call("AVG", Dialect.DUCK)
        cents = self.call("SUM", Dialect.DUCK, "CAST({} * 100 AS BIGINT)")
        micros = f"SIGN({cents}) * ((ABS({cents}) * 20000 + {count}) // (2 * {count}))"
        return f"CAST(CAST({micros} AS DECIMAL(30, 0)) * 0.000001::DECIMAL(7, 6) AS DECIMAL(38, 6))"


@dataclass(slots=True)
class Writer:
    """Writes one query; `views` are the statements that must come before it."""

    to: Dialect
    views: list[str] = field(default_factory=list)
    aliases: int = 0

    def source(self, rel: Relation) -> str:
        """Write a relation as it stands in FROM."""
        if isinstance(rel, Base):
            return rel.name
        self.aliases += 1
        alias = f"q{self.aliases}"
        return f"({rel.sql(self)}) AS {alias}"

    def table(self, rel: Relation) -> str:
        """Give the name of a table or view that is this relation."""
        if isinstance(rel, Base):
            return rel.name
        text = rel.sql(self)
        name = f"view{len(self.views) + 1}"
        self.views.append(f"CREATE TEMPORARY VIEW {name} AS {text}")
        return name


@dataclass(frozen=True, slots=True)
class Relation:
    """A query over its inputs; each gives the columns that it has, and how it is written."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""
        raise NotImplementedError

    @property
    def updating(self) -> bool:
        """Tell whether its rows are taken back."""
        raise NotImplementedError

    def sql(self, to: Writer) -> str:
        """Write it as a SELECT."""
        raise NotImplementedError

    @property
    def time(self) -> Column | None:
        """Its row time."""
        return next((c for c in self.columns if c.time), None)


@dataclass(frozen=True, slots=True)
class Base(Relation):
    """A table."""

    name: str
    fields: tuple[Column, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.fields

    @property
    def updating(self) -> bool:
        return False

    def sql(self, to: Writer) -> str:
        return f"SELECT {', '.join(c.name for c in self.fields)}{hidden(self, to)} FROM {self.name}"


@dataclass(frozen=True, slots=True)
class Item:
    """A named expression or aggregate of a SELECT."""

    name: str
    value: Expr | Aggregate

    def sql(self, to: Dialect) -> str:
        """Write it."""
        return f"{self.value.sql(to)} AS {self.name}"


@dataclass(frozen=True, slots=True)
class Select(Relation):
    """SELECT of expressions with WHERE."""

    input: Relation
    items: tuple[Item, ...]
    where: Expr | None = None
    distinct: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        given = {c.name: c for c in self.input.columns}
        kept = [(i.name, given.get(i.value.sql(Dialect.FLINK)), i.value.type) for i in self.items]
        return tuple(
            Column(n, kind, time=bool(c and c.time and not self.distinct), whole=bool(c and c.whole))
            for n, c, kind in kept
        )

    @property
    def updating(self) -> bool:
        return self.distinct or self.input.updating

    def sql(self, to: Writer) -> str:
        word = "SELECT DISTINCT" if self.distinct else "SELECT"
        items = ", ".join(i.sql(to.to) for i in self.items)
        source = to.source(self.input)
        return f"{word} {items}{hidden(self, to)} FROM {source}{where(self.where, to)}"


@dataclass(frozen=True, slots=True)
class Group(Relation):
    """GROUP BY without a window."""

    input: Relation
    keys: tuple[Item, ...]
    aggregates: tuple[Item, ...]
    having: Expr | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(i.name, i.value.type) for i in (*self.keys, *self.aggregates))

    @property
    def updating(self) -> bool:
        return True

    def sql(self, to: Writer) -> str:
        items = ", ".join(i.sql(to.to) for i in (*self.keys, *self.aggregates))
        by = ", ".join(k.value.sql(to.to) for k in self.keys)
        conditions = [self.having.sql(to.to)] if self.having else []
        if not self.keys and to.to is Dialect.DUCK:
            conditions.append("COUNT(*) > 0")
        having = f" HAVING {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {items} FROM {to.source(self.input)}{f' GROUP BY {by}' if by else ''}{having}"


def where(condition: Expr | None, to: Writer) -> str:
    """Write a WHERE clause, if there is a condition."""
    return f" WHERE {condition.sql(to.to)}" if condition else ""


def hidden(rel: Relation, to: Writer, value: str = "__wm") -> str:
    """Write the hidden column of the watermark, where a relation has a row time."""
    return f", {value} AS __wm" if to.to is Dialect.DUCK and rel.time else ""


def names(columns: Sequence[Column]) -> str:
    """Write the names of columns."""
    return ", ".join(c.name for c in columns)
