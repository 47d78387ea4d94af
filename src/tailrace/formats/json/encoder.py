"""Columns to rows of JSON."""

from __future__ import annotations

import polars as pl

from tailrace.formats.base import Encoder, Rows
from tailrace.formats.json.objects import Objects, Style
from tailrace.formats.texts import lines
from tailrace.options import Values
from tailrace.schema import Schema


class JsonEncoder(Encoder):
    """Writes each row as one object with a field for each column."""

    def __init__(self, schema: Schema, options: Values) -> None:
        self._objects = Objects(schema, style(options))

    def encode(self, frame: pl.DataFrame) -> Rows:
        return lines(self._objects.texts(frame)) if len(frame) else Rows.of([])


def style(options: Values) -> Style:
    """Give the style that the options of a format ask for."""
    mode: str = options["map-null-key.mode"]
    return Style(
        separator="T" if options["timestamp-format.standard"] == "ISO-8601" else " ",
        decimals="plain" if options["encode.decimal-as-plain-number"] else "number",
        without_nulls=options["encode.ignore-null-fields"],
        null_key=options["map-null-key.literal"] if mode == "LITERAL" else None,
        drop_null_keys=mode == "DROP",
    )
