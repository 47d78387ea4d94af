"""The engine's loop: takes what has arrived through the executor, hands results on, and asks for checkpoints."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from tailrace.clock import Clock
from tailrace.connectors.base import Assigned, Change, Ended, Positions, Revoked
from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK
from tailrace.engine.executor import Input, TickResult
from tailrace.engine.histogram import Histogram
from tailrace.engine.progress import PartitionProgress
from tailrace.runtime.assembly import DEAD_LETTERS, Parts
from tailrace.runtime.between_ticks import BetweenTicks
from tailrace.runtime.checkpoint_history import Wish
from tailrace.runtime.checkpointer import Checkpointer
from tailrace.runtime.dead_letters import Letter, envelopes
from tailrace.runtime.fetch import Arrived, Changed, Fetcher, Item, Over
from tailrace.runtime.halt import Halt
from tailrace.runtime.outlet import Barrier, Finish, Outlet
from tailrace.runtime.queues import Bell
from tailrace.runtime.settings import JobSettings
from tailrace.state.store import Snapshot

_log = structlog.get_logger("tailrace.runtime")

QUIET_INTERVAL = 10.0
"""A job without rows takes a checkpoint only that often; sinks close files that have become old then."""
_LEAST_PAUSE = 0.001
_SHOW = 0.2
_STOPPING = 0.5
"""A job that is to stop looks that often whether it has to give up."""


@dataclass(slots=True)
class _Drained:
    arrivals: list[tuple[str, Arrived]] = field(default_factory=list)
    rows: int = 0
    changed: bool = False
    later: list[tuple[str, tuple[Change, ...]]] = field(default_factory=list)


class Loop:
    """Runs on the caller's thread until the executor is done, or all that was read is through after `stop`."""

    def __init__(
        self,
        parts: Parts,
        fetchers: Mapping[str, Fetcher],
        outlets: Mapping[str, Outlet],
        checkpointer: Checkpointer,
        settings: JobSettings,
        bell: Bell,
        halt: Halt,
        clock: Clock,
        *,
        job: str,
        durable: bool,
        positions: Mapping[str, Positions],
        rows_before: int = 0,
    ) -> None:
        self._parts = parts
        self._executor = parts.executor
        self._fetchers = dict(fetchers)
        self._outlets = dict(outlets)
        self._checkpointer = checkpointer
        self._settings = settings
        self._bell = bell
        self._halt = halt
        self._clock = clock
        self._job = job
        self._version = parts.version
        self._durable = durable
        self._positions: dict[str, dict[str, Any]] = {s: dict(positions.get(s, {})) for s in fetchers}
        self._rows = rows_before
        self._over: set[str] = set()
        self._leaving: set[tuple[str, str]] = set()
        """Partitions that are read no more; the next checkpoint has their positions, and is due at once."""
        self._dirty = False
        self._last_checkpoint = clock.monotonic()
        self._shown = 0.0
        self._told: set[str] = set()
        self.stopping = False
        self.between: BetweenTicks = BetweenTicks(bell.ring)
        self._wishes: deque[Wish] = deque()
        self._last_wishes: deque[Wish] = deque()
        self._over_now = False
        self.latency: Histogram = Histogram()
        """From when rows were read until what came of them was handed to the sinks."""
        self.watermarks: dict[str, int | None] = {}
        self.progress: dict[str, dict[str, PartitionProgress]] = {}

    def run(self) -> bool:
        """
        Work until there is no more to do; tell whether the job came to its end (else it was stopped).

        Raises:
            DataError, TerminalError: a row that its policy does not let pass, or a checkpoint that can't be taken.
        """
        try:
            return self._run()
        finally:
            self.between.close()
            self._over_now = True
            self._refuse_wishes()

    def want(self, wish: Wish, *, at_the_end: bool = False) -> None:
        """Hear that somebody wants a checkpoint, as soon as there can be one or when the job stops; from any thread."""
        (self._last_wishes if at_the_end else self._wishes).append(wish)
        if self._over_now:
            self._refuse_wishes()
        self._bell.ring()

    def _refuse_wishes(self) -> None:
        for wish in (*self._wishes, *self._last_wishes):
            wish.done.cancel()

    def _run(self) -> bool:
        finished = self._work()
        for fetcher in self._fetchers.values():
            fetcher.stop()
        if self._halt.is_set:
            return False
        for outlet in self._outlets.values():
            if finished:
                outlet.mark(Finish())
        self._wait_for_checkpointer()
        self._checkpoint(final=finished, last=True)
        self._wait_for_checkpointer()
        return finished

    def _work(self) -> bool:
        due = True
        while not self._halt.look():
            drained = self._drain()
            if drained.arrivals or drained.changed or due:
                self._tick(drained)
            if self._executor.done:
                return True
            if self.stopping and len(self._over) == len(self._fetchers) and not drained.arrivals:
                return False
            self._checkpoint_if_due()
            self.between.do()
            self._show()
            due = self._pause(busy=bool(drained.arrivals or drained.changed))
        return False

    def _pause(self, *, busy: bool) -> bool:
        """Wait for something to do; tell whether a timer is due."""
        timer = self._executor.next_timer()
        if busy:
            return timer is not None and timer <= 0
        waits = [max(timer, _LEAST_PAUSE)] if timer is not None else []
        until = self._until_checkpoint()
        waits += [max(until, _LEAST_PAUSE)] if until is not None else []
        waits += [_STOPPING] if self.stopping else []
        self._bell.wait(min(waits, default=None))
        timer = self._executor.next_timer()
        return timer is not None and timer <= 0

    def _drain(self) -> _Drained:
        """Take what has arrived, in turn from each source, up to a tick's worth of rows."""
        for scan, fetcher in self._fetchers.items():
            self._executor.keep(scan, fetcher.on_the_way.partitions())
        drained = _Drained()
        waiting = [s for s in self._fetchers if s not in self._over]
        while waiting and drained.rows < self._settings.tick_rows:
            waiting = [s for s in waiting if self._take(s, drained)]
        return drained

    def _take(self, scan: str, drained: _Drained) -> bool:
        """Take one item of a source; False if no more should be taken now."""
        item: Item | None = self._fetchers[scan].queue.take()
        match item:
            case None:
                return False
            case Arrived():
                drained.arrivals.append((scan, item))
                self._fetchers[scan].on_the_way.arrived(item.partition)
                drained.rows += item.rows
            case Changed():
                drained.changed = True
                if drained.arrivals and any(isinstance(c, Revoked) for c in item.changes):
                    # rows of the partition may be in this tick: it goes after them
                    drained.later.append((scan, item.changes))
                    return False
                self._change(scan, item.changes)
            case Over():
                drained.changed = True
                self._over.add(scan)
                if item.ended:
                    self._executor.end_scan(scan)
                return False
        return True

    def _change(self, scan: str, changes: tuple[Change, ...]) -> None:
        for change in changes:
            match change:
                case Assigned():
                    self._leaving.discard((scan, change.partition))
                    self._executor.assign(scan, change.partition)
                case Revoked():
                    self._executor.revoke(scan, change.partition)
                    self._leaving.add((scan, change.partition))
                case Ended():
                    self._executor.end(scan, change.partition)

    def replay(self, scan: str, arrivals: Sequence[Arrived]) -> int:
        """
        Take rows that were read before, between two ticks; give how many of them were not taken.

        A row counts as one of its partition, or of any other if nobody reads that now.
        """
        known = self._executor.partitions(scan)
        placed = [a if a.partition in known or not known else replace(a, partition=min(known)) for a in arrivals]
        try:
            return self._tick(_Drained([(scan, a) for a in placed]))
        except BaseException as error:
            self._halt.set(error)  # the tick may be half done: only the last checkpoint is whole
            raise

    def _tick(self, drained: _Drained) -> int:
        """Take what has arrived through the operators; give how many rows were not taken."""
        arrivals = drained.arrivals
        now_ns, now = time.time_ns(), self._clock.monotonic()
        inputs = [
            Input(scan, a.partition, a.frame, a.offset_in_frame, now_ns - int((now - a.read_at) * 1e9))
            for scan, a in arrivals
            if len(a.frame)
        ]
        letters = [x for scan, a in arrivals if a.rejects for x in self._parts.policies.unread(scan, a)]
        result = self._executor.tick(inputs)
        letters += [x for r in result.rejected for x in self._parts.policies.rejected(arrivals, r)]
        self._rows += drained.rows
        if arrivals:
            self._parts.policies.check_shares({s: f.rows for s, f in self._fetchers.items()})
        self._hand_on(result, letters)
        if arrivals:
            now = self._clock.monotonic()
            self.latency.add([now - a.read_at for _, a in arrivals], [a.rows for _, a in arrivals])
        for scan, arrived in arrivals:
            if not arrived.replayed:
                self._positions[scan][arrived.partition] = arrived.position
        for scan, changes in drained.later:
            self._change(scan, changes)
        self._dirty = self._dirty or bool(arrivals or result.outputs or drained.changed)
        return sum(len(a.rejects) for _, a in arrivals) + sum(map(len, result.rejected))

    def _hand_on(self, result: TickResult, letters: list[tuple[str, Letter]]) -> None:
        for number, (sink, batch) in enumerate(result.outputs):
            self._outlets[sink].put(batch, result.spans.get(number, ()))
        for name, table in self._parts.letters.items():
            mine = [letter for target, letter in letters if target == name]
            if mine:
                frame = envelopes(table, mine, self._job, self._version, self._clock.now_ms())
                self._outlets[DEAD_LETTERS + name].put(frame)

    def _until_checkpoint(self) -> float | None:
        """Give the seconds until the next checkpoint is due; None if none will be without anything new."""
        interval = self._settings.interval
        if not self._checkpointer.idle or not self._outlets:
            return None
        if self._leaving or self._wishes:
            return 0.0
        if not interval:
            return None
        wait = interval if self._dirty else max(interval, QUIET_INTERVAL)
        return self._last_checkpoint + wait - self._clock.monotonic()

    def _checkpoint_if_due(self) -> None:
        until = self._until_checkpoint()
        if until is not None and until <= 0:
            self._checkpoint(final=False)

    def _checkpoint(self, *, final: bool, last: bool = False) -> None:
        """Take a snapshot between two ticks, and let the checkpointer do the rest; `last`: no other comes after it."""
        if self._halt.is_set:
            return
        began = self._clock.monotonic()
        deltas = self._executor.snapshot() if self._durable else {}
        positions = {scan: dict(p) for scan, p in self._positions.items()}
        for scan, partition in self._leaving:
            self._positions[scan].pop(partition, None)
        self._leaving.clear()
        wishes = self._wishes_for(last=last)
        barrier = Barrier(self._checkpointer.next_epoch, whole=any(w.name for w in wishes))
        self._last_checkpoint = self._clock.monotonic()
        self._dirty = False
        # first: a sink may meet the barrier, and say so, before this thread goes on
        snapshot = Snapshot(positions, deltas, self._rows, final)
        self._checkpointer.begin(snapshot, self._last_checkpoint - began, wishes)
        for outlet in self._outlets.values():
            outlet.mark(barrier)

    def _wishes_for(self, *, last: bool) -> list[Wish]:
        """Take those who want the checkpoint that is taken now."""
        queues = (self._wishes, self._last_wishes) if last else (self._wishes,)
        return [queue.popleft() for queue in queues for _ in range(len(queue))]

    def _wait_for_checkpointer(self) -> None:
        """Wait until the epoch under way is complete; the checkpointer bounds how long that takes."""
        while not self._checkpointer.idle and not self._halt.look():
            self._bell.wait(0.5)

    def _show(self) -> None:
        """Leave how far event time has come where other threads can read them."""
        now = self._clock.monotonic()
        if now - self._shown < _SHOW:
            return
        self._shown = now
        for note in self._executor.notes():
            if note not in self._told:
                self._told.add(note)
                _log.warning(note)
        self.progress = self._executor.progress()
        self.watermarks = {s: _least([p.watermark for p in known.values()]) for s, known in self.progress.items()}


def _least(marks: list[int]) -> int | None:
    real = [m for m in marks if m not in (MIN_WATERMARK, MAX_WATERMARK)]
    return min(real) if real else None
