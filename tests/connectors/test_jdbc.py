"""Tables of real databases: PostgreSQL by COPY, DuckDB and MariaDB by rows; each checked by its own client."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytest.importorskip("sqlalchemy", reason="Databases: the extra tailrace[jdbc] is not installed")

import sqlalchemy as sa
from connector_kit import context, drain, sink, source, table

from tailrace.connectors import registry
from tailrace.connectors.base import Block, Context, Limit, Refusals
from tailrace.connectors.jdbc.sink import JdbcSink
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.plan.catalog import Table
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INT,
    STRING,
    DataType,
    array,
    decimal,
    time_type,
    timestamp,
    timestamp_ltz,
)

NOT_NULL = BIGINT.with_nullable(False)
TYPES: dict[str, DataType] = {
    "id": NOT_NULL,
    "flag": BOOLEAN,
    "n": INT,
    "price": decimal(20, 4),
    "x": DOUBLE,
    "name": STRING,
    "data": BYTES,
    "day": DATE,
    "at": time_type(3),
    "stamp": timestamp(6),
    "moment": timestamp_ltz(3),
}
ROWS: list[tuple[Any, ...]] = [
    (
        1,
        True,
        -5,
        Decimal("12345678901234.5678"),
        1e300,
        "Zoë ☃ , \" ' \\N\n",
        b"\x00\xff",
        date(2024, 2, 29),
        clock(1, 2, 3, 4000),
        datetime(1999, 12, 31, 23, 59, 59, 999999),
        datetime(2024, 1, 2, 3, 4, 5, 6000, tzinfo=UTC),
    ),
    (2, None, None, None, None, None, None, None, None, None, None),
    (
        3,
        False,
        0,
        Decimal("-0.0001"),
        -0.5,
        "",
        b"",
        date(1970, 1, 1),
        clock(0),
        datetime(2024, 1, 1),
        datetime(1970, 1, 1, tzinfo=UTC),
    ),
]


class Place:
    """A database: its address for tables, and its own client."""

    def __init__(self, url: str, engine: sa.Engine) -> None:
        self.url = url
        self.engine = engine

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(text)]

    def clear(self) -> None:
        found = self.query("SELECT table_name FROM information_schema.tables WHERE table_schema IN ('public', 'main')")
        self.run(*(f'DROP TABLE "{name}"' for (name,) in found))


@pytest.fixture(scope="module")
def postgres_url(service: Callable[[str, dict[str, str]], str]) -> str:
    """Give the address of a PostgreSQL of this module's own."""
    return service("postgres", {}).partition("=")[2]


