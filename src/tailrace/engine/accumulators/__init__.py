"""
Accumulators: the state of one aggregate function over all slots, as arrays.

Every accumulator folds batches into slots, merges slots (a hopping window's slices, sessions), and hands its state to
checkpoints as columns. Aggregates are Flink's: SUM keeps the type of integers and wraps, AVG of integers truncates,
decimals are exact, all but COUNT give NULL for no values.
"""

from __future__ import annotations

from tailrace.engine.accumulators.base import Accumulator
from tailrace.engine.accumulators.counted import CountedAccumulator
from tailrace.engine.accumulators.decimals import DecimalSum
from tailrace.engine.accumulators.distinct import Distinct
from tailrace.engine.accumulators.extremes import Extreme, LogExtreme
from tailrace.engine.accumulators.numbers import Count, Sum
from tailrace.engine.accumulators.retractable import RetractableExtreme
from tailrace.engine.accumulators.sequences import Lag, SequenceAccumulator
from tailrace.engine.accumulators.user import UserAccumulator
from tailrace.errors import UnsupportedError
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import FLOATS, INTEGERS, DataType, Kind

__all__ = ["Accumulator", "accumulator"]


def accumulator(call: AggregateCall, *, retract: bool = False) -> Accumulator:
    """
    Make the accumulator of an aggregate call; with `retract` one that can take rows back.

    Raises:
        UnsupportedError: a function or type that has none.
    """
    argument = call.arg_type
    if argument is None:
        return Count()
    if call.user is not None:
        own = UserAccumulator(call, call.user)
        return own if not call.distinct else Distinct(own, argument.polars, nulls=True, retract=retract)
    if call.function in ("MIN", "MAX"):  # DISTINCT changes nothing
        return _extreme(call, argument, retract=retract)
    plain = _plain(call, argument, retract=retract)
    if not call.distinct:
        return plain
    return Distinct(plain, argument.polars, nulls=call.function == "ARRAY_AGG", retract=retract)


def _plain(call: AggregateCall, argument: DataType, *, retract: bool) -> Accumulator:
    match call.function:
        case "COUNT":
            return Count()
        case "LISTAGG" | "ARRAY_AGG":
            return SequenceAccumulator(call, argument)
        case "FIRST_VALUE" | "LAST_VALUE":
            return SequenceAccumulator(call, argument) if retract else LogExtreme(call, argument)
        case "LAG":
            return Lag(call, argument)
        case "COLLECT" | "PERCENTILE":
            return CountedAccumulator(call, argument)
    return _sum(call, argument)


def _sum(call: AggregateCall, argument: DataType) -> Accumulator:
    if argument.kind is Kind.DECIMAL:
        return DecimalSum(call, argument)
    if argument.kind in (*INTEGERS, *FLOATS):
        return Sum(call, argument)
    raise UnsupportedError(f"{call.function} of {argument.sql()} is not supported", location=call.location)


_WIDE = (Kind.CHAR, Kind.VARCHAR, Kind.BINARY, Kind.VARBINARY)


def _extreme(call: AggregateCall, argument: DataType, *, retract: bool) -> Accumulator:
    if argument.children:
        raise UnsupportedError(f"{call.function} of {argument.sql()} is not supported", location=call.location)
    if retract:
        return RetractableExtreme(call, argument)
    wide = argument.kind in _WIDE or (argument.kind is Kind.DECIMAL and argument.precision > 18)
    return LogExtreme(call, argument) if wide else Extreme(call, argument)
