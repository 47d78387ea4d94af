"""Values of columns as integers that compare as the values do, so that kernels can order rows of any types."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.plan.nodes import SortKey
from tailrace.state.kernels import I64

_LEAST, _GREATEST = -(2**63), 2**63 - 1


def sort_codes(rows: pl.DataFrame, order: Sequence[SortKey]) -> I64:
    """
    Give a row of codes for each row: rows of codes compare as the rows do in this order.

    Codes are good among the rows of one call only.

    >>> sort_codes(pl.DataFrame({"v": [7, None, 9]}), [SortKey("v", descending=True, nulls_last=True)]).tolist()
    [[-8], [1], [-10]]
    """
    codes = np.empty((len(rows), len(order)), dtype=np.int64)
    for i, key in enumerate(order):
        codes[:, i] = _column(rows[key.column], key)
    return codes


def _column(values: pl.Series, key: SortKey) -> I64:
    missing = values.is_null().to_numpy() if values.null_count() else None
    codes = _directed(_codes(values), key)
    if missing is None:
        return codes
    there = codes[~missing]
    least, greatest = int(there.min(initial=0)), int(there.max(initial=0))
    if least == _LEAST or greatest == _GREATEST:
        # there is no code left for NULL
        codes = _directed(_dense(values), key)
        least, greatest = -len(values) - 2, len(values) + 1
    codes = codes.copy()
    codes[missing] = greatest + 1 if key.nulls_last else least - 1
    return codes


def _directed(codes: I64, key: SortKey) -> I64:
    return ~codes if key.descending else codes


def _codes(values: pl.Series) -> I64:
    """Give ascending codes; those of NULLs mean nothing."""
    dtype = values.dtype
    if dtype.is_float():
        return _float_codes(values)
    if dtype.is_integer() or dtype.is_temporal() or dtype == pl.Boolean:
        return _plain(values.to_physical().cast(pl.Int64))
    if isinstance(dtype, pl.Decimal):
        short = values.to_physical().cast(pl.Int64, strict=False)
        if short.null_count() == values.null_count():
            return _plain(short)
    return _dense(values)


def _plain(values: pl.Series) -> I64:
    return (values.fill_null(0) if values.null_count() else values).to_numpy()


def _float_codes(values: pl.Series) -> I64:
    """Read the bits of floats as integers, which compare alike but for the negative; NaN is the greatest."""
    floats = _plain(values.cast(pl.Float64)) + 0.0  # -0.0 is 0.0
    bits = np.where(np.isnan(floats), np.nan, floats).view(np.int64)
    return np.where(bits < 0, bits ^ _GREATEST, bits)


def _dense(values: pl.Series) -> I64:
    """Number different values in their order."""
    return values.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
