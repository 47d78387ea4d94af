"""One value to another type."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.casts.matrix import may_fail
from tailrace.expressions.casts.numbers import to_decimal, to_integer
from tailrace.expressions.casts.reading import from_text
from tailrace.expressions.casts.times import to_time_type
from tailrace.expressions.casts.writing import sized, to_text
from tailrace.schema import BINARIES, FLOATS, INTEGERS, MAX_LENGTH, STRINGS, TIMESTAMPS, DataType, Kind


def cast(value: pl.Expr, source: DataType, target: DataType, timezone: str) -> pl.Expr:
    """Convert as Flink does; NULL where there is no conversion."""
    a, b = source.kind, target.kind
    if a is Kind.NULL:
        return value.cast(target.polars)
    if b in STRINGS:
        return sized(to_text(value, source, timezone), target)
    if a in STRINGS:
        return _bytes(value.cast(pl.Binary), target) if b in BINARIES else from_text(value, target, timezone)
    if source.children:
        return _nested(value, source, target, timezone)
    if b in BINARIES:
        return _bytes(value, target)
    if b is Kind.TIME or b is Kind.DATE or b in TIMESTAMPS:
        return to_time_type(value, source, target, timezone)
    return _number(value, source, target)


def _number(value: pl.Expr, source: DataType, target: DataType) -> pl.Expr:
    a, b = source.kind, target.kind
    if source.polars == target.polars:
        return value
    if b in INTEGERS:
        return to_integer(value, source, target)
    if b is Kind.DECIMAL:
        return to_decimal(value, source, target)
    if b in FLOATS:
        return (value.cast(pl.String) if a is Kind.DECIMAL else value).cast(target.polars)
    return value != 0


def _bytes(value: pl.Expr, target: DataType) -> pl.Expr:
    """Cut bytes to the length of their type; BINARY is filled with zeros."""
    if target.length in (0, MAX_LENGTH):
        return value
    if target.kind is Kind.VARBINARY:
        return value.bin.slice(0, target.length)
    size = target.length
    return value.map_batches(
        lambda s: pl.Series(s.name, [None if v is None else v[:size].ljust(size, b"\0") for v in s], dtype=pl.Binary),
        return_dtype=pl.Binary,
    )


def _nested(value: pl.Expr, source: DataType, target: DataType, timezone: str) -> pl.Expr:
    out = _parts(value, source, target, timezone)
    return pl.when(~lost(value, source, target, timezone)).then(out) if may_fail(source, target) else out


def _parts(value: pl.Expr, source: DataType, target: DataType, timezone: str) -> pl.Expr:
    pairs = list(zip(source.children, target.children, strict=True))
    if source.polars == target.polars and all(a.sql() == b.sql() for a, b in pairs):
        return value
    if source.kind is Kind.ARRAY:
        return value.list.eval(cast(pl.element(), *pairs[0], timezone))
    if source.kind is Kind.ROW:
        fields = zip(source.names, target.names, pairs, strict=True)
        made = pl.struct([cast(value.struct.field(n), *p, timezone).alias(m) for n, m, p in fields])
        return pl.when(value.is_not_null()).then(made)
    keys = source.polars.inner.fields  # type: ignore[attr-defined] # a list of key and value
    made = pl.struct(
        [cast(pl.element().struct.field(f.name), *p, timezone).alias(f.name) for f, p in zip(keys, pairs, strict=True)]
    )
    return value.list.eval(made)


def lost(value: pl.Expr, source: DataType, target: DataType, timezone: str) -> pl.Expr:
    """Tell where a value can't be converted."""
    if not may_fail(source, target):
        return pl.lit(value=False)
    if not source.children:
        return value.is_not_null() & cast(value, source, target, timezone).is_null()
    pairs = list(zip(source.children, target.children, strict=True))
    if source.kind is Kind.ROW:
        inside = [lost(value.struct.field(n), *p, timezone) for n, p in zip(source.names, pairs, strict=True)]
        return pl.any_horizontal(inside).fill_null(value=False)
    if source.kind is Kind.ARRAY:
        found = lost(pl.element(), *pairs[0], timezone)
    else:
        names = [f.name for f in source.polars.inner.fields]  # type: ignore[attr-defined] # a list of key and value
        found = pl.any_horizontal(
            [lost(pl.element().struct.field(n), *p, timezone) for n, p in zip(names, pairs, strict=True)]
        )
    return value.list.eval(found).list.any().fill_null(value=False)
