"""The sinks of a topic: at least once, or exactly once by transactions that hold the number of the checkpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.connectors.base import AtLeastOnceSink, Refusals, Report, TransactionalSink
from tailrace.connectors.encoding import Encoded, RowEncoder, sizes
from tailrace.connectors.kafka.buffer import Buffer
from tailrace.connectors.kafka.client import Client, TopicPartition
from tailrace.connectors.kafka.cluster import Topics
from tailrace.connectors.kafka.creation import Wanted, counted
from tailrace.connectors.kafka.failures import FENCED, Code, failure
from tailrace.connectors.kafka.library import CONSUMER
from tailrace.connectors.kafka.limits import largest_message, topic_limit
from tailrace.connectors.kafka.producer import TOO_LARGE_HINT, Producer, closed_if_it_fails
from tailrace.connectors.kafka.properties import MAX_BLOCK, Properties, Property, connection_properties, plain
from tailrace.connectors.kafka.source import CHECK_SECONDS, checked
from tailrace.connectors.refusing import accepted
from tailrace.errors import ConfigError, DataError, TailraceError, TransientError

DEFAULTS = {
    "acks": "all",
    "batch.num.messages": "20000",
    "batch.size": "1000000",
    "client.id": "tailrace",
    "delivery.timeout.ms": "120000",
    "enable.idempotence": "true",
    "linger.ms": "20",
    # a transaction that begins before the broker has ended the last one is told to come again
    "retry.backoff.ms": "20",
    "sticky.partitioning.linger.ms": "20",
}
_FORCED = {
    # only failures are reported: those alone cost something, and what is delivered is freed at once
    "delivery.report.only.error": "true",
    # the same partition for the same key as a Java client
    "partitioner": "murmur2_random",
    # `Producer` holds less than that
    "queue.buffering.max.messages": "2000000",
    "queue.buffering.max.kbytes": "2097151",
}
TRANSACTION_TIMEOUT_MS = "900000"
"""What a broker allows at most by its own default."""

BLOCK_MS = 60_000
"""How long beginning, marking and committing transactions are tried, by default: that of Java's client."""
TRY_MS = 5_000
_KEEP_CONNECTED = "enable.sparse.connections"
"""
With `false` a client comes back to each broker by itself. A transaction's offsets may else wait for ever for a broker that
was restarted, as librdkafka asks it again only when it sees a connection come up.
"""
_KEEP_BROKERS = "metadata.recovery.strategy"
"""
With `none` a client keeps the brokers that it knows when it has lost all connections. Else it forgets them, and what waits
for one of those, as a transaction's offsets do, waits for ever.
"""
CHECKPOINT_MS = 1_000
"""What a checkpoint is given at least, of the time that a transaction lasts."""
MOST_MESSAGES = 500_000
MOST_KBYTES = 65_536


@dataclass(frozen=True, slots=True)
class Target:
    """What a sink writes to, and how."""

    topic: Topics
    properties: Properties
    partitioner: str
    most_messages: int
    most_bytes: int
    block_seconds: float = BLOCK_MS / 1000
    """How long a step of a transaction is tried."""
    made: Wanted | None = None
    """How the topic is made if it does not exist; None: as the broker decides."""

    def producer(self, more: Properties) -> Producer:
        """Make its producer; `more` goes over its own properties."""
        seconds = int(self.properties["delivery.timeout.ms"].value) / 1000 + 10
        made = self.properties | more
        return Producer(self.topic, made, self.partitioner, self.most_messages, self.most_bytes, seconds)

    def opened(self, more: Properties) -> tuple[Producer, int]:
        """
        Make its producer and open it; give it, and the most bytes that a message may have.

        A broker refuses a batch that is larger than a message of its topic may be, so batches are no larger than that.

        Raises:
            ConfigError, TransientError, TerminalError: it can't be opened.
        """
        if self.made is not None:
            self.made.ensure(self.topic, self.properties)
        producer = self.producer(more)
        with closed_if_it_fails(producer):
            producer.open()
            # only now: a topic may come into being when it is opened
            limit = topic_limit(self.topic.names[0], self.properties)
            largest = largest_message(self.properties, limit)
            if limit is None or limit >= int(self.properties["batch.size"].value):
                return producer, largest
        producer.close()
        producer = self.producer(plain({"batch.size": str(limit)}) | more)
        with closed_if_it_fails(producer):
            producer.open()
        return producer, largest

    def check(self, how: str) -> Report:
        """Reach the cluster and look at the topic; makes nothing."""

        def look(client: Client) -> str:
            if self.made is not None:
                return f"{self.made.report(self.topic, client, self.properties)}, {how}"
            return f"{self.topic} on {client.bootstrap}: {counted(self.topic.partitions(client, CHECK_SECONDS))}, {how}"

        return checked(connection_properties(self.properties), look)


