"""The sink: batches of mutations; a batch that is refused is cut until the row that is meant stands alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from tailrace.connectors.base import Report
from tailrace.connectors.bulk import Bulk, BulkSink, Outcome, Refused
from tailrace.connectors.hbase.client import Connections, Server, check, create, look, thrift
from tailrace.connectors.hbase.layout import Layout
from tailrace.engine.batch import KIND
from tailrace.engine.changes import REMOVED

LONGEST_KEY = 32_767

Batches = dict[int | None, list[tuple[bytes, list[Any]]]]
"""Mutations of rows, by the version that their cells get (None: the time of the server)."""


class HbaseSink(BulkSink):
    """Puts and deletes rows by their key; written twice is the same as once."""

    def __init__(
        self, server: Server, layout: Layout, bulk: Bulk, *, created: bool, keeps: bool, timestamp: str | None
    ) -> None:
        super().__init__(bulk, effectively_once=True)
        self._server = server
        self._layout = layout
        self._created = created
        self._keeps = keeps
        self._timestamp = timestamp
        self._connections = Connections(server)

    def open(self) -> None:
        with self._connections.one() as connection:
            if self._created:
                create(connection, self._layout)
            look(self._server, connection, self._layout)

    def send(self, rows: pl.DataFrame) -> Outcome:
        keys = self._layout.keys(rows)
        refused = [Refused(i, "key", _wrong(k)) for i, k in enumerate(keys) if not k or len(k) > LONGEST_KEY]
        batches = self._batches(rows, keys, {r.row for r in refused})
        name = self._layout.table.encode()
        for version, mutations in batches.items():
            batch = [thrift.BatchMutation(row=key, mutations=given) for key, given in mutations]
            with self._connections.one() as connection:
                if version is None:
                    connection.client.mutateRows(name, batch, {})
                else:
                    connection.client.mutateRowsTs(name, batch, version, {})
        return Outcome(refused)

    def _batches(self, rows: pl.DataFrame, keys: list[bytes | None], without: set[int]) -> Batches:
        gone = rows[KIND].is_in(REMOVED).to_list() if KIND in rows.columns else [False] * len(rows)
        values = self._layout.values(rows)
        found: Batches = {}
        for i, (version, key) in enumerate(zip(self._versions(rows), keys, strict=True)):
            if i not in without and key is not None:
                found.setdefault(version, []).append((key, list(self._mutations(values[i], removed=gone[i]))))
        return found

    def _versions(self, rows: pl.DataFrame) -> list[int | None]:
        """Give the version of each row's cells; a row without a time counts as the oldest."""
        if self._timestamp is None:
            return [None] * len(rows)
        found: list[int | None] = rows[self._timestamp].dt.epoch("ms").fill_null(0).to_list()
        return found

    def _mutations(self, values: list[bytes | None], *, removed: bool) -> Iterator[Any]:
        if removed:
            yield thrift.Mutation(isDelete=True, column=self._layout.mark)
        elif all(v is None for v in values):
            yield thrift.Mutation(isDelete=False, column=self._layout.mark, value=b"")
        for name, value in zip(self._layout.names, values, strict=True):
            if removed or (value is None and not self._keeps):
                yield thrift.Mutation(isDelete=True, column=name)
            elif value is not None:
                yield thrift.Mutation(isDelete=False, column=name, value=value)

    def check(self) -> Report:
        return check(self._server, self._layout, created=self._created)

    def close(self) -> None:
        super().close()
        self._connections.close()


def _wrong(key: bytes | None) -> str:
    if key is None:
        return "the row key is NULL"
    return "the row key is empty" if not key else f"the row key of {len(key):,} bytes is longer than {LONGEST_KEY:,}"
