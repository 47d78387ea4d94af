"""Calls of aggregates of the user."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tailrace.errors import ConfigError, Location
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import AggregateCall, Expr, UserAggregateCall
from tailrace.expressions.user_calls import arguments
from tailrace.user_functions.known import Known


def user_aggregate(
    user: Known,
    args: Sequence[Expr],
    column: Callable[[Expr], str],
    location: Location,
    *,
    distinct: bool = False,
    condition: str | None = None,
) -> AggregateCall:
    """
    Give the call; `column` gives the input column of an expression. Several arguments are packed into a ROW.

    Raises:
        ConfigError: it takes other arguments.
    """
    given, spared = arguments(user, args, location)
    if not given:
        hint = f"write {user.name}(x) with the column that it aggregates"
        raise ConfigError(f"the aggregate {user.name} needs an argument", hint=hint, location=location)
    argument = given[0] if len(given) == 1 else catalogue.call("ROW", given, location)
    return AggregateCall(
        function=user.name,
        type=user.result,
        arg=column(argument),
        arg_type=argument.type,
        distinct=distinct,
        filter=condition,
        user=UserAggregateCall(user, tuple(a.type for a in given), spared),
        location=location,
    )
