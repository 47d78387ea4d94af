"""Long lists and chains of conditions are bound, and mean what they say."""

from __future__ import annotations

import polars as pl
import pytest

from tailrace.expressions.lower import lower
from tailrace.plan.nodes import Calc, walk
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLE = "CREATE TABLE t (a BIGINT, b STRING) WITH ('connector' = 'datagen');"
ROWS = pl.DataFrame({"a": [7, 19_999, 20_000, None, -1]}, schema={"a": pl.Int64})


def kept(condition: str) -> list[int | None]:
    session = Session()
    session.bind(TABLE, "t.sql")
    (statement,) = session.bind(f"SELECT a FROM t WHERE {condition}", "q.sql")
    assert isinstance(statement, Query)
    predicate = next(n.predicate for n in walk(statement.plan) if isinstance(n, Calc) and n.predicate is not None)
    return ROWS.filter(lower(predicate).value)["a"].to_list()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a IN (" + ", ".join(map(str, range(20_000))) + ")", [7, 19_999]),
        ("a NOT IN (" + ", ".join(map(str, range(20_000))) + ")", [20_000, -1]),
        (" OR ".join(f"a = {i}" for i in range(0, 40_000, 20)), [20_000]),
        (" AND ".join(f"a <> {i}" for i in range(2000)), [19_999, 20_000, -1]),
    ],
)
def test_a_long_list_means_what_it_says(condition: str, expected: list[int]) -> None:
    assert kept(condition) == expected
