"""A value or two of each type that a column can have: what a connector must carry, or refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl

from tailrace.schema import Schema
from tailrace.sql.session import Session
from tailrace.testing.connectors.system import ddl
from tailrace.user_functions.columns import column, python_values

TYPES: Mapping[str, Sequence[Any]] = {
    "BOOLEAN": (True, False),
    "TINYINT": (-128, 127),
    "SMALLINT": (-32768, 32767),
    "INT": (-(2**31), 2**31 - 1),
    "BIGINT": (-(2**63), 2**63 - 1),
    "FLOAT": (0.5, -1.25),
    "DOUBLE": (1e300, -0.1),
    "DECIMAL(10, 2)": (Decimal("12.50"), Decimal("-0.01")),
    "DECIMAL(38, 10)": (Decimal("1234567890123456789012345678.0123456789"), Decimal("0E-10")),
    "STRING": ("", "a'\"\\b\n\t;--", "naïve ☃ 雪 🙂", "x" * 5000),
    "BYTES": (b"", b"\x00\xff binary"),
    "DATE": (date(2024, 2, 29), date(1969, 12, 31)),
    "TIME(3)": (time(23, 59, 59, 999000), time(0)),
    "TIMESTAMP(3)": (datetime(2026, 1, 2, 3, 4, 5, 678000), datetime(1969, 12, 31, 23, 59, 59, 999000)),  # noqa: DTZ001  has none
    "TIMESTAMP(6)": (datetime(2026, 1, 2, 3, 4, 5, 678901),),  # noqa: DTZ001  has none
    "TIMESTAMP_LTZ(3)": (datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),),
    "ARRAY<INT>": ([1, 2, None], []),
    "ARRAY<STRING>": (["a", ""],),
    "MAP<STRING, INT>": ({"a": 1, "b": 2},),
    "ROW<a INT, b STRING>": ({"a": 1, "b": "x"},),
}
"""The types, as SQL writes them, with values of each; NULL is a value of all of them."""


def columns_of(types: Sequence[str]) -> dict[str, str]:
    """Give a table with a column of each type, behind an `id`."""
    return {"id": "BIGINT"} | {f"c{i}": type_ for i, type_ in enumerate(types)}


def rows_of(types: Sequence[str], values: Mapping[str, Sequence[Any]] = TYPES) -> list[dict[str, Any]]:
    """Give rows in which each column has all its values, and a row of NULLs."""
    count = max(len(values[t]) for t in types)
    rows = [{f"c{i}": values[t][n % len(values[t])] for i, t in enumerate(types)} for n in range(count)]
    return [{"id": n, **row} for n, row in enumerate([*rows, {f"c{i}": None for i in range(len(types))}])]


def schema_of(columns: Mapping[str, str]) -> Schema:
    """
    Give the schema of columns whose types are as SQL writes them.

    >>> schema_of({"id": "BIGINT"}).names
    ('id',)
    """
    session = Session()
    session.bind(ddl("t", columns, {"connector": "blackhole"}), "columns.sql")
    return session.tables["t"].physical


def frame_of(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """
    Give rows of Python values as the frame that a job has of them; a MAP may be a dictionary.

    >>> frame_of({"tags": "MAP<STRING, INT>"}, [{"tags": {"a": 1}}]).item().to_list()
    [{'key': 'a', 'value': 1}]
    """
    return pl.DataFrame({f.name: column([r[f.name] for r in rows], f.type) for f in schema_of(columns)})


def python_rows(columns: Mapping[str, str], frame: pl.DataFrame) -> list[dict[str, Any]]:
    """
    Give a frame of a job as rows of Python values.

    >>> python_rows({"id": "BIGINT"}, frame_of({"id": "BIGINT"}, [{"id": 7}]))
    [{'id': 7}]
    """
    schema = schema_of(columns)
    values = [python_values(frame[f.name], f.type) for f in schema]
    return [dict(zip(schema.names, row, strict=True)) for row in zip(*values, strict=True)]
