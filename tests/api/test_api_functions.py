"""The functions of the catalogue in Python."""

from __future__ import annotations

import datetime as dt

import generate_stubs
import pytest
from sql_values import value_of

import tailrace as tr
from tailrace import functions
from tailrace.api.function_calls import entries


def test_the_stub_is_what_the_catalogue_gives() -> None:
    """`scripts/docs` writes it."""
    assert generate_stubs.STUB.read_text() == generate_stubs.stub()


def test_each_function_is_listed() -> None:
    """Editors and `dir` see every one."""
    assert set(entries()) <= set(dir(functions))


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (functions.upper("abc"), "ABC"),
        (functions.if_(tr.lit(1) > 2, "a", "b"), "b"),
        (functions.extract("year", dt.datetime(2026, 3, 4, 5, 6, 7)), 2026),
        (functions.timestampadd("DAY", 1, dt.date(2026, 3, 4)), dt.date(2026, 3, 5)),
        (functions.floor(dt.datetime(2026, 3, 4, 5, 6, 7), "HOUR"), dt.datetime(2026, 3, 4, 5)),
        (functions.floor(tr.lit(1.5)), 1.0),
        (functions.trim("xxaxx", "x"), "a"),
        (functions.trim(" a ", side="leading"), "a "),
        (functions.mod(7, 4), 3),
        (functions.array(1, 2)[2], 2),
        (functions.map_({"a": 1})["a"], 1),
        (functions.cardinality(functions.array(1, 2, 3)), 3),
    ],
)
def test_call(expr: tr.Expr, value: object) -> None:
    """A call gives what the SQL function gives."""
    assert value_of(expr) == value


def test_unknown_function() -> None:
    """The error says what was likely meant."""
    with pytest.raises(AttributeError, match="did you mean 'upper'"):
        functions.uper  # type: ignore[attr-defined]  # noqa: B018  that is the test


def test_unknown_side() -> None:
    """TRIM knows three sides."""
    with pytest.raises(ValueError, match="BOTH, LEADING, TRAILING"):
        functions.trim("a", "x", "top")
