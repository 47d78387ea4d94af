"""Runs a query straight on the executor, with the events cut as asked and restarts in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tailrace.bench.nexmark import queries
from tailrace.clock import ManualClock
from tailrace.connectors import memory
from tailrace.connectors.base import Context
from tailrace.connectors.nexmark.columns import COLUMNS
from tailrace.engine.batch import KIND, RowKind
from tailrace.engine.executor import Executor, Input
from tailrace.plan.nodes import Scan
from tailrace.runtime.lookups import Lookups
from tailrace.schema import Kind
from tailrace.state.delta import StateDelta

PARAMETERS = {
    "SOURCE": "'connector' = 'memory'",
    "SINK": "'connector' = 'blackhole'",
    "FILES": "'connector' = 'filesystem', 'path' = 'unused', 'format' = 'csv'",
    "SIDE": "'connector' = 'memory'",
}
SETTINGS = {"pipeline.auto-watermark-interval": "0"}
TICK_MS = 700
"""What the clock moves on between two ticks."""
QUIET_MS = 60_000
"""What it moves on after the last events, before their end."""

Row = tuple[Any, ...]


class Run:
    """
    One run of a query; each `restart_every` ticks the executor is dropped and a new one takes up its state.

    With restarts there are checkpoints too, about four between two of them.

    `ticks` has the time and the number of events of each.
    """

    def __init__(self, query: str, events: pl.DataFrame, sizes: Iterator[int], restart_every: int = 0) -> None:
        session, self._sinks = queries.bind(query, PARAMETERS)
        self._settings = session.settings | SETTINGS
        self._events = events
        self._sizes = sizes
        self._restart_every = restart_every
        self._deltas: dict[str, list[StateDelta]] = {}
        self.clock = ManualClock()
        self._lookups = Lookups(self._settings, self.clock, lambda _, name: Context(name, Path(), self.clock))
        _fill_side_input()
        self.restarts = 0
        self.ticks: list[tuple[int, int]] = []

    @property
    def key(self) -> list[int]:
        """The places of the columns by which the result's table is unique; none if it has no key."""
        table = self._sinks[0].table
        assert table is not None
        return [table.written.names.index(c) for c in table.primary_key]

    def changes(self) -> Iterator[tuple[RowKind, Row]]:
        """Give what comes out."""
        executor = self._executor()
        done = 0
        while done < len(self._events):
            part = self._events.slice(done, next(self._sizes))
            done += len(part)
            self.ticks.append((self.clock.now_ms(), len(part)))
            inputs = [Input(name, "0", _columns(scan, part)) for name, scan in executor.scans.items()]
            yield from self._tick(executor, inputs)
            executor = self._saved(executor)
            self.clock.advance(TICK_MS)
        self.clock.advance(QUIET_MS)
        yield from self._tick(executor, [])
        for scan in executor.scans:
            executor.end(scan, "0")
            executor.end_scan(scan)
        yield from self._tick(executor, [])
        self._lookups.close()
        assert executor.done

    def _executor(self) -> Executor:
        executor = Executor(self._sinks, self._settings, self.clock, ["events"], self._lookups.asker)
        executor.restore(self._deltas)
        for scan in executor.scans:
            executor.assign(scan, "0")
        return executor

    def _saved(self, executor: Executor) -> Executor:
        """Take a checkpoint, and restart from it, if it is time to."""
        ticks, every = len(self.ticks), self._restart_every
        restart = every and ticks % every == 0
        if every and (restart or ticks % max(1, every // 5) == 0):
            for name, delta in executor.snapshot().items():
                self._deltas[name] = [*([] if delta.base else self._deltas.get(name, [])), delta]
        if not restart:
            return executor
        self.restarts += 1
        return self._executor()

    @staticmethod
    def _tick(executor: Executor, inputs: list[Input]) -> Iterator[tuple[RowKind, Row]]:
        result = executor.tick(inputs)
        assert not result.rejected
        for _, batch in result.outputs:
            kinds = batch[KIND].to_list() if KIND in batch.columns else [RowKind.INSERT] * len(batch)
            rows = batch.drop(KIND, strict=False).iter_rows()
            yield from ((RowKind(k), row) for k, row in zip(kinds, rows, strict=True))


def _fill_side_input() -> None:
    """Let q13 find a value for each key."""
    side = memory.table("side_input")
    if not len(side):
        side.append(pl.DataFrame({"key": np.arange(10_000)}).with_columns(value=pl.col("key").cast(pl.String)))
    side.end()


def _columns(scan: Scan, events: pl.DataFrame) -> pl.DataFrame:
    """Give the columns, and the fields of ROWs, that a scan asks for."""
    picked = []
    for field in scan.schema:
        column = pl.col(field.name)
        if field.type.kind is Kind.ROW and field.type.names != COLUMNS[field.name].names:
            column = pl.when(column.is_not_null()).then(pl.struct(column.struct.field(n) for n in field.type.names))
        picked.append(column.alias(field.name))
    return events.select(picked)


def final(run: Run) -> Counter[Row]:
    """
    Give the rows that stand at the end.

    Raises:
        AssertionError: a row was taken back that was not there.
    """
    there: Counter[Row] = Counter()
    by_key: dict[Row, Row] = {}
    key = run.key
    for kind, row in run.changes():
        name = tuple(row[k] for k in key)
        if kind in (RowKind.UPDATE_BEFORE, RowKind.DELETE):
            if key and kind is RowKind.DELETE:
                del by_key[name]
            elif not key:
                assert there[row] > 0, f"{row} is taken back and was not there"
                there[row] -= 1
        elif key:
            by_key[name] = row
        else:
            there[row] += 1
    return Counter(by_key.values()) if key else +there


def constant(size: int) -> Iterator[int]:
    """Give the same size for ever."""
    while True:
        yield size


def random_sizes(seed: int, most: int) -> Iterator[int]:
    """Give sizes from 1 to `most`."""
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(1, most + 1))
