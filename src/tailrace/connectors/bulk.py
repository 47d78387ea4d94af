"""
What sinks share that write by requests of many rows: buffers, requests at a time, order, and rows that are refused.

A connector says how one request is sent (`BulkSink.send`) and what of it the system took (`Outcome`). Rows that it did
not take for now stay in the buffer, before all later ones, and are sent again by the runtime, with pauses.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from tailrace.connectors.base import AtLeastOnceSink, Guarantee
from tailrace.engine.batch import KIND, RowKind
from tailrace.engine.changes import REMOVED
from tailrace.errors import DataError, TerminalError, TransientError
from tailrace.options import Option, Values, duration, integer, memory_size, positive

WHOLE: tuple[str, ...] = ()
"""The order in which all rows are kept in the order in which they came."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of a request that the system refuses: its number in the request, a stable code, and the reason (no payload)."""

    row: int
    code: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What a system did with a request: it took all rows but the `refused` ones and those to send `again`.

    `again` has the numbers of rows that it did not take for now (it throttles), and `why` says why.
    """

    refused: Sequence[Refused] = ()
    again: Sequence[int] = ()
    why: TransientError | None = None


TAKEN = Outcome()


@dataclass(frozen=True, slots=True)
class Bulk:
    """
    How rows become requests: of so many rows and (about) bytes at most, so many requests at a time.

    With a `key` only the last row of each key in a buffer is sent, so that requests may go in any order. Else `order` has
    the columns within whose values rows keep their order (`WHOLE`: all do, one request at a time; None: no order).
    """

    rows: int = 1000
    bytes: int = 4 << 20
    in_flight: int = 4
    linger_seconds: float = 0.0
    key: tuple[str, ...] = ()
    order: tuple[str, ...] | None = WHOLE

    @classmethod
    def of(cls, options: Values, *, key: tuple[str, ...] = (), order: tuple[str, ...] | None = WHOLE) -> Bulk:
        """Read the options that `bulk_options` gave to the connector."""
        return cls(
            options["sink.bulk-flush.max-actions"],
            options["sink.bulk-flush.max-size"],
            options["sink.max-in-flight"],
            options["sink.bulk-flush.interval"] / 1000,
            key,
            order,
        )


def bulk_options(rows: int, size: int = 4 << 20, in_flight: int = 4, linger_ms: int = 0) -> tuple[Option, ...]:
    """
    Give the options of a sink that writes by requests, with these defaults.

    >>> [o.key for o in bulk_options(1000)][:2]
    ['sink.bulk-flush.max-actions', 'sink.bulk-flush.max-size']
    """
    return (
        Option("sink.bulk-flush.max-actions", positive(integer), rows, "how many rows a request has at most"),
        Option("sink.bulk-flush.max-size", memory_size, size, "how many bytes of rows a request has at most, about"),
        Option(
            "sink.bulk-flush.interval",
            duration,
            linger_ms,
            "how long rows may wait for more when the stream pauses; a checkpoint sends them all",
        ),
        Option("sink.max-in-flight", positive(integer), in_flight, "how many requests are under way at a time"),
    )


@dataclass(slots=True)
class _Sent:
    """What came of the requests of one lane: rows to send again, why, and rows that were refused, each with its reason."""

    left: list[pl.DataFrame] = field(default_factory=list)
    why: TransientError | None = None
    refused: list[tuple[pl.DataFrame, Refused]] = field(default_factory=list)


class BulkSink(AtLeastOnceSink):
    """
    Gathers rows and sends them by requests on threads; a checkpoint is complete when all are taken.

    A subclass has `open`, `check`, `close` (which calls `super().close()`) and `send`. Rows are seen at once, and after a crash some come again: where
    a row that is written twice is the same as once (by key), give `effectively_once`.
    """

    resumes = True

    def __init__(self, bulk: Bulk, *, effectively_once: bool = False) -> None:
        self.guarantee = Guarantee.EFFECTIVELY_ONCE if effectively_once else Guarantee.AT_LEAST_ONCE
        self.linger_seconds = bulk.linger_seconds
        self._bulk = bulk
        self._waiting: list[pl.DataFrame] = []
        self._rows = 0
        self._bytes = 0
        self._threads: ThreadPoolExecutor | None = None

    @abstractmethod
    def send(self, rows: pl.DataFrame) -> Outcome:
        """
        Send one request: rows of `table.written` (and KIND, where the stream updates); called on several threads at a time.

        With a key there is one row of each, and a kind of REMOVED takes the row of its key away (`split_kinds`).

        Raises:
            TransientError: the system is away, or the outcome is not known: all rows come again.
            DataError: it refuses the request for some row, and took none: that row is looked for by halves.
            TerminalError: it can't go on.
        """

    def write(self, batch: pl.DataFrame) -> None:
        self._waiting.append(batch)
        self._rows += len(batch)
        self._bytes += int(batch.estimated_size())

    @property
    def full(self) -> bool:
        """Whether it has enough for all its requests at a time, and is to be flushed before it takes more."""
        bulk = self._bulk
        return self._rows >= bulk.rows * bulk.in_flight or self._bytes >= bulk.bytes * bulk.in_flight

    def prepare(self, epoch: int) -> None:
        self.flush()

    def flush(self) -> None:
        """
        Send all rows that wait.

        Raises:
            TransientError: some were not taken, and are kept for the next call.
        """
        rows = self._last()
        if not len(rows):
            return
        lanes = self._lanes(rows)
        sent = [self._lane(lanes[0])] if len(lanes) == 1 else list(self._pool().map(self._lane, lanes))
        self._keep([frame for s in sent for frame in s.left])
        for frame, refused in (pair for s in sent for pair in s.refused):
            self.refusals.refuse(frame, refused.code, refused.reason, refused.hint)
        why = next((s.why for s in sent if s.why is not None), None)
        if why is not None:
            raise why

    def close(self) -> None:
        """Let go of the threads."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def _last(self) -> pl.DataFrame:
        """Give what waits; of several rows of one key the last."""
        rows = pl.concat(self._waiting, how="diagonal") if self._waiting else pl.DataFrame()
        if self._bulk.key and len(rows):
            rows = rows.unique(subset=list(self._bulk.key), keep="last", maintain_order=True)
        return rows

    def _keep(self, frames: list[pl.DataFrame]) -> None:
        self._waiting = frames
        self._rows = sum(map(len, frames))
        self._bytes = sum(int(f.estimated_size()) for f in frames)

    def _lanes(self, rows: pl.DataFrame) -> list[list[pl.DataFrame]]:
        """Give requests by lane: those of one lane go one after the other."""
        bulk = self._bulk
        if not bulk.key and bulk.order == WHOLE:
            return [list(self._requests(rows))]
        if bulk.key or bulk.order is None:
            return [[request] for request in self._requests(rows)]
        lane = rows.select(bulk.order).hash_rows() % bulk.in_flight
        parts = [rows.filter(lane == i) for i in range(bulk.in_flight)]
        return [list(self._requests(part)) for part in parts if len(part)]

    def _requests(self, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
        each = max(1, int(rows.estimated_size()) // len(rows))
        count = max(1, min(self._bulk.rows, self._bulk.bytes // each))
        return iter(rows.iter_slices(count))

    def _lane(self, requests: list[pl.DataFrame]) -> _Sent:
        sent = _Sent()
        for i, rows in enumerate(requests):
            self._request(rows, sent)
            if sent.why is not None:
                sent.left += requests[i + 1 :]
                break
        return sent

    def _request(self, rows: pl.DataFrame, sent: _Sent) -> None:
        """Send one request; where it is refused as a whole, halves of it, until the row stands alone."""
        try:
            outcome = self.send(rows)
        except TransientError as error:
            sent.left.append(rows)
            sent.why = error
        except DataError as error:
            self._halves(rows, error, sent)
        else:
            self._settle(rows, outcome, sent)

    def _halves(self, rows: pl.DataFrame, error: DataError, sent: _Sent) -> None:
        if len(rows) == 1:
            sent.refused.append((rows, Refused(0, "refused", error.message, error.hint)))
            return
        middle = len(rows) // 2
        for half in (rows.head(middle), rows.slice(middle)):
            if sent.why is None:
                self._request(half, sent)
            else:
                sent.left.append(half)

    @staticmethod
    def _settle(rows: pl.DataFrame, outcome: Outcome, sent: _Sent) -> None:
        sent.refused += [(rows.slice(r.row, 1), r) for r in outcome.refused]
        if outcome.again:
            numbers = np.sort(np.asarray(outcome.again, dtype=np.int64))
            sent.left.append(rows[numbers])
            sent.why = outcome.why or TransientError(f"{len(numbers)} rows were not taken for now")

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._bulk.in_flight, "tailrace-bulk")
        return self._threads


def split_kinds(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Give the rows to write and the rows to delete, without the column of their kind.

    >>> put, gone = split_kinds(pl.DataFrame({"id": [1, 2], KIND: [RowKind.INSERT, RowKind.DELETE]}))
    >>> put["id"].to_list(), gone["id"].to_list()
    ([1], [2])
    """
    if KIND not in rows.columns:
        return rows, rows.clear()
    removed = rows[KIND].is_in(REMOVED)
    plain = rows.drop(KIND)
    return plain.filter(~removed), plain.filter(removed)


def refuse_changes(batch: pl.DataFrame, table: str) -> None:
    """
    Make sure that a batch only appends.

    Raises:
        TerminalError: a row updates or deletes one.
    """
    if KIND in batch.columns and (batch[KIND] != RowKind.INSERT).any():
        message = f"table '{table}' gets changed rows, and has no key to find them by"
        raise TerminalError(message, hint="declare a PRIMARY KEY (...) NOT ENFORCED")
