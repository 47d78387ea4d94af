"""Whatever is typed, a script is bound or refused with a place; nothing else is ever raised."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.errors import ConfigError
from tailrace.sql.session import Session

SCRIPT = """CREATE TABLE t (a INT NOT NULL, b ROW<c STRING, d ARRAY<INT>>, m MAP<STRING, INT>, e AS a + 1.5e0, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1 02:03' DAY TO MINUTE, PRIMARY KEY (a) NOT ENFORCED) PARTITIONED BY (a)
  WITH ('connector' = 'x', 'k' = 'it''s');
CREATE VIEW v (x, y) AS SELECT a, U&'\\00e4' FROM t WHERE NOT a BETWEEN 1 AND -.5 OR a IN (1, X'00', DATE '2024-01-01');
INSERT INTO t (a, ts) SELECT COUNT(*) FILTER (WHERE a > 1), window_time FROM
  TABLE(HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' MINUTE, SIZE => INTERVAL '5' MINUTE)) AS `w x`
  GROUP BY window_start, window_end, window_time HAVING SUM(a) / COUNT(DISTINCT a) <> 1;
SELECT SUM(a) FILTER (WHERE b) OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t x LEFT JOIN u FOR SYSTEM_TIME AS OF x.ts AS y
  ON x.a = y.a, UNNEST(m) WITH ORDINALITY AS n (p, q) WINDOW w AS (PARTITION BY a ORDER BY ts DESC NULLS LAST) QUALIFY a > 1;
SELECT /*+ BROADCAST(t) */ a FROM t /*+ OPTIONS('a' = 'b') */ WHERE a IN (SELECT 1 EXCEPT ALL SELECT 2) AND NOT EXISTS (TABLE t)
  GROUP BY GROUPING SETS ((a, b), ROLLUP (a), ()) ORDER BY (SELECT 1) FETCH FIRST 2 ROWS ONLY;
SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY ts MEASURES LAST(A.b, 1) AS c AFTER MATCH SKIP TO LAST B
  PATTERN (A B{1,2}? (C | D)*) WITHIN INTERVAL '1' HOUR SUBSET U = (A, B) DEFINE A AS PREV(A.b) > 1) AS m;
INSERT INTO t SELECT * FROM LATERAL TABLE(f(a, x => 1)), SESSION(TABLE t PARTITION BY a, DESCRIPTOR(ts), INTERVAL '1' MINUTE);
CREATE TEMPORARY SYSTEM FUNCTION f AS 'a.b' LANGUAGE PYTHON; ALTER TABLE t ADD (c INT AFTER b, PRIMARY KEY (c) NOT ENFORCED);
SELECT CASE a WHEN 1 THEN 'x' ELSE NULL END, CAST(a AS DECIMAL(10, 2)), t.* FROM t UNION ALL VALUES (1, 2) LIMIT 5;
SET 'a' = 'b'; RESET a; SHOW TABLES; DESC t; EXPLAIN SELECT 1; DROP TABLE t
"""
PIECES = [
    "'",
    "`",
    '"',
    "(",
    ")",
    "<",
    ">",
    ",",
    ";",
    ".",
    "*",
    "$",
    "${",
    "--",
    "/*",
    "*/",
    "\\",
    "\x00",
    "é",
    "1",
    "1e",
    "0x1",
]
WORDS = [
    "SELECT",
    "FROM",
    "TABLE",
    "AS",
    "NOT",
    "NULL",
    "INTERVAL",
    "x",
    "OVER",
    "JOIN",
    "PATTERN",
    "/*+",
    "ON",
    "(SELECT 1)",
    "((",
    "{",
    "ROW",
    "U&'\\zz'",
    "X'q'",
    "1_000",
    "@",
    "?",
]


def error_of(text: str) -> ConfigError | None:
    """Give the error of a script; None if it is bound."""
    try:
        Session().bind(text, "q.sql")
    except ConfigError as error:
        return error
    return None


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_scripts(data: st.DataObject) -> None:
    """A script with pieces cut out and put in gives a result or an error with a place."""
    text = SCRIPT
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from(["", *PIECES, *(f" {w} " for w in WORDS)])) + text[at + cut :]
    assert error_of(text) is None or "q.sql:" in str(error_of(text))


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text(text: str) -> None:
    """So does any text at all."""
    assert error_of(text) is None or "q.sql:" in str(error_of(text))


@pytest.mark.parametrize(
    "text",
    ["SELECT " + "(" * 5000 + "1" + ")" * 5000, "SELECT " + "1 + " * 5000 + "1", "SELECT " + "NOT " * 5000 + "TRUE"],
)
def test_depth_is_bounded(text: str) -> None:
    """What is nested too deeply is refused, not a crash."""
    with pytest.raises(ConfigError, match="nested too deeply"):
        Session().bind(text, "q.sql")
