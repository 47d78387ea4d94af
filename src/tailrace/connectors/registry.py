"""Connectors by name, and from a declared table to its source or sink."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from tailrace.connectors import metadata
from tailrace.connectors.base import Connector, Context, Lookup, Sink, Source
from tailrace.connectors.table_options import TableOptions, resolve
from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.plan.catalog import Table
from tailrace.plan.changelog import cause_of_updates
from tailrace.plan.describe import describe
from tailrace.plan.nodes import Sink as SinkNode
from tailrace.schema import Schema

GROUP = "tailrace.connectors"
"""The entry points by which a package brings a connector: each names an object that is a `Connector`."""

_BUILT_IN = (
    "alert",
    "blackhole",
    "cassandra",
    "cosmosdb",
    "datagen",
    "druid",
    "dynamodb",
    "elasticsearch",
    "eventhubs",
    "filesystem",
    "http",
    "hbase",
    "iterable",
    "jdbc",
    "kafka",
    "kinesis",
    "memcached",
    "memory",
    "nexmark",
    "print",
    "rabbitmq",
    "redis",
    "sqlite",
    "upsert-kafka",
)
_EXTRAS = {
    "alert": "alert",
    "cassandra": "cassandra",
    "cosmosdb": "cosmosdb",
    "druid": "druid",
    "dynamodb": "dynamodb",
    "elasticsearch": "elasticsearch",
    "eventhubs": "kafka",
    "hbase": "hbase",
    "jdbc": "jdbc",
    "http": "http",
    "kafka": "kafka",
    "kinesis": "kinesis",
    "memcached": "memcached",
    "rabbitmq": "rabbitmq",
    "redis": "redis",
    "upsert-kafka": "kafka",
}
_MODULES = {"eventhubs": "kafka.eventhubs", "upsert-kafka": "kafka.upsert"}
_ALIASES = {"elasticsearch-7": "elasticsearch", "hbase-2.2": "hbase", "opensearch": "elasticsearch"}
"""Other names of connectors, among them Flink's."""


def names() -> tuple[str, ...]:
    """Give the names of all connectors, without loading them."""
    return tuple(sorted({*_BUILT_IN, *(e.name for e in entry_points(group=GROUP))}))


def get(name: str, location: Location | None = None) -> Connector:
    """
    Load a connector.

    >>> get("blackhole").name
    'blackhole'

    Raises:
        ConfigError: there is none of this name, or a library that it needs is not installed; points at `location`.
    """
    name = _ALIASES.get(name, name)
    if name in _BUILT_IN:
        return _built_in(name, location)
    found = [e for e in entry_points(group=GROUP) if e.name == name]
    if found:
        return _foreign(found[0], location)
    hint = did_you_mean(name, names()) or f"known connectors: {', '.join(names())}"
    raise ConfigError(f"there is no connector '{name}'", hint=hint, location=location)


def _built_in(name: str, location: Location | None) -> Connector:
    try:
        connector: Connector = import_module(f"tailrace.connectors.{_MODULES.get(name, name)}").CONNECTOR
    except ModuleNotFoundError as error:
        if name not in _EXTRAS or (error.name or "").startswith("tailrace"):
            raise
        hint = f"pip install 'tailrace[{_EXTRAS[name]}]'"
        raise ConfigError(f"connector '{name}' needs '{error.name}'", hint=hint, location=location) from None
    return connector


def _foreign(entry: EntryPoint, location: Location | None) -> Connector:
    try:
        connector = entry.load()
    except ImportError as error:
        message = f"connector '{entry.name}' of {entry.value} can't be loaded: {error}"
        raise ConfigError(message, location=location) from None
    if not isinstance(connector, Connector):
        raise ConfigError(f"entry point '{entry.name}' ({entry.value}) is no Connector", location=location)
    return connector


def connector_of(table: Table) -> Connector:
    """
    Load the connector of a table.

    Raises:
        ConfigError: the table names none, or it can't be had.
    """
    text = table.option("connector")
    if text is None:
        hint = f"add WITH ('connector' = '...'): {', '.join(names())}"
        raise ConfigError(f"table '{table.name}' has no connector", hint=hint, location=table.location)
    return get(text.value, text.location)


def options_of(table: Table) -> TableOptions:
    """
    Validate the options and metadata columns of a table, as they are read.

    Raises:
        ConfigError: one is wrong; points at the place.
    """
    return _validated(table, connector_of(table), writing=False)


def _validated(table: Table, connector: Connector, *, writing: bool) -> TableOptions:
    options = resolve(table, connector)
    metadata.check(table, connector, options, writing=writing)
    if table.partitioned_by and not connector.partitions:
        message = f"a table of connector '{connector.name}' can't be PARTITIONED BY"
        raise ConfigError(message, hint="leave the clause out", location=table.location)
    return options


def asked(table: Table, schema: Schema) -> Schema:
    """Give what the source of a table is asked for: with ROWs as they are declared, unless it can leave out fields."""
    if connector_of(table).narrows:
        return schema
    declared = {f.name: f.type for f in table.physical}
    return Schema(tuple(replace(f, type=declared.get(f.name, f.type)) for f in schema))


def source(table: Table, schema: Schema, context: Context) -> Source:
    """
    Make the source of a table for the columns of `schema` (physical and metadata ones).

    Raises:
        ConfigError: the table can't be read, or not with these options; points at the place.
    """
    connector = connector_of(table)
    options = _validated(table, connector, writing=False)
    return connector.source(table, options.own, asked(table, schema), context)


def check_updates(sink: SinkNode) -> None:
    """
    Make sure that the table of a sink can take the changes that its query gives.

    Raises:
        ConfigError: the query updates rows, and the table can't; names what causes the updates.
    """
    cause = cause_of_updates(sink)
    why = connector_of(sink.table).refuses_updates(sink.table) if sink.table and cause else ""
    if not why or cause is None or sink.table is None:
        return
    place = f", at {cause.location}" if cause.location else ""
    raise ConfigError(
        f"table '{sink.table.name}' can't take rows that are updated: {why}",
        hint=f"the updates come from: {describe(cause)}{place}",
        location=sink.location,
    )


def sink(table: Table, context: Context) -> Sink:
    """
    Make the sink of a table.

    Raises:
        ConfigError: the table can't be written, or not with these options; points at the place.
    """
    connector = connector_of(table)
    options = _validated(table, connector, writing=True)
    return connector.sink(table, options.own, context)


def check_lookup(table: Table, location: Location | None) -> None:
    """
    Make sure that a table can be looked up in.

    Raises:
        ConfigError: its connector has no lookup; names those that have one, and points at the query.
    """
    connector = connector_of(table)
    if not connector.lookups:
        hint = f"connectors with lookups: {', '.join(with_lookups())}; or join by row time, with a versioned table"
        message = f"table '{table.name}' of connector '{connector.name}' can't be looked up in"
        raise ConfigError(message, hint=hint, location=location)


def with_lookups() -> tuple[str, ...]:
    """
    Name the connectors whose tables can be looked up in, as far as their libraries are installed.

    >>> "sqlite" in with_lookups(), "kafka" in with_lookups()
    (True, False)
    """
    found = []
    for name in names():
        try:
            found += [name] if get(name).lookups else []
        except ConfigError:
            continue
    return tuple(found)


def lookup(table: Table, schema: Schema, keys: tuple[str, ...], context: Context) -> Lookup:
    """
    Make the lookup of a table.

    Raises:
        ConfigError: rows can't be looked up one by one, or not with these options; points at the place.
    """
    connector = connector_of(table)
    options = _validated(table, connector, writing=False)
    return connector.lookup(table, options.own, schema, keys, context)
