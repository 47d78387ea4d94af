"""A world of fake systems for jobs: sources that misbehave as told, targets that outlive a job's death."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tailrace.connectors import registry
from tailrace.connectors.base import (
    Assigned,
    AtLeastOnceSink,
    Block,
    Change,
    Connector,
    Context,
    Ended,
    Limit,
    Positions,
    Reader,
    Report,
    Revoked,
    Sink,
    Source,
    StagedSink,
    TransactionalSink,
)
from tailrace.formats.base import Rows
from tailrace.options import Option, OptionSet, OptionText, Values, string
from tailrace.plan import nodes
from tailrace.plan.catalog import PhysicalColumn, Table
from tailrace.runtime.job import Job
from tailrace.schema import BIGINT, STRING, Field, Schema


class Boom(Exception):  # noqa: N818  a death, not an error
    """A fake system died."""


@dataclass
class Faults:
    """What goes wrong, and when: a call by its name and count, from 1."""

    at: dict[tuple[str, int], BaseException] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    delay: dict[str, float] = field(default_factory=dict)
    hold: dict[str, threading.Event] = field(default_factory=dict)

    def call(self, name: str) -> None:
        """Count a call, and fail if it was told to."""
        self.counts[name] = self.counts.get(name, 0) + 1
        time.sleep(self.delay.get(name, 0))
        if name in self.hold:
            self.hold[name].wait()
        error = self.at.get((name, self.counts[name]))
        if error is not None:
            raise error


@dataclass
class Feed:
    """What a source gives: batches (frames, or lines of bytes) by partition."""

    partitions: dict[str, list[pl.DataFrame | list[bytes | None]]]
    bounded: bool = True
    opened_at: list[Positions] = field(default_factory=list)
    acknowledged: list[Positions] = field(default_factory=list)
    revoke_after: dict[str, int] = field(default_factory=dict)


@dataclass
class Target:
    """What a system has after all: rows that can be seen, and its mark."""

    seen: list[tuple[Any, ...]] = field(default_factory=list)
    mark: int = 0
    epochs: set[int] = field(default_factory=set)
    finished: int = 0
    begun: list[int] = field(default_factory=list)
    """Which checkpoints runs went on from."""


class FakeReader(Reader):
    """Gives one batch of each partition at a time."""

    def __init__(self, feed: Feed, positions: Positions, faults: Faults) -> None:
        self._feed, self._faults = feed, faults
        self._next = {p: int(positions.get(p, 0)) for p in feed.partitions}
        self._changes: list[Change] = [Assigned(p) for p in feed.partitions]
        self._ended: set[str] = set()

    def poll(self, limit: Limit) -> list[Block]:
        self._faults.call("poll")
        blocks = []
        for name, batches in self._feed.partitions.items():
            at = self._next[name]
            if at < len(batches):
                self._next[name] = at + 1
                blocks.append(self._block(name, batches[at], at))
                if self._feed.revoke_after.get(name) == at + 1:
                    self._changes.append(Revoked(name))
            elif self._feed.bounded and name not in self._ended:
                self._ended.add(name)
                self._changes.append(Ended(name))
        if not blocks:
            time.sleep(limit.wait_seconds)
        return blocks

    def _block(self, name: str, batch: pl.DataFrame | list[bytes | None], at: int) -> Block:
        values = batch if isinstance(batch, pl.DataFrame) else Rows.of(batch)
        first = sum(len(b) for b in self._feed.partitions[name][:at])
        offsets = pl.int_range(first, first + len(values), dtype=pl.Int64, eager=True).to_numpy()
        return Block(name, values, at + 1, offsets)

    def changes(self) -> list[Change]:
        found, self._changes = self._changes, []
        return found

    def acknowledge(self, positions: Positions) -> None:
        self._feed.acknowledged.append(positions)

    def close(self) -> None:
        self._faults.call("close")


class FakeSource(Source):
    """Reads a feed."""

    def __init__(self, feed: Feed, faults: Faults) -> None:
        self.bounded = feed.bounded
        self._feed, self._faults = feed, faults

    def open(self, positions: Positions) -> Reader:
        self._faults.call("open")
        self._feed.opened_at.append(dict(positions))
        return FakeReader(self._feed, positions, self._faults)

    def check(self) -> Report:
        return Report(ok=True, message="")


class FlushedSink(AtLeastOnceSink):
    """Shows rows at once."""

    def __init__(self, target: Target, faults: Faults) -> None:
        self.target, self.faults = target, faults

    def goes_on(self, epoch: int) -> None:
        self.target.begun.append(epoch)

    def open(self) -> None:
        self.faults.call("sink.open")

    def write(self, batch: pl.DataFrame) -> None:
        self.faults.call("write")
        self.target.seen += batch.rows()

    def prepare(self, epoch: int) -> None:
        self.faults.call("prepare")

    def check(self) -> Report:
        return Report(ok=True, message="")

    def close(self) -> None:
        self.faults.call("sink.close")


class MarkedSink(TransactionalSink):
    """Shows rows with the mark, all or nothing."""

    def __init__(self, target: Target, faults: Faults) -> None:
        self.target, self.faults = target, faults
        self.rows: list[tuple[Any, ...]] = []

    def open(self) -> int:
        self.faults.call("sink.open")
        return self.target.mark

    def write(self, batch: pl.DataFrame) -> None:
        self.faults.call("write")
        self.rows += batch.rows()

    def commit(self, epoch: int) -> None:
        self.faults.call("commit")
        self.target.seen += self.rows
        self.target.mark, self.rows = epoch, []
        self.faults.call("committed")

    def check(self) -> Report:
        return Report(ok=True, message="")

    def close(self) -> None:
        self.faults.call("sink.close")


class StagingSink(StagedSink):
    """Stages rows as JSON."""

    def __init__(self, target: Target, faults: Faults) -> None:
        self.target, self.faults = target, faults
        self.rows: list[tuple[Any, ...]] = []

    def open(self, staged: Any | None, epoch: int) -> None:
        self.faults.call("sink.open")
        if staged is not None:
            self.commit(epoch, staged)

    def write(self, batch: pl.DataFrame) -> None:
        self.faults.call("write")
        self.rows += batch.rows()

    def finish(self) -> None:
        self.target.finished += 1

    def prepare(self, epoch: int) -> Any:
        self.faults.call("prepare")
        staged, self.rows = self.rows, []
        return [list(r) for r in staged]

    def commit(self, epoch: int, staged: Any) -> None:
        self.faults.call("commit")
        if epoch not in self.target.epochs:
            self.target.seen += [tuple(r) for r in staged]
            self.target.epochs.add(epoch)
        self.faults.call("committed")

    def check(self) -> Report:
        return Report(ok=True, message="")

    def close(self) -> None:
        self.faults.call("sink.close")


class ChoosySink(MarkedSink):
    """Refuses multiples of seven when an epoch is prepared."""

    def prepare(self, epoch: int) -> None:
        self.faults.call("prepare")
        frame = pl.DataFrame(self.rows, schema={"id": pl.Int64, "name": pl.String}, orient="row")
        self.rows = [row for kept in self.sift([frame]) for row in kept.rows()]

    def sift(self, batches: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
        kept = []
        for batch in batches:
            bad = batch.filter(pl.col("id") % 7 == 0)
            if len(bad):
                self.refusals.refuse(bad, "seven", "a multiple of seven")
            kept.append(batch.filter(pl.col("id") % 7 != 0))
        return kept


class PickySink(StagingSink):
    """Refuses multiples of seven when they are written."""

    def write(self, batch: pl.DataFrame) -> None:
        bad = batch.filter(pl.col("id") % 7 == 0)
        if len(bad):
            self.refusals.refuse(bad, "seven", "a multiple of seven")
        super().write(batch.filter(pl.col("id") % 7 != 0))


SINKS: dict[str, Callable[[Target, Faults], Sink]] = {
    "flushed": FlushedSink,
    "marked": MarkedSink,
    "staged": StagingSink,
    "choosy": ChoosySink,
    "picky": PickySink,
}


class FakeConnector(Connector):
    """`fake`: sources by the table's name, sinks by the option `kind`."""

    name = "fake"
    doc = "for tests"
    options = OptionSet("connector 'fake'", (Option("kind", string, "flushed"),))
    formats = True

    def __init__(self, world: World) -> None:
        self._world = world

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> Source:
        return FakeSource(self._world.feeds[table.name], self._world.faults_of(table.name))

    def sink(self, table: Table, options: Values, context: Context) -> Sink:
        return SINKS[options["kind"]](self._world.target(table.name), self._world.faults_of(table.name))


