"""Which columns must not be shown: those named, and what is computed of them."""

from __future__ import annotations

import pytest

from tailrace.plan.nodes import Node, Sink, walk
from tailrace.plan.redaction import hidden_columns
from tailrace.plan.rewrite import optimize
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLES = """
CREATE TABLE t (card STRING, n INT, who ROW<email STRING, town STRING>, tags ARRAY<STRING>, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector' = 'memory');
CREATE TABLE u (id STRING, card STRING) WITH ('connector' = 'memory');
"""


def hidden(select: str, *names: str) -> tuple[set[str], dict[type[Node], set[str]]]:
    """Give the hidden columns of a query's result, and those of its nodes by kind."""
    query = Session().bind(TABLES + select, "t.sql")[-1]
    assert isinstance(query, Query)
    sinks = optimize((query.plan,))
    found = hidden_columns(sinks, names)
    by_kind = {type(n): set(found[id(n)]) for s in sinks for n in walk(s)}
    return by_kind[Sink], by_kind


@pytest.mark.parametrize(
    ("select", "wanted"),
    [
        ("SELECT card, n FROM t", {"card"}),
        ("SELECT card AS c, UPPER(card) || '!' AS u, n + 1 AS m FROM t", {"c", "u"}),
        ("SELECT n, MAX(card) AS top, COUNT(card) AS k, COUNT(*) AS r FROM t GROUP BY n", {"top"}),
        ("SELECT card AS c, COUNT(*) AS k FROM t GROUP BY card", {"c"}),
        (
            (
                "SELECT card AS c, MIN(card) AS low, window_end FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) "
                "GROUP BY card, window_start, window_end"
            ),
            {"c", "low"},
        ),
        ("SELECT n, LAST_VALUE(card) OVER (PARTITION BY n ORDER BY ts) AS l FROM t", {"l"}),
        ("SELECT a.n, b.card AS other, b.id FROM t a JOIN u b ON a.card = b.card", {"other"}),
        ("SELECT id AS c FROM u UNION ALL SELECT card FROM u", {"c"}),
        (
            (
                "SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY n ORDER BY ts MEASURES LAST(A.card) AS x, A.ts AS y "
                "ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B) DEFINE A AS A.n > 1, B AS B.n < 1)"
            ),
            {"x"},
        ),
    ],
)
def test_what_comes_of_a_hidden_column_is_hidden(select: str, wanted: set[str]) -> None:
    assert hidden(select, "card")[0] == wanted


def test_fields_and_elements() -> None:
    """A row with a hidden field is hidden as a whole, as are the elements of a hidden array."""
    assert hidden("SELECT who, who.email AS e, who.town AS w FROM t", "email")[0] >= {"who", "e"}
    assert hidden("SELECT n, x FROM t CROSS JOIN UNNEST(tags) AS a (x)", "tags")[0] == {"x"}


def test_nothing_is_hidden_unless_it_is_named() -> None:
    assert hidden("SELECT card, n FROM t")[0] == set()
