"""Calls of built-in aggregates, over groups and over windows of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tailrace.errors import ConfigError, Location
from tailrace.expressions import aggregates
from tailrace.expressions.nodes import AggregateCall, Cast, Expr, Literal
from tailrace.schema import array
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.dialect import nodes as n


def takes(entry: aggregates.Aggregate, count: int) -> bool:
    """Tell whether an aggregate takes so many arguments: one, and the constants behind it."""
    least = 2 if entry.name == "PERCENTILE" else 1
    return least <= count <= 1 + entry.constants


def constant_of(binder: ExpressionBinder, node: n.Node) -> Any:
    """
    Give the value of an argument that must be a constant.

    Raises:
        ConfigError: it is none.
    """
    found = binder.bind(node)
    while isinstance(found, Cast):
        found = found.arg
    if not isinstance(found, Literal):
        raise ConfigError("a constant is needed here", location=binder.at(node))
    return found.value


def aggregate_call(
    function: str,
    argument: Expr | None,
    constants: tuple[Any, ...],
    column: Callable[[Expr], str],
    location: Location,
    *,
    distinct: bool = False,
    condition: Expr | None = None,
) -> AggregateCall:
    """
    Give the call; `column` gives the input column of an expression. Only rows that fulfil the `condition` count.

    Raises:
        ConfigError: the aggregate does not take such an argument.
    """
    type_ = aggregates.result_type(function, argument.type if argument else None, location)
    if function == "PERCENTILE" and constants and isinstance(constants[0], tuple):
        type_ = array(type_)
    if condition is not None and function != "COUNT":
        type_ = type_.with_nullable(True)
    return AggregateCall(
        function=function,
        type=type_,
        arg=column(argument) if argument else None,
        arg_type=argument.type if argument else None,
        distinct=distinct,
        filter=column(condition) if condition is not None else None,
        constants=constants,
        location=location,
    )
