"""Columns to rows of CSV, as texts put together column by column."""

from __future__ import annotations

from typing import Any

import polars as pl

from tailrace.errors import DataError
from tailrace.formats.base import Encoder, Rows
from tailrace.formats.csv.options import Dialect
from tailrace.formats.csv.values import check
from tailrace.formats.texts import decimal_texts, lines, scalar_texts
from tailrace.options import Values
from tailrace.schema import STRINGS, DataType, Kind, Schema


class CsvEncoder(Encoder):
    """
    Writes each row as its fields in the order of the schema, quoted where they need it.

    Raises:
        UnsupportedError: a type that CSV can't carry.
    """

    def __init__(self, schema: Schema, options: Values) -> None:
        for field in schema:
            check(field.type)
        self._schema = schema
        self._dialect = Dialect.of(options)
        self._plain: bool = not options["write-bigdecimal-in-scientific-notation"]

    def encode(self, frame: pl.DataFrame) -> Rows:
        if not len(frame):
            return Rows.of([])
        columns = [self._fields(frame[f.name], f.type).alias(f"v{i}") for i, f in enumerate(self._schema)]
        joined = pl.concat_str([pl.col(c.name) for c in columns], separator=self._dialect.delimiter)
        return lines(pl.DataFrame(columns).select(joined).to_series())

    def _fields(self, values: pl.Series, kind: DataType) -> pl.Series:
        """Give the fields of a column, quoted where they need it."""
        texts = self._nested(values, kind) if kind.children else self._texts(values, kind)
        if kind.kind in STRINGS or kind.children:
            texts = self._safe(texts)
        return texts.fill_null(self._dialect.null or "")

    def _texts(self, values: pl.Series, kind: DataType) -> pl.Series:
        if kind.kind is Kind.DECIMAL:
            return decimal_texts(values, plain=self._plain)
        return scalar_texts(values, kind)

    def _safe(self, texts: pl.Series) -> pl.Series:
        """
        Quote or escape what would be read as something else.

        Raises:
            DataError: the dialect has no way to write a text.
        """
        dialect = self._dialect
        marks = [dialect.delimiter, "\n", "\r", *filter(None, (dialect.quote, dialect.escape, dialect.comment))]
        needs = texts.str.contains_any(marks)
        if len(self._schema) == 1:
            needs |= texts == ""  # an empty line would be no row
        if not needs.any():
            return texts
        escaped = texts if dialect.escape is None else texts.str.replace_all(
            dialect.escape, dialect.escape * 2, literal=True
        )  # fmt: skip
        if dialect.quote is None:
            return self._escaped(escaped, needs)
        quote = dialect.quote
        quoted = quote + escaped.str.replace_all(quote, quote * 2, literal=True) + quote
        return quoted.zip_with(needs.fill_null(value=False), texts)

    def _escaped(self, texts: pl.Series, needs: pl.Series) -> pl.Series:
        delimiter, escape = self._dialect.delimiter, self._dialect.escape
        if escape is None or texts.str.contains_any(["\n", "\r"]).any():
            row = needs.arg_true()[0]
            raise DataError(
                f"row {row} of a batch has a text with a delimiter or a line end, and the quote character is disabled",
                hint="leave 'csv.disable-quote-character' out",
            )
        return texts.str.replace_all(delimiter, escape + delimiter, literal=True)

    def _nested(self, values: pl.Series, kind: DataType) -> pl.Series:
        """Give arrays and rows as their elements with a delimiter between them."""
        out = [None if v is None else self._joined(v, kind) for v in values.to_list()]
        return pl.Series(out, dtype=pl.String)

    def _joined(self, value: Any, kind: DataType) -> str:
        between = self._dialect.element_delimiter
        elements = [value[n] for n in kind.names] if kind.kind is Kind.ROW else value
        kinds = kind.children if kind.kind is Kind.ROW else kind.children * len(elements)
        parts = [self._element(v, k) for v, k in zip(elements, kinds, strict=True)]
        if any(between in part for part in parts):
            raise DataError(
                f"an element of {kind.sql()} has the delimiter '{between}' within it",
                hint="choose another 'csv.array-element-delimiter'",
            )
        return between.join(parts)

    def _element(self, value: Any, kind: DataType) -> str:
        if value is None:
            return self._dialect.null or ""
        found: str = scalar_texts(pl.Series([value], dtype=kind.polars), kind)[0]
        return found
