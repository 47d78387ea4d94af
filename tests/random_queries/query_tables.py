"""The tables that random queries read: their rows, and how they are declared."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from query_nodes import Base, Column, Type

FIELDS = (
    Column("id", Type.BIGINT, whole=True),
    Column("k", Type.STRING),
    Column("g", Type.INT),
    Column("v", Type.BIGINT),
    Column("d", Type.DOUBLE),
    Column("p", Type.DECIMAL),
    Column("b", Type.BOOLEAN),
    Column("ts", Type.TIME, time=True, whole=True),
)
START = datetime(2026, 1, 1)
MIN_WATERMARK = -(2**62)
_DUCK = {Type.STRING: "VARCHAR", Type.TIME: "TIMESTAMP", Type.INT: "INTEGER"}

RowData = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """
    A table with its rows in order of arrival; `delay` is how far the watermark is behind, in milliseconds.

    A `changing` one gives each row by changes, by a seed: at once, as an update of another one, or after one that comes and goes.
    """

    name: str
    delay: int
    rows: tuple[RowData, ...]
    changing: int | None = None

    @property
    def base(self) -> Base:
        """The table as a relation."""
        return Base(self.name, FIELDS)

    def json(self) -> str:
        """Give its rows, or the changes that lead to them, as lines of JSON."""
        if self.changing is not None:
            return "".join(json.dumps(c, default=_text) + "\n" for c in _changes(self.rows, self.changing))
        return "".join(json.dumps(row, default=_text) + "\n" for row in self.rows)

    def flink(self) -> str:
        """Declare it for Flink."""
        columns = ", ".join(f"{c.name} {c.type.value}" for c in FIELDS)
        delay = f"INTERVAL '{self.delay // 1000}' SECOND"
        form = "json" if self.changing is None else "debezium-json"
        options = f"'connector' = 'filesystem', 'path' = '${{DATA}}/{self.name}.json', 'format' = '{form}'"
        return f"CREATE TABLE {self.name} ({columns}, WATERMARK FOR ts AS ts - {delay}) WITH ({options})"

    def duck(self) -> list[str]:
        """Make and fill it in the oracle, with the watermark before each row."""
        columns = ", ".join(f"{c.name} {_DUCK.get(c.type, c.type.value)}" for c in FIELDS)
        make = f"CREATE OR REPLACE TABLE {self.name} ({columns}, __wm BIGINT)"
        if not self.rows:
            return [make]
        values = [
            f"({', '.join(_literal(row[c.name]) for c in FIELDS)}, {wm})"
            for row, wm in zip(self.rows, self.watermarks(), strict=True)
        ]
        return [make, f"INSERT INTO {self.name} VALUES {', '.join(values)}"]

    def watermarks(self) -> list[int]:
        """Give the watermark before each row, in milliseconds since 1970."""
        out, greatest = [], MIN_WATERMARK
        for row in self.rows:
            out.append(greatest)
            greatest = max(greatest, _milliseconds(row["ts"]) - self.delay)
        return out

    def with_rows(self, rows: tuple[RowData, ...]) -> Table:
        """Give the same table with other rows."""
        return replace(self, rows=rows)


def make_table(rng: random.Random, name: str, *, calm: bool) -> Table:
    """
    Make a table of up to 60 rows.

    `calm` ones have no late rows: their times are out of order by less than the delay of the watermark.
    """
    delay = rng.choice([0, 1000, 2000, 5000]) if not calm else rng.choice([2000, 5000])
    disorder = delay - 1 if calm else rng.choice([0, 1500, 8000])
    count = rng.choice([0, 1, 5, 20, 40, 60])
    step = rng.choice([200, 700, 2000])
    rows = []
    at = 0
    for i in range(count):
        at += rng.choice([0, 1, step, step, 3 * step])
        time = START + timedelta(milliseconds=max(0, at - rng.randint(0, disorder) if disorder else at) + 100_000)
        rows.append(_row(rng, i, time))
    return Table(name, delay, tuple(rows))


def _row(rng: random.Random, number: int, time: datetime) -> RowData:
    def some(value: Any) -> Any:
        return None if rng.random() < 0.15 else value

    return {
        "id": number,
        "k": some(rng.choice(["a", "b", "c", "", "ab"])),
        "g": some(rng.randint(0, 3)),
        "v": some(rng.randint(-20, 20)),
        "d": some(rng.randint(-40, 40) / 4),
        "p": some(Cents(rng.randint(-9999, 9999))),
        "b": some(rng.random() < 0.5),
        "ts": time,
    }


def _changes(rows: tuple[RowData, ...], seed: int) -> Iterator[RowData]:
    """Give changes after which these rows stand, in their order; what comes and goes has the time of the row behind it."""
    rng = random.Random(seed)  # noqa: S311 - test data
    for row in rows:
        other = _row(rng, row["id"], row["ts"])
        match rng.randint(0, 3):
            case 0:
                yield {"before": None, "after": other, "op": "c"}
                yield {"before": other, "after": row, "op": "u"}
            case 1:
                yield {"before": None, "after": other, "op": "c"}
                yield {"before": other, "after": None, "op": "d"}
                yield {"before": None, "after": row, "op": "c"}
            case _:
                yield {"before": None, "after": row, "op": "c"}


@dataclass(frozen=True, slots=True)
class Cents:
    """A decimal of two places."""

    value: int

    def __str__(self) -> str:
        return f"{'-' if self.value < 0 else ''}{abs(self.value) // 100}.{abs(self.value) % 100:02d}"


def _text(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    return str(value)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str | datetime):
        return f"'{value}'"
    return str(value)


def _milliseconds(time: datetime) -> int:
    return (time - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
