"""The way in: a thread for each source that reads and decodes, ahead of the engine, bounded in bytes."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.backoff import Backoff
from tailrace.clock import Clock
from tailrace.connectors.base import Assigned, Block, Change, Limit, Position, Positions, Reader, Revoked, Source
from tailrace.engine.histogram import Histogram
from tailrace.errors import TransientError
from tailrace.formats.base import Decoded, Reject
from tailrace.runtime.decode_line import Decode, DecodeLine
from tailrace.runtime.halt import Halt
from tailrace.runtime.on_the_way import OnTheWay
from tailrace.runtime.patience import Patience, StoppedError
from tailrace.runtime.queues import MEANWHILE, ByteQueue
from tailrace.runtime.threads import thread


@dataclass(frozen=True, slots=True)
class Arrived:
    """
    Rows of one partition, decoded.

    `kept` has the row in the block of each row of `frame` (None: all). `block` is there only if a dead letter may need
    its bytes. `read_at` is when it was read, by the monotonic clock. Rows that are `replayed` were read before, and have no
    position.
    """

    partition: str
    position: Position
    frame: pl.DataFrame
    kept: npt.NDArray[np.int64] | None
    rejects: tuple[Reject, ...]
    offsets: npt.NDArray[np.int64] | None
    block: Block | None
    rows: int
    bytes: int
    read_at: float = 0.0
    replayed: bool = False

    def offset(self, row: int) -> int | None:
        """Give the offset of a row of the block, if the source has such."""
        return None if self.offsets is None else int(self.offsets[row])

    def offset_in_frame(self, row: int) -> int | None:
        """Give the offset of a row of `frame`, if the source has such."""
        return self.offset(self.row_in_block(row))

    def row_in_block(self, row: int) -> int:
        """Give the row in the block of a row of `frame`."""
        return row if self.kept is None else int(self.kept[row])


@dataclass(frozen=True, slots=True)
class Changed:
    """What happened to partitions, in order among the rows."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more comes: the source has ended, or (`ended` false) was told to stop."""

    ended: bool


Item = Arrived | Changed | Over