SCHEMA = {"id": BIGINT, "name": STRING}


class World:
    """Feeds, targets and faults by table; jobs over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.feeds: dict[str, Feed] = {}
        self.targets: dict[str, Target] = {}
        self.faults: dict[str, Faults] = {}
        self.tables: dict[str, Table] = {}
        self.settings = {"execution.checkpointing.interval": "20 ms"}

    def faults_of(self, name: str) -> Faults:
        """Give the faults of a table."""
        return self.faults.setdefault(name, Faults())

    def target(self, name: str) -> Target:
        """Give what a table's system has."""
        return self.targets.setdefault(name, Target())

    def table(self, name: str, schema: Mapping[str, Any] | None = None, **options: str) -> Table:
        """Declare a table of the fake connector; `_` in an option's name stands for `-`."""
        columns = tuple(PhysicalColumn(n, t) for n, t in (schema or SCHEMA).items())
        given = {k.replace("_", "-").replace("tailrace-", "tailrace.", 1): OptionText(v) for k, v in options.items()}
        fields = Schema(tuple(Field(c.name, c.type) for c in columns))
        table = Table(name, columns, fields, {"connector": OptionText("fake"), **given})
        self.tables[name] = table
        return table

    def scan(self, name: str, *batches: Any, bounded: bool = True, parts: int = 1, **options: str) -> nodes.Scan:
        """Declare a source that gives these batches, dealt out to its partitions."""
        self.feeds[name] = Feed({str(p): list(batches[p::parts]) for p in range(parts)}, bounded)
        table = self.table(name, None, **options)
        return nodes.Scan(schema=table.schema, table=table)

    def into(self, input_: nodes.Node, name: str, kind: str = "flushed", **options: str) -> nodes.Sink:
        """Write into a table."""
        return nodes.Sink(schema=input_.schema, input=input_, table=self.table(name, None, kind=kind, **options))

    def job(self, *sinks: nodes.Sink, state: str | None = "state", **options: Any) -> Job:
        """Make a job; the next one on the same state goes on where it ended."""
        folder = self.folder / state if state else None
        return Job("test", sinks, self.settings, state=folder, tables=self.tables, **options)


def batch(start: int, stop: int) -> pl.DataFrame:
    """Give rows with these ids."""
    ids = pl.int_range(start, stop, dtype=pl.Int64, eager=True)
    return pl.DataFrame({"id": ids, "name": ids.cast(pl.String)})


@pytest.fixture
def make() -> Callable[[int, int], pl.DataFrame]:
    """Give the maker of batches: rows with ids from, up to."""
    return batch


@pytest.fixture
def boom() -> type[Exception]:
    """Give the exception of a fake death."""
    return Boom


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give a world whose connector is known by name; no thread of a job outlives the test."""
    made, before = World(tmp_path), set(threading.enumerate())
    real = registry.get
    fake = FakeConnector(made)
    monkeypatch.setattr(registry, "get", lambda name, at=None: fake if name == "fake" else real(name, at))
    yield made
    left = [t.name for t in threading.enumerate() if t not in before and t.name.startswith("tailrace-")]
    assert not left
