"""The values of partition columns, from the folders `key=value` of a file's name."""

from __future__ import annotations

import os

import polars as pl

from tailrace.connectors.filesystem.paths import partition_values
from tailrace.errors import TerminalError
from tailrace.schema import TIMESTAMPS, Kind, Schema


def folder_columns(name: str, folders: Schema, keys: tuple[str, ...], default: str) -> pl.DataFrame:
    """
    Give one row with the values of those partition columns (`keys`) that are asked for (`folders`), from the folders of a file's name.

    Raises:
        TerminalError: a folder is missing, or its value does not fit the column's type.
    """
    if not len(folders):
        return pl.DataFrame()
    texts = partition_values(name.replace(os.sep, "/"), keys, default)
    columns = []
    for field in folders:
        column = pl.Series(field.name, [texts[field.name]], dtype=pl.String)
        try:
            columns.append(_cast(column, field.type.kind, field.type.polars))
        except pl.exceptions.PolarsError:
            message = f"folder '{field.name}={texts[field.name]}' of file '{name}' is no {field.type.sql()}"
            raise TerminalError(message) from None
    return pl.DataFrame(columns)


def _cast(column: pl.Series, kind: Kind, wanted: pl.DataType) -> pl.Series:
    if kind is Kind.BOOLEAN:
        words = column.str.to_lowercase().replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=wanted
        )
        if words.null_count() > column.null_count():
            raise pl.exceptions.InvalidOperationError("no boolean")
        return words
    if kind is Kind.DATE:
        return column.str.to_date("%Y-%m-%d", strict=True)
    if kind is Kind.TIME:
        return column.str.to_time("%H:%M:%S%.f", strict=True)
    if kind in TIMESTAMPS:
        zone = "UTC" if kind is Kind.TIMESTAMP_LTZ else None
        return column.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone=zone, strict=True).cast(wanted)
    return column.cast(wanted, strict=True)
