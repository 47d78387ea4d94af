"""The connector `datagen` and its source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.base import Connector, Context, Position, Positions, Report, Source
from tailrace.connectors.datagen.generators import I64, Generator, Rows, generator, sequence_length
from tailrace.connectors.datagen.options import OPTIONS, field_specs
from tailrace.connectors.numbered import NumberedReader, made
from tailrace.connectors.pace import UNLIMITED
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
        return made("rows", self._spec.count, self._spec.rate)


class DatagenReader(NumberedReader):
    """Gives the rows that are due, in one partition."""

    def __init__(self, spec: Spec, positions: Positions) -> None:
        self._spec = spec
        position = positions.get(PARTITION, {})
        self._origin = int(position.get("origin", spec.start_time or spec.clock.now_ms()))
        super().__init__([int(position.get("row", 0))], spec.count, spec.rate, spec.clock)

    def rows(self, numbers: I64) -> pl.DataFrame:
        rows = Rows(numbers, self._times(numbers))
        columns = [make(rows).alias(name) for name, make in self._spec.columns.items()]
        return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(numbers))

    def position(self, number: int) -> Position:
        return {"row": number, "origin": self._origin}

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


class DatagenConnector(Connector):
    """Made-up rows."""

    name = "datagen"
    doc = "Rows of random or consecutive values, the same for the same seed; with a rate or at full speed."
    options = OPTIONS
    formats = False

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> DatagenSource:
        specs = field_specs(table, options)
        # all columns are looked at, so that a script does not begin to fail when it asks for one more
        makers = {name: generator(spec, options["tailrace.seed"]) for name, spec in specs.items()}
        lengths = [n for n in (sequence_length(s) for s in specs.values()) if n is not None]
        given = options["number-of-rows"]
        count = min([*lengths, given] if given is not None else lengths, default=None)
        columns = {f.name: makers[f.name] for f in schema}
        return DatagenSource(
            Spec(columns, count, options["rows-per-second"], options["tailrace.start-time"], context.clock)
        )


CONNECTOR = DatagenConnector()
