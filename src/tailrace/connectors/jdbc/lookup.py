"""Lookups in tables of databases: the rows of many keys by one query."""

from __future__ import annotations

import asyncio

import polars as pl
import sqlalchemy as sa

from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.jdbc.database import reported
from tailrace.connectors.jdbc.source import check_table
from tailrace.connectors.jdbc.tables import DatabaseTable
from tailrace.errors import TerminalError
from tailrace.schema import Schema


class JdbcLookup(Lookup):
    """Asks for keys by a join with a temporary table in PostgreSQL, by IN elsewhere; on threads, each with a connection."""

    keys_per_request = 5_000

    def __init__(self, table: DatabaseTable, schema: Schema) -> None:
        self._table = table
        self._schema = schema
        self._engine: sa.Engine | None = None
        if not table.database.is_postgres:
            self.keys_per_request = 1_000  # each is a parameter of the statement

    async def open(self) -> None:
        await self.close()
        self._engine = self._table.database.engine()
        await asyncio.to_thread(self._reach, self._engine)

    def _reach(self, engine: sa.Engine) -> None:
        with reported(self._table.database), engine.connect() as connection:
            self._table.refuse_other_columns(connection)

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        return await asyncio.to_thread(self._get, keys)

    def _get(self, keys: pl.DataFrame) -> pl.DataFrame:
        assert self._engine is not None
        with reported(self._table.database), self._engine.begin() as connection:
            found, rejects = self._table.with_keys(connection, keys, self._schema)
        if rejects:
            message = f"table '{self._table.name}' of {self._table.database.shown}: {rejects[0].reason}"
            raise TerminalError(message, hint="mend the row, or the type of the column")
        return found

    def check(self) -> Report:
        return check_table(self._table)

    async def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
