"""A pipeline that a test drives: rows, time, checkpoints and crashes come when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from tailrace.api.durations import Span, span
from tailrace.api.pipelines import Pipeline
from tailrace.api.results import standing
from tailrace.api.table import Table
from tailrace.clock import ManualClock
from tailrace.connectors.discovery import discover
from tailrace.engine.batch import KIND, RowKind
from tailrace.engine.executor import Executor, Input
from tailrace.errors import ConfigError, DataError, did_you_mean
from tailrace.plan import catalog, nodes
from tailrace.plan.rewrite import optimize
from tailrace.schema import Schema
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert, Query
from tailrace.state.delta import StateDelta
from tailrace.testing.arrivals import Arrival, Arrivals, Refusals
from tailrace.testing.comparing import Row, assert_rows
from tailrace.testing.emitted import Change, Emitted, Refused
from tailrace.testing.input_rows import Rows, columns
from tailrace.testing.looked_up import LookedUp
from tailrace.testing.sentinels import Checkpoint, Crash, End, Pause, Sentinel, Watermark, milliseconds

PARTITION = "0"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the clock of a test begins."""

Item = Mapping[str, Any] | Change | bytes | Sentinel
"""What is played into a table: a row or change, a payload for its format to decode, or a sentinel."""


@dataclass(frozen=True, slots=True)
class _Saved:
    """A checkpoint: the state, and how much had come out and ended until then."""

    deltas: Mapping[str, list[StateDelta]]
    outputs: int = 0
    letters: int = 0
    refused: int = 0
    ended: frozenset[str] = frozenset()


class Drive:
    """
    Drives a table, a pipeline, or a script in SQL, which has its INSERTs or one SELECT.

    Each `push` and `advance` is one step of the engine, and gives the changes that came out. Time stands still in
    between: `at` is where it begins, or `clock` what it is. Connectors are not opened: a table that is looked up in has
    the rows that were pushed into it. Rows that can't be taken go the way that their table says; where that is to fail,
    the drive goes on, and `failure` has what would end a job. Rows may be of any time, however far from the clock,
    unless their table has a `tailrace.watermark.max-future`.

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
        at: datetime = BEGIN,
        clock: ManualClock | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        plans, tables, bound_with = _bound(what, settings or {})
        self._settings = dict(bound_with)
        self._plans = optimize(plans)
        self.clock: ManualClock = clock or ManualClock(milliseconds(at))
        self._arrivals = Arrivals(self._settings)
        self._partitions: list[tuple[str, str]] = []
        self._ended: set[str] = set()
        self._seen = False
        self._outputs: list[tuple[str, pl.DataFrame]] = []
        self._letters: list[tuple[str, pl.DataFrame]] = []
        self._since: list[Callable[[], list[Change]]] = []
        self._saved = _Saved({})
        self._looked_up = LookedUp(self._plans)
        self._executor = self._new_executor()
        self._refusals = Refusals(self._executor, tables)

    # steps

    def push(self, table: str, rows: Rows, *, partition: str = PARTITION) -> Emitted[Change]:
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
                return Emitted()
        arrivals = [
            self._arrivals.of_rows(scan, partition, columns(rows, node.table, node.schema))
            for scan, node in self._scans(table).items()
        ]
        return self._do(lambda: self._arrive(partition, arrivals))

    def push_bytes(
        self, table: str, payloads: Iterable[bytes | str] | bytes, *, partition: str = PARTITION
    ) -> Emitted[Change]:
        """
        Let a table have payloads (or one), in one batch, which its format decodes; what can't be decoded is refused.

        Raises:
            ConfigError: there is no such table, or its rows are more than payloads.
        """
        given: list[Any] = [payloads] if isinstance(payloads, bytes | str) else list(payloads)
        if wrong := [p for p in given if not isinstance(p, bytes | str)]:
            raise ConfigError(f"table '{table}' takes payloads, not {wrong[0]!r}", hint="give bytes or texts")
        arrivals = [self._arrivals.of_bytes(scan, partition, node, given) for scan, node in self._scans(table).items()]
        return self._do(lambda: self._arrive(partition, arrivals))

    def play(self, table: str, items: Iterable[Item], *, partition: str = PARTITION) -> Emitted[Change]:
        """
        Let a table have rows and what stands between them: `Watermark`, `Pause`, `Checkpoint`, `Crash` and `End`.

        Rows that stand beside each other are one batch; bytes are payloads. Gives the changes of all steps.

        >>> import tailrace as tr
        >>> from tailrace.testing import Crash, Drive, End
        >>> rows = tr.read("datagen", {"v": int}, name="rows")
        >>> Drive(rows.agg(n=tr.count())).play("rows", [{"v": 1}, Crash(), {"v": 2}, End()])[-1].row
        {'n': 2}
        """
        found: Emitted[Change] = Emitted()
        rows: list[Any] = []
        for item in (*items, None):
            if item is None or isinstance(item, Sentinel) or (rows and isinstance(item, bytes) != _raw(rows)):
                if rows:
                    push = self.push_bytes if _raw(rows) else self.push
                    found += push(table, rows, partition=partition)
                rows = []
            if isinstance(item, Sentinel):
                found += self._sentinel(table, item, partition)
            elif item is not None:
                rows.append(item)
        return found

    def advance(self, by: Span) -> Emitted[Change]:
        """Let time go on: for windows of processing time, idle partitions, and time-to-live of state."""
        self.clock.advance(int(span(by).total_seconds() * 1000))
        return self._do(self._step)

    def advance_watermark(self, table: str, to: str | datetime, *, partition: str = PARTITION) -> Emitted[Change]:
        """
        Let the time of events in a table be at least this far, without a row that says so.

        Raises:
            ConfigError: there is no such table, or it has no watermark.
        """
        time, scans = milliseconds(to), self._scans(table)

        def reach() -> list[Change]:
            for scan in scans:
                self._assign(scan, partition)
                if not self._executor.reach(scan, partition, time):
                    hint = 'declare WATERMARK FOR, or time=tr.event_time("ts")'
                    raise ConfigError(f"table '{table}' has no watermark", hint=hint)
            return self._step()

        return self._do(reach)

    def end(self, table: str = "") -> Emitted[Change]:
        """Let a table end, or all of them: what is open is put out."""
        scans = set(self._scans(table) if table else self._executor.scans)
        return self._do(lambda: self._end(scans))

    # checkpoints

    def checkpoint(self) -> None:
        """Take a checkpoint: what came out until now is final, and a crash goes on from here."""
        earlier, new = self._saved.deltas, self._executor.snapshot()
        deltas = {**earlier} | {name: [*([] if d.base else earlier.get(name, [])), d] for name, d in new.items()}
        counts = len(self._outputs), len(self._letters), len(self._refusals.refused)
        self._saved = _Saved(deltas, *counts, frozenset(self._ended))
        self._since = []

    def crash(self) -> Emitted[Change]:
        """
        Lose all but the last checkpoint, and go on from there: rows that were pushed since come again.

        Gives the changes that come out of that; those that came out since the checkpoint are taken back, as those of an
        exactly-once sink are.
        """
        del self._outputs[self._saved.outputs :]
        del self._letters[self._saved.letters :]
        del self._refusals.refused[self._saved.refused :]
        self._executor = self._new_executor()
        self._executor.restore(self._saved.deltas)
        for scan, partition in self._partitions:
            self._executor.assign(scan, partition)
        self._ended = set(self._saved.ended)
        changes = self._end(self._ended) if self._ended else []
        return Emitted([*changes, *(change for step in self._since for change in step())])

    # what came out

    @property
    def changes(self) -> Emitted[Change]:
        """All changes, in order."""
        return Emitted(change for name, batch in self._outputs for change in self._changes(name, batch))

    def rows(self, table: str = "") -> Emitted[dict[str, Any]]:
        """Give the rows that stand now, of one table if there are several."""
        if table in self._refusals.letters:
            return self._letters_of(table)
        return Emitted(self.frame(table).to_dicts())

    def frame(self, table: str = "") -> pl.DataFrame:
        """Give the rows that stand now as a frame, with the types of the table's columns."""
        name, schema = self._sink(table)
        return standing([batch for sink, batch in self._outputs if sink == name], schema)

    def expect(self, rows: Iterable[Row], table: str = "", *, ordered: bool = False) -> None:
        """
        Make sure that these rows stand now, in any order unless `ordered`; times and decimals may be texts.

        Raises:
            AssertionError: others do; its text is a table of the differences.
        """
        assert_rows(self.rows(table), rows, ordered=ordered)

    @property
    def refused(self) -> list[Refused]:
        """What could not be taken: late rows, those that could not be decoded, and those that failed."""
        self._seen = True
        return self._refusals.refused

    @property
    def late(self) -> Emitted[dict[str, Any]]:
        """The rows that came too late."""
        return Emitted(row for found in self._refusals.refused if found.stage == "late" for row in found.rows)

    @property
    def dead_letters(self) -> Emitted[dict[str, Any]]:
        """The dead letters, as rows of the tables that take them."""
        return Emitted(row for _, frame in self._letters for row in frame.to_dicts())

    @property
    def failure(self) -> DataError | None:
        """What would have ended a job first: a row that could not be taken, whose table says `fail`."""
        self._seen = True
        return self._refusals.failure

    @property
    def unseen_failure(self) -> DataError | None:
        """The `failure`, if the test has not looked at it, nor at what was `refused`."""
        return None if self._seen else self._refusals.failure

    def watermark(self, table: str) -> datetime | None:
        """Give how far the time of events has come in a table, over all its partitions; None before the first row."""
        marks = [m for scan in self._scans(table) for m in self._executor.watermarks()[scan].values()]
        reached = min(marks, default=None)
        return None if reached is None or reached < 0 else datetime.fromtimestamp(reached / 1000, UTC)

    # helpers

    def _new_executor(self) -> Executor:
        return Executor(self._plans, self._settings, self.clock, askers=self._looked_up.asker, max_future=None)

    def _do(self, step: Callable[[], list[Change]]) -> Emitted[Change]:
        """Do a step, and remember it until the next checkpoint: after a crash it is done again."""
        changes = step()
        self._since.append(step)
        return Emitted(changes)

    def _sentinel(self, table: str, sentinel: Sentinel, partition: str) -> list[Change]:
        match sentinel:
            case Watermark():
                return self.advance_watermark(table, sentinel.time, partition=partition)
            case Pause():
                return self.advance(sentinel.by)
            case Crash():
                return self.crash()
            case End():
                return self.end(table)
            case Checkpoint():
                self.checkpoint()
                return []

    def _assign(self, scan: str, partition: str) -> None:
        if (scan, partition) not in self._partitions:
            self._partitions.append((scan, partition))
            self._executor.assign(scan, partition)

    def _arrive(self, partition: str, arrivals: Sequence[Arrival]) -> list[Change]:
        for scan, _ in arrivals:
            if scan in self._ended:
                hint = "push its rows before it ends"
                raise ConfigError(f"table '{self._executor.scans[scan].table.name}' has ended", hint=hint)
            self._assign(scan, partition)
        return self._step(arrivals)

    def _end(self, scans: Iterable[str]) -> list[Change]:
        ending = set(scans)
        self._ended |= ending
        for scan, partition in self._partitions:
            if scan in ending:
                self._executor.end(scan, partition)
        for scan in ending:
            self._executor.end_scan(scan)
        return self._step()

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

    def _sink(self, table: str) -> tuple[str, Schema]:
        sinks = {name: node for name, node in self._executor.sinks.items() if table in ("", _table_of(node))}
        if len(sinks) != 1:
            names = [*filter(None, map(_table_of, self._executor.sinks.values())), *self._refusals.letters]
            hint = f"it writes into {', '.join(names)}" if names else "it is a query: leave the name out"
            raise ConfigError(f"there is no single table '{table}'", hint=hint)
        ((name, node),) = sinks.items()
        return name, node.schema

    def _step(self, arrivals: Sequence[Arrival] = ()) -> list[Change]:
        inputs = [Input(scan, a.partition, a.frame) for scan, a in arrivals if len(a.frame)]
        result = self._executor.tick(inputs)
        self._outputs += result.outputs
        self._letters += self._refusals.take(arrivals, result, self.clock)
        return [change for name, batch in result.outputs for change in self._changes(name, batch)]

    def _letters_of(self, table: str) -> Emitted[dict[str, Any]]:
        return Emitted(row for name, frame in self._letters if name == table for row in frame.to_dicts())

    def _changes(self, sink: str, batch: pl.DataFrame) -> list[Change]:
        table = _table_of(self._executor.sinks[sink])
        kinds = batch[KIND].to_list() if KIND in batch.columns else [RowKind.INSERT.value] * len(batch)
        rows = batch.drop(KIND, strict=False).to_dicts()
        return [Change(RowKind(kind).sign, row, table) for kind, row in zip(kinds, rows, strict=True)]


