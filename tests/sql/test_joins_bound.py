"""Joins as they are bound: names, types, keys, what is filtered where, and what is refused."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError
from tailrace.plan.explain import explain
from tailrace.plan.nodes import Join, JoinKey, JoinKind, Scan, Sink, walk
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLES = """
CREATE TABLE o (id BIGINT NOT NULL, cust INT, qty INT NOT NULL, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'x');
CREATE TABLE c (id BIGINT NOT NULL, cust INT, name STRING NOT NULL, since DATE) WITH ('connector' = 'x');
CREATE TABLE d (id BIGINT NOT NULL, city STRING, cust INT) WITH ('connector' = 'x');
"""


def plan(text: str) -> Sink:
    """Bind a script and give the plan of its last query."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    query = session.bind(text, "q.sql")[-1]
    assert isinstance(query, Query)
    return query.plan


def joins(text: str) -> list[Join]:
    """Give the joins of a query, the first to run first."""
    return [n for n in walk(plan(text)) if isinstance(n, Join)]


def columns(text: str) -> dict[str, str]:
    """Give names and types of a query's columns."""
    return {f.name: str(f.type) for f in plan(text).schema}


def test_columns_of_both_sides() -> None:
    """Names that are there twice get a number, and the side that may have no match gets NULLs."""
    assert list(columns("SELECT * FROM o JOIN c ON o.id = c.id")) == [
        *("id", "cust", "qty", "ts", "id0", "cust0", "name", "since")
    ]
    assert list(columns("SELECT c.*, o.id FROM o, c")) == ["id", "cust", "name", "since", "id0"]
    left = columns("SELECT o.qty, c.name FROM o LEFT JOIN c ON o.id = c.id")
    assert left == {"qty": "INT NOT NULL", "name": "STRING"}
    full = columns("SELECT o.qty, c.name FROM o FULL JOIN c ON o.id = c.id")
    assert full == {"qty": "INT", "name": "STRING"}


def test_common_columns() -> None:
    """USING and NATURAL give each common column once, in front; the sides' own are there when they are qualified."""
    every = ["cust", "id", "qty", "ts", "id0", "name", "since"]
    assert list(columns("SELECT * FROM o JOIN c USING (cust)")) == every
    assert list(columns("SELECT * FROM o NATURAL JOIN c")) == ["id", "cust", "qty", "ts", "name", "since"]
    assert list(columns("SELECT cust, o.cust, c.cust FROM o FULL JOIN c USING (cust)")) == ["cust", "cust0", "cust1"]
    assert list(columns("SELECT * FROM o JOIN c USING (id) JOIN d USING (id)")) == [
        *("id", "cust", "qty", "ts", "cust0", "name", "since", "city", "cust1")
    ]


def test_conditions_fall_into_keys_filters_and_the_rest() -> None:
    """Equalities are keys, what is about one side filters it before the join, the rest is looked at for each pair."""
    (join,) = joins(
        "SELECT o.id FROM o JOIN c ON o.id = c.id AND o.qty > 1 AND c.name = 'x' AND o.cust < c.cust + o.qty"
    )
    assert join.keys == (JoinKey("id", "id0"),)
    text = explain([plan("SELECT o.id FROM o JOIN c ON o.id = c.id AND o.qty > 1 AND o.cust < c.cust + o.qty")])
    assert "Join INNER on id = id0 AND (cust < (cust0 + qty))" in text
    assert "where (qty > 1)" in text
    (join,) = joins("SELECT o.id FROM o JOIN c ON o.cust IS NOT DISTINCT FROM c.cust AND o.id + 1 = c.id")
    assert [k.null_safe for k in join.keys] == [True, False]


def test_where_belongs_to_the_joins() -> None:
    """A comma join gets its keys from WHERE, and only the columns that are asked for are read."""
    first, second = joins("SELECT d.city FROM o, c, d WHERE o.cust = c.cust AND d.id = c.id AND o.qty > 2")
    assert first.keys == (JoinKey("cust", "cust0"),)
    assert second.keys == (JoinKey("id0", "id1"),)
    assert second.schema.names == ("city",)
    scans = {n.table.name: n.schema.names for n in walk(second) if isinstance(n, Scan)}
    assert scans == {"o": ("cust", "qty", "ts"), "c": ("id", "cust"), "d": ("id", "city")}


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("c.name = 'x'", JoinKind.RIGHT),
        ("o.qty > 1", JoinKind.LEFT),
        ("o.qty > 1 AND c.name LIKE 'x%'", JoinKind.INNER),
        ("COALESCE(o.qty, 0) > 1", JoinKind.FULL),
        ("c.name IS NULL", JoinKind.FULL),
        ("o.qty > 1 OR c.name = 'x'", JoinKind.FULL),
    ],
)
def test_an_outer_join_is_as_simple_as_where_lets_it_be(where: str, kind: JoinKind) -> None:
    """Rows that WHERE refuses because a side has no match need not be made."""
    (join,) = joins(f"SELECT o.id, c.name FROM o FULL JOIN c ON o.id = c.id WHERE {where}")
    assert join.kind is kind


def test_the_side_that_is_kept_is_filtered_before_the_join() -> None:
    """Below a left join, WHERE filters the left; ON filters the right, and of the left only what finds a match."""
    text = explain(
        [plan("SELECT o.id, c.name FROM o LEFT JOIN c ON o.id = c.id AND o.qty > 2 AND c.cust > 3 WHERE o.cust > 4")]
    )
    assert "Join LEFT on id = id0 AND (qty > 2)" in text
    assert "where (cust > 4)" in text
    assert "where (cust > 3)" in text


def test_a_regular_join_has_no_time() -> None:
    """Its rows come in no order of time: time attributes become plain timestamps."""
    assert plan("SELECT o.ts FROM o JOIN c ON o.id = c.id").schema["ts"].time is None


REFUSED = [
    ("SELECT id FROM o JOIN c ON o.id = c.id", 8, "may be one of several", "write o.id or c.id"),
    ("SELECT 1 FROM o JOIN c ON o.id = c.name", 27, "can't compare BIGINT and STRING", "CAST"),
    ("SELECT 1 FROM o, c WHERE o.id = c.name", 26, "can't compare BIGINT and STRING", "CAST"),
    ("SELECT 1 FROM o JOIN c ON o.id", 27, "ON needs a BOOLEAN", "compare"),
    ("SELECT 1 FROM o JOIN c ON x.id = 1", 27, "there is no table or column 'x'", ""),
    ("SELECT 1 FROM o JOIN o ON TRUE", 22, "the name 'o' stands twice", "o AS o2"),
    ("SELECT 1 FROM o JOIN c USING (qty)", 31, "no column 'qty' on the right", "cust"),
    ("SELECT 1 FROM o JOIN c USING (name)", 31, "no column 'name' on the left", "id, cust, qty, ts"),
    ("SELECT 1 FROM o JOIN c USING (id) JOIN d USING (cust)", 49, "may be one of several", ""),
    ("SELECT id FROM o NATURAL JOIN c", 8, "may be one of several", "o.id or c.id"),
    ("SELECT x.* FROM o JOIN c ON TRUE", 8, "there is no column 'x'", ""),
]


@pytest.mark.parametrize(("text", "column", "message", "hint"), REFUSED)
def test_what_is_wrong_is_said_with_its_place(text: str, column: int, message: str, hint: str) -> None:
    """As in Flink, which refuses all of these."""
    with pytest.raises(ConfigError) as caught:
        plan(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.location is not None
    assert caught.value.location.column == column
