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
