"""Variances and deviations, computed from sums and counts as Flink's planner does, in the type of the result."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from tailrace.expressions import catalogue
from tailrace.expressions.aggregates import result_type
from tailrace.expressions.nodes import AggregateCall, Cast, Column, Expr, Literal
from tailrace.schema import BIGINT, DataType, decimal

_SAMPLES = ("STDDEV_SAMP", "STDDEV", "VAR_SAMP", "VARIANCE")


class Group(Protocol):
    """What an aggregation offers: columns for arguments, and columns for results."""

    def column(self, expr: Expr) -> str:
        """Give the input column that holds an expression."""

    def result(self, made: AggregateCall) -> Column:
        """Give the column that holds the result of a call."""

    def argument(self, name: str) -> Expr:
        """Give the expression that an input column holds."""


def composed(call: AggregateCall, group: Group) -> Expr:
    """
    Give the expression over results of SUM and COUNT that is the value of a call.

    With `n` values: (SUM(x * x) - SUM(x) * SUM(x) / n) / n, or n - 1 for a sample (NULL for one value), and its root.
    """
    assert call.arg is not None
    argument = _to(group.argument(call.arg), call.type)
    total = _sum(argument, call, group)
    squares = _sum(_call("*", argument, argument), call, group)
    count = group.result(replace(call, function="COUNT", type=BIGINT.with_nullable(False)))
    spread = _call("-", squares, _call("/", _call("*", total, total), count))
    variance = _call("/", spread, _divisor(count) if call.function in _SAMPLES else count)
    if call.function.startswith("STDDEV"):
        variance = _call("POWER", variance, Literal(decimal(2, 1).with_nullable(False), Decimal("0.5")))
    return _to(variance, call.type)


def _divisor(count: Expr) -> Expr:
    one = Literal(BIGINT.with_nullable(False), 1)
    return _call("CASE", _call("=", count, one), Literal(BIGINT, None), _call("-", count, one))


def _sum(argument: Expr, call: AggregateCall, group: Group) -> Expr:
    made = result_type("SUM", argument.type).with_nullable(True)
    return group.result(replace(call, function="SUM", type=made, arg=group.column(argument), arg_type=argument.type))


def _call(name: str, *args: Expr) -> Expr:
    return catalogue.call(name, list(args))


def _to(expr: Expr, target: DataType) -> Expr:
    if expr.type.same_as(target):
        return expr
    return Cast(target.with_nullable(expr.type.nullable), expr)
