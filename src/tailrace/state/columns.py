"""Columns that grow by appending and are read by row number: NumPy arrays with room to spare, whatever the type."""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from typing import Any

import nanoarrow
import numpy as np
import polars as pl

from tailrace.state import text_kernels as kernels
from tailrace.state.kernels import I64

_LEAST = 64
_LARGE = 2**20


class Column(ABC):
    """Values of one type by row number."""

    @abstractmethod
    def append(self, values: pl.Series) -> None:
        """Add values; the first gets the next number."""

    @abstractmethod
    def take(self, numbers: I64) -> pl.Series:
        """Give the values of these numbers, in this order."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """The memory that it holds, about."""


def column(dtype: pl.DataType) -> Column:
    """Make an empty column of a type."""
    if isinstance(dtype, pl.String | pl.Binary):
        return TextColumn(dtype)
    if isinstance(dtype, pl.Decimal):
        return DecimalColumn(dtype)
    if isinstance(dtype, pl.List | pl.Array | pl.Struct | pl.Null | pl.Object):
        return NestedColumn(dtype)
    return FixedColumn(dtype)


def _room(array: np.ndarray, used: int, more: int) -> np.ndarray:
    """Give an array with room for `more` entries after the `used` ones; what is behind them is anything."""
    if used + more <= len(array):
        return array
    # the system moves the pages of a large array elsewhere, so that nothing is copied and little must be kept free
    spare = len(array) if array.nbytes < _LARGE else len(array) // 4
    array.resize(max(used + more, len(array) + spare), refcheck=False)
    return array


def _blank(values: pl.Series, nulls: np.ndarray) -> pl.Series:
    """Put NULL where the mask is true."""
    valid = pl.Series(~nulls)
    return values.zip_with(valid, pl.Series([None], dtype=values.dtype).new_from_index(0, len(values)))


class _Nulls:
    """Which rows are NULL; costs nothing until there is one."""

    def __init__(self) -> None:
        self._mask: np.ndarray | None = None

    @property
    def nbytes(self) -> int:
        return 0 if self._mask is None else self._mask.nbytes

    def append(self, values: pl.Series, used: int) -> None:
        """Note the NULLs among values that follow the `used` ones."""
        if self._mask is None and values.null_count():
            self._mask = np.zeros(max(_LEAST, used), dtype=np.bool_)
        if self._mask is not None:
            self._mask = _room(self._mask, used, len(values))
            self._mask[used : used + len(values)] = values.is_null().to_numpy()

    def put(self, values: pl.Series, numbers: I64) -> pl.Series:
        """Give the values of these numbers with NULL where it belongs."""
        if self._mask is None:
            return values
        nulls = self._mask.take(numbers)
        return _blank(values, nulls) if nulls.any() else values


class FixedColumn(Column):
    """Numbers, truth values, dates and times."""

    def __init__(self, dtype: pl.DataType) -> None:
        self._dtype = dtype
        self._used = 0
        self._values = np.empty(_LEAST, dtype=pl.Series([], dtype=dtype).to_physical().to_numpy().dtype)
        self._nulls = _Nulls()

    @property
    def nbytes(self) -> int:
        return self._values.nbytes + self._nulls.nbytes

    def append(self, values: pl.Series) -> None:
        self._nulls.append(values, self._used)
        plain = values.to_physical()
        if plain.null_count():
            plain = plain.fill_null(strategy="zero") if plain.dtype != pl.Boolean else plain.fill_null(value=False)
        self._values = _room(self._values, self._used, len(values))
        self._values[self._used : self._used + len(values)] = plain.to_numpy()
        self._used += len(values)

    def take(self, numbers: I64) -> pl.Series:
        return self._nulls.put(pl.Series(self._values.take(numbers)).cast(self._dtype), numbers)


class DecimalColumn(Column):
    """Decimals, as two words each."""

    def __init__(self, dtype: pl.Decimal) -> None:
        self._dtype = dtype
        self._used = 0
        # one entry has both words, so that a row is read at one place
        self._values = np.empty(_LEAST, dtype=np.complex128)
        self._nulls = _Nulls()

    @property
    def nbytes(self) -> int:
        return self._values.nbytes + self._nulls.nbytes

    def append(self, values: pl.Series) -> None:
        if not len(values):
            return
        self._nulls.append(values, self._used)
        array = nanoarrow.Array(values.rechunk()).chunk(0)
        words = np.frombuffer(array.buffers[1], dtype=np.complex128)[array.offset : array.offset + len(values)]
        self._values = _room(self._values, self._used, len(values))
        self._values[self._used : self._used + len(values)] = words
        self._used += len(values)

    def take(self, numbers: I64) -> pl.Series:
        if not len(numbers):
            return pl.Series([], dtype=self._dtype)
        form = nanoarrow.decimal128(self._dtype.precision or 38, self._dtype.scale)
        words = self._values.take(numbers).view(np.uint64)
        array = nanoarrow.c_array_from_buffers(form, len(numbers), [None, words], null_count=0)
        return self._nulls.put(pl.Series(array), numbers)


class TextColumn(Column):
    """
    Strings and bytes, copied into one buffer of our own.

    Polars' own form would keep whole batches alive that a single row came with.
    """

    def __init__(self, dtype: pl.String | pl.Binary) -> None:
        self._dtype = dtype
        self._arrow = nanoarrow.large_string() if isinstance(dtype, pl.String) else nanoarrow.large_binary()
        self._used = 0
        self._filled = 0
        self._lengths = np.empty(_LEAST, dtype=np.int32)
        self._starts = np.empty(_LEAST, dtype=np.int64)
        self._data = np.empty(16 * _LEAST, dtype=np.uint8)

    @property
    def nbytes(self) -> int:
        return self._data.nbytes + self._starts.nbytes + self._lengths.nbytes

    def append(self, values: pl.Series) -> None:
        count = len(values)
        if not count:
            return
        self._lengths = _room(self._lengths, self._used, count)
        self._starts = _room(self._starts, self._used, count)
        own = slice(self._used, self._used + count)
        array = nanoarrow.c_array_stream(values.rechunk()).get_next()
        views, buffers = views_of(array, count)
        size = kernels.view_lengths(views, values.is_not_null().to_numpy(), self._lengths[own])
        self._data = _room(self._data, self._filled, size)
        kernels.copy_views(views, buffers, self._lengths[own], self._starts[own], self._data, self._filled)
        self._used += count
        self._filled += size

    def take(self, numbers: I64) -> pl.Series:
        count = len(numbers)
        if not count:
            return pl.Series([], dtype=self._dtype)
        offsets = np.empty(count + 1, dtype=np.int64)
        nulls = kernels.text_offsets(numbers, self._lengths, offsets)
        data = np.empty(offsets[-1], dtype=np.uint8)
        kernels.copy_texts(numbers, self._starts, self._data, offsets, data)
        valid = np.packbits(self._lengths.take(numbers) >= 0, bitorder="little") if nulls else None
        array = nanoarrow.c_array_from_buffers(self._arrow, count, [valid, offsets, data], null_count=nulls)
        return pl.Series(array)


def views_of(array: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the views of an array of texts, and the addresses of its buffers; good as long as the array lives."""
    _, place, *buffers, _ = array.buffers
    words = (ctypes.c_uint64 * (2 * count)).from_address(place + 16 * array.offset)
    return np.ctypeslib.as_array(words), np.array(buffers, dtype=np.int64)


