"""Columns from Python values, as the slow paths give them."""

from __future__ import annotations

from typing import Any

import polars as pl

from tailrace.schema import TIMESTAMPS, DataType, Kind


def physical(kind: DataType) -> pl.DataType:
    """Give the Polars type with plain numbers in the place of times."""
    match kind.kind:
        case k if k in TIMESTAMPS or k in (Kind.TIME, Kind.INTERVAL_SECOND):
            return pl.Int64()
        case Kind.DATE:
            return pl.Int32()
        case Kind.ARRAY:
            return pl.List(physical(kind.children[0]))
        case Kind.MAP | Kind.MULTISET:
            key, value = (physical(c) for c in kind.entry)
            return pl.List(pl.Struct([pl.Field("key", key), pl.Field("value", value)]))
        case Kind.ROW:
            inner = zip(kind.names, kind.children, strict=True)
            return pl.Struct([pl.Field(n, physical(c)) for n, c in inner])
    return kind.polars


def column(name: str, values: list[Any], kind: DataType) -> pl.Series:
    """
    Make a column of values: numbers for times, lists for ARRAY, dicts for ROW, lists of key and value for MAP.

    >>> from tailrace.schema import timestamp
    >>> column("t", [1500, None], timestamp(3)).to_list()
    [datetime.datetime(1970, 1, 1, 0, 0, 1, 500000), None]
    """
    plain = physical(kind)
    series = pl.Series(name, values, dtype=plain, strict=True)
    return series if plain == kind.polars else series.cast(kind.polars)