@pytest.fixture(params=["postgresql", "duckdb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give one database after another, empty."""
    if request.param == "duckdb":
        file = tmp_path / "t.duckdb"
        made = Place(f"jdbc:duckdb:{file}", sa.create_engine(f"duckdb:///{file}", poolclass=sa.NullPool))
    else:
        url = request.getfixturevalue("postgres_url")
        made = Place(f"jdbc:{url}", sa.create_engine(url.replace("postgresql:", "postgresql+pg8000:")))
    made.clear()
    yield made
    made.engine.dispose()


def declare(place: Place, columns: dict[str, DataType], key: tuple[str, ...] = (), **options: str) -> Table:
    """Declare a table; `_` in an option's name stands for `-`, `__` for `.`."""
    named = {k.replace("__", ".").replace("_", "-"): v for k, v in options.items()}
    return table("jdbc", columns, {"url": place.url, "table-name": "rows"} | named, name="t", primary_key=key)


def where(folder: Path, job: str = "job") -> Context:
    made = folder / "sink"
    made.mkdir(exist_ok=True)
    return context(made, job=job)


def opened(of: Table, folder: Path) -> tuple[JdbcSink, int]:
    target = sink(of, where(folder))
    assert isinstance(target, JdbcSink)
    try:
        return target, target.open()
    except TailraceError:
        target.close()
        raise


def frame(of: Table, rows: list[tuple[Any, ...]], kinds: list[RowKind] | None = None) -> pl.DataFrame:
    made = pl.DataFrame(rows, schema=of.schema.polars, orient="row")
    return made if kinds is None else made.with_columns(pl.Series(KIND, [int(k) for k in kinds], pl.Int8))


def written(of: Table, folder: Path, *frames: pl.DataFrame) -> None:
    target, epoch = opened(of, folder)
    for i, rows in enumerate(frames, start=epoch + 1):
        target.write(rows)
        target.prepare(i)
        target.commit(i)
    target.close()


def rows_of_blocks(blocks: list[Block]) -> list[tuple[Any, ...]]:
    return [row for b in blocks if isinstance(b.values, pl.DataFrame) for row in b.values.rows()]


def read(of: Table, positions: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Read all that is behind a position."""
    reader = source(of).open(positions)
    try:
        return rows_of_blocks(drain(reader))
    finally:
        reader.close()


def asked(of: Table, keys: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Look keys up in a table."""

    async def run() -> list[tuple[Any, ...]]:
        lookup = registry.lookup(of, of.schema, tuple(keys.columns), context())
        await lookup.open()
        try:
            return (await lookup.get(keys)).rows()
        finally:
            await lookup.close()

    return asyncio.run(run())


@pytest.mark.parametrize("key", [(), ("id",)], ids=["append", "upsert"])
def test_every_type_goes_there_and_back(place: Place, tmp_path: Path, key: tuple[str, ...]) -> None:
    of = declare(place, TYPES, key, tailrace__create_table="true")
    written(of, tmp_path, frame(of, ROWS))
    assert place.query("SELECT count(*), count(name), sum(price) FROM rows") == [(3, 2, Decimal("12345678901234.5677"))]
    assert read(of, {}) == ROWS
    keys = pl.DataFrame({"id": [3, 99, 1]}, schema={"id": pl.Int64})
    assert sorted(asked(of, keys)) == [ROWS[0], ROWS[2]]


def test_rows_are_replaced_and_deleted_by_key(place: Place, tmp_path: Path) -> None:
    of = declare(place, {"id": NOT_NULL, "name": STRING}, ("id",), tailrace__create_table="true")
    changes = [(1, "a"), (1, "z"), (2, "b"), (4, "d")]
    kinds = [RowKind.UPDATE_BEFORE, RowKind.UPDATE_AFTER, RowKind.DELETE, RowKind.INSERT]
    written(of, tmp_path, frame(of, [(1, "a"), (2, "b"), (3, "c")]), frame(of, changes, kinds))
    assert place.query("SELECT * FROM rows ORDER BY id") == [(1, "z"), (3, "c"), (4, "d")]


def test_a_key_of_two_columns_and_names_that_must_be_quoted(place: Place, tmp_path: Path) -> None:
    columns = {"a b": STRING.with_nullable(False), 'q"q': NOT_NULL, "select": INT}
    of = declare(place, columns, ("a b", 'q"q'), tailrace__create_table="true", table_name="Odd name; --")
    written(of, tmp_path, frame(of, [("x", 1, 1), ("x", 2, 2), ("y", 1, 3)]), frame(of, [("x", 2, 9)]))
    keys = pl.DataFrame({"a b": ["x", "y"], 'q"q': [2, 2]})
    assert asked(of, keys) == [("x", 2, 9)]


def test_an_epoch_is_seen_when_it_is_committed_and_once(place: Place, tmp_path: Path) -> None:
    of = declare(place, {"id": BIGINT}, tailrace__create_table="true")
    target, epoch = opened(of, tmp_path)
    assert epoch == 0
    target.write(frame(of, [(1,)]))
    target.prepare(1)
    assert place.query("SELECT * FROM rows") == []
    target.commit(1)
    target.write(frame(of, [(2,)]))  # of an epoch that is never committed
    target.close()
    target, epoch = opened(of, tmp_path)
    assert epoch == 1
    target.write(frame(of, [(2,)]))
    target.prepare(2)
    target.commit(2)
    target.close()
    assert place.query("SELECT id FROM rows ORDER BY id") == [(1,), (2,)]


def test_a_run_that_was_replaced_writes_nothing(place: Place, tmp_path: Path) -> None:
    if place.url.startswith("jdbc:duckdb"):
        pytest.skip("DuckDB: one process at a time has the file")
    of = declare(place, {"id": BIGINT}, tailrace__create_table="true")
    old, _ = opened(of, tmp_path)
    new, _ = opened(of, tmp_path)
    new.write(frame(of, [(1,)]))
    new.commit(1)
    old.write(frame(of, [(1,)]))
    with pytest.raises(TerminalError, match="another run"):
        old.commit(1)
    old.close()
    new.close()
    assert place.query("SELECT id FROM rows") == [(1,)]


def test_sinks_that_begin_at_once_make_their_tables(postgres_url: str, tmp_path: Path) -> None:
    """Each makes the table of epochs, and its own."""
    given = {"url": f"jdbc:{postgres_url}", "tailrace.create-table": "true"}
    for round_ in range(5):
        engine = sa.create_engine(postgres_url.replace("postgresql:", "postgresql+pg8000:"))
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS _tailrace_epochs, same")
        engine.dispose()
        sinks = [
            sink(table("jdbc", {"id": BIGINT}, given, name="same"), where(tmp_path, f"{round_}-{i}")) for i in range(4)
        ]
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda s: s.open(), sinks)) == [0, 0, 0, 0]
        for each in sinks:
            each.close()


class Noted(Refusals):
    """Keeps what is refused."""

    tolerates = True

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        assert code == "constraint"
        self.rows += rows.rows()


def test_a_row_that_the_database_refuses_goes_alone(place: Place, tmp_path: Path) -> None:
    if place.url.startswith("jdbc:duckdb"):
        pytest.skip("DuckDB: a transaction ends with the first row that is refused, it has no savepoints")
    place.run("CREATE TABLE rows (id bigint, n integer CHECK (n < 100))")
    of = declare(place, {"id": BIGINT, "n": INT})
    target, _ = opened(of, tmp_path)
    target.refusals = noted = Noted()
    target.write(frame(of, [(i, i * 30) for i in range(6)]))
    target.prepare(1)
    target.commit(1)
    target.close()
    assert noted.rows == [(4, 120), (5, 150)]
    assert place.query("SELECT id FROM rows ORDER BY id") == [(0,), (1,), (2,), (3,)]


def test_a_table_is_read_behind_its_position(place: Place) -> None:
    place.run(
        "CREATE TABLE rows (id bigint, name varchar(20))",
        "INSERT INTO rows SELECT i, 'x' FROM generate_series(1, 10) AS s(i)",
    )
    of = declare(place, {"id": NOT_NULL, "name": STRING}, ("id",))
    reader = source(of).open({})
    assert len(reader.changes()) == 1
    (block,) = reader.poll(Limit(rows=4))
    reader.close()
    assert isinstance(block.values, pl.DataFrame)
    assert block.values["id"].to_list() == [1, 2, 3, 4]
    assert json.loads(block.position) == ["4"]
    assert [i for i, _ in read(of, {"rows": block.position})] == [5, 6, 7, 8, 9, 10]


def test_new_rows_are_read_as_they_come(place: Place) -> None:
    place.run("CREATE TABLE rows (id bigint, stamp timestamp)", "INSERT INTO rows VALUES (1, '2024-01-01 00:00:00')")
    of = declare(
        place,
        {"id": NOT_NULL, "stamp": timestamp(6)},
        ("id",),
        scan__poll__column="stamp",
        scan__poll__interval="10 ms",
    )
    reader = source(of).open({})
    (first,) = reader.poll(Limit())
    place.run("INSERT INTO rows VALUES (2, '2024-01-01 00:00:00'), (3, '2024-01-02 00:00:00')")
    seen: list[Any] = []
    for _ in range(100):
        seen += rows_of_blocks(reader.poll(Limit(wait_seconds=0.05)))
        if len(seen) == 2:
            break
    reader.close()
    assert isinstance(first.values, pl.DataFrame)
    assert [i for i, _ in seen] == [2, 3]
    assert not source(of).bounded


def test_what_is_wrong_is_said(place: Place, tmp_path: Path) -> None:
    of = declare(place, {"id": BIGINT}, table_name="rosw")
    place.run("CREATE TABLE rows (id bigint)")
    with pytest.raises(ConfigError, match="has no table 'rosw'") as caught:
        opened(of, tmp_path)
    assert "rows" in caught.value.hint
    other = sink(declare(place, {"ix": BIGINT}), where(tmp_path))
    assert "has no column 'ix'" in other.check().message
    for url, text in [
        ("jdbc:oracle:x", "no address"),
        ("jdbc:sqlite:x", "no address"),
        ("jdbc:postgresql://h/d?sslmode=maybe", "sslmode 'maybe'"),
    ]:
        with pytest.raises(ConfigError, match=text):
            sink(declare(place, {"id": BIGINT}, url=url), where(tmp_path))
    with pytest.raises(ConfigError, match="has no place"):
        sink(declare(place, {"id": array(INT)}), where(tmp_path))
    with pytest.raises(ConfigError, match=r"'scan\.poll\.column' names no column"):
        source(declare(place, {"id": BIGINT}, scan__poll__column="ix"))


def test_a_server_that_says_nothing(tmp_path: Path) -> None:
    """It is given up, and no socket stays open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        given = {"url": f"jdbc:postgresql://127.0.0.1:{port}/x", "connection.max-retry-timeout": "1 s"}
        with pytest.raises(TransientError, match=str(port)):
            opened(table("jdbc", {"id": BIGINT}, given), tmp_path)
    gc.collect()


def test_a_database_that_is_away_and_a_wrong_password(
    service: Callable[[str, dict[str, str]], str], tmp_path: Path
) -> None:
    given = {"url": "jdbc:postgresql://127.0.0.1:1/x", "connection.max-retry-timeout": "2 s"}
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:1"):
        opened(table("jdbc", {"id": BIGINT}, given), tmp_path)
    guarded = "jdbc:" + service("postgres", {"POSTGRES_PASSWORD": "open sesame"}).partition("=")[2]
    wrong = table("jdbc", {"id": BIGINT}, {"url": guarded, "password": "canary-secret"})
    with pytest.raises(TerminalError, match="password authentication failed") as caught:
        opened(wrong, tmp_path)
    assert "canary" not in str(caught.value)
    right = {"url": guarded, "password": "open sesame", "tailrace.create-table": "true"}
    assert sink(table("jdbc", {"id": BIGINT}, right), where(tmp_path)).check().ok
    gc.collect()
