"""
Functions that have no word in Polars: Python over a batch, once for each different value.

A function here may raise ValueError: that row fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import Context

_VALUE, _REASON, _RESULT, _ROW = "value", "reason", "result", "row"


def by_value(
    f: Callable[..., Any], dtype: pl.DataType | type[pl.DataType], *args: pl.Expr, nulls: bool = False
) -> pl.Expr:
    """Give `f(*values)`, computed once for each different row of arguments; NULL for a NULL argument unless `nulls`."""
    packed = pl.struct([a.alias(str(i)) for i, a in enumerate(args)])
    return packed.map_batches(lambda s: _each(s, f, dtype, nulls), return_dtype=_instance(dtype))


def by_value_or_fail(
    ctx: Context, e: Call, f: Callable[..., Any], *args: pl.Expr, message: str = "a value that it does not take"
) -> pl.Expr:
    """Give `f(*values)` as `by_value` does; a row for which it raises ValueError fails with the message."""
    dtype = pl.Struct({_VALUE: e.type.polars, _REASON: pl.String()})

    def tried(*values: Any) -> dict[str, Any]:
        try:
            return {_VALUE: f(*values), _REASON: None}
        except ValueError as error:
            return {_VALUE: None, _REASON: str(error)}

    both = by_value(tried, dtype, *args)
    ctx.check(both.struct.field(_REASON).is_not_null(), f"{e.function}: {message}", e.location)
    return both.struct.field(_VALUE)


def by_constants(
    ctx: Context,
    e: Call,
    f: Callable[..., pl.Series],
    constants: Sequence[Expr],
    *args: pl.Expr,
    dtype: pl.DataType | None = None,
) -> pl.Expr:
    """
    Give `f(*series, *constants)`, where the last arguments are constants as a rule.

    Where they are not, the rows of one set of constants are computed together. A NULL constant gives NULL.
    """
    out = _instance(dtype or e.type.polars)
    packed = [a.alias(str(i)) for i, a in enumerate(args)]
    if all(isinstance(c, Literal) for c in constants):
        fixed = [c.value for c in constants if isinstance(c, Literal)]
        if None in fixed:
            return pl.when(pl.lit(value=False)).then(args[0]).cast(out, strict=False)
        return pl.struct(packed).map_batches(lambda s: f(*_fields(s, len(args)), *fixed), return_dtype=out)
    keys = [ctx.lower(c).alias(f"k{i}") for i, c in enumerate(constants)]
    return pl.struct([*packed, *keys]).map_batches(lambda s: _grouped(s, f, len(args), out), return_dtype=out)


def _fields(s: pl.Series, count: int) -> list[pl.Series]:
    return [s.struct.field(str(i)) for i in range(count)]


def _grouped(s: pl.Series, f: Callable[..., pl.Series], count: int, out: pl.DataType) -> pl.Series:
    frame = s.struct.unnest().with_row_index(_ROW)
    keys = [c for c in frame.columns if c[0] == "k"]
    done = [pl.DataFrame({_ROW: [], _RESULT: []}, schema={_ROW: frame[_ROW].dtype, _RESULT: out})]
    for values, part in frame.partition_by(keys, as_dict=True).items():
        result = _nulls(len(part), out) if None in values else f(*(part[str(i)] for i in range(count)), *values)
        done.append(pl.DataFrame({_ROW: part[_ROW], _RESULT: result.cast(out)}))
    return pl.concat(done).sort(_ROW)[_RESULT]


def _nulls(count: int, dtype: pl.DataType) -> pl.Series:
    return pl.Series([None], dtype=dtype).new_from_index(0, count)


def _each(s: pl.Series, f: Callable[..., Any], dtype: pl.DataType | type[pl.DataType], nulls: bool) -> pl.Series:
    frame = s.struct.unnest()
    different = frame.unique(maintain_order=True)
    results = _results(different, f, dtype, nulls)
    if len(different) == len(frame):
        return results
    known = different.with_columns(results.alias(_RESULT))
    return frame.join(known, on=frame.columns, how="left", nulls_equal=True, maintain_order="left")[_RESULT]


def _results(frame: pl.DataFrame, f: Callable[..., Any], dtype: Any, nulls: bool) -> pl.Series:
    rows = frame.iter_rows()
    return pl.Series([f(*r) if nulls or None not in r else None for r in rows], dtype=dtype)


def _instance(dtype: pl.DataType | type[pl.DataType]) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype
