"""
Columns to rows of Avro, by the schema that is written.

A kernel writes whole columns. Nested values are written by fastavro, one by one, before; so are the defaults of fields that no column
stands for.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.engine.decimals import to_pairs
from tailrace.errors import ConfigError, DataError
from tailrace.formats.avro.library import fastavro
from tailrace.formats.avro.types import UNITS, AvroType, as_json
from tailrace.formats.avro.values import raw_default
from tailrace.formats.base import Encoder, Rows
from tailrace.formats.buffers import text_places
from tailrace.formats.columns import physical
from tailrace.formats.kernels import avro_encode as kernel
from tailrace.schema import BINARIES, FLOATS, INTEGERS, MAPS, STRINGS, TIMESTAMPS, DataType, Field, Kind, Schema

Numbers = npt.NDArray[np.int64]
_EXACT = Context(prec=100)
_UNITS_OF = {"ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, slots=True)
class _Written:
    """A column as the kernel takes it; `kept` is the memory that it points into."""

    op: int
    values: int
    sizes: int = 0
    width: int = 0
    kept: tuple[Any, ...] = ()


Write = Callable[[pl.Series], _Written]


class AvroEncoder(Encoder):
    """
    Writes each row as one record; `before` stands before each (as the header of a registry).

    Raises:
        ConfigError: a column has no place in the schema, or a field of it no column and no default.
    """

    def __init__(self, schema: Schema, writer: AvroType, before: bytes = b"") -> None:
        optional = writer.optional
        record = optional[1] if optional else writer
        if record.kind != "record":
            raise ConfigError(f"rows can't be written by a schema that is no record but {writer}")
        self._schema = schema
        self._top = bytes([2 * (1 - optional[0])] if optional and optional[0] >= 0 else [0] if optional else [])
        self.before = before
        known = {f.name for f in record.fields}
        extra = next((f.name for f in schema if f.name not in known), None)
        if extra is not None:
            names = ", ".join(sorted(known))
            raise ConfigError(f"column '{extra}' is not in the schema that is written", hint=f"it has: {names}")
        self._parts = [self._part(f.name, f.type, f.has_default, f.default) for f in record.fields]

    def _part(self, name: str, of: AvroType, has_default: bool, default: Any) -> tuple[Field | None, int, Write]:
        """Give the column of a field, the branch of null in its type, and how its values are written."""
        if name not in self._schema:
            if not has_default:
                hint = "add the column to the table, or a default to the field"
                raise ConfigError(f"field '{name}' of the schema that is written has no column", hint=hint)
            return None, -1, _constant(of, default)
        field = self._schema[name]
        optional = of.optional
        if of.kind == "union" and optional is None:
            raise ConfigError(
                f"field '{name}' of the schema that is written is a {of}", hint="only a union with null can be written"
            )
        null, inner = optional if optional is not None else (-1, of)
        # a union of one has a branch too, and it is the first
        branch = 1 if optional is not None and null < 0 else null
        return field, branch, _writing(inner, field)

    def encode(self, frame: pl.DataFrame) -> Rows:
        count = len(frame)
        if not count:
            return Rows.of([])
        fields = np.zeros((max(1, len(self._parts)), kernel.WIDTH), dtype=np.int64)
        kept: list[Any] = []
        for k, (field, null, write) in enumerate(self._parts):
            series = pl.Series([], dtype=pl.Null) if field is None else frame[field.name].rechunk()
            marks = self._marks(series, field, null)
            written = write(series)
            kept += [marks, written]
            at = 0 if marks is None else marks.ctypes.data
            fields[k] = [written.op, null, at, written.values, written.sizes, written.width]
        before = np.frombuffer(self.before + self._top + b"\0", dtype=np.uint8)[:-1]
        sizes = np.empty(count, dtype=np.int64)
        fields = fields[: len(self._parts)]
        kernel.measure(fields, len(before), sizes)
        ends = np.cumsum(sizes)
        out = np.empty(int(ends[-1]), dtype=np.uint8)
        kernel.write(fields, before, ends - sizes, out)
        del kept
        return Rows(out, ends - sizes, ends)

    @staticmethod
    def _marks(series: pl.Series, field: Field | None, null: int) -> npt.NDArray[np.uint8] | None:
        if field is None or not series.null_count():
            return None
        if null < 0:
            hint = "let the field be a union with null, or filter such rows"
            raise DataError(
                f"column '{field.name}' has NULL, which the schema that is written has no place for", hint=hint
            )
        return series.is_not_null().to_numpy().view(np.uint8)


def _misfit(of: AvroType, field: Field) -> ConfigError:
    return ConfigError(f"column '{field.name}' of type {field.type.sql()} can't be written as {of}")


def _writing(of: AvroType, field: Field) -> Write:
    """Find how a column is written."""
    k = field.type.kind
    if k in (Kind.ARRAY, Kind.ROW) or k in MAPS:
        return _nested(of, field)
    if k is Kind.DECIMAL and of.kind in ("bytes", "fixed") and of.logical == "decimal":
        return _decimals(of, field)
    if k is Kind.DATE and of.kind == "int" and of.logical in ("date", ""):
        return lambda s: _words(kernel.LONG, s.to_physical().cast(pl.Int64))
    if k is Kind.TIME or k in TIMESTAMPS:
        return _times(of, field)
    if of.logical not in ("", "uuid") or (of.kind == "fixed" and of.logical):
        raise _misfit(of, field)
    return _plain(of, field)


def _plain(of: AvroType, field: Field) -> Write:
    """Find how a column is written whose type is one of Avro's own."""
    k = field.type.kind
    if k is Kind.BOOLEAN and of.kind == "boolean":
        return lambda s: _words(kernel.BOOLEAN, s.cast(pl.Int64))
    if k in INTEGERS and (of.kind == "long" or (of.kind == "int" and k is not Kind.BIGINT)):
        return lambda s: _words(kernel.LONG, s.cast(pl.Int64))
    if k in FLOATS and (of.kind == "double" or (of.kind == "float" and k is Kind.FLOAT)):
        return _reals(of)
    if k in STRINGS and of.kind == "enum":
        return _enum(of, field)
    if (k in STRINGS and of.kind == "string") or (k in BINARIES and of.kind == "bytes"):
        return _texts
    if k in BINARIES and of.kind == "fixed":
        return _fixed(of, field)
    raise _misfit(of, field)


