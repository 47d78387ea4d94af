"""Reading message by message through confluent-kafka: slow and simple; what the native way is compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from tailrace.connectors.base import Limit
from tailrace.connectors.kafka.client import TopicPartition
from tailrace.connectors.kafka.fetched import Fetched, Fetcher, Piece, Problem, Wanted
from tailrace.connectors.kafka.logins import plain_conf
from tailrace.connectors.kafka.properties import Properties
from tailrace.formats.base import HEADERS, Rows

CHUNK = 10_000


class PlainFetcher(Fetcher):
    """Reads by `Consumer.consume`, with a client of its own."""

    def __init__(self, properties: Properties, wanted: Wanted) -> None:
        import confluent_kafka  # noqa: PLC0415 - an extra, and slow to load

        self._kafka = confluent_kafka
        self._wanted = wanted
        self._errors: list[Problem] = []
        self._consumer = confluent_kafka.Consumer(plain_conf(properties) | {"error_cb": self._on_error})

    def _on_error(self, error: Any) -> None:
        self._errors.append(Problem(None, error.code(), -1, error.str()))

    def assign(self, offsets: Mapping[TopicPartition, int]) -> None:
        make = self._kafka.TopicPartition
        self._consumer.incremental_assign([make(topic, number, offset) for (topic, number), offset in offsets.items()])

    def unassign(self, partitions: Sequence[TopicPartition]) -> None:
        self._consumer.incremental_unassign([self._kafka.TopicPartition(*tp) for tp in partitions])

    def fetch(self, limit: Limit) -> Fetched:
        fetched = Fetched()
        found = self._consumer.consume(1, limit.wait_seconds)
        if found:
            found += self._consumer.consume(min(CHUNK, limit.rows), 0.002)
        by_partition: dict[TopicPartition, list[Any]] = defaultdict(list)
        for message in found:
            tp = (message.topic(), message.partition())
            if message.error():
                error = message.error()
                fetched.problems.append(Problem(tp, error.code(), message.offset(), error.str()))
            else:
                by_partition[tp].append(message)
        fetched.problems += self._errors
        self._errors.clear()
        fetched.sent = [m.timestamp()[1] for m in found[:1] if m.error() is None and m.timestamp()[1] > 0]
        fetched.pieces = [self._piece(tp, messages) for tp, messages in by_partition.items()]
        return fetched

    def _piece(self, partition: TopicPartition, messages: list[Any]) -> Piece:
        headers = [_headers(m) for m in messages] if self._wanted.some_headers else []
        stamps = [m.timestamp() for m in messages] if self._wanted.times else None
        epochs = [m.leader_epoch() for m in messages] if self._wanted.times else None
        return Piece(
            partition,
            Rows.of([m.value() for m in messages]),
            np.array([m.offset() for m in messages], np.int64),
            Rows.of([m.key() for m in messages]) if self._wanted.keys else None,
            None if stamps is None else np.array([s[1] for s in stamps], np.int64),
            None if stamps is None else np.array([s[0] for s in stamps], np.int32),
            None if epochs is None else np.array([-1 if e is None else e for e in epochs], np.int32),
            pl.Series("headers", headers, dtype=HEADERS) if any(headers) else None,
        )

    def end_of(self, partition: TopicPartition) -> int | None:
        known = self._consumer.get_watermark_offsets(self._kafka.TopicPartition(*partition), cached=True)
        return known[1] if known and known[1] >= 0 else None

    def close(self) -> None:
        self._consumer.close()


def _headers(message: Any) -> list[dict[str, Any]]:
    """Give the headers as a map's entries: of several with one name the last, in its place."""
    given = message.headers() or []
    names = [name for name, _ in given]
    return [{"key": n, "value": v} for i, (n, v) in enumerate(given) if n not in names[i + 1 :]]
