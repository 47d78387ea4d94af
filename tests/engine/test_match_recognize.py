"""MATCH_RECOGNIZE, driven batch by batch; what it finds is told by the cases from Flink and by random patterns."""

from __future__ import annotations

import polars as pl

from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.match_recognize import MatchRecognizeOperator
from tailrace.plan.nodes import MatchRecognize, walk
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLE = """
CREATE TABLE t (k BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'memory');
"""


def operator(condition: str) -> MatchRecognizeOperator:
    """Make the operator that finds single rows."""
    query = f"""SELECT * FROM t MATCH_RECOGNIZE
      (PARTITION BY k ORDER BY ts MEASURES A.s AS x PATTERN (A) DEFINE A AS {condition});"""
    (bound,) = (s for s in Session().bind(TABLE + query, "q.sql") if isinstance(s, Query))
    (node,) = (n for n in walk(bound.plan) if isinstance(n, MatchRecognize))
    made = MatchRecognizeOperator(node, "UTC")
    made.outbox = Outbox()
    return made


def test_what_may_fail_may_ask_for_the_time() -> None:
    """A CAST under a condition of the clock fails only for the rows for which it is made."""
    running = operator("CASE WHEN CURRENT_TIMESTAMP > ts THEN CAST(s AS INT) ELSE 7 END > 6")
    rows = pl.DataFrame({"k": [1, 2, 3, 4], "s": ["5", "8", "x", "y"], "ts": [1, 2, 3, 9]})
    rows = rows.with_columns(pl.col("ts").cast(pl.Datetime("ms")))
    assert running.process(0, rows, Times(now=5)) == []
    (rejected,) = running.outbox.rejected
    assert rejected.rows["s"].to_list() == ["x"]
    (found,) = running.advance(Times(now=5, watermark=9))
    assert found.rows() == [(2, "8"), (4, "y")]
