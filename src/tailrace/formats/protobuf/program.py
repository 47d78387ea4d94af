"""The columns of a frame as the kernel writes them: fields and nodes, as arrays of 64-bit words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.base import Rows
from tailrace.formats.kernels import protobuf_decode as codes
from tailrace.formats.kernels import protobuf_encode as k
from tailrace.formats.protobuf import shapes as s
from tailrace.formats.protobuf.plan import WIRES
from tailrace.formats.protobuf.shapes import Role, Shape
from tailrace.schema import STRINGS, Kind

Numbers = npt.NDArray[np.int64]

_BOUNDS = {
    codes.INT32: (-(2**31), 2**31 - 1),
    codes.SINT32: (-(2**31), 2**31 - 1),
    codes.SFIXED32: (-(2**31), 2**31 - 1),
    codes.UINT32: (0, 2**32 - 1),
    codes.FIXED32: (0, 2**32 - 1),
}
_UNITS = {"ms": 1000, "us": 10**6, "ns": 10**9}
_MOST = 15
"""The bytes of a tag and a varint."""


class OnlyTheLibraryError(Exception):
    """A value, or a message, that the library must look at."""


def is_simple(message: Any, fields: Sequence[Shape], depth: int = 0) -> bool:
    """Tell whether the kernel writes messages of such fields: not too deep, without groups, all that is required given."""
    given = {f.field.number for f in fields}
    if message.GetOptions().message_set_wire_format or depth >= k.MAX_DEPTH:
        return False
    if any(f.is_required and f.number not in given for f in message.fields):
        return False
    return all(_is_simple(f, depth) for f in fields)


def _is_simple(shape: Shape, depth: int) -> bool:
    if shape.field.type == s.GROUP:
        return False
    if shape.role is Role.LIST:
        return _is_simple(shape.children[0], depth)
    if shape.role is Role.MAP:
        return depth + 1 < k.MAX_DEPTH and all(_is_simple(c, depth + 1) for c in shape.children)
    return not shape.children or is_simple(shape.field.message_type, shape.children, depth + 1)


class Program:
    """What is to be written of one frame; holds the arrays whose addresses are in it."""

    def __init__(self, null_text: str) -> None:
        self._null_text = null_text
        self._nodes: list[list[list[int]]] = []
        self._kept: list[Any] = []
        self._room = 0

    def run(self, fields: Sequence[Shape], frame: pl.DataFrame) -> Rows:
        """
        Write a frame.

        Raises:
            OnlyTheLibraryError: a value must be looked at by the library, which says what is wrong with it.
        """
        root = self._node([(f, frame[f.name]) for f in fields])
        rows = [row for node in self._nodes for row in node]
        ends = np.cumsum([len(node) for node in self._nodes])
        nodes = np.stack([ends - [len(node) for node in self._nodes], ends], axis=1).astype(np.int64)
        table = np.array(rows or [[0] * k.FIELD], dtype=np.int64)
        out = np.empty(self._room + 16, dtype=np.uint8)
        starts = np.empty(len(frame) + 1, dtype=np.int64)
        starts[-1] = len(out)
        frames = np.zeros((k.MAX_DEPTH, 6), dtype=np.int64)
        k.encode(len(frame), root, table, nodes, frames, out, starts[:-1])
        return Rows(out, starts[:-1], starts[1:])

    def _node(self, columns: Sequence[tuple[Shape, pl.Series]]) -> int:
        number = len(self._nodes)
        self._nodes.append([])
        self._nodes[number] = [self._field(shape, values) for shape, values in columns]
        return number

    def _field(self, shape: Shape, values: pl.Series) -> list[int]:
        if shape.role is Role.LIST:
            return self._list(shape, values)
        if shape.role is Role.MAP:
            return self._map(shape, values)
        if shape.field.is_required and values.null_count():
            raise OnlyTheLibraryError
        if shape.role in (Role.SCALAR, Role.ENUM):
            return self._value(shape, values)
        row = self._row(shape, k.ROW)
        row[k.VALID] = self._valid(values)
        row[k.NODE] = self._node(self._parts(shape, values))
        self._room += _MOST * len(values)
        return row

    @staticmethod
    def _row(shape: Shape, mode: int) -> list[int]:
        row = [0] * k.FIELD
        wire, code = WIRES[shape.field.type]
        row[k.TAG], row[k.CODE], row[k.MODE] = shape.field.number << 3 | wire, code, mode
        return row

    def _value(self, shape: Shape, values: pl.Series) -> list[int]:
        """Give a field of values that are no messages; of elements, keys and values a NULL is the default."""
        row = self._row(shape, k.VALUE)
        if values.null_count():
            if shape.single:
                values = values.fill_null(self._null(shape))
            else:
                row[k.VALID] = self._valid(values)
        row[k.IMPLICIT] = int(not shape.present and not shape.single)
        if shape.field.type in (s.STRING_, s.BYTES_):
            row[k.WORDS], row[k.SIZES] = self._texts(values)
        else:
            row[k.WORDS] = self._keep(_words(shape, values))
        self._room += _MOST * len(values)
        return row

    def _null(self, shape: Shape) -> Any:
        """Give what is written for a NULL where Protobuf has none."""
        if shape.role is Role.ENUM:
            first = shape.field.enum_type.values[0]
            return first.name if shape.type.kind in STRINGS else first.number
        if shape.type.kind is Kind.BOOLEAN:
            return False
        return {s.STRING_: self._null_text, s.BYTES_: b""}.get(shape.field.type, 0)

    def _list(self, shape: Shape, values: pl.Series) -> list[int]:
        """Give a field of elements: a table of their own, and where those of each entry begin."""
        element = shape.children[0]
        flat = _flat(values)
        if element.children:
            row = self._row(shape, k.ROWS)
            row[k.NODE] = self._node(self._parts(element, flat))
            self._room += _MOST * len(flat)
        else:
            row = self._value(element, flat)
            row[k.MODE] = k.PACKED if shape.field.is_packed else k.LIST
            if row[k.MODE] == k.PACKED:
                row[k.TAG] = shape.field.number << 3 | 2
        row[k.OFFSETS] = self._offsets(values)
        self._room += _MOST * len(values)
        return row

    def _map(self, shape: Shape, values: pl.Series) -> list[int]:
        row = self._row(shape, k.ROWS)
        flat = _flat(values)
        parts = [(child, flat.struct.field(child.name)) for child in shape.children]
        row[k.NODE] = self._node(parts)
        row[k.OFFSETS] = self._offsets(values)
        self._room += _MOST * len(flat)
        return row

    def _parts(self, shape: Shape, values: pl.Series) -> list[tuple[Shape, pl.Series]]:
        """Give the fields of messages."""
        if shape.role is Role.ROW:
            return [(child, values.struct.field(child.name)) for child in shape.children]
        if shape.role is Role.WRAPPER:
            return [(shape.children[0], values)]
        per_second = 1000 if shape.role is Role.DURATION else _UNITS[shape.type.time_unit]
        ticks = values.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
        seconds, rest = np.divmod(ticks, per_second)
        if shape.role is Role.DURATION:  # both parts have one sign
            early = (seconds < 0) & (rest > 0)
            seconds, rest = seconds + early, rest - early * per_second
        nanos = rest * (10**9 // per_second)
        parts = [pl.Series(seconds), pl.Series(nanos)]
        if values.null_count():
            parts = [part.set(values.is_null(), None) for part in parts]
        return list(zip(shape.children, parts, strict=True))

    def _valid(self, values: pl.Series) -> int:
        """Give the address of the marks of presence; 0 if all are there."""
        if not values.null_count():
            return 0
        return self._keep(values.is_not_null().cast(pl.UInt8).to_numpy())

    def _offsets(self, values: pl.Series) -> int:
        counts = values.list.len().fill_null(0).cast(pl.Int64).to_numpy()
        return self._keep(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    def _texts(self, values: pl.Series) -> tuple[int, int]:
        """Give the addresses of the addresses of texts, and of their sizes."""
        if values.dtype == pl.String:
            filled = values.fill_null("")
            sizes = filled.str.len_bytes().cast(pl.Int64).to_numpy()
            data = (filled.str.join("").item() if len(filled) else "").encode()
        else:
            filled = values.fill_null(b"")
            sizes = filled.bin.size().cast(pl.Int64).to_numpy()
            data = b"".join(filled.to_list())
        self._room += len(data)
        text = np.frombuffer(data, dtype=np.uint8)
        self._kept.append(data)
        return self._keep(text.ctypes.data + np.cumsum(sizes) - sizes), self._keep(sizes)

    def _keep(self, array: npt.NDArray[Any]) -> int:
        kept = np.ascontiguousarray(array)
        self._kept.append(kept)
        return int(kept.ctypes.data)


def _flat(values: pl.Series) -> pl.Series:
    """Give all elements one behind the other."""
    return values.explode(empty_as_null=False, keep_nulls=False)


def _words(shape: Shape, values: pl.Series) -> Numbers:
    """Give values as words; a number that has no place in its field is one for the library."""
    found, code = shape.field.type, WIRES[shape.field.type][1]
    if found == s.FLOAT_:
        return _filled(values).cast(pl.Float32).to_numpy().view(np.uint32).astype(np.int64)
    if found == s.DOUBLE_:
        return _filled(values).cast(pl.Float64).to_numpy().view(np.int64)
    if shape.role is Role.ENUM:
        return _numbers_of_enum(shape, values)
    if found in s.UNSIGNED_64:
        given = _filled(values).cast(pl.UInt64, strict=False)
        if given.null_count():
            raise OnlyTheLibraryError
        return given.to_numpy().view(np.int64)
    words = _filled(values).cast(pl.Int64).to_numpy()
    low, high = _BOUNDS.get(code, (None, None))
    if low is not None and len(words) and (words.min() < low or words.max() > high):
        raise OnlyTheLibraryError
    return words


def _filled(values: pl.Series) -> pl.Series:
    """Put zero where no value is."""
    if not values.null_count():
        return values
    return values.fill_null(False if values.dtype == pl.Boolean else 0)


def _numbers_of_enum(shape: Shape, values: pl.Series) -> Numbers:
    enum = shape.field.enum_type
    if shape.type.kind in STRINGS:
        known = {name: value.number for name, value in enum.values_by_name.items()}
        numbers = values.replace_strict(known, default=None, return_dtype=pl.Int64)
        if numbers.null_count() > values.null_count():
            raise OnlyTheLibraryError
        return numbers.fill_null(0).to_numpy()
    words = _filled(values).cast(pl.Int64).to_numpy()
    wrong = len(words) and (words.min() < -(2**31) or words.max() > 2**31 - 1)
    if wrong or (enum.is_closed and not values.drop_nulls().is_in(list(enum.values_by_number)).all()):
        raise OnlyTheLibraryError
    return words
