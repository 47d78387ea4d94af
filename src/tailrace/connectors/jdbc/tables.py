"""A table of a database: written by key, read in order and asked for keys, by COPY in PostgreSQL and by rows elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from tailrace.connectors.bulk import split_kinds
from tailrace.connectors.jdbc.copying import copy_in, copy_out
from tailrace.connectors.jdbc.database import Database
from tailrace.connectors.jdbc.types import sql_table
from tailrace.connectors.python_rows import frame_of, rows_of
from tailrace.errors import ConfigError, did_you_mean
from tailrace.formats.base import Reject
from tailrace.schema import Schema

_STAGED = "_tailrace_rows"
_CHUNK = 5_000
"""So many rows become Python values at a time, where there is no COPY."""

_SCHEMA = "SELECT current_schema()"
_SCHEMA_OF_MYSQL = "SELECT database()"
_COLUMNS = sa.table(
    "columns",
    *(sa.column(name, sa.String()) for name in ("table_schema", "table_name", "column_name")),
    schema="information_schema",
)

Found = tuple[pl.DataFrame, list[Reject]]


@dataclass(frozen=True, slots=True)
class DatabaseTable:
    """One table, with the columns that are used and the key by which its rows are found."""

    database: Database
    name: str
    schema: Schema
    key: tuple[str, ...]

    @property
    def table(self) -> sa.Table:
        """The table as SQLAlchemy knows it."""
        return sql_table(self.name, self.schema, self.key)

    def quoted(self, connection: sa.Connection, *names: str) -> list[str]:
        """Write names so that they are names, whatever is in them."""
        quote = connection.dialect.identifier_preparer.quote_identifier
        return [quote(n) for n in names]

    def target(self, connection: sa.Connection) -> str:
        """Write the table's name, with that of its schema."""
        return ".".join(self.quoted(connection, *self.name.split(".")))

    def refuse_other_columns(self, connection: sa.Connection) -> None:
        """
        Make sure that it is there, with the columns that are used.

        Raises:
            ConfigError: it is not.
        """
        place = f"database {self.database.shown}"
        found = self.columns(connection)
        if not found:
            hint = did_you_mean(self.name, _tables(connection)) or "create it, or set 'tailrace.create-table' = 'true'"
            raise ConfigError(f"{place} has no table '{self.name}'", hint=hint)
        for name in self.schema.names:
            if name not in found:
                hint = did_you_mean(name, found) or f"it has: {', '.join(found)}"
                raise ConfigError(f"table '{self.name}' of {place} has no column '{name}'", hint=hint)

    def columns(self, connection: sa.Connection) -> list[str]:
        """Give the columns that it has in the database; none if it is not there."""
        namespace, _, bare = self.name.rpartition(".")
        query = sa.select(_COLUMNS.c.column_name).where(_COLUMNS.c.table_name == bare)
        place = (
            namespace
            or connection.exec_driver_sql(_SCHEMA_OF_MYSQL if connection.dialect.name == "mysql" else _SCHEMA).scalar()
        )
        return [str(n) for n in connection.execute(query.where(_COLUMNS.c.table_schema == place)).scalars()]

    # writing

    def apply(self, connection: sa.Connection, batch: pl.DataFrame) -> None:
        """Write rows: with a key the last of each, and deletes; else they are added."""
        if not self.key:
            self._append(connection, batch)
            return
        put, gone = split_kinds(batch.unique(subset=list(self.key), keep="last", maintain_order=True))
        if len(gone):
            self._delete(connection, gone)
        if len(put):
            self._upsert(connection, put)

    def _append(self, connection: sa.Connection, rows: pl.DataFrame) -> None:
        if self.database.is_postgres:
            columns = self.quoted(connection, *self.schema.names)
            copy_in(connection, self.target(connection), columns, rows, self.schema)
        else:
            self._execute(connection, sa.insert(self.table), rows, self.schema)

    def _upsert(self, connection: sa.Connection, rows: pl.DataFrame) -> None:
        if self.database.is_postgres:
            columns = ", ".join(self._stage(connection, rows, self.schema))
            connection.exec_driver_sql(
                f"INSERT INTO {self.target(connection)} ({columns}) SELECT {columns} FROM {_STAGED} {self._conflict(connection)}"  # noqa: S608  quoted
            )
            return
        self._execute(connection, self._upsert_statement(), rows, self.schema)

    def _conflict(self, connection: sa.Connection) -> str:
        others = self.quoted(connection, *(n for n in self.schema.names if n not in self.key))
        change = f"UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in others)}" if others else "NOTHING"
        return f"ON CONFLICT ({', '.join(self.quoted(connection, *self.key))}) DO {change}"

    def _upsert_statement(self) -> Any:
        table, others = self.table, [n for n in self.schema.names if n not in self.key]
        if self.database.url.get_backend_name() == "mysql":
            of_mysql = mysql.insert(table)
            return of_mysql.on_duplicate_key_update({n: of_mysql.inserted[n] for n in others or self.key})
        statement = postgresql.insert(table)
        if not others:
            return statement.on_conflict_do_nothing(index_elements=list(self.key))
        return statement.on_conflict_do_update(
            index_elements=list(self.key), set_={n: statement.excluded[n] for n in others}
        )

    def _delete(self, connection: sa.Connection, rows: pl.DataFrame) -> None:
        key = self.schema.select(self.key)
        if self.database.is_postgres:
            names = self._stage(connection, rows, key)
            same = " AND ".join(f"t.{n} = s.{n}" for n in names)
            connection.exec_driver_sql(f"DELETE FROM {self.target(connection)} AS t USING {_STAGED} AS s WHERE {same}")  # noqa: S608  quoted
            return
        table = self.table
        condition = sa.and_(*(table.c[n] == sa.bindparam(f"k_{n}") for n in self.key))
        self._execute(connection, sa.delete(table).where(condition), rows, key, "k_")

    def _stage(self, connection: sa.Connection, rows: pl.DataFrame, schema: Schema) -> list[str]:
        """Put rows into a table of this connection's own; give its columns, quoted."""
        columns = self.quoted(connection, *schema.names)
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{_STAGED}")
        connection.exec_driver_sql(
            f"CREATE TEMP TABLE {_STAGED} AS SELECT {', '.join(columns)} FROM {self.target(connection)} WITH NO DATA"  # noqa: S608  quoted
        )
        copy_in(connection, f"pg_temp.{_STAGED}", columns, rows, schema)
        return columns

    @staticmethod
    def _execute(
        connection: sa.Connection, statement: Any, rows: pl.DataFrame, schema: Schema, prefix: str = ""
    ) -> None:
        names = [prefix + n for n in schema.names]
        for chunk in rows.iter_slices(_CHUNK):
            connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows_of(chunk, schema)])

    # reading

    def read(self, connection: sa.Connection, schema: Schema, query: sa.Select[Any]) -> Found:
        """Give the rows of a query over this table whose columns are those of a schema."""
        if self.database.is_postgres:
            compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
            return copy_out(connection, str(compiled), schema)
        return _framed(connection.execute(query).fetchall(), schema)

    def with_keys(self, connection: sa.Connection, keys: pl.DataFrame, schema: Schema) -> Found:
        """Give the rows of a schema's columns that have one of these keys."""
        names = tuple(keys.columns)
        if self.database.is_postgres:
            quoted = self._stage(connection, keys, self.schema.select(names))
            columns = ", ".join(f"t.{n}" for n in self.quoted(connection, *schema.names))
            same = " AND ".join(f"t.{n} = s.{n}" for n in quoted)
            return copy_out(
                connection,
                f"SELECT {columns} FROM {self.target(connection)} AS t JOIN {_STAGED} AS s ON {same}",  # noqa: S608  quoted
                schema,
            )
        table = self.table
        values = rows_of(keys, self.schema.select(names))
        columns_asked = [table.c[n] for n in names]
        condition = (
            columns_asked[0].in_([v for (v,) in values]) if len(names) == 1 else sa.tuple_(*columns_asked).in_(values)
        )
        return _framed(
            connection.execute(sa.select(*(table.c[n] for n in schema.names)).where(condition)).fetchall(), schema
        )


def _framed(rows: Sequence[Any], schema: Schema) -> Found:
    names = schema.names
    frame, bad = frame_of([dict(zip(names, row, strict=True)) for row in rows], schema, None)
    return frame, [bad[row] for row in sorted(bad)]


def _tables(connection: sa.Connection) -> list[str]:
    return [str(n) for n in connection.execute(sa.select(_COLUMNS.c.table_name).distinct()).scalars()]
