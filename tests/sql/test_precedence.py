"""Operators bind as tightly as in Flink."""

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
    ],
)
def test_precedence(text: str, meant: str) -> None:
    """The tree is that of the text with all parentheses."""
    (tree,) = parse(Source(f"SELECT {text}", "a.sql"))
    assert generate(tree) == f"SELECT {meant}"
