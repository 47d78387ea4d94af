"""Operators bind as tightly as in Flink: what is expected was compared with the trees of its own parser."""

import pytest

from tailrace.sql.dialect import generate, parse
from tailrace.sql.source import Source


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a OR b AND c", "`a` OR (`b` AND `c`)"),
        ("NOT a = b", "NOT (`a` = `b`)"),
        ("NOT a AND b", "(NOT `a`) AND `b`"),
        ("a = b IS NULL", "(`a` = `b`) IS NULL"),
        ("a + b * c", "`a` + (`b` * `c`)"),
        ("a + b || c", "`a` + (`b` || `c`)"),
        ("a - b - c", "(`a` - `b`) - `c`"),
        ("a = b + 1", "`a` = (`b` + 1)"),
        ("a BETWEEN 1 AND 2 AND b", "(`a` BETWEEN 1 AND 2) AND `b`"),
        ("- a * b", "(- `a`) * `b`"),
        ("a IN (1) OR b", "(`a` IN (1)) OR `b`"),
        ("a != b", "`a` <> `b`"),
        ("a = b IN (1)", "`a` = (`b` IN (1))"),
        ("a <> b NOT BETWEEN 1 AND c + 2", "`a` <> (`b` NOT BETWEEN 1 AND (`c` + 2))"),
        ("a = b > ALL (SELECT 1)", "`a` = (`b` > ALL (SELECT 1))"),
        ("a LIKE b LIKE c", "`a` LIKE (`b` LIKE `c`)"),
        ("a IN (1) IN (2)", "(`a` IN (1)) IN (2)"),
        ("a IS DISTINCT FROM b + 1 = c", "(`a` IS DISTINCT FROM (`b` + 1)) = `c`"),
        ("a IS NULL = b", "(`a` IS NULL) = `b`"),
        ("a = NOT b", "`a` = (NOT `b`)"),
        ("a OVERLAPS b AND c", "(`a` OVERLAPS `b`) AND `c`"),
        ("SUM(a) OVER w + 1 IN (SELECT 2)", "(SUM(`a`) OVER `w` + 1) IN (SELECT 2)"),
    ],
)
def test_precedence(text: str, meant: str) -> None:
    """The tree is that of the text with all parentheses."""
    (tree,) = parse(Source(f"SELECT {text}", "a.sql"))
    assert generate(tree) == f"SELECT {meant}"
