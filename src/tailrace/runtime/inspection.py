"""What can be asked of a running job beside its counters; each question costs something only when it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tailrace.clock import Clock
from tailrace.engine.open_windows import WindowState
from tailrace.engine.progress import SourceTime
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Node, Sink
from tailrace.plan.redaction import hidden_columns
from tailrace.runtime.assembly import Parts
from tailrace.runtime.between_ticks import BetweenTicks
from tailrace.runtime.checkpoint_history import CheckpointRecord, History
from tailrace.settings import value
from tailrace.state.savepoints import Savepoint, savepoints

ANSWER_SECONDS = 3.0
"""So long the engine may take for the tick that it is at; then there is no answer for now."""

MOST_WINDOWS = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """
    The newest rows that came out of an operator: `age` seconds ago (None: none since somebody looks).

    `hidden` are the columns whose values are not to be shown.
    """

    operator: str
    columns: tuple[str, ...]
    frame: pl.DataFrame | None
    age: float | None
    passed: int
    hidden: frozenset[str]


@dataclass(frozen=True, slots=True)
class ScriptText:
    """What a job was made of: scripts by their names (none for a pipeline in Python), and all tables that they define."""

    texts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()


class Inspection:
    """Questions to one running job, from any thread."""

    def __init__(
        self,
        parts: Parts,
        between: BetweenTicks,
        clock: Clock,
        settings: Mapping[str, str],
        history: History,
        folder: Path | None,
        script: ScriptText,
    ) -> None:
        self._executor = parts.executor
        self.letter_tables: Mapping[str, Table] = parts.letters
        """The tables that take the job's dead letters, by name."""
        self.settings: Mapping[str, str] = dict(settings)
        self.clock: Clock = clock
        self.between: BetweenTicks = between
        """What has calls done on the engine's thread."""
        self.nodes: Mapping[str, Node] = dict(parts.executor.nodes)
        """The nodes of the plan, by the names of their operators."""
        self.plans: Sequence[Sink] = list(parts.executor.sinks.values())
        self.tables: Sequence[Table] = list(script.tables)
        self.texts: Sequence[tuple[str, str]] = script.texts
        self._history = history
        self.folder: Path | None = folder
        """Where the job keeps its state, if it does."""
        self.redacted: tuple[str, ...] = value(settings, "tailrace.redact")
        """The columns that must not be shown."""
        self._hidden = hidden_columns(list(parts.executor.sinks.values()), self.redacted)

    def windows(self) -> tuple[Sequence[WindowState], Mapping[str, SourceTime]]:
        """
        Tell which windows are open, and how far event time has come at the sources.

        Raises:
            TransientError: the engine is busy.
        """
        executor = self._executor
        return self.between.ask(lambda: (executor.open_windows(MOST_WINDOWS), executor.source_times()), ANSWER_SECONDS)

    def sample(self, operator: str) -> Sample | None:
        """Look at the rows that come out of an operator; None if there is none of this name. Ask again to see more."""
        node = self._executor.nodes.get(operator)
        if node is None:
            return None
        now = self.clock.monotonic()
        tap = self._executor.taps.look(operator, now)
        age = None if tap.frame is None else now - tap.taken
        return Sample(operator, node.schema.names, tap.frame, age, tap.passed, self._hidden[id(node)])

    def checkpoints(self) -> list[CheckpointRecord]:
        """Give the last complete checkpoints of this run, the newest first."""
        return self._history.records()

    def savepoints(self) -> list[Savepoint]:
        """Give the savepoints of the job, the newest first; those of earlier runs too."""
        return savepoints(self.folder) if self.folder is not None else []
