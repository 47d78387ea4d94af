"""The aggregate functions: signature, result type and doc line of each; the page of functions comes from them too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tailrace.errors import ConfigError, Location
from tailrace.expressions.types import NUMERIC
from tailrace.schema import BIGINT, DOUBLE, STRING, STRINGS, DataType, Kind, array, decimal, multiset, varchar


@dataclass(frozen=True, slots=True)
class Aggregate:
    """
    One function: `result` gives the type for that of the argument, and refuses by ValueError.

    `constants` is how many constants may follow the argument. `composed` functions are computed from SUM and COUNT.
    """

    name: str
    signature: str
    doc: str
    result: Callable[[DataType], DataType]
    constants: int = 0
    composed: bool = False


def _numbers(arg: DataType) -> DataType:
    if arg.kind not in NUMERIC:
        raise ValueError("it takes numbers")
    return arg.with_nullable(True)


def _sum(arg: DataType) -> DataType:
    return decimal(38, arg.scale) if arg.kind is Kind.DECIMAL else _numbers(arg)


def _average(arg: DataType) -> DataType:
    return decimal(38, max(6, arg.scale)) if arg.kind is Kind.DECIMAL else _numbers(arg)


def _ordered(arg: DataType) -> DataType:
    if arg.children or arg.kind is Kind.VARIANT:
        raise ValueError("it takes values that have an order")
    return arg.with_nullable(True)


def _text(arg: DataType) -> DataType:
    if arg.kind not in STRINGS:
        raise ValueError("it takes texts")
    return STRING


def _double(arg: DataType) -> DataType:
    _numbers(arg)
    return DOUBLE


def _json(_: DataType) -> DataType:
    return varchar(2000).with_nullable(False)


def _any(arg: DataType) -> DataType:
    return arg.with_nullable(True)


AGGREGATES = {
    a.name: a
    for a in (
        Aggregate("COUNT", "COUNT([DISTINCT] x), COUNT(x, y, ...), COUNT(*)", "how many values that are not NULL (of several columns one may be NULL), or rows", lambda _: BIGINT.with_nullable(False)),
        Aggregate("SUM", "SUM([DISTINCT] x)", "the sum; NULL without a value. Integers keep their type and wrap", _sum),
        Aggregate("AVG", "AVG([DISTINCT] x)", "the average; that of integers is cut to an integer", _average),
        Aggregate("MIN", "MIN(x)", "the least value", _ordered),
        Aggregate("MAX", "MAX(x)", "the greatest value", _ordered),
        Aggregate("STDDEV_POP", "STDDEV_POP(x)", "the standard deviation of all values", _average, composed=True),
        Aggregate("STDDEV_SAMP", "STDDEV_SAMP(x)", "the standard deviation of a sample; NULL for one value", _average, composed=True),
        Aggregate("STDDEV", "STDDEV(x)", "as STDDEV_SAMP", _average, composed=True),
        Aggregate("VAR_POP", "VAR_POP(x)", "the variance of all values", _average, composed=True),
        Aggregate("VAR_SAMP", "VAR_SAMP(x)", "the variance of a sample; NULL for one value", _average, composed=True),
        Aggregate("VARIANCE", "VARIANCE(x)", "as VAR_SAMP", _average, composed=True),
        Aggregate("FIRST_VALUE", "FIRST_VALUE(x)", "the value that came first and is not NULL", _any),
        Aggregate("LAST_VALUE", "LAST_VALUE(x)", "the value that came last and is not NULL", _any),
        Aggregate("LISTAGG", "LISTAGG([DISTINCT] text [, separator])", "the texts in the order they came, with a separator (`,`) between them", _text, constants=1),
        Aggregate("ARRAY_AGG", "ARRAY_AGG([DISTINCT] x)", "an array of all values in the order they came, NULLs too", array),
        Aggregate("COLLECT", "COLLECT([DISTINCT] x)", "a multiset of the values that are not NULL", lambda arg: multiset(arg.with_nullable(False)).with_nullable(False)),
        Aggregate("PERCENTILE", "PERCENTILE(x, percentage)", "the exact percentile, between two values by their distance; for an array of percentages an array", _double, constants=1),
        Aggregate("JSON_ARRAYAGG", "JSON_ARRAYAGG(x [{NULL | ABSENT} ON NULL])", "a JSON array of the values in the order they came; NULLs are left out, unless it says otherwise", _json),
        Aggregate("JSON_OBJECTAGG", "JSON_OBJECTAGG([KEY] k VALUE x [{NULL | ABSENT} ON NULL])", "a JSON object of keys and values, sorted by key; a key that comes twice fails", _json),
    )
}  # fmt: skip


def is_aggregate(name: str) -> bool:
    """Tell whether a function is an aggregate."""
    return name.upper() in AGGREGATES


def result_type(name: str, arg: DataType | None, location: Location | None = None) -> DataType:
    """
    Give the result type of an aggregate; `arg` is None for `COUNT(*)`.

    >>> result_type("AVG", decimal(10, 2)).sql()
    'DECIMAL(38, 6)'

    Raises:
        ConfigError: it does not take such an argument.
    """
    entry = AGGREGATES[name.upper()]
    if arg is None and entry.name != "COUNT":
        raise ConfigError(f"{entry.name} needs an argument", hint=f"write {entry.signature}", location=location)
    try:
        return entry.result(arg if arg is not None else BIGINT)
    except ValueError as error:
        shown = arg.sql() if arg is not None else ""
        raise ConfigError(f"{entry.name} of {shown} is not defined", hint=str(error), location=location) from None
