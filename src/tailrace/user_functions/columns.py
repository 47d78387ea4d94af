"""Columns to what a function takes, and what it gives to a column of its type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import nanoarrow
import numpy as np
import polars as pl

from tailrace.schema import MAPS, DataType, Kind

Rows = list[Any]


def python_values(values: pl.Series, type_: DataType) -> Rows:
    """Give the values of a column as Python has them; a MAP is a dict."""
    found = values.to_list()
    change = _from_polars(type_)
    return found if change is None else [None if v is None else change(v) for v in found]


def _from_polars(type_: DataType) -> Callable[[Any], Any] | None:
    """Give what changes a value as Polars has it; None where there is nothing to change."""
    inner = [_from_polars(c) for c in type_.children]
    if type_.kind in MAPS:
        key, value = (*inner, None)[:2]
        return lambda v: {_changed(key, e["key"]): _changed(value, e["value"]) for e in v}
    if not any(inner):
        return None
    if type_.kind is Kind.ARRAY:
        return lambda v: [_changed(inner[0], x) for x in v]
    pairs = list(zip(type_.names, inner, strict=True))
    return lambda v: {name: _changed(change, v[name]) for name, change in pairs}


def _changed(change: Callable[[Any], Any] | None, value: Any) -> Any:
    return value if change is None or value is None else change(value)


def to_polars(type_: DataType) -> Callable[[Any], Any] | None:
    """Give what makes of a Python value one that Polars takes for the type; None where all values are taken as they are."""
    inner = [to_polars(c) for c in type_.children]
    if type_.kind in MAPS:
        key, value = (*inner, None)[:2]
        return lambda v: [{"key": _changed(key, k), "value": _changed(value, x)} for k, x in dict(v).items()]
    if type_.kind is Kind.DECIMAL:
        return _decimal
    if type_.kind is Kind.ROW:
        return lambda v: _row(v, type_.names, inner)
    if any(inner) and type_.kind is Kind.ARRAY:
        return lambda v: [_changed(inner[0], x) for x in v]
    return None


def _decimal(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) else value


def _row(value: Any, names: Sequence[str], inner: Sequence[Callable[[Any], Any] | None]) -> dict[str, Any]:
    """Give a row by its names, from a mapping or from values in order."""
    if isinstance(value, dict):
        unknown = value.keys() - set(names)
        if unknown:
            raise TypeError(f"a row has no field {', '.join(map(repr, sorted(unknown)))}; fields: {', '.join(names)}")
        given = [value.get(n) for n in names]
    else:
        given = list(value) if isinstance(value, tuple | list) else [value]
    if len(given) != len(names):
        raise TypeError(f"a row of {len(given)} values where {len(names)} are wanted: {', '.join(names)}")
    return {n: _changed(change, v) for n, change, v in zip(names, inner, given, strict=True)}


def column(values: Rows, type_: DataType) -> pl.Series:
    """
    Make a column of Python values.

    Raises:
        Exception: a value does not fit the type; which one is not said.
    """
    change = to_polars(type_)
    given = values if change is None else [None if v is None else change(v) for v in values]
    return pl.Series(given, dtype=type_.polars, strict=True)


def holds(type_: DataType, value: Any) -> bool:
    """Tell whether a column of this type can be made of a Python value."""
    try:
        column([value], type_)
    except Exception:  # noqa: BLE001  as `column` says
        return False
    return True


def arrow(values: pl.Series) -> Any:
    """
    Give a column as an Arrow array: any library that knows the PyCapsule interface takes it without a copy.

    Texts and bytes are copied from Polars' views into one buffer, which more of the functions of others know.
    """
    if values.dtype in (pl.String, pl.Binary) and len(values):
        return nanoarrow.Array(_in_one_buffer(values))
    return nanoarrow.Array(values.rechunk())


def _in_one_buffer(values: pl.Series) -> Any:
    texts = values.dtype == pl.String
    data = values.cast(pl.Binary)
    lengths = data.bin.size().fill_null(0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    there = values.is_not_null().to_numpy()
    valid = None if there.all() else np.packbits(there, bitorder="little")
    form = nanoarrow.large_string() if texts else nanoarrow.large_binary()
    buffers = [valid, offsets, b"".join(v for v in data.to_list() if v is not None)]
    return nanoarrow.c_array_from_buffers(form, len(values), buffers, null_count=int((~there).sum()))


def as_series(given: Any) -> pl.Series | None:
    """Give what a function returned as a series; None for what is no column."""
    if isinstance(given, pl.Series):
        return given
    if isinstance(given, np.ndarray) and given.ndim == 1:
        return pl.Series(given)
    if hasattr(given, "__arrow_c_stream__") or hasattr(given, "__arrow_c_array__"):
        return None if isinstance(given, pl.DataFrame) else pl.Series(given)
    return None


def fits(given: pl.DataType, wanted: pl.DataType) -> bool:
    """Tell whether a column of one type may be taken for another: numbers that lose nothing, times in another unit."""
    if given in (wanted, pl.Null):
        return True
    if wanted.is_numeric() and given.is_numeric():
        return not (given.is_float() and wanted.is_integer()) and not (given.is_decimal() and wanted.is_integer())
    if isinstance(wanted, pl.Datetime) and isinstance(given, pl.Datetime):
        return (wanted.time_zone is None) == (given.time_zone is None)
    if isinstance(wanted, pl.String):
        return isinstance(given, pl.Categorical | pl.Enum)
    if isinstance(wanted, pl.List) and isinstance(given, pl.List | pl.Array):
        return fits(pl.Series(dtype=given.inner).dtype, pl.Series(dtype=wanted.inner).dtype)
    if isinstance(wanted, pl.Struct) and isinstance(given, pl.Struct):
        pairs = zip(given.fields, wanted.fields, strict=False)
        same = [f.name for f in given.fields] == [f.name for f in wanted.fields]
        return same and all(fits(pl.Series(dtype=a.dtype).dtype, pl.Series(dtype=b.dtype).dtype) for a, b in pairs)
    return isinstance(wanted, pl.Duration) and isinstance(given, pl.Duration)
