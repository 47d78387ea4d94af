"""The connector's face: from the options of a table to a sink or lookup, or to a shared cache."""

from __future__ import annotations

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.bulk import Bulk
from tailrace.connectors.declared import require_key_columns, require_whole_key
from tailrace.connectors.keyed_values import KeyedValues
from tailrace.connectors.memcached.cache import MemcachedStore
from tailrace.connectors.memcached.client import Servers, addresses, login_of
from tailrace.connectors.memcached.lookup import MemcachedLookup
from tailrace.connectors.memcached.options import OPTIONS
from tailrace.connectors.memcached.sink import MemcachedSink
from tailrace.connectors.table_options import with_format
from tailrace.connectors.texts import refuse_textless
from tailrace.errors import ConfigError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema


class MemcachedConnector(Connector):
    """Values by key of Memcached servers."""

    name = "memcached"
    doc = "Memcached: values by key that other services share for a time; a cache in front of other lookups."
    options = OPTIONS
    lookups = True

    def sink(self, table: Table, options: Values, context: Context) -> MemcachedSink:
        layout = self._layout(table, options)
        bulk = Bulk.of(options, key=tuple(layout.key.names))
        return MemcachedSink(_servers(options), layout, bulk, options["ttl"])

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> MemcachedLookup:
        layout = self._layout(table, options)
        require_whole_key(table, self.name, keys, layout.key)
        return MemcachedLookup(_servers(options), layout, schema)

    def cache_store(self, options: Values) -> MemcachedStore:
        return MemcachedStore.of(options)

    def refuses_updates(self, table: Table) -> str:
        return "" if table.primary_key else "it has no PRIMARY KEY"

    def _layout(self, table: Table, options: Values) -> KeyedValues:
        if not table.primary_key:
            hint = "declare a PRIMARY KEY (...) NOT ENFORCED: its values are the key of a row"
            raise ConfigError(
                f"table '{table.name}' of connector 'memcached' needs a PRIMARY KEY", hint=hint, location=table.location
            )
        require_key_columns(table, table.physical)
        key = table.physical.select(table.primary_key)
        refuse_textless(key, "a key of Memcached", table.location, binary=False)
        prefix = options["key-prefix"] if options["key-prefix"] is not None else f"{table.name}:"
        return KeyedValues(prefix, table.physical, key, with_format(table, self).value)


def _servers(options: Values) -> Servers:
    where = addresses(options["servers"], "servers", options.location("servers"))
    login = login_of(options["username"], options["password"])
    return Servers(where, options["timeout"] / 1000, login)


CONNECTOR = MemcachedConnector()
