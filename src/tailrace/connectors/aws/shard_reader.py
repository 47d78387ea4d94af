"""A reader of all shards of a stream: some are asked at a time, on threads, and what they gave waits in a bounded buffer."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections import deque
from collections.abc import Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tailrace.backoff import Backoff
from tailrace.connectors.aws.failures import ThrottledError, throttled_backoff
from tailrace.connectors.aws.shards import (
    ExpiredIteratorError,
    Lineage,
    Page,
    Record,
    Shard,
    Start,
    Stream,
    position_after,
)
from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Position, Positions, Reader
from tailrace.errors import TransientError

HELD_BYTES = 16 << 20
"""No shard is asked while more than this waits to be given."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a stream is read: where it begins and ends, how often shards are asked and looked for, and by how many threads."""

    start: Start
    now_ms: int
    """The time at which reading begins."""
    bounded: bool = False
    """Whether to end at the records that were there when reading began."""
    threads: int = 8
    rows: int = 10_000
    empty_seconds: float = 0.25
    """The pause of a shard that gave nothing."""
    pause_seconds: float = 0.0
    """The pause of one that did."""
    discovery_seconds: float = 10.0
    throttled_seconds: float = 0.2
    """The first pause of a shard that is throttled; it doubles, up to some seconds."""


@dataclass(slots=True)
class _Reading:
    """
    A shard that is read: `start` is where its next iterator begins, `position` is behind the last record that was given.

    `given` tells which records of several that came as one were given before a restart.
    """

    shard: Shard
    start: Start
    position: dict[str, Any]
    backoff: Backoff
    given: tuple[str, int] | None = None
    iterator: str | None = None
    asked: Future[Page] | None = None
    due: float = 0.0
    behind: int | None = None
    records: deque[Record] = field(default_factory=deque)
    sizes: deque[tuple[int, int]] = field(default_factory=deque)
    drained: bool = False
    """Whether its last page has come."""
    closed: bool = False
    """Whether that was the end of the shard itself."""


