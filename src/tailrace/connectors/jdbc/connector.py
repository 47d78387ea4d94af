"""The connector's face: from the options of a table to a source, sink or lookup."""

from __future__ import annotations

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.declared import require_key_columns
from tailrace.connectors.epoch_rows import EpochRows
from tailrace.connectors.jdbc.database import Database
from tailrace.connectors.jdbc.lookup import JdbcLookup
from tailrace.connectors.jdbc.options import OPTIONS
from tailrace.connectors.jdbc.sink import JdbcSink
from tailrace.connectors.jdbc.source import JdbcSource, Scan
from tailrace.connectors.jdbc.tables import DatabaseTable
from tailrace.connectors.texts import refuse_textless
from tailrace.errors import ConfigError, did_you_mean
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema


class JdbcConnector(Connector):
    """Tables of PostgreSQL, MySQL and DuckDB."""

    name = "jdbc"
    doc = "Tables of PostgreSQL, MySQL and DuckDB: exactly-once in their own transactions."
    options = OPTIONS
    place = "table-name"
    formats = False
    lookups = True

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> JdbcSource:
        of = _of(table, options, table.physical)
        poll = options["scan.poll.column"]
        if poll is not None and poll not in of.schema:
            hint = did_you_mean(poll, of.schema.names)
            at = options.location("scan.poll.column")
            raise ConfigError(f"'scan.poll.column' names no column '{poll}'", hint=hint, location=at)
        order = tuple(dict.fromkeys((*([poll] if poll else []), *table.primary_key)))
        seconds = options["scan.poll.interval"] / 1000 if poll else None
        return JdbcSource(Scan(of, schema, order, options["scan.fetch-size"], seconds))

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> JdbcLookup:
        return JdbcLookup(_of(table, options, table.physical), schema)

    def refuses_updates(self, table: Table) -> str:
        return "" if table.primary_key else "it has no PRIMARY KEY to find the rows by"

    def sink(self, table: Table, options: Values, context: Context) -> JdbcSink:
        of = _of(table, options, table.written)
        rows = EpochRows(context.folder, options["sink.buffer-flush.max-bytes"])
        return JdbcSink(of, rows, context.job, context.folder.name, create=options["tailrace.create-table"])


def _of(table: Table, options: Values, schema: Schema) -> DatabaseTable:
    refuse_textless(schema, "a table of a database", table.location)
    require_key_columns(table, schema)
    return DatabaseTable(Database.of(options), options["table-name"] or table.name, schema, table.primary_key)


CONNECTOR = JdbcConnector()
