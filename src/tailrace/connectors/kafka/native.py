"""Reading by librdkafka's batches of messages and the kernels: no Python object for a message."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import structlog

from tailrace.connectors.base import Limit
from tailrace.connectors.kafka import reading_kernels
from tailrace.connectors.kafka.client import Client, TopicPartition
from tailrace.connectors.kafka.failures import failure
from tailrace.connectors.kafka.fetched import Fetched, Fetcher, Piece, Problem, Wanted
from tailrace.connectors.kafka.library import Message
from tailrace.connectors.kafka.message_headers import MessageHeaders
from tailrace.formats.base import Rows

CHUNK = 4096
"""Messages taken at a time: few enough for their structures to stay in the cache while they are copied."""

LINGER_MS = 2
"""How long to wait for more behind a first message, so that a slow stream does not come row by row."""

_log = structlog.get_logger("tailrace.kafka")


class Arena:
    """Bytes that grow; handed over when a look is done."""

    def __init__(self) -> None:
        self.data = np.empty(0, np.uint8)
        self.used = 0

    def room(self, more: int, guess: int) -> int:
        """Make room for `more` bytes, and for `guess` in all if it has to grow; give the address."""
        if self.used + more > len(self.data):
            grown = np.empty(max(self.used + more, guess, 2 * self.used), np.uint8)
            grown[: self.used] = self.data[: self.used]
            self.data = grown
        return int(self.data.ctypes.data)

    def take(self) -> np.ndarray:
        """Hand over the bytes used, and begin anew."""
        data, self.data = self.data[: self.used], np.empty(0, np.uint8)
        self.used = 0
        return data


class _Places:
    """Where rows of bytes are in an arena."""

    def __init__(self, rows: int) -> None:
        self.arena = Arena()
        self.starts = np.empty(rows, np.int64)
        self.ends = np.empty(rows, np.int64)
        self.nulls = np.empty(rows, np.bool_)

    def rows(self, data: np.ndarray, which: np.ndarray) -> Rows:
        nulls = self.nulls[which]
        return Rows(data, self.starts[which], self.ends[which], nulls if nulls.any() else None)


class NativeFetcher(Fetcher):
    """Reads by `rd_kafka_consume_batch_queue`; its scratch arrays are used again with each look."""

    def __init__(self, client: Client, wanted: Wanted, rows: int = Limit().rows) -> None:
        self._client = client
        self._lib = client.lib
        self._queue = self._lib.queue_get_consumer(client.handle)
        self._wanted = wanted
        self._peeks = not wanted.headers
        self._messages = np.zeros(CHUNK, np.int64)
        self._destroy = self._lib.address("message_destroy")
        self._cells = np.zeros(4, np.int64)
        self._scratch(rows + CHUNK)
        self._slot_rkt = np.zeros(1, np.int64)
        self._slot_partition = np.zeros(1, np.int32)
        self._assigned = 0

    def _scratch(self, rows: int) -> None:
        self._room = rows
        self._values = _Places(rows)
        self._keys = _Places(rows if self._wanted.keys else 0)
        self._offsets = np.empty(rows, np.int64)
        self._slot_of = np.empty(rows, np.int32)
        timed = rows if self._wanted.times else 0
        self._times = np.empty(timed, np.int64)
        self._kinds = np.empty(timed, np.int32)
        self._epochs = np.empty(timed, np.int32)
        self._headers = MessageHeaders(self._lib, rows) if self._wanted.some_headers else None
        self._order = np.empty(rows, np.int64)
        self._bad = np.empty(CHUNK, np.int64)
        self._headed = np.empty(CHUNK, np.int64)

    def assign(self, offsets: Mapping[TopicPartition, int]) -> None:
        with self._client.listed(offsets) as listed:
            code, reason = self._client.settle(self._lib.incremental_assign(self._client.handle, listed))
        if code:
            raise failure(code, reason, "partitions can't be assigned")
        self._assigned += len(offsets)
        # room to spare: a topic that was made anew has another handle
        self._slot_rkt = np.zeros(2 * self._assigned + 16, np.int64)
        self._slot_partition = np.zeros(2 * self._assigned + 16, np.int32)

    def unassign(self, partitions: Sequence[TopicPartition]) -> None:
        with self._client.listed(dict.fromkeys(partitions, 0)) as listed:
            code, reason = self._client.settle(self._lib.incremental_unassign(self._client.handle, listed))
        if code:
            raise failure(code, reason, "partitions can't be let go of")

    def fetch(self, limit: Limit) -> Fetched:
        if limit.rows + CHUNK > self._room:
            self._scratch(limit.rows + CHUNK)
        fetched = Fetched()
        names: dict[int, str] = {}
        rows = slots = 0
        count = self._first(limit)
        while count > 0:
            rows, slots = self._take(count, rows, slots, limit, names, fetched)
            full = rows >= limit.rows or self._values.arena.used >= limit.bytes
            if full or count < CHUNK:
                break
            count = self._consume(0, CHUNK)
        if rows:
            fetched.pieces = self._pieces(rows, slots, names)
        return fetched

    def _first(self, limit: Limit) -> int:
        """Wait for a first message, and a little for more."""
        count = self._consume(0, CHUNK)
        if count or not limit.wait_seconds:
            return count
        # a wait for many would take its whole time even if one is there
        count = self._consume(max(1, int(limit.wait_seconds * 1000)), 1)
        if count:
            count += self._consume(LINGER_MS, CHUNK - count, count)
        return count

    def _consume(self, milliseconds: int, most: int, at: int = 0) -> int:
        count = self._lib.consume_batch_queue(self._queue, milliseconds, self._messages[at:].ctypes.data, most)
        return max(0, int(count))

    def _take(
        self, count: int, row: int, slots: int, limit: Limit, names: dict[int, str], fetched: Fetched
    ) -> tuple[int, int]:
        """Copy a chunk of messages and give them back; gives rows and slots used now."""
        messages, values = self._messages, self._values
        payloads, keys, good = reading_kernels.sizes(messages, count)
        share = max(1, limit.rows // max(1, good)) if count == CHUNK else 1
        address = values.arena.room(payloads, min(payloads * share, limit.bytes + payloads))
        after, values.arena.used, slots, errors, headed, misled = reading_kernels.gather(
            messages,
            count,
            row,
            values.arena.used,
            slots,
            address,
            values.starts,
            values.ends,
            values.nulls,
            self._offsets,
            self._slot_of,
            self._slot_rkt,
            self._slot_partition,
            self._bad,
            0 if self._headers is None else self._lib.address("message_headers"),
            self._peeks,
            self._cells.ctypes.data,
            self._headed,
        )
        if misled:
            _log.warning("librdkafka keeps payloads elsewhere than it did: each message is asked for headers")
            self._peeks = False
        self._take_more(count, row, keys, keys * share)
        if self._headers is not None and headed:
            at = self._headed[:headed]
            self._headers.take(messages[at], row + at - np.searchsorted(self._bad[:errors], at))
        for rkt in self._slot_rkt[:slots].tolist():
            if rkt not in names:
                names[rkt] = self._lib.topic_name(rkt).decode()
        self._note_time(int(messages[0]), fetched)
        fetched.problems += [self._problem(int(messages[i])) for i in self._bad[:errors].tolist()]
        reading_kernels.destroy(messages, count, self._destroy)
        return after, slots

    def _note_time(self, address: int, fetched: Fetched) -> None:
        """Note when one message of the chunk was sent; -1 tells that it is none, or has no time."""
        time = int(self._lib.message_timestamp(address, ctypes.byref(ctypes.c_int())))
        if time > 0:
            fetched.sent.append(time)

    def _take_more(self, count: int, row: int, key_bytes: int, guess: int) -> None:
        """Copy what is wanted beside payloads."""
        if self._wanted.keys:
            keys = self._keys
            address = keys.arena.room(key_bytes, guess)
            _, keys.arena.used = reading_kernels.gather_keys(
                self._messages, count, row, keys.arena.used, address, keys.starts, keys.ends, keys.nulls
            )
        if self._wanted.times:
            time, epoch = self._lib.address("message_timestamp"), self._lib.address("message_leader_epoch")
            cell = self._cells.ctypes.data
            reading_kernels.gather_times(
                self._messages, count, row, time, epoch, cell, self._times, self._kinds, self._epochs
            )

    def _problem(self, address: int) -> Problem:
        message = Message.from_address(address)
        reason = (self._lib.message_errstr(address) or b"").decode(errors="replace")
        partition = None
        if message.rkt and message.partition >= 0:
            partition = (self._lib.topic_name(message.rkt).decode(), int(message.partition))
        return Problem(partition, int(message.err), int(message.offset), reason)

    def _pieces(self, rows: int, slots: int, names: dict[int, str]) -> list[Piece]:
        bounds = reading_kernels.order_by_slot(self._slot_of, rows, slots, self._order).tolist()
        values, keys = self._values.arena.take(), self._keys.arena.take()
        headers = self._headers
        if headers is not None:
            headers.end(rows)
        timed = self._wanted.times
        pieces = []
        for slot, (begin, end) in enumerate(pairwise(bounds)):
            which = self._order[begin:end]
            pieces.append(
                Piece(
                    (names[int(self._slot_rkt[slot])], int(self._slot_partition[slot])),
                    self._values.rows(values, which),
                    self._offsets[which],
                    self._keys.rows(keys, which) if self._wanted.keys else None,
                    self._times[which] if timed else None,
                    self._kinds[which] if timed else None,
                    self._epochs[which] if timed else None,
                    None if headers is None else headers.of(which),
                )
            )
        if headers is not None:
            headers.reset()
        return pieces

    def end_of(self, partition: TopicPartition) -> int | None:
        low, high = ctypes.c_int64(), ctypes.c_int64()
        code = self._lib.get_watermark_offsets(
            self._client.handle, partition[0].encode(), partition[1], ctypes.byref(low), ctypes.byref(high)
        )
        return None if code or high.value < 0 else high.value

    def close(self) -> None:
        if self._queue:
            queue, self._queue = self._queue, None
            self._lib.queue_destroy(queue)
