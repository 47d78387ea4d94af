"""The sink: items by batches, or one by one where each has a condition or is only set in part."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import polars as pl
import structlog
from botocore.exceptions import ClientError

from tailrace.connectors.aws.failures import ThrottledError, code_of, throttled_backoff
from tailrace.connectors.base import Report
from tailrace.connectors.bulk import Bulk, BulkSink, Outcome, Refused
from tailrace.connectors.dynamodb.client import Found, Place, check, look, require_key, written
from tailrace.connectors.dynamodb.items import Layout, Write, named, refusal, writes
from tailrace.connectors.dynamodb.requests import delete, put, update
from tailrace.errors import DataError, TransientError

ITEMS_PER_REQUEST = 25
PATIENCE_SECONDS = 20.0
"""So long leftovers are sent again without that any was taken, before the runtime is told."""

_log = structlog.get_logger("tailrace.connectors.dynamodb")
_STALE = "ConditionalCheckFailedException"


class DynamoDbSink(BulkSink):
    """Writes items by key and deletes them; written twice is the same as once."""

    def __init__(self, place: Place, layout: Layout, bulk: Bulk) -> None:
        super().__init__(bulk, effectively_once=True)
        self._place = place
        self._layout = layout
        self._client: Any = None
        self._epoch = 1
        self._lock = threading.Lock()
        self._throttled = 0.0
        self._stale = 0

    @property
    def throttled(self) -> float:
        return self._throttled

    def open(self) -> None:
        self.close()
        self._client = self._place.client(self._bulk.in_flight + 1)
        self._usable(look(self._client, self._place))

    def _usable(self, found: Found) -> None:
        require_key(found, self._place, self._layout.schema, self._layout.key)

    def goes_on(self, epoch: int) -> None:
        self._epoch = epoch + 1  # what is written from now on is of the next

    def prepare(self, epoch: int) -> None:
        super().prepare(epoch)
        self._epoch = epoch + 1

    def send(self, rows: pl.DataFrame) -> Outcome:
        given = writes(rows, self._layout, self._epoch)
        refused = [r for number, w in enumerate(given) if (r := refusal(number, w)) is not None]
        bad = {r.row for r in refused}
        good = {number: w for number, w in enumerate(given) if number not in bad}
        if self._layout.singly:
            return self._one_by_one(good, refused)
        left, why = self._batches(good)
        return Outcome(refused, left, why)

    # -- many at a time

    def _batches(self, given: Mapping[int, Write]) -> tuple[list[int], TransientError | None]:
        """Send items by batches; give the numbers of those that were not taken, and why."""
        waiting = iter(given.items())
        while batch := dict(islice(waiting, ITEMS_PER_REQUEST)):
            left = self._batch(batch)
            if left:
                why = ThrottledError(f"{self._place.shown} throttles: {len(left)} items were not taken")
                return [*left, *(number for number, _ in waiting)], why
        return [], None

    def _batch(self, batch: Mapping[int, Write]) -> list[int]:
        """Send one batch, and what is left of it again, with pauses; give the numbers of what is left at last."""
        requests = [_request(w) for w in batch.values()]
        backoff, patient_until = throttled_backoff(), time.monotonic() + PATIENCE_SECONDS
        while True:
            left = self._left(requests)
            if not left:
                return []
            if len(left) < len(requests):
                patient_until = time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > patient_until:
                break
            requests = left
            self._pause(backoff.next())
        keys = {w.name: number for number, w in batch.items()}
        return [keys[_name(request, self._layout.key)] for request in left]

    def _left(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send some requests; give those that were not taken for now."""
        try:
            with written(self._place.shown):
                answer = self._client.batch_write_item(RequestItems={self._place.table: requests})
        except ThrottledError:
            return requests
        left: list[dict[str, Any]] = answer.get("UnprocessedItems", {}).get(self._place.table, [])
        return left

    def _pause(self, seconds: float) -> None:
        time.sleep(seconds)
        with self._lock:
            self._throttled += seconds

    # -- one at a time

    def _one_by_one(self, given: Mapping[int, Write], refused: list[Refused]) -> Outcome:
        """Send items alone; when one is not taken for now, the rest waits too."""
        waiting = iter(given.items())
        for number, write in waiting:
            try:
                self._alone(write)
            except DataError as error:
                refused.append(Refused(number, "refused", error.message))
            except TransientError as error:
                return Outcome(refused, [number, *(n for n, _ in waiting)], error)
        return Outcome(refused)

    def _alone(self, write: Write) -> None:
        for pause in _pauses():
            try:
                with written(self._place.shown):
                    self._ask(write)
            except ThrottledError:
                if pause is None:
                    raise
                self._pause(pause)
            else:
                return

    def _ask(self, write: Write) -> None:
        """Write one item, if what stands there is not newer."""
        ask, arguments = self._asking(write)
        try:
            ask(TableName=self._place.table, **arguments)
        except ClientError as error:
            if code_of(error) != _STALE:
                raise
            with self._lock:
                self._stale += 1

    def _asking(self, write: Write) -> tuple[Callable[..., Any], dict[str, Any]]:
        if write.gone:
            return self._client.delete_item, delete(write, self._layout, self._epoch)
        if self._layout.partial:
            return self._client.update_item, update(write, self._layout, self._epoch)
        return self._client.put_item, put(write, self._layout, self._epoch)

    def check(self) -> Report:
        return check(self._place, self._usable)

    def close(self) -> None:
        super().close()
        if self._stale:
            _log.info(
                "rows older than what stands at their key were left out", table=self._place.table, rows=self._stale
            )
            self._stale = 0
        if self._client is not None:
            self._client.close()
            self._client = None


def _pauses() -> Iterator[float | None]:
    """Give pauses for as long as one is patient, and then None."""
    backoff, until = throttled_backoff(), time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        yield backoff.next()
    yield None


def _request(write: Write) -> dict[str, Any]:
    return {"DeleteRequest": {"Key": write.key}} if write.gone else {"PutRequest": {"Item": write.item}}


def _name(request: Mapping[str, Any], key: tuple[str, ...]) -> tuple[Any, ...]:
    given = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    return named(given, key)