def target(topic: Topics, given: Properties, partitioner: str) -> Target:
    """
    Give the target for the properties of a table.

    Raises:
        ConfigError: a size that is no number.
    """
    renamed = {_ALIASES.get(k, k): v for k, v in given.items()}
    messages = _size(renamed.pop("queue.buffering.max.messages", None), MOST_MESSAGES)
    kbytes = _size(renamed.pop("queue.buffering.max.kbytes", None), MOST_KBYTES)
    block = _size(renamed.pop(MAX_BLOCK, None), BLOCK_MS)
    properties = plain(DEFAULTS) | renamed | plain(_FORCED)
    _size(properties["delivery.timeout.ms"], 0)
    return Target(topic, properties, partitioner, min(messages, 1_000_000), min(kbytes, 1 << 20) << 10, block / 1000)


def in_transactions(target: Target, interval_ms: int) -> Target:
    """
    Give a target for transactions that end with each checkpoint, one each `interval_ms`.

    Raises:
        ConfigError: a transaction would be over before its checkpoint, or before a message counts as undeliverable.
    """
    made = plain({"transaction.timeout.ms": TRANSACTION_TIMEOUT_MS}) | target.properties
    timeout, delivery = made["transaction.timeout.ms"], made["delivery.timeout.ms"]
    milliseconds = _size(timeout, 0)
    left = milliseconds - interval_ms
    if left < CHECKPOINT_MS:
        name = timeout.option or "properties.transaction.timeout.ms"
        message = f"'{name}' ({milliseconds} ms) is not longer than the checkpoint interval ({interval_ms} ms)"
        message += " by the second that a checkpoint needs at least" if left > 0 else ""
        hint = "a transaction lasts from one checkpoint to the next: take checkpoints more often, or raise the time-out"
        raise ConfigError(message, hint=hint, location=timeout.location or target.topic.location)
    if left < _size(delivery, 0):
        if delivery.option:
            message = (
                f"'{delivery.option}' ({delivery.value} ms) is longer than a transaction lasts ({milliseconds} ms)"
                f" beyond the checkpoint interval ({interval_ms} ms)"
            )
            raise ConfigError(message, hint="lower it", location=delivery.location)
        made |= plain({"delivery.timeout.ms": str(left)})
    return replace(target, properties=made)


_ALIASES = {
    "message.timeout.ms": "delivery.timeout.ms",
    "request.required.acks": "acks",
    "queue.buffering.max.ms": "linger.ms",
}


def _size(given: Property | None, default: int) -> int:
    if given is None:
        return default
    if not given.value.isdecimal() or not int(given.value):
        raise ConfigError(f"option '{given.option}' must be a number above zero", location=given.location)
    return int(given.value)


