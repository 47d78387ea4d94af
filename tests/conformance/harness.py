"""Runs a conformance case straight on the executor, with the input cut as asked and restarts in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from tailrace.clock import SystemClock
from tailrace.engine.executor import Executor, Input
from tailrace.formats.base import Rows
from tailrace.formats.registry import get as get_format
from tailrace.formats.rows_as_json import jsonl
from tailrace.plan.nodes import Scan, Sink
from tailrace.plan.rewrite import optimize
from tailrace.sql.session import Session
from tailrace.sql.statements import Query
from tailrace.state.delta import StateDelta


def plan_of(case: Path) -> tuple[Sink, dict[str, str]]:
    """Bind a case; give the plan of its last statement and the settings."""
    session = Session(parameters={"DATA": str(case.with_suffix(".in"))})
    statements = session.bind(case.read_text(), str(case))
    query = statements[-1]
    assert isinstance(query, Query)
    (sink,) = optimize((query.plan,))
    return sink, dict(session.settings)


def input_of(scan: Scan, folder: Path) -> pl.DataFrame:
    """Decode all input of a scan."""
    lines: list[bytes | None] = [
        line for file in sorted(folder.iterdir()) for line in file.read_bytes().splitlines() if line
    ]
    format_ = get_format("json")
    decoded = format_.decoder(scan.schema, format_.options.parse({})).decode(Rows.of(lines))
    assert not decoded.rejects
    return decoded.frame


class Run:
    """One run of a case; `restart_every` ticks the executor is dropped and a new one takes up its state."""

    def __init__(self, case: Path, sizes: Iterator[int], restart_every: int = 0) -> None:
        self._case = case
        self._sink, self._settings = plan_of(case)
        self._sizes = sizes
        self._restart_every = restart_every
        self.restarts = 0
        self.ticks = 0
        self._deltas: dict[str, list[StateDelta]] = {}

    def _executor(self) -> Executor:
        tables = [n.table.name for n in _scans(self._sink)]
        executor = Executor([self._sink], self._settings, SystemClock(), bounded=tables)
        executor.restore(self._deltas)
        for scan in executor.scans:
            executor.assign(scan, "0")
        return executor

    def _restarted(self, executor: Executor) -> Executor:
        for name, delta in executor.snapshot().items():
            self._deltas[name] = [*([] if delta.base else self._deltas.get(name, [])), delta]
        self.restarts += 1
        return self._executor()

    def rows(self) -> list[str]:
        """Give the rows as the expected ones are written."""
        executor = self._executor()
        folder = self._case.with_suffix(".in")
        frames = {name: input_of(scan, folder) for name, scan in executor.scans.items()}
        out: list[pl.DataFrame] = []
        while any(len(f) for f in frames.values()):
            size = next(self._sizes)
            inputs = [Input(n, "0", f.head(size)) for n, f in frames.items() if len(f)]
            frames = {n: f.slice(size) for n, f in frames.items()}
            out += [batch for _, batch in self._tick(executor, inputs)]
            self.ticks += 1
            if self._restart_every and self.ticks % self._restart_every == 0:
                executor = self._restarted(executor)
        for scan in executor.scans:
            executor.end(scan, "0")
            executor.end_scan(scan)
        out += [batch for _, batch in self._tick(executor, [])]
        assert executor.done
        return [_canonical(line) for batch in out for line in jsonl(batch, self._sink.schema).splitlines()]

    @staticmethod
    def _tick(executor: Executor, inputs: list[Input]) -> list[tuple[str, pl.DataFrame]]:
        result = executor.tick(inputs)
        assert not [r for r in result.rejected if r.stage != "late"]
        return result.outputs


def _scans(node: Sink) -> list[Scan]:
    stack, out = [node.input], []
    while stack:
        current = stack.pop()
        stack += current.inputs
        out += [current] if isinstance(current, Scan) else []
    return out


def _canonical(line: bytes | str) -> str:
    return json.dumps(json.loads(line), sort_keys=True)


def constant(size: int) -> Iterator[int]:
    """Give the same size for ever."""
    while True:
        yield size


def random_sizes(seed: int) -> Iterator[int]:
    """Give sizes from 1 to 20."""
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(1, 21))
