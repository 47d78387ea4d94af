"""The options of the connector `dynamodb`."""

from __future__ import annotations

from tailrace.connectors.aws.options import AWS
from tailrace.connectors.bulk import bulk_options
from tailrace.options import Option, OptionSet, at_least, boolean, choice, duration, positive, string

BATCH, TRANSACTIONS = "batch", "transactions"
PUT, UPDATE = "put", "update"
SCAN, STREAM, UPSERT_STREAM, SCAN_THEN_STREAM = "scan", "stream", "upsert-stream", "scan-then-stream"
EARLIEST, LATEST = "earliest-offset", "latest-offset"

OPTIONS = OptionSet(
    "connector 'dynamodb'",
    (
        Option("table-name", string, doc="the table there; without it, the name of the table"),
        *AWS,
        Option(
            "sink.mode",
            choice(BATCH, TRANSACTIONS),
            BATCH,
            "how rows are written: `batch` (as they come, many requests at a time) or `transactions` (with their checkpoint, up to 99"
            " items each, under a mark)",
        ),
        Option(
            "sink.write",
            choice(PUT, UPDATE),
            PUT,
            "what is written of an item: `put` replaces it as a whole, `update` sets the declared columns and leaves the others",
        ),
        Option("sink.ignore-nulls", boolean, False, "leave attributes out that are NULL, instead of writing NULL"),
        Option(
            "write-timestamp-column",
            string,
            doc="the TIMESTAMP column that tells when a row is of: an older row never overwrites a newer one",
        ),
        Option(
            "sink.epoch-attribute",
            string,
            doc="an attribute that takes the number of the checkpoint a row is written for: an older one never overwrites a newer one",
        ),
        Option(
            "sink.mark-table",
            string,
            "tailrace-epochs",
            "the table in which `transactions` note the last checkpoint that was written; made if it is missing",
        ),
        Option(
            "ttl.attribute", string, doc="the attribute by which DynamoDB lets items expire; needs one of the next two"
        ),
        Option("ttl", positive(duration), doc="how long an item lives from the time it is written"),
        Option("ttl.column", string, doc="the TIMESTAMP column that says when an item expires"),
        Option("lookup.consistent-read", boolean, False, "ask for what was written last, at twice the price"),
        Option("lookup.max-in-flight", at_least(1), 4, "how many requests of a lookup are under way at a time"),
        Option(
            "scan.mode",
            choice(SCAN, STREAM, UPSERT_STREAM, SCAN_THEN_STREAM),
            SCAN,
            "what is read: the items of the table once (`scan`); the changes of its stream with what was before (`stream`); what stands at"
            " each key, by the stream (`upsert-stream`); or the items and then that (`scan-then-stream`)",
        ),
        Option("scan.segments", at_least(1), 1, "into how many segments a scan is cut"),
        Option("scan.consistent-read", boolean, False, "scan what was written last, at twice the price"),
        Option(
            "scan.startup.mode",
            choice(EARLIEST, LATEST),
            EARLIEST,
            "where a stream is read from when there is no checkpoint: its oldest record (of a day), or its end",
        ),
        *bulk_options(rows=25, size=4 << 20, in_flight=8),
    ),
)