class _Writable:
    """Finds the rows of batches that can be written to a topic: those that can be encoded, and are not too large."""

    def __init__(self, target: Target, encoder: RowEncoder) -> None:
        self._topic = target.topic.names[0]
        self.encoder = encoder
        self.largest = 0
        """The most bytes that a message may have; who opens the topic says it."""

    def checked(self, report: Report) -> Report:
        """Add to what was found of a topic what was found of the formats of its rows."""
        return replace(report, message=report.message + self.encoder.check()) if report.ok else report

    def encode(self, batch: pl.DataFrame, refusals: Refusals) -> Encoded:
        """
        Give the rows that can be written as messages; the others are refused.

        Raises:
            DataError: a row can't be encoded, and that is not tolerated.
        """
        return self._taken(batch, refusals)[1] if refusals.tolerates else self.encoder.encode(batch)

    def rows(self, batch: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
        """Give the rows that can be written; the others are refused."""
        return self._taken(batch, refusals)[0]

    def _taken(self, batch: pl.DataFrame, refusals: Refusals) -> tuple[pl.DataFrame, Encoded]:
        """Give the rows that can be written, and their messages: one each, so that rows and messages keep in step."""
        batch = self.encoder.sent(batch)
        try:
            encoded = self.encoder.encode(batch)
        except DataError:
            batch = accepted(batch, self.encoder.encode, refusals, "encode")
            encoded = self.encoder.encode(batch)
        small = self._are_small(batch, sizes(encoded), refusals)
        if small.all():
            return batch, encoded
        batch = batch.filter(pl.Series(small))
        return batch, self.encoder.encode(batch)

    def _are_small(self, batch: pl.DataFrame, size: npt.NDArray[np.int64], refusals: Refusals) -> npt.NDArray[np.bool_]:
        """Tell which rows are not too large; the others are refused."""
        small = size <= self.largest
        for row in np.flatnonzero(~small).tolist():
            reason = (
                f"a message of {size[row]:,} bytes is more than the {self.largest:,} that topic '{self._topic}' takes"
            )
            refusals.refuse(batch.slice(row, 1), "too-large", reason, TOO_LARGE_HINT)
        return small


class KafkaSink(AtLeastOnceSink):
    """Writes rows as they come, or as `buffer` lets them through; a checkpoint waits until all are delivered."""

    traced = True

    def __init__(self, target: Target, encoder: RowEncoder, buffer: Buffer) -> None:
        self._target = target
        self._writable = _Writable(target, encoder)
        self._buffer = buffer
        self._producer: Producer | None = None

    def open(self) -> None:
        self.close()  # what an open that failed has left
        self._writable.encoder.open()
        self._producer, self._writable.largest = self._target.opened({})

    @property
    def producer(self) -> Producer:
        """The producer of the open sink."""
        assert self._producer is not None
        return self._producer

    def write(self, batch: pl.DataFrame) -> None:
        self._send(self._buffer.add(batch))

    def _send(self, rows: pl.DataFrame | None) -> None:
        if rows is not None:
            self.producer.send(self._writable.encode(rows, self.refusals))

    @property
    def throttled(self) -> float:
        return self._producer.client.throttled if self._producer is not None else 0.0

    def flush(self) -> None:
        self._send(self._buffer.take())
        self.producer.heed()

    def prepare(self, epoch: int) -> None:
        self._send(self._buffer.take())
        self.producer.flush()

    def check(self) -> Report:
        return self._writable.checked(self._target.check("at-least-once"))

    def close(self) -> None:
        self._buffer.take()
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close()


class KafkaTransactionalSink(TransactionalSink):
    """
    Writes rows in one transaction an epoch; the epoch's number is an offset that the same transaction commits.

    That offset is of a group with the name of the transactional id, on partition 0 of the topic.
    """

    traced = True

    def __init__(self, target: Target, encoder: RowEncoder, transactional_id: str, buffer: Buffer) -> None:
        self._target = target
        self._writable = _Writable(target, encoder)
        self._buffer = buffer
        self._id = transactional_id
        self._producer: Producer | None = None
        self._begun = False
        self._seconds = target.block_seconds
        self._try_ms = min(TRY_MS, int(target.block_seconds * 1000))

    @property
    def _mark(self) -> TopicPartition:
        return (self._target.topic.names[0], 0)

    def open(self) -> int:
        self.close()  # what an open that failed has left
        self._writable.encoder.open()
        more = plain({"transactional.id": self._id, _KEEP_CONNECTED: "false", _KEEP_BROKERS: "none"})
        self._producer, self._writable.largest = self._target.opened(more)
        init = self._producer.client.lib.init_transactions
        self._call(lambda p: init(p.client.handle, self._try_ms), "transactions can't be begun")
        return self._last()

    def _last(self) -> int:
        """Read the mark back; what older runs left open is aborted by now."""
        only = {k: v for k, v in self._target.properties.items() if not _is_producers(k)}
        with Client(CONSUMER, only | plain({"group.id": self._id, "isolation.level": "read_committed"})) as client:
            return client.committed([self._mark]).get(self._mark, 0)

    def _begin(self) -> Producer:
        producer = self._producer
        assert producer is not None
        if not self._begun:
            begin = producer.client.lib.begin_transaction
            self._call(lambda p: begin(p.client.handle), "a transaction can't be begun")
            self._begun = True
        return producer

    def write(self, batch: pl.DataFrame) -> None:
        self._send(self._buffer.add(batch))

    def _send(self, rows: pl.DataFrame | None) -> None:
        if rows is not None:
            self._begin().send(self._writable.encode(rows, self.refusals))

    @property
    def throttled(self) -> float:
        return self._producer.client.throttled if self._producer is not None else 0.0

    def sift(self, batches: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
        return [self._writable.rows(batch, self.refusals) for batch in batches]

    def prepare(self, epoch: int) -> None:
        self._send(self._buffer.take())

    def flush(self) -> None:
        if self._producer is not None:
            self._send(self._buffer.take())
            self._producer.heed()

    def commit(self, epoch: int) -> None:
        self._send(self._buffer.take())
        producer = self._begin()
        producer.flush()
        lib, handle = producer.client.lib, producer.client.handle
        group = lib.consumer_group_metadata_new(self._id.encode())
        try:
            with producer.client.listed({self._mark: epoch}) as listed:
                self._call(
                    lambda p: _bounded(
                        p, lambda: lib.send_offsets_to_transaction(handle, listed, group, self._try_ms), self._seconds
                    ),
                    "the checkpoint can't be marked",
                )
        finally:
            lib.consumer_group_metadata_destroy(group)
        self._call(lambda _: lib.commit_transaction(handle, self._try_ms), "the transaction can't be committed")
        self._begun = False
        producer.heed()

    def _call(self, call: Callable[[Producer], int | None], what: str) -> None:
        """
        Call what gives an error object; tries again what may be tried again.

        A commit whose end is not known is asked for again; should that fail too, the mark tells the next run.
        """
        producer = self._producer
        assert producer is not None
        lib, end = producer.client.lib, time.monotonic() + self._seconds
        while error := call(producer):
            again = bool(lib.error_is_retriable(error))
            code, reason = producer.client.settle(error)
            producer.client.poll()
            if not again or time.monotonic() >= end:
                raise self._failed(producer, code, reason, what, again=again)

    def _failed(self, producer: Producer, code: int, reason: str, what: str, *, again: bool) -> TailraceError:
        topic = f"topic '{producer.name}': {what}"
        fatal, why = producer.client.fatal()
        if code in FENCED or fatal in FENCED:
            return failure(Code.FENCED, reason, topic, self._target.topic.location)
        if producer.client.undelivered:
            try:
                producer.heed()
            except TailraceError as error:
                return error
        if again:
            return TransientError(f"{topic}: {reason}", location=self._target.topic.location)
        return producer.client.fail(fatal or code, topic, why or reason)

    def check(self) -> Report:
        return self._writable.checked(self._target.check("exactly-once by transactions"))

    def close(self) -> None:
        self._buffer.take()
        producer, self._producer = self._producer, None
        if producer is None or producer.stuck:
            return
        if self._begun and not producer.client.fatal()[0]:
            # readers wait for the end of a transaction: an end now spares them the time-out
            producer.purge()
            producer.client.settle(producer.client.lib.abort_transaction(producer.client.handle, self._try_ms))
        producer.close()


def _bounded(producer: Producer, call: Callable[[], int | None], seconds: float) -> int | None:
    """
    Make a call whose own time-out librdkafka does not keep; a client that never comes back from it is given up.

    Raises:
        TransientError: it took too long.
    """
    outcome: list[int | None] = []
    thread = threading.Thread(target=lambda: outcome.append(call()), name="tailrace-kafka-offsets", daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        producer.stuck = True
        raise TransientError(f"topic '{producer.name}': the coordinator of the job's offsets does not answer")
    return outcome[0]


def _is_producers(key: str) -> bool:
    """Whether a property is for producers only."""
    return key in DEFAULTS or key in _FORCED or key.startswith(("transaction", "compression", "retries"))
