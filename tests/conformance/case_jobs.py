"""A case as it is bound: jobs with their plans, and their input, read once for all runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import polars as pl
from cases import SETTINGS, Case

from tailrace.clock import SystemClock
from tailrace.connectors.base import Block, Context
from tailrace.connectors.decoding import BlockDecoder
from tailrace.engine.executor import Executor
from tailrace.errors import DataError
from tailrace.formats.base import Rows
from tailrace.plan import nodes
from tailrace.plan.rewrite import optimize
from tailrace.runtime.lookups import Lookups
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert, Query

PARTITION = "0"


@dataclass(frozen=True, eq=False)
class Job:
    """Plans that run together, as one job of Flink: those of a SELECT, an INSERT or a statement set."""

    sinks: tuple[nodes.Sink, ...]
    settings: dict[str, str] = field(default_factory=dict)

    def executor(self) -> Executor:
        """Make a new executor, with one partition for each scan."""
        read = {n.table.name for s in self.sinks for n in nodes.walk(s) if isinstance(n, nodes.Scan)}
        clock = SystemClock()
        lookups = Lookups(self.settings, clock, lambda _, table: Context(table, Path(), clock, self.settings))
        return Executor(self.sinks, self.settings, clock, read, lookups.asker)

    @cached_property
    def inputs(self) -> dict[str, pl.DataFrame]:
        """All rows of each scan, in order."""
        timezone = self.settings["table.local-time-zone"]
        return {name: _read(scan, timezone) for name, scan in self.executor().scans.items()}


@cache
def jobs_of(case: Case) -> list[Job]:
    """Bind a case, once."""
    parameters = {"DATA": str(case.folder), "OUT": "/not/written"}
    session = Session(parameters=parameters, settings=SETTINGS)
    plans: list[tuple[nodes.Sink, ...]] = []
    for statement in session.bind(case.script, str(case.path)):
        match statement:
            case Insert():
                plans.append(statement.sinks)
            case Query():
                plans.append((statement.plan,))
    return [Job(optimize(sinks), dict(session.settings)) for sinks in plans]


def _read(scan: nodes.Scan, timezone: str) -> pl.DataFrame:
    """Decode the files of a table; what Flink would fail for is an error."""
    path = scan.table.option("path")
    assert path is not None
    root = Path(path.value.removeprefix("file://"))
    files = sorted(root.iterdir()) if root.is_dir() else [root]
    lines: list[bytes | None] = [line for file in files for line in file.read_bytes().split(b"\n") if line]
    decoded = BlockDecoder(scan.schema, scan.table, timezone=timezone).decode(Block(PARTITION, Rows.of(lines), None))
    if decoded.rejects:
        raise DataError(f"table '{scan.table.name}': {decoded.rejects[0].reason}")
    return decoded.frame
