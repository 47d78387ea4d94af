"""The connector `sqlite`: from the options of a table to a source or sink."""

from __future__ import annotations

from pathlib import Path

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.declared import require_key_columns
from tailrace.connectors.sqlite.lookup import SqliteLookup
from tailrace.connectors.sqlite.sink import SqliteSink, Target
from tailrace.connectors.sqlite.source import Origin, SqliteSource
from tailrace.connectors.sqlite.types import refuse_nested
from tailrace.errors import ConfigError
from tailrace.options import Option, OptionSet, Values, boolean, duration, integer, memory_size, positive, string
from tailrace.plan.catalog import Table
from tailrace.schema import Schema


def _busy(text: str) -> int:
    if (value := duration(text)) > 600_000:
        raise ValueError("expected at most 10 minutes")
    return value


OPTIONS = OptionSet(
    "connector 'sqlite'",
    (
        Option("path", string, doc="the file of the database; a sink creates it", required=True),
        Option("table-name", string, doc="the name in the database; without it, that of the table"),
        Option("sink.buffer-flush.max-bytes", memory_size, 64 << 20, "more rows of an epoch wait in a file"),
        Option("scan.fetch-size", positive(integer), 65_536, "how many rows to read at a time"),
        Option("tailrace.create-table", boolean, True, "create the table in the database if it is missing"),
        Option("tailrace.busy-timeout", _busy, 30_000, "how long to wait for other programs that write to the file"),
    ),
)


class SqliteConnector(Connector):
    """Tables in a SQLite file."""

    name = "sqlite"
    doc = "Tables of a SQLite file: results that can be queried at once, without a server."
    options = OPTIONS
    place = "path"
    formats = False
    lookups = True

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> SqliteSource:
        return SqliteSource(_origin(table, options, schema))

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> SqliteLookup:
        return SqliteLookup(_origin(table, options, schema), keys)

    def refuses_updates(self, table: Table) -> str:
        return "" if table.primary_key else "it has no PRIMARY KEY to find the rows by"

    def sink(self, table: Table, options: Values, context: Context) -> SqliteSink:
        refuse_nested(table.written, table.location)
        require_key_columns(table, table.written)
        return SqliteSink(
            Target(
                path=_path(options),
                table=options["table-name"] or table.name,
                schema=table.written,
                key=table.primary_key,
                create=options["tailrace.create-table"],
                buffer_bytes=options["sink.buffer-flush.max-bytes"],
                busy_seconds=options["tailrace.busy-timeout"] / 1000,
                job=context.job,
                sink=context.folder.name,
                folder=context.folder,
            )
        )


def _origin(table: Table, options: Values, schema: Schema) -> Origin:
    refuse_nested(schema, table.location)
    name = options["table-name"] or table.name
    busy = options["tailrace.busy-timeout"] / 1000
    return Origin(_path(options), name, schema, options["scan.fetch-size"], busy, options.location("path"))


def _path(options: Values) -> Path:
    text = str(options["path"]).removeprefix("file://")
    if not text or "\0" in text or text == ":memory:":
        raise ConfigError(f"'{text}' is no path of a file", location=options.location("path"))
    return Path(text).expanduser()


CONNECTOR = SqliteConnector()
