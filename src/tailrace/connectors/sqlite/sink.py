"""
The sink of SQLite tables.

Rows wait in memory, and from a bound on in a file, until their epoch is committed; so the database is locked only while
it takes them. Rows and the number of their epoch are one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tailrace.connectors.base import Report, TransactionalSink
from tailrace.connectors.bulk import refuse_changes, split_kinds
from tailrace.connectors.epoch_rows import EpochRows
from tailrace.connectors.refusing import accepted
from tailrace.connectors.sqlite.database import columns_of, connect, reported
from tailrace.connectors.sqlite.types import NAN, quote, storage, written
from tailrace.errors import ConfigError, DataError, TailraceError, did_you_mean
from tailrace.schema import FLOATS, Schema

MARKS = "_tailrace_epochs"
_MARKS_DDL = (
    f"CREATE TABLE IF NOT EXISTS {MARKS} (job TEXT NOT NULL, sink TEXT NOT NULL, epoch INTEGER NOT NULL, "
    "PRIMARY KEY (job, sink)) WITHOUT ROWID"
)
_CHUNK = 50_000
"""So many rows become Python values at a time."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go, and who writes them."""

    path: Path
    table: str
    schema: Schema
    key: tuple[str, ...]
    create: bool
    buffer_bytes: int
    busy_seconds: float
    job: str
    sink: str
    folder: Path


