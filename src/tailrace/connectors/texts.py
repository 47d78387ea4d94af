"""
Values as texts and back, for stores that know no types of their own (and keys made of several columns).

| Flink                                            | text                                               |
| ------------------------------------------------ | -------------------------------------------------- |
| BOOLEAN                                          | `true`, `false`                                    |
| TINYINT SMALLINT INT BIGINT, intervals           | digits (months, milliseconds)                      |
| FLOAT DOUBLE                                     | the shortest text that reads back the same, `NaN`  |
| DECIMAL(p, s)                                    | all s digits behind the point                      |
| DATE, TIME(p), TIMESTAMP(p)                      | `2026-01-02`, `03:04:05.6`, `2026-01-02 03:04:05.6` with p digits of the fraction |
| TIMESTAMP_LTZ(p)                                 | the same in UTC with `Z`                           |
| CHAR VARCHAR STRING                              | as it is                                           |
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tailrace.errors import ConfigError, Location
from tailrace.formats.base import Reject
from tailrace.schema import BINARIES, FLOATS, INTEGERS, INTERVALS, STRINGS, TIMESTAMPS, DataType, Field, Kind, Schema

_PLAIN = (Kind.BOOLEAN, *INTEGERS, *INTERVALS, *FLOATS, *STRINGS, Kind.DECIMAL, Kind.DATE, Kind.TIME, *TIMESTAMPS)


def refuse_textless(schema: Schema, what: str, location: Location | None, *, binary: bool = True) -> None:
    """
    Check that each column has a text (or is bytes, where these can be kept as they are).

    Raises:
        ConfigError: one is an ARRAY, MAP, ROW or the like; `what` (as "a Redis hash") has no place for it.
    """
    for field in schema:
        if field.type.kind not in (*_PLAIN, *(BINARIES if binary else ())):
            message = f"column '{field.name}' of type {field.type.sql()} has no place in {what}"
            raise ConfigError(
                message, hint="write its fields as columns, or the row in a format as JSON", location=location
            )


def text(field: Field) -> pl.Expr:
    """Give the expression of a column's text; NULL for NULL, and bytes as they are."""
    value, of = pl.col(field.name), field.type
    if of.kind is Kind.INTERVAL_SECOND:
        return value.dt.total_milliseconds().cast(pl.String)
    if of.kind in (Kind.TIME, *TIMESTAMPS):
        return time_text(value, of)
    return value if of.kind in (*STRINGS, *BINARIES) else value.cast(pl.String)


def time_text(value: pl.Expr, of: DataType) -> pl.Expr:
    """Give the expression of the text of a time or timestamp, with as many digits as its precision."""
    if of.kind is Kind.TIME:
        return value.dt.strftime("%H:%M:%S" + _fraction(of.precision)).str.head(8 + _digits(of.precision))
    cut = value.dt.strftime("%Y-%m-%d %H:%M:%S" + _fraction(of.precision)).str.head(19 + _digits(of.precision))
    return pl.concat_str([cut, pl.lit("Z")]) if of.kind is Kind.TIMESTAMP_LTZ else cut


def _digits(precision: int) -> int:
    return precision + 1 if precision else 0


def _fraction(precision: int) -> str:
    """Give the format of at least so many digits; what is beyond is cut."""
    return "" if not precision else "%.3f" if precision <= 3 else "%.6f" if precision <= 6 else "%.9f"


def of_text(value: pl.Expr, of: DataType) -> pl.Expr:
    """Give the expression that reads a text (bytes for a type of bytes) as a type; NULL where it can't."""
    match of.kind:
        case Kind.BOOLEAN:
            return value.replace_strict(["true", "false"], [True, False], default=None, return_dtype=pl.Boolean)
        case Kind.INTERVAL_SECOND:
            return value.cast(pl.Int64, strict=False).cast(of.polars)
        case Kind.TIMESTAMP_LTZ:
            bare = value.str.strip_suffix("Z").str.to_datetime(time_unit=of.time_unit, strict=False)
            return bare.dt.replace_time_zone("UTC")
        case Kind.TIMESTAMP:
            return value.str.to_datetime(time_unit=of.time_unit, strict=False)
        case Kind.DATE:
            return value.str.to_date("%Y-%m-%d", strict=False)
        case Kind.TIME:
            return value.str.to_time("%H:%M:%S%.f", strict=False)
    return value.cast(of.polars, strict=False)


def read_texts(texts: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, list[Reject]]:
    """
    Read texts (of bytes, as stores give them; NULL for NULL) as the columns of a schema; what can't be is NULL and told by row.

    >>> from tailrace.schema import INT
    >>> read_texts(pl.DataFrame({"n": [b"7", b"x"]}), Schema((Field("n", INT),)))[1][0].reason
    "the text of column 'n' is no INT"
    """
    bad: dict[int, Reject] = {}
    columns = [_read(texts[f.name], f, bad) for f in schema]
    return pl.DataFrame(columns), [bad[row] for row in sorted(bad)]


def _read(given: pl.Series, field: Field, bad: dict[int, Reject]) -> pl.Series:
    value = pl.col(field.name)
    texts = given if field.type.kind in BINARIES else utf8(given)
    made = texts.to_frame().select(of_text(value, field.type)).to_series()
    wrong = made.is_null() & given.is_not_null()
    for row in wrong.arg_true().to_list():
        reason = f"the text of column '{field.name}' is no {field.type.with_nullable(True).sql()}"
        bad.setdefault(row, Reject(row, "type", reason))
    if not field.type.nullable:
        for row in given.is_null().arg_true().to_list():
            bad.setdefault(row, Reject(row, "missing", f"column '{field.name}' is NOT NULL"))
    return made


def utf8(given: pl.Series) -> pl.Series:
    """Give bytes as texts; NULL where they are no UTF-8."""
    if given.dtype == pl.String:
        return given
    try:
        return given.cast(pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        texts = [_decoded(value) for value in given.to_list()]  # some of them is no text
        return pl.Series(given.name, texts, dtype=pl.String)


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def key_texts(frame: pl.DataFrame, key: Sequence[Field], prefix: str = "", separator: str = ":") -> pl.Series:
    r"""
    Give one text for the values of several columns; different values give different texts.

    A separator or backslash inside of a value is written with a backslash before it, if there are several columns.

    >>> from tailrace.schema import STRING
    >>> fields = (Field("a", STRING), Field("b", STRING))
    >>> key_texts(pl.DataFrame({"a": ["x:y"], "b": ["z"]}), fields, "t:").to_list()
    ['t:x\\:y:z']
    """
    texts = [text(f) for f in key]
    if len(texts) > 1:
        texts = [
            t.str.replace_all("\\", "\\\\", literal=True).str.replace_all(separator, "\\" + separator, literal=True)
            for t in texts
        ]
    parts = [part for t in texts for part in (pl.lit(separator), t)][1:]
    return frame.select(pl.concat_str([pl.lit(prefix), *parts]).alias("key")).to_series()
