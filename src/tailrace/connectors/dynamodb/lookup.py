"""Lookups: whole keys by batches, or all items of a hash key by a query of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import polars as pl

from tailrace.backoff import Backoff
from tailrace.connectors.aws.failures import ThrottledError, reported, throttled_backoff
from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.dynamodb.client import Found, Place, check, look, refuse_other_types
from tailrace.connectors.dynamodb.types import Item, attributes, frame_of
from tailrace.errors import ConfigError, TerminalError
from tailrace.schema import Schema

KEYS_PER_REQUEST = 100
PATIENCE_SECONDS = 10.0

T = TypeVar("T")


@dataclass(slots=True)
class _Patience:
    """How long to go on without an answer, and with which pauses."""

    backoff: Backoff = field(default_factory=lambda: throttled_backoff(0.1))
    until: float = field(default_factory=lambda: time.monotonic() + PATIENCE_SECONDS)


class DynamoDbLookup(Lookup):
    """Asks for the columns that are needed alone, by the key of the table or by its hash key; the rest is left to the caller."""

    keys_per_request = 2000

    def __init__(
        self, place: Place, schema: Schema, keys: tuple[str, ...], *, consistent: bool, in_flight: int
    ) -> None:
        self._place = place
        self._schema = schema
        self._keys = keys
        self._consistent = consistent
        self._in_flight = in_flight
        self._client: Any = None
        self._threads: ThreadPoolExecutor | None = None
        self._asked: tuple[str, ...] = ()
        self._whole = True

    async def open(self) -> None:
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        self._close()
        self._client = self._place.client(self._in_flight + 1)
        self._usable(look(self._client, self._place))
        self._threads = ThreadPoolExecutor(self._in_flight, "tailrace-dynamodb")

    def _usable(self, found: Found) -> None:
        """Find out by which attributes the table can be asked."""
        refuse_other_types(found, self._place, self._schema)
        if found.key[0] not in self._keys:
            message = f"{self._place.shown} is looked up in by its key: '{found.key[0]}' is not given"
            raise ConfigError(message, hint=f"compare {' and '.join(found.key)} in the join, or the first alone")
        self._whole = all(name in self._keys for name in found.key)
        self._asked = found.key if self._whole else found.key[:1]

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        return await asyncio.to_thread(self._get, keys)

    def _get(self, keys: pl.DataFrame) -> pl.DataFrame:
        given = self._wanted(keys)
        if self._whole:
            answers = self._all(
                self._batch, (given[i : i + KEYS_PER_REQUEST] for i in range(0, len(given), KEYS_PER_REQUEST))
            )
        else:
            answers = self._all(self._query, given)
        frame, bad = frame_of([item for items in answers for item in items], self._schema)
        if bad:
            reason = next(iter(bad.values())).reason
            raise TerminalError(f"{self._place.shown}: {reason}", hint="mend the type of the column")
        return frame

    def _wanted(self, keys: pl.DataFrame) -> list[Item]:
        """Give the keys to ask for, each once; an empty text or empty bytes are no key."""
        parts = keys.select(list(self._asked)).unique(maintain_order=True)
        columns = [attributes(parts[name], self._schema[name].type) for name in self._asked]
        found = [dict(zip(self._asked, row, strict=True)) for row in zip(*columns, strict=True)]
        return [key for key in found if all(v not in ("", b"") for a in key.values() for v in a.values())]

    def _all(self, ask: Callable[[T], list[Item]], parts: Iterable[T]) -> list[list[Item]]:
        assert self._threads is not None
        return list(self._threads.map(ask, parts))

    def _batch(self, keys: Sequence[Item]) -> list[Item]:
        """Ask for whole keys; those that were not processed are asked for again."""
        found: list[Item] = []
        left: dict[str, Any] = {self._place.table: self._projected() | {"Keys": list(keys)}}
        patience = _Patience()
        while left:
            answer = self._asked_for("batch_get_item", patience, RequestItems=left)
            if answer is None:
                continue
            count, left = _count(left), answer.get("UnprocessedKeys", {})
            found += answer["Responses"].get(self._place.table, [])
            if _count(left) < count:
                patience = _Patience()
            if left:
                self._pause(patience)
        return found

    def _query(self, key: Item) -> list[Item]:
        """Ask for all items of a hash key, page by page."""
        (name,) = self._asked
        request = self._projected() | {"TableName": self._place.table, "KeyConditionExpression": "#k = :k"}
        request["ExpressionAttributeNames"] = request["ExpressionAttributeNames"] | {"#k": name}
        request["ExpressionAttributeValues"] = {":k": key[name]}
        found: list[Item] = []
        patience = _Patience()
        while True:
            answer = self._asked_for("query", patience, **request)
            if answer is None:
                continue
            patience = _Patience()
            found += answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return found
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _projected(self) -> dict[str, Any]:
        """Give what asks for the columns that are needed alone."""
        names = {f"#c{i}": name for i, name in enumerate(self._schema.names)}
        return {
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
            "ConsistentRead": self._consistent,
        }

    def _asked_for(self, operation: str, patience: _Patience, **request: Any) -> Any | None:
        """Ask; None, after a pause, if it throttles."""
        try:
            with reported(self._place.shown):
                return getattr(self._client, operation)(**request)
        except ThrottledError:
            self._pause(patience)
            return None

    def _pause(self, patience: _Patience) -> None:
        """
        Wait before it is asked again.

        Raises:
            ThrottledError: nothing was answered for too long.
        """
        if time.monotonic() > patience.until:
            raise ThrottledError(f"{self._place.shown} throttles: keys were not looked up")
        time.sleep(patience.backoff.next())

    def check(self) -> Report:
        return check(self._place, self._usable)

    async def close(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None
        if self._client is not None:
            self._client.close()
            self._client = None


def _count(left: Mapping[str, Any]) -> int:
    return sum(len(asked["Keys"]) for asked in left.values())
