"""The connector `nexmark` and its source."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from tailrace.clock import Clock
from tailrace.connectors.base import (
    Assigned,
    Block,
    Change,
    Connector,
    Context,
    Ended,
    Limit,
    Positions,
    Reader,
    Report,
    Source,
)
from tailrace.connectors.nexmark.columns import wanted
from tailrace.connectors.nexmark.events import Events
from tailrace.connectors.nexmark.options import OPTIONS, shape_of
from tailrace.connectors.nexmark.shape import Shape
from tailrace.connectors.nexmark.wide import Wanted, wide
from tailrace.connectors.pace import UNLIMITED, Pace
from tailrace.errors import TerminalError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema


@dataclass(frozen=True, slots=True)
class Spec:
    """What to make: which columns of which events (`stop` None: no end), in how many partitions, how fast."""

    shape: Shape
    columns: Wanted
    first: int
    stop: int | None
    partitions: int
    paced: bool
    clock: Clock


class NexmarkSource(Source):
    """Makes events from their numbers; a position is the number of a partition's next event."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.bounded = spec.stop is not None

    def open(self, positions: Positions) -> NexmarkReader:
        return NexmarkReader(self._spec, positions)

    def check(self) -> Report:
        spec = self._spec
        count = "events without end" if spec.stop is None else f"{spec.stop - spec.first} events"
        speed = f"{spec.shape.rate} a second" if spec.paced else "as fast as it goes"
        return Report(True, f"makes {count}, {speed}")


class NexmarkReader(Reader):
    """Gives the events that are due, of each partition its own."""

    def __init__(self, spec: Spec, positions: Positions) -> None:
        self._spec = spec
        self._next = [_resumed(spec, p, positions) for p in range(spec.partitions)]
        self._first = min(self._next)
        self._pace = Pace(spec.shape.rate if spec.paced else UNLIMITED, spec.clock)
        self._closed = threading.Event()
        self._announced = self._ended = False

    def poll(self, limit: Limit) -> list[Block]:
        if not self._announced:
            return []
        due = self._due()
        if not due and limit.wait_seconds > 0 and not self._exhausted:
            self._closed.wait(min(limit.wait_seconds, self._pace.pause(self._given)))
            due = self._due()
        upto = min(self._next) + min(due, max(limit.rows, self._spec.partitions))
        blocks = [self._block(p, upto) for p in range(self._spec.partitions)]
        return [b for b in blocks if b is not None]

    @property
    def _given(self) -> int:
        return min(self._next) - self._first

    @property
    def _exhausted(self) -> bool:
        return self._spec.stop is not None and min(self._next) >= self._spec.stop

    def _due(self) -> int:
        """Give how many events may be put out now."""
        due = self._pace.due(self._given)
        return due if self._spec.stop is None else max(0, min(due, self._spec.stop - min(self._next)))

    def _block(self, partition: int, upto: int) -> Block | None:
        """Give the partition's events up to a number."""
        numbers = np.arange(self._next[partition], upto, self._spec.partitions, dtype=np.int64)
        if not len(numbers):
            return None
        self._next[partition] = int(numbers[-1]) + self._spec.partitions
        frame = wide(Events.numbered(self._spec.shape, numbers), self._spec.columns)
        position = {"event": self._next[partition], "partitions": self._spec.partitions}
        return Block(str(partition), frame, position, numbers)

    def changes(self) -> list[Change]:
        names = [str(p) for p in range(self._spec.partitions)]
        found: list[Change] = [] if self._announced else [Assigned(n) for n in names]
        self._announced = True
        if self._exhausted and not self._ended:
            self._ended = True
            found += [Ended(n) for n in names]
        return found

    def lag(self) -> int:
        return self._due() if self._spec.paced else 0

    def close(self) -> None:
        self._closed.set()


def _resumed(spec: Spec, partition: int, positions: Positions) -> int:
    """Give the number of the next event of a partition."""
    position = positions.get(str(partition))
    if position is None:
        return spec.first + partition
    if position["partitions"] != spec.partitions:
        raise TerminalError(
            f"the events were dealt to {position['partitions']} partitions so far, and now to {spec.partitions}",
            hint="set 'tailrace.partitions' back, or begin anew without the old state",
        )
    return int(position["event"])


class NexmarkConnector(Connector):
    """The events of the Nexmark benchmark."""

    name = "nexmark"
    doc = "The persons, auctions and bids of the Nexmark benchmark, the same for the same seed."
    options = OPTIONS
    formats = False
    narrows = True

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> NexmarkSource:
        # all columns are looked at, so that a script does not begin to fail when it asks for one more
        wanted(table.physical, table)
        first, count = options["tailrace.first-event"], options["events.num"]
        return NexmarkSource(
            Spec(
                shape_of(options),
                wanted(schema, table),
                first,
                first + count if count else None,
                options["tailrace.partitions"],
                not options["max-emit-speed"],
                context.clock,
            )
        )


CONNECTOR = NexmarkConnector()
