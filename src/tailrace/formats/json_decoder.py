"""JSON to columns: the kernel for plain rows, one row at a time for the others."""

from __future__ import annotations

from typing import Any

import nanoarrow
import numpy as np
import polars as pl

from tailrace.errors import ConfigError
from tailrace.formats import json_kernel as kernel
from tailrace.formats.base import Decoded, Decoder, Reject, Rows
from tailrace.formats.json_values import BadValueError, converters, parse
from tailrace.schema import FLOATS, INTEGERS, STRINGS, TIMESTAMPS, DataType, Field, Kind, Schema

_RANGES = {Kind.TINYINT: 7, Kind.SMALLINT: 15, Kind.INT: 31, Kind.BIGINT: 63}
_UNITS = {"ms": 3, "us": 6, "ns": 9}


def _kind(t: DataType) -> tuple[int, int]:
    """Give the kernel's kind of a type, and its detail: the unit of a timestamp, the scale of a decimal."""
    if t.kind in INTEGERS:
        return kernel.INTEGER, 0
    if t.kind in FLOATS:
        return kernel.FLOATING, 0
    if t.kind in STRINGS:
        return kernel.TEXT, 0
    if t.kind is Kind.DECIMAL and t.precision <= 18:
        return kernel.DECIMAL, t.scale
    if t.kind in TIMESTAMPS:
        return kernel.STAMP, _UNITS[t.time_unit]
    simple = {Kind.BOOLEAN: kernel.BOOLEAN, Kind.DATE: kernel.DAY}
    return simple.get(t.kind, kernel.OTHER), 0


def _bounds(t: DataType) -> tuple[int, int]:
    if t.kind is Kind.DECIMAL and t.precision <= 18:
        return 1 - 10**t.precision, 10**t.precision - 1
    bits = _RANGES.get(t.kind, 63)
    return -(1 << bits), (1 << bits) - 1


class _Plan:
    """The columns as arrays, which the kernel reads."""

    def __init__(self, schema: Schema) -> None:
        names = [f.name.encode() for f in schema]
        kinds = [_kind(f.type) for f in schema]
        bounds = [_bounds(f.type) for f in schema]
        self.hashes = np.array([kernel.key_hash(n) for n in names], dtype=np.uint64)
        self.names = np.frombuffer(b"".join(names) or b"\0", dtype=np.uint8)
        self.name_ends = np.cumsum([len(n) for n in names], dtype=np.int64)
        self.kinds = np.array([k for k, _ in kinds], dtype=np.int64)
        self.details = np.array([d for _, d in kinds], dtype=np.int64)
        self.lows = np.array([a for a, _ in bounds], dtype=np.int64)
        self.highs = np.array([b for _, b in bounds], dtype=np.int64)
        self.zones = np.array([f.type.kind is Kind.TIMESTAMP_LTZ for f in schema], dtype=np.int64)
        self.slots, self.counts = self._places()

    def _places(self) -> tuple[np.ndarray, list[int]]:
        counts = [0, 0, 0]
        slots = []
        for kind in self.kinds.tolist():
            group = 1 if kind == kernel.FLOATING else 2 if kind == kernel.TEXT else 0
            slots.append(counts[group])
            counts[group] += 1
        return np.array(slots, dtype=np.int64), counts


class _Columns:
    """The arrays that the kernel fills."""

    def __init__(self, plan: _Plan, rows: int) -> None:
        integers, floats, texts = plan.counts
        self.integers = np.zeros((max(1, integers), rows), dtype=np.int64)
        self.floats = np.zeros((max(1, floats), rows), dtype=np.float64)
        self.begins = np.zeros((max(1, texts), rows), dtype=np.int64)
        self.sizes = np.zeros((max(1, texts), rows), dtype=np.int32)
        self.valid = np.zeros((max(1, len(plan.kinds)), rows), dtype=np.bool_)
        self.slow = np.zeros(rows, dtype=np.bool_)


