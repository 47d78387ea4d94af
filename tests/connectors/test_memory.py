"""Tables inside the process."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest
from connector_kit import drain, sink, source, table

from tailrace.connectors import memory
from tailrace.connectors.base import Assigned, Ended, Limit
from tailrace.errors import TerminalError
from tailrace.schema import INT, STRING


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Each test begins without tables."""
    memory.clear()
    yield
    memory.clear()


OF = table("memory", {"a": INT, "b": STRING}, name="rows")


def ids(*values: int) -> pl.DataFrame:
    """Make rows."""
    return pl.DataFrame({"a": list(values), "b": [str(v) for v in values]})


def test_partitions_are_read_to_their_end() -> None:
    """Rows of each partition come in order, and each partition ends."""
    memory.table("rows").append(ids(1, 2))
    memory.table("rows").append(ids(10), "x")
    memory.table("rows").append(ids(3))
    blocks = drain(source(OF).open({}), rows=2)
    rows: dict[str, list[int]] = {"0": [], "x": []}
    for block in blocks:
        assert isinstance(block.values, pl.DataFrame)
        rows[block.partition] += block.values["a"].to_list()

    assert rows == {"0": [1, 2, 3], "x": [10]}


def test_reading_goes_on_after_a_position() -> None:
    """A position is the number of rows behind."""
    memory.table("rows").append(ids(1, 2, 3))
    (block,) = drain(source(OF, ("b",)).open({"0": 1}))

    assert isinstance(block.values, pl.DataFrame)
    assert block.values.rows() == [("2",), ("3",)]
    assert block.position == 3


def test_an_unbounded_table_ends_when_told() -> None:
    """Without `bounded` the source waits for rows until `end`."""
    found = source(table("memory", {"a": INT}, {"name": "rows", "bounded": "false"}))
    rows = memory.table("rows")
    rows.append(ids(1))
    reader = found.open({})

    assert not found.bounded
    assert reader.changes() == [Assigned("0")]
    assert len(reader.poll(Limit(wait_seconds=0))) == 1
    assert reader.changes() == []
    rows.append(ids(2))
    rows.end()
    assert len(reader.poll(Limit(wait_seconds=0))) == 1
    assert reader.changes() == [Ended("0")]
    assert found.bounded


def test_a_sink_collects() -> None:
    """What is written can be read out, and read again as a source."""
    target = sink(OF)
    target.write(ids(1, 2))

    assert memory.table("rows").rows() == [(1, "1"), (2, "2")]
    assert len(memory.table("rows")) == 2


def test_a_missing_column_is_named() -> None:
    """Frames of other columns than the declared ones stop the job clearly."""
    memory.table("rows").append(pl.DataFrame({"a": [1]}))
    reader = source(OF).open({})
    reader.changes()

    with pytest.raises(TerminalError, match="no column 'b'"):
        reader.poll(Limit(wait_seconds=0))
