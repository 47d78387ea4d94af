"""Runs a case straight on the executor: its input cut in some way, with hard stops after which it goes on from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, repeat

import numpy as np
import polars as pl
from case_jobs import PARTITION, Job
from case_state import InMemory, Keeper
from cases import Row

from tailrace.engine.executor import Executor, Input
from tailrace.errors import DataError
from tailrace.formats.rows_as_json import jsonl
from tailrace.plan.nodes import Node, Sink

Pace = Iterator[list[int]]
"""How many rows of each scan come with each tick."""


@dataclass(frozen=True, slots=True)
class Way:
    """
    How a case runs. `pace` gives the rows of each tick for so many scans.

    `stops` gives pairs of ticks: a checkpoint after the first, a hard stop after as many more as the second says (their
    output is lost, and their rows are read again). `keeper` makes the place where a job's checkpoints are.
    """

    name: str
    pace: Callable[[int], Pace]
    stops: Callable[[], Iterator[tuple[int, int]]] | None = None
    keeper: Callable[[], Keeper] = InMemory


def whole(scans: int) -> Pace:
    """Give all rows at once."""
    return repeat([2**62] * scans)


def ones(scans: int) -> Pace:
    """Give one row of one scan after the other."""
    return cycle([[int(i == turn) for i in range(scans)] for turn in range(scans)] or [[]])


def sevens(scans: int) -> Pace:
    """Give seven rows of each scan."""
    return repeat([7] * scans)


def at_random(seed: int) -> Callable[[int], Pace]:
    """Give up to 20 rows of each scan, or of one of them alone."""

    def pace(scans: int) -> Pace:
        rng = np.random.default_rng(seed)
        while True:
            alone = rng.integers(0, 2 * scans) if scans > 1 else scans
            yield [
                int(n) if alone in (i, *range(scans, 2 * scans)) else 0
                for i, n in enumerate(rng.integers(1, 21, scans))
            ]

    return pace


def stops_at_random(seed: int) -> Callable[[], Iterator[tuple[int, int]]]:
    """Give checkpoints after one to three ticks, and stops up to two ticks later."""

    def stops() -> Iterator[tuple[int, int]]:
        rng = np.random.default_rng(seed)
        while True:
            yield int(rng.integers(1, 4)), int(rng.integers(0, 3))

    return stops


class Run:
    """One run of one job; `stops` says how often it was stopped, `early` that it wanted no more rows."""

    def __init__(self, job: Job, way: Way) -> None:
        self._job = job
        self._pace = way.pace(len(job.inputs))
        self._plan = way.stops() if way.stops else None
        self._keeper = way.keeper()
        self._positions = dict.fromkeys(job.inputs, 0)
        self._out: list[tuple[str, pl.DataFrame]] = []
        self.stops = 0
        self.early = False

    def rows(self) -> list[Row]:
        """Run to the end."""
        executor = self._started()
        while self._plan is not None and self._left(executor):
            before, beyond = next(self._plan)
            self._ticks(executor, before)
            self._keeper.save(executor, self._positions)
            kept = len(self._out)
            if not self._left(executor):
                break
            self._ticks(executor, beyond)
            del self._out[kept:]
            self._keeper.stop()
            self.stops += 1
            executor = self._started()
        while self._left(executor):
            self._ticks(executor, 1)
        self._end(executor)
        self._keeper.stop()
        return [row for name, batch in self._out for row in _rows(batch, executor.sinks[name])]

    @property
    def most_rows(self) -> int:
        """The rows of its longest input."""
        return max(map(len, self._job.inputs.values()), default=0)

    def _started(self) -> Executor:
        executor = self._job.executor()
        saved = self._keeper.load(executor)
        executor.restore(saved.deltas)
        self._positions = dict.fromkeys(self._job.inputs, 0) | saved.positions
        for scan in executor.scans:
            executor.assign(scan, PARTITION)
        return executor

    def _left(self, executor: Executor) -> bool:
        rows = any(self._positions[name] < len(frame) for name, frame in self._job.inputs.items())
        self.early = rows and executor.done
        return rows and not executor.done

    def _ticks(self, executor: Executor, count: int) -> None:
        for _ in range(count):
            self._tick(executor, self._next_inputs(next(self._pace)))

    def _next_inputs(self, sizes: list[int]) -> list[Input]:
        inputs = []
        for (name, frame), size in zip(self._job.inputs.items(), sizes, strict=True):
            part = frame.slice(self._positions[name], size)
            self._positions[name] += len(part)
            inputs += [Input(name, PARTITION, part)] if len(part) else []
        return inputs

    def _tick(self, executor: Executor, inputs: list[Input]) -> None:
        result = executor.tick(inputs)
        for rejected in result.rejected:
            if rejected.stage != "late":
                raise DataError(f"{rejected.stage}: {rejected.reason}")
        self._out += result.outputs

    def _end(self, executor: Executor) -> None:
        for scan in executor.scans:
            executor.end(scan, PARTITION)
            executor.end_scan(scan)
        self._tick(executor, [])
        assert executor.done


def _rows(batch: pl.DataFrame, sink: Node) -> list[Row]:
    name = sink.table.name if isinstance(sink, Sink) and sink.table else ""
    rows = (Row.read(line) for line in jsonl(batch, sink.schema).splitlines())
    return [Row(r.op, r.values, name) for r in rows]
