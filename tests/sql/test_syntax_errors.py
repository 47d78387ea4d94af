"""What is not Flink's SQL, or not supported yet, is said with place and hint."""

import pytest

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.sql.dialect import parse
from tailrace.sql.source import Source

WRONG = [
    ("SELCT 1", 1, "expected CREATE TABLE", "SELECT"),
    ("CREATE TABEL t (a INT)", 8, "expected TABLE or VIEW but found TABEL", "TABLE"),
    ("SELECT a FORM t", 15, "expected ;", "FROM"),
    ("SELECT a FROM t WEHRE x = 1", 23, "expected ;", "WHERE"),
    ("SELECT a, FROM t", 11, "expected an expression but found FROM", ""),
    ("SELECT value FROM t", 8, "reserved word value", "`value` in backticks"),
    ("INSERT INTO t", 13, "expected SELECT", ""),
    ("INSERT INTO", 11, "the statement ends too early; expected the table to write", ""),
    ("SELECT (1 + 2 FROM t", 15, "expected ) but found FROM", ""),
    ("SELECT 12ab", 10, "a space or an operator", ""),
    ("SELECT X'abc'", 8, "an even count of hexadecimal digits", ""),
    ("CREATE TABLE t (a STRNG)", 19, "expected a data type", ""),
    ("CREATE TABLE t ($a INT)", 17, "can't begin with $", ""),
    ("SELECT 1 AS `$a`", 13, "can't begin with $", ""),
    ("CREATE TABLE t (a INT, PRIMARY KEY (a))", 39, "NOT ENFORCED", ""),
    ("CREATE TABLE t (a INT) WITH (a = 'b')", 30, "the key of an option in single quotes", ""),
    ("SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)", 15, "TABLE(TUMBLE(...))", ""),
    ("SELECT INTERVAL '1' FORTNIGHT", 21, "expected YEAR", ""),
    ("SELECT a IS 5", 13, "expected NULL", ""),
    ("EXECUTE STATEMENT SET BEGIN SELECT 1; END", 29, "expected INSERT INTO", ""),
    ("EXECUTE STATEMENT SET BEGIN END", 29, "expected INSERT INTO", ""),
    ("SHOW TABELS", 6, "expected TABLES", "TABLES"),
    ("SELECT a ? b", 10, "expected ;", ""),
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
    "SELECT a FROM t, u",
    "SELECT a FROM t JOIN u ON t.a = u.a",
    "SELECT a FROM t LEFT OUTER JOIN u ON TRUE",
    "SELECT a FROM t ORDER BY a",
    "SELECT a FROM t UNION SELECT b FROM u",
    "SELECT a FROM t INTERSECT SELECT b FROM u",
    "SELECT a FROM t WHERE a IN (SELECT b FROM u)",
    "SELECT a FROM t WHERE EXISTS (SELECT b FROM u)",
    "SELECT (SELECT MAX(b) FROM u)",
    "SELECT a FROM t WHERE a > ALL (SELECT b FROM u)",
    "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY ts) FROM t",
    "SELECT SUM(a) OVER w FROM t WINDOW w AS (ORDER BY ts)",
    "SELECT a FROM t GROUP BY ROLLUP (a)",
    "SELECT a FROM t GROUP BY GROUPING SETS ((a), ())",
    "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS TRUE)",
    "SELECT * FROM t FOR SYSTEM_TIME AS OF ts",
    "SELECT * FROM LATERAL TABLE(f(x))",
    "SELECT * FROM UNNEST(a)",
    "SELECT * FROM TABLE(SESSION(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
    "SELECT * FROM TABLE(f(x))",
    "SELECT * FROM t /*+ OPTIONS('a' = 'b') */",
    "WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a",
    "CREATE TABLE t (a MULTISET<INT>)",
    "CREATE TABLE t (a TIMESTAMP(3) WITH TIME ZONE)",
    "CREATE TABLE t AS SELECT 1",
    "CREATE FUNCTION f AS 'x'",
    "CREATE CATALOG c WITH ('a' = 'b')",
    "ALTER TABLE t RENAME TO u",
    "INSERT OVERWRITE t SELECT 1",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "USE CATALOG c",
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
