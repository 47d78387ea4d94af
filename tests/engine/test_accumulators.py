"""Accumulators against Polars and exact arithmetic, over slots and over joined slots."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import polars as pl
import pytest

from tailrace.engine.accumulators import accumulator
from tailrace.errors import UnsupportedError
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import (
    BIGINT,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    STRING,
    TINYINT,
    DataType,
    array,
    decimal,
    timestamp,
)

SLOTS = np.array([0, 1, 0, 2, 1, 0])


def fold(
    function: str, result: DataType, argument: DataType, values: Sequence[object], *, distinct: bool = False
) -> list[object]:
    """Fold six values into slots 0, 1 and 2 and give the results of slots 0 to 3 (3 is empty)."""
    call = AggregateCall(function, result, "x", argument, distinct=distinct)
    acc = accumulator(call)
    acc.reserve(4)
    series = pl.Series("x", values, dtype=argument.polars, strict=False)
    acc.add(SLOTS[:3], series[:3], None)
    acc.add(SLOTS[3:], series[3:], None)
    out = acc.result(np.arange(4))
    assert out.dtype == result.polars
    return out.to_list()


@pytest.mark.parametrize(
    ("function", "result", "argument", "values", "expected"),
    [
        ("SUM", TINYINT, TINYINT, [100, 1, 100, 1, 1, 0], [-56, 2, 1, None]),
        ("SUM", INT, INT, [2**31 - 1, None, 1, 5, None, 0], [-(2**31), None, 5, None]),
        ("SUM", BIGINT, BIGINT, [2**63 - 1, 1, 1, 5, 1, 0], [-(2**63), 2, 5, None]),
        ("SUM", DOUBLE, DOUBLE, [0.5, 1.0, 0.25, 5.0, None, 0.0], [0.75, 1.0, 5.0, None]),
        ("SUM", FLOAT, FLOAT, [0.5, 1.0, 0.25, 5.0, None, 0.0], [0.75, 1.0, 5.0, None]),
        ("AVG", INT, INT, [-7, 1, 0, 5, 2, 0], [-2, 1, 5, None]),
        ("AVG", DOUBLE, DOUBLE, [1.0, 1.0, 0.0, 5.0, 2.0, 2.0], [1.0, 1.5, 5.0, None]),
        ("MIN", BIGINT, BIGINT, [3, 1, -2, 5, None, 0], [-2, 1, 5, None]),
        ("MAX", DOUBLE, DOUBLE, [3.0, -1.0, -2.0, 5.0, None, 0.5], [3.0, -1.0, 5.0, None]),
        ("MAX", STRING, STRING, ["b", "x", "c", None, "y", "a"], ["c", "y", None, None]),
        ("MIN", STRING, STRING, ["b", "x", "c", None, "y", "a"], ["a", "x", None, None]),
        ("COUNT", BIGINT, STRING, ["b", "x", None, None, "y", "a"], [2, 2, 0, 0]),
    ],
)
def test_results(
    function: str, result: DataType, argument: DataType, values: list[object], expected: list[object]
) -> None:
    """Sums wrap and keep the type, averages of integers truncate toward zero, nothing gives NULL."""
    assert fold(function, result, argument, values) == expected


def test_distinct_values_count_once() -> None:
    """COUNT(DISTINCT x) counts each value of a slot once, and no NULL."""
    assert fold("COUNT", BIGINT, STRING, ["a", "b", "a", None, "c", "d"], distinct=True) == [2, 2, 0, 0]


def test_times_keep_their_type() -> None:
    """MIN and MAX of dates and timestamps give dates and timestamps."""
    days = pl.Series([3, 1, 2, 5, None, 9], dtype=pl.Int32).cast(pl.Date).to_list()
    moments = pl.Series([3, 1, 2, 5, None, 9], dtype=pl.Int64).cast(pl.Datetime("ms")).to_list()

    assert fold("MAX", DATE, DATE, days) == [days[5], days[1], days[3], None]
    assert fold("MIN", timestamp(3), timestamp(3), moments) == [moments[2], moments[1], moments[3], None]


@pytest.mark.parametrize("precision", [10, 38])
def test_decimals_are_exact(precision: int) -> None:
    """Sums and averages of decimals have no error, up to 38 digits, and round half up."""
    digits = precision - 2
    big = Decimal(10**digits - 1)
    values = [big, Decimal("-0.01"), big, None, Decimal("-0.02"), Decimal("0.01")]
    kind = decimal(precision, 2)
    total = fold("SUM", decimal(38, 2), kind, values)
    average = fold(
        "AVG",
        decimal(38, 6),
        kind,
        [Decimal("0.01"), Decimal("-0.01"), Decimal("0.01"), None, Decimal("-0.02"), Decimal(0)],
    )

    assert total == ([None] if precision == 38 else [2 * big + Decimal("0.01")]) + [Decimal("-0.03"), None, None]
    third = (Decimal("0.02") / 3).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    assert average == [third, Decimal("-0.015000"), None, None]


@pytest.mark.parametrize(
    ("function", "kind", "expected"),
    [
        ("SUM", BIGINT, [9, 12]),
        ("AVG", BIGINT, [2, 6]),
        ("MIN", BIGINT, [1, 5]),
        ("MAX", BIGINT, [4, 7]),
        ("COUNT", BIGINT, [4, 2]),
    ],
)
def test_slots_join_into_groups(function: str, kind: DataType, expected: list[object]) -> None:
    """The slots of one group give what their rows together give."""
    acc = accumulator(AggregateCall(function, kind, "x", BIGINT))
    acc.reserve(3)
    acc.add(np.array([0, 0, 1, 1, 2, 2]), pl.Series([1, 2, 2, 4, 5, 7]), None)

    assert acc.merged_result(np.arange(3), np.array([0, 0, 1]), 2).to_list() == expected


def test_distinct_values_of_joined_slots_count_once() -> None:
    """A value in two slices of one window counts once."""
    acc = accumulator(AggregateCall("COUNT", BIGINT, "x", STRING, distinct=True))
    acc.reserve(3)
    acc.add(np.array([0, 1, 1, 2]), pl.Series(["a", "a", "b", "a"]), None)

    assert acc.merged_result(np.arange(3), np.array([0, 0, 1]), 2).to_list() == [2, 1]


@pytest.mark.parametrize(("function", "distinct", "kind"), [("MAX", False, array(INT)), ("SUM", False, STRING)])
def test_what_is_not_supported_says_so(function: str, kind: DataType, *, distinct: bool) -> None:
    """An aggregate that does not exist is refused when the plan is built, not at run time."""
    with pytest.raises(UnsupportedError, match=f"{function}.* is not supported"):
        accumulator(AggregateCall(function, kind, "x", kind, distinct))


@pytest.mark.parametrize(
    "call",
    [AggregateCall("LAG", BIGINT, "v", BIGINT, constants=(1,)), AggregateCall("ARRAY_AGG", array(BIGINT), "v", BIGINT)],
    ids=str,
)
def test_many_slots_of_single_values(call: AggregateCall) -> None:
    """More values than there is room for at first come back from a checkpoint, and are there after slots were dropped."""
    count = 5000
    slots, values = np.arange(2 * count) // 2, pl.Series("v", range(2 * count))
    one, other = accumulator(call), accumulator(call)
    for acc in (one, other):
        acc.reserve(count)
    one.add(slots, values, None)
    every = np.arange(count)
    other.load(every, one.columns(every))
    expected = one.result(every)

    assert expected.to_list()[4321] in (8642, [8642, 8643])
    assert other.result(every).equals(expected)
    other.keep(every[::2])
    assert other.result(np.arange(count // 2)).equals(expected[::2])
