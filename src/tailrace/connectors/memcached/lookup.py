"""Lookups in Memcached: the rows of many keys by one multi-get of each server."""

from __future__ import annotations

import asyncio

import polars as pl

from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.keyed_values import KeyedValues, read_bytes
from tailrace.connectors.memcached.client import Servers, check_servers
from tailrace.connectors.memcached.sink import key_fault
from tailrace.errors import TerminalError
from tailrace.schema import Schema


class MemcachedLookup(Lookup):
    """Asks for values by key; the columns of the key are those asked for."""

    keys_per_request = 2000

    def __init__(self, servers: Servers, layout: KeyedValues, schema: Schema) -> None:
        self._servers = servers
        self._layout = layout
        self._asked = [f.name for f in schema]
        self._rest = Schema(tuple(f for f in schema if f.name not in layout.key))
        self._decoder = layout.decoder(self._rest)

    async def open(self) -> None:
        await asyncio.to_thread(self._servers.versions)

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        return await asyncio.to_thread(self._get, keys)

    def _get(self, keys: pl.DataFrame) -> pl.DataFrame:
        names = [k.encode() for k in self._layout.keys(keys)]
        # nobody can have written at a key that is none
        found = self._servers.get([n for n in names if not key_fault(n)])
        places = [i for i, name in enumerate(names) if name in found]
        own = keys[places]
        if not len(self._rest.names):
            return own.select(self._asked)
        rows, rejects = read_bytes([found[names[i]] for i in places], self._decoder)
        if rejects:
            where = f"{self._servers.shown}, key '{names[places[rejects[0].row]].decode()}'"
            raise TerminalError(f"{where}: {rejects[0].reason}", hint="mend the value, or the type of the column")
        return own.hstack(rows).select(self._asked)

    def check(self) -> Report:
        return check_servers(self._servers, f"keys that begin with '{self._layout.prefix}'")

    async def close(self) -> None:
        self._servers.close()
