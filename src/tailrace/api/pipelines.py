"""Pipelines: queries with the tables that their rows go into."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tailrace.api import logs
from tailrace.api.definitions import Definitions
from tailrace.api.places import place
from tailrace.api.scripts import script
from tailrace.api.trees import name as tree_name
from tailrace.api.trees import placed
from tailrace.connectors import registry
from tailrace.plan.explain import explain
from tailrace.runtime.observation import Observation
from tailrace.runtime.script import Script
from tailrace.runtime.summary import Status, Summary
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.statements import Insert


@dataclass(frozen=True, slots=True)
class Pipeline:
    """
    One or more queries whose rows go into tables; with `+` they become one job, which reads what they share once.

    >>> import polars as pl
    >>> import tailrace as tr
    >>> rows = tr.from_polars(pl.DataFrame({"v": [1, 2, 3]}), name="rows")
    >>> pipeline = rows.filter(tr.col("v") > 1).to("blackhole")
    >>> pipeline.run().rows_out
    2
    """

    definitions: Definitions
    inserts: tuple[s.Insert, ...]

    @classmethod
    def of(cls, definitions: Definitions, table: str, query: n.Query) -> Pipeline:
        """
        Give the pipeline that writes the rows of a query into a table.

        Raises:
            ConfigError: they do not fit.
        """
        insert = placed(s.Insert(overwrite=False, name=tree_name(table), query=query.copy()))
        made = cls(definitions, (insert,))
        for sink in made.bound({}).sinks:  # what is wrong shows at the line that wrote it
            registry.check_updates(sink)
            if sink.table is not None:
                registry.options_of(sink.table)
        return made

    def __add__(self, other: Pipeline) -> Pipeline:
        return Pipeline(self.definitions.joined(other.definitions), (*self.inserts, *other.inserts))

    def sql(self) -> str:
        """Give it as a SQL script, with the definitions of its tables."""
        return script(self.definitions, self._tree())

    def explain(self) -> str:
        """Draw the plan, with the kind of changes and the bound of the state of each node."""
        return explain(self.bound({}).sinks)

    def run(
        self, name: str = "pipeline", *, state: str | Path | None = None, settings: Mapping[str, str] | None = None
    ) -> Summary:
        """
        Run it to its end and give the summary. With `state`, a folder, it goes on where the last run ended.

        Raises:
            ConfigError, DataError, TerminalError: as a job does.
        """
        return self._script(name, state, settings).run()[0]

    def start(
        self, name: str = "pipeline", *, state: str | Path | None = None, settings: Mapping[str, str] | None = None
    ) -> Running:
        """Run it in a thread of its own, and return at once."""
        return Running(self, self._script(name, state, settings))

    def _script(self, name: str, state: str | Path | None, settings: Mapping[str, str] | None) -> Script:
        folder = None if state is None else Path(state)
        bound = self.bound(settings or {})
        tables = self.definitions.session(settings or {}).tables
        logs.by_default()
        return Script(name, [bound], tables, settings or {}, state=folder)

    def bound(self, settings: Mapping[str, str]) -> Insert:
        """Bind it, with these settings."""
        return self.definitions.insert(self._tree(), settings)

    def _tree(self) -> n.Node:
        inserts = [i.copy() for i in self.inserts]
        return inserts[0] if len(inserts) == 1 else placed(s.StatementSet(inserts=inserts), place())


class Running:
    """
    A pipeline that runs in a thread of its own; `await` it, or use it with `with`, which stops it at the end.

    >>> import polars as pl
    >>> import tailrace as tr
    >>> with tr.from_polars(pl.DataFrame({"v": [1]}), name="one").to("blackhole").start() as job:
    ...     job.wait().rows_in
    1
    """

    def __init__(self, pipeline: Pipeline, script: Script) -> None:
        self._pipeline = pipeline  # the frames of its tables live as long as their definitions
        self._script = script
        self._summary: Summary | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"tailrace-{script.name}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._thread.is_alive()

    def status(self) -> Status | None:
        """Give its counters; None before it has begun."""
        return self._script.status()

    def observe(self) -> Observation | None:
        """Give all that can be seen of it: operators, partitions, latency; None before it has begun."""
        return self._script.observe()

    def stop(self) -> None:
        """End it in good order: what was read is put through, and a checkpoint is taken. Returns at once."""
        self._script.stop()

    def wait(self, seconds: float | None = None) -> Summary:
        """
        Wait for its end, at most so long, and give the summary.

        Raises:
            TimeoutError: it still runs.
            TailraceError: it failed.
        """
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError(f"pipeline '{self._script.name}' still runs after {seconds} s")
        if self._failure is not None:
            raise self._failure
        assert self._summary is not None
        return self._summary

    def __await__(self) -> Generator[Any, None, Summary]:
        return asyncio.to_thread(self.wait).__await__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.wait()

    def _run(self) -> None:
        try:
            self._summary = self._script.run()[0]
        except BaseException as error:  # noqa: BLE001  it is raised again where it is waited for
            self._failure = error
