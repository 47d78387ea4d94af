"""What the tests of the filesystem connector share: tables, reading all rows, and an in-memory check of output."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tailrace.clock import Clock, ManualClock
from tailrace.connectors.base import Assigned, Block, Context, Ended, Limit, Position, Reader
from tailrace.connectors.filesystem import CONNECTOR
from tailrace.connectors.filesystem.sink import FileSink
from tailrace.connectors.filesystem.source import FileSource
from tailrace.options import OptionText
from tailrace.plan.catalog import MetadataColumn, PhysicalColumn, Table, TableColumn
from tailrace.schema import BIGINT, STRING, DataType, Field, Schema

COLUMNS = {"id": BIGINT, "name": STRING}


def table(
    options: dict[str, str],
    columns: dict[str, DataType] | None = None,
    partitioned_by: tuple[str, ...] = (),
    metadata: tuple[MetadataColumn, ...] = (),
) -> Table:
    """Declare a table of the connector."""
    given: list[TableColumn] = [PhysicalColumn(n, t) for n, t in (columns or COLUMNS).items()]
    given += metadata
    schema = Schema(tuple(Field(c.name, c.type) for c in given if isinstance(c, PhysicalColumn | MetadataColumn)))
    texts = {k: OptionText(v) for k, v in ({"connector": "filesystem"} | options).items()}
    return Table("t", tuple(given), schema, texts, partitioned_by=partitioned_by)


def _own(of: Table) -> dict[str, OptionText]:
    foreign = ("connector", "format")
    return {k: v for k, v in of.options.items() if k not in foreign and not k.startswith(("json.", "csv.", "raw."))}


def context(folder: Path, clock: Clock | None = None) -> Context:
    """Give the context of a job."""
    return Context("job", folder / "state", clock or ManualClock())


def source(of: Table, folder: Path, columns: tuple[str, ...] | None = None, clock: Clock | None = None) -> FileSource:
    """Make the source of a table, for some of its columns."""
    schema = of.schema if columns is None else of.schema.select(columns)
    made = CONNECTOR.source(of, CONNECTOR.options.parse(_own(of)), schema, context(folder, clock))
    assert isinstance(made, FileSource)
    return made


def sink(of: Table, folder: Path, clock: Clock | None = None) -> FileSink:
    """Make the sink of a table."""
    return CONNECTOR.sink(of, CONNECTOR.options.parse(_own(of)), context(folder, clock))


def drain(reader: Reader, limit: Limit | None = None, rounds: int = 10_000) -> list[Block]:
    """Read until all partitions that were announced have ended."""
    blocks: list[Block] = []
    assigned: set[str] = set()
    ended: set[str] = set()
    for _ in range(rounds):
        for change in reader.changes():
            (assigned if isinstance(change, Assigned) else ended).add(change.partition)
            if isinstance(change, Ended):
                assert change.partition in assigned
        blocks += reader.poll(limit or Limit(wait_seconds=0.0))
        if assigned == ended and not any(True for _ in reader.poll(Limit(wait_seconds=0.0))):
            return blocks
    raise AssertionError("the source did not end")


def step(reader: Reader) -> list[Block]:
    """Let a watching reader look once and give what there is."""
    blocks: list[Block] = []
    for _ in range(4):
        reader.changes()
        blocks += reader.poll(Limit(wait_seconds=0.0))
    return blocks


def lines(blocks: list[Block], partition: str | None = None) -> list[bytes]:
    """Give the rows of blocks as bytes, without rejected ones."""
    given: list[bytes] = []
    for block in blocks:
        assert not isinstance(block.values, pl.DataFrame)
        bad = {r.row for r in block.rejects}
        if partition in (None, block.partition):
            given += [block.values.row(i) or b"" for i in range(len(block)) if i not in bad]
    return given


def last_positions(blocks: list[Block]) -> dict[str, Position]:
    """Give the position of each partition after these blocks."""
    return {b.partition: b.position for b in blocks}


def published(folder: Path) -> list[Path]:
    """List the files that a reader of the folder may see."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith((".", "_")))


def frame(ids: range) -> pl.DataFrame:
    """Make rows for a sink."""
    return pl.DataFrame({"id": list(ids), "name": [f"n{i}" for i in ids]}, schema={"id": pl.Int64, "name": pl.String})


def ids_in(folder: Path, suffix: str = ".json") -> list[int]:
    """Read the ids of all published NDJSON files, sorted; by Polars, not by our own reader."""
    given: list[int] = []
    for path in published(folder):
        assert path.name.endswith(suffix)
        given += pl.read_ndjson(path)["id"].to_list() if path.stat().st_size else []
    return sorted(given)


def json_rows(ids: range) -> bytes:
    """Write NDJSON."""
    return b"".join(b'{"id": %d, "name": "n%d"}\n' % (i, i) for i in ids)


def open_files() -> int:
    """Count the open files of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
