"""Calls of built-in aggregates, over groups and over windows of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tailrace.errors import Location
from tailrace.expressions import aggregates
from tailrace.expressions.nodes import AggregateCall, Expr
from tailrace.schema import array


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
