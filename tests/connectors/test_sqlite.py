"""Tables of a SQLite file, written and read."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from connector_kit import context, drain, sink, source, table

from tailrace import schema as t
from tailrace.connectors.base import Context
from tailrace.connectors.sqlite.sink import SqliteSink
from tailrace.engine.batch import KIND
from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.plan.catalog import Table
from tailrace.schema import BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, INT, STRING, DataType

NOT_NULL = BIGINT.with_nullable(False)


def where(folder: Path, job: str = "job") -> Context:
    """Give the context of a sink, whose folder is there."""
    made = folder / "sink"
    made.mkdir(exist_ok=True)
    return context(made, job=job)


def declare(folder: Path, columns: dict[str, DataType], key: tuple[str, ...] = (), **options: str) -> Table:
    """Declare a table over `out.db`; `_` in an option's name stands for `-`, `__` for `.`."""
    named = {k.replace("__", ".").replace("_", "-"): v for k, v in options.items()}
    return table("sqlite", columns, {"path": str(folder / "out.db")} | named, name="rows", primary_key=key)


def opened(of: Table, folder: Path, job: str = "job") -> tuple[SqliteSink, int]:
    """Make the sink of a table and open it; give it with the epoch that it has."""
    target = sink(of, where(folder, job))
    assert isinstance(target, SqliteSink)
    return target, target.open()


def query(folder: Path, text: str = "SELECT * FROM rows") -> list[tuple[object, ...]]:
    """Ask the file by SQLite itself."""
    connection = sqlite3.connect(folder / "out.db")
    try:
        return connection.execute(text).fetchall()
    finally:
        connection.close()


def frame(*rows: tuple[int, str | None], kinds: list[int] | None = None) -> pl.DataFrame:
    """Make rows of (id, name)."""
    made = pl.DataFrame(list(rows), schema={"id": pl.Int64, "name": pl.String}, orient="row")
    return made if kinds is None else made.with_columns(pl.Series(KIND, kinds, dtype=pl.Int8))


PLAIN: dict[str, DataType] = {"id": BIGINT, "name": STRING}


def test_rows_and_mark_are_one_transaction(tmp_path: Path) -> None:
    """Before a commit nobody sees the rows; after it rows and epoch are both there."""
    target, epoch = opened(declare(tmp_path, PLAIN), tmp_path)
    target.write(frame((1, "a"), (2, None)))
    before = query(tmp_path)
    target.commit(1)
    target.close()

    assert (epoch, before) == (0, [])
    assert query(tmp_path) == [(1, "a"), (2, None)]
    assert query(tmp_path, "SELECT job, sink, epoch FROM _tailrace_epochs") == [("job", "sink", 1)]


def test_a_restart_finds_its_epoch_and_drops_what_was_not_committed(tmp_path: Path) -> None:
    """After a crash the mark says where to go on; another job has a mark of its own."""
    of = declare(tmp_path, PLAIN)
    first, _ = opened(of, tmp_path)
    first.write(frame((1, "a")))
    first.commit(4)
    first.write(frame((2, "lost")))
    second, epoch = opened(of, tmp_path)
    second.write(frame((2, "again")))
    second.commit(5)

    assert epoch == 4
    assert query(tmp_path) == [(1, "a"), (2, "again")]
    assert opened(of, tmp_path, "other")[1] == 0


def test_rows_beyond_the_buffer_wait_in_files(tmp_path: Path) -> None:
    """A large epoch is whole and in order; no file is left behind."""
    of = declare(tmp_path, PLAIN, sink__buffer_flush__max_bytes="1 kb")
    target, _ = opened(of, tmp_path)
    for start in range(0, 1000, 100):
        target.write(frame(*((i, "x" * 20) for i in range(start, start + 100))))
    spilled = list((tmp_path / "sink").iterdir())
    target.commit(1)

    assert spilled
    assert not list((tmp_path / "sink").iterdir())
    assert [i for (i,) in query(tmp_path, "SELECT id FROM rows ORDER BY rowid")] == list(range(1000))


def test_a_failed_commit_leaves_nothing(tmp_path: Path) -> None:
    """If one row is refused, no row of the epoch and no mark is there."""
    of = declare(tmp_path, {"id": NOT_NULL, "name": STRING})
    target, _ = opened(of, tmp_path)
    target.write(frame((1, "a")))
    target.write(pl.DataFrame({"id": [None], "name": ["b"]}, schema={"id": pl.Int64, "name": pl.String}))

    with pytest.raises(TerminalError, match="NOT NULL"):
        target.commit(1)
    assert query(tmp_path) == []
    assert query(tmp_path, "SELECT * FROM _tailrace_epochs") == []


