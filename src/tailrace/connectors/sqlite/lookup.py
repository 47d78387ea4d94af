"""Lookups in SQLite tables: the rows of many keys by one query."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import polars as pl

from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.sqlite.database import connect, reported
from tailrace.connectors.sqlite.source import Origin, SqliteSource, columns_read, refuse_other_columns, rows_read
from tailrace.connectors.sqlite.types import quote, storage, written
from tailrace.errors import TerminalError
from tailrace.schema import Field

_KEYS = "_tailrace_keys"


class SqliteLookup(Lookup):
    """
    Asks for keys by a join with a temporary table that holds them.

    Each request sees what is committed when it comes. An index on the columns of the keys makes it quick.
    """

    def __init__(self, origin: Origin, keys: tuple[str, ...]) -> None:
        self._origin = origin
        self._keys = [Field(name, origin.schema[name].type) for name in keys]
        self._connection: sqlite3.Connection | None = None
        self._turn = threading.Lock()
        marks = ", ".join("?" for _ in keys)
        on = " AND ".join(f"t.{quote(name)} = k.k{i}" for i, name in enumerate(keys))
        inner = f"SELECT t.* FROM temp.{_KEYS} AS k CROSS JOIN {quote(origin.table)} AS t ON {on}"  # noqa: S608  quoted
        self._put = f"INSERT INTO temp.{_KEYS} VALUES ({marks})"  # noqa: S608  a name of ours
        self._ask = f"SELECT {columns_read(origin.schema)} FROM ({inner})"  # noqa: S608  quoted

    async def open(self) -> None:
        await asyncio.to_thread(self._connect)

    def _connect(self) -> None:
        o = self._origin
        connection = connect(o.path, o.busy_seconds, writing=False)
        try:
            with reported(o.path):
                refuse_other_columns(connection, o)
                connection.execute("PRAGMA temp_store=MEMORY")
                columns = ", ".join(f"k{i} {storage(f.type)}" for i, f in enumerate(self._keys))
                connection.execute(f"CREATE TEMP TABLE {_KEYS} ({columns})")
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        return await asyncio.to_thread(self._turned, keys)

    def _turned(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Ask when it is this request's turn: one that ran out of time works on the connection until it ends."""
        with self._turn:
            return self._frame(self._get(keys))

    def _get(self, keys: pl.DataFrame) -> list[tuple[object, ...]]:
        connection = self._connection
        assert connection is not None
        with reported(self._origin.path):
            connection.execute(f"DELETE FROM temp.{_KEYS}")  # noqa: S608  a name of ours
            given = keys.select([written(f).alias(f.name) for f in self._keys])
            connection.executemany(self._put, given.iter_rows())
            return connection.execute(self._ask).fetchall()

    def _frame(self, rows: list[tuple[object, ...]]) -> pl.DataFrame:
        o = self._origin
        if not rows:
            return pl.DataFrame(schema=o.schema.polars)
        values, rejects = rows_read(o.schema, list(zip(*rows, strict=True)))
        if rejects:
            message = f"table '{o.table}' of '{o.path}': {rejects[0].reason}"
            raise TerminalError(message, hint="mend the row, or the type of the column")
        return values

    def check(self) -> Report:
        return SqliteSource(self._origin).check()

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
