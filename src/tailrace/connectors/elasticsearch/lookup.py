"""Lookups: many documents by their ids, or by the values of columns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import msgspec
import polars as pl
from opensearchpy import OpenSearch

from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.elasticsearch.client import Server, check_index
from tailrace.connectors.elasticsearch.documents import decoder, documents
from tailrace.errors import TerminalError
from tailrace.formats.base import Rows
from tailrace.schema import Kind, Schema

_MOST = 10_000
"""So many documents one search gives at most."""


class _Document(msgspec.Struct):
    source: msgspec.Raw = msgspec.field(name="_source", default_factory=msgspec.Raw)
    found: bool = True


class _Documents(msgspec.Struct):
    docs: list[_Document]


class _Hits(msgspec.Struct):
    hits: list[_Document] = []


class _Found(msgspec.Struct):
    hits: _Hits


class ElasticsearchLookup(Lookup):
    """
    Asks by `_mget` where the key is that of the table (`ids` is the expression of it), else by a search.

    A document that was written is found by its id at once, and by a search after the index was refreshed.
    """

    keys_per_request = 1000

    def __init__(self, server: Server, index: str, schema: Schema, keys: Sequence[str], ids: pl.Expr | None) -> None:
        self._server = server
        self._index = index
        self._schema = schema
        self._ids = ids
        self._keys = documents(Schema(tuple(schema[name] for name in keys)))
        self._decoder = decoder(schema)
        # a server that leaves out fields writes the others anew, and decimals then have the digits of a double
        self._some = not any(f.type.holds(Kind.DECIMAL) for f in schema)
        self._client: OpenSearch | None = None

    async def open(self) -> None:
        await self.close()
        self._client = self._server.client()
        await asyncio.to_thread(self._reach, self._client)

    def _reach(self, client: OpenSearch) -> None:
        if not self._server.exists(client, self._index):
            raise TerminalError(f"there is no index '{self._index}' at {self._server.shown}")

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        return self._frame(await asyncio.to_thread(self._sources, keys))

    def _sources(self, keys: pl.DataFrame) -> list[bytes]:
        assert self._client is not None
        if self._ids is None:
            return self._search(self._client, keys)
        body = json.dumps({"ids": keys.select(self._ids).to_series().to_list()})
        some = {"_source_includes": ",".join(self._schema.names)} if self._some else {}
        answer = self._server.ask(self._client, "POST", f"/{self._index}/_mget", body, **some)
        return [bytes(d.source) for d in msgspec.json.decode(answer, type=_Documents).docs if d.found and d.source]

    def _search(self, client: OpenSearch, keys: pl.DataFrame) -> list[bytes]:
        """Search for the documents of keys; where there may be more than one search gives, halves of them."""
        fields = list(self._schema.names) if self._some else True
        body = {"size": _MOST, "_source": fields, "query": self._query(keys)}
        answer = self._server.ask(
            client, "POST", f"/{self._index}/_search", json.dumps(body), filter_path="hits.hits._source"
        )
        hits = msgspec.json.decode(answer, type=_Found).hits.hits if answer != "{}" else []
        if len(hits) < _MOST:
            return [bytes(d.source) for d in hits]
        if len(keys) == 1:
            message = f"index '{self._index}' has {_MOST:,} documents or more of one key"
            raise TerminalError(message, hint="look up by more columns")
        middle = len(keys) // 2
        return self._search(client, keys.head(middle)) + self._search(client, keys.slice(middle))

    def _query(self, keys: pl.DataFrame) -> dict[str, object]:
        values = [json.loads(text) for text in self._keys.texts(keys)]
        if keys.width == 1:
            name = keys.columns[0]
            return {"bool": {"filter": {"terms": {name: [v[name] for v in values]}}}}
        each = [{"bool": {"filter": [{"term": {n: v}} for n, v in value.items()]}} for value in values]
        return {"bool": {"should": each, "minimum_should_match": 1}}

    def _frame(self, sources: list[bytes]) -> pl.DataFrame:
        if not sources:
            return self._schema.empty()
        decoded = self._decoder.decode(Rows.of(list(sources)))
        if decoded.rejects:
            message = f"index '{self._index}' at {self._server.shown}: {decoded.rejects[0].reason}"
            raise TerminalError(message, hint="mend the document, or the type of the column")
        return decoded.frame

    def check(self) -> Report:
        return check_index(self._server, self._index, needed=True)

    async def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
