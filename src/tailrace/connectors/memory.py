"""
The connector `memory`: tables inside this process, for tests.

A test puts frames in and reads rows out by the table's name:

>>> from tailrace.connectors import memory
>>> table = memory.table("doc-orders")
>>> table.append(pl.DataFrame({"id": [1, 2]}))
>>> table.end()
>>> table.rows()
[(1,), (2,)]
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import polars as pl

from tailrace.connectors.base import (
    Assigned,
    AtLeastOnceSink,
    Block,
    Change,
    Connector,
    Context,
    Ended,
    Limit,
    Lookup,
    Positions,
    Reader,
    Report,
    Source,
)
from tailrace.engine.batch import KIND
from tailrace.errors import TerminalError
from tailrace.options import Option, OptionSet, Values, boolean, string
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

OPTIONS = OptionSet(
    "connector 'memory'",
    (
        Option("name", string, doc="the name in the process; without it, that of the table"),
        Option("bounded", boolean, True, "read what is there and end, or wait for rows until `end()` is called"),
    ),
)


class MemoryTable:
    """A list of frames for each partition; any thread may add to it or read it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._partitions: dict[str, list[pl.DataFrame]] = {}
        self._ended = False
        self.changed = threading.Condition()

    def append(self, frame: pl.DataFrame, partition: str = "0") -> None:
        """Add rows to a partition, which comes into being with them."""
        with self.changed:
            self._partitions.setdefault(partition, []).append(frame)
            self.changed.notify_all()

    def clear(self) -> None:
        """Forget all rows."""
        with self.changed:
            self._partitions = {}

    def end(self) -> None:
        """Say that no more rows will come."""
        with self.changed:
            self._ended = True
            self.changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether no more rows will come."""
        return self._ended

    def partitions(self) -> list[str]:
        """Give the names of the partitions, in the order in which they came."""
        with self.changed:
            return list(self._partitions)

    def lengths(self) -> dict[str, int]:
        """Give how many rows each partition has."""
        with self.changed:
            return {p: sum(map(len, frames)) for p, frames in self._partitions.items()}

    def after(self, partition: str, position: int, count: int) -> pl.DataFrame | None:
        """Give up to `count` rows of one frame behind the first `position` rows; None if there are none."""
        with self.changed:
            for frame in self._partitions.get(partition, []):
                if position < len(frame):
                    return frame.slice(position, count)
                position -= len(frame)
        return None

    def frames(self) -> list[pl.DataFrame]:
        """Give all frames, partition by partition."""
        with self.changed:
            return [f for frames in self._partitions.values() for f in frames]

    def rows(self) -> list[tuple[Any, ...]]:
        """Give all rows as Python values, without the kind."""
        return [row for f in self.frames() for row in f.drop(KIND, strict=False).rows()]

    def __len__(self) -> int:
        return sum(len(f) for f in self.frames())


_tables: dict[str, MemoryTable] = {}
_lock = threading.Lock()


def table(name: str) -> MemoryTable:
    """Give the table of a name; it comes into being when it is first asked for."""
    with _lock:
        return _tables.setdefault(name, MemoryTable(name))


def drop(name: str) -> None:
    """Forget the table of a name, if there is one. Takes no lock: the garbage collector may call it under any."""
    _tables.pop(name, None)


def clear() -> None:
    """Forget all tables."""
    with _lock:
        _tables.clear()


class MemorySource(Source):
    """Reads a table from its start; a position is the number of rows behind. After `end()` it is bounded."""

    def __init__(self, name: str, schema: Schema, *, bounded: bool) -> None:
        self.bounded = bounded
        self._name = name
        self._schema = schema

    def open(self, positions: Positions) -> MemoryReader:
        return MemoryReader(self, table(self._name), self._schema, positions)

    def check(self) -> Report:
        return Report(True, f"table '{self._name}' in this process has {len(table(self._name))} rows")


class MemoryReader(Reader):
    """Gives the partitions in turn."""

    def __init__(self, source: MemorySource, of: MemoryTable, schema: Schema, positions: Positions) -> None:
        self._source = source
        self._table = of
        self._columns = list(schema.names)
        self._given: dict[str, int] = {str(k): int(v) for k, v in positions.items()}
        self._announced: set[str] = set()
        self._ended: set[str] = set()

    def poll(self, limit: Limit) -> list[Block]:
        blocks = self._ready(limit)
        if blocks or self._over():
            return blocks
        with self._table.changed:
            self._table.changed.wait(limit.wait_seconds)
        return self._ready(limit)

    def _ready(self, limit: Limit) -> list[Block]:
        blocks: list[Block] = []
        left = limit.rows
        for partition in sorted(self._announced - self._ended):
            frame = self._table.after(partition, self._given.get(partition, 0), left)
            if frame is not None and left > 0:
                left -= len(frame)
                blocks.append(self._block(partition, frame))
        return blocks

    def _block(self, partition: str, frame: pl.DataFrame) -> Block:
        missing = [name for name in self._columns if name not in frame.columns]
        if missing:
            has = ", ".join(frame.columns)
            raise TerminalError(
                f"memory table '{self._table.name}' has no column '{missing[0]}'", hint=f"it has: {has}"
            )
        start = self._given.get(partition, 0)
        self._given[partition] = start + len(frame)
        offsets = pl.int_range(start, start + len(frame), dtype=pl.Int64, eager=True).to_numpy()
        values = frame.drop([c for c in frame.columns if c not in self._columns])
        return Block(partition, values, start + len(frame), offsets)

    def _over(self) -> bool:
        self._source.bounded = self._source.bounded or self._table.ended
        return self._source.bounded

    def changes(self) -> list[Change]:
        found: list[Change] = []
        over = self._over()  # before the look at what is left
        for partition in self._table.partitions():
            if partition not in self._announced:
                self._announced.add(partition)
                found.append(Assigned(partition))
        if over:
            found += self._finished(self._announced - self._ended)
        return found

    def _finished(self, partitions: Iterable[str]) -> list[Change]:
        done = [p for p in sorted(partitions) if self._table.after(p, self._given.get(p, 0), 1) is None]
        self._ended |= set(done)
        return [Ended(p) for p in done]

    def lags(self) -> dict[str, int | None]:
        return {p: max(0, n - self._given.get(p, 0)) for p, n in self._table.lengths().items()}

    def close(self) -> None:
        """There is nothing to let go of."""


class MemoryLookup(Lookup):
    """Finds rows among those that are in the table when it is asked."""

    def __init__(self, name: str, schema: Schema, keys: tuple[str, ...]) -> None:
        self._name = name
        self._schema = schema
        self._keys = list(keys)

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        frames = [f.select(list(self._schema.names)) for f in table(self._name).frames()]
        rows = pl.concat(frames).cast(self._schema.polars) if frames else self._schema.empty()  # type: ignore[arg-type]
        return rows.join(keys, on=self._keys, how="semi")

    def check(self) -> Report:
        return Report(True, f"table '{self._name}' in this process has {len(table(self._name))} rows")


class MemorySink(AtLeastOnceSink):
    """Adds each batch to the table at once."""

    def __init__(self, name: str) -> None:
        self._name = name

    def open(self) -> None:
        table(self._name)

    def write(self, batch: pl.DataFrame) -> None:
        table(self._name).append(batch)

    def prepare(self, epoch: int) -> None:
        """The rows are in the table already."""

    def check(self) -> Report:
        return Report(True, f"table '{self._name}' is in this process")

    def close(self) -> None:
        """There is nothing to let go of."""


class MemoryConnector(Connector):
    """Tables in this process."""

    name = "memory"
    doc = "Tables inside the process, for tests."
    options = OPTIONS
    formats = False
    lookups = True

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> MemorySource:
        return MemorySource(options["name"] or table.name, schema, bounded=options["bounded"])

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> MemoryLookup:
        return MemoryLookup(options["name"] or table.name, schema, keys)

    def refuses_updates(self, table: Table) -> str:
        return ""

    def sink(self, table: Table, options: Values, context: Context) -> MemorySink:
        return MemorySink(options["name"] or table.name)


CONNECTOR = MemoryConnector()