def test_upsert_by_key(tmp_path: Path) -> None:
    """With a primary key a row replaces the one that is there; of several in a batch the last counts."""
    target, _ = opened(declare(tmp_path, {"id": NOT_NULL, "name": STRING}, ("id",)), tmp_path)
    target.write(frame((1, "a"), (2, "b"), (1, "c")))
    target.commit(1)
    target.write(frame((2, "d")))
    target.commit(2)

    assert query(tmp_path) == [(1, "c"), (2, "d")]


def test_deletes_by_kind(tmp_path: Path) -> None:
    """+I and +U put a row, -D and -U remove it, in the order in which they come."""
    target, _ = opened(declare(tmp_path, {"id": NOT_NULL, "name": STRING}, ("id",)), tmp_path)
    target.write(frame((1, "a"), (2, "b"), (3, "c"), kinds=[0, 0, 0]))
    target.write(frame((1, "a"), (1, "A"), (2, "b"), (3, "c"), (3, "again"), kinds=[1, 2, 3, 3, 0]))
    target.commit(1)

    assert query(tmp_path, "SELECT * FROM rows ORDER BY id") == [(1, "A"), (3, "again")]


def test_changes_need_a_key(tmp_path: Path) -> None:
    """A table without a key can't take an update."""
    target, _ = opened(declare(tmp_path, PLAIN), tmp_path)

    with pytest.raises(TerminalError) as caught:
        target.write(frame((1, "a"), kinds=[2]))
    assert "PRIMARY KEY" in str(caught.value)


TYPES: dict[str, DataType] = {
    "bool": BOOLEAN,
    "int": INT,
    "double": DOUBLE,
    "dec": t.decimal(38, 2),
    "text": STRING,
    "blob": BYTES,
    "day": DATE,
    "clock": t.time_type(3),
    "ts": t.timestamp(3),
    "ts0": t.timestamp(0),
    "ts9": t.timestamp(9),
    "ltz": t.timestamp_ltz(6),
}
VALUES = {
    "bool": True,
    "int": -7,
    "double": 0.1,
    "dec": Decimal("123456789012345678901234567890.10"),
    "text": 'it\'s "x"',
    "blob": b"\x00\xff",
    "day": date(2026, 1, 2),
    "clock": time(1, 2, 3, 400_000),
    "ts": datetime.fromisoformat("2026-01-02 03:04:05.600"),
    "ts0": datetime.fromisoformat("2026-01-02 03:04:05"),
    "ts9": datetime.fromisoformat("2026-01-02 03:04:05.000001"),
    "ltz": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
}


def test_types_as_documented(tmp_path: Path) -> None:
    """Each type is stored as the docs say, and reads back as it was; NULL stays NULL."""
    of = declare(tmp_path, TYPES)
    rows = pl.DataFrame([VALUES, dict.fromkeys(VALUES)], schema=of.schema.polars)
    target, _ = opened(of, tmp_path)
    target.write(rows)
    target.commit(1)
    (block,) = drain(source(of, where=context(tmp_path)).open({}))
    stored = dict(zip(TYPES, query(tmp_path)[0], strict=True))

    assert block.rejects == ()
    assert isinstance(block.values, pl.DataFrame)
    assert block.values.equals(rows)
    assert stored == VALUES | {
        "bool": 1,
        "dec": "123456789012345678901234567890.10",
        "day": "2026-01-02",
        "clock": "01:02:03.400",
        "ts": "2026-01-02 03:04:05.600",
        "ts0": "2026-01-02 03:04:05",
        "ts9": "2026-01-02 03:04:05.000001000",
        "ltz": "2026-01-02 03:04:05.000006Z",
    }


def test_not_a_number_is_kept(tmp_path: Path) -> None:
    """NaN and infinities read back as they were; SQLite alone would make NULL of NaN."""
    of = declare(tmp_path, {"x": DOUBLE})
    rows = pl.DataFrame({"x": [float("nan"), float("inf"), None, 1.5]})
    target, _ = opened(of, tmp_path)
    target.write(rows)
    target.commit(1)
    (block,) = drain(source(of, where=context(tmp_path)).open({}))

    assert isinstance(block.values, pl.DataFrame)
    assert block.values.equals(rows)
    assert query(tmp_path)[0] == ("NaN",)


def test_names_are_quoted(tmp_path: Path) -> None:
    """Whatever a table or column is called, it is a name and nothing else."""
    name = 'a"; DROP TABLE rows; --'
    of = table(
        "sqlite",
        {name: NOT_NULL, "select": STRING},
        {"path": str(tmp_path / "out.db"), "table-name": name},
        primary_key=(name,),
    )
    target, _ = opened(of, tmp_path)
    target.write(pl.DataFrame({name: [1, 2], "select": ["x", "y"], KIND: pl.Series([0, 3], dtype=pl.Int8)}))
    target.commit(1)
    (block,) = drain(source(of, where=context(tmp_path)).open({}))

    assert isinstance(block.values, pl.DataFrame)
    assert block.values.rows() == [(1, "x")]


