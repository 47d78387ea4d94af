"""The connector `nexmark` and its source."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.base import Connector, Context, Position, Positions, Report, Source
from tailrace.connectors.nexmark.columns import wanted
from tailrace.connectors.nexmark.events import Events
from tailrace.connectors.nexmark.options import OPTIONS, shape_of
from tailrace.connectors.nexmark.shape import Shape
from tailrace.connectors.nexmark.wide import Wanted, wide
from tailrace.connectors.numbered import I64, NumberedReader, made
from tailrace.connectors.pace import UNLIMITED
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

    @property
    def rate(self) -> int:
        """The events a second."""
        return self.shape.rate if self.paced else UNLIMITED


class NexmarkSource(Source):
    """Makes events from their numbers; a position is the number of a partition's next event."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.bounded = spec.stop is not None

    def open(self, positions: Positions) -> NexmarkReader:
        return NexmarkReader(self._spec, positions)

    def check(self) -> Report:
        spec = self._spec
        return made("events", None if spec.stop is None else spec.stop - spec.first, spec.rate)


class NexmarkReader(NumberedReader):
    """Gives the events that are due, of each partition its own."""

    def __init__(self, spec: Spec, positions: Positions) -> None:
        self._spec = spec
        numbers = [_resumed(spec, p, positions) for p in range(spec.partitions)]
        super().__init__(numbers, spec.stop, spec.rate, spec.clock)

    def rows(self, numbers: I64) -> pl.DataFrame:
        return wide(Events.numbered(self._spec.shape, numbers), self._spec.columns)

    def position(self, number: int) -> Position:
        return {"event": number, "partitions": self._spec.partitions}


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
