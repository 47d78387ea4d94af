"""The connector `datagen` and its source."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import polars as pl

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
from tailrace.connectors.datagen.generators import I64, Generator, Rows, generator, sequence_length
from tailrace.connectors.datagen.options import OPTIONS, field_specs
from tailrace.connectors.pace import UNLIMITED, Pace
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

PARTITION = "0"


@dataclass(frozen=True, slots=True)
class Spec:
    """What to make: columns, how many rows (None: no end), how many a second (0: no limit), and the time of row 0."""

    columns: dict[str, Generator]
    count: int | None
    rate: int
    start_time: int | None
    clock: Clock


class DatagenSource(Source):
    """Makes rows from their numbers; a position is a row's number and the time at which the job began."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.bounded = spec.count is not None

    def open(self, positions: Positions) -> DatagenReader:
        return DatagenReader(self._spec, positions)

    def check(self) -> Report:
        count = "rows without end" if self._spec.count is None else f"{self._spec.count} rows"
        rate = "as fast as it goes" if self._spec.rate == UNLIMITED else f"{self._spec.rate} a second"
        return Report(True, f"makes {count}, {rate}")


class DatagenReader(Reader):
    """Gives the rows that are due."""

    def __init__(self, spec: Spec, positions: Positions) -> None:
        self._spec = spec
        position = positions.get(PARTITION, {})
        self._next = int(position.get("row", 0))
        self._origin = int(position.get("origin", spec.start_time or spec.clock.now_ms()))
        self._first = self._next
        self._pace = Pace(spec.rate, spec.clock)
        self._closed = threading.Event()
        self._announced = self._ended = False

    def poll(self, limit: Limit) -> list[Block]:
        if not self._announced:
            return []
        due = self._due()
        if not due and limit.wait_seconds > 0 and not self._exhausted:
            self._closed.wait(min(limit.wait_seconds, self._pace.pause(self._next - self._first)))
            due = self._due()
        count = min(due, limit.rows)
        return [self._block(count)] if count else []

    @property
    def _exhausted(self) -> bool:
        return self._spec.count is not None and self._next >= self._spec.count

    def _due(self) -> int:
        """Give how many rows may be put out now."""
        due = self._pace.due(self._next - self._first)
        return due if self._spec.count is None else max(0, min(due, self._spec.count - self._next))

    def _block(self, count: int) -> Block:
        numbers = np.arange(self._next, self._next + count, dtype=np.int64)
        rows = Rows(numbers, self._times(numbers))
        self._next += count
        columns = [make(rows).alias(name) for name, make in self._spec.columns.items()]
        values = pl.DataFrame(columns) if columns else pl.DataFrame(height=count)
        return Block(PARTITION, values, {"row": self._next, "origin": self._origin}, numbers)

    def _times(self, numbers: I64) -> I64:
        """Give the time of each row: by its number, or (at full speed) that of the clock."""
        if self._spec.rate != UNLIMITED:
            # split, so that the product stays within 64 bits for any number of rows
            whole, rest = np.divmod(numbers, self._spec.rate)
            times: I64 = self._origin + whole * 1000 + rest * 1000 // self._spec.rate
            return times
        if self._spec.start_time is not None:
            return self._origin + numbers
        return np.full(len(numbers), self._spec.clock.now_ms(), dtype=np.int64)

    def changes(self) -> list[Change]:
        found: list[Change] = [] if self._announced else [Assigned(PARTITION)]
        self._announced = True
        if self._exhausted and not self._ended:
            self._ended = True
            found.append(Ended(PARTITION))
        return found

    def lag(self) -> int:
        return 0 if self._spec.rate == UNLIMITED else self._due()

    def close(self) -> None:
        self._closed.set()


class DatagenConnector(Connector):
    """Made-up rows."""

    name = "datagen"
    doc = "Rows of random or consecutive values, the same for the same seed; with a rate or at full speed."
    options = OPTIONS
    formats = False

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> DatagenSource:
        specs = field_specs(table, options)
        # all columns are looked at, so that a script does not begin to fail when it asks for one more
        made = {name: generator(spec, options["tailrace.seed"]) for name, spec in specs.items()}
        lengths = [n for n in (sequence_length(s) for s in specs.values()) if n is not None]
        given = options["number-of-rows"]
        count = min([*lengths, given] if given is not None else lengths, default=None)
        columns = {f.name: made[f.name] for f in schema}
        return DatagenSource(
            Spec(columns, count, options["rows-per-second"], options["tailrace.start-time"], context.clock)
        )


CONNECTOR = DatagenConnector()
