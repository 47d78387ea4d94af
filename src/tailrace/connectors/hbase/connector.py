"""The connector's face: from the options of a table to a source, a sink or a lookup."""

from __future__ import annotations

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.bulk import Bulk
from tailrace.connectors.hbase.client import Server
from tailrace.connectors.hbase.layout import Layout
from tailrace.connectors.hbase.lookup import HbaseLookup
from tailrace.connectors.hbase.options import OPTIONS
from tailrace.connectors.hbase.sink import HbaseSink
from tailrace.connectors.hbase.source import HbaseSource
from tailrace.errors import ConfigError, did_you_mean
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import TIMESTAMPS, Schema


class HbaseConnector(Connector):
    """Tables of HBase."""

    name = "hbase"
    doc = "Tables of Apache HBase, by its Thrift server: scanned, written and looked up in by row key."
    options = OPTIONS
    place = "table-name"
    formats = False
    lookups = True

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> HbaseSource:
        layout = Layout.of(table, options, schema)
        start, end = options["scan.row-start"].encode(), options["scan.row-end"].encode()
        return HbaseSource(Server.of(options), layout, start, end, options["scan.fetch-size"])

    def refuses_updates(self, table: Table) -> str:
        return ""

    def sink(self, table: Table, options: Values, context: Context) -> HbaseSink:
        layout = Layout.of(table, options, table.written)
        if not layout.cells:
            message = f"table '{table.name}' has a row key and no cells"
            raise ConfigError(message, hint="add a column", location=table.location)
        bulk = Bulk(
            options["sink.buffer-flush.max-rows"],
            options["sink.buffer-flush.max-size"],
            options["sink.max-in-flight"],
            options["sink.buffer-flush.interval"] / 1000,
            tuple(layout.key.names),
        )
        return HbaseSink(
            Server.of(options),
            layout,
            bulk,
            created=options["tailrace.create-table"],
            keeps=options["sink.ignore-null-value"],
            timestamp=_timestamp(table, options),
        )

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> HbaseLookup:
        layout = Layout.of(table, options, schema)
        if set(keys) != set(layout.key.names):
            needed = ", ".join(layout.key.names)
            message = f"table '{table.name}' of connector 'hbase' is looked up in by its whole row key: {needed}"
            raise ConfigError(message, hint=f"compare {needed} in the join", location=table.location)
        return HbaseLookup(Server.of(options), layout)


def _timestamp(table: Table, options: Values) -> str | None:
    name: str | None = options["write-timestamp-column"]
    if name is None:
        return None
    at = options.location("write-timestamp-column")
    if name not in table.written:
        hint = did_you_mean(name, table.written.names)
        raise ConfigError(f"'write-timestamp-column' names no column '{name}'", hint=hint, location=at)
    if table.written[name].type.kind not in TIMESTAMPS:
        raise ConfigError(f"column '{name}' of 'write-timestamp-column' is no TIMESTAMP", location=at)
    return name


CONNECTOR = HbaseConnector()
