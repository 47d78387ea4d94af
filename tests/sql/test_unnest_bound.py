"""UNNEST and set operations as they are bound: names, types, and what is refused."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError
from tailrace.plan.nodes import Scan, Sink, walk
from tailrace.schema import TimeAttribute
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLES = """
CREATE TABLE t (id BIGINT NOT NULL, s STRING, xs ARRAY<INT NOT NULL>, m MAP<STRING, INT>, rs ARRAY<ROW<a INT, b STRING>>,
  ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'x');
CREATE TABLE u (id INT, s STRING) WITH ('connector' = 'x');
"""


def plan(text: str) -> Sink:
    """Bind a query and give its plan."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    query = session.bind(text, "q.sql")[-1]
    assert isinstance(query, Query)
    return query.plan


def columns(text: str) -> dict[str, str]:
    """Give names and types of a query's columns."""
    return {f.name: str(f.type) for f in plan(text).schema}


def test_names_and_types_of_elements() -> None:
    """As Flink calls them: the alias for a plain element, the fields of a ROW, KEY and VALUE of a MAP."""
    assert columns("SELECT x.* FROM t, UNNEST(xs) AS x") == {"x": "INT NOT NULL"}
    assert columns("SELECT e.* FROM t LEFT JOIN UNNEST(xs) WITH ORDINALITY AS e (v, n) ON TRUE") == {
        "v": "INT",
        "n": "INT",
    }
    assert columns("SELECT e.* FROM t, UNNEST(m) WITH ORDINALITY AS e") == {
        "KEY": "STRING",
        "VALUE": "INT",
        "ORDINALITY": "INT NOT NULL",
    }
    assert list(columns("SELECT b, e.a FROM t, UNNEST(rs) AS e")) == ["b", "a"]
    assert list(columns("SELECT * FROM (SELECT xs FROM t) CROSS JOIN UNNEST(xs)")) == ["xs", "EXPR$0"]


def test_only_what_is_read_is_carried() -> None:
    """The collection is read for its elements, other columns where they are asked for; time stays time."""
    found = plan("SELECT ts, x FROM t CROSS JOIN UNNEST(xs) AS e (x) WHERE id > 1")
    assert [n.schema.names for n in walk(found) if isinstance(n, Scan)] == [("id", "xs", "ts")]
    assert found.schema["ts"].time is TimeAttribute.ROWTIME


def test_names_and_types_of_set_operations() -> None:
    """Names are those of the left, types hold the values of both."""
    for word in ("UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"):
        assert columns(f"SELECT id AS a FROM u {word} SELECT id AS b FROM t") == {"a": "BIGINT"}


REFUSED = [
    ("SELECT 1 FROM t, UNNEST(s) AS e", 25, "UNNEST takes an ARRAY, MAP or MULTISET, not STRING"),
    ("SELECT 1 FROM t, UNNEST(xs, xs) AS e", 18, "UNNEST takes one collection"),
    ("SELECT 1 FROM t, UNNEST(rs) AS e (x)", 18, "1 names are given for 2 columns: a, b"),
    ("SELECT 1 FROM t, UNNEST(rs) AS e (x, x)", 35, "the name 'x' is given twice"),
    ("SELECT 1 FROM t, UNNEST(zs) AS e", 25, "there is no column 'zs'"),
    ("SELECT 1 FROM t, UNNEST(xs) AS t", 18, "the name 't' stands twice"),
    ("SELECT 1 FROM t FULL JOIN UNNEST(xs) AS e ON TRUE", 15, "FULL JOIN can't have UNNEST"),
    ("SELECT 1 FROM t JOIN UNNEST(xs) AS e (id) USING (id)", 15, "common names"),
    ("SELECT 1 FROM t LEFT JOIN UNNEST(xs) AS e (x) ON x > id", 50, "the elements only"),
    ("SELECT id FROM t INTERSECT SELECT s FROM u", 1, "'id' is BIGINT on one side of INTERSECT and STRING"),
    ("SELECT id, s FROM t EXCEPT ALL SELECT s FROM u", 1, "EXCEPT ALL needs the same number of columns"),
]


@pytest.mark.parametrize(("text", "column", "message"), REFUSED)
def test_what_is_wrong_is_said_with_its_place(text: str, column: int, message: str) -> None:
    """As in Flink, which refuses all of these."""
    with pytest.raises(ConfigError) as caught:
        plan(text)
    assert message in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.column == column
