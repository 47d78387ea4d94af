"""
Columns as Druid keeps them: what goes into a row of JSON for it, and what its answers mean.

| Flink                            | Druid                                                        |
| -------------------------------- | ------------------------------------------------------------ |
| BOOLEAN                          | LONG, 1 and 0                                                |
| TINYINT SMALLINT INT BIGINT      | LONG                                                         |
| FLOAT, DOUBLE                    | FLOAT, DOUBLE                                                |
| DECIMAL(p, s), p <= 15           | DOUBLE, which holds so many digits                           |
| DECIMAL(p, s), p > 15            | STRING                                                       |
| CHAR VARCHAR STRING, DATE, TIME  | STRING                                                       |
| BINARY VARBINARY BYTES           | STRING, in base64                                            |
| TIMESTAMP(p), TIMESTAMP_LTZ(p)   | LONG, milliseconds since 1970; p <= 3                        |
| ARRAY of numbers or of texts     | ARRAY<LONG>, ARRAY<DOUBLE>, ARRAY<STRING>                    |
| other ARRAY, MAP, ROW            | COMPLEX<json>                                                |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from tailrace.connectors.texts import of_text, text
from tailrace.errors import ConfigError, Location
from tailrace.schema import (
    BIGINT,
    BINARIES,
    DOUBLE,
    FLOATS,
    INTEGERS,
    MAPS,
    STRING,
    STRINGS,
    TIMESTAMPS,
    TINYINT,
    DataType,
    Field,
    Kind,
    Schema,
)

DIGITS = 15
"""A DOUBLE gives so many decimal digits back as they were."""
MILLISECONDS = 3
JSON = "COMPLEX<json>"
LARGEST_TIME = 2**62
"""Druid takes no times beyond it, in milliseconds."""
_TEXTS = (*STRINGS, *BINARIES, Kind.DATE, Kind.TIME)


def refuse_types(schema: Schema, location: Location | None) -> None:
    """
    Make sure that Druid has a place for each column.

    Raises:
        ConfigError: one is of a type that it has not.
    """
    for field in schema:
        if field.type.kind in TIMESTAMPS and field.type.precision > MILLISECONDS:
            message = f"column '{field.name}' of type {field.type.sql()}: Druid keeps milliseconds"
            hint = f"declare it {field.type.kind.value}(3), and cast"
            raise ConfigError(message, hint=hint, location=location)
        if dimension(field.type) is None:
            message = f"column '{field.name}' of type {field.type.sql()} has no place in a datasource"
            raise ConfigError(message, hint="cast it, or leave it out", location=location)


def dimension(of: DataType) -> str | None:
    """
    Give the type of the dimension that a column becomes, as Druid names it; None if there is none.

    >>> dimension(BIGINT), dimension(STRING)
    ('LONG', 'STRING')
    """
    kind = of.kind
    if kind is Kind.BOOLEAN or kind in (*INTEGERS, *TIMESTAMPS):
        return "LONG"
    if kind in FLOATS:
        return str(kind.value)
    if kind is Kind.DECIMAL:
        return "DOUBLE" if of.precision <= DIGITS else "STRING"
    if kind in _TEXTS:
        return "STRING"
    if kind is Kind.ARRAY:
        inner = of.children[0].kind
        numbers = "LONG" if inner in INTEGERS else "DOUBLE" if inner in FLOATS else None
        return f"ARRAY<{'STRING' if inner in STRINGS else numbers}>" if numbers or inner in STRINGS else JSON
    return JSON if kind in (*MAPS, Kind.ROW) else None


def dimension_spec(field: Field) -> dict[str, Any]:
    """Give the spec of the dimension of a column."""
    found = dimension(field.type)
    assert found is not None, "types are looked at before"
    if found.startswith("ARRAY"):
        return {"type": "auto", "name": field.name, "castToType": found}
    return {"type": "json" if found == JSON else found.lower(), "name": field.name}


def wire_type(of: DataType) -> DataType:
    """Give the type as which a column is written into JSON for Druid."""
    kind = of.kind
    if kind is Kind.BOOLEAN:
        return TINYINT
    if kind in TIMESTAMPS:
        return BIGINT
    if kind is Kind.DECIMAL:
        return DOUBLE if of.precision <= DIGITS else STRING
    return of


def wire_schema(schema: Schema) -> Schema:
    """Give the columns as they are written; all may be NULL."""
    return Schema(tuple(Field(f.name, wire_type(f.type).with_nullable(True)) for f in schema))


def _to_wire(field: Field) -> pl.Expr:
    value, of = pl.col(field.name), field.type
    if of.kind is Kind.BOOLEAN:
        return value.cast(pl.Int8)
    if of.kind in TIMESTAMPS:
        return value.dt.epoch("ms")
    if of.kind is Kind.DECIMAL:
        return value.cast(pl.Float64) if of.precision <= DIGITS else text(field)
    return value


def to_wire(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Give rows as they are written; columns beside those of the schema stay as they are."""
    return frame.with_columns(_to_wire(f).alias(f.name) for f in schema if wire_type(f.type) != f.type)


