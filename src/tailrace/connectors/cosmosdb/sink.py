"""The sink: items are written and deleted one by one, many at a time, or by batches of one partition key."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import polars as pl
from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from tailrace.connectors.base import Report
from tailrace.connectors.bulk import Bulk, BulkSink, Outcome, Refused
from tailrace.connectors.cosmosdb.client import PASSING, Connection, Place, check, reason
from tailrace.connectors.cosmosdb.items import ETAG, ID, Items, partition_key, parts, require_partition_key
from tailrace.connectors.event_loop import EventLoop
from tailrace.engine.batch import KIND
from tailrace.engine.changes import REMOVED
from tailrace.errors import ConfigError, TransientError
from tailrace.plan.catalog import Table

MOST_BYTES = 2 << 20
"""So large an item may be."""
_BATCH_ROWS, _BATCH_BYTES = 100, 1_900_000
_REFUSED = (400, 413)
_PARTITION_KEY = 1001
"""The reason of state 400 that tells of a wrong partition key."""


@dataclass(frozen=True, slots=True)
class Target:
    """How rows are written."""

    table: Table
    items: Items
    patch: bool
    overwrite: bool
    ttl: int | None
    batches: bool
    concurrency: int


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a request: its item, partition key and ETag, and whether it is to go."""

    number: int
    item: dict[str, Any]
    key: Any
    size: int
    gone: bool
    etag: str | None

    @property
    def id(self) -> str:
        """The id of the item."""
        return str(self.item[ID])


class _ConflictError(Exception):
    """Another has changed the item, which stands so now (None: it is gone)."""

    def __init__(self, current: dict[str, Any] | None) -> None:
        super().__init__("the item was changed by another")
        self.current = current


