"""The connector's face: from the options of a table to a sink or a lookup."""

from __future__ import annotations

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.bulk import Bulk
from tailrace.connectors.cassandra.client import Place
from tailrace.connectors.cassandra.lookup import CassandraLookup
from tailrace.connectors.cassandra.options import OPTIONS
from tailrace.connectors.cassandra.sink import CassandraSink, Writing
from tailrace.connectors.cassandra.types import refuse_others
from tailrace.connectors.declared import write_timestamp
from tailrace.errors import ConfigError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema


class CassandraConnector(Connector):
    """Tables of a keyspace."""

    name = "cassandra"
    doc = "Tables of Apache Cassandra, written and looked up in by key."
    options = OPTIONS
    place = "table-name"
    formats = False
    lookups = True

    def refuses_updates(self, table: Table) -> str:
        return ""

    def sink(self, table: Table, options: Values, context: Context) -> CassandraSink:
        refuse_others(table.written, table.location)
        if not table.primary_key:
            hint = "add PRIMARY KEY (...) NOT ENFORCED with the columns of the key in Cassandra"
            raise ConfigError(f"table '{table.name}' needs a PRIMARY KEY", hint=hint, location=table.location)
        writing = Writing(
            table.written,
            table.primary_key,
            options["sink.concurrency"],
            options["ttl"],
            write_timestamp(table, options),
            options["tailrace.create-table"],
        )
        return CassandraSink(Place.of(options, table.name), writing, Bulk.of(options, key=table.primary_key))

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> CassandraLookup:
        refuse_others(schema, table.location)
        return CassandraLookup(Place.of(options, table.name), schema, keys, options["sink.concurrency"])


CONNECTOR = CassandraConnector()
