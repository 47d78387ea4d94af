"""Rows that a test writes, as the columns that a source gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from tailrace.errors import ConfigError, did_you_mean
from tailrace.plan.catalog import Table
from tailrace.schema import BINARIES, TIMESTAMPS, Field, Kind, Schema

Rows = pl.DataFrame | Iterable[Mapping[str, Any]]
"""Rows as a frame or as dictionaries; a column that is left out is NULL."""


def columns(rows: Rows, table: Table, schema: Schema) -> pl.DataFrame:
    """
    Give rows with the columns that a source of a table gives; times, dates and decimals may be texts.

    Raises:
        ConfigError: the table has no such column, or a value does not fit its column.
    """
    frame = rows if isinstance(rows, pl.DataFrame) else _frame(list(rows))
    known = [c.name for c in table.columns]
    for name in frame.columns:
        if name not in known:
            raise ConfigError(f"table '{table.name}' has no column '{name}'", hint=did_you_mean(name, known))
    return pl.DataFrame({f.name: _column(frame, f, table.name) for f in schema})


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame({n: pl.Series(n, [row.get(n) for row in rows], strict=False) for n in names})


def _column(frame: pl.DataFrame, field: Field, table: str) -> pl.Series:
    if field.name not in frame.columns:
        return pl.Series(field.name, [None] * len(frame), field.type.polars)
    values = frame[field.name]
    try:
        return _cast(values, field).alias(field.name)
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"column '{field.name}' of table '{table}' is {field.type}: {error}") from None


def _cast(values: pl.Series, field: Field) -> pl.Series:
    kind = field.type.kind
    if values.dtype == pl.String and kind in TIMESTAMPS:
        zone = "UTC" if kind is Kind.TIMESTAMP_LTZ else None
        return values.str.to_datetime(time_unit=field.type.time_unit, time_zone=zone)
    if values.dtype == pl.String and kind is Kind.DATE:
        return values.str.to_date()
    if values.dtype == pl.String and kind is Kind.TIME:
        return values.str.to_time()
    if values.dtype == pl.Binary and kind in BINARIES:
        return values
    return values.cast(field.type.polars)
