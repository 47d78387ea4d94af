"""Rankings, deduplication, and aggregates over rows before a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from query_nodes import Aggregate, Column, Dialect, Item, Relation, Type, Writer, hidden, names


@dataclass(frozen=True, slots=True)
class Order:
    """An ORDER BY: columns, and whether each goes down. NULL is the least, as in Flink."""

    columns: tuple[tuple[Column, bool], ...]

    def sql(self, to: Dialect) -> str:
        """Write what stands after ORDER BY."""
        return ", ".join(_ordered(c.name, down, to) for c, down in self.columns)


def _ordered(name: str, down: bool, to: Dialect) -> str:
    nulls = "" if to is Dialect.FLINK else f" NULLS {'LAST' if down else 'FIRST'}"
    return f"{name} {'DESC' if down else 'ASC'}{nulls}"


def _by(keys: Sequence[Column]) -> str:
    return f"PARTITION BY {names(keys)} " if keys else ""


@dataclass(frozen=True, slots=True)
class Top(Relation):
    """The first rows of each key by ROW_NUMBER; the order must leave no ties. `ranked` puts the number out."""

    input: Relation
    keys: tuple[Column, ...]
    order: Order
    count: int
    ranked: str

    @property
    def columns(self) -> tuple[Column, ...]:
        columns = tuple(Column(c.name, c.type) for c in self.input.columns)
        return (*columns, Column(self.ranked, Type.BIGINT)) if self.ranked else columns

    @property
    def updating(self) -> bool:
        return True

    def sql(self, to: Writer) -> str:
        number = f"ROW_NUMBER() OVER ({_by(self.keys)}ORDER BY {self.order.sql(to.to)})"
        inner = f"SELECT {names(self.input.columns)}, {number} AS rn FROM {to.source(self.input)}"
        ranked = f", rn AS {self.ranked}" if self.ranked else ""
        to.aliases += 1
        return f"SELECT {names(self.input.columns)}{ranked} FROM ({inner}) AS q{to.aliases} WHERE rn <= {self.count}"


@dataclass(frozen=True, slots=True)
class WindowTop(Top):
    """The first rows of each window: its bounds are among the keys, and it is put out once."""

    @property
    def updating(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class First(Relation):
    """Deduplication: the first or last row of each key by row time; of rows at one time the first or last to arrive."""

    input: Relation
    keys: tuple[Column, ...]
    arrival: Column
    last: bool

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(c.name, c.type) for c in self.input.columns)

    @property
    def updating(self) -> bool:
        return True

    def sql(self, to: Writer) -> str:
        if self.input.time is None:
            raise ValueError("deduplication needs a row time")
        way = "DESC" if self.last else "ASC"
        ties = f", {self.arrival.name} {way}" if to.to is Dialect.DUCK else ""
        number = f"ROW_NUMBER() OVER ({_by(self.keys)}ORDER BY {self.input.time.name} {way}{ties})"
        inner = f"SELECT {names(self.input.columns)}, {number} AS rn FROM {to.source(self.input)}"
        to.aliases += 1
        return f"SELECT {names(self.input.columns)} FROM ({inner}) AS q{to.aliases} WHERE rn = 1"


@dataclass(frozen=True, slots=True)
class Ordered(Relation):
    """ORDER BY … LIMIT; the order must leave no ties."""

    input: Relation
    order: Order
    count: int

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(c.name, c.type) for c in self.input.columns)

    @property
    def updating(self) -> bool:
        return True

    def sql(self, to: Writer) -> str:
        source = to.source(self.input)
        return f"SELECT {names(self.columns)} FROM {source} ORDER BY {self.order.sql(to.to)} LIMIT {self.count}"


@dataclass(frozen=True, slots=True)
class Over(Relation):
    """Aggregates over the rows of a key up to each row. `frame` begins with ROWS or RANGE."""

    input: Relation
    keys: tuple[Column, ...]
    arrival: Column
    frame: str
    calls: tuple[tuple[str, Aggregate], ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        return (*self.input.columns, *(Column(name, call.type) for name, call in self.calls))

    @property
    def updating(self) -> bool:
        return False

    def sql(self, to: Writer) -> str:
        if self.input.time is None:
            raise ValueError("OVER needs a row time")
        # rows at one time count in the order of their arrival
        ties = f", {self.arrival.name}" if to.to is Dialect.DUCK and self.frame.startswith("ROWS") else ""
        over = f"({_by(self.keys)}ORDER BY {self.input.time.name}{ties} {self.frame})"
        calls = ", ".join(f"{_over(call, over, to.to)} AS {name}" for name, call in self.calls)
        return f"SELECT {names(self.input.columns)}, {calls}{hidden(self, to)} FROM {to.source(self.input)}"


def _over(call: Aggregate, over: str, to: Dialect) -> str:
    """Write a call over a frame; an average is two calls in the oracle."""
    if to is Dialect.FLINK or call.function not in ("AVG", "SUM"):
        return f"{call.sql(to)} OVER {over}"
    total = f"{Aggregate('SUM', call.argument).call('SUM', to)} OVER {over}"
    if call.function == "AVG":
        count = f"{Aggregate('COUNT', call.argument).call('COUNT', to)} OVER {over}"
        total = f"({total}) {'/' if call.type is Type.REAL else '//'} ({count})"
    return total if call.type in (Type.REAL, Type.WIDE, Type.DOUBLE) else f"CAST({total} AS {call.type.value})"


@dataclass(frozen=True, slots=True)
class GroupingSets(Relation):
    """GROUP BY GROUPING SETS, ROLLUP or CUBE; each key may be NULL in the result."""

    input: Relation
    word: str
    keys: tuple[Column, ...]
    sets: tuple[tuple[Column, ...], ...]
    aggregates: tuple[Item, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(
            Column(c.name, c.type) for c in (*self.keys, *(Column(i.name, i.value.type) for i in self.aggregates))
        )

    @property
    def updating(self) -> bool:
        return True

    def sql(self, to: Writer) -> str:
        calls = ", ".join(i.sql(to.to) for i in self.aggregates)
        sets = ", ".join(f"({names(s)})" for s in self.sets) if self.word == "GROUPING SETS" else names(self.keys)
        having = " HAVING COUNT(*) > 0" if to.to is Dialect.DUCK else ""
        source = to.source(self.input)
        return f"SELECT {names(self.keys)}, {calls} FROM {source} GROUP BY {self.word} ({sets}){having}"
