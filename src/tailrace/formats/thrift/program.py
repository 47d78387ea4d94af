"""The columns of a frame as the kernel writes them: what each is, and where its values are, as arrays of 64-bit words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.base import Rows
from tailrace.formats.buffers import text_places
from tailrace.formats.kernels import thrift_encode as k
from tailrace.formats.scalars import BOUNDS
from tailrace.formats.thrift import idl
from tailrace.formats.thrift.shapes import Role, Shape
from tailrace.formats.thrift.writing import WHOLE
from tailrace.schema import INTEGERS, STRINGS, Kind

Numbers = npt.NDArray[np.int64]
_MOST = 24
"""The bytes of the head of a field, and of a number or the head of a list behind it."""
_OF_WIRE = {idl.BYTE: Kind.TINYINT, idl.I16: Kind.SMALLINT, idl.I32: Kind.INT, idl.I64: Kind.BIGINT}


class OnlyTheLibraryError(Exception):
    """A value that the library must look at."""


class Program:
    """What is to be written of one frame; holds the arrays whose addresses are in it."""

    def __init__(self) -> None:
        self._specs: list[list[int]] = []
        self._kept: list[Any] = []
        self._room = 0

    def run(self, fields: Sequence[Shape], frame: pl.DataFrame, *, compact: bool) -> Rows:
        """
        Write a frame; `fields` are in the order of the struct.

        Raises:
            OnlyTheLibraryError: a value must be looked at by the library, which says what is wrong with it.
        """
        self._specs.append([0] * k.SPEC)
        self._specs[0][k.TYPE] = idl.STRUCT
        self._parts(0, [(f, frame[f.name]) for f in fields])
        specs = np.array(self._specs, dtype=np.int64)
        for row in specs:
            if row[k.LAST]:
                row[[k.FIRST, k.LAST]] = specs.ctypes.data + 8 * k.SPEC * row[[k.FIRST, k.LAST]]
        out = np.empty(self._room + _MOST * (len(frame) + 1), dtype=np.uint8)
        ends = np.zeros(len(frame) + 1, dtype=np.int64)
        frames = np.zeros((k.MAX_DEPTH + 1, 5), dtype=np.int64)
        k.encode(len(frame), specs.ctypes.data, frames, out, ends[1:], compact)
        return Rows(out[: ends[-1]], ends[:-1], ends[1:])

    def _parts(self, of: int, columns: Sequence[tuple[Shape, pl.Series]], depth: int = 1) -> None:
        """Put the parts of something behind each other."""
        if depth >= k.MAX_DEPTH:
            raise OnlyTheLibraryError
        first = len(self._specs)
        self._specs += [[0] * k.SPEC for _ in columns]
        self._specs[of][k.FIRST], self._specs[of][k.LAST] = first, len(self._specs)
        for place, (shape, values) in enumerate(columns):
            self._fill(first + place, shape, values, depth)

    def _fill(self, at: int, shape: Shape, values: pl.Series, depth: int) -> None:
        spec = self._specs[at]
        spec[k.NUMBER], spec[k.TYPE] = shape.number, shape.type.wire
        self._room += _MOST * len(values)
        if values.null_count():
            if shape.number < 0 or shape.required:
                raise OnlyTheLibraryError
            spec[k.VALID] = self._keep(values.is_not_null().cast(pl.UInt8).to_numpy())
        if shape.role is Role.ROW:
            fields = [(c, values.struct.field(c.name)) for c in shape.children]
            self._check_union(shape, values, fields)
            self._parts(at, fields, depth + 1)
        elif shape.role in (Role.LIST, Role.MAP):
            self._many(at, shape, values, depth)
        elif shape.type.wire == idl.STRING:
            spec[k.WORDS], spec[k.SIZES] = self._texts(values, shape)
        else:
            spec[k.WORDS] = self._keep(_words(shape, values))

    @staticmethod
    def _check_union(shape: Shape, values: pl.Series, fields: Sequence[tuple[Shape, pl.Series]]) -> None:
        """Leave a union of which not just one field is given to the library."""
        if shape.struct is None or not shape.struct.union:
            return
        given = sum((v.is_not_null().cast(pl.Int32) for _, v in fields), pl.Series([0] * len(values), dtype=pl.Int32))
        if ((given != 1) & values.is_not_null()).any():
            raise OnlyTheLibraryError

    def _many(self, at: int, shape: Shape, values: pl.Series, depth: int) -> None:
        flat = values.explode(empty_as_null=False, keep_nulls=False)
        counts = values.list.len().fill_null(0).cast(pl.Int64).to_numpy()
        self._specs[at][k.OFFSETS] = self._keep(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
        if shape.role is Role.LIST:
            self._parts(at, [(shape.children[0], flat)], depth + 1)
            return
        keys, given = (flat.struct.field(n) for n in ("key", "value"))
        parents = pl.Series("p", np.repeat(np.arange(len(counts)), counts))
        if pl.DataFrame([parents, keys.alias("key")]).is_duplicated().any():
            raise OnlyTheLibraryError
        self._parts(at, list(zip(shape.children, (keys, given), strict=True)), depth + 1)

    def _texts(self, values: pl.Series, shape: Shape) -> tuple[int, int]:
        """Give the addresses of the addresses of texts, and of their sizes."""
        if shape.kind.kind is Kind.DECIMAL:
            values = values.cast(pl.String)
        starts, sizes, data = text_places(values)
        self._room += int(sizes.sum())
        self._kept.append(data)
        return self._keep(starts), self._keep(sizes)

    def _keep(self, array: npt.NDArray[Any]) -> int:
        kept = np.ascontiguousarray(array)
        self._kept.append(kept)
        return int(kept.ctypes.data)


def _words(shape: Shape, values: pl.Series) -> Numbers:
    """Give values as words; a number that has no place in its field is one for the library."""
    if shape.type.number == idl.DOUBLE:
        return values.fill_null(0.0).to_numpy().view(np.int64)
    if shape.role is Role.ENUM and shape.kind.kind in STRINGS:
        return _numbers_of_enum(shape, values)
    if shape.role is Role.TIME:
        words = values.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
        words = words // shape.scale.times
    elif shape.kind.kind in INTEGERS:
        words = values.cast(pl.Int64).fill_null(0).to_numpy()
    else:
        return values.fill_null(value=False).cast(pl.Int64).to_numpy()
    least, most = BOUNDS[_OF_WIRE[shape.type.number]]
    if len(words) and (words.min() < least or words.max() > most):
        raise OnlyTheLibraryError
    return words


def _numbers_of_enum(shape: Shape, values: pl.Series) -> Numbers:
    known = {name: number for number, name in (shape.type.enum or {}).items()}
    numbers = values.replace_strict(known, default=None, return_dtype=pl.Int64)
    if numbers.null_count() > values.null_count():  # a number as a text is one too
        given = pl.when(values.str.contains(WHOLE)).then(values).cast(pl.Int32, strict=False).cast(pl.Int64)
        numbers = pl.select(pl.coalesce(numbers, given)).to_series()
    if numbers.null_count() > values.null_count():
        raise OnlyTheLibraryError
    return numbers.fill_null(0).to_numpy()
