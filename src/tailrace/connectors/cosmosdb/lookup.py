"""Lookups: items by id and partition key, or by the values of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.cosmosdb.client import Connection, Place, check
from tailrace.connectors.cosmosdb.items import ID, Ids, at, decoded, decoder, parts, safe
from tailrace.errors import TerminalError
from tailrace.formats.json.objects import Objects, Style
from tailrace.schema import STRING, Field, Schema

_BRANCHES = 100
"""So many keys one query compares."""


class CosmosLookup(Lookup):
    """
    Reads items by id where the key tells id and partition key; else it asks by a query, over all partitions.

    A query is a text of names and placeholders: values go beside it.
    """

    keys_per_request = 500

    def __init__(self, place: Place, schema: Schema, keys: tuple[str, ...], ids: Ids | None) -> None:
        self._place = place
        self._schema = schema
        self._keys = keys
        self._ids = ids
        fields = [Field(n, STRING) if n == ID else schema[n] for n in keys]
        self._texts = Objects(Schema(tuple(fields)), Style(separator="T"))
        self._decoder = decoder(schema)
        self._connection: Connection | None = None

    async def open(self) -> None:
        await self.close()
        self._connection = await self._place.connect()

    def _by_id(self, paths: Sequence[str]) -> bool:
        """Tell whether the key tells which item it is, and in which partition."""
        if self._ids is None or not set(self._ids.columns) <= set(self._keys):
            return False
        return all(parts(path)[0] in (ID, *self._keys) for path in paths)

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        assert self._connection is not None
        asked = self._asked(keys)
        if self._by_id(self._connection.paths):
            found = await self._points(asked, self._connection)
        else:
            found = []
            for start in range(0, len(asked), _BRANCHES):
                found += await self._query(asked[start : start + _BRANCHES], self._connection)
        return self._frame(found)

    def _asked(self, keys: pl.DataFrame) -> list[dict[str, Any]]:
        """Give the values of keys as items have them, with the id where it is known."""
        frame = keys
        known = self._ids is not None and set(self._ids.columns) <= set(self._keys)
        if self._ids is not None and known:
            frame = keys.with_columns(self._ids.of().alias(ID))
        values = [safe(msgspec.json.decode(t)) for t in self._texts.texts(frame).to_list()]
        if known and ID not in self._keys:
            for value, id_ in zip(values, frame[ID].to_list(), strict=True):
                value[ID] = id_
        return values

    async def _points(self, asked: list[dict[str, Any]], connection: Connection) -> list[dict[str, Any]]:
        """Read items by id and partition key: one alone, several by the client's reads of many."""
        pairs = []
        for value in asked:
            key = [at(value, path) for path in connection.paths]
            if value[ID] and not any(c in "/\\?#" for c in value[ID]):
                pairs.append((value[ID], key[0] if len(key) == 1 else key))
        if not pairs:
            return []
        found = await self._place.asked(connection.container.read_items(pairs, timeout=self._place.timeout))
        return [dict(item) for item in found]

    async def _query(self, asked: list[dict[str, Any]], connection: Connection) -> list[dict[str, Any]]:
        """Ask for the items that have one of these values."""
        names = list(self._keys)
        given = [(f"@p{i}", value[n]) for i, (value, n) in enumerate((v, n) for v in asked for n in names)]
        if len(names) == 1:
            where = f"{_quoted(names[0])} IN ({', '.join(p for p, _ in given)})"
        else:
            places = iter(given)
            each = [" AND ".join(f"{_quoted(n)} = {next(places)[0]}" for n in names) for _ in asked]
            where = " OR ".join(f"({e})" for e in each)
        select = ", ".join(map(_quoted, self._schema.names))
        query = f"SELECT {select} FROM c WHERE {where}"  # noqa: S608  names are quoted, values go beside it
        parameters: list[dict[str, object]] = [{"name": name, "value": value} for name, value in given]
        pages = connection.container.query_items(query, parameters=parameters)

        async def items() -> list[dict[str, Any]]:
            return [dict(item) async for item in pages]

        return await self._place.asked(items())

    def _frame(self, items: list[dict[str, Any]]) -> pl.DataFrame:
        if not items:
            return self._schema.empty()
        found, _ = decoded(self._decoder, items)
        if found.rejects:
            message = f"container '{self._place.name}' of {self._place.shown}: {found.rejects[0].reason}"
            raise TerminalError(message, hint="mend the item, or the type of the column")
        return found.frame

    def check(self) -> Report:
        return check(self._place, lambda _: None)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def _quoted(name: str) -> str:
    r"""
    Write a property so that it is one, whatever is in it.

    >>> print(_quoted('a"b'))
    c["a\"b"]
    """
    return 'c["' + name.replace("\\", "\\\\").replace('"', '\\"') + '"]'
