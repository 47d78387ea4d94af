"""Aggregates over windows of rows and over the rows of a match, as they are bound."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.sql.session import Session

TABLE = """CREATE TABLE t (a INT, b STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');"""
MATCH = "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES {} AS x PATTERN (A B) DEFINE A AS A.a > 0)"


def refused(text: str) -> ConfigError:
    """Give the error of a query."""
    session = Session()
    session.bind(TABLE, "t.sql")
    with pytest.raises(ConfigError) as caught:
        session.bind(text, "q.sql")
    return caught.value


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("SELECT PERCENTILE(a) FROM t", 8),
        ("SELECT PERCENTILE(a) OVER (ORDER BY ts) FROM t", 8),
        (MATCH.format("PERCENTILE(A.a)"), 55),
    ],
)
def test_a_percentile_needs_a_percentage(text: str, column: int) -> None:
    error = refused(text)
    assert "PERCENTILE takes other arguments" in error.message
    assert error.hint == "write PERCENTILE(x, percentage)"
    assert str(error.location) == f"q.sql:1:{column}"


@pytest.mark.parametrize("call", ["JSON_ARRAYAGG(A.b)", "JSON_ARRAYAGG(A.a)", "JSON_OBJECTAGG(KEY A.b VALUE A.a)"])
def test_json_is_not_collected_in_a_pattern(call: str) -> None:
    error = refused(MATCH.format(call))
    assert isinstance(error, UnsupportedError)
    assert error.message == f"{call.partition('(')[0]} in a pattern is not supported"
    assert error.hint is not None
    assert "ARRAY_AGG" in error.hint
