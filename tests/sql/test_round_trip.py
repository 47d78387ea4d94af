"""Text to tree to text to tree: both trees are the same."""

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.sql.dialect import Flink, generate, parse
from tailrace.sql.source import Source

STATEMENTS = [
    """CREATE TABLE `p` (card STRING NOT NULL, r ROW<a INT NOT NULL, b ARRAY<ROW<x MAP<STRING, INT>>>, e ROW<>>,
       o BIGINT METADATA FROM 'offset' VIRTUAL, t TIMESTAMP_LTZ(3) METADATA, pt AS PROCTIME() COMMENT 'now',
       PRIMARY KEY (card) NOT ENFORCED, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, ts TIMESTAMP(3))
       COMMENT 'it''s' PARTITIONED BY (card) WITH ('connector' = 'kafka', 'topic' = 'a''b')""",
    "CREATE TEMPORARY TABLE IF NOT EXISTS t (id INT PRIMARY KEY NOT ENFORCED COMMENT 'x') WITH ('a' = 'b')",
    "CREATE TABLE t (a INT, CONSTRAINT c PRIMARY KEY (a, b) NOT ENFORCED) LIKE u (EXCLUDING ALL INCLUDING OPTIONS)",
    "CREATE TABLE t WITH ('a' = 'b') LIKE default_catalog.default_database.u",
    "CREATE TABLE t (a TIMESTAMP(3) WITH LOCAL TIME ZONE, b VARCHAR(3), c DEC(3, 1), d INT ARRAY, e DOUBLE PRECISION)",
    "CREATE VIEW IF NOT EXISTS v (a, b) COMMENT 'c' AS SELECT 1, 2",
    "DROP TEMPORARY VIEW IF EXISTS v; DROP TABLE a.b.c",
    "SET 'a.b' = 'c d'; SET a.b-c.d = 10 min; SET; RESET 'a'; RESET",
    "SHOW TABLES; SHOW VIEWS; SHOW FUNCTIONS; SHOW CREATE TABLE t; SHOW CREATE VIEW v; DESC t; DESCRIBE a.b",
    "INSERT INTO t PARTITION (d = '1', e = 2) (a, b) SELECT a, b FROM u; INSERT INTO t VALUES (1, 'x'), ROW(2, NULL), 3",
    "INSERT INTO t (SELECT a FROM u)",
    "INSERT OVERWRITE t SELECT 1; INSERT INTO t /*+ OPTIONS('a'='b') */ PARTITION (a = 1) (b) TABLE u",
    "CREATE TABLE t AS SELECT 1; CREATE TABLE t (a, b) WITH ('a' = 'b') AS SELECT 1, 2; CREATE TABLE t (a INT, b AS a) AS VALUES 1",
    "CREATE OR REPLACE TABLE t AS SELECT 1; REPLACE TABLE t (a INT, WATERMARK FOR b AS b) WITH ('a' = 'b') AS SELECT 1",
    "CREATE TABLE t (a INT) COMMENT 'x' DISTRIBUTED BY HASH(a) INTO 4 BUCKETS PARTITIONED BY (a) WITH ('a'='b')",
    "CREATE TABLE t (a INT) DISTRIBUTED BY (a, b); CREATE TABLE t (a INT) DISTRIBUTED INTO 3 BUCKETS",
    "CREATE FUNCTION IF NOT EXISTS a.f AS 'm.f' LANGUAGE PYTHON; ALTER TEMPORARY SYSTEM FUNCTION IF EXISTS f AS 'x'",
    "CREATE TEMPORARY SYSTEM FUNCTION f AS 'x' LANGUAGE JAVA USING JAR 'a', JAR 'b' WITH ('a' = 'b'); CREATE FUNCTION f AS 'x'",
    "DROP FUNCTION f; DROP TEMPORARY FUNCTION IF EXISTS a.b.f; DROP TEMPORARY SYSTEM FUNCTION IF EXISTS f",
    "ALTER TABLE t SET ('a' = 'b', 'c' = 'd'); ALTER TABLE IF EXISTS t RESET ('a', 'b'); ALTER TABLE t RENAME TO u",
    "ALTER TABLE t RENAME a TO b; ALTER TABLE t ADD c INT FIRST; ALTER TABLE t DROP c; ALTER TABLE t DROP (c, d.e)",
    "ALTER TABLE t ADD (c INT AFTER b, PRIMARY KEY (c) NOT ENFORCED, WATERMARK FOR x AS x, d AS c + 1 COMMENT 'x')",
    "ALTER TABLE t MODIFY (a BIGINT METADATA FROM 'x' VIRTUAL); ALTER TABLE t DROP PRIMARY KEY; ALTER TABLE t DROP CONSTRAINT c",
    "ALTER TABLE t DROP WATERMARK; ALTER VIEW v RENAME TO w; ALTER VIEW v AS SELECT 1",
    "SHOW TABLES FROM d NOT LIKE 'x%'; SHOW VIEWS IN a.b; SHOW USER FUNCTIONS ILIKE 'x'; SHOW COLUMNS FROM t LIKE 'a'",
    "DESCRIBE EXTENDED t; EXPLAIN PLAN_ADVICE INSERT INTO t SELECT 1; EXPLAIN STATEMENT SET BEGIN INSERT INTO t SELECT 1; END",
    "SELECT a.b.f(1), a.f(DISTINCT x) FILTER (WHERE y) OVER w FROM t",
    "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT * FROM b; INSERT INTO a SELECT * FROM c; END;",
    "BEGIN STATEMENT SET; INSERT INTO a SELECT * FROM b; END",
    "EXPLAIN SELECT 1; EXPLAIN PLAN FOR INSERT INTO a SELECT 1; EXPLAIN ESTIMATED_COST, CHANGELOG_MODE SELECT 2",
    "SELECT ALL a, DISTINCT_ AS b, t.*, a.b.*, * FROM t AS x (c, d)",
    "SELECT DISTINCT a FROM (SELECT b FROM c) d WHERE a > 1 GROUP BY a, UPPER(b) HAVING COUNT(*) > 1",
    "WITH a AS (SELECT 1), b (x, y) AS (VALUES (1, 2)) SELECT * FROM a UNION ALL (SELECT 2 LIMIT 3 OFFSET 1) LIMIT 4",
    "SELECT a FROM t GROUP BY (); SELECT 1 OFFSET 2 ROWS FETCH FIRST 3 ROWS ONLY",
    "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '10' SECOND)) AS w",
    "SELECT * FROM TABLE(HOP(DATA => TABLE t, timecol => DESCRIPTOR(`ts`), SLIDE => INTERVAL '1' MINUTE, SIZE => x))",
    "SELECT * FROM TABLE(CUMULATE((SELECT * FROM t), DESCRIPTOR(ts), INTERVAL '1' HOURS, INTERVAL '1' DAYS))",
    "SELECT COUNT(*), COUNT(DISTINCT a) FILTER (WHERE b IS NOT TRUE), SUM(ALL a) FROM t",
    "SELECT a OR b AND NOT c IS NULL, (a OR b) AND c, NOT (a AND b), NOT NOT a, a = b IS UNKNOWN",
    "SELECT a - b - c, a - (b - c), -a * +b, - -a, a * (b + c) % d / e || 'x', 1 + -2",
    "SELECT a BETWEEN 1 AND 2 AND b, a NOT BETWEEN SYMMETRIC b AND c, a IN (1, 2), a NOT IN (b), a = (b IN (1))",
    "SELECT a LIKE 'x%' ESCAPE '!', a NOT LIKE b, a SIMILAR TO 'c', a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b + 1",
    "SELECT CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END, CASE a WHEN 1 THEN 'x' END, CAST(a AS ROW<b INT>), TRY_CAST('1' AS INT)",
    "SELECT DATE '2024-01-02', TIME '10:20:30', TIMESTAMP '2024-01-02 10:20:30.5', INTERVAL -'1-6' YEAR TO MONTH",
    "SELECT INTERVAL '10:30' MINUTE TO SECOND, INTERVAL '1 02:03:04.5' DAY TO SECOND, INTERVAL '90' SECOND, X'0aFf', U&'\\00e4'",
    "SELECT ARRAY[1, 2], ARRAY[], MAP['a', 1], ROW(1, 'x'), (1, 2), a[1].b['c'], f(x).y.z, a.b.c, ROW(ROW(1))",
    "SELECT EXTRACT(YEAR FROM ts), POSITION('a' IN b || c), OVERLAY(a PLACING b FROM 1 FOR 2), SUBSTRING(a FROM 2 FOR 3)",
    "SELECT TRIM(a), TRIM(BOTH FROM a), TRIM(LEADING 'x' FROM a), TRIM(TRAILING FROM a), CEIL(a TO DAY), FLOOR(a), CEIL(a)",
    "SELECT TIMESTAMPADD(MONTH, 1, ts), TIMESTAMPDIFF(SQL_TSI_DAY, a, b), CURRENT_TIMESTAMP, LOCALTIMESTAMP, DATE(x), `my f`(1)",
    "SELECT JSON_VALUE(j, '$.a' RETURNING INT NULL ON EMPTY DEFAULT 5 ON ERROR), JSON_EXISTS(j, '$.a' TRUE ON ERROR)",
    "SELECT JSON_QUERY(j, '$' WITH CONDITIONAL ARRAY WRAPPER EMPTY ARRAY ON EMPTY), j IS JSON, j IS NOT JSON OBJECT",
    "SELECT JSON_OBJECT('a' VALUE 1, KEY 'b' VALUE 2 ABSENT ON NULL), JSON_ARRAY(1, 2 NULL ON NULL), JSON_OBJECT()",
    "SELECT 1, 1.50, .5, 1e3, 1.5E-3, 'it''s', '', TRUE, false, NULL, UNKNOWN, `sel``ect`, `größe`",
    "-- a comment; with a semicolon\nSELECT /* one */ 1; ; SELECT 2 -- end",
]


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_comes_back(text: str) -> None:
    """Each statement, written from its tree, gives the same tree again."""
    trees = parse(Source(text, "a.sql"))
    again = parse(Source(";\n".join(map(generate, trees)), "b.sql"))
    assert again == trees
    assert trees


