"""A pipeline that a test drives: rows, time, checkpoints and crashes come when the test says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from tailrace.api.durations import Span, span
from tailrace.api.pipelines import Pipeline
from tailrace.api.results import standing
from tailrace.api.table import Table
from tailrace.clock import ManualClock
from tailrace.engine.batch import KIND, RowKind
from tailrace.engine.executor import Executor, Input
from tailrace.errors import ConfigError, did_you_mean
from tailrace.plan import nodes
from tailrace.plan.rewrite import optimize
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert, Query
from tailrace.state.delta import StateDelta
from tailrace.testing.emitted import Change
from tailrace.testing.input_rows import Rows, columns
from tailrace.testing.looked_up import LookedUp

PARTITION = "0"


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows that an operator could not take: `stage` is `late`, or where they failed, as `expression`."""

    stage: str
    reason: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    deltas: dict[str, list[StateDelta]]
    outputs: int
    refused: int


class Drive:
    """
    Drives a table, a pipeline, or a script in SQL, which has its INSERTs or one SELECT.

    Each `push` and `advance` is one step of the engine, and gives the changes that came out. Time stands still in
    between: `at` is where it begins. Connectors are not opened: a table that is looked up in has the rows that were
    pushed into it. A policy for bad rows does not apply: what an operator refuses is in `refused`.

    >>> import tailrace as tr
    >>> from tailrace.testing import Drive
    >>> clicks = tr.read("datagen", {"user": str, "ts": "TIMESTAMP(3)"}, name="clicks", time=tr.event_time("ts"))
    >>> drive = Drive(clicks.window(tr.tumble("1m")).group_by("user").agg(n=tr.count()).select("user", "n"))
    >>> drive.push("clicks", [{"user": "ann", "ts": "2026-01-01 00:00:10"}])
    []
    >>> drive.push("clicks", [{"user": "bob", "ts": "2026-01-01 00:01:00"}])
    [Change(op='+I', row={'user': 'ann', 'n': 1}, table='')]
    """

    def __init__(
        self,
        what: Table | Pipeline | str,
        *,
        at: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = dict(settings or {})
        self._plans = optimize(_plans(what, self._settings))
        self.clock = ManualClock(int(at.timestamp() * 1000))
        self._partitions: list[tuple[str, str]] = []
        self._outputs: list[tuple[str, pl.DataFrame]] = []
        self.refused: list[Refused] = []
        self._since: list[list[Input]] = []
        self._checkpoint = _Checkpoint({}, 0, 0)
        self._ended = False
        self._looked_up = LookedUp(self._plans)
        self._executor = self._new_executor()

    # steps

    def push(self, table: str, rows: Rows, *, partition: str = PARTITION) -> list[Change]:
        """
        Let a table have rows, in one batch; of a table of changes also `Change("-D", row)` and the like.

        Rows of a table that is looked up in are there for the rows that come behind them.

        Raises:
            ConfigError: there is no such table or column, it does not change so, or a value does not fit.
        """
        if table in self._looked_up.names:
            rows = rows if isinstance(rows, pl.DataFrame) else list(rows)
            self._looked_up.push(table, rows)
            if not self._reads(table):
                return []
        inputs = []
        for scan, node in self._scans(table).items():
            if (scan, partition) not in self._partitions:
                self._partitions.append((scan, partition))
                self._executor.assign(scan, partition)
            inputs.append(Input(scan, partition, columns(rows, node.table, node.schema)))
        self._since.append(inputs)
        return self._step(inputs)

    def advance(self, by: Span) -> list[Change]:
        """Let time go on: for windows of processing time, idle partitions, and time-to-live of state."""
        self.clock.advance(int(span(by).total_seconds() * 1000))
        return self._step([])

    def end(self) -> list[Change]:
        """Let all tables end: what is open is put out."""
        self._ended = True
        self._end_all()
        return self._step([])

    # checkpoints

    def checkpoint(self) -> None:
        """Take a checkpoint: what came out until now is final, and a crash goes on from here."""
        earlier = self._checkpoint.deltas
        new = self._executor.snapshot()
        deltas = earlier | {name: [*([] if d.base else earlier.get(name, [])), d] for name, d in new.items()}
        self._checkpoint = _Checkpoint(deltas, len(self._outputs), len(self.refused))
        self._since = []

    def crash(self) -> list[Change]:
        """
        Lose all but the last checkpoint, and go on from there: rows that were pushed since come again.

        Gives the changes that come out of that; those that came out since the checkpoint are taken back, as those of an
        exactly-once sink are.
        """
        del self._outputs[self._checkpoint.outputs :]
        del self.refused[self._checkpoint.refused :]
        self._executor = self._new_executor()
        self._executor.restore(self._checkpoint.deltas)
        for scan, partition in self._partitions:
            self._executor.assign(scan, partition)
        changes = [change for inputs in self._since for change in self._step(inputs)]
        if self._ended:
            self._end_all()
            changes += self._step([])
        return changes

    # what came out

    @property
    def changes(self) -> list[Change]:
        """All changes, in order."""
        return [change for name, batch in self._outputs for change in self._changes(name, batch)]

    def rows(self, table: str = "") -> list[dict[str, Any]]:
        """Give the rows that stand now, of one table if there are several."""
        sinks = {name: node for name, node in self._executor.sinks.items() if table in ("", _table_of(node))}
        if len(sinks) != 1:
            names = [_table_of(node) for node in self._executor.sinks.values()]
            raise ConfigError(f"there is no single table '{table}'", hint=f"it writes into {', '.join(names)}")
        ((name, node),) = sinks.items()
        return standing([batch for sink, batch in self._outputs if sink == name], node.schema).to_dicts()

    @property
    def late(self) -> list[dict[str, Any]]:
        """The rows that came too late."""
        return [row for found in self.refused if found.stage == "late" for row in found.rows]

    def watermark(self, table: str) -> datetime | None:
        """Give how far the time of events has come in a table, over all its partitions; None before the first row."""
        marks = [m for scan in self._scans(table) for m in self._executor.watermarks()[scan].values()]
        reached = min(marks, default=None)
        return None if reached is None or reached < 0 else datetime.fromtimestamp(reached / 1000, UTC)

    # helpers

    def _new_executor(self) -> Executor:
        return Executor(self._plans, self._settings, self.clock, askers=self._looked_up.asker)

    def _end_all(self) -> None:
        for scan, partition in self._partitions:
            self._executor.end(scan, partition)
        for scan in self._executor.scans:
            self._executor.end_scan(scan)

    def _scans(self, table: str) -> dict[str, nodes.Scan]:
        found = self._reads(table)
        if not found:
            read = {node.table.name for node in self._executor.scans.values()}
            names = sorted({*read, *self._looked_up.names})
            hint = did_you_mean(table, names) or f"it reads {', '.join(names)}"
            raise ConfigError(f"the pipeline does not read a table '{table}'", hint=hint)
        return found

    def _reads(self, table: str) -> dict[str, nodes.Scan]:
        return {name: node for name, node in self._executor.scans.items() if node.table.name == table}

    def _step(self, inputs: Sequence[Input]) -> list[Change]:
        result = self._executor.tick(inputs)
        self._outputs += result.outputs
        self.refused += [Refused(r.stage, r.reason, r.rows.to_dicts()) for r in result.rejected]
        return [change for name, batch in result.outputs for change in self._changes(name, batch)]

    def _changes(self, sink: str, batch: pl.DataFrame) -> list[Change]:
        table = _table_of(self._executor.sinks[sink])
        kinds = batch[KIND].to_list() if KIND in batch.columns else [RowKind.INSERT.value] * len(batch)
        rows = batch.drop(KIND, strict=False).to_dicts()
        return [Change(RowKind(kind).sign, row, table) for kind, row in zip(kinds, rows, strict=True)]


def _table_of(sink: nodes.Node) -> str:
    return sink.table.name if isinstance(sink, nodes.Sink) and sink.table is not None else ""


def _plans(what: Table | Pipeline | str, settings: Mapping[str, str]) -> tuple[nodes.Sink, ...]:
    if isinstance(what, Table):
        return (what.definitions.query(what.tree, settings).plan,)
    if isinstance(what, Pipeline):
        return what.bound(settings).sinks
    found: list[nodes.Sink] = []
    for statement in Session(settings=settings).bind(what, "<test>"):
        match statement:
            case Insert():
                found += statement.sinks
            case Query():
                found.append(statement.plan)
    if not found:
        raise ConfigError("the script has nothing to run", hint="it needs an INSERT INTO or a SELECT")
    return tuple(found)
