"""The connector's face: from the options of a table to a source, sink or lookup."""

from __future__ import annotations

from tailrace.connectors.base import Connector, Context, Sink, WholeOnlyError
from tailrace.connectors.bulk import WHOLE, Bulk
from tailrace.connectors.declared import require_whole_key
from tailrace.connectors.encoding import RowEncoder
from tailrace.connectors.redis.cache import RedisStore
from tailrace.connectors.redis.client import Server
from tailrace.connectors.redis.lookup import RedisLookup
from tailrace.connectors.redis.options import CHANNEL, OPTIONS, STREAM
from tailrace.connectors.redis.rows import Layout
from tailrace.connectors.redis.sink import ChannelSink, KeyedSink, StreamSink
from tailrace.connectors.redis.source import METADATA, StreamSource
from tailrace.connectors.table_options import TableOptions, resolve, with_format
from tailrace.errors import ConfigError
from tailrace.formats.base import MetadataKey
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema
from tailrace.settings import value


class RedisConnector(Connector):
    """Keys, streams and channels of a Redis server."""

    name = "redis"
    doc = "Redis: keys that other services share, streams and channels."
    options = OPTIONS
    place = "stream"
    lookups = True
    metadata = (
        MetadataKey("id", "STRING NOT NULL", "the id of the entry"),
        MetadataKey("stream", "STRING NOT NULL", "the stream of the entry"),
        MetadataKey("timestamp", "TIMESTAMP_LTZ(3) NOT NULL", "the time in the id of the entry"),
        MetadataKey("headers", "MAP<STRING, BYTES>", "the fields `header:<name>` of the entry", writable=True),
    )

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> StreamSource:
        data_type = options["data-type"]
        if data_type != STREAM:
            hint = "join it by FOR SYSTEM_TIME AS OF, or read a 'data-type' = 'stream'"
            message = f"a table of data type '{data_type}' of connector 'redis' can't be read as a stream"
            raise ConfigError(message, hint=hint, location=options.location("data-type") or table.location)
        _formatted(self, table)
        wanted = tuple(m.key for m in table.metadata if m.name in schema and m.key in METADATA)
        latest = options["scan.startup.mode"] == "latest-offset"
        bounded = options["scan.bounded"]
        return StreamSource(
            Server.of(options), _streams(table, options), latest=latest, bounded=bounded, metadata=wanted
        )

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> RedisLookup:
        if options["data-type"] in (STREAM, CHANNEL):
            raise WholeOnlyError(f"a {options['data-type']} of Redis is only looked up in as a whole")
        layout = Layout.of(table, options, resolve(table, self))
        require_whole_key(table, self.name, keys, layout.key)
        return RedisLookup(Server.of(options), layout, schema)

    def cache_store(self, options: Values) -> RedisStore:
        return RedisStore.of(options)

    def refuses_updates(self, table: Table) -> str:
        text = table.option("data-type")
        if text is not None and text.value in (STREAM, CHANNEL):
            return f"a {text.value} is only added to"
        return "" if table.primary_key or table.option("key-columns") else "it has no PRIMARY KEY"

    def sink(self, table: Table, options: Values, context: Context) -> Sink:
        server, data_type = Server.of(options), options["data-type"]
        if data_type in (STREAM, CHANNEL):
            encoder = RowEncoder(table, _formatted(self, table), value(context.settings, "tailrace.traces.propagation"))
            bulk = Bulk.of(options, order=WHOLE)
            (name,) = _streams(table, options, most=1)
            if data_type == CHANNEL:
                return ChannelSink(server, name, encoder, bulk)
            return StreamSink(server, name, encoder, bulk, options["stream.max-length"])
        layout = Layout.of(table, options, resolve(table, self))
        key = tuple(layout.schema.names if layout.many else layout.key.names)
        return KeyedSink(server, layout, Bulk.of(options, key=key), options["ttl"])


def _formatted(connector: RedisConnector, table: Table) -> TableOptions:
    return with_format(table, connector, "a stream or channel of connector 'redis'")


def _streams(table: Table, options: Values, most: int | None = None) -> tuple[str, ...]:
    names: tuple[str, ...] = options["stream"] or (table.name,)
    if most is not None and len(names) > most:
        message = f"table '{table.name}' can't be written: it stands for several streams"
        raise ConfigError(message, hint="name one 'stream'", location=options.location("stream"))
    return names


CONNECTOR = RedisConnector()
