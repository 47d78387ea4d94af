"""The connector `kafka`: from the options of a table to a source or sink."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from tailrace.connectors.base import Connector, Context, Sink, Source
from tailrace.connectors.encoding import RowEncoder
from tailrace.connectors.kafka.buffer import Buffer
from tailrace.connectors.kafka.client import validate
from tailrace.connectors.kafka.cluster import Topics
from tailrace.connectors.kafka.creation import Wanted as WantedTopic
from tailrace.connectors.kafka.fetched import Wanted
from tailrace.connectors.kafka.options import METADATA, OPTIONS, Replica
from tailrace.connectors.kafka.properties import Properties, translate
from tailrace.connectors.kafka.reader import Plan
from tailrace.connectors.kafka.sink import KafkaSink, KafkaTransactionalSink, in_transactions, target
from tailrace.connectors.kafka.source import KafkaSource, consumer_properties, member_properties
from tailrace.connectors.kafka.starts import Mark
from tailrace.connectors.table_options import TableOptions, appends_only, with_format
from tailrace.errors import ConfigError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema
from tailrace.settings import value

_READERS = ("group.id", "auto.offset.reset", "isolation.level")
"""Properties that mean nothing to who writes."""

_NEEDS = {
    "timestamp": ("timestamp-millis", "the time in milliseconds since 1970"),
    "specific-offsets": ("specific-offsets", "as 'partition:0,offset:42;partition:1,offset:300'"),
}


class KafkaConnector(Connector):
    """Topics of Apache Kafka, and of what speaks its protocol."""

    name = "kafka"
    doc = "Topics of Apache Kafka, read from any offset and written with or without transactions."
    options = OPTIONS
    place = "topic"
    metadata = METADATA
    format_metadata = True

    def refuses_updates(self, table: Table) -> str:
        return appends_only(table, self)

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> Source:
        resolved = self.resolved(table)
        properties = consumer_properties(translate(options), context.job)
        shared = _shared(options)
        if shared:
            properties = member_properties(properties, options["scan.topic-partition-discovery.interval"])
        validate(properties)
        bound = _mark(options, properties, "bounded")
        keys = tuple(m.key for m in table.metadata if m.name in schema and not m.key.startswith("value."))
        letters = "dead-letter" in (resolved.common["tailrace.on-error"], resolved.common["tailrace.on-late"])
        told = resolved.value is not None and resolved.value.format.reads_headers
        plan = Plan(
            topics=_topics(table, options),
            start=self.start(options, properties),
            bound=None if bound.mode == "unbounded" else bound,
            discovery_seconds=options["scan.topic-partition-discovery.interval"] / 1000,
            metadata=keys,
            headers=letters or context.traced or told,
            group=options["properties.group.id"] or "",
            shared=shared,
            replica=_replica(options),
            keyed=bool(resolved.key_fields),
        )
        wanted = Wanted(
            keys=letters
            or resolved.upsert
            or plan.replica is not None
            or (resolved.key is not None and any(name in schema for name in resolved.key_fields)),
            times=any(key in ("timestamp", "timestamp-type", "leader-epoch") for key in keys),
            headers=letters or told or "headers" in keys,
            traces=context.traced,
        )
        dealt = None if plan.replica is None else _dealt_by(table, resolved)
        return KafkaSource(plan, properties, wanted, dealt, native=options["tailrace.kafka.native"])

    def sink(self, table: Table, options: Values, context: Context) -> Sink:
        resolved = self.resolved(table)
        topic = _topic_to_write(table, options)
        partitioner = self.partitioner(options, resolved)
        given = translate(options)
        made = self.creation(topic, options)
        aim = replace(target(topic, {k: v for k, v in given.items() if k not in _READERS}, partitioner), made=made)
        encoder = RowEncoder(table, resolved, value(context.settings, "tailrace.traces.propagation"))
        buffer = self.buffer(table, options, context)
        if options["sink.delivery-guarantee"] == "at-least-once":
            validate(aim.properties)
            return KafkaSink(aim, encoder, buffer)
        aim = in_transactions(aim, value(context.settings, "execution.checkpointing.interval"))
        validate(aim.properties)
        name = f"{options['sink.transactional-id-prefix']}-{context.job}-{context.folder.name}"
        return KafkaTransactionalSink(aim, encoder, name, buffer)

    def resolved(self, table: Table) -> TableOptions:
        """
        Give all options of a table.

        Raises:
            ConfigError: it names no format, or has a key that means nothing here.
        """
        return _formats(self, table)

    def start(self, options: Values, properties: Properties) -> Mark:
        """Tell where to begin."""
        return _mark(options, properties, "startup")

    def partitioner(self, options: Values, resolved: TableOptions) -> str:
        """Name what decides about the partition of a row."""
        given: str = options["sink.partitioner"]
        if given == "round-robin" and resolved.key is not None:
            at = options.location("sink.partitioner")
            hint = "leave the option out: rows go by the hash of their key"
            raise ConfigError("'sink.partitioner' = 'round-robin' is for rows without a key", hint=hint, location=at)
        return given

    def creation(self, topic: Topics, options: Values) -> WantedTopic | None:
        """
        Tell how the topic is made if it does not exist; None where the broker decides.

        Raises:
            ConfigError: it is said how, but not that.
        """
        key = "tailrace.kafka.topic."
        config = options.family(f"{key}config")
        if options[f"{key}create"]:
            partitions, replicas = options[f"{key}partitions"] or -1, options[f"{key}replicas"] or -1
            return WantedTopic(topic.names[0], partitions, replicas, config, topic.location)
        said = next((k for k in options.given if k.startswith(key) and k != f"{key}create"), None)
        if said is not None:
            at = options.given[said].key_location
            raise ConfigError(f"'{said}' needs '{key}create' = 'true'", hint="say so, or leave it out", location=at)
        return None

    def buffer(self, table: Table, options: Values, context: Context) -> Buffer:
        """Make what rows wait in before they are encoded."""
        return Buffer()


def _formats(connector: Connector, table: Table) -> TableOptions:
    resolved = with_format(table, connector)
    if table.primary_key and not resolved.changes:
        raise ConfigError(
            f"table '{table.name}' of connector '{connector.name}' can't have a PRIMARY KEY: rows of a topic are only added",
            hint="leave the key out",
            location=table.location,
        )
    return resolved


def _topics(table: Table, options: Values) -> Topics:
    names, pattern = options["topic"], options["topic-pattern"]
    if names and pattern:
        at = options.location("topic-pattern")
        raise ConfigError("'topic' and 'topic-pattern' can't both be given", hint="leave one out", location=at)
    if not names and pattern is None:
        hint = "name the topic, several as 'a;b', or a 'topic-pattern'"
        raise ConfigError(f"connector '{table.connector}' needs the option 'topic'", hint=hint, location=table.location)
    return Topics(names or (), pattern, options.location("topic") or options.location("topic-pattern"))


def _topic_to_write(table: Table, options: Values) -> Topics:
    topics = _topics(table, options)
    if len(topics.names) != 1:
        hint = "name one 'topic'"
        raise ConfigError(
            f"table '{table.name}' can't be written: it stands for {topics}", hint=hint, location=topics.location
        )
    return topics


def _mark(options: Values, properties: Properties, which: str) -> Mark:
    """Read where to begin (`startup`) or end (`bounded`)."""
    key = f"scan.{which}.mode"
    mode = options[key]
    location = options.location(key) or options.location("properties.bootstrap.servers")
    if mode in _NEEDS:
        ending, hint = _NEEDS[mode]
        if options[f"scan.{which}.{ending}"] is None:
            raise ConfigError(f"'{key}' = '{mode}' needs 'scan.{which}.{ending}'", hint=hint, location=location)
    if mode == "specific-offsets" and len(options["topic"] or ()) != 1:
        raise ConfigError(f"'{key}' = 'specific-offsets' is for one topic", location=location)
    group = options["properties.group.id"] or ""
    if mode == "group-offsets" and not group:
        _needs_group(key, options)
    return Mark(
        mode,
        options[f"scan.{which}.specific-offsets"] or {},
        options[f"scan.{which}.timestamp-millis"] or 0,
        group,
        properties["auto.offset.reset"].value,
        location,
    )


def _shared(options: Values) -> bool:
    """
    Tell whether the group says which partitions to read.

    Raises:
        ConfigError: another option does not go with that.
    """
    key = "tailrace.kafka.assignment"
    if options.get(key) != "group":
        return False
    at = options.location(key)
    if not options["properties.group.id"]:
        raise ConfigError(f"'{key}' = 'group' needs a 'properties.group.id'", hint="name the group", location=at)
    if options["scan.bounded.mode"] != "unbounded":
        hint = "leave one of the two out: a table that ends is read by one process"
        raise ConfigError(f"'{key}' = 'group' is for tables that do not end", hint=hint, location=at)
    if not options["tailrace.kafka.native"]:
        raise ConfigError(f"'{key}' = 'group' needs 'tailrace.kafka.native' = 'true'", location=at)
    return True


def _replica(options: Values) -> Replica | None:
    """
    Give which part of the partitions this process reads; None for all.

    Raises:
        ConfigError: another option does not go with that.
    """
    key = "tailrace.kafka.replica"
    found: Replica | None = options[key]
    if found is None:
        return None
    at = options.location(key)
    if options.get("tailrace.kafka.assignment") == "group":
        hint = "leave one of them out: the first is for pipelines with state, the second for those without"
        message = f"'{key}' and 'tailrace.kafka.assignment' = 'group' don't go together"
        raise ConfigError(message, hint=hint, location=at)
    if len(options["topic"] or ()) != 1:
        raise ConfigError(f"'{key}' is for one topic", hint="make a table of each topic", location=at)
    return found


def _dealt_by(table: Table, resolved: TableOptions) -> tuple[str, ...]:
    """Give the columns that decide about the partition of a row: those of the key, else the partition's own, if it is read."""
    own = tuple(m.name for m in table.metadata if m.key == "partition")
    return resolved.key_fields or own[:1]


def _needs_group(key: str, options: Values) -> NoReturn:
    default = "" if key in options.given else " (the default)"
    raise ConfigError(
        f"'{key}' = 'group-offsets'{default} needs a 'properties.group.id'",
        hint=f"name the group, or set '{key}' = 'earliest-offset' or 'latest-offset'",
        location=options.location(key) or options.location("properties.bootstrap.servers"),
    )


CONNECTOR = KafkaConnector()
