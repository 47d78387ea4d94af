"""The connector `upsert-kafka`: topics whose messages say what stands at their key."""

from __future__ import annotations

from dataclasses import replace

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.kafka.buffer import Buffer, UpsertBuffer
from tailrace.connectors.kafka.cluster import Topics
from tailrace.connectors.kafka.connector import KafkaConnector
from tailrace.connectors.kafka.creation import Wanted
from tailrace.connectors.kafka.options import OPTIONS as KAFKA
from tailrace.connectors.kafka.properties import Properties
from tailrace.connectors.kafka.starts import Mark
from tailrace.connectors.table_options import TableOptions, resolve
from tailrace.errors import ConfigError
from tailrace.options import Option, OptionSet, Values, duration, integer
from tailrace.plan.catalog import Table

_NOT_HERE = ("scan.startup.", "sink.partitioner", "tailrace.kafka.assignment")
_ROWS, _INTERVAL = "sink.buffer-flush.max-rows", "sink.buffer-flush.interval"


def _count(text: str) -> int:
    if (value := integer(text)) < 0:
        raise ValueError("expected a number of rows, `0` for no buffer")
    return value


OPTIONS = OptionSet(
    "connector 'upsert-kafka'",
    (
        *(o for o in KAFKA.options if not o.key.startswith(_NOT_HERE)),
        Option(_ROWS, _count, 0, "so many rows wait, of which the last of each key is written; needs the interval too"),
        Option(_INTERVAL, duration, 0, "how long rows wait at most; needs the number of rows too"),
    ),
)


class UpsertKafkaConnector(KafkaConnector):
    """Topics as tables with a primary key, read from their beginning: a message is a row, one without a value deletes it."""

    name = "upsert-kafka"
    doc = "Topics of Apache Kafka as tables: the last message of a key is its row, one without a value deletes it."
    options = OPTIONS
    upsert = True

    def resolved(self, table: Table) -> TableOptions:
        return resolve(table, self)

    def start(self, options: Values, properties: Properties) -> Mark:
        at = options.location("properties.bootstrap.servers")
        return Mark("earliest-offset", {}, 0, "", properties["auto.offset.reset"].value, at)

    def partitioner(self, options: Values, resolved: TableOptions) -> str:
        # by the hash of the key: all messages of a key are in one partition, in their order
        return "default"

    def creation(self, topic: Topics, options: Values) -> Wanted | None:
        made = super().creation(topic, options)
        # what stands at a key is what the table is: the broker may forget the rest
        return made and replace(made, config={"cleanup.policy": "compact"} | dict(made.config or {}))

    def buffer(self, table: Table, options: Values, context: Context) -> Buffer:
        rows, interval = options[_ROWS], options[_INTERVAL]
        if bool(rows) is not bool(interval):
            raise ConfigError(
                f"'{_ROWS}' and '{_INTERVAL}' go together",
                hint="give both, each above zero, or none",
                location=options.location(_ROWS if rows else _INTERVAL),
            )
        return UpsertBuffer(table.primary_key, rows, interval / 1000, context.clock) if rows else Buffer()


CONNECTOR: Connector = UpsertKafkaConnector()
