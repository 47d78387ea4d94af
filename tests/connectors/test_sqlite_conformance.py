"""SQLite files through the conformance suites."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tailrace.testing.connectors import LookupConformance, SinkConformance, SourceConformance, System

NESTED = ("ARRAY<INT>", "ARRAY<STRING>", "MAP<STRING, INT>", "ROW<a INT, b STRING>")
STORED = {"BYTES": "BLOB", "FLOAT": "REAL", "DOUBLE": "REAL", "BOOLEAN": "INTEGER", "TINYINT": "INTEGER"}
STORED |= {"SMALLINT": "INTEGER", "INT": "INTEGER", "BIGINT": "INTEGER"}

MADE: dict[str, Callable[[Any], Any]] = {"DECIMAL": Decimal, "DATE": date.fromisoformat, "TIME": time.fromisoformat}


class Sqlite(System):
    """A file for each test."""

    connector = "sqlite"
    title = "SQLite"
    timed = 1_000_000
    refused_types = NESTED

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "tables.db"

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        return {"connector": "sqlite", "path": str(self.path), "table-name": table}

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        declared = [f'"{n}" {STORED.get(t, "TEXT")}' for n, t in columns.items()]
        if key:
            declared.append("PRIMARY KEY ({})".format(", ".join(f'"{n}"' for n in key)))
        with closing(sqlite3.connect(self.path)) as database:
            database.execute(f'CREATE TABLE "{table}" ({", ".join(declared)})')

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        marks = ", ".join("?" * len(columns))
        values = [[_stored(row[n], t) for n, t in columns.items()] for row in rows]
        with closing(sqlite3.connect(self.path)) as database, database:
            database.executemany(f'INSERT INTO "{table}" VALUES ({marks})', values)

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        names = ", ".join(f'"{n}"' for n in columns)
        with closing(sqlite3.connect(self.path)) as database:
            rows = database.execute(f'SELECT {names} FROM "{table}"').fetchall()
        return [{n: _value(v, t) for v, (n, t) in zip(row, columns.items(), strict=True)} for row in rows]

    def missing(self, table: str) -> dict[str, str]:
        sqlite3.connect(self.path).close()
        return self.options(table) | {"tailrace.create-table": "false"}

    def version(self) -> str:
        return sqlite3.sqlite_version


def _stored(value: Any, type_: str) -> Any:
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S.%f")[: -3 if "(3)" in type_ else None]
        return text + ("Z" if value.tzinfo else "")
    if isinstance(value, time):
        return value.isoformat(timespec="milliseconds")
    return str(value) if isinstance(value, date | Decimal) else value


def _value(value: Any, type_: str) -> Any:
    if value is None:
        return None
    if type_.startswith("TIMESTAMP"):
        return datetime.fromisoformat(value)
    if type_ == "BOOLEAN":
        return bool(value)
    return MADE[kind](value) if (kind := type_.partition("(")[0]) in MADE else value


class TestSqliteSource(Sqlite, SourceConformance):
    """A table is read to its end."""

    small: ClassVar = {"scan.fetch-size": "100"}

    def missing(self, table: str) -> dict[str, str]:
        sqlite3.connect(self.path).close()
        return self.options(table)

    def read_plainly(self, table: str, count: int) -> None:
        with closing(sqlite3.connect(self.path)) as database:
            assert sum(1 for _ in database.execute(f'SELECT id, name FROM "{table}" LIMIT {count}')) == count

    def put_unreadable(self, table: str) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute(f'INSERT INTO "{table}" VALUES (?, ?)', (b"no number", "bad"))


class TestSqliteSink(Sqlite, SinkConformance):
    """Rows and the number of their epoch are one transaction."""

    guarantee = "exactly-once"
    upserts = True

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as database:
            for row in rows:
                database.execute(f'INSERT INTO "{table}" VALUES (?, ?)', (row["id"], row["name"]))

    def make_refusing(self, table: str) -> dict[str, Any]:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute(f'CREATE TABLE "{table}" (id INTEGER, name TEXT CHECK (length(name) < 100))')
        return {"name": "x" * 200}


class TestSqliteLookup(Sqlite, LookupConformance):
    """Keys are asked for by one query."""

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        super().make(table, columns, key)
        with closing(sqlite3.connect(self.path)) as database:
            database.execute(f'CREATE INDEX "{table}_id" ON "{table}" (id)')

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        with closing(sqlite3.connect(self.path)) as database:
            for i in ids:
                assert database.execute(f'SELECT name FROM "{table}" WHERE id = ?', (i,)).fetchone()

    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        columns = {"id": "BIGINT", "k": "BIGINT", "name": "STRING"}
        self.make(table, columns, ())
        return columns, ()

    def missing(self, table: str) -> dict[str, str]:
        sqlite3.connect(self.path).close()
        return self.options(table)
