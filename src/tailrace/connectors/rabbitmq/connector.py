"""The connector's face: from the options of a table to a source or sink."""

from __future__ import annotations

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.bulk import WHOLE, Bulk
from tailrace.connectors.encoding import RowEncoder
from tailrace.connectors.rabbitmq.client import Broker, Queues
from tailrace.connectors.rabbitmq.options import OPTIONS, STREAM
from tailrace.connectors.rabbitmq.sink import RabbitSink, Route
from tailrace.connectors.rabbitmq.source import METADATA, QueueSource
from tailrace.connectors.table_options import appends_only, with_format
from tailrace.formats.base import MetadataKey
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema
from tailrace.settings import value


class RabbitConnector(Connector):
    """Queues and streams that are read, and exchanges that are written to."""

    name = "rabbitmq"
    doc = "RabbitMQ: classic and quorum queues, acknowledged after the checkpoint; streams, read from any offset."
    options = OPTIONS
    place = "queue"
    metadata = (
        MetadataKey("exchange", "STRING NOT NULL", "the exchange that the message came by"),
        MetadataKey("routing-key", "STRING NOT NULL", "its routing key", writable=True),
        MetadataKey("message-id", "STRING", "its id, by which it is taken once", writable=True),
        MetadataKey("timestamp", "TIMESTAMP_LTZ(3)", "its time, as its sender says"),
        MetadataKey("headers", "MAP<STRING, BYTES>", "its headers", writable=True),
        MetadataKey("redelivered", "BOOLEAN NOT NULL", "whether it was given before, and not acknowledged"),
        MetadataKey("offset", "BIGINT NOT NULL", "its offset in a stream; in a queue the number of its delivery"),
    )

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> QueueSource:
        with_format(table, self)
        wanted = tuple(m.key for m in table.metadata if m.name in schema and m.key in METADATA)
        latest = options["scan.startup.mode"] == "latest-offset"
        queues = _queues(table, options)
        return QueueSource(Broker.of(options), queues, options["prefetch"], latest=latest, metadata=wanted)

    def refuses_updates(self, table: Table) -> str:
        return appends_only(table, self)

    def sink(self, table: Table, options: Values, context: Context) -> RabbitSink:
        encoder = RowEncoder(table, with_format(table, self), value(context.settings, "tailrace.traces.propagation"))
        written = {m.key: m.name for m in table.metadata if not m.virtual}
        queues = _queues(table, options) if not options["exchange"] else Queues(options["queue"] or ())
        key = options["routing-key"]
        if key is None and not options["exchange"]:
            key = queues.names[0]
        route = Route(
            options["exchange"],
            key or "",
            options["sink.mandatory"],
            options["sink.persistent"],
            written.get("routing-key"),
            written.get("message-id"),
        )
        return RabbitSink(Broker.of(options), queues, route, encoder, Bulk.of(options, order=WHOLE))


def _queues(table: Table, options: Values) -> Queues:
    names: tuple[str, ...] = options["queue"] or (table.name,)
    exclusive = (
        options["queue.exclusive"] and options["queue.type"] != STREAM
    )  # a stream has as many readers as it likes
    return Queues(names, options["queue.type"], options["queue.declare"], exclusive)


CONNECTOR = RabbitConnector()
