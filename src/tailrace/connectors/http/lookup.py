"""Lookups by requests: one for each key, with its values in the URL, or one for many, with the keys in its body."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

import httpx
import numpy as np
import polars as pl

from tailrace.connectors import trace_headers
from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.encoding import Encoded, messages
from tailrace.connectors.http.bodies import ARRAY, BadBodyError, joined, split
from tailrace.connectors.http.endpoint import Answer, Endpoint
from tailrace.connectors.http.sink import reached
from tailrace.connectors.table_options import FormatChoice
from tailrace.connectors.texts import text
from tailrace.engine.tracing import CURRENT
from tailrace.errors import ConfigError, DataError, Location, TerminalError
from tailrace.formats.base import Decoded, Rows
from tailrace.schema import Schema

_COLUMN = re.compile(r"\{([^{}]*)\}")


def check_template(url: str, keys: Sequence[str], location: Location | None) -> None:
    """
    Make sure that a URL names the columns of the key, and no others.

    Raises:
        ConfigError: it does not.
    """
    named = _COLUMN.findall(url)
    for name in named:
        if name not in keys:
            hint = f"the join compares: {', '.join(keys)}"
            raise ConfigError(
                f"'url' names the column '{name}', which the join does not compare", hint=hint, location=location
            )
    if missing := [k for k in keys if k not in named]:
        hint = f"write '{{{missing[0]}}}' where its value belongs, or ask by 'method' = 'POST'"
        raise ConfigError(f"'url' does not name '{missing[0]}', which the join compares", hint=hint, location=location)


def quoted(value: str) -> str:
    """
    Give a value as it stands in a URL; it can be no more than a part of a path or parameter.

    >>> quoted("a/b?c=ä"), quoted("..")
    ('a%2Fb%3Fc%3D%C3%A4', '%2E%2E')
    """
    return quote(value, safe="") if value.strip(".") else value.replace(".", "%2E")


def _filled(url: str, values: Mapping[str, str]) -> str:
    return _COLUMN.sub(lambda name: quoted(values[name[1]]), url)


class HttpLookup(Lookup):
    """Asks a server for the rows of keys. An answer is one row, an array of rows, or 404 for none."""

    def __init__(
        self,
        endpoint: Endpoint,
        schema: Schema,
        keys: Schema,
        choice: FormatChoice,
        items: str | None,
        in_flight: int,
        traces: Sequence[str] = ("w3c",),
    ) -> None:
        self._traces = traces
        self._endpoint = endpoint
        self._schema = schema
        self._keys = keys
        self._items = items
        self._in_flight = in_flight
        self._clients: list[httpx.AsyncClient] = []
        self._free: asyncio.LifoQueue[httpx.AsyncClient] | None = None
        self._many = endpoint.method != "GET"
        self._rest = schema if self._many else Schema(tuple(f for f in schema if f.name not in keys.names))
        self._decoder = choice.format.decoder(self._rest, choice.options)
        self._encoder = choice.format.encoder(keys, choice.options) if self._many else None
        self.keys_per_request = 500 if self._many else 100

    async def open(self) -> None:
        """Make a client for each request under way: one with many connections looks at all of them twice for each request."""
        await self.close()
        self._clients = [self._endpoint.async_client() for _ in range(self._in_flight)]
        self._free = asyncio.LifoQueue()
        for client in self._clients:
            self._free.put_nowait(client)

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        return await (self._by_body(keys) if self._many else self._by_urls(keys))

    async def _by_body(self, keys: pl.DataFrame) -> pl.DataFrame:
        assert self._encoder is not None
        values = messages(Encoded(self._encoder.encode(keys.select(self._keys.names))))
        body = joined([m.value or b"" for m in values], ARRAY)
        found = await self._one(self._endpoint.url, body)
        return self._decoded(found).frame.select(self._schema.names)

    async def _by_urls(self, keys: pl.DataFrame) -> pl.DataFrame:
        texts = keys.select([text(f).alias(f.name) for f in self._keys]).rows(named=True)
        urls = [_filled(self._endpoint.url, row) for row in texts]
        answers = await asyncio.gather(*(self._one(url, None) for url in urls))
        own = keys[np.repeat(np.arange(len(keys)), [len(a) for a in answers])]
        if not len(self._rest):
            return own.select(self._schema.names)
        frame = self._decoded([row for answer in answers for row in answer]).frame
        return own.hstack(frame).select(self._schema.names)

    async def _one(self, url: str, body: bytes | None) -> list[bytes]:
        free = self._free  # opened anew meanwhile, there are others
        assert free is not None
        client = await free.get()
        try:
            return await self._ask(client, url, body)
        finally:
            free.put_nowait(client)

    async def _ask(self, client: httpx.AsyncClient, url: str, body: bytes | None) -> list[bytes]:
        headers = {"Accept": "application/json"} | ({} if body is None else {"Content-Type": "application/json"})
        headers |= trace_headers.of_call(CURRENT.get(), self._traces)
        answer = await self._endpoint.ask_async(client, url, body, headers)
        if answer.status == 404 and not self._many:
            return []
        error = self._endpoint.refused(answer)
        if isinstance(error, DataError):
            raise TerminalError(error.message, hint="look at 'url', and at the keys that are asked for")
        if error is not None:
            raise error
        return self._rows(answer)

    def _rows(self, answer: Answer) -> list[bytes]:
        body = answer.body.strip()
        if not body or answer.status == 204:
            return []
        try:
            if self._items is not None or body.startswith(b"["):
                return split(body, ARRAY, self._items)
        except BadBodyError as error:
            raise TerminalError(f"{self._endpoint.shown}: the answer can't be read: {error}") from None
        return [] if body == b"null" else [body]

    def _decoded(self, rows: list[bytes]) -> Decoded:
        decoded = self._decoder.decode(Rows.of([*rows]))
        if decoded.rejects:
            reason = decoded.rejects[0].reason
            raise TerminalError(f"{self._endpoint.shown}: a row of the answer can't be read: {reason}")
        return decoded

    def check(self) -> Report:
        anywhere = replace(self._endpoint, url=_COLUMN.sub("", self._endpoint.url))
        good = f"asks {self._endpoint.shown} by {self._endpoint.method}"
        return reached(anywhere, "OPTIONS", good, path=self._many)

    async def close(self) -> None:
        clients, self._clients = self._clients, []
        for client in clients:
            await client.aclose()
