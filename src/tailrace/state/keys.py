"""Key columns to 128-bit keys, as two arrays of 64 bits."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.state.kernels import U64, mix_in

_SEEDS = (0x1B873593, 0x85EBCA6B)


def _is_integer(dtype: pl.DataType) -> bool:
    return dtype.is_integer() or isinstance(dtype, pl.Date | pl.Datetime | pl.Duration | pl.Time | pl.Boolean)


def _integers(series: pl.Series) -> tuple[U64, U64]:
    """An integer is its own key; a NULL is 0 with a mark in the second half."""
    # `to_physical` goes by an expression, which small batches feel
    physical = (series if series.dtype.is_integer() else series.to_physical()).cast(pl.Int64)
    if not physical.null_count():
        return physical.to_numpy().view(np.uint64), np.zeros(len(series), dtype=np.uint64)
    nulls = physical.is_null().cast(pl.UInt64).to_numpy()
    return physical.fill_null(0).to_numpy().view(np.uint64), nulls


def _hashes(frame: pl.DataFrame, seed: int) -> U64:
    out = np.zeros(len(frame), dtype=np.uint64)
    for position, series in enumerate(frame):
        mix_in(out, series.hash(seed + position).to_numpy(), out)
    return out


def key_halves(frame: pl.DataFrame) -> tuple[U64, U64]:
    """
    Give both halves of each row's key; equal rows (NULL equals NULL) have equal halves.

    One integer-like column is its own key and can't collide; others are hashed with two seeds. The halves are good
    for this process only: Polars may hash otherwise in the next version.

    >>> a, b = key_halves(pl.DataFrame({"card": [7, 7, None]}))
    >>> a.tolist(), b.tolist()
    ([7, 7, 0], [0, 0, 1])
    """
    if frame.width == 0:
        zeros = np.zeros(len(frame), dtype=np.uint64)
        return zeros, zeros
    if frame.width == 1 and _is_integer(frame.dtypes[0]):
        return _integers(frame.to_series())
    return _hashes(frame, _SEEDS[0]), _hashes(frame, _SEEDS[1])


def with_number(b: U64, number: np.ndarray) -> U64:
    """Give second halves that also tell apart a 64-bit number (as a window's end)."""
    out = np.empty_like(b)
    mix_in(b, np.ascontiguousarray(number).view(np.uint64), out)
    return out
