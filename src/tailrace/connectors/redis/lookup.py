"""
Lookups in Redis: the rows of many keys by one round trip.

The client for threads is used: it is twice as fast as the one for event loops, which waits for each answer alone.
"""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
import redis

from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.keyed_values import read_bytes
from tailrace.connectors.redis.client import Server, check_server, reported
from tailrace.connectors.redis.exchange import ask
from tailrace.connectors.redis.options import HASH
from tailrace.connectors.redis.rows import Layout, transposed
from tailrace.connectors.texts import read_texts
from tailrace.errors import TerminalError
from tailrace.formats.base import Reject
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
        with reported(self._server):
            rows, answers = self._answers(self._layout.names(keys))
        own = keys[rows]
        if not len(self._rest.names):
            return own
        found, rejects = self._read(answers)
        if rejects:
            place = f"Redis at {self._server.shown}, key '{self._layout.names(own)[rejects[0].row]}'"
            raise TerminalError(f"{place}: {rejects[0].reason}", hint="mend the value, or the type of the column")
        return own.hstack(found).select(self._asked)

    def _read(self, answers: pl.DataFrame | list[bytes | None]) -> tuple[pl.DataFrame, list[Reject]]:
        if isinstance(answers, pl.DataFrame):
            return read_texts(answers, self._rest)
        assert self._decoder is not None
        return read_bytes(answers, self._decoder)

    def _answers(self, names: pl.Series) -> tuple[pl.Series, pl.DataFrame | list[bytes | None]]:
        """Give of which key each row is, by its number, and the values of the rows: bytes, or the fields of hashes."""
        assert self._client is not None
        if self._layout.data_type == HASH:
            # a field of the key tells of a hash whose other fields are all NULL
            asked = [*self._rest.names, *self._layout.key.names]
            fields = transposed(ask(self._client, names, "HMGET", asked), asked)
            there = fields.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
            return there.arg_true(), fields.filter(there).select(self._rest.names)
        if self._layout.many:
            members = ask(self._client, names, "SMEMBERS")
            rows = np.repeat(np.arange(len(names)), [len(m) for m in members])
            return pl.Series(rows), list(chain.from_iterable(members))
        values: list[Any] = self._client.mget(names.to_list())
        return pl.Series([v is not None for v in values], dtype=pl.Boolean).arg_true(), [
            v for v in values if v is not None
        ]

    def check(self) -> Report:
        return check_server(self._server, f"keys that begin with '{self._layout.prefix}'")

    async def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
