"""The connector's face: from the options of a table to a sink or a lookup."""

from __future__ import annotations

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.bulk import Bulk
from tailrace.connectors.cassandra.client import Place
from tailrace.connectors.cassandra.lookup import CassandraLookup
from tailrace.connectors.cassandra.options import OPTIONS
from tailrace.connectors.cassandra.sink import CassandraSink, Writing
from tailrace.connectors.cassandra.types import refuse_others
from tailrace.errors import ConfigError, did_you_mean
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import TIMESTAMPS, Schema


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
            _timestamp(table, options),
            options["tailrace.create-table"],
        )
        return CassandraSink(Place.of(options, table.name), writing, Bulk.of(options, key=table.primary_key))

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> CassandraLookup:
        refuse_others(schema, table.location)
        return CassandraLookup(Place.of(options, table.name), schema, keys, options["sink.concurrency"])


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


CONNECTOR = CassandraConnector()