class NestedColumn(Column):
    """Lists, maps and rows, as chunks of Polars."""

    _MANY = 8

    def __init__(self, dtype: pl.DataType) -> None:
        self._chunks = [pl.Series([], dtype=dtype)]

    @property
    def nbytes(self) -> int:
        return sum(int(c.estimated_size()) for c in self._chunks)

    def append(self, values: pl.Series) -> None:
        if not len(values):
            return
        self._chunks.append(values)
        # chunks of about one size are merged, so that there are few and each row is copied a few times
        while len(self._chunks) > self._MANY and len(self._chunks[-2]) < self._MANY * len(self._chunks[-1]):
            last = self._chunks.pop()
            self._chunks[-1] = pl.concat([self._chunks[-1], last], rechunk=True)

    def take(self, numbers: I64) -> pl.Series:
        starts = np.cumsum([0, *(len(c) for c in self._chunks)])
        chunk = np.searchsorted(starts, numbers, side="right") - 1
        used = np.unique(chunk)
        if len(used) == 1:
            return pl.Series(self._chunks[used[0]].gather(numbers - starts[used[0]]))
        order = np.argsort(chunk, kind="stable")
        parts = [self._chunks[c].gather(numbers[chunk == c] - starts[c]) for c in used]
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return pl.concat(parts, rechunk=True).gather(place) if parts else self._chunks[0].clear()