def test_reading_in_chunks_and_after_a_position(tmp_path: Path) -> None:
    """Rows come by their ids, in chunks; a position resumes behind its row."""
    of = declare(tmp_path, PLAIN, scan__fetch_size="2")
    target, _ = opened(of, tmp_path)
    target.write(frame(*((i, f"n{i}") for i in range(5))))
    target.commit(1)
    blocks = drain(source(of, ("name",), where=context(tmp_path)).open({}))
    rest = drain(source(of, ("name",), where=context(tmp_path)).open({"rows": blocks[0].position}))

    assert [len(b) for b in blocks] == [2, 2, 1]
    assert [n for b in rest for n in b.values.to_series()] == ["n2", "n3", "n4"]  # type: ignore[union-attr]


def test_a_source_reads_one_snapshot(tmp_path: Path) -> None:
    """What is written while it reads is not seen."""
    of = declare(tmp_path, PLAIN, scan__fetch_size="1")
    target, _ = opened(of, tmp_path)
    target.write(frame((1, "a"), (2, "b")))
    target.commit(1)
    reader = source(of, where=context(tmp_path)).open({})
    target.write(frame((3, "c")))
    target.commit(2)

    assert sum(map(len, drain(reader))) == 2


def test_values_of_another_kind_are_rejects(tmp_path: Path) -> None:
    """SQLite lets any value into any column; one that is not of the column's type is a bad row, no more."""
    connection = sqlite3.connect(tmp_path / "out.db")
    connection.execute("CREATE TABLE rows (id, name, ts)")
    values = [(1, "a", "2026-01-01 00:00:00"), ("x", "b", None), (3, b"c", None), (4, "d", "soon"), (5, 7, None)]
    connection.executemany("INSERT INTO rows VALUES (?, ?, ?)", values)
    connection.commit()
    connection.close()
    of = declare(tmp_path, {"id": BIGINT, "name": STRING, "ts": t.timestamp(3)})
    (block,) = drain(source(of, where=context(tmp_path)).open({}))

    assert [(r.row, r.reason) for r in block.rejects] == [
        (1, "value of column 'id' is no BIGINT"),
        (2, "value of column 'name' is no STRING"),
        (3, "value of column 'ts' is no TIMESTAMP(3)"),
    ]
    assert isinstance(block.values, pl.DataFrame)
    assert block.values["name"][4] == "7"


def test_a_locked_file_is_waited_for_within_a_bound(tmp_path: Path) -> None:
    """Another writer makes a commit wait, but not for ever; then it can be tried again."""
    target, _ = opened(declare(tmp_path, PLAIN, tailrace__busy_timeout="50 ms"), tmp_path)
    other = sqlite3.connect(tmp_path / "out.db")
    other.execute("BEGIN IMMEDIATE")
    target.write(frame((1, "a")))
    with pytest.raises(TransientError, match="locked"):
        target.commit(1)
    other.rollback()
    other.close()
    target.commit(1)

    assert query(tmp_path) == [(1, "a")]


def test_a_column_that_is_not_in_the_table(tmp_path: Path) -> None:
    """A table that is there already must have all columns that are written."""
    opened(declare(tmp_path, {"id": BIGINT, "nam": STRING}), tmp_path)
    of = declare(tmp_path, PLAIN)

    with pytest.raises(ConfigError, match="no column 'name'"):
        opened(of, tmp_path)
    report = sink(of, where(tmp_path)).check()
    assert not report.ok
    assert "did you mean 'nam'?" in report.message


def test_no_table_is_made_unasked(tmp_path: Path) -> None:
    """With `tailrace.create-table` = false a missing table is an error."""
    of = declare(tmp_path, PLAIN, tailrace__create_table="false")

    with pytest.raises(ConfigError, match="no table 'rows'"):
        opened(of, tmp_path)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A file of something else is named, by `check` too."""
    (tmp_path / "out.db").write_text("not a database" * 100)
    of = declare(tmp_path, PLAIN)

    with pytest.raises(TerminalError, match=r"out\.db"):
        opened(of, tmp_path)
    assert not source(of, where=context(tmp_path)).check().ok


def test_check_changes_nothing(tmp_path: Path) -> None:
    """Asking whether a table can be used makes no file."""
    assert sink(declare(tmp_path, PLAIN), where(tmp_path)).check().ok
    assert not (tmp_path / "out.db").exists()
    missing = source(declare(tmp_path, PLAIN), where=context(tmp_path)).check()
    assert not missing.ok


def test_nested_types_are_refused(tmp_path: Path) -> None:
    """There is no place for an ARRAY in SQLite; the error names the column."""
    with pytest.raises(ConfigError, match="'a' of type ARRAY<INT>"):
        sink(declare(tmp_path, {"a": t.array(INT)}), where(tmp_path))
