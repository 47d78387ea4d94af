"""Encoders of row formats for files: each row ends with a line feed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from tailrace.formats import registry
from tailrace.formats.avro.container import ContainerEncoder
from tailrace.formats.base import Encoder, Rows, refuse_variants
from tailrace.plan.catalog import Table
from tailrace.schema import Schema


def row_encoder(format_name: str, table: Table, schema: Schema) -> Callable[[], Encoder]:
    """
    Give a maker of encoders for the format and its options in a table.

    Raises:
        ConfigError: an option of the format is wrong.
    """
    chosen = registry.get(format_name)
    refuse_variants(schema, format_name)
    prefix = f"{format_name}."
    given = {key.removeprefix(prefix): text for key, text in table.options.items() if key.startswith(prefix)}
    options = chosen.options.parse(given, at=table.location)

    def make() -> Encoder:
        if format_name == "avro":
            return ContainerEncoder(schema, options)
        encoder = chosen.encoder(schema, options)
        return LineEncoder(encoder) if format_name == "raw" else encoder

    return make


class LineEncoder(Encoder):
    """Puts a line feed behind each row of a format that has none of its own."""

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner

    def encode(self, frame: pl.DataFrame) -> Rows:
        rows = self._inner.encode(frame)
        sizes = rows.ends - rows.starts
        ends = np.cumsum(sizes + 1) - 1
        data = np.full(int(sizes.sum()) + len(rows), 10, dtype=np.uint8)
        is_row = np.ones(len(data), dtype=np.bool_)
        is_row[ends] = False
        data[is_row] = _gathered(rows, sizes)
        return Rows(data, ends - sizes, ends)


def _gathered(rows: Rows, sizes: np.ndarray) -> np.ndarray:
    """Give the bytes of all rows without what is between them."""
    begins = np.cumsum(sizes) - sizes
    return rows.data[np.repeat(rows.starts - begins, sizes) + np.arange(int(sizes.sum()))]
