"""
Which SQL type carries which of Flink's types.

| Flink                      | PostgreSQL         | MySQL           | DuckDB         |
| -------------------------- | ------------------ | --------------- | -------------- |
| BOOLEAN                    | boolean            | bool            | boolean        |
| TINYINT SMALLINT           | smallint           | smallint        | smallint       |
| INT BIGINT, intervals      | integer, bigint    | integer, bigint | integer, bigint |
| FLOAT DOUBLE               | double precision   | double          | double         |
| DECIMAL(p, s)              | numeric(p, s)      | numeric(p, s)   | numeric(p, s)  |
| CHAR VARCHAR STRING        | text               | text; varchar(255) in keys | text |
| BINARY VARBINARY BYTES     | bytea              | blob            | blob           |
| DATE TIME                  | date, time         | date, time(6)   | date, time     |
| TIMESTAMP TIMESTAMP_LTZ    | timestamp, timestamptz | datetime(6), in UTC | timestamp, timestamptz |
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from tailrace.schema import BINARIES, FLOATS, DataType, Field, Kind, Schema

_WHOLE = {Kind.TINYINT: sa.SmallInteger, Kind.SMALLINT: sa.SmallInteger, Kind.INT: sa.Integer}


class _Exact(sa.types.UserDefinedType[Any]):
    """A number that goes to DuckDB as text: its client makes a double of a Decimal."""

    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        self.precision = precision
        self.scale = scale

    def get_col_spec(self, **_: Any) -> str:
        return f"NUMERIC({self.precision}, {self.scale})"

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        return lambda value: None if value is None else str(value)


def sql_type(of: DataType, *, in_key: bool = False) -> sa.types.TypeEngine[Any]:
    """Give the type of a column in the database."""
    match of.kind:
        case Kind.BOOLEAN:
            return sa.Boolean()
        case Kind.DECIMAL:
            return sa.Numeric(of.precision, of.scale).with_variant(_Exact(of.precision, of.scale), "duckdb")
        case Kind.DATE:
            return sa.Date()
        case Kind.TIME:
            return sa.Time().with_variant(mysql.TIME(fsp=6), "mysql")
        case Kind.TIMESTAMP | Kind.TIMESTAMP_LTZ:
            zone = of.kind is Kind.TIMESTAMP_LTZ
            return sa.DateTime(timezone=zone).with_variant(mysql.DATETIME(fsp=6), "mysql")
        case k if k in _WHOLE:
            return _WHOLE[k]()
        case Kind.CHAR | Kind.VARCHAR:
            return sa.Text().with_variant(sa.String(255), "mysql") if in_key else sa.Text()
        case k if k in FLOATS:
            return sa.Double()
        case k if k in BINARIES:
            return sa.LargeBinary()
    return sa.BigInteger()


def sql_table(name: str, schema: Schema, key: tuple[str, ...]) -> sa.Table:
    """Give a table of the database with the columns of a schema; the name may have that of a schema before a point."""
    namespace, _, bare = name.rpartition(".")
    quoted = sa.quoted_name(bare, quote=True)
    space = sa.quoted_name(namespace, quote=True) if namespace else None
    return sa.Table(quoted, sa.MetaData(), *(_column(f, f.name in key) for f in schema), schema=space)


def _column(field: Field, in_key: bool) -> sa.Column[Any]:
    kind = sql_type(field.type, in_key=in_key)
    name = sa.quoted_name(field.name, quote=True)  # a word that is reserved here or there
    return sa.Column(name, kind, primary_key=in_key, nullable=field.type.nullable and not in_key, autoincrement=False)
