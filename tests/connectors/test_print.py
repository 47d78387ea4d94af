"""Rows as lines of text, as Flink's print connector writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl
import pytest
from connector_kit import sink, table

from tailrace import schema as t
from tailrace.connectors.row_text import row_texts
from tailrace.engine.batch import KIND
from tailrace.schema import BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, INT, STRING, DataType, Field, Schema


def text(of: DataType, value: object) -> str:
    """Give the text of one row of one column."""
    schema = Schema((Field("v", of),))
    return str(row_texts(pl.DataFrame({"v": [value]}, schema=schema.polars), schema)[0])


@pytest.mark.parametrize(
    ("of", "value", "want"),
    [
        (INT, -5, "-5"),
        (BOOLEAN, True, "true"),
        (STRING, "a, b", "a, b"),
        (STRING, None, "null"),
        (t.decimal(10, 2), Decimal("1.50"), "1.50"),
        (DATE, date(2026, 1, 2), "2026-01-02"),
        (t.time_type(0), time(10, 0, 5), "10:00:05"),
        (t.timestamp(3), datetime.fromisoformat("2026-01-02 10:00"), "2026-01-02T10:00"),
        (t.timestamp(3), datetime.fromisoformat("2026-01-02 10:00:07"), "2026-01-02T10:00:07"),
        (t.timestamp(3), datetime.fromisoformat("2026-01-02 10:00:00.120"), "2026-01-02T10:00:00.120"),
        (t.timestamp(6), datetime.fromisoformat("2026-01-02 10:00:00.000005"), "2026-01-02T10:00:00.000005"),
        (t.timestamp_ltz(3), datetime(2026, 1, 2, 10, 0, tzinfo=UTC), "2026-01-02T10:00:00Z"),
        (BYTES, b"\x01\xff", "[1, -1]"),
        (t.array(INT), [1, None, 3], "[1, null, 3]"),
        (t.row({"a": INT, "b": STRING}), {"a": 1, "b": "x"}, "+I[1, x]"),
        (t.map_type(STRING, INT), [{"key": "k", "value": 1}], "{k=1}"),
    ],
)
def test_values_are_written_as_java_writes_them(of: DataType, value: object, want: str) -> None:
    """Each type has the text of Flink's external Java class."""
    assert text(of, value) == f"+I[{want}]"


def test_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """Each row is a line with its kind, behind the identifier if one is given."""
    of = table("print", {"id": BIGINT, "name": STRING}, {"print-identifier": "out"})
    target = sink(of)
    target.write(pl.DataFrame({"id": [1, 2], "name": ["a", None], KIND: pl.Series([0, 3], dtype=pl.Int8)}))
    target.close()

    assert capsys.readouterr().out == "out> +I[1, a]\nout> -D[2, null]\n"


def test_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """`standard-error` chooses the other stream."""
    target = sink(table("print", {"x": DOUBLE}, {"standard-error": "true"}))
    target.write(pl.DataFrame({"x": [1.5]}))
    target.flush()
    captured = capsys.readouterr()

    assert captured.out == ""
    assert captured.err == "+I[1.5]\n"