class JsonDecoder(Decoder):
    """Decodes rows of JSON objects; fields that the schema does not name are skipped."""

    def __init__(
        self, schema: Schema, *, separator: str = " ", lenient: bool = False, need_all: bool = False, fast: bool = True
    ) -> None:
        self._schema = schema
        self._separator = separator
        self._lenient = lenient
        self._need_all = need_all
        self._fast = fast and not need_all
        self._plan = _Plan(schema)
        try:
            self._converters = converters(schema, separator)
        except KeyError as error:
            raise ConfigError(f"format 'json' can't read the type {error.args[0].value}") from None

    def decode(self, rows: Rows) -> Decoded:
        columns = _Columns(self._plan, len(rows))
        slow = self._read(rows, columns)
        if not slow:
            return Decoded(self._frame(rows, columns))
        numbers = np.flatnonzero(columns.slow)
        read, rejects = self._slowly(rows, numbers)
        return self._joined(rows, columns, read, rejects)

    def _read(self, rows: Rows, columns: _Columns) -> int:
        if not self._fast:
            columns.slow[:] = True
            return len(rows)
        p = self._plan
        slow = kernel.read_rows(
            rows.data, rows.starts, rows.ends, p.hashes, p.names, p.name_ends, p.kinds, p.details, p.slots, p.lows,
            p.highs, p.zones, ord(self._separator), columns.integers, columns.floats, columns.begins, columns.sizes,
            columns.valid, columns.slow,
        )  # fmt: skip
        if rows.nulls is not None:
            columns.slow |= rows.nulls
            columns.valid[:, rows.nulls] = False
            return int(columns.slow.sum())
        return int(slow)

    def _frame(self, rows: Rows, columns: _Columns) -> pl.DataFrame:
        if not len(self._schema):
            return pl.DataFrame(height=len(rows))
        return pl.DataFrame([self._series(k, f, rows, columns) for k, f in enumerate(self._schema)])

    def _series(self, k: int, field: Field, rows: Rows, columns: _Columns) -> pl.Series:
        kind, slot, valid = self._plan.kinds[k], self._plan.slots[k], columns.valid[k]
        if kind == kernel.TEXT:
            return _texts(rows, columns.begins[slot], columns.sizes[slot], valid).alias(field.name)
        if kind == kernel.OTHER:
            return pl.Series(field.name, [None], dtype=field.type.polars).new_from_index(0, len(rows))
        if kind == kernel.FLOATING:
            series = pl.Series(field.name, columns.floats[slot])
        elif kind == kernel.DECIMAL:
            series = _decimals(columns.integers[slot], field.type)
        else:
            series = pl.Series(field.name, columns.integers[slot])
        if kind == kernel.DAY:
            series = series.cast(pl.Int32)
        series = series.cast(field.type.polars).alias(field.name)
        return series if valid.all() else series.set(pl.Series(~valid), None)

    def _slowly(self, rows: Rows, numbers: np.ndarray) -> tuple[dict[int, list[Any]], list[Reject]]:
        read: dict[int, list[Any]] = {}
        rejects: list[Reject] = []
        for number in numbers.tolist():
            try:
                read[number] = self._values(rows.row(number))
            except BadValueError as error:
                rejects.append(Reject(number, "TR201", str(error)))
        return read, [] if self._lenient else rejects

    def _values(self, row: bytes | None) -> list[Any]:
        if row is None:
            raise BadValueError("the row has no value (a tombstone)")
        if not row.strip():
            raise BadValueError("the row is empty")
        parsed = parse(row)
        if self._need_all and (missing := [n for n in self._schema.names if n not in parsed]):
            raise BadValueError(f"the field '{missing[0]}' is missing")
        return [self._value(name, convert, parsed.get(name)) for name, convert in self._converters]

    def _value(self, name: str, convert: Any, value: Any) -> Any:
        try:
            return convert(value)
        except (BadValueError, RecursionError) as error:
            if self._lenient:
                return None
            raise BadValueError(f"field '{name}': {error}") from None

    def _joined(
        self, rows: Rows, columns: _Columns, read: dict[int, list[Any]], rejects: list[Reject]
    ) -> Decoded:
        """Put the rows of both paths in order."""
        fast = np.flatnonzero(~columns.slow)
        slow = np.array(sorted(read), dtype=np.int64)
        order = np.argsort(np.concatenate([fast, slow]), kind="stable")
        kept = np.concatenate([fast, slow])[order]
        frame = self._frame(rows, columns)
        parts = [frame[fast], self._slow_frame([read[n] for n in slow.tolist()])]
        whole = pl.concat(parts)[order] if len(self._schema) else pl.DataFrame(height=len(kept))
        return Decoded(whole, None if len(kept) == len(rows) else kept, rejects)

    def _slow_frame(self, values: list[list[Any]]) -> pl.DataFrame:
        columns = []
        for k, field in enumerate(self._schema):
            column = [v[k] for v in values]
            if field.type.kind in TIMESTAMPS:
                columns.append(pl.Series(field.name, column, dtype=pl.Int64).cast(field.type.polars))
            else:
                columns.append(pl.Series(field.name, column, dtype=field.type.polars, strict=True))
        return pl.DataFrame(columns)


def _texts(rows: Rows, begins: np.ndarray, sizes: np.ndarray, valid: np.ndarray) -> pl.Series:
    ends = np.zeros(len(begins) + 1, dtype=np.int32)
    data = kernel.gather_texts(rows.data, begins, sizes, valid, ends)
    if not len(begins):
        return pl.Series([], dtype=pl.String)
    if valid.all():
        return pl.Series(nanoarrow.c_array_from_buffers(nanoarrow.string(), len(begins), [None, ends, data], null_count=0))
    bits = np.packbits(valid, bitorder="little")
    missing = int(len(valid) - valid.sum())
    array = nanoarrow.c_array_from_buffers(nanoarrow.string(), len(begins), [bits, ends, data], null_count=missing)
    return pl.Series(array)


def _decimals(unscaled: np.ndarray, kind: DataType) -> pl.Series:
    if not len(unscaled):
        return pl.Series([], dtype=kind.polars)
    pairs = np.empty((len(unscaled), 2), dtype=np.int64)
    pairs[:, 0] = unscaled
    pairs[:, 1] = unscaled >> 63
    form = nanoarrow.decimal128(kind.precision, kind.scale)
    return pl.Series(nanoarrow.c_array_from_buffers(form, len(unscaled), [None, pairs], null_count=0))
