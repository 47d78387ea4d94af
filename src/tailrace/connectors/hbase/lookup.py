"""Lookups: the rows of many keys by one request."""

from __future__ import annotations

import asyncio

import polars as pl

from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.hbase.client import Connections, Server, check, look
from tailrace.connectors.hbase.layout import Layout


class HbaseLookup(Lookup):
    """Asks by the whole row key."""

    keys_per_request = 1000

    def __init__(self, server: Server, layout: Layout) -> None:
        self._server = server
        self._layout = layout
        self._connections = Connections(server)

    async def open(self) -> None:
        await asyncio.to_thread(self._look)

    def _look(self) -> None:
        with self._connections.one() as connection:
            look(self._server, connection, self._layout)

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        return await asyncio.to_thread(self._get, keys)

    def _get(self, keys: pl.DataFrame) -> pl.DataFrame:
        asked = [key for key in self._layout.keys(keys) if key]
        with self._connections.one() as connection:
            found = connection.table(self._layout.table).rows(asked)
        return self._layout.frame([key for key, _ in found], [cells for _, cells in found])

    def check(self) -> Report:
        return check(self._server, self._layout, created=False)

    async def close(self) -> None:
        self._connections.close()
