"""What is not Flink's SQL, or not supported yet, is said with place and hint."""

import pytest

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.sql.dialect import parse
from tailrace.sql.source import Source

WRONG = [
    ("SELCT 1", 1, "expected a statement", "SELECT"),
    ("CREATE TABEL t (a INT)", 8, "expected TABLE, VIEW or FUNCTION but found TABEL", "TABLE"),
    ("SELECT a FORM t", 15, "expected ;", "FROM"),
    ("SELECT a FROM t WEHRE x = 1", 23, "expected ;", "WHERE"),
    ("SELECT a, FROM t", 11, "expected an expression but found FROM", ""),
    ("SELECT value FROM t", 8, "reserved word value", "`value` in backticks"),
    ("INSERT INTO t", 13, "expected SELECT", ""),
    ("INSERT INTO", 11, "the statement ends too early; expected the table to write", ""),
    ("SELECT (1 + 2 FROM t", 15, "expected ) but found FROM", ""),
    ("SELECT 12ab", 10, "a space or an operator", ""),
    ("SELECT X'abc'", 8, "an even count of hexadecimal digits", ""),
    ("CREATE TABLE t (a STRNG)", 19, "expected a data type", "did you mean 'STRING'?"),
    ("SELECT CAST(a AS INTEGR) FROM t", 18, "expected a data type", "did you mean 'INTEGER'?"),
    ("SELECT X'zz'", 10, "expected hexadecimal digits in X'...' but found 'zz'", ""),
    ('SELECT "a" FROM t', 8, "expected an expression", "backticks"),
    ("SELEC 1", 1, "expected a statement", "did you mean 'SELECT'?"),
    ("INSRT INTO t SELECT 1", 1, "expected a statement", "did you mean 'INSERT INTO'?"),
    ("SELECT " + "(" * 3000 + "1" + ")" * 3000, 1, "nested too deeply", "WITH or CREATE VIEW"),
    ("CREATE TABLE t ($a INT)", 17, "can't begin with $", ""),
    ("SELECT 1 AS `$a`", 13, "can't begin with $", ""),
    ("CREATE TABLE t (a INT, PRIMARY KEY (a))", 39, "NOT ENFORCED", ""),
    ("CREATE TABLE t (a INT) WITH (a = 'b')", 30, "the key of an option in single quotes", ""),
    ("SELECT INTERVAL '1' FORTNIGHT", 21, "expected YEAR", ""),
    ("SELECT a IS 5", 13, "expected NULL", ""),
    ("EXECUTE STATEMENT SET BEGIN SELECT 1; END", 29, "expected INSERT INTO", ""),
    ("EXECUTE STATEMENT SET BEGIN END", 29, "expected INSERT INTO", ""),
    ("SHOW TABELS", 6, "expected TABLES", "TABLES"),
    ("SELECT JSON_OBJECTAGG(KEY a VALUE b) FILTER (WHERE c) FROM t", 38, "expected ;", ""),
    ("SELECT f(a, *) FROM t", 13, "expected an expression but found *", ""),
    ("INSERT INTO TABLE t SELECT 1", 13, "the reserved word TABLE", "backticks"),
    ("INSERT t SELECT 1", 8, "expected INTO or OVERWRITE but found t", ""),
    ("INSERT INTO t PARTITION (a) SELECT 1", 27, "expected = but found )", ""),
    ("INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING", 24, "Flink 2.2 has no ON CONFLICT", "primary key"),
    ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", 26, "Flink 2.2 has no ON CONFLICT", "primary key"),
    ("CREATE TABLE t (a INT, b) WITH ('a' = 'b')", 24, "the column 'b' has no data type", "BIGINT"),
    ("CREATE TABLE t (a INT) DISTRIBUTED HASH (a)", 36, "expected BY or INTO but found HASH", ""),
    ("CREATE SYSTEM FUNCTION f AS 'x'", 8, "expected TEMPORARY SYSTEM FUNCTION but found SYSTEM", ""),
    ("CREATE TEMPORARY SYSTEM TABLE t (a INT)", 25, "expected FUNCTION but found TABLE", ""),
    ("CREATE FUNCTION f AS x", 22, "what implements the function in single quotes", ""),
    ("CREATE FUNCTION f AS 'x' LANGUAGE RUST", 35, "expected PYTHON, JAVA or SCALA but found RUST", ""),
    ("CREATE FUNCTION f AS 'x' LANGUAGE PYTHON USING JAR 'a'", 42, "USING is for files of JAVA and SCALA", ""),
    ("CREATE OR REPLACE VIEW v AS SELECT 1", 19, "expected TABLE but found VIEW", ""),
    ("ALTER TABLE t COMPACT", 15, "expected SET, RESET, RENAME, ADD, MODIFY or DROP", ""),
    ("ALTER TABLE t ADD (a)", 21, "expected a data type", ""),
    ("ALTER VIEW v SET ('a' = 'b')", 14, "expected RENAME TO or AS but found SET", ""),
    ("EXPLAIN CHANGELOG_MODE, CHANGELOG_MODE SELECT 1", 25, "CHANGELOG_MODE is given twice", ""),
    ("EXPLAIN CHANGELOG_MODE, PLAN SELECT 1", 25, "expected ESTIMATED_COST", ""),
    ("SHOW TABLES NOT 'x'", 17, "expected LIKE or ILIKE", ""),
    ("SHOW COLUMNS t", 14, "expected FROM or IN but found t", ""),
    ("SELECT a ? b", 10, "expected ;", ""),
    ("SELECT * FROM t JOIN u", 22, "expected ON or USING", ""),
    ("SELECT * FROM t JOIN u JOIN v ON x ON y", 24, "expected ON or USING but found JOIN", ""),
    ("SELECT * FROM t CROSS JOIN u ON x", 30, "a comma and CROSS JOIN take no condition", "INNER JOIN"),
    ("SELECT * FROM t NATURAL JOIN u ON x", 32, "expected ; or the end of the statement but found ON", ""),
    ("SELECT * FROM t NATURAL CROSS JOIN u", 25, "expected JOIN, INNER, LEFT, RIGHT or FULL", ""),
    ("SELECT * FROM t TABLESAMPLE BERNOULLI (10)", 17, "TABLESAMPLE is not supported, as in Flink", "leave it out"),
    ("SELECT * FROM t MATCH_RECOGNIZE (MEASURES a PATTERN (A) DEFINE A AS b)", 45, "expected AS but found PATTERN", ""),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A))", 45, "expected DEFINE but found )", ""),
    ("SELECT * FROM t MATCH_RECOGNIZE (DEFINE A AS b PATTERN (A))", 34, "expected PATTERN but found DEFINE", ""),
    (
        "SELECT * FROM t MATCH_RECOGNIZE (PATTERN () DEFINE A AS b)",
        43,
        "expected a variable of the pattern but found )",
        "",
    ),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A**) DEFINE A AS b)", 45, "expected ) but found *", ""),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A LARGE) DEFINE A AS b)", 45, "reserved word LARGE", "`LARGE` in"),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A{2,1}) DEFINE A AS b)", 44, "from 2 up to 1 times", "not above m"),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A{x}) DEFINE A AS b)", 45, "expected a number of rows but found x", ""),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) WITHIN 5 DEFINE A AS b)", 53, "expected INTERVAL but found 5", ""),
    (
        "SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP A PATTERN (A) DEFINE A AS b)",
        51,
        "expected TO but found A",
        "",
    ),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) SUBSET U = A DEFINE A AS b)", 57, "expected ( but found A", ""),
    ("SELECT * FROM f(x) MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS b)", 20, "expected ; or the end", ""),
    ("SELECT * FROM t LEFT SEMI JOIN u ON x", 22, "there is no SEMI JOIN", "WHERE EXISTS"),
    ("SELECT * FROM (t)", 16, "expected a query or a join in the parentheses", ""),
    ("SELECT * FROM t, u ON x", 20, "a comma and CROSS JOIN take no condition", "INNER JOIN"),
    ("SELECT * FROM (t JOIN u ON x, v)", 29, "expected ) but found ,", ""),
    ("SELECT * FROM (t, u)", 16, "expected a query or a join in the parentheses", ""),
    ("SELECT * FROM (t JOIN u ON x) AS v", 31, "expected ; or the end of the statement but found AS", ""),
    ("SELECT * FROM t AS x FOR SYSTEM_TIME AS OF ts", 22, "stands before the alias", "AS x"),
    ("SELECT * FROM t FOR SYSTEM_TIME OF ts", 33, "expected AS but found OF", ""),
    ("SELECT * FROM LATERAL t", 23, "expected TABLE(, UNNEST or a query in parentheses but found t", ""),
    ("SELECT * FROM UNNEST()", 22, "expected an expression but found )", ""),
    ("SELECT a FROM t ORDER a", 23, "expected BY but found a", ""),
    ("SELECT a FROM t ORDER BY a NULLS", 32, "expected FIRST or LAST", ""),
    ("SELECT a FROM t ORDER BY a LIMIT b", 34, "expected a number of rows but found b", ""),
    ("SELECT a FROM t OFFSET 1 LIMIT 2", 26, "expected ; or the end of the statement but found LIMIT", ""),
    ("SELECT a FROM t FETCH FIRST ROW ONLY", 29, "expected a number of rows but found ROW", ""),
    ("SELECT SUM(a) OVER (a b) FROM t", 23, "expected PARTITION BY, ORDER BY or ) but found b", ""),
    ("SELECT a FROM t FETCH FIRST 2 ROWS", 34, "expected ONLY", ""),
    ("SELECT SUM(a) OVER (ORDER BY b PARTITION BY c) FROM t", 32, "expected ) but found PARTITION", ""),
    ("SELECT SUM(a) OVER (PARTITION a) FROM t", 31, "expected BY but found a", ""),
    ("SELECT SUM(a) OVER (ROWS 3) FROM t", 27, "expected PRECEDING or FOLLOWING but found )", ""),
    ("SELECT SUM(a) OVER (ROWS BETWEEN 3 PRECEDING 4 FOLLOWING) FROM t", 46, "expected AND but found 4", ""),
    ("SELECT SUM(a) OVER (ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW) FROM t", 34, "can't begin with", ""),
    ("SELECT SUM(a) OVER (ROWS BETWEEN CURRENT ROW AND UNBOUNDED PRECEDING) FROM t", 50, "or end with", ""),
    ("SELECT LISTAGG(a) WITHIN GROUP (b) FROM t", 33, "expected ORDER BY but found b", ""),
    ("SELECT a FROM t WHERE EXISTS (a)", 31, "expected SELECT, VALUES, WITH or TABLE but found a", ""),
    ("SELECT a FROM t WHERE a IN (SELECT 1", 36, "expected )", ""),
    ("SELECT 1 UNION SELECT 2 MINUS SELECT 3", 25, "there is no MINUS", "EXCEPT"),
    ("SELECT 1 INTERSECT", 18, "the statement ends too early; expected SELECT, VALUES or a query in parentheses", ""),
    ("SELECT 1 ORDER BY 1 UNION SELECT 2", 21, "expected ; or the end of the statement but found UNION", ""),
    ("SELECT a FROM t GROUP BY ROLLUP (a, ())", 38, "expected an expression but found )", ""),
    ("SELECT a FROM t GROUP BY GROUPING SETS a", 40, "expected ( but found a", ""),
    ("SELECT a FROM t /*+ OPTIONS('a' = b) */", 35, "the option's value in single quotes", ""),
    ("SELECT a FROM t AS x /*+ OPTIONS('a' = 'b') */", 22, "expected ;", ""),
    ("SELECT a::STRING FROM t", 9, "but found :", "write CAST(a AS STRING) for a::STRING"),
    ("SELECT TOP 5 * FROM t", 12, "but found 5", "write LIMIT 5 at the end"),
    ("SELECT /*+ BROADCAST(t) a */ b FROM t", 25, "expected * but found a", ""),
]


