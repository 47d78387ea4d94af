"""Pipelines: queries with the tables that their rows go into."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tailrace.api import logs
from tailrace.api.definitions import Definitions
from tailrace.api.places import place
from tailrace.api.running import Running
from tailrace.api.scripts import script
from tailrace.api.trees import name as tree_name
from tailrace.api.trees import placed
from tailrace.connectors import registry
from tailrace.errors import ConfigError
from tailrace.observe.exporting.telemetry import telemetry
from tailrace.plan.explain import explain
from tailrace.runtime.script import Script
from tailrace.runtime.summary import Summary
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.statements import Insert
from tailrace.state.savepoints import start_from


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
        self,
        name: str = "pipeline",
        *,
        state: str | Path | None = None,
        settings: Mapping[str, str] | None = None,
        from_savepoint: str | Path | None = None,
    ) -> Summary:
        """
        Run it in this thread to its end and give the summary. With `state`, a folder, it goes on where the last run ended.

        With `from_savepoint`, the folder of a savepoint, it begins where that was taken; `state` must be a new folder then.

        Raises:
            ConfigError, DataError, TerminalError: as a job does.
        """
        return self._script(name, state, settings, from_savepoint).run()[0]

    def start(
        self,
        name: str = "pipeline",
        *,
        state: str | Path | None = None,
        settings: Mapping[str, str] | None = None,
        from_savepoint: str | Path | None = None,
    ) -> Running:
        """
        Run it in a thread of its own, and return at once; `state` and `from_savepoint` as for `run`.

        >>> import tailrace as tr
        >>> job = tr.from_rows([{"v": 1}]).to("blackhole").start()
        >>> job.wait().rows_in
        1
        """
        return Running(self, self._script(name, state, settings, from_savepoint))

    async def astart(
        self,
        name: str = "pipeline",
        *,
        state: str | Path | None = None,
        settings: Mapping[str, str] | None = None,
        from_savepoint: str | Path | None = None,
    ) -> Running:
        """
        Start it, and return when it runs; the event loop goes on meanwhile.

        Raises:
            ConfigError, TerminalError: it could not begin, as when a system is away.

        >>> import asyncio
        >>> import tailrace as tr
        >>> async def main():
        ...     job = await tr.from_rows([{"v": 1}]).to("blackhole").astart()
        ...     return (await job).rows_in
        >>> asyncio.run(main())
        1
        """
        script = await asyncio.to_thread(self._script, name, state, settings, from_savepoint)
        return await Running(self, script).started()

    def _script(
        self,
        name: str,
        state: str | Path | None,
        settings: Mapping[str, str] | None,
        from_savepoint: str | Path | None = None,
    ) -> Script:
        folder = None if state is None else Path(state)
        if from_savepoint is not None:
            if folder is None:
                hint = "give a new folder as `state`"
                raise ConfigError("what begins with a savepoint keeps state, and has no folder for it", hint=hint)
            start_from(Path(from_savepoint), folder)
        bound = self.bound(settings or {})
        tables = self.definitions.session(settings or {}).tables
        logs.by_default()
        return Script(name, [bound], tables, settings or {}, state=folder, telemetry=telemetry)

    def bound(self, settings: Mapping[str, str]) -> Insert:
        """Bind it, with these settings."""
        return self.definitions.insert(self._tree(), settings)

    def _tree(self) -> n.Node:
        inserts = [i.copy() for i in self.inserts]
        return inserts[0] if len(inserts) == 1 else placed(s.StatementSet(inserts=inserts), place())
