"""The connector's face: from the options of a table to a source or sink."""

from __future__ import annotations

import random
from collections.abc import Sequence

import polars as pl

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.bulk import WHOLE, Bulk
from tailrace.connectors.encoding import Message, RowEncoder
from tailrace.connectors.kinesis.options import FIXED, OPTIONS
from tailrace.connectors.kinesis.sink import REQUESTS, Keys, KinesisSink, Limits
from tailrace.connectors.kinesis.source import METADATA, KinesisSource, Reading
from tailrace.connectors.kinesis.stream import Place
from tailrace.connectors.table_options import TableOptions, appends_only, with_format
from tailrace.connectors.texts import refuse_textless, text
from tailrace.errors import ConfigError
from tailrace.formats.base import MetadataKey
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

_LONGEST = 256
"""So many characters a partition key has at most; what is beyond is cut, as Flink does."""


class KinesisConnector(Connector):
    """Streams of Kinesis that are read through splits and merges, and written by key."""

    name = "kinesis"
    doc = "Amazon Kinesis Data Streams: shards read exactly behind a sequence number, through splits and merges; records put by key."
    options = OPTIONS
    place = "stream"
    partitions = True
    partitions_in_rows = True
    metadata = (
        MetadataKey("timestamp", "TIMESTAMP_LTZ(3) NOT NULL", "when Kinesis took the record"),
        MetadataKey("shard-id", "VARCHAR(128) NOT NULL", "the shard of the record"),
        MetadataKey("sequence-number", "VARCHAR(128) NOT NULL", "its sequence number"),
        MetadataKey("sub-sequence-number", "BIGINT NOT NULL", "its number among those that came as one record, from 0"),
        MetadataKey("partition-key", "STRING", "its partition key", writable=True),
    )

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> KinesisSource:
        with_format(table, self)
        wanted = tuple(m.key for m in table.metadata if m.name in schema and m.key in METADATA)
        return KinesisSource(Place.of(options, table.name), Reading.of(options), wanted, context.clock)

    def refuses_updates(self, table: Table) -> str:
        return appends_only(table, self)

    def sink(self, table: Table, options: Values, context: Context) -> KinesisSink:
        resolved = with_format(table, self)
        columns = _key_columns(table, options, resolved)
        fixed = options["sink.partitioner"] == FIXED
        ordered = bool(columns) if options["sink.ordered"] is None else options["sink.ordered"]
        limits = Limits.of(options)
        bulk = Bulk(
            limits.rows * REQUESTS,
            limits.request * REQUESTS,
            options["sink.requests.max-inflight"],
            options["sink.flush-buffer.timeout"] / 1000,
            order=(columns or (WHOLE if fixed else None)) if ordered else None,
        )
        keys = _keys(table, options, resolved, context.job)
        return KinesisSink(
            Place.of(options, table.name), RowEncoder(table, resolved), keys, limits, bulk, ordered=ordered
        )


def _key_columns(table: Table, options: Values, resolved: TableOptions) -> tuple[str, ...]:
    """
    Give the columns that say the partition key; none if it is random or fixed.

    Raises:
        ConfigError: more than one thing says the partition key.
    """
    said = {
        "PARTITIONED BY": table.partitioned_by,
        "the metadata column 'partition-key'": _metadata_column(table),
        "'key.format'": resolved.key_fields if resolved.key is not None else (),
    }
    given = {what: columns for what, columns in said.items() if columns}
    if options["sink.partitioner"] is not None:
        given["'sink.partitioner'"] = ()
    if len(given) > 1:
        at = options.location("sink.partitioner") or table.location
        raise ConfigError(f"{' and '.join(given)} both say the partition key", hint="leave one out", location=at)
    if table.partitioned_by:
        refuse_textless(table.physical.select(table.partitioned_by), "a partition key", table.location, binary=False)
    return next(iter(given.values()), ())


def _metadata_column(table: Table) -> tuple[str, ...]:
    return tuple(m.name for m in table.metadata if m.key == "partition-key" and not m.virtual)


def _keys(table: Table, options: Values, resolved: TableOptions, job: str) -> Keys:
    """Give what makes the partition keys of rows."""
    columns = table.partitioned_by or _metadata_column(table)
    if columns:
        fields, delimiter = table.written.select(columns), options["sink.partitioner-field-delimiter"]
        texts = [text(f).fill_null("null") for f in fields]
        joined = pl.concat_str([part for t in texts for part in (pl.lit(delimiter), t)][1:])
        return lambda rows, _: _legal(rows.select(joined.alias("key")).to_series().to_list())
    if resolved.key is not None:
        return lambda _, made: _legal([(m.key or b"").decode(errors="backslashreplace") for m in made])
    if options["sink.partitioner"] == FIXED:
        return lambda _, made: [f"tailrace-{job}"[:_LONGEST]] * len(made)
    drawn = random.Random()  # noqa: S311  only spreads rows
    return lambda _, made: _random(drawn, made)


def _random(drawn: random.Random, made: Sequence[Message]) -> list[str]:
    return [f"{drawn.getrandbits(64):x}" for _ in made]


def _legal(keys: list[str]) -> list[str]:
    """Make keys as Kinesis wants them: not empty, and not too long."""
    return [key[:_LONGEST] or "null" for key in keys]


CONNECTOR = KinesisConnector()