def _raw(rows: Sequence[object]) -> bool:
    return isinstance(rows[0], bytes)


def _table_of(sink: nodes.Node) -> str:
    return sink.table.name if isinstance(sink, nodes.Sink) and sink.table is not None else ""


def _bound(
    what: Table | Pipeline | str, settings: Mapping[str, str]
) -> tuple[tuple[nodes.Sink, ...], Mapping[str, catalog.Table], Mapping[str, str]]:
    """Give the plans of what is driven, the tables that it knows, and the settings that hold at its end."""
    if isinstance(what, Table):
        query = what.definitions.query(what.tree, settings)
        return (query.plan,), what.definitions.session(settings).tables, settings
    if isinstance(what, Pipeline):
        return what.bound(settings).sinks, what.definitions.session(settings).tables, settings
    if not isinstance(what, str):
        message = f"a {type(what).__name__} can't be driven"
        raise ConfigError(message, hint="give a table, a pipeline, or a script in SQL as text")
    session = Session(settings=settings, discover=discover)
    found: list[nodes.Sink] = []
    for statement in session.bind(what, "<test>"):
        match statement:
            case Insert():
                found += statement.sinks
            case Query():
                found.append(statement.plan)
            case _:
                continue
        settings = statement.settings or settings
    if not found:
        raise ConfigError("the script has nothing to run", hint="it needs an INSERT INTO or a SELECT")
    return tuple(found), session.tables, settings
