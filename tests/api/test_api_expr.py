"""Expressions of the API, and Python values in them."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pytest
from sql_values import value_of

import tailrace as tr
from tailrace.errors import ConfigError, UnsupportedError

UTC_NOON = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "value",
    [
        1,
        -(2**40),
        1.5,
        -1e300,
        math.inf,
        True,
        "it's",
        b"\x00\xff",
        Decimal("12.340"),
        dt.date(2026, 1, 2),
        dt.time(10, 11, 12),
        dt.datetime(2026, 1, 2, 3, 4, 5, 678000),
        UTC_NOON,
        UTC_NOON.astimezone(dt.timezone(dt.timedelta(hours=2))),
        dt.timedelta(seconds=90),
        dt.timedelta(days=3, hours=4, milliseconds=5),
        -dt.timedelta(minutes=7),
    ],
)
def test_literal(value: Any) -> None:
    """A Python value comes out as it went in."""
    assert value_of(tr.lit(value)) == value


def test_null_and_nan() -> None:
    """None is NULL, and NaN is NaN."""
    assert value_of(tr.lit(None).cast("INT")) is None
    assert math.isnan(value_of(tr.lit(math.nan)))


def test_nested_literals() -> None:
    """Lists, tuples and dicts are arrays, rows and maps."""
    assert value_of(tr.lit([1, 2])).to_list() == [1, 2]
    assert value_of(tr.lit((1, "a"))) == {"EXPR$0": 1, "EXPR$1": "a"}
    assert value_of(tr.lit({"a": 1})["a"]) == 1


def test_a_value_without_a_literal() -> None:
    """The error stands at the line that wrote it."""
    with pytest.raises(ConfigError, match=r"test_api_expr\.py:\d+:\d+: a value of type object"):
        tr.lit(object())


ONE, TWO, NULL = tr.lit(1), tr.lit(2), tr.lit(None).cast("INT")


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (ONE + TWO * 3, 7),
        (1 - TWO, -1),
        (7 / TWO, 3),
        (7 % TWO, 1),
        (10 * ONE, 10),
        (-ONE, -1),
        ((ONE < TWO) & ~(ONE > TWO), True),
        ((ONE >= TWO) | (ONE <= 1), True),
        (ONE != TWO, True),
        (NULL == 1, None),
        (NULL.eq_missing(NULL), True),
        (NULL.ne_missing(1), True),
        (NULL.is_null(), True),
        (NULL.is_not_null(), False),
        ((NULL > 1).is_true(), False),
        ((ONE > 2).is_false(), True),
        (TWO.is_between(1, 2), True),
        (TWO.is_in([1, 3]), False),
        (tr.lit("a%c").like("a!%_", "!"), True),
        (NULL.fill_null(5), 5),
        (tr.lit("12").cast("INT"), 12),
        (tr.lit("x").try_cast("INT"), None),
        (tr.when(ONE > 2).then("a").when(ONE > 0).then("b").otherwise("c"), "b"),
        (tr.when(ONE > 2).then("a"), None),
        (tr.expr("1 + 1"), 2),
        (tr.call("CONCAT", "a", "b"), "ab"),
    ],
)
def test_operators(expr: tr.Expr, value: Any) -> None:
    """They compute what SQL computes."""
    assert value_of(expr) == value


def test_an_expression_has_no_truth() -> None:
    """`and`, `or` and chained comparisons are refused with what to write."""
    with pytest.raises(TypeError, match="write & for and"):
        bool(tr.col("a") > 1)


NO_EXPRESSIONS = [
    "",
    "a +",
    "a, b",
    "a AS b",
    "a)+(b",
    "1) AS x, (2",
    "1) FROM t; DROP TABLE t; SELECT (1",
    "a; b",
    "*",
]


@pytest.mark.parametrize("text", [*NO_EXPRESSIONS, "SELECT 1", "a /* b", "(" * 3000 + "1" + ")" * 3000])
def test_text_that_is_no_expression(text: str) -> None:
    """Only one expression is taken; the error stands at the line that wrote it."""
    with pytest.raises(ConfigError, match=r"test_api_expr\.py:\d+:\d+: '.*' is no expression"):
        tr.expr(text)


def test_text_that_is_an_expression() -> None:
    """Comments and queries in parentheses are taken."""
    assert str(tr.expr("a -- of the left\n+ (SELECT 1)")) == "`a` + (SELECT 1)"


@pytest.mark.parametrize(
    "text", ["", "INTT", "INT x", "INT), (1", "INT;", "`INT`", "ARRAY<" * 3000 + "INT" + ">" * 3000]
)
def test_text_that_is_no_type(text: str) -> None:
    """Only one type is taken; the error stands at the line that wrote it."""
    with pytest.raises(ConfigError, match=r"test_api_expr\.py:\d+:\d+: '.*' is no data type"):
        tr.col("a").cast(text)
    with pytest.raises(ConfigError, match=r"test_api_expr\.py:\d+:\d+: '.*' is no data type"):
        tr.read("datagen", {"a": text})


def test_a_type_that_is_not_there_yet() -> None:
    """It is told apart from what is no type."""
    with pytest.raises(UnsupportedError, match="MULTISET"):
        tr.col("a").cast("INT MULTISET")


def test_long_expressions() -> None:
    """A chain of one operator has any length; what is nested too deeply is refused in words."""
    chain = " OR ".join(["a = 1"] * 3000)
    assert str(tr.expr(chain)).count(" OR ") == 2999

    with pytest.raises(ConfigError, match="nested too deeply"):
        str(tr.expr(" - ".join(["1"] * 3000)))
    deep: Any = 1
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(ConfigError, match="nested too deeply"):
        tr.lit(deep)


def test_over_of_what_is_no_call() -> None:
    """Only aggregates and ranks have windows."""
    with pytest.raises(TypeError, match="no call of a function"):
        tr.col("a").over("b")


def test_an_expression_has_no_elements_in_python() -> None:
    """It is not counted through without end."""
    with pytest.raises(TypeError, match="takes a list of values"):
        tr.col("a").is_in(tr.col("b"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not iterable"):
        iter(tr.col("b"))


def test_a_span_below_a_millisecond() -> None:
    """It is refused, not cut."""
    with pytest.raises(ConfigError, match="below a millisecond"):
        tr.lit(dt.timedelta(microseconds=1500))
