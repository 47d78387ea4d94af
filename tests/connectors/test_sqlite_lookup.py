"""Lookups in a SQLite file: every type as key and value, writers beside it, and what is wrong said clearly."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tailrace.connectors.sqlite import lookup as lookup_module
from tailrace.connectors.sqlite.database import connect
from tailrace.connectors.sqlite.lookup import SqliteLookup
from tailrace.connectors.sqlite.source import Origin
from tailrace.connectors.sqlite.types import storage, written
from tailrace.errors import ConfigError, TerminalError
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INT,
    STRING,
    DataType,
    Field,
    Schema,
    decimal,
    time_type,
    timestamp,
    timestamp_ltz,
)

VALUES: dict[DataType, list[Any]] = {
    BOOLEAN: [True, False],
    INT: [-1, 7],
    BIGINT: [2**62, -5],
    DOUBLE: [0.5, -1e300],
    decimal(10, 2): [Decimal("1.50"), Decimal("-0.01")],
    STRING: ["", "a'\"b ☃"],
    BYTES: [b"\x00\xff", b""],
    DATE: [date(2024, 2, 29), date(1969, 1, 1)],
    time_type(3): [time(1, 2, 3, 4000), time(0)],
    timestamp(3): [datetime(2024, 1, 2, 3, 4, 5, 6000), datetime(1969, 12, 31)],
    timestamp_ltz(6): [datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC)],
}


def database(path: Path, schema: Schema, rows: list[tuple[Any, ...]]) -> None:
    """Make a table in a file."""
    frame = pl.DataFrame(rows, schema=schema.polars, orient="row")
    connection = sqlite3.connect(path)
    columns = ", ".join(f'"{f.name.replace(chr(34), chr(34) * 2)}" {storage(f.type)}' for f in schema)
    connection.execute(f"CREATE TABLE t ({columns})")
    given = frame.select([written(f).alias(f.name) for f in schema]).rows()
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' for _ in schema)})", given)
    connection.commit()
    connection.close()


def asked(path: Path, schema: Schema, *questions: pl.DataFrame) -> list[list[tuple[Any, ...]]]:
    """Ask for keys, one frame after another."""

    async def run() -> list[list[tuple[Any, ...]]]:
        lookup = SqliteLookup(Origin(path, "t", schema, 100, 1.0), tuple(questions[0].columns))
        await lookup.open()
        out = [(await lookup.get(q)).rows() for q in questions]
        await lookup.close()
        return out

    return asyncio.run(run())


@pytest.mark.parametrize("kind", VALUES, ids=str)
def test_every_type_is_a_key(tmp_path: Path, kind: DataType) -> None:
    """A value that was written finds its rows, all of them, and no others."""
    schema = Schema((Field('k"ey', kind), Field("v", BIGINT)))
    one, other = VALUES[kind]
    database(tmp_path / "a.db", schema, [(one, 1), (one, 2), (other, 3), (None, 4)])
    keys = [pl.DataFrame({'k"ey': found}, schema={'k"ey': kind.polars}) for found in ([one], [one, other])]
    first, both = asked(tmp_path / "a.db", schema, *keys)
    assert sorted(first) == [(one, 1), (one, 2)]
    assert sorted(v for _, v in both) == [1, 2, 3]


def test_keys_of_several_columns(tmp_path: Path) -> None:
    """All columns of a key must be equal."""
    schema = Schema((Field("a", STRING), Field("b", INT), Field("v", BIGINT)))
    database(tmp_path / "a.db", schema, [("x", 1, 10), ("x", 2, 20), ("y", 1, 30), ("x", None, 40)])
    keys = pl.DataFrame({"a": ["x", "y"], "b": [2, 1]}, schema={"a": pl.String(), "b": pl.Int32()})
    (found,) = asked(tmp_path / "a.db", schema, keys)
    assert sorted(found) == [("x", 2, 20), ("y", 1, 30)]


def test_each_request_sees_what_is_there_then(tmp_path: Path) -> None:
    """Rows that others commit are seen by the next request; nobody waits for the reader."""
    schema = Schema((Field("k", BIGINT), Field("v", STRING)))
    path = tmp_path / "a.db"
    database(path, schema, [(1, "one")])
    keys = pl.DataFrame({"k": [1, 2]})

    async def run() -> list[list[tuple[Any, ...]]]:
        lookup = SqliteLookup(Origin(path, "t", schema, 100, 1.0), ("k",))
        await lookup.open()
        before = (await lookup.get(keys)).rows()
        writer = sqlite3.connect(path, timeout=0.1)
        writer.execute("INSERT INTO t VALUES (2, 'two')")
        writer.commit()
        writer.close()
        after = (await lookup.get(keys)).rows()
        await lookup.close()
        return [before, sorted(after)]

    assert asyncio.run(run()) == [[(1, "one")], [(1, "one"), (2, "two")]]


class Slow:
    """A connection whose first request goes on only when the second has put its keys down, or after a while."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._put = [threading.Event(), threading.Event()]
        self._requests = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def executemany(self, *given: Any) -> None:
        number, self._requests = self._requests, self._requests + 1
        if number == 0:
            self._put[1].wait(1.0)
        self._connection.executemany(*given)
        self._put[number].set()
        self._put[0].wait(5.0)


def test_a_request_after_one_that_ran_out_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits until the other has let go of the connection, and gives each row once."""
    schema = Schema((Field("k", BIGINT), Field("v", STRING)))
    path = tmp_path / "a.db"
    database(path, schema, [(1, "one")])
    monkeypatch.setattr(lookup_module, "connect", lambda *given, **more: Slow(connect(*given, **more)))

    async def run() -> list[tuple[Any, ...]]:
        lookup = SqliteLookup(Origin(path, "t", schema, 100, 1.0), ("k",))
        await lookup.open()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lookup.get(pl.DataFrame({"k": [1]})), 0.1)
        rows = (await lookup.get(pl.DataFrame({"k": [1]}))).rows()
        await lookup.close()
        return rows

    assert asyncio.run(run()) == [(1, "one")]


def test_what_is_wrong(tmp_path: Path) -> None:
    """A table that is not there, a column that it has not, and a value of another type."""
    schema = Schema((Field("k", BIGINT), Field("v", BIGINT)))
    path = tmp_path / "a.db"
    keys = pl.DataFrame({"k": [1]})
    with pytest.raises((ConfigError, TerminalError), match=r"unable to open|no such file|not there|is no"):
        asked(path, schema, keys)
    database(path, Schema((Field("k", BIGINT), Field("w", STRING))), [(1, "one")])
    with pytest.raises(ConfigError, match="has no column 'v'"):
        asked(path, schema, keys)
    other = Schema((Field("k", BIGINT), Field("w", BIGINT)))
    with pytest.raises(TerminalError, match="value of column 'w' is no BIGINT"):
        asked(path, other, keys)