class ShardReader(Reader):
    """Reads a stream; a subclass says what becomes of records (`block`)."""

    def __init__(self, stream: Stream, pace: Pace, positions: Positions) -> None:
        self._stream = stream
        self._pace = pace
        self._live: dict[str, _Reading] = {}
        self._changes: list[Change] = []
        self._first: list[Block] = []
        self._leaving: list[str] = []
        self._times: list[int] = []
        self._held = 0
        self._throttled = 0.0
        self._lineage = Lineage(stream.shown, positions, pace.start, pace.now_ms)
        self._pool = ThreadPoolExecutor(pace.threads, "tailrace-shards")
        self._listing: Future[list[Shard]] | None = None
        self._listing_backoff = throttled_backoff()
        try:
            self._found(stream.shards())
        except BaseException:  # its threads must not outlive a reader that could not begin
            self.close()
            raise

    @abstractmethod
    def block(self, shard: str, records: list[Record], position: Position) -> Block:
        """Make a block of records of a shard (there may be none, where only the position is new)."""

    # which shards

    def _found(self, shards: list[Shard]) -> None:
        self._next_listing = time.monotonic() + self._pace.discovery_seconds
        self._lineage.update(shards)
        self._begin()

    def _begin(self) -> None:
        """Begin with shards that are ready; only then those that they came of have ended, so that no time passes in between."""
        for shard, start in self._lineage.ready():
            known = self._lineage.positions.get(shard.name)
            position = dict(known or self._lineage.position(start))
            given = (position["at"], position["sub"]) if "at" in position else None
            self._live[shard.name] = _Reading(
                shard, start, position, throttled_backoff(self._pace.throttled_seconds), given
            )
            self._changes.append(Assigned(shard.name))
            if known is None:  # so that a restart begins at the same place
                self._first.append(self.block(shard.name, [], position))
        self._changes += [Ended(name) for name in self._leaving]
        self._leaving.clear()

    def _discover(self) -> None:
        """Look for new shards when it is time, and at once when one has ended."""
        if self._pace.bounded:
            if self._leaving:
                self._begin()
            return
        listing = self._listing
        if listing is None:
            if self._leaving or time.monotonic() >= self._next_listing:
                self._listing = self._pool.submit(self._stream.shards)
            return
        if not listing.done():
            return
        self._listing = None
        try:
            shards = listing.result()
        except ThrottledError:
            self._next_listing = time.monotonic() + self._slowed(self._listing_backoff)
            return
        self._listing_backoff.reset()
        self._found(shards)

    def _slowed(self, backoff: Backoff) -> float:
        pause = backoff.next()
        self._throttled += pause
        return pause

    # records

    def poll(self, limit: Limit) -> list[Block]:
        self._discover()
        if self._first:
            blocks, self._first = self._first, []
            return blocks
        self._ask()
        if not self._waiting:
            self._await(limit.wait_seconds)
        self._collect()
        self._ask()
        return self._taken(limit)

    @property
    def _waiting(self) -> bool:
        return any(r.records or r.drained for r in self._live.values())

    def _ask(self) -> None:
        """Ask the shards whose time has come, those first that have waited longest."""
        now = time.monotonic()
        due = [r for r in self._live.values() if r.asked is None and not r.drained and r.due <= now]
        for reading in sorted(due, key=lambda r: r.due):
            if self._held >= HELD_BYTES:
                return
            if len(reading.records) < self._pace.rows:
                reading.asked = self._pool.submit(self._page, reading)

    def _page(self, reading: _Reading) -> Page:
        """Ask for the next page; on a thread. What it changes is not touched by the reader's meanwhile."""
        if reading.iterator is None:
            reading.iterator = self._stream.iterator(reading.shard.name, reading.start)
        return self._stream.page(reading.shard, reading.iterator, self._pace.rows)

    def _await(self, seconds: float) -> None:
        asked: list[Future[Any]] = [r.asked for r in self._live.values() if r.asked is not None]
        asked += [self._listing] if self._listing is not None else []
        dues = [r.due for r in self._live.values() if r.asked is None]
        until = min([seconds, *(max(0.0, due - time.monotonic()) for due in dues)])
        if asked:
            wait(asked, until, FIRST_COMPLETED)
        elif until:
            time.sleep(until)

    def _collect(self) -> None:
        """Take the answers that have come."""
        failure: TransientError | None = None
        for reading in self._live.values():
            if reading.asked is None or not reading.asked.done():
                continue
            asked, reading.asked = reading.asked, None
            try:
                page = asked.result()
            except ExpiredIteratorError:
                reading.iterator = None
            except ThrottledError:
                reading.due = time.monotonic() + self._slowed(reading.backoff)
            except TransientError as error:
                failure = error  # the others' answers are taken before it is told
            else:
                self._came(reading, page)
        if failure is not None:
            raise failure

    def _came(self, reading: _Reading, page: Page) -> None:
        reading.backoff.reset()
        reading.iterator = page.next
        reading.behind = page.behind_ms
        pause = self._pace.pause_seconds if page.records else self._pace.empty_seconds
        reading.due = time.monotonic() + pause
        if page.sequence:
            reading.start = Start("AFTER_SEQUENCE_NUMBER", sequence=page.sequence)
        records = self._fresh(reading, page)
        if self._pace.bounded:
            records = self._until_stop(reading, page, records)
        reading.records.extend(records)
        if records:
            reading.sizes.append((len(records), page.size))
            self._held += page.size
            self._times += [t for t in (records[0].time, records[-1].time) if t is not None]
        if page.next is None:
            reading.drained = reading.closed = True

    def _fresh(self, reading: _Reading, page: Page) -> list[Record]:
        """Leave out what was given before."""
        if reading.given is None or not page.sequence:
            return list(page.records)
        (sequence, sub), reading.given = reading.given, None
        return [r for r in page.records if r.sequence != sequence or r.sub > sub]

    def _until_stop(self, reading: _Reading, page: Page, records: list[Record]) -> list[Record]:
        """Leave out what came after the beginning, and see whether that was reached. A closed shard is read to its end."""
        kept = [r for r in records if r.time is None or r.time <= self._pace.now_ms]
        reading.drained = len(kept) < len(records) or (page.behind_ms == 0 and not reading.shard.closed)
        return kept

    def _taken(self, limit: Limit) -> list[Block]:
        """Give what waits, of each shard its share."""
        blocks = []
        rows, size = limit.rows, limit.bytes
        for name in list(self._live):
            if rows <= 0 or size <= 0:
                break
            reading = self._live.pop(name)
            self._live[name] = reading  # the next call begins with another one
            records = list(islice(reading.records, rows))
            for _ in records:
                reading.records.popleft()
            rows -= len(records)
            size -= self._let_go(reading, len(records))
            over = reading.drained and not reading.records
            if records or over:
                blocks.append(self.block(name, records, self._position(reading, records)))
            if over:
                self._end(reading)
        return blocks

    def _let_go(self, reading: _Reading, count: int) -> int:
        """Count records out of the buffer; give their bytes."""
        size = 0
        while count:
            rows, held = reading.sizes.popleft()
            taken = min(rows, count)
            share = held * taken // rows
            if taken < rows:
                reading.sizes.appendleft((rows - taken, held - share))
            count -= taken
            size += share
        self._held -= size
        return size

    def _position(self, reading: _Reading, records: list[Record]) -> dict[str, Any]:
        if records:
            reading.position = position_after(records[-1]) | self._lineage.mark
        over = reading.closed and not reading.records
        return reading.position | ({"over": True} if over else {})

    def _end(self, reading: _Reading) -> None:
        name = reading.shard.name
        del self._live[name]
        if reading.closed:
            self._lineage.ended(name)
            self._leaving.append(name)
        else:
            self._changes.append(Ended(name))

    # what is told of it

    def changes(self) -> list[Change]:
        found, self._changes = self._changes, []
        return found

    def behind(self) -> Collection[str]:
        return [*self._leaving, *(n for n, r in self._live.items() if r.records or r.behind != 0)]

    def lags(self) -> Mapping[str, int | None]:
        return {n: len(r.records) if r.behind == 0 else None for n, r in self._live.items()}

    def behind_ms(self) -> Mapping[str, int]:
        return {n: r.behind for n, r in self._live.items() if r.behind is not None}

    @property
    def throttled(self) -> float:
        return self._throttled

    def sent_times(self) -> list[int]:
        found, self._times = self._times, []
        return found

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
