"""
Lookups in Redis: the rows of many keys by one round trip.

The client for threads is used: in pipelines it is twice as fast as the one for event loops, which waits for each answer alone.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import polars as pl
import redis

from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.keyed_values import read_bytes
from tailrace.connectors.redis.client import Server, check_server, reported
from tailrace.connectors.redis.options import HASH
from tailrace.connectors.redis.rows import Layout, read_fields
from tailrace.errors import TerminalError
from tailrace.schema import Schema


class RedisLookup(Lookup):
    """Asks for keys by MGET, by HMGET in a pipeline, or by SMEMBERS in a pipeline; the columns of the key are those asked for."""

    keys_per_request = 2000

    def __init__(self, server: Server, layout: Layout, schema: Schema) -> None:
        self._server = server
        self._layout = layout
        self._asked = [f.name for f in schema]
        self._rest = Schema(tuple(f for f in schema if f.name not in layout.key))
        self._decoder = None if layout.data_type == HASH else layout.decoder(self._rest)
        self._client: redis.Redis | None = None

    async def open(self) -> None:
        await self.close()
        self._client = self._server.client()
        await asyncio.to_thread(self._ping, self._client)

    def _ping(self, client: redis.Redis) -> None:
        with reported(self._server):
            client.ping()

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        return await asyncio.to_thread(self._get, keys)

    def _get(self, keys: pl.DataFrame) -> pl.DataFrame:
        names = self._layout.keys(keys)
        with reported(self._server):
            counts, answers = self._answers(names)
        own = keys[np.repeat(np.arange(len(keys)), counts)]
        if not len(self._rest.names):
            return own
        found, rejects = read_bytes(answers, self._decoder) if self._decoder else read_fields(answers, self._rest)
        if rejects:
            place = f"Redis at {self._server.shown}, key '{self._layout.keys(own)[rejects[0].row]}'"
            raise TerminalError(f"{place}: {rejects[0].reason}", hint="mend the value, or the type of the column")
        return own.hstack(found).select(self._asked)

    def _answers(self, names: list[str]) -> tuple[list[int], list[Any]]:
        """Give how many rows each key has, and the values of these rows."""
        assert self._client is not None
        if self._layout.many:
            sets: list[set[bytes]] = self._piped([("SMEMBERS", name) for name in names])
            return [len(s) for s in sets], [value for s in sets for value in s]
        if self._layout.data_type == HASH:
            # a field of the key tells of a hash whose other fields are all NULL
            fields = [*self._rest.names, *self._layout.key.names]
            hashes = self._piped([("HMGET", name, *fields) for name in names])
            there = [any(v is not None for v in h) for h in hashes]
            count = len(self._rest.names)
            return [int(t) for t in there], [h[:count] for h, t in zip(hashes, there, strict=True) if t]
        values: list[Any] = self._client.mget(names)
        return [int(v is not None) for v in values], [v for v in values if v is not None]

    def _piped(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        assert self._client is not None
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        found: list[Any] = pipeline.execute()
        return found

    def check(self) -> Report:
        return check_server(self._server, f"keys that begin with '{self._layout.prefix}'")

    async def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
