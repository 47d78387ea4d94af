"""
Streams of Kinesis as sinks: requests of many records, of which Kinesis may take some and not others.

What it did not take is sent again. A request has at most one row of a key where order matters, since Kinesis may take the second of
two and not the first.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from tailrace.backoff import Backoff
from tailrace.connectors.aws.failures import ThrottledError, reported, throttled_backoff
from tailrace.connectors.base import Report
from tailrace.connectors.bulk import Bulk, BulkSink, Outcome, Refused
from tailrace.connectors.encoding import Message, RowEncoder, messages
from tailrace.connectors.kinesis.stream import Place
from tailrace.errors import TransientError
from tailrace.options import Values

REQUESTS = 8
"""So many requests the rows that are handed over at a time fill: of rows with one key, each request has but one."""

_PATIENCE = 5
"""So many times in a row what Kinesis throttles is sent again at once, with growing pauses; then the runtime says that it waits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What Kinesis takes: so many records and bytes in a request, so many bytes in a record, with the partition keys."""

    rows: int
    request: int
    record: int

    @classmethod
    def of(cls, options: Values) -> Limits:
        """Read the options."""
        sizes = options["sink.flush-buffer.size"], options["sink.record.max-size"]
        return cls(options["sink.batch.max-size"], max(sizes), sizes[1])


Keys = Callable[[pl.DataFrame, list[Message]], list[str]]
"""Gives the partition key of each row."""


class Waiting:
    """
    Rows by key that wait to be sent: of each key only the first may go, and the next when that was taken.

    >>> waiting = Waiting([("a", 0), ("a", 1), ("b", 2)])
    >>> waiting.take(500, 100, [1, 1, 1])
    [0, 2]
    >>> waiting.settle({0: "throttled"})
    >>> waiting.left()
    [0, 1]
    """

    def __init__(self, rows: Iterable[tuple[Hashable, int]]) -> None:
        self._rows: dict[Hashable, deque[int]] = {}
        for key, row in rows:
            self._rows.setdefault(key, deque()).append(row)
        self._ready = deque(self._rows)
        self._sent: list[Hashable] = []

    def take(self, most: int, most_bytes: int, sizes: list[int]) -> list[int]:
        """Give the rows of the next request."""
        chosen: list[int] = []
        size = 0
        while self._ready and len(chosen) < most:
            row = self._rows[self._ready[0]][0]
            size += sizes[row]
            if chosen and size > most_bytes:
                break
            chosen.append(row)
            self._sent.append(self._ready.popleft())
        return chosen

    def settle(self, failed: Collection[int]) -> None:
        """Hear which rows of the last request, by their numbers in it, were not taken: they go first."""
        for number, key in enumerate(self._sent):
            if number in failed:
                continue
            rows = self._rows[key]
            rows.popleft()
            if rows:
                self._ready.append(key)
            else:
                del self._rows[key]
        self._ready.extendleft(self._sent[number] for number in sorted(failed, reverse=True))
        self._sent.clear()

    def left(self) -> list[int]:
        """Give all rows that still wait."""
        return sorted(row for rows in self._rows.values() for row in rows)


class KinesisSink(BulkSink):
    """Puts rows into a stream."""

    def __init__(
        self, place: Place, encoder: RowEncoder, keys: Keys, limits: Limits, bulk: Bulk, *, ordered: bool
    ) -> None:
        super().__init__(bulk)
        self._place = place
        self._encoder = encoder
        self._keys = keys
        self._limits = limits
        self._ordered = ordered
        self._client: Any = None
        self._throttled = 0.0

    def open(self) -> None:
        self._client = self._client or self._place.client(self._bulk.in_flight)
        with reported(str(self._place)):
            self._client.describe_stream_summary(**self._place.stream)
        self._encoder.open()

    def send(self, rows: pl.DataFrame) -> Outcome:
        made = messages(self._encoder.encode(rows))
        keys = self._keys(rows, made)
        records = [{"Data": m.value or b"", "PartitionKey": k} for m, k in zip(made, keys, strict=True)]
        sizes = [len(r["Data"]) + len(k.encode()) for r, k in zip(records, keys, strict=True)]
        refused = [Refused(i, "too-large", self._too_large(s)) for i, s in enumerate(sizes) if s > self._limits.record]
        large = {r.row for r in refused}
        order: Iterable[tuple[Hashable, int]] = (
            (key if self._ordered else i, i) for i, key in enumerate(keys) if i not in large
        )
        again, why = self._put_all(records, sizes, Waiting(order))
        return Outcome(refused, again, why)

    def _too_large(self, size: int) -> str:
        return f"a record of {size} bytes, more than the {self._limits.record} of 'sink.record.max-size'"

    def _put_all(
        self, records: list[dict[str, Any]], sizes: list[int], waiting: Waiting
    ) -> tuple[list[int], TransientError | None]:
        """Send all; give what was not taken for now, and why."""
        backoff = throttled_backoff()
        while chosen := waiting.take(self._limits.rows, self._limits.request, sizes):
            try:
                failed = self._put([records[i] for i in chosen])
            except ThrottledError as error:
                failed = dict.fromkeys(range(len(chosen)), str(error.message))
            except TransientError as error:
                waiting.settle(range(len(chosen)))
                return waiting.left(), error
            waiting.settle(failed)
            if not failed:
                backoff.reset()
            elif backoff.tries >= _PATIENCE:
                reason = next(iter(failed.values()))
                return waiting.left(), ThrottledError(f"{self._place} takes not all records: {reason}")
            else:
                self._pause(backoff)
        return [], None

    def _pause(self, backoff: Backoff) -> None:
        seconds = backoff.next()
        self._throttled += seconds
        time.sleep(seconds)

    def _put(self, records: list[dict[str, Any]]) -> dict[int, str]:
        """Send one request; give the reason of each record that was not taken for now, by its number."""
        with reported(str(self._place)):
            answer = self._client.put_records(Records=records, **self._place.stream)
        found = {}
        for i, one in enumerate(answer["Records"]):
            if code := one.get("ErrorCode"):
                found[i] = f"{code}: {one.get('ErrorMessage', '')}"
        return found

    @property
    def throttled(self) -> float:
        return self._throttled

    def check(self) -> Report:
        report = self._place.check()
        return Report(True, report.message + self._encoder.check()) if report.ok else report

    def close(self) -> None:
        super().close()
        if self._client is not None:
            self._client.close()
            self._client = None
