"""Which plans are right where processes share a table, each with a part of its rows, and which need rows of others."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError
from tailrace.plan import splitting
from tailrace.plan.nodes import Scan, walk
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert, Query

DEALT = {"a": ("k", "l"), "b": ("k", "l"), "u": ("k",), "n": ()}
COLUMNS = "k STRING, l STRING, v INT, ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts"
TABLES = "".join(f"CREATE TABLE {name} ({COLUMNS}) WITH ('connector' = 'x');\n" for name in ("a", "b", "n", "whole"))
TABLES += (
    "CREATE TABLE o (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');"
    "CREATE TABLE names (k STRING, name STRING) WITH ('connector' = 'sqlite', 'path' = 'x');"
)
TUMBLE = "TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"
SESSION = "TABLE(SESSION(TABLE a PARTITION BY {}, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"
WINDOW = "window_start, window_end"


def check(text: str) -> None:
    """Bind a query, and check it with tables that are dealt out."""
    session = Session()
    session.bind(TABLES, "t.sql")
    statement = session.bind(text, "q.sql")[-1]
    assert isinstance(statement, Query | Insert)
    root = statement.plan if isinstance(statement, Query) else statement.sinks[0]
    scans = [n for n in walk(root) if isinstance(n, Scan)]
    splitting.check([root], {id(n): DEALT[n.table.name] for n in scans if n.table.name in DEALT})


RIGHT = [
    "SELECT k, v + 1 FROM a WHERE v > 3",
    "SELECT k FROM a UNION ALL SELECT k FROM b",
    "SELECT k FROM n WHERE v > 3",
    "SELECT k, l, COUNT(*) FROM a GROUP BY k, l",
    "SELECT l, SUM(v) FROM a GROUP BY v, l, k",
    "SELECT DISTINCT k, l FROM a",
    f"SELECT k, l, COUNT(*) FROM {TUMBLE} GROUP BY k, l, {WINDOW}",
    f"SELECT k, l, COUNT(*) FROM {SESSION.format('(k, l)')} GROUP BY k, l, {WINDOW}",
    f"SELECT k, l, v, COUNT(*) FROM {SESSION.format('(k, l)')} GROUP BY k, l, v, {WINDOW}",
    "SELECT k, l, COUNT(*) FROM a GROUP BY SESSION(ts, INTERVAL '1' MINUTE), k, l",
    "SELECT x, y, MAX(n) FROM (SELECT k AS x, l AS y, v, COUNT(*) AS n FROM a GROUP BY k, l, v) GROUP BY x, y",
    "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY l, k ORDER BY v) AS r FROM a) WHERE r <= 3",
    "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k, l ORDER BY ts) AS r FROM a) WHERE r = 1",
    "SELECT k, SUM(v) OVER (PARTITION BY k, l ORDER BY ts ROWS 5 PRECEDING) FROM a",
    "SELECT * FROM a MATCH_RECOGNIZE (PARTITION BY k, l ORDER BY ts MEASURES x.v AS v PATTERN (x) DEFINE x AS x.v > 1)",
    "SELECT x.v, y.v FROM a x JOIN a y ON x.k = y.k AND x.l = y.l",
    "SELECT x.k, x.l, COUNT(*) FROM a x LEFT JOIN a y ON x.k = y.k AND y.l = x.l GROUP BY x.k, x.l",
    "SELECT a.v, whole.v FROM a JOIN whole ON a.v = whole.v",
    "SELECT a.v, whole.v FROM a LEFT JOIN whole ON a.v = whole.v",
    "SELECT a.v FROM a WHERE a.v IN (SELECT v FROM whole)",
    "SELECT a.k, names.name FROM a JOIN names FOR SYSTEM_TIME AS OF a.pt ON names.k = a.k",
]
WRONG = [
    ("SELECT k, COUNT(*) FROM a GROUP BY k", "have k, l among the keys"),
    ("SELECT COUNT(*) FROM a", "in one process"),
    ("SELECT DISTINCT k FROM a", "have k, l among the keys"),
    ("SELECT UPPER(k), l, COUNT(*) FROM a GROUP BY UPPER(k), l", "among the keys"),
    (f"SELECT v, COUNT(*) FROM {TUMBLE} GROUP BY v, {WINDOW}", "among the keys"),
    (f"SELECT k, l, COUNT(*) FROM {SESSION.format('k')} GROUP BY k, l, {WINDOW}", "among the keys"),
    ("SELECT k FROM a LIMIT 3", "in one process"),
    ("SELECT k FROM a ORDER BY ts", "in one process"),
    ("SELECT k FROM a ORDER BY v LIMIT 3", "among the keys"),
    ("SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v) AS r FROM a) WHERE r <= 3", "among"),
    ("SELECT k, SUM(v) OVER (ORDER BY ts ROWS 5 PRECEDING) FROM a", "among the keys"),
    ("SELECT x.v, y.v FROM a x JOIN a y ON x.k = y.k", "in one process"),
    ("SELECT x.v, y.v FROM a x JOIN a y ON x.k = y.l AND x.l = y.k", "in one process"),
    ("SELECT a.v, b.v FROM a JOIN b ON a.k = b.k AND a.l = b.l", "in one process"),
    ("SELECT a.v, whole.v FROM a RIGHT JOIN whole ON a.v = whole.v", "in one process"),
    ("SELECT whole.v FROM whole WHERE v IN (SELECT v FROM a)", "in one process"),
    ("SELECT k, l, COUNT(*) FROM (SELECT * FROM a UNION ALL SELECT * FROM b) GROUP BY k, l", "in one process"),
    ("SELECT k FROM a UNION ALL SELECT k FROM whole", "in one process"),
    ("SELECT y.k, COUNT(*) FROM a x LEFT JOIN a y ON x.k = y.k AND x.l = y.l GROUP BY y.k, y.l", "in one process"),
    ("SELECT k, l, COUNT(*) FROM n GROUP BY k, l", "key.fields"),
    ("INSERT INTO o SELECT l, COUNT(*) FROM a GROUP BY k, l", "among the keys"),
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_each_process_can_do_alone(text: str) -> None:
    """Filters and columns, and state by keys that hold those that rows are dealt out by."""
    check(text)


@pytest.mark.parametrize(("text", "hint"), WRONG)
def test_what_needs_rows_of_others(text: str, hint: str) -> None:
    """Everything else is refused, with its place and what could be done."""
    with pytest.raises(ConfigError) as error:
        check(text)
    assert "is read by several processes" in error.value.message
    assert hint in error.value.hint
    assert error.value.location is not None


def test_a_query_without_the_table() -> None:
    """A query beside the one that shares a table would put its rows out once for each process."""
    session = Session()
    session.bind(TABLES, "t.sql")
    plans = []
    for text in ("SELECT k FROM a", "SELECT k FROM whole"):
        statement = session.bind(text, "q.sql")[-1]
        assert isinstance(statement, Query)
        plans.append(statement.plan)
    scan = next(n for n in walk(plans[0]) if isinstance(n, Scan))
    with pytest.raises(ConfigError, match="come in each of them"):
        splitting.check(plans, {id(scan): DEALT["a"]})
    splitting.check(plans, {})
