"""Values as text, for tables and CSV: as in JSON lines, but bare."""

from __future__ import annotations

import polars as pl

from tailrace.engine.batch import KIND, RowKind
from tailrace.schema import BINARIES, STRINGS, DataType, Kind, Schema

OP = "op"
_SIGNS = {int(kind): kind.sign for kind in RowKind}


def cells(frame: pl.DataFrame, schema: Schema, *, updating: bool) -> pl.DataFrame:
    """Give a frame of texts (NULL stays NULL), with the row kind first where the query updates its rows."""
    columns = [text(pl.col(f.name), f.type).alias(f.name) for f in schema]
    if updating:
        sign: pl.Expr = pl.lit("+I")
        if KIND in frame.columns:
            sign = pl.col(KIND).replace_strict(_SIGNS, return_dtype=pl.String)
        # a column of the query may have this name too, so the kind's place is known by the position alone
        columns = [sign.alias("$op"), *columns]
    return frame.select(columns)


def text(value: pl.Expr, of: DataType) -> pl.Expr:
    """Give the text of a value."""
    match of.kind:
        case Kind.TIMESTAMP:
            return _moment(value)
        case Kind.TIMESTAMP_LTZ:
            return pl.concat_str([_moment(value), pl.lit("Z")])
        case Kind.TIME:
            return _trimmed(value.dt.strftime("%H:%M:%S"), value)
        case Kind.INTERVAL_SECOND:
            return value.dt.total_milliseconds().cast(pl.String)
        case Kind.ARRAY:
            return _list(value, text(pl.element(), of.children[0]), "[", "]")
        case Kind.MAP | Kind.MULTISET:
            key = text(pl.element().struct.field("key"), of.entry[0])
            inner = text(pl.element().struct.field("value"), of.entry[1]).fill_null("null")
            return _list(value, pl.concat_str([key, pl.lit("="), inner]), "{", "}")
        case Kind.ROW:
            return _row(value, of)
        case k if k in BINARIES:
            return value.bin.encode("base64")
        case k if k in STRINGS:
            return value
    return value.cast(pl.String).replace({"inf": "Infinity", "-inf": "-Infinity"})


def _moment(value: pl.Expr) -> pl.Expr:
    return _trimmed(value.dt.strftime("%Y-%m-%d %H:%M:%S"), value)


def _trimmed(seconds: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Put the fraction behind the seconds, without trailing zeros and absent where it is zero."""
    nanos = value.dt.nanosecond()
    digits = nanos.cast(pl.String).str.zfill(9).str.strip_chars_end("0")
    fraction = pl.when(nanos == 0).then(pl.lit("")).otherwise(pl.concat_str([pl.lit("."), digits]))
    return pl.concat_str([seconds, fraction])


def _list(value: pl.Expr, element: pl.Expr, opening: str, closing: str) -> pl.Expr:
    inner = value.list.eval(element.fill_null("null")).list.join(", ")
    return pl.concat_str([pl.lit(opening), inner, pl.lit(closing)])


def _row(value: pl.Expr, of: DataType) -> pl.Expr:
    fields = [text(value.struct.field(n), t).fill_null("null") for n, t in zip(of.names, of.children, strict=True)]
    inner = [part for field in fields for part in (pl.lit(", "), field)][1:]
    whole = pl.concat_str([pl.lit("("), *inner, pl.lit(")")])
    return pl.when(value.is_null()).then(None).otherwise(whole)
