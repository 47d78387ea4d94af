"""
Accumulators: the state of one aggregate function over all slots, as arrays.

Every accumulator folds batches into slots, joins slots into groups (a hopping window's slices), and hands its state to
checkpoints as columns. Aggregates are Flink's: SUM keeps the type of integers and wraps, AVG of integers truncates,
decimals are exact, all but COUNT give NULL for no values.
"""

from __future__ import annotations

from tailrace.engine.accumulators.base import Accumulator
from tailrace.engine.accumulators.decimals import DecimalSum
from tailrace.engine.accumulators.distinct import CountDistinct
from tailrace.engine.accumulators.extremes import Extreme, LogExtreme
from tailrace.engine.accumulators.numbers import Count, Sum
from tailrace.errors import UnsupportedError
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import FLOATS, INTEGERS, DataType, Kind

__all__ = ["Accumulator", "accumulator"]


def accumulator(call: AggregateCall) -> Accumulator:
    """
    Make the accumulator of an aggregate call.

    Raises:
        UnsupportedError: DISTINCT of anything but COUNT, MIN and MAX, or a type without an order.
    """
    function, argument = call.function, call.arg_type
    if argument is None or (function == "COUNT" and not call.distinct):
        return Count()
    if function == "COUNT":
        return CountDistinct(argument)
    if function in ("MIN", "MAX"):
        return _extreme(call, argument)
    if call.distinct:
        raise UnsupportedError(f"{function}(DISTINCT …) is not supported", location=call.location)
    if argument.kind is Kind.DECIMAL:
        return DecimalSum(call, argument)
    if argument.kind in (*INTEGERS, *FLOATS):
        return Sum(call, argument)
    raise UnsupportedError(f"{function} of {argument.sql()} is not supported", location=call.location)


_WIDE = (Kind.CHAR, Kind.VARCHAR, Kind.BINARY, Kind.VARBINARY)


def _extreme(call: AggregateCall, argument: DataType) -> Accumulator:
    if argument.children:
        raise UnsupportedError(f"{call.function} of {argument.sql()} is not supported", location=call.location)
    wide = argument.kind in _WIDE or (argument.kind is Kind.DECIMAL and argument.precision > 18)
    return LogExtreme(call, argument) if wide else Extreme(call, argument)
