"""Decimals as 128-bit integers in two halves, which NumPy and the kernels can work on."""

from __future__ import annotations

import nanoarrow
import numpy as np
import polars as pl

from tailrace.state.kernels import U64


def to_pairs(values: pl.Series) -> U64:
    """
    Give the lower and upper 64 bits of the unscaled numbers of a Decimal or Int128 series as [row, half], without a copy.

    NULL gives anything.

    >>> to_pairs(pl.Series(["1.25", "-0.01"]).cast(pl.Decimal(10, 2))).view("int64").tolist()
    [[125, 0], [-1, -1]]
    """
    if not len(values):
        return np.zeros((0, 2), dtype=np.uint64)
    if not isinstance(values.dtype, pl.Decimal):
        values = values.cast(pl.Decimal(38, 0), strict=False)
    array = nanoarrow.Array(values.rechunk()).chunk(0)
    words = np.frombuffer(array.buffers[1], dtype=np.uint8)
    pairs: U64 = words.view(np.uint64).reshape(-1, 2)
    return pairs[array.offset : array.offset + len(values)]


def to_halves(values: pl.Series) -> tuple[U64, U64]:
    """
    Give `to_pairs` as an array of lower and one of upper halves.

    >>> low, high = to_halves(pl.Series(["1.25", "-0.01"]).cast(pl.Decimal(10, 2)))
    >>> low.view("int64").tolist(), high.view("int64").tolist()
    ([125, -1], [0, -1])
    """
    pairs = to_pairs(values)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


def from_halves(low: U64, high: U64, scale: int) -> pl.Series:
    """
    Give DECIMAL(38, scale) from the halves of unscaled numbers; one of more than 38 digits is NULL.

    >>> from_halves(np.array([125], dtype=np.uint64), np.array([0], dtype=np.uint64), 2).to_list()
    [Decimal('1.25')]
    """
    if not len(low):
        return pl.Series([], dtype=pl.Decimal(38, scale))
    pairs = np.ascontiguousarray(np.stack([low, high], axis=1))
    array = nanoarrow.c_array_from_buffers(nanoarrow.decimal128(38, scale), len(low), [None, pairs], null_count=0)
    return _without_overflow(pl.Series(array), high)


_LIMIT_HIGH = np.int64(10**38 >> 64)


def _without_overflow(values: pl.Series, high: U64) -> pl.Series:
    """Blank numbers beyond 38 digits (judged by their upper half, so a hair early)."""
    upper = high.view(np.int64)
    too_large = (upper >= _LIMIT_HIGH) | (upper < -_LIMIT_HIGH)
    return values.set(pl.Series(too_large), None) if too_large.any() else values
