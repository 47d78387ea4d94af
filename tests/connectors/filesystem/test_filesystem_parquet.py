"""Reading Parquet files: columns, types, positions and what can't be read."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import filesystem_kit as kit
import polars as pl
import pytest

from tailrace.connectors.base import Block, Limit
from tailrace.connectors.filesystem import parquets
from tailrace.errors import ConfigError, TerminalError
from tailrace.plan.catalog import Table
from tailrace.schema import BIGINT, DOUBLE, INT, STRING, DataType, array, decimal, row, timestamp


def _table(path: Path, columns: dict[str, DataType] | None = None) -> Table:
    return kit.table({"path": str(path), "format": "parquet"}, columns)


def _frame(blocks: list[Block]) -> pl.DataFrame:
    frames = [b.values for b in blocks if isinstance(b.values, pl.DataFrame)]
    return pl.concat(frames)


def test_columns_are_pruned_and_typed(tmp_path: Path) -> None:
    """Only the columns asked for are given, in the order and types of the scan."""
    given = pl.DataFrame(
        {
            "a": pl.Series([1, 2], dtype=pl.Int32),
            "b": pl.Series([1.5, None], dtype=pl.Float32),
            "t": pl.Series([datetime(2024, 1, 1), None]).cast(pl.Datetime("us")),
            "d": pl.Series([Decimal("1.50"), None], dtype=pl.Decimal(10, 2)),
            "l": [[1], None],
            "s": [{"x": 1, "y": "a"}, None],
            "unused": [1, 2],
        }
    )
    given.write_parquet(tmp_path / "in.parquet")
    columns = {
        "t": timestamp(3),
        "a": BIGINT,
        "b": DOUBLE,
        "d": decimal(12, 2),
        "l": array(BIGINT),
        "s": row({"x": BIGINT, "y": STRING}),
    }
    declared = _table(tmp_path / "in.parquet", columns)
    read = _frame(kit.drain(kit.source(declared, tmp_path).open({})))
    assert dict(read.schema) == declared.schema.polars
    assert read.rows() == given.select(*columns).rows()
    pruned = _frame(kit.drain(kit.source(declared, tmp_path, ("b",)).open({})))
    assert pruned.columns == ["b"]


def test_every_position_resumes_with_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positions are row numbers, over row groups and slices."""
    monkeypatch.setattr(parquets, "FIRST_ROWS", 7)
    path = tmp_path / "in.parquet"
    kit.frame(range(100)).write_parquet(path, row_group_size=10)
    source = kit.source(_table(path), tmp_path)
    blocks = kit.drain(source.open({}), Limit(rows=3, wait_seconds=0.0))
    assert _frame(blocks)["id"].to_list() == list(range(100))
    offsets = [int(o) for b in blocks if b.offsets is not None for o in b.offsets]
    assert offsets == list(range(100))
    for i, block in enumerate(blocks[:-1]):
        rest = kit.drain(source.open({path.name: block.position}))
        assert _frame(rest).equals(_frame(blocks[i + 1 :]))
    assert kit.drain(source.open({path.name: blocks[-1].position})) == []


def test_no_column_asked_for_still_counts_rows(tmp_path: Path) -> None:
    """`COUNT(*)` asks for no column: blocks have the number of rows."""
    kit.frame(range(10)).write_parquet(tmp_path / "in.parquet")
    blocks = kit.drain(kit.source(_table(tmp_path / "in.parquet"), tmp_path, ()).open({}))
    assert sum(len(b) for b in blocks) == 10


def test_values_that_do_not_fit_are_rejects(tmp_path: Path) -> None:
    """D8: a wider column is read, and each value beyond the type is a reject of its own."""
    pl.DataFrame({"id": [1, 2**40, 3]}).write_parquet(tmp_path / "in.parquet")
    (block,) = kit.drain(kit.source(_table(tmp_path / "in.parquet", {"id": INT}), tmp_path).open({}))
    assert [(r.row, r.code) for r in block.rejects] == [(1, "type")]
    assert isinstance(block.values, pl.DataFrame)
    assert block.values["id"].to_list() == [1, None, 3]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"idd": BIGINT}, "no column 'idd'(.|\n)*did you mean 'id'"),
        ({"name": BIGINT}, "is String, which is no BIGINT"),
        ({"id": timestamp(3)}, "is Int64, which is no TIMESTAMP"),
    ],
)
def test_columns_that_do_not_match_are_clear_errors(tmp_path: Path, columns: dict[str, DataType], said: str) -> None:
    """A missing or foreign column stops the source and names both sides; `check` says the same."""
    kit.frame(range(3)).write_parquet(tmp_path / "in.parquet")
    source = kit.source(_table(tmp_path / "in.parquet", columns), tmp_path)
    with pytest.raises(TerminalError, match=said):
        kit.drain(source.open({}))
    assert not source.check().ok


@pytest.mark.parametrize("content", [b'{"id": 1}\n', b"", b"PAR1" + bytes(50)])
def test_a_file_that_is_no_parquet_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    """Text, nothing at all, or a torn Parquet file: one error that names the file."""
    path = tmp_path / "in.parquet"
    path.write_bytes(content)
    with pytest.raises(TerminalError, match=r"in\.parquet"):
        kit.drain(kit.source(_table(path), tmp_path).open({}))


def test_a_replaced_file_is_found_on_resume(tmp_path: Path) -> None:
    """D14: another file under the name of one that was partly read is an error."""
    path = tmp_path / "in.parquet"
    kit.frame(range(100)).write_parquet(path)
    source = kit.source(_table(path), tmp_path)
    reader = source.open({})
    reader.changes()
    positions = kit.last_positions(reader.poll(Limit(rows=10)))
    kit.frame(range(200, 300)).write_parquet(path)
    with pytest.raises(TerminalError, match="has changed since it was read up to 10"):
        kit.drain(source.open(positions))


def test_a_table_of_folders_only_can_not_be_written(tmp_path: Path) -> None:
    """A Parquet file needs a column."""
    declared = kit.table({"path": str(tmp_path / "out"), "format": "parquet"}, {"id": BIGINT}, ("id",))
    with pytest.raises(ConfigError, match="at least one column"):
        kit.sink(declared, tmp_path)
