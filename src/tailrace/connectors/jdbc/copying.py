"""PostgreSQL by COPY: whole frames as one CSV text, both ways, without a Python value for each cell."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from tailrace.connectors.texts import read_texts, text
from tailrace.formats.base import Reject
from tailrace.schema import BINARIES, Kind, Schema


def copy_in(
    connection: sa.Connection, target: str, columns: Sequence[str], frame: pl.DataFrame, schema: Schema
) -> None:
    """Add a frame to a table; `target` and `columns` are quoted."""
    null = uuid.uuid4().hex  # no value is the same
    texts = frame.select([_written(schema, name) for name in schema.names])
    data = texts.write_csv(include_header=False, null_value=null).encode()
    _run(
        connection,
        f"COPY {target} ({', '.join(columns)}) FROM STDIN WITH (FORMAT csv, NULL '{null}')",
        io.BytesIO(data),
    )


def copy_out(connection: sa.Connection, query: str, schema: Schema) -> tuple[pl.DataFrame, list[Reject]]:
    """Give the rows of a query whose columns are those of a schema."""
    null = uuid.uuid4().hex
    out = io.BytesIO()
    _run(connection, f"COPY ({query}) TO STDOUT WITH (FORMAT csv, NULL '{null}', FORCE_QUOTE *)", out)
    out.seek(0)
    raw = pl.read_csv(
        out,
        has_header=False,
        null_values=null,
        empty_string_is_null=False,
        raise_if_empty=False,
        schema=dict.fromkeys(schema.names, pl.String),
    )
    return read_texts(raw.select([_read(schema, name) for name in schema.names]), schema)


def _run(connection: sa.Connection, statement: str, stream: io.BytesIO) -> None:
    cursor: Any = connection.connection.cursor()
    try:
        cursor.execute(statement, stream=stream)
    finally:
        cursor.close()


def _written(schema: Schema, name: str) -> pl.Expr:
    field = schema[name]
    if field.type.kind in BINARIES:
        return pl.concat_str([pl.lit("\\x"), pl.col(name).bin.encode("hex")]).alias(name)
    return text(field).alias(name)


def _read(schema: Schema, name: str) -> pl.Expr:
    """Give the expression that makes our text of PostgreSQL's."""
    value, of = pl.col(name), schema[name].type
    if of.kind is Kind.BOOLEAN:
        return value.replace({"t": "true", "f": "false"})
    if of.kind is Kind.TIMESTAMP_LTZ:
        return value.str.replace(r"\+00(:00)?$", "Z")
    if of.kind in BINARIES:
        return value.str.strip_prefix("\\x").str.decode("hex", strict=False)
    return value
