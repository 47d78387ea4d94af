"""
Which SQLite value carries which of Flink's types, both ways.

| Flink                                   | SQLite                                                          |
| --------------------------------------- | --------------------------------------------------------------- |
| BOOLEAN                                 | INTEGER 0 or 1                                                  |
| TINYINT SMALLINT INT BIGINT, intervals  | INTEGER (months, milliseconds)                                  |
| FLOAT DOUBLE                            | REAL; NaN is the TEXT `NaN`, as SQLite has none                 |
| DECIMAL(p, s)                           | TEXT with all s digits behind the point, so that it stays exact |
| CHAR VARCHAR STRING                     | TEXT                                                            |
| BINARY VARBINARY BYTES                  | BLOB                                                            |
| DATE                                    | TEXT `YYYY-MM-DD`                                               |
| TIME(p)                                 | TEXT `HH:MM:SS` with p digits of the fraction                   |
| TIMESTAMP(p)                            | TEXT `YYYY-MM-DD HH:MM:SS` with p digits of the fraction        |
| TIMESTAMP_LTZ(p)                        | the same in UTC with `Z`                                        |
"""

from __future__ import annotations

import polars as pl

from tailrace.connectors.texts import of_text, time_text
from tailrace.errors import ConfigError, Location
from tailrace.schema import BINARIES, FLOATS, INTEGERS, INTERVALS, TIMESTAMPS, DataType, Field, Kind, Schema

NAN = "NaN"
_TEXT = (Kind.DECIMAL, Kind.CHAR, Kind.VARCHAR, Kind.DATE, Kind.TIME, *TIMESTAMPS)
_INTEGER = (Kind.BOOLEAN, *INTEGERS, *INTERVALS)


def quote(name: str) -> str:
    """
    Write a name so that it is one, whatever is in it.

    >>> print(quote('a"b'))
    "a""b"
    """
    return '"' + name.replace('"', '""') + '"'


def storage(of: DataType) -> str:
    """Give the SQLite type that a column is declared with."""
    if of.kind in _INTEGER:
        return "INTEGER"
    if of.kind in FLOATS:
        return "REAL"
    return "BLOB" if of.kind in BINARIES else "TEXT"


def refuse_nested(schema: Schema, location: Location | None) -> None:
    """
    Check that each column has a place in SQLite.

    Raises:
        ConfigError: one is an ARRAY, MAP or ROW.
    """
    for field in schema:
        if field.type.kind not in (*_INTEGER, *FLOATS, *BINARIES, *_TEXT):
            message = f"column '{field.name}' of type {field.type.sql()} has no place in SQLite"
            raise ConfigError(message, hint="write its fields as columns", location=location)


def written(field: Field) -> pl.Expr:
    """Give the expression that makes what SQLite stores."""
    value, of = pl.col(field.name), field.type
    match of.kind:
        case Kind.BOOLEAN:
            return value.cast(pl.Int64)
        case Kind.INTERVAL_SECOND:
            return value.dt.total_milliseconds()
        case Kind.DECIMAL | Kind.DATE:
            return value.cast(pl.String)
        case Kind.TIME | Kind.TIMESTAMP | Kind.TIMESTAMP_LTZ:
            return time_text(value, of)
    return value


def read(field: Field) -> pl.Expr:
    """Give the expression that makes the column's type of what SQLite stored; NULL where it can't."""
    value, of = pl.col(field.name), field.type
    if of.kind is Kind.BOOLEAN:
        return pl.when(value.is_in([0, 1])).then(value.cast(pl.Boolean))
    return value.cast(of.polars) if of.kind is Kind.INTERVAL_SECOND else of_text(value, of)


def raw_type(of: DataType) -> pl.DataType:
    """Give the Polars type of a column as it comes from SQLite."""
    if of.kind in _INTEGER:
        return pl.Int64()
    if of.kind in FLOATS:
        return pl.Float64()
    return pl.Binary() if of.kind in BINARIES else pl.String()


def selected(field: Field) -> str:
    """Give the SQL that reads a column; a value of another kind than the column's reads as NULL."""
    name = quote(field.name)
    if field.type.kind in _TEXT:
        return f"CASE WHEN {_fits(field)} THEN CAST({name} AS TEXT) END"
    if field.type.kind in FLOATS:
        return f"CASE WHEN {_fits(field)} AND typeof({name}) <> 'text' THEN CAST({name} AS REAL) END"
    return f"CASE WHEN {_fits(field)} THEN {name} END"


def _fits(field: Field) -> str:
    """Give the SQL that tells whether a value is of the column's kind (or NULL)."""
    name, kind = quote(field.name), field.type.kind
    if kind in _TEXT:
        return f"typeof({name}) <> 'blob'"
    if kind in FLOATS:
        return f"(typeof({name}) IN ('null', 'integer', 'real') OR {name} = '{NAN}')"
    return f"typeof({name}) IN ('null', '{'blob' if kind in BINARIES else 'integer'}')"


def misfit(schema: Schema) -> str:
    """Give the SQL of the number of the first column whose value is of another kind; -1 if there is none."""
    cases = [f"WHEN NOT {_fits(f)} THEN {i}" for i, f in enumerate(schema)]
    return f"CASE {' '.join(cases)} ELSE -1 END" if cases else "-1"


def is_nan(field: Field) -> str:
    """Give the SQL that tells of a value of a FLOAT or DOUBLE column that it is NaN."""
    return f"coalesce({quote(field.name)} = '{NAN}', 0)"
