"""The connector's face: from the options of a table to a source, a sink or a lookup."""

from __future__ import annotations

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.bulk import Bulk
from tailrace.connectors.declared import require_whole_key, write_timestamp
from tailrace.connectors.hbase.client import Server
from tailrace.connectors.hbase.layout import Layout
from tailrace.connectors.hbase.lookup import HbaseLookup
from tailrace.connectors.hbase.options import OPTIONS
from tailrace.connectors.hbase.sink import HbaseSink
from tailrace.connectors.hbase.source import HbaseSource
from tailrace.errors import ConfigError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema


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
            timestamp=write_timestamp(table, options),
        )

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> HbaseLookup:
        layout = Layout.of(table, options, schema)
        require_whole_key(table, self.name, keys, layout.key, "whole row key")
        return HbaseLookup(Server.of(options), layout)


CONNECTOR = HbaseConnector()