def _words(op: int, series: pl.Series) -> _Written:
    values = series.fill_null(0).to_numpy()
    return _Written(op, values.ctypes.data, kept=(values,))


def _reals(of: AvroType) -> Write:
    def write(series: pl.Series) -> _Written:
        values = np.zeros(len(series), dtype=np.int64)
        if of.kind == "double":
            values[:] = series.cast(pl.Float64).fill_null(0.0).to_numpy().view(np.int64)
            return _Written(kernel.DOUBLE, values.ctypes.data, kept=(values,))
        values[:] = series.fill_null(0.0).to_numpy().view(np.int32)
        return _Written(kernel.FLOAT, values.ctypes.data, kept=(values,))

    return write


def _texts(series: pl.Series) -> _Written:
    places, sizes, data = text_places(series)
    return _Written(kernel.TEXT, places.ctypes.data, sizes.ctypes.data, kept=(places, sizes, data))


def _enum(of: AvroType, field: Field) -> Write:
    numbers = pl.DataFrame(
        {"s": list(of.symbols), "n": list(range(len(of.symbols)))}, schema={"s": pl.String, "n": pl.Int64}
    )

    def write(series: pl.Series) -> _Written:
        found = series.replace_strict(numbers["s"], numbers["n"], default=None, return_dtype=pl.Int64)
        if found.null_count() > series.null_count():
            other = series.filter(found.is_null() & series.is_not_null())[0]
            known = ", ".join(of.symbols[:10])
            raise DataError(f"column '{field.name}': {other!r} is no symbol of {of}", hint=f"it has: {known}")
        return _words(kernel.LONG, found)

    return write


def _fixed(of: AvroType, field: Field) -> Write:
    def write(series: pl.Series) -> _Written:
        wrong = series.drop_nulls()
        wrong = wrong.filter(wrong.bin.size() != of.size)
        if len(wrong):
            raise DataError(f"column '{field.name}' has a value of {len(wrong[0])} bytes, where {of} has {of.size}")
        places, sizes, data = text_places(series)
        return _Written(kernel.RAW, places.ctypes.data, sizes.ctypes.data, kept=(places, sizes, data))

    return write


def _decimals(of: AvroType, field: Field) -> Write:
    """Write decimals; the digits behind the point that the schema does not have would be lost, and are refused."""
    if of.scale < field.type.scale or of.precision - of.scale < field.type.precision - field.type.scale:
        raise _misfit(of, field)
    op = kernel.DECIMAL if of.kind == "bytes" else kernel.DECIMAL_FIXED
    wide = pl.Decimal(38, of.scale)
    if of.precision > 38 and of.scale + field.type.precision - field.type.scale > 38:
        raise _misfit(of, field)

    def write(series: pl.Series) -> _Written:
        pairs = np.ascontiguousarray(to_pairs(series.cast(wide).fill_null(Decimal(0)))).view(np.int64)
        if op == kernel.DECIMAL_FIXED:
            row = kernel.misfit(np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]), of.size)
            if row >= 0:
                raise DataError(f"column '{field.name}': {series[row]} has no place in {of.size} bytes")
        return _Written(op, pairs.ctypes.data, width=of.size, kept=(pairs,))

    return write