def from_wire(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Take back what `to_wire` did."""
    return frame.with_columns(_from_wire(f).alias(f.name) for f in schema if wire_type(f.type) != f.type)


def _from_wire(field: Field) -> pl.Expr:
    value, of = pl.col(field.name), field.type
    if of.kind is Kind.BOOLEAN:
        return value != 0
    if of.kind in TIMESTAMPS:
        return of_millis(value, of)
    if of.precision <= DIGITS:
        return value.round(of.scale).cast(of.polars)
    return of_text(value, of)


def of_millis(value: pl.Expr, of: DataType) -> pl.Expr:
    """Give milliseconds since 1970 as a timestamp."""
    moment = pl.from_epoch(value, time_unit="ms").cast(pl.Datetime("ms")).dt.cast_time_unit(of.time_unit)
    return moment.dt.replace_time_zone("UTC") if of.kind is Kind.TIMESTAMP_LTZ else moment


def untimed(frame: pl.DataFrame, field: Field) -> pl.Series:
    """Tell which rows have no time, or one that Druid refuses."""
    value = pl.col(field.name)
    odd = value.is_null()
    if field.type.kind is Kind.BIGINT:
        odd = odd | (value.abs() > LARGEST_TIME) | (value == pl.lit(-(2**63), pl.Int64))
    return frame.select(odd.alias("odd")).to_series()


class Answered:
    """What Druid's answers are, column by column: what to ask for, what to decode, and how columns come of that."""

    def __init__(self, schema: Schema, names: Sequence[str], kinds: Sequence[str]) -> None:
        """Take the wanted columns, the name that each has in Druid, and its type there (`LONG`, `COMPLEX<json>` ...)."""
        self.schema = schema
        self._names = dict(zip(schema.names, names, strict=True))
        self._kinds = dict(zip(schema.names, kinds, strict=True))

    @property
    def selected(self) -> list[str]:
        """The expressions to ask for, in SQL."""
        return [f"{self._asked(f.name)} AS {quoted(f.name)}" for f in self.schema]

    def _asked(self, name: str) -> str:
        column = quoted(self._names[name])
        return f"TIMESTAMP_TO_MILLIS({column})" if self._kinds[name] == "TIMESTAMP" else column

    @property
    def decoded(self) -> Schema:
        """The types by which the lines of an answer are decoded."""
        return Schema(tuple(replace(f, type=self._decoded(f)) for f in self.schema))

    def _decoded(self, field: Field) -> DataType:
        kind, of = self._kinds[field.name], field.type
        if of.kind in TIMESTAMPS and kind in ("TIMESTAMP", "LONG"):
            return BIGINT
        if of.kind is Kind.BOOLEAN and kind == "LONG":
            return BIGINT
        if of.kind is Kind.DECIMAL and kind == "STRING":
            return STRING
        return STRING if kind == JSON else of.with_nullable(True)

    def columns(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give the columns of what was decoded, but for those in `nested`."""
        return frame.with_columns(
            self._made(f).alias(f.name) for f in self.schema if self._decoded(f) != f.type.with_nullable(True)
        )

    def _made(self, field: Field) -> pl.Expr:
        value, of = pl.col(field.name), field.type
        if field.name in self.nested:
            return value
        if of.kind in TIMESTAMPS:
            return of_millis(value, of)
        if of.kind is Kind.BOOLEAN:
            return value != 0
        return of_text(value, of)

    @property
    def nested(self) -> tuple[str, ...]:
        """The columns whose values are texts of JSON still."""
        return tuple(f.name for f in self.schema if self._kinds[f.name] == JSON and f.type.kind not in STRINGS)


def quoted(name: str) -> str:
    """
    Give a name as Druid's SQL writes it.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'
