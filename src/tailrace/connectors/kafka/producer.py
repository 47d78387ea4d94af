"""Writing by librdkafka's batches of messages and the kernels, with bounded memory, and failures that are never lost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tailrace.connectors.encoding import Encoded, sizes
from tailrace.connectors.kafka import foreign, logins, writing_kernels
from tailrace.connectors.kafka.client import ASK_SECONDS, Client
from tailrace.connectors.kafka.cluster import Topics
from tailrace.connectors.kafka.failures import FENCED, LOGIN, PURGED, TOO_LARGE, Code
from tailrace.connectors.kafka.library import ANY_PARTITION, FLAG_COPY, FLAG_PARTITION, PRODUCER, PURGE_ALL
from tailrace.connectors.kafka.properties import Properties
from tailrace.errors import DataError, TailraceError
from tailrace.formats.base import Rows

CHUNK = 16_384
"""Messages handed over at a time."""

TOO_LARGE_HINT = "raise 'properties.max.request.size' and the topic's 'max.message.bytes'"
CHUNK_BYTES = 4 << 20
WAIT_MS = 20
FLUSH_MS = 200
_NO_NUMBERS = np.empty(0, np.int64)
_NO_BITS = np.empty(0, np.bool_)
_NO_BYTES = np.empty(0, np.uint8)


class Producer:
    """
    Writes rows to one topic, in order.

    At most `most_messages` and about `most_bytes` wait to be delivered: beyond that `send` waits. A message that could
    not be delivered is raised by the next call.
    """

    def __init__(
        self,
        topic: Topics,
        properties: Properties,
        partitioner: str,
        most_messages: int,
        most_bytes: int,
        seconds: float,
    ) -> None:
        self.client = Client(PRODUCER, properties)
        self.name = topic.names[0]
        self._lib = self.client.lib
        self._location = topic.location
        self._partitioner = partitioner
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._topics = topic
        self._rkt = 0
        self._partitions = 0
        self._next_partition = 0
        self._messages = np.zeros(CHUNK * foreign.MESSAGE_WORDS, np.int64)
        self._arguments = np.zeros(writing_kernels.ARGUMENTS * 9, np.int64)
        self._sent = 0
        self._waiting: deque[tuple[int, int]] = deque()
        self._waiting_bytes = 0
        self._in_transactions = "transactional.id" in properties
        self.stuck = False
        """Whether a call never came back: the client can't even be closed."""

    def open(self) -> None:
        """
        Find the topic, which the broker may make now.

        Raises:
            ConfigError: it does not exist and is not made.
            TransientError, TerminalError: the cluster can't be asked, or the topic must not be written.
        """
        end = time.monotonic() + ASK_SECONDS
        info = self.client.topic(self.name)
        while info.error and time.monotonic() < end and (not info.exists or info.error == Code.LEADER_NOT_AVAILABLE):
            self.client.poll(100)
            info = self.client.topic(self.name)
        if info.error:
            raise self._topics.wrong(self.client, self.name, info)
        self._partitions = len(info.partitions)
        self._rkt = int(self._lib.topic_new(self.client.handle, self.name.encode(), None))

    def send(self, encoded: Encoded) -> None:
        """
        Hand rows over for delivery; waits while too much is under way.

        Raises:
            DataError: a row is too large.
            TransientError, TerminalError, ConfigError: an earlier row could not be delivered.
        """
        ends = np.cumsum(sizes(encoded))
        row, total = 0, len(encoded.values)
        while row < total:
            before = int(ends[row - 1]) if row else 0
            count = max(1, int(np.searchsorted(ends, before + CHUNK_BYTES, "right")) - row)
            count = min(count, CHUNK, total - row)
            size = int(ends[row + count - 1]) - before
            self._make_room(count, size)
            self._hand_over(encoded, row, count)
            self._sent += count
            self._waiting.append((self._sent, size))
            self._waiting_bytes += size
            row += count
        self.heed()

    def _make_room(self, count: int, size: int) -> None:
        """Wait for deliveries; bounded, as a message that waits for too long fails, and that is raised."""
        while True:
            under_way = self._lib.outq_len(self.client.handle)
            while self._waiting and self._waiting[0][0] <= self._sent - under_way:
                self._waiting_bytes -= self._waiting.popleft()[1]
            full = under_way + count > self._most_messages or self._waiting_bytes + size > self._most_bytes
            if not full or not under_way:
                return
            self.client.poll(WAIT_MS)
            self.heed()

    def _hand_over(self, encoded: Encoded, row: int, count: int) -> None:
        values, keys = encoded.values, encoded.keys or Rows(_NO_BYTES, _NO_NUMBERS, _NO_NUMBERS)
        spread = self._partitioner == "round-robin"
        writing_kernels.fill(
            self._messages,
            row,
            count,
            values.data.ctypes.data,
            values.starts,
            values.ends,
            _NO_BITS if values.nulls is None else values.nulls,
            keys.data.ctypes.data,
            keys.starts,
            keys.ends,
            _NO_BITS if keys.nulls is None else keys.nulls,
            self._next_partition,
            int(spread),
            self._partitions,
        )
        if spread:
            self._next_partition = (self._next_partition + count) % self._partitions
        if encoded.times is None and encoded.headers is None:
            self._produce_batch(count)
        else:
            self._produce_mixed(encoded, row, count)

    @property
    def _flags(self) -> int:
        return FLAG_COPY | (FLAG_PARTITION if self._partitioner != "default" else 0)

    def _produce_batch(self, count: int) -> None:
        taken = self._lib.produce_batch(self._rkt, ANY_PARTITION, self._flags, self._messages.ctypes.data, count)
        if taken < count:
            raise self._of_batch(count)

    def _of_batch(self, count: int) -> TailraceError:
        """Give the error that the first message tells of those that a batch did not take."""
        told = self._messages[:: foreign.MESSAGE_WORDS][:count] & 0xFFFFFFFF
        at = int(np.flatnonzero(told)[0])
        # the code is a signed half of the word
        code = int(np.int64(told[at]).astype(np.int32))
        return self._not_taken(code, self._size(at))

    def _produce_mixed(self, encoded: Encoded, row: int, count: int) -> None:
        """Hand over messages some of which have a time or headers."""
        times, headers = encoded.times, encoded.headers
        taken, error, left = writing_kernels.produce_mixed(
            self._messages,
            row,
            count,
            self._arguments,
            self._arguments.ctypes.data,
            self.client.handle,
            self._rkt,
            ANY_PARTITION,
            self._flags,
            self._lib.address("produce_batch"),
            self._lib.address("produceva"),
            self._lib.address("headers_new"),
            self._lib.address("header_add"),
            _NO_NUMBERS if times is None else times.values,
            _NO_BITS if times is None else times.nulls,
            _NO_NUMBERS if headers is None else headers.row_ends,
            0 if headers is None else headers.names.ctypes.data,
            _NO_NUMBERS if headers is None else headers.name_ends,
            0 if headers is None else headers.values.ctypes.data,
            _NO_NUMBERS if headers is None else headers.value_ends,
            _NO_BITS if headers is None else headers.value_nulls,
        )
        if taken == count:
            return
        if not error:
            raise self._of_batch(count)
        if left:
            self._lib.headers_destroy(left)
        code, _ = self.client.settle(error)
        raise self._not_taken(code, self._size(taken))

    def _size(self, at: int) -> int:
        m = at * foreign.MESSAGE_WORDS
        return int(self._messages[m + 4] + self._messages[m + 6])

    def _not_taken(self, code: int, size: int) -> TailraceError:
        if code in TOO_LARGE:
            return DataError(
                f"a row of {size:,} bytes is too large for topic '{self.name}'",
                hint=TOO_LARGE_HINT,
                location=self._location,
            )
        return self._failed(code, f"a row could not be written to topic '{self.name}'")

    def _failed(self, code: int, what: str) -> TailraceError:
        """Give the error for a code; one that ends the client is told by its own code."""
        fatal, reason = self.client.fatal()
        return self.client.fail(fatal or code, what, reason)

    def _undelivered(self, code: int, partition: int) -> TailraceError:
        where = f"{self.name}-{partition}" if partition >= 0 else f"topic '{self.name}'"
        what = f"rows could not be delivered to {where}"
        if code in PURGED and self._in_transactions:
            # they went with their transaction: beginning one is refused with what has ended this one
            why, reason = self.client.settle(self._lib.begin_transaction(self.client.handle))
            if why and not self.client.fatal()[0]:
                return self.client.fail(why, what, reason)
        return self._failed(code, what)

    def heed(self) -> None:
        """
        Raise what has failed since the last call.

        Raises:
            DataError, TransientError, TerminalError, ConfigError: a message was not delivered, or the client has ended.
        """
        self.client.poll()
        if self.client.undelivered:
            code, partition = self.client.undelivered[0]
            self.client.undelivered.clear()
            if code in TOO_LARGE:
                raise self._not_taken(code, 0)
            raise self._undelivered(code, partition)
        told = {c: text for c, text in self.client.errors if not text.startswith(logins.NO_TOKEN)}
        if Code.FATAL in told or told.keys() & FENCED:
            raise self._failed(Code.FATAL, f"topic '{self.name}' can't be written any more")
        # rows wait for a new password no longer than for a broker that is away
        refused = told.keys() & LOGIN if not self.client.follows_password else set()
        if refused:
            raise self.client.fail(Code.TRANSPORT, f"topic '{self.name}' can't be written")

    def flush(self) -> None:
        """
        Wait until everything is delivered; bounded by the time that a message may take.

        Raises:
            DataError, TransientError, TerminalError, ConfigError: something could not be delivered.
        """
        end = time.monotonic() + self._seconds
        while self._lib.flush(self.client.handle, FLUSH_MS):
            self.heed()
            if time.monotonic() >= end:
                raise self.client.fail(Code.TIMED_OUT, f"rows could not be delivered to topic '{self.name}' in time")
        self.heed()
        self._waiting.clear()
        self._waiting_bytes = 0

    def purge(self) -> None:
        """Drop what is not delivered."""
        self._lib.purge(self.client.handle, PURGE_ALL)
        self._lib.flush(self.client.handle, FLUSH_MS)
        self.client.undelivered.clear()

    def close(self) -> None:
        """Let go of everything; what is not delivered is dropped."""
        if self._rkt:
            rkt, self._rkt = self._rkt, 0
            self.purge()
            self._lib.topic_destroy(rkt)
        self.client.close()


@contextmanager
def closed_if_it_fails(producer: Producer) -> Iterator[None]:
    """Close a producer if what is done with it fails."""
    try:
        yield
    except BaseException:  # whatever ended it: the producer is closed, and the error goes on
        producer.close()
        raise
