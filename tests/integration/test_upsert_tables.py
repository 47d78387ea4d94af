"""Tables that update, from files into a database by key: what stands there at the end, and what is refused."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from script_kit import options, run

from tailrace.errors import ConfigError, DataError

ROWS: list[tuple[Any, Any, str]] = [
    (None, {"id": 1, "k": "a", "v": 1}, "c"),
    (None, {"id": 2, "k": "a", "v": 2}, "c"),
    (None, {"id": 3, "k": "b", "v": 3}, "c"),
    ({"id": 2, "k": "a", "v": 2}, {"id": 2, "k": "c", "v": 2}, "u"),
    ({"id": 3, "k": "b", "v": 3}, None, "d"),
]


def script(folder: Path, query: str, key: str, rows: list[Any] | None = None, settings: str = "") -> str:
    """Write the changes into a file, and a script that reads it."""
    texts = [json.dumps({"before": b, "after": a, "op": op}) for b, a, op in rows or ROWS]
    (folder / "rows.json").write_text("\n".join(texts) + "\n")
    source = options(connector="filesystem", path=str(folder / "rows.json"), format="debezium-json")
    sink = options(connector="sqlite", path=str(folder / "out.db"), **{"tailrace.create-table": "true"})
    return f"""{settings}
CREATE TABLE orders (id INT, k STRING, v BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ({source});
CREATE TABLE standing (id INT, k STRING, v BIGINT, PRIMARY KEY ({key}) NOT ENFORCED) WITH ({sink});
INSERT INTO standing {query};"""


def result(folder: Path) -> list[tuple[Any, ...]]:
    """Give the rows of the database."""
    with sqlite3.connect(folder / "out.db") as connection:
        return sorted(connection.execute("SELECT id, k, v FROM standing"))


def test_changes_by_key(tmp_path: Path) -> None:
    run(script(tmp_path, "SELECT id, k, v FROM orders", "id"))
    assert result(tmp_path) == [(1, "a", 1), (2, "c", 2)]


def test_the_last_of_several_rows_of_a_key_that_is_not_the_querys_own(tmp_path: Path) -> None:
    """When the row of key 'a' that came last moves to another key, the one before it stands again."""
    run(script(tmp_path, "SELECT id, k, v FROM orders", "k"))
    assert result(tmp_path) == [(1, "a", 1), (2, "c", 2)]


def test_without_materialize_the_last_change_of_a_key_counts(tmp_path: Path) -> None:
    off = "SET 'table.exec.sink.upsert-materialize' = 'NONE';"
    run(script(tmp_path, "SELECT id, k, v FROM orders", "k", settings=off))
    assert result(tmp_path) == [(2, "c", 2)]


def test_a_key_that_an_update_changes(tmp_path: Path) -> None:
    """The query's key is a part of the table's: the row of the old key goes."""
    run(script(tmp_path, "SELECT id, k, v FROM orders", "id, k"))
    assert result(tmp_path) == [(1, "a", 1), (2, "c", 2)]


def test_null_in_a_key(tmp_path: Path) -> None:
    rows = [*ROWS, (None, {"id": 9, "k": None, "v": 9}, "c")]
    with pytest.raises(DataError, match="column 'k' is NOT NULL, and the query gives NULL"):
        run(script(tmp_path, "SELECT id, k, v FROM orders", "k", rows))
    run(script(tmp_path, "SELECT id, k, v FROM orders", "k", rows, "SET 'table.exec.sink.not-null-enforcer' = 'drop';"))
    assert result(tmp_path) == [(1, "a", 1), (2, "c", 2)]


def test_a_file_of_inserts_takes_no_changes(tmp_path: Path) -> None:
    text = script(tmp_path, "SELECT id, k, v FROM orders", "id").replace(
        "'connector' = 'sqlite'", "'connector' = 'filesystem', 'format' = 'json'"
    )
    with pytest.raises(ConfigError, match=r"only appends, with the formats .*debezium-json"):
        run(text.replace("'tailrace.create-table' = 'true'", "'sink.parallelism' = '1'"))


def test_events_twice(tmp_path: Path) -> None:
    rows = [row for row in ROWS for _ in range(2)]
    on = "SET 'table.exec.source.cdc-events-duplicate' = 'true';"
    run(script(tmp_path, "SELECT 0, k, SUM(v) FROM orders GROUP BY k", "k", rows, on))
    assert result(tmp_path) == [(0, "a", 1), (0, "c", 2)]
