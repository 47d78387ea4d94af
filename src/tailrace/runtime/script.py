"""
What a script runs, and in which order.

INSERTs up to a SELECT (or the end) are one job. If all their sources end by themselves, they run first, and the SELECT
then runs as a job of its own and sees what they wrote; else all of them run together in one job.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tailrace.clock import Clock, SystemClock
from tailrace.connectors import registry
from tailrace.connectors.base import Context, Sink
from tailrace.errors import ConfigError
from tailrace.plan import nodes
from tailrace.plan.catalog import Table
from tailrace.plan.rewrite import optimize
from tailrace.runtime.assembly import Assembler
from tailrace.runtime.control import Control
from tailrace.runtime.inputs import require
from tailrace.runtime.inspection import Inspection
from tailrace.runtime.job import Job
from tailrace.runtime.observation import Observation
from tailrace.runtime.restarts import Restarts
from tailrace.runtime.summary import Status, Summary
from tailrace.runtime.telemetry import NoTelemetry, Telemetries, Telemetry, no_telemetry
from tailrace.settings import value
from tailrace.sql.statements import Done, Explain, Insert, Query, Show, Statement
from tailrace.state.store_folder import resumes


@dataclass(frozen=True, slots=True)
class Run:
    """A step that runs a job; `sinks` are its plans, as bound, `settings` those of its last statement."""

    sinks: tuple[nodes.Sink, ...]
    settings: Mapping[str, str] | None = None

    @property
    def query(self) -> nodes.Sink | None:
        """The SELECT among them, if there is one."""
        return next((s for s in self.sinks if s.table is None), None)


@dataclass(frozen=True, slots=True)
class Tell:
    """A step that only shows something."""

    statement: Show | Explain | Done


Step = Run | Tell


def steps(statements: Sequence[Statement], bounded: Callable[[nodes.Sink], bool]) -> list[Step]:
    """
    Put statements into steps; `bounded` tells whether all sources of a plan end by themselves.

    Raises:
        ConfigError: something stands behind a job that never ends.
    """
    found = list(_steps(statements, bounded))
    runs = [s for s in found if isinstance(s, Run)]
    for run in runs[:-1]:
        endless = next((s for s in run.sinks if not bounded(s)), None)
        if endless is not None:
            hint = "put it last, or write all of them as INSERTs before one SELECT"
            raise ConfigError(
                "what stands behind this never runs: it does not end", hint=hint, location=endless.location
            )
    return found


def _steps(statements: Sequence[Statement], bounded: Callable[[nodes.Sink], bool]) -> Iterator[Step]:
    inserts: list[nodes.Sink] = []
    settings: Mapping[str, str] | None = None
    for statement in statements:
        match statement:
            case Insert():
                inserts += statement.sinks
                settings = statement.settings
            case Query():
                if inserts and all(map(bounded, inserts)):
                    yield Run(tuple(inserts), settings)
                    inserts = []
                yield Run((*inserts, statement.plan), statement.settings)
                inserts = []
            case _:
                yield Tell(statement)
    if inserts:
        yield Run(tuple(inserts), settings)


class Script:
    """
    Runs the steps of a script, one after another; `stop` ends the one that runs and skips the rest.

    `settings` are those of statements that bring none of their own. `query_sink` makes the sink that takes a SELECT's
    rows, `tell` shows what the other steps have to say, `telemetry` sends out what is seen of each job; `texts` are the scripts by their names. With `state`, a single job keeps its state there, several in
    folders below.
    """

    def __init__(
        self,
        name: str,
        statements: Sequence[Statement],
        tables: Mapping[str, Table],
        settings: Mapping[str, str],
        *,
        state: Path | None = None,
        clock: Clock | None = None,
        query_sink: Callable[[nodes.Sink], Sink] | None = None,
        tell: Callable[[Show | Explain | Done], None] | None = None,
        allow_state_drop: bool = False,
        telemetry: Telemetries = no_telemetry,
        texts: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.name = name
        self._texts = tuple(texts)
        self._telemetries = telemetry
        self._telemetry: Telemetry = NoTelemetry()
        self._tables = dict(tables)
        self._settings = dict(settings)
        self._state = state
        self._clock = clock or SystemClock()
        self._query_sink = query_sink
        self._tell = tell
        self._allow_drop = allow_state_drop
        self._stopped = False
        self._job: Job | None = None
        self._restarts: Restarts | None = None
        self.steps: list[Step] = steps(statements, self.is_bounded)
        for plan in (sink for step in self.steps if isinstance(step, Run) for sink in step.sinks):
            registry.check_updates(plan)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The steps that run a job."""
        return tuple(s for s in self.steps if isinstance(s, Run))

    @property
    def bounded(self) -> bool:
        """Whether it ends by itself."""
        return all(self.is_bounded(sink) for run in self.runs for sink in run.sinks)

    def check(self) -> None:
        """
        Build every job and run none; no system is reached.

        Raises:
            ConfigError: a table can't be read or written as a statement wants; points at the place.
        """
        for run in self.runs:
            with tempfile.TemporaryDirectory(prefix="tailrace-") as folder:
                assembler = Assembler(self.name, Path(folder), self._settings_of(run), self._clock, durable=False)
                assembler.build(optimize(run.sinks), self._tables, self._query_sinks(run))

    def run(self) -> list[Summary]:
        """
        Run all steps; give a summary for each job.

        Raises:
            TailraceError: as `Job.run`; later steps do not run.
        """
        summaries: list[Summary] = []
        count = len(self.runs)
        if count > 1:
            self.check()  # a mistake in the last one is found before the first has written anything
        self._require_inputs()
        for step in self.steps:
            if self._stopped:
                break
            if isinstance(step, Run):
                summaries.append(self._run(step, len(summaries), count))
            elif self._tell is not None:
                self._tell(step.statement)
        return summaries

    def _require_inputs(self) -> None:
        """Where several tables are read, find one that is not there before another has been read."""
        runs = self.runs
        scans = [
            scan
            for number, run in enumerate(runs)
            if not resumes(self._folder_of(number, len(runs)))
            for sink in run.sinks
            for scan in _scans(sink)
        ]
        if len({s.table.name for s in scans}) > 1:
            written = [s.table for run in runs for s in run.sinks if s.table is not None]
            require(scans, written, self._context())

    def _folder_of(self, number: int, count: int) -> Path | None:
        """Give the state folder of a job."""
        return self._state if self._state is None or count == 1 else self._state / f"job-{number + 1}"

    def _context(self) -> Context:
        return Context(self.name, Path(tempfile.gettempdir()), self._clock, self._settings)

    def _run(self, step: Run, number: int, count: int) -> Summary:
        def make() -> Job:
            job = self._job = self._make(step, number, count, settings if not restarts.count else settings | patient)
            if self._stopped:  # a signal came while it was made
                job.stop()
            return job

        settings = dict(self._settings_of(step))
        # what was there at the start is waited for as long as if it had gone away in the middle
        patient = {"tailrace.source.start-limit": f"{value(settings, 'tailrace.source.retry-limit')} ms"}
        # rows that were shown can't be taken back: a SELECT that is interrupted ends
        attempts = 0 if step.query is not None else value(settings, "tailrace.restart.attempts")
        restarts = self._restarts = Restarts(attempts)
        folder = self._folder_of(number, count)
        with self._telemetries(self.name_of(number), settings, self.observe, folder) as self._telemetry:
            return restarts.run(make)

    def stop(self) -> None:
        """End the job that runs, in good order, and skip the rest; from any thread or a signal handler."""
        self._stopped = True
        if self._restarts is not None:
            self._restarts.stop()
        if self._job is not None:
            self._job.stop()

    def status(self) -> Status | None:
        """Give the counters of the job that runs, or ran last; None before the first."""
        return self._job.status() if self._job is not None else None

    def observe(self) -> Observation | None:
        """Give all that can be seen of the job that runs, or ran last; None before the first."""
        if self._job is None or self._restarts is None:
            return None
        return replace(self._job.observe(), restarts=self._restarts.count, exports=self._telemetry.status())

    @property
    def inspection(self) -> Inspection | None:
        """Questions to the job that runs, or ran last; None before its engine has started."""
        return self._job.inspection if self._job is not None else None

    @property
    def control(self) -> Control | None:
        """Orders to the job that runs; None before its engine has started."""
        return self._job.control if self._job is not None else None

    def name_of(self, number: int) -> str:
        """Give the name of a job, by its number from 0."""
        return self.name if len(self.runs) == 1 else f"{self.name}-{number + 1}"

    def _make(self, run: Run, number: int, count: int, settings: Mapping[str, str]) -> Job:
        name = self.name_of(number)
        state = self._folder_of(number, count)
        return Job(
            name,
            optimize(run.sinks),
            settings,
            state=state,
            clock=self._clock,
            query_sinks=self._query_sinks(run),
            tables=self._tables,
            allow_state_drop=self._allow_drop,
            tracer=self._telemetry.tracer,
            texts=self._texts,
        )

    def _settings_of(self, run: Run) -> Mapping[str, str]:
        return self._settings if run.settings is None else run.settings

    def _query_sinks(self, run: Run) -> dict[str, Sink]:
        query = run.query
        return {"": self._query_sink(query)} if query is not None and self._query_sink is not None else {}

    def is_bounded(self, plan: nodes.Sink) -> bool:
        """Tell whether all that a plan reads ends by itself."""
        return all(registry.source(s.table, s.schema, self._context()).bounded for s in _scans(plan))


def _scans(plan: nodes.Sink) -> list[nodes.Scan]:
    return [n for n in nodes.walk(plan) if isinstance(n, nodes.Scan)]
