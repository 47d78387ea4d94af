"""Functions of other databases: each is answered with something that means it here, and can be written."""

from __future__ import annotations

import pytest

from tailrace import functions
from tailrace.errors import ConfigError
from tailrace.expressions.foreign import INSTEAD
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLE = """CREATE TABLE t (a STRING, b STRING, items ARRAY<STRING>, ts TIMESTAMP(3), begun TIMESTAMP(3), ended TIMESTAMP(3))
WITH ('connector' = 'datagen');
"""


def bound(expression: str) -> Query:
    """Bind a query that computes an expression."""
    session = Session()
    session.bind(TABLE, "t.sql")
    (statement,) = session.bind(f"SELECT {expression} AS x FROM t;", "q.sql")
    assert isinstance(statement, Query)
    return statement


@pytest.mark.parametrize("name", sorted(INSTEAD))
def test_what_to_write_instead(name: str) -> None:
    """What the hint says can be written; the function itself can't."""
    with pytest.raises(ConfigError, match=f"there is no function '{name.lower()}'") as caught:
        bound(f"{name.lower()}(a, a)")

    assert caught.value.hint == f"write {INSTEAD[name]}"
    assert len(bound(INSTEAD[name]).plan.schema) == 1


def test_in_the_api() -> None:
    """The same is said where Python asks for a name."""
    with pytest.raises(AttributeError, match=r"there is no function 'string_agg'; write LISTAGG\(a, ','\)"):
        functions.__getattr__("string_agg")
