"""The source of SQLite tables: what is there when it opens, in the order of the rows' ids, then it ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Positions, Reader, Report, Source
from tailrace.connectors.sqlite.database import columns_of, connect, reported, tables_of
from tailrace.connectors.sqlite.types import is_nan, misfit, quote, raw_type, read, selected
from tailrace.errors import ConfigError, Location, TailraceError, did_you_mean
from tailrace.formats.base import Reject
from tailrace.schema import FLOATS, Field, Schema


@dataclass(frozen=True, slots=True)
class Origin:
    """What is read."""

    path: Path
    table: str
    schema: Schema
    fetch_size: int
    busy_seconds: float
    location: Location | None = None

    def connect(self, busy_seconds: float) -> sqlite3.Connection:
        """
        Open the file to read.

        Raises:
            ConfigError: it is not there.
            TransientError, TerminalError: it can't be opened.
        """
        if not self.path.exists():
            hint = "mend the option 'path', or run first what writes the file"
            raise ConfigError(f"SQLite file '{self.path}' does not exist", hint=hint, location=self.location)
        return connect(self.path, busy_seconds, writing=False)


class SqliteSource(Source):
    """Reads one snapshot of a table or view; a position is the id of the last row."""

    bounded = True

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def open(self, positions: Positions) -> SqliteReader:
        return SqliteReader(self._origin, positions)

    def check(self) -> Report:
        o = self._origin
        try:
            connection = o.connect(min(5.0, o.busy_seconds))
            try:
                with reported(o.path):
                    refuse_other_columns(connection, o)
            finally:
                connection.close()
        except TailraceError as error:
            return Report.failed(error)
        return Report(True, f"table '{o.table}' of '{o.path}'")


def refuse_other_columns(connection: sqlite3.Connection, origin: Origin) -> None:
    """
    Make sure that the table is there, with the columns that are asked for.

    Raises:
        ConfigError: it is not.
    """
    found = columns_of(connection, origin.table)
    if not found:
        tables = tables_of(connection)
        hint = did_you_mean(origin.table, tables) or f"it has: {', '.join(tables) or 'no tables'}"
        raise ConfigError(f"SQLite file '{origin.path}' has no table '{origin.table}'", hint=hint)
    by_fold = {name.lower() for name in found}
    for name in origin.schema.names:
        if name.lower() not in by_fold:
            hint = did_you_mean(name, found) or f"it has: {', '.join(found)}"
            raise ConfigError(f"table '{origin.table}' of '{origin.path}' has no column '{name}'", hint=hint)


class SqliteReader(Reader):
    """Reads in chunks within one read transaction, so that writers change nothing in between."""

    def __init__(self, origin: Origin, positions: Positions) -> None:
        self._origin = origin
        self._last = int(positions[origin.table]) if origin.table in positions else None
        self._announced = self._ended = False
        self._connection = origin.connect(origin.busy_seconds)
        try:
            with reported(origin.path):
                refuse_other_columns(self._connection, origin)
                self._connection.execute("BEGIN")
                self._rows = self._connection.execute(*self._query())
        except BaseException:
            self._connection.close()
            raise

    def _query(self) -> tuple[str, tuple[int, ...]]:
        o = self._origin
        after, values = ("", ()) if self._last is None else (" WHERE rowid > ?", (self._last,))
        return f"SELECT rowid, {columns_read(o.schema)} FROM {quote(o.table)}{after} ORDER BY rowid", values  # noqa: S608  quoted

    def poll(self, limit: Limit) -> list[Block]:
        if self._ended or not self._announced:
            return []
        with reported(self._origin.path):
            rows = self._rows.fetchmany(min(limit.rows, self._origin.fetch_size))
        if not rows:
            self._ended = True
            return []
        return [self._block(list(zip(*rows, strict=True)))]

    def _block(self, columns: list[tuple[object, ...]]) -> Block:
        ids = np.array(columns[0], dtype=np.int64)
        values, rejects = rows_read(self._origin.schema, columns[1:])
        if not values.width:
            values = pl.DataFrame(height=len(ids))
        self._last = int(ids[-1])
        return Block(self._origin.table, values, self._last, ids, rejects=rejects)

    def changes(self) -> list[Change]:
        if not self._announced:
            self._announced = True
            return [Assigned(self._origin.table)]
        if self._ended and self._connection.in_transaction:
            self._connection.execute("COMMIT")
            return [Ended(self._origin.table)]
        return []

    def close(self) -> None:
        self._connection.close()


def columns_read(schema: Schema) -> str:
    """Give the SQL of what `rows_read` needs of a row."""
    return ", ".join([misfit(schema), *map(selected, schema), *(is_nan(f) for f in schema if f.type.kind in FLOATS)])


def rows_read(schema: Schema, columns: Sequence[tuple[object, ...]]) -> tuple[pl.DataFrame, tuple[Reject, ...]]:
    """Give rows that were read by `columns_read`, and those of them with a value that is not of its column's type."""
    wrong = np.array(columns[0], dtype=np.int64)
    values = zip(schema, columns[1:], strict=False)
    raw = pl.DataFrame([pl.Series(f.name, c, dtype=raw_type(f.type)) for f, c in values])
    raw = _with_nan(raw, [f for f in schema if f.type.kind in FLOATS], columns[1 + len(schema) :])
    frame = raw.select([read(f).alias(f.name) for f in schema])
    return frame, _rejects(schema, raw, frame, wrong)


def _with_nan(raw: pl.DataFrame, floats: Sequence[Field], marks: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    for field, column in zip(floats, marks, strict=True):
        if 1 in column:
            at = pl.Series(np.array(column, dtype=np.bool_))
            raw = raw.with_columns(pl.when(at).then(float("nan")).otherwise(pl.col(field.name)).alias(field.name))
    return raw


def _rejects(schema: Schema, raw: pl.DataFrame, values: pl.DataFrame, wrong: np.ndarray) -> tuple[Reject, ...]:
    fields = list(schema)
    found = {int(i): _reject(int(i), fields[wrong[i]]) for i in np.flatnonzero(wrong >= 0)}
    for field in fields:
        lost = (values[field.name].is_null() & raw[field.name].is_not_null()).arg_true()
        found |= {i: _reject(i, field) for i in lost.to_list() if i not in found}
    return tuple(found[i] for i in sorted(found))


def _reject(row: int, field: Field) -> Reject:
    return Reject(row, "type", f"value of column '{field.name}' is no {field.type.sql()}")
