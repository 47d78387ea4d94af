"""What the tests of connectors share: tables, contexts, and reading all that a source has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tailrace.clock import Clock, ManualClock
from tailrace.connectors import registry
from tailrace.connectors.base import Assigned, Block, Context, Ended, Limit, Reader, Sink, Source
from tailrace.errors import Location
from tailrace.options import OptionText
from tailrace.plan.catalog import MetadataColumn, PhysicalColumn, Table, TableColumn
from tailrace.schema import DataType, Field, Schema


def table(
    connector: str,
    columns: dict[str, DataType],
    options: dict[str, str] | None = None,
    *,
    name: str = "t",
    metadata: Sequence[MetadataColumn] = (),
    primary_key: tuple[str, ...] = (),
    partitioned_by: tuple[str, ...] = (),
) -> Table:
    """Declare a table; each option says where it was written: line 7, at the column of its place."""
    given: list[TableColumn] = [PhysicalColumn(n, t) for n, t in columns.items()]
    given += metadata
    fields = tuple(Field(c.name, c.type) for c in given if isinstance(c, PhysicalColumn | MetadataColumn))
    texts = {
        k: OptionText(v, Location("job.sql", 7, 10 + i), Location("job.sql", 7, i))
        for i, (k, v) in enumerate(({"connector": connector} | (options or {})).items(), start=1)
    }
    return Table(
        name,
        tuple(given),
        Schema(fields),
        texts,
        primary_key=primary_key,
        partitioned_by=partitioned_by,
        location=Location("job.sql", 1, 1),
    )


def context(folder: Path = Path(), clock: Clock | None = None, job: str = "job") -> Context:
    """Give the context of a job."""
    return Context(job, folder, clock or ManualClock(1_767_225_600_000))


def source(of: Table, columns: tuple[str, ...] | None = None, *, where: Context | None = None) -> Source:
    """Make the source of a table, for some of its columns."""
    schema = of.schema if columns is None else of.schema.select(columns)
    return registry.source(of, schema, where or context())


def sink(of: Table, where: Context | None = None) -> Sink:
    """Make the sink of a table."""
    return registry.sink(of, where or context())


def drain(reader: Reader, rows: int = 65_536) -> list[Block]:
    """Read until all partitions have ended."""
    blocks: list[Block] = []
    live: set[str] = set()
    seen = False
    for _ in range(10_000):
        blocks += reader.poll(Limit(rows=rows, wait_seconds=0.0))
        for change in reader.changes():
            if isinstance(change, Assigned):
                live.add(change.partition)
                seen = True
            elif isinstance(change, Ended):
                live.discard(change.partition)
        if seen and not live:
            return blocks
    raise AssertionError("the source did not end")