class CosmosSink(BulkSink):
    """Keeps one item for each key; what is written twice is there once."""

    def __init__(self, place: Place, target: Target, bulk: Bulk) -> None:
        super().__init__(bulk, effectively_once=True)
        self._place = place
        self._target = target
        self._loop: EventLoop | None = None
        self._connection: Connection | None = None
        self._turn = asyncio.Semaphore(target.concurrency)

    def open(self) -> None:
        self._loop = self._loop or EventLoop("tailrace-cosmosdb")
        if self._connection is None:
            self._connection = self._loop.run(self._place.connect(), self._place.timeout * 2)
        self._require(self._connection)

    def _require(self, found: Connection) -> None:
        """Compare the table with the container."""
        require_partition_key(self._target.table, self._target.items.ids, found.paths, self._place.name)
        if self._target.ttl is not None and not found.expires:
            message = f"container '{self._place.name}' lets no items expire, so that 'sink.ttl' means nothing"
            raise ConfigError(message, hint="set its default time to live (to -1, where only some items expire)")

    def send(self, rows: pl.DataFrame) -> Outcome:
        assert self._loop is not None
        found = self._as_items(rows)
        refused = [r for row in found if (r := _unwritable(row)) is not None]
        bad = {r.row for r in refused}
        work = self._all([row for row in found if row.number not in bad])
        rounds = -(-len(found) // self._target.concurrency)
        again, why = [], None
        for number, error in self._loop.run(work, self._place.timeout * (1 + rounds)):
            told = self._told(number, error)
            if told is not None:
                refused.append(told)
                continue
            again.append(number)
            passing = self._place.as_ours(error)
            assert isinstance(passing, TransientError)
            if why is None or passing.after > why.after:
                why = passing
        return Outcome(refused, again, why)

    def _as_items(self, rows: pl.DataFrame) -> list[_Row]:
        """Give the rows as items."""
        assert self._connection is not None
        items, sizes = self._target.items.of(rows)
        gone = rows[KIND].is_in(REMOVED).to_list() if KIND in rows.columns else [False] * len(rows)
        etags = rows[ETAG].to_list() if self._target.items.etags else [None] * len(rows)
        if self._target.ttl is not None:
            for item in items:
                item["ttl"] = self._target.ttl
        paths = self._connection.paths
        given = zip(items, sizes, gone, etags, strict=True)
        return [_Row(i, item, partition_key(item, paths), size, *r) for i, (item, size, *r) in enumerate(given)]

    async def _all(self, rows: list[_Row]) -> list[tuple[int, Exception]]:
        """Write rows; give those that were not taken, by number, with the reason."""
        if self._target.batches:
            work = [self._batch(batch) for batch in _batches(rows)]
        else:
            work = [self._one(row) for row in rows]
        return [pair for done in await asyncio.gather(*work) for pair in done]

    async def _one(self, row: _Row) -> list[tuple[int, Exception]]:
        async with self._turn:
            return await self._tried(row)

    async def _tried(self, row: _Row) -> list[tuple[int, Exception]]:
        try:
            await self._write(row)
        except _ConflictError as conflict:
            return [] if _is_same(row, conflict.current) else [(row.number, conflict)]
        except (CosmosHttpResponseError, TransientError) as error:
            return [(row.number, error)]
        except Exception as error:  # noqa: BLE001  the client raises of many kinds
            return [(row.number, self._place.as_ours(error))]
        return []

    def _write(self, row: _Row) -> Coroutine[Any, Any, None]:
        """Give the work of one row."""
        if self._target.items.etags:
            return self._guarded(row)
        if row.gone:
            return self._delete(row)
        return self._patch(row) if self._target.patch else self._upsert(row)

    async def _upsert(self, row: _Row) -> None:
        assert self._connection is not None
        await self._connection.container.upsert_item(row.item, no_response=True, timeout=self._place.timeout)

    async def _delete(self, row: _Row, **condition: Any) -> None:
        assert self._connection is not None
        try:
            container = self._connection.container
            await container.delete_item(row.id, row.key, timeout=self._place.timeout, **condition)
        except CosmosHttpResponseError as error:
            if error.status_code != 404:  # not there is what was asked for
                raise

    async def _patch(self, row: _Row) -> None:
        """Set the columns that are not of the key; an item that is not there is made of all."""
        assert self._connection is not None
        container, key = self._connection.container, self._target.table.primary_key
        heads = {ID, *key, *(parts(p)[0] for p in self._connection.paths)}
        sets = [
            {"op": "set", "path": "/" + name.replace("~", "~0").replace("/", "~1"), "value": value}
            for name, value in row.item.items()
            if name not in heads
        ]
        try:
            if sets:
                await container.patch_item(row.id, row.key, sets, timeout=self._place.timeout, no_response=True)
                return
        except CosmosHttpResponseError as error:
            if error.status_code != 404:
                raise
        try:
            await container.create_item(row.item, no_response=True, timeout=self._place.timeout)
        except CosmosHttpResponseError as error:
            if error.status_code != 409:
                raise
            if sets:  # made by another just now
                raise TransientError(f"item '{row.id}' was made by another meanwhile") from None

    async def _guarded(self, row: _Row) -> None:
        """Write or delete an item that stands as the row's ETag says: none, if it has no ETag."""
        assert self._connection is not None
        container, seconds = self._connection.container, self._place.timeout
        condition: dict[str, Any] = {}
        if row.etag is not None:
            condition = {"etag": row.etag, "match_condition": MatchConditions.IfNotModified}
        try:
            if row.gone:
                await self._delete(row, **condition)
            elif row.etag is None:
                await container.create_item(row.item, no_response=True, timeout=seconds)
            else:
                await container.replace_item(row.id, row.item, no_response=True, timeout=seconds, **condition)
        except CosmosHttpResponseError as error:
            if error.status_code not in (404, 409, 412):
                raise
            if self._target.overwrite:
                await (self._delete(row) if row.gone else self._upsert(row))
                return
            raise _ConflictError(await self._current(row)) from None

    async def _current(self, row: _Row) -> dict[str, Any] | None:
        assert self._connection is not None
        try:
            found = await self._connection.container.read_item(row.id, row.key, timeout=self._place.timeout)
        except CosmosHttpResponseError as error:
            if error.status_code != 404:
                raise
            return None
        return dict(found)

    async def _batch(self, rows: list[_Row]) -> list[tuple[int, Exception]]:
        """Write rows of one partition key, all or none; where one is refused, each alone."""
        assert self._connection is not None
        work = [("delete", (row.id,)) if row.gone else ("upsert", (row.item,)) for row in rows]
        async with self._turn:
            try:
                container = self._connection.container
                await container.execute_item_batch(work, rows[0].key, timeout=self._place.timeout)
            except (CosmosBatchOperationError, CosmosHttpResponseError) as error:
                status = error.status_code
                if status not in (*_REFUSED, 404, 409):
                    return [(row.number, error) for row in rows]
            except Exception as error:  # noqa: BLE001  the client raises of many kinds
                return [(row.number, self._place.as_ours(error)) for row in rows]
            else:
                return []
            return [pair for row in rows for pair in await self._tried(row)]

    def _told(self, number: int, error: Exception) -> Refused | None:
        """
        Give a row that is refused; None for one that is to come again.

        Raises:
            TerminalError, ConfigError: nothing can be written.
        """
        if isinstance(error, _ConflictError):
            hint = "look it up again, or set 'sink.etag' = 'overwrite'"
            return Refused(number, "conflict", "the item was changed by another since its ETag was read", hint)
        status = getattr(error, "status_code", None)
        if status in _REFUSED and getattr(error, "sub_status", None) != _PARTITION_KEY:
            code = "too-large" if status == 413 else "refused"
            return Refused(number, code, f"{self._place.shown}: {reason(error)} (status {status})")
        if status not in PASSING and not isinstance(ours := self._place.as_ours(error), TransientError):
            raise ours
        return None

    def check(self) -> Report:
        return check(self._place, self._require)

    def close(self) -> None:
        super().close()
        if self._loop is not None:
            if self._connection is not None:
                self._loop.run(self._connection.close(), self._place.timeout)
                self._connection = None
            self._loop.close()
            self._loop = None


def _unwritable(row: _Row) -> Refused | None:
    """Refuse what no item can be."""
    if row.size > MOST_BYTES:
        reason_ = f"the item has {row.size:,} bytes, and may have {MOST_BYTES:,}"
        return Refused(row.number, "too-large", reason_)
    id_ = row.item[ID]
    if not id_ or len(id_.encode()) > 1023 or any(c in "/\\?#" for c in id_) or id_.endswith(" "):
        reason_ = "an id is a text of 1 to 1,023 bytes without / \\ ? # and no space at its end"
        return Refused(row.number, "id", reason_, "leave the column 'id' out: it is then made of the key")
    return None


def _is_same(row: _Row, current: dict[str, Any] | None) -> bool:
    """Tell whether an item is what the row makes of it: then it was written by us before, and nobody heard the answer."""
    if current is None or row.gone:
        return current is None and row.gone
    wanted = msgspec.json.decode(msgspec.json.encode(row.item))
    return all(name in current and current[name] == value for name, value in wanted.items())


def _batches(rows: list[_Row]) -> list[list[_Row]]:
    """Put rows of one partition key together, as many as a batch may have; their order stays."""
    groups: dict[bytes, list[_Row]] = {}
    for row in rows:
        groups.setdefault(msgspec.json.encode(row.key), []).append(row)
    found: list[list[_Row]] = []
    for group in groups.values():
        ends = np.cumsum([row.size for row in group]) // _BATCH_BYTES
        part: list[_Row] = []
        mark = 0
        for row, end in zip(group, ends.tolist(), strict=True):
            if part and (len(part) == _BATCH_ROWS or end != mark):
                found.append(part)
                part = []
            part.append(row)
            mark = end
        found.append(part)
    return found