class SqliteSink(TransactionalSink):
    """Inserts rows; with a primary key it updates and deletes by it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: sqlite3.Connection | None = None
        self._rows = EpochRows(target.folder, target.buffer_bytes)

    def open(self) -> int:
        t = self._target
        self.close()  # what an open that failed has left
        self._connection = connect(t.path, t.busy_seconds, writing=True)
        with reported(t.path):
            self._connection.execute(_MARKS_DDL)
            if t.create:
                self._connection.execute(create_table(t))
            check_columns(columns_of(self._connection, t.table), t)
            mark = self._connection.execute(
                f"SELECT epoch FROM {MARKS} WHERE job = ? AND sink = ?",  # noqa: S608  a constant
                (t.job, t.sink),
            ).fetchone()
        return int(mark[0]) if mark else 0

    def write(self, batch: pl.DataFrame) -> None:
        if not self._target.key:
            refuse_changes(batch, self._target.table)
        self._rows.add(batch)

    def prepare(self, epoch: int) -> None:
        if self.refusals.tolerates:
            self._rows.replace(self.sift(self._rows.batches()))

    def sift(self, batches: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
        """Try the rows in a transaction that is taken back; those that the database refuses are found by halves."""
        assert self._connection is not None
        connection = self._connection
        with reported(self._target.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                return [accepted(batch, self._try, self.refusals, "constraint") for batch in batches]
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _try(self, rows: pl.DataFrame) -> None:
        """
        Write some rows, all or none.

        Raises:
            DataError: the database refuses one of them.
        """
        connection = self._connection
        assert connection is not None
        connection.execute("SAVEPOINT rows")
        try:
            self._apply(connection, rows)
        except (sqlite3.IntegrityError, sqlite3.DataError) as error:
            connection.execute("ROLLBACK TO rows")
            raise DataError(f"SQLite file '{self._target.path}' refuses a row: {error}") from None
        finally:
            connection.execute("RELEASE rows")

    def commit(self, epoch: int) -> None:
        assert self._connection is not None
        t = self._target
        with reported(t.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for batch in self._rows.batches():
                    self._apply(self._connection, batch)
                self._connection.execute(
                    f"INSERT INTO {MARKS} VALUES (?, ?, ?) "  # noqa: S608  a constant
                    "ON CONFLICT DO UPDATE SET epoch = excluded.epoch",
                    (t.job, t.sink, epoch),
                )
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        self._rows.clear()

    def _apply(self, connection: sqlite3.Connection, batch: pl.DataFrame) -> None:
        if not self._target.key:
            self._run(connection, insert(self._target), batch, self._target.schema)
            return
        # of several rows of one key only the last counts; a key that an update leaves is deleted
        last = batch.unique(subset=list(self._target.key), keep="last", maintain_order=True)
        put, gone = split_kinds(last)
        self._run(connection, delete(self._target), gone, self._target.schema.select(self._target.key))
        self._run(connection, insert(self._target), put, self._target.schema)

    @staticmethod
    def _run(connection: sqlite3.Connection, statement: str, batch: pl.DataFrame, schema: Schema) -> None:
        values = batch.select([written(f) for f in schema])
        floats = [f.name for f in schema if f.type.kind in FLOATS and bool(values[f.name].is_nan().any())]
        for start in range(0, len(values), _CHUNK):
            connection.executemany(statement, _tuples(values.slice(start, _CHUNK), floats))

    def check(self) -> Report:
        t = self._target
        if not t.path.exists():
            parent = t.path.absolute().parent
            if not parent.is_dir():
                return Report(False, f"folder '{parent}' does not exist; create it")
            return Report(True, f"file '{t.path}' will be created")
        try:
            connection = connect(t.path, min(5.0, t.busy_seconds), writing=False)
            try:
                with reported(t.path):
                    found = columns_of(connection, t.table)
            finally:
                connection.close()
            if not found and t.create:
                return Report(True, f"table '{t.table}' will be created in '{t.path}'")
            check_columns(found, t)
        except TailraceError as error:
            return Report.failed(error)
        return Report(True, f"table '{t.table}' of '{t.path}'")

    def close(self) -> None:
        self._rows.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _tuples(values: pl.DataFrame, with_nan: list[str]) -> list[tuple[object, ...]]:
    """Give rows as SQLite takes them; it would store NaN as NULL."""
    if not with_nan:
        return values.rows()
    columns = [
        [NAN if v is not None and v != v else v for v in s.to_list()]  # noqa: PLR0124  only NaN differs from itself
        if s.name in with_nan
        else s.to_list()
        for s in values.get_columns()
    ]
    return list(zip(*columns, strict=True))


def create_table(target: Target) -> str:
    """Give the statement that creates the table if it is missing."""
    columns = [f"{quote(f.name)} {storage(f.type)}{'' if f.type.nullable else ' NOT NULL'}" for f in target.schema]
    if target.key:
        columns.append(f"PRIMARY KEY ({', '.join(map(quote, target.key))})")
    return f"CREATE TABLE IF NOT EXISTS {quote(target.table)} ({', '.join(columns)})"


def insert(target: Target) -> str:
    """Give the statement that inserts a row, or with a key updates the one that is there."""
    names = [quote(n) for n in target.schema.names]
    text = f"INSERT INTO {quote(target.table)} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608  quoted
    if not target.key:
        return text
    others = [quote(n) for n in target.schema.names if n not in target.key]
    change = f"UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in others)}" if others else "NOTHING"
    return f"{text} ON CONFLICT ({', '.join(map(quote, target.key))}) DO {change}"


def delete(target: Target) -> str:
    """Give the statement that deletes a row by its key."""
    return f"DELETE FROM {quote(target.table)} WHERE " + " AND ".join(f"{quote(n)} IS ?" for n in target.key)  # noqa: S608  quoted


def check_columns(found: dict[str, str], target: Target) -> None:
    """
    Check that the table in the file has the columns that are written.

    Raises:
        ConfigError: it is not there, or a column is missing.
    """
    if not found:
        hint = "create it, or set 'tailrace.create-table' = 'true'"
        raise ConfigError(f"SQLite file '{target.path}' has no table '{target.table}'", hint=hint)
    by_fold = {name.lower() for name in found}
    for name in target.schema.names:
        if name.lower() not in by_fold:
            hint = did_you_mean(name, found) or f"it has: {', '.join(found)}"
            raise ConfigError(f"table '{target.table}' of '{target.path}' has no column '{name}'", hint=hint)
