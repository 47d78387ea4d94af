"""Columns from plain buffers, and plain buffers from columns, without a copy where the layout allows it."""

from __future__ import annotations

from typing import Any

import nanoarrow
import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.schema import INTEGERS, DataType, Kind
from tailrace.state import text_kernels
from tailrace.state.columns import views_of

Words = npt.NDArray[np.int64]
Valid = npt.NDArray[np.uint8]

_INTEGERS = {
    Kind.TINYINT: (nanoarrow.int8, np.int8),
    Kind.SMALLINT: (nanoarrow.int16, np.int16),
    Kind.INT: (nanoarrow.int32, np.int32),
    Kind.BIGINT: (nanoarrow.int64, np.int64),
}


def fixed_column(kind: DataType, words: Words, valid: Valid) -> pl.Series:
    """
    Make a column of integers, floats, decimals, truth values, dates, times or timestamps.

    `words` is [word, row]: the integer, days or time; the bits of the double (for FLOAT too); both halves of a decimal.

    >>> from tailrace.schema import SMALLINT
    >>> fixed_column(SMALLINT, np.array([[7, 0]]), np.array([1, 0], dtype=np.uint8)).to_list()
    [7, None]
    """
    arrow, buffer = _arrow(kind, words)
    return _column(arrow, words.shape[1], valid, [buffer])


def text_column(offsets: Words, data: npt.NDArray[np.uint8], valid: Valid) -> pl.Series:
    """Make a column of strings from UTF-8 and the offsets between them (one more than rows)."""
    return _column(nanoarrow.large_string(), len(valid), valid, [offsets, data])


def bytes_column(offsets: Words, data: npt.NDArray[np.uint8], valid: Valid) -> pl.Series:
    """Make a column of bytes from all bytes and the offsets between them (one more than rows)."""
    return _column(nanoarrow.large_binary(), len(valid), valid, [offsets, data])


def _column(arrow: Any, count: int, valid: Valid, buffers: list[Any]) -> pl.Series:
    if not count:
        return pl.Series([], dtype=pl.Series(nanoarrow.c_array([], arrow)).dtype)
    nulls = count - int(np.count_nonzero(valid))
    bits = np.packbits(valid, bitorder="little") if nulls else None
    return pl.Series(nanoarrow.c_array_from_buffers(arrow, count, [bits, *buffers], null_count=nulls))


def _arrow(kind: DataType, words: Words) -> tuple[Any, npt.NDArray[Any]]:
    first = words[0]
    if kind.kind in INTEGERS:
        make, numpy = _INTEGERS[kind.kind]
        return make(), first.astype(numpy, copy=False)
    match kind.kind:
        case Kind.DOUBLE:
            return nanoarrow.float64(), first.view(np.float64)
        case Kind.FLOAT:
            with np.errstate(all="ignore"):  # a row without a value has any bits
                return nanoarrow.float32(), first.view(np.float64).astype(np.float32)
        case Kind.DECIMAL:
            return nanoarrow.decimal128(kind.precision, kind.scale), np.ascontiguousarray(words[:2].T)
        case Kind.BOOLEAN:
            return nanoarrow.bool_(), np.packbits(first != 0, bitorder="little")
        case Kind.DATE:
            return nanoarrow.date32(), first.astype(np.int32)
        case Kind.TIME:
            return nanoarrow.time64("ns"), first
        case _:
            zone = "UTC" if kind.kind is Kind.TIMESTAMP_LTZ else ""
            return nanoarrow.timestamp(kind.time_unit, timezone=zone), first


def text_places(values: pl.Series) -> tuple[Words, Words, npt.NDArray[np.uint8]]:
    """
    Give the address and size of each text or value of bytes, and the memory that they are in; NULL has no bytes.

    >>> text_places(pl.Series(["a", None, "bcd"]))[1].tolist()
    [1, 0, 3]
    """
    count = len(values)
    lengths, starts = np.zeros(count, dtype=np.int32), np.zeros(count, dtype=np.int64)
    data = np.zeros(1, dtype=np.uint8)
    if count:
        array = nanoarrow.c_array_stream(values.rechunk()).get_next()
        views, buffers = views_of(array, count)
        size = text_kernels.view_lengths(views, values.is_not_null().to_numpy(), lengths)
        data = np.empty(max(1, size), dtype=np.uint8)
        text_kernels.copy_views(views, buffers, lengths, starts, data, 0)
    return starts + data.ctypes.data, np.maximum(lengths, 0).astype(np.int64), data