@pytest.mark.parametrize(("text", "column", "message", "hint"), WRONG)
def test_wrong_syntax_is_pointed_at(text: str, column: int, message: str, hint: str) -> None:
    """The error has the column of what is wrong, what was expected, and what was likely meant."""
    with pytest.raises(ConfigError) as caught:
        parse(Source(text, "q.sql"))
    error = caught.value
    assert message in error.message
    assert hint in error.hint
    assert error.location is not None
    assert (error.location.line, error.location.column, error.location.text) == (1, column, text)


LATER = [
    "WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a",
    "CREATE TABLE t (a MULTISET<INT>)",
    "CREATE TABLE t (a TIMESTAMP(3) WITH TIME ZONE)",
    "CREATE CATALOG c WITH ('a' = 'b')",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "USE CATALOG c",
    "ANALYZE TABLE t COMPUTE STATISTICS",
    "ALTER DATABASE d SET ('a' = 'b')",
    "ALTER TABLE t ADD PARTITION (a = 1)",
    "ALTER TABLE t DROP IF EXISTS PARTITION (a = 1)",
    "DROP CATALOG c",
    "DESCRIBE CATALOG c",
    "SHOW FULL MODULES",
    "SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a))",
    "SHOW CATALOGS",
]


@pytest.mark.parametrize("text", LATER)
def test_what_is_not_here_yet_is_refused_with_a_way_out(text: str) -> None:
    """Flink's statements of later parts are refused by name and place, and what is supported is said."""
    with pytest.raises(UnsupportedError, match="is not supported yet") as caught:
        parse(Source(text, "q.sql"))
    assert caught.value.location is not None
    assert caught.value.location.text == text
    assert caught.value.hint


def test_the_place_is_in_the_right_line() -> None:
    """In a text of several lines the line and its own column are given."""
    with pytest.raises(ConfigError) as caught:
        parse(Source("SELECT 1;\r\n\n  SELECT 1 +\n", "q.sql"))
    assert str(caught.value.location) == "q.sql:3:12"
