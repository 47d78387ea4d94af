"""Forms that the parser knows and the binder does not are refused where they stand, with what is supported."""

import pytest

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.plan.nodes import WindowAggregate, walk
from tailrace.sql.binder.forms import FORMS, NEVER, Form
from tailrace.sql.session import Session
from tailrace.sql.statements import Query, Statement

TABLES = """CREATE TABLE t (a INT, b STRING, xs ARRAY<INT>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'datagen');
CREATE TABLE u (a INT, c STRING) WITH ('connector' = 'datagen');
"""

REFUSED = [
    ("SELECT f(x => 1)", 10, "an argument by name"),
    ("SELECT JSON_ARRAYAGG(b) WITHIN GROUP (ORDER BY a) FROM t", 48, "WITHIN GROUP"),
    ("SELECT ARRAY_AGG(a ORDER BY b) FROM t", 29, "ORDER BY among the arguments"),
    ("SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts PATTERN (A) SUBSET S = (A) DEFINE A AS a > 1)", 65, "SUBSET"),
    ("SELECT LAG(a) IGNORE NULLS OVER (ORDER BY ts) FROM t", 8, "IGNORE NULLS"),
]

MATCH = "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES A.a AS x"
NOT_IN_FLINK = [
    ("INSERT OVERWRITE u (a) SELECT a FROM t", 1, "INSERT OVERWRITE of a stream"),
    ("SELECT FIRST_VALUE(a) IGNORE NULLS FROM t", 8, "IGNORE NULLS or RESPECT NULLS of this function"),
    (f"{MATCH} ALL ROWS PER MATCH PATTERN (A) DEFINE A AS TRUE)", 15, "ALL ROWS PER MATCH"),
    (f"{MATCH} PATTERN (A | B) DEFINE A AS TRUE)", 73, "an alternative in PATTERN"),
    (f"{MATCH} PATTERN (A {{- B -}}) DEFINE A AS TRUE)", 75, "an exclusion in PATTERN"),
    (f"{MATCH} PATTERN (PERMUTE(A, B)) DEFINE A AS TRUE)", 73, "PERMUTE"),
    (f"{MATCH} PATTERN ((A B)+ C) DEFINE A AS TRUE)", 73, "a quantifier on a group"),
    (f"{MATCH} PATTERN (A{{,2}} B) DEFINE A AS TRUE)", 73, "a quantifier without its lower number"),
    ("SELECT SUM(a) FILTER (WHERE a > 1) OVER (ORDER BY ts) FROM t", 29, "FILTER together with OVER"),
    ("SELECT LISTAGG(b) WITHIN GROUP (ORDER BY a) FROM t", 42, "WITHIN GROUP of this function"),
    ("SELECT PERCENTILE(a, 0.5) WITHIN GROUP (ORDER BY a) FROM t", 50, "WITHIN GROUP of this function"),
    ("SELECT UPPER(x => b) FROM t", 14, "an argument by name for a built-in function"),
    ("SELECT SUM(x => a) FROM t", 12, "an argument by name for a built-in function"),
    ("SELECT * FROM TUMBLE(TABLE t ORDER BY a, DESCRIPTOR(ts), INTERVAL '1' DAY)", 39, "ORDER BY of a table"),
]


@pytest.mark.parametrize(("text", "column", "what"), REFUSED)
def test_a_form_that_is_not_bound_is_refused(text: str, column: int, what: str) -> None:
    """The message names the form, the place is that of the form, and the hint says what is supported."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    with pytest.raises(UnsupportedError, match="is not supported yet") as caught:
        session.bind(text, "q.sql")
    assert what in caught.value.message
    assert str(caught.value.location) == f"q.sql:1:{column}"
    assert caught.value.hint


@pytest.mark.parametrize(("text", "column", "what"), NOT_IN_FLINK)
def test_a_form_that_flink_refuses_is_refused(text: str, column: int, what: str) -> None:
    """What Flink's planner refuses is refused for good, and so it is said."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    with pytest.raises(ConfigError, match="is not supported, as in Flink") as caught:
        session.bind(text, "q.sql")
    assert what in caught.value.message
    assert str(caught.value.location) == f"q.sql:1:{column}"
    assert caught.value.hint
    assert not isinstance(caught.value, UnsupportedError)


@pytest.mark.parametrize(("forms", "statements"), [(FORMS, REFUSED), (NEVER, NOT_IN_FLINK)])
def test_each_refusal_is_tested(forms: tuple[Form, ...], statements: list[tuple[str, int, str]]) -> None:
    """Every entry of the tables of refused forms has a statement above."""
    named = [what for _, _, what in statements]
    assert [form.what for form in forms if not any(what in form.what for what in named)] == []


def test_a_form_inside_a_view_or_an_insert_is_refused_too() -> None:
    """Wherever a form stands, it is found: in views, INSERTs, statement sets and named queries."""
    query = "SELECT LISTAGG(b) WITHIN GROUP (ORDER BY a) FROM t"
    for text in (
        f"CREATE VIEW v AS {query}",
        f"INSERT INTO u (a) {query}",
        f"EXECUTE STATEMENT SET BEGIN INSERT INTO u (a) {query}; END",
        f"WITH x AS ({query}) SELECT * FROM x",
        f"EXPLAIN {query}",
    ):
        session = Session()
        session.bind(TABLES, "tables.sql")
        with pytest.raises(ConfigError, match="WITHIN GROUP of this function"):
            session.bind(text, "q.sql")


def test_keys_in_parentheses_are_keys() -> None:
    """`GROUP BY (a, b)` groups by both."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    text = "SELECT a, b, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY) GROUP BY (window_start, window_end), {}"
    keys = [_keys(session.bind(text.format(written), "q.sql")[0]) for written in ("(a, b)", "a, b")]
    assert keys == [("a", "b")] * 2


def _keys(statement: Statement) -> tuple[str, ...]:
    assert isinstance(statement, Query)
    return next(node.keys for node in walk(statement.plan) if isinstance(node, WindowAggregate))
