"""The connector's face: from the options of a table to a source, sink or lookup."""

from __future__ import annotations

from tailrace.connectors.aws.shard_reader import Pace
from tailrace.connectors.aws.shards import OLDEST, Start
from tailrace.connectors.base import Connector, Context, Sink, Source
from tailrace.connectors.bulk import Bulk
from tailrace.connectors.declared import require_key_columns, write_timestamp
from tailrace.connectors.dynamodb.client import Place
from tailrace.connectors.dynamodb.items import Layout
from tailrace.connectors.dynamodb.lookup import DynamoDbLookup
from tailrace.connectors.dynamodb.marks import Marks
from tailrace.connectors.dynamodb.options import (
    LATEST,
    OPTIONS,
    SCAN,
    SCAN_THEN_STREAM,
    STREAM,
    TRANSACTIONS,
    UPDATE,
)
from tailrace.connectors.dynamodb.scan import Scanning, ScanSource
from tailrace.connectors.dynamodb.sink import DynamoDbSink
from tailrace.connectors.dynamodb.stream import METADATA, Streaming, StreamSource
from tailrace.connectors.dynamodb.transactions import TransactionSink
from tailrace.connectors.dynamodb.types import refuse_others
from tailrace.connectors.epoch_rows import EpochRows
from tailrace.errors import ConfigError, did_you_mean
from tailrace.formats.base import MetadataKey
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import TIMESTAMPS, Schema

_SPILL_BYTES = 64 << 20


class DynamoDbConnector(Connector):
    """Tables of DynamoDB."""

    name = "dynamodb"
    doc = "Tables of AWS DynamoDB, written, looked up in and read by key, and their streams."
    options = OPTIONS
    place = "table-name"
    formats = False
    lookups = True
    metadata = (
        MetadataKey("sequence-number", "STRING", "the sequence number of the record of the stream"),
        MetadataKey("shard", "STRING", "the shard of the record"),
        MetadataKey("timestamp", "TIMESTAMP_LTZ(3)", "about when the item was changed, to the second"),
    )

    def refuses_updates(self, table: Table) -> str:
        return ""

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> Source:
        physical = Schema(tuple(f for f in schema if f.name in table.physical))
        refuse_others(physical, table.location)
        scanning = Scanning(
            Place.of(options, table.name),
            physical,
            {m.key: METADATA[m.key] for m in table.metadata if m.name in schema},
            options["scan.segments"],
            options["scan.consistent-read"],
        )
        mode = options["scan.mode"]
        if mode == SCAN:
            return ScanSource(scanning)
        now = context.clock.now_ms()
        pace = Pace(_start(mode, options["scan.startup.mode"], now), now)
        upserts, scanned = mode != STREAM, mode == SCAN_THEN_STREAM
        return StreamSource(Streaming(scanning, table.primary_key, pace, upserts, scanned))

    def sink(self, table: Table, options: Values, context: Context) -> Sink:
        refuse_others(table.written, table.location)
        if not table.primary_key:
            hint = "add PRIMARY KEY (...) NOT ENFORCED with the attributes of the key in DynamoDB"
            raise ConfigError(f"table '{table.name}' needs a PRIMARY KEY", hint=hint, location=table.location)
        require_key_columns(table, table.written)
        place, layout = Place.of(options, table.name), _layout(table, options)
        if options["sink.mode"] != TRANSACTIONS:
            return DynamoDbSink(place, layout, Bulk.of(options, key=table.primary_key))
        rows = EpochRows(context.folder, _SPILL_BYTES)
        marks = Marks(options["sink.mark-table"], f"{context.job}/{context.folder.name}", place.access.shown)
        return TransactionSink(place, layout, rows, marks)

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> DynamoDbLookup:
        refuse_others(schema, table.location)
        return DynamoDbLookup(
            Place.of(options, table.name),
            schema,
            keys,
            consistent=options["lookup.consistent-read"],
            in_flight=options["lookup.max-in-flight"],
        )


def _start(mode: str, startup: str, now: int) -> Start:
    """Give where shards are read from without a checkpoint: behind a scan from the time at which it began."""
    if mode == SCAN_THEN_STREAM:
        return Start("AT_TIMESTAMP", time=now)
    return Start("LATEST", time=now) if startup == LATEST else OLDEST


def _layout(table: Table, options: Values) -> Layout:
    transactions = options["sink.mode"] == TRANSACTIONS
    newer_by = write_timestamp(table, options)
    if transactions and newer_by is not None:
        message = "a transaction would be taken back as a whole for one row that is older than what stands there"
        hint = "leave 'write-timestamp-column' out, or write by 'sink.mode' = 'batch'"
        raise ConfigError(message, hint=hint, location=options.location("write-timestamp-column"))
    ttl = _ttl(table, options)
    epoch_attribute = options["sink.epoch-attribute"]
    _refuse_columns(table, options, "sink.epoch-attribute", epoch_attribute)
    return Layout(
        table.written,
        table.primary_key,
        nulls=not options["sink.ignore-nulls"],
        partial=options["sink.write"] == UPDATE,
        guarded=not transactions,
        newer_by=newer_by,
        epoch_attribute=epoch_attribute,
        ttl_attribute=options["ttl.attribute"],
        ttl_seconds=ttl,
        ttl_column=options["ttl.column"],
    )


def _ttl(table: Table, options: Values) -> float | None:
    """
    Give how many seconds items live, if it is a number of them.

    Raises:
        ConfigError: the options do not fit together.
    """
    attribute, lives, column = (options[k] for k in ("ttl.attribute", "ttl", "ttl.column"))
    if attribute is None:
        odd = "ttl" if lives is not None else "ttl.column" if column is not None else None
        if odd is not None:
            raise ConfigError(f"'{odd}' needs the option 'ttl.attribute'", location=options.location(odd))
        return None
    if (lives is None) == (column is None):
        hint = "set 'ttl' = '7 d', or 'ttl.column' to a TIMESTAMP column, and not both"
        message = "'ttl.attribute' needs to know when items expire"
        raise ConfigError(message, hint=hint, location=options.location("ttl.attribute"))
    _refuse_columns(table, options, "ttl.attribute", attribute)
    if column is not None and (column not in table.written or table.written[column].type.kind not in TIMESTAMPS):
        hint = did_you_mean(column, table.written.names)
        raise ConfigError(
            f"'ttl.column' names no TIMESTAMP column '{column}'", hint=hint, location=options.location("ttl.column")
        )
    return None if lives is None else lives / 1000


def _refuse_columns(table: Table, options: Values, key: str, attribute: str | None) -> None:
    if attribute is not None and attribute in table.written:
        message = f"'{key}' is an attribute beside the columns, and '{attribute}' is a column"
        raise ConfigError(message, hint="give it another name", location=options.location(key))


CONNECTOR = DynamoDbConnector()