class Fetcher:
    """
    Reads one source on a thread of its own.

    A source that is away is tried again with growing waits, and stops the job when it stays away. `keep_blocks` keeps
    the bytes of rows until the engine has taken them.
    """

    def __init__(
        self,
        scan: str,
        source: Source,
        decoders: Sequence[Decode],
        positions: Positions,
        queue: ByteQueue[Item],
        halt: Halt,
        clock: Clock,
        *,
        label: str,
        keep_blocks: bool,
        retry_limit: float = 300.0,
        start_limit: float = 20.0,
        limit: Limit | None = None,
    ) -> None:
        self.scan = scan
        self._label = label
        self.queue = queue
        self.rows: int = 0
        self.bytes: int = 0
        self.partition_rows: Counter[str] = Counter()
        self.lags: Mapping[str, int | None] = {}
        self.behind_ms: Mapping[str, int] = {}
        self.broker_delay: Histogram = Histogram()
        """How long ago the source's system had taken rows when they were read, if it `tells_times`."""
        self.tells_times: bool = False
        self.throttled: float = 0.0
        """The seconds for which the source's system has held it back."""
        self.retrying: str = ""
        self.on_the_way: OnTheWay = OnTheWay()
        self._source = source
        self._reader: Reader | None = None
        self._read_at: deque[float] = deque()
        """When each block in the line was read."""
        self._positions = positions
        self._halt = halt
        self._clock = clock
        self._keep = keep_blocks
        self._limit = limit or Limit()
        self._backoff = Backoff(limit=start_limit)
        self._retry_limit = retry_limit
        self._stop = threading.Event()
        patience = Patience(label, self._stop, clock, retry_limit, self._waits)
        self._line = DecodeLine([patience.patient(d) for d in decoders], self._arrived, self._changed, self._meanwhile)
        self._released = threading.Event()
        self._acknowledge: Positions | None = None
        self._live: set[str] = set()
        self._thread = thread(self._run, f"tailrace-source-{scan}")
        halt.on_halt(self._stop.set)
        halt.on_halt(self._released.set)

    @property
    def lag(self) -> int | None:
        """How many rows wait at the source; None if that is not known of each partition."""
        known = [n for n in self.lags.values() if n is not None]
        return sum(known) if known and len(known) == len(self.lags) else None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more; what is queued stays."""
        self._stop.set()

    def release(self) -> None:
        """Hear that no more checkpoints will come: a source that was told of each may close."""
        self._released.set()

    def acknowledge(self, positions: Positions) -> None:
        """Tell the source, on its thread, that these positions are durable."""
        self._acknowledge = positions

    def join(self, seconds: float) -> bool:
        """Wait for the thread's end; False if it did not end in time."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        reader: Reader | None = None
        try:
            reader = self._reader = self._open()
            ended = reader is not None and self._read_patiently(reader)
            self.queue.put(Over(ended), 0)
            self._linger(reader)
        except BaseException as error:  # noqa: BLE001  whatever it is, the job's thread raises it again
            self._halt.set(error)
        finally:
            self._close(reader)

    def _linger(self, reader: Reader | None) -> None:
        """Stay until the last checkpoint is complete, if the source wants to know of it."""
        while reader is not None and reader.wants_positions and not self._released.wait(MEANWHILE):
            self._meanwhile()

    def _close(self, reader: Reader | None) -> None:
        self._line.close()
        if reader is None:
            return
        try:
            self._tell(reader)
            reader.close()
        except Exception as error:  # noqa: BLE001  as above; after a failure it is the lesser one
            self._halt.set(error)

    def _open(self) -> Reader | None:
        while not self._stop.is_set():
            try:
                return self._source.open(self._positions)
            except TransientError as error:
                self._wait(error)
        return None

    def _wait(self, error: TransientError) -> None:
        self.retrying = error.message
        pause = self._backoff.failed(f"source '{self._label}'", error, self._clock.monotonic())
        self._stop.wait(pause)

    def _waits(self, why: str) -> None:
        self.retrying = why

    def _read_patiently(self, reader: Reader) -> bool:
        try:
            return self._read(reader)
        except StoppedError:
            return False

    def _read(self, reader: Reader) -> bool:
        """Read until the source ends (True) or is to stop (False)."""
        quick = Limit(self._limit.rows, self._limit.bytes, 0.0)
        over = False
        while not self._stop.is_set():
            self._tell(reader)
            try:
                blocks = reader.poll(quick if over else self._limit)
                changes = reader.changes()
            except TransientError as error:
                self._line.flush()
                self._wait(error)
                continue
            self._backoff.reset()
            self._backoff.limit = self._retry_limit
            self.retrying = ""
            self._took(blocks)
            self._look()
            self._deliver(blocks, changes)
            if not blocks:
                self._line.flush()
            self.lags = reader.lags()
            self.behind_ms = reader.behind_ms()
            self._note_delays(reader.sent_times())
            self.throttled = reader.throttled
            # a partition may be announced only when the one before it has ended, so one empty look more decides
            if over and not blocks and not changes:
                return True
            over = self._source.bounded and not self._live and not blocks
        if not self._halt.is_set:
            rest = reader.rest()
            self._took(rest)
            self._deliver(rest, [])
        self._line.flush()
        return False

    def _took(self, blocks: Sequence[Block]) -> None:
        now = self._clock.monotonic()
        for block in blocks:
            self.on_the_way.took(block.partition)
            self._read_at.append(now)

    def _note_delays(self, sent: Sequence[int]) -> None:
        if sent:
            self.tells_times = True
            now = self._clock.now_ms()
            self.broker_delay.add([(now - time) / 1000 for time in sent])

    def _meanwhile(self) -> None:
        """Look after the source while its rows can't be taken."""
        if self._reader is not None:
            self._tell(self._reader)
            self._reader.keep_alive()
        self._look()

    def _look(self) -> None:
        if self._reader is not None:
            self.on_the_way.see(self._reader)

    def _tell(self, reader: Reader) -> None:
        positions, self._acknowledge = self._acknowledge, None
        if positions is not None:
            reader.acknowledge(positions)

    def _deliver(self, blocks: list[Block], changes: list[Change]) -> None:
        """Queue what came: partitions begin before their rows, and end after them."""
        gone = {c.partition for c in changes if isinstance(c, Revoked)}
        first = tuple(c for c in changes if isinstance(c, Assigned) and c.partition not in gone)
        last = tuple(c for c in changes if not isinstance(c, Assigned) or c.partition in gone)
        self._change(first)
        for block in blocks:
            self._line.block(block)
        self._change(last)

    def _change(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if isinstance(change, Assigned):
                self._live.add(change.partition)
            else:
                self._live.discard(change.partition)
        self._line.changes(changes)

    def _changed(self, changes: tuple[Change, ...]) -> None:
        self.queue.put(Changed(changes), 0)

    def _arrived(self, block: Block, decoded: Decoded) -> None:
        # what is said of a row that can't be read names its trace, which is in its headers
        kept = block if self._keep or (decoded.rejects and block.headers is not None) else None
        size = int(decoded.frame.estimated_size()) + (block.size if kept else 0)
        rows, weight = len(block), block.size
        item = Arrived(
            block.partition,
            block.position,
            decoded.frame,
            decoded.kept,
            tuple(decoded.rejects),
            block.offsets,
            kept,
            rows,
            weight,
            self._read_at.popleft(),
        )
        self.rows += rows
        self.partition_rows[block.partition] += rows
        self.bytes += weight
        self.queue.put(item, max(1, size), self._meanwhile)
