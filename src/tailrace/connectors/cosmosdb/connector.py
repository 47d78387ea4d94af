"""The connector's face: from the options of a table to a source, sink or lookup."""

from __future__ import annotations

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.bulk import Bulk
from tailrace.connectors.cosmosdb.client import Place
from tailrace.connectors.cosmosdb.items import Ids, Items
from tailrace.connectors.cosmosdb.lookup import CosmosLookup
from tailrace.connectors.cosmosdb.options import ALL_VERSIONS, OPTIONS, PATCH, TIMESTAMP
from tailrace.connectors.cosmosdb.sink import CosmosSink, Target
from tailrace.connectors.cosmosdb.source import CosmosSource, Feed
from tailrace.errors import ConfigError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

_MOST_PATCHED = 10


class CosmosConnector(Connector):
    """Containers of Azure Cosmos DB."""

    name = "cosmosdb"
    doc = "Azure Cosmos DB (its API for NoSQL): items that are written, looked up in, and read by the change feed."
    options = OPTIONS
    place = "container"
    formats = False
    lookups = True

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> CosmosSource:
        mode, millis = options["scan.startup.mode"], options["scan.startup.timestamp-millis"]
        if (mode == TIMESTAMP) is not (millis is not None):
            message = "'scan.startup.mode' = 'timestamp' and 'scan.startup.timestamp-millis' go together"
            raise ConfigError(message, location=options.location("scan.startup.mode") or table.location)
        every = options["scan.change-feed.mode"] == ALL_VERSIONS
        if every and not table.primary_key:
            message = f"'scan.change-feed.mode' = '{ALL_VERSIONS}' tells of deleted items, and the table has no key"
            raise ConfigError(message, hint="add a PRIMARY KEY (...) NOT ENFORCED", location=table.location)
        feed = Feed(
            start=mode,
            millis=millis or 0,
            every_version=every,
            fetch_size=options["scan.fetch-size"],
            rest_seconds=options["scan.poll-interval"] / 1000,
        )
        ids = Ids(table, options["id.key-delimiter"]) if table.primary_key else None
        return CosmosSource(
            Place.of(options, table.name), table.name, schema, feed, ids, context.clock, bounded=options["scan.bounded"]
        )

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> CosmosLookup:
        ids = Ids(table, options["id.key-delimiter"]) if table.primary_key or "id" in table.physical else None
        return CosmosLookup(Place.of(options, table.name), schema, keys, ids)

    def refuses_updates(self, table: Table) -> str:
        return "" if table.primary_key else "it has no PRIMARY KEY to find items by"

    def sink(self, table: Table, options: Values, context: Context) -> CosmosSink:
        if not table.primary_key:
            message = (
                f"table '{table.name}' of connector 'cosmosdb' needs a PRIMARY KEY: the id of an item is made of it"
            )
            raise ConfigError(message, hint="add PRIMARY KEY (...) NOT ENFORCED", location=table.location)
        items = Items(table, Ids(table, options["id.key-delimiter"]))
        target = Target(
            table=table,
            items=items,
            patch=options["sink.mode"] == PATCH,
            overwrite=options["sink.etag"] == "overwrite",
            ttl=None if options["sink.ttl"] is None else max(1, options["sink.ttl"] // 1000),
            batches=options["sink.transactional-batch"],
            concurrency=options["sink.concurrency"],
        )
        _check_target(target, options)
        return CosmosSink(Place.of(options, table.name), target, Bulk.of(options, key=table.primary_key))


def _check_target(target: Target, options: Values) -> None:
    """Refuse what does not go together."""
    table, items = target.table, target.items
    at = options.location("sink.mode") or options.location("sink.transactional-batch") or table.location
    if target.batches and (target.patch or items.etags):
        other = "'sink.mode' = 'patch'" if target.patch else "a column '_etag'"
        raise ConfigError(
            f"'sink.transactional-batch' and {other} don't go together", hint="leave one out", location=at
        )
    if target.patch and items.etags:
        raise ConfigError("'sink.mode' = 'patch' and a column '_etag' don't go together", location=at)
    patched = [n for n in items.names if n != "id" and n not in table.primary_key]
    if target.patch and len(patched) + (target.ttl is not None) > _MOST_PATCHED:
        message = f"a patch sets {_MOST_PATCHED} properties at most, and table '{table.name}' has {len(patched)}"
        raise ConfigError(message, hint="declare fewer columns, or write items whole", location=at)
    if target.ttl is not None and "ttl" in items.names:
        message = "'sink.ttl' and the column 'ttl' both say how long items live"
        raise ConfigError(message, hint="leave one out", location=options.location("sink.ttl"))


CONNECTOR = CosmosConnector()