def _times(of: AvroType, field: Field) -> Write:
    """Write times in the unit of the schema: finer ones exactly, coarser ones cut."""
    kind = field.type
    family = "time-" if kind.kind is Kind.TIME else "timestamp-"
    if of.kind not in ("int", "long") or (of.logical and not of.logical.removeprefix("local-").startswith(family)):
        raise _misfit(of, field)
    if not of.logical and (of.kind != "long" or kind.kind is Kind.TIME):
        raise _misfit(of, field)
    have = 10**9 if kind.kind is Kind.TIME else _UNITS_OF[kind.time_unit]
    wanted = UNITS.get(of.logical, have)

    def write(series: pl.Series) -> _Written:
        numbers = series.to_physical().cast(pl.Int64)
        if wanted < have:
            numbers = numbers // (have // wanted)
        elif wanted > have:
            most = (2**63 - 1) // (wanted // have)
            if not numbers.drop_nulls().is_between(-most, most).all():
                raise DataError(f"column '{field.name}' has a time beyond what {of} can hold")
            numbers = numbers * (wanted // have)
        return _words(kernel.LONG, numbers)

    return write


def _constant(of: AvroType, default: Any) -> Write:
    optional = of.optional
    raw = None if default is None else raw_default(default, optional[1] if optional else of)
    data = np.frombuffer(_Writer(of).bytes_of(raw) + b"\0", dtype=np.uint8)
    return lambda _: _Written(kernel.CONSTANT, data.ctypes.data, width=len(data) - 1, kept=(data,))


def _nested(of: AvroType, field: Field) -> Write:
    convert = _outward(of, field.type, field)
    writer = _Writer(of)
    plain = physical(field.type)

    def write(series: pl.Series) -> _Written:
        values = series.cast(plain).to_list() if plain != series.dtype else series.to_list()
        encoded = [b"" if v is None else writer.bytes_of(convert(v)) for v in values]
        places, sizes, data = text_places(pl.Series(encoded, dtype=pl.Binary))
        return _Written(kernel.RAW, places.ctypes.data, sizes.ctypes.data, kept=(places, sizes, data))

    return write


class _Writer:
    """Writes single values by fastavro."""

    def __init__(self, of: AvroType) -> None:
        self._library = fastavro()
        given = {"type": "record", "name": "tailrace_value", "fields": [{"name": "v", "type": as_json(of)}]}
        self._schema = self._library.parse_schema(given)

    def bytes_of(self, value: Any) -> bytes:
        out = io.BytesIO()
        try:
            self._library.schemaless_writer(out, self._schema, {"v": value}, strict=True)
        except (ValueError, TypeError, OverflowError, AttributeError) as error:
            raise DataError(f"a nested value can't be written by its schema: {error}") from None
        return out.getvalue()


def _outward(of: AvroType, kind: DataType, field: Field) -> Callable[[Any], Any]:
    """Give what turns a value of a nested column (times are numbers) into what fastavro writes."""
    optional = of.optional
    if optional is not None:
        inner = _outward(optional[1], kind, field)
        return lambda v: None if v is None else inner(v)
    k = kind.kind
    if k is Kind.ARRAY and of.kind == "array":
        item = _outward(of.item, kind.children[0], field)
        return lambda v: [item(x) for x in v]
    if k in MAPS and of.kind == "map" and kind.entry[0].kind in STRINGS:
        value = _outward(of.item, kind.entry[1], field)
        return lambda v: {e["key"]: value(e["value"]) for e in v}
    if k is Kind.ROW and of.kind == "record":
        return _outward_record(of, kind, field)
    if k is Kind.DECIMAL and of.logical == "decimal" and of.scale >= kind.scale:
        return _outward_decimal(of)
    if k is Kind.TIME or k in TIMESTAMPS:
        _times(of, Field(field.name, kind))
        have = 10**9 if k is Kind.TIME else _UNITS_OF[kind.time_unit]
        wanted = UNITS.get(of.logical, have)
        return lambda v: v * wanted // have
    _writing(of, Field(field.name, kind))  # refuses what has no place
    return lambda v: v


def _outward_record(of: AvroType, kind: DataType, field: Field) -> Callable[[Any], Any]:
    inner = dict(zip(kind.names, kind.children, strict=True))
    parts, constants = [], {}
    for one in of.fields:
        if one.name in inner:
            parts.append((one.name, _outward(one.type, inner[one.name], field)))
        elif one.has_default:
            optional = one.type.optional
            constants[one.name] = (
                None if one.default is None else raw_default(one.default, optional[1] if optional else one.type)
            )
        else:
            raise ConfigError(
                f"column '{field.name}': field '{one.name}' of the schema that is written has no value and no default"
            )
    extra = sorted(inner.keys() - {f.name for f in of.fields})
    if extra:
        raise ConfigError(f"column '{field.name}': field '{extra[0]}' is not in the schema that is written")
    return lambda v: {name: convert(v[name]) for name, convert in parts} | constants


def _outward_decimal(of: AvroType) -> Callable[[Any], Any]:
    def convert(value: Decimal) -> bytes:
        number = int(value.scaleb(of.scale, _EXACT))
        size = of.size if of.kind == "fixed" else (number.bit_length() + 8) // 8
        return number.to_bytes(size, "big", signed=True)

    return convert
