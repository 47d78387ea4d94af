"""
Rows as Flink's `print` shows them: `+I[1, a, 2026-01-01T10:00]`.

Values are written as Java writes them: times by ISO 8601 with the seconds and the fraction left out where they are zero,
fractions in groups of three digits, DOUBLE as `1.0` or `1.0E10`, NULL as `null`.
"""

from __future__ import annotations

import polars as pl

from tailrace.engine.batch import KIND, RowKind
from tailrace.expressions import catalogue
from tailrace.expressions.lower import lower
from tailrace.expressions.nodes import Column
from tailrace.schema import BINARIES, FLOATS, STRING, STRINGS, DataType, Field, Kind, Schema

_SIGNS = [kind.sign for kind in RowKind]


def row_texts(frame: pl.DataFrame, schema: Schema) -> pl.Series:
    """
    Give one text for each row; the kind is `+I` on a stream that does not update.

    >>> from tailrace.schema import BIGINT
    >>> row_texts(pl.DataFrame({"n": [1, None]}), Schema((Field("n", BIGINT),))).to_list()
    ['+I[1]', '+I[null]']
    """
    if not len(frame):
        return pl.Series([], dtype=pl.String)
    signs: pl.Expr = pl.lit("+I")
    if KIND in frame.columns:
        signs = pl.col(KIND).replace_strict(list(range(len(_SIGNS))), _SIGNS, return_dtype=pl.String)
    cells = [_cell(f) for f in schema]
    inner: list[pl.Expr] = [part for cell in cells for part in (pl.lit(", "), cell)][1:]
    return frame.select(pl.concat_str([signs, pl.lit("["), *inner, pl.lit("]")])).to_series()


def value_texts(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """
    Give each value as a text, in a column of its name.

    >>> from tailrace.schema import BIGINT
    >>> value_texts(pl.DataFrame({"n": [1, None]}), Schema((Field("n", BIGINT),)))["n"].to_list()
    ['1', 'null']
    """
    return frame.select(_cell(f).alias(f.name) for f in schema)


def _cell(field: Field) -> pl.Expr:
    return _text(pl.col(field.name), field.type, field.name).fill_null("null")


def _text(value: pl.Expr, kind: DataType, column: str = "") -> pl.Expr:
    """Give the text of a value, NULL for NULL."""
    match kind.kind:
        case Kind.TIMESTAMP | Kind.TIMESTAMP_LTZ:
            return _timestamp(value, zone=kind.kind is Kind.TIMESTAMP_LTZ)
        case Kind.TIME:
            return _clock(value)
        case Kind.ARRAY:
            return _joined(value, _text(pl.element(), kind.children[0]), "[", "]")
        case Kind.MAP | Kind.MULTISET:
            key = _text(pl.element().struct.field("key"), kind.entry[0]).fill_null("null")
            mapped = _text(pl.element().struct.field("value"), kind.entry[1]).fill_null("null")
            return _joined(value, pl.concat_str([key, pl.lit("="), mapped]), "{", "}")
        case Kind.ROW:
            return _row(value, kind)
        case k if k in BINARIES:
            return _joined(
                value.cast(pl.List(pl.UInt8)), pl.element().cast(pl.Int8, wrap_numerical=True).cast(pl.String), "[", "]"
            )
        case k if k in FLOATS:
            return _float(value, kind, column)
        case k if k in STRINGS:
            return value
    return value.cast(pl.String)


def _float(value: pl.Expr, kind: DataType, column: str) -> pl.Expr:
    """Write a float as Java does: by the same rule as CAST to STRING."""
    if not column:
        return value.cast(pl.String)
    return lower(catalogue.cast(Column(kind, column), STRING, safe=True, location=None)).value


def _timestamp(value: pl.Expr, *, zone: bool) -> pl.Expr:
    day = value.dt.strftime("%Y-%m-%dT%H:%M")
    seconds = _seconds(value, always=zone)
    return pl.concat_str([day, seconds, pl.lit("Z")]) if zone else pl.concat_str([day, seconds])


def _clock(value: pl.Expr) -> pl.Expr:
    return pl.concat_str([value.dt.strftime("%H:%M"), _seconds(value, always=False)])


def _seconds(value: pl.Expr, *, always: bool) -> pl.Expr:
    """Write `:SS` and the fraction in groups of three digits, or nothing at a full minute."""
    seconds, nanos = value.dt.second(), value.dt.nanosecond()
    whole = pl.concat_str([pl.lit(":"), seconds.cast(pl.String).str.zfill(2)])
    digits = nanos.cast(pl.String).str.zfill(9)
    fraction = (
        pl.when(nanos == 0)
        .then(pl.lit(""))
        .when(nanos % 1_000_000 == 0)
        .then(pl.concat_str([pl.lit("."), digits.str.head(3)]))
        .when(nanos % 1000 == 0)
        .then(pl.concat_str([pl.lit("."), digits.str.head(6)]))
        .otherwise(pl.concat_str([pl.lit("."), digits]))
    )
    full = pl.concat_str([whole, fraction])
    return full if always else pl.when((seconds == 0) & (nanos == 0)).then(pl.lit("")).otherwise(full)


def _joined(value: pl.Expr, element: pl.Expr, opening: str, closing: str) -> pl.Expr:
    inner = value.list.eval(element.fill_null("null")).list.join(", ")
    return pl.concat_str([pl.lit(opening), inner, pl.lit(closing)])


def _row(value: pl.Expr, kind: DataType) -> pl.Expr:
    fields = [_text(value.struct.field(n), t).fill_null("null") for n, t in zip(kind.names, kind.children, strict=True)]
    inner = [part for field in fields for part in (pl.lit(", "), field)][1:]
    text = pl.concat_str([pl.lit("+I["), *inner, pl.lit("]")])
    return pl.when(value.is_null()).then(None).otherwise(text)
