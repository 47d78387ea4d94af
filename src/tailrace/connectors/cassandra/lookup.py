"""Lookups: the rows of many keys by prepared statements, many under way at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import polars as pl
from cassandra import cluster as driver
from cassandra.concurrent import execute_concurrent_with_args

from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.cassandra.client import Found, Place, check, look, quote
from tailrace.connectors.cassandra.types import frame_of
from tailrace.connectors.python_rows import rows_of
from tailrace.errors import ConfigError
from tailrace.schema import Schema


class CassandraLookup(Lookup):
    """Asks by the partition key, and by as much of the clustering key as is given; the rest is left to the caller."""

    keys_per_request = 1000

    def __init__(self, place: Place, schema: Schema, keys: tuple[str, ...], concurrency: int) -> None:
        self._place = place
        self._schema = schema
        self._keys = keys
        self._concurrency = concurrency
        self._asked: Schema | None = None
        self._session: driver.Session | None = None
        self._select: Any = None

    async def open(self) -> None:
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        self._close()
        self._session = session = self._place.connect()
        try:
            usable = self._usable(look(session, self._place, self._schema))
            self._asked = Schema(tuple(self._schema[name] for name in usable))
            self._select = session.prepare(self._statement(usable))
        except Exception as error:  # noqa: BLE001  the driver raises of many kinds
            raise self._place.as_ours(error) from None

    def _usable(self, found: Found) -> tuple[str, ...]:
        """Give the columns by which the table can be asked."""
        missing = [name for name in found.partition if name not in self._keys]
        if missing:
            message = f"table '{self._place.table}' is looked up in by its partition key: '{missing[0]}' is not given"
            raise ConfigError(message, hint=f"compare {', '.join(found.partition)} in the join")
        usable = list(found.partition)
        for name in found.primary[len(found.partition) :]:
            if name not in self._keys:
                break
            usable.append(name)
        return tuple(usable)

    def _statement(self, usable: tuple[str, ...]) -> str:
        columns = ", ".join(map(quote, self._schema.names))
        where = " AND ".join(f"{quote(name)} = ?" for name in usable)
        return f"SELECT {columns} FROM {self._place.name} WHERE {where}"  # noqa: S608  quoted

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        return await asyncio.to_thread(self._get, keys)

    def _get(self, keys: pl.DataFrame) -> pl.DataFrame:
        assert self._session is not None
        assert self._asked is not None
        values = rows_of(keys.select(list(self._asked.names)).unique(maintain_order=True), self._asked)
        try:
            answers = execute_concurrent_with_args(self._session, self._select, values, self._concurrency)
            rows = [row for _, answer in answers for row in answer]
        except Exception as error:  # noqa: BLE001  the driver raises of many kinds
            raise self._place.as_ours(error) from None
        return frame_of(rows, self._schema, self._place.table)

    def check(self) -> Report:
        return check(self._place, self._schema, created=False, then=self._usable)

    async def close(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._session is not None:
            self._session.cluster.shutdown()
            self._session = None