def test_trees_tell_statements_apart() -> None:
    """What is different is not equal: the comparison that the round trip rests on is not blind."""
    trees = [tree for text in STATEMENTS for tree in parse(Source(text, "a.sql"))]
    written = [generate(t) for t in trees]
    for i, tree in enumerate(trees):
        for j in range(i):
            assert (tree == trees[j]) == (written[i] == written[j])


def test_case_of_names_counts_and_case_of_keywords_does_not() -> None:
    """`SELECT a` and `select a` are one tree; `SELECT A` is another."""
    one, two, three = (parse(Source(t, "a.sql")) for t in ("SELECT a FROM t", "select a from t", "SELECT A FROM t"))
    assert one == two
    assert one != three


def test_sqlglot_knows_the_dialect() -> None:
    """The dialect works through sqlglot's own functions."""
    tree = sqlglot.parse_one("SELECT a+1 FROM t", read=Flink)
    assert tree.sql(Flink) == "SELECT `a` + 1 FROM `t`"


_NAMES = st.sampled_from(["a", "b", "`x y`", "t.c"])
_ATOMS = st.one_of(
    _NAMES, st.sampled_from(["1", "2.5", "'s'", "NULL", "TRUE", "COUNT(*)", "f(a, 'x')", "DATE '2024-01-01'"])
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(["+", "-", "*", "/", "%", "||", "=", "<>", "<", ">=", "AND", "OR"])
    binary = st.tuples(inner, operator, inner).map(" ".join)
    grouped = inner.map(lambda x: f"({x})")
    postfix = st.tuples(grouped, st.sampled_from([" IS NULL", " IS NOT TRUE", "[1]", " NOT IN (1, 2)"]))
    prefix = st.tuples(st.sampled_from(["NOT ", "-", "+ "]), grouped)
    case = st.tuples(inner, inner).map(lambda x: f"CASE WHEN {x[0]} THEN {x[1]} END")
    return st.one_of(binary, grouped, st.one_of(postfix, prefix).map(lambda x: f"({x[0]}{x[1]})"), case)


@given(st.recursive(_ATOMS, _larger, max_leaves=12))
@settings(max_examples=150, deadline=None)
def test_any_expression_comes_back(text: str) -> None:
    """Whatever operators are nested how, the parentheses that are written keep the tree."""
    (tree,) = parse(Source(f"SELECT {text}", "a.sql"))
    assert parse(Source(generate(tree), "b.sql")) == [tree]
