"""The options of the connector `kinesis`; those that Flink's has too are named as there."""

from __future__ import annotations

from datetime import UTC, datetime

from tailrace.connectors.aws.options import AWS
from tailrace.options import (
    Option,
    OptionSet,
    at_least,
    boolean,
    choice,
    duration,
    integer,
    memory_size,
    positive,
    string,
    utc_time,
)

LATEST, TRIM_HORIZON, AT_TIMESTAMP = "LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"
RANDOM, FIXED = "random", "fixed"
MOST_ROWS = 500
"""So many records a request of Kinesis takes."""
MOST_BYTES = 10 << 20
"""So many bytes one takes, with the partition keys."""
MOST_READ = 10_000
"""So many records an answer has at most."""


def moment(text: str) -> int:
    """
    Read a time, or seconds since 1970 as Flink takes them, in milliseconds since 1970.

    >>> moment("1459799926.480"), moment("1970-01-01T00:00:01Z")
    (1459799926480, 1000)
    """
    try:
        seconds = float(text)
    except ValueError:
        return utc_time(text)
    if not 0 <= seconds < datetime(9999, 1, 1, tzinfo=UTC).timestamp():
        raise ValueError("expected seconds since 1970, or a time as '2026-01-01 00:00:00'")
    return round(seconds * 1000)


def _up_to(most: int) -> object:
    def parse(text: str) -> int:
        if not 1 <= (value := integer(text)) <= most:
            raise ValueError(f"expected a number from 1 to {most}")
        return value

    return parse


def _size(text: str) -> int:
    if not 1 <= (value := memory_size(text)) <= MOST_BYTES:
        raise ValueError("expected a size up to '10 mb'")
    return value


OPTIONS = OptionSet(
    "connector 'kinesis'",
    (
        Option("stream.arn", string, doc="the stream by its ARN, which also says the region"),
        Option("stream", string, doc="the stream by its name; without both the table's name"),
        *AWS,
        Option(
            "source.init.position",
            choice(LATEST, TRIM_HORIZON, AT_TIMESTAMP),
            LATEST,
            "where to begin without a checkpoint: with what comes from now on, with the oldest record, or at a time",
        ),
        Option(
            "source.init.timestamp",
            moment,
            doc="for `AT_TIMESTAMP`: a time as `2026-01-01T00:00:00Z`, or seconds since 1970 with a fraction",
        ),
        Option("scan.bounded", boolean, False, "end with the records that are there at the start"),
        Option("source.shard.discovery.interval", positive(duration), 10_000, "how often to look for new shards"),
        Option(
            "source.shard.get-records.max-record-count",
            _up_to(MOST_READ),  # type: ignore[arg-type]
            MOST_READ,
            "how many records one request asks for",
        ),
        Option(
            "source.reader.empty-records-fetch-interval",
            duration,
            250,
            "the pause before a shard that gave nothing is asked again; a shard may be asked five times a second by all its readers",
        ),
        Option(
            "source.reader.nonempty-records-fetch-interval", duration, 0, "the pause before one that gave records is"
        ),
        Option("source.requests.max-inflight", at_least(1), 8, "how many shards are asked at a time"),
        Option(
            "sink.partitioner",
            choice(RANDOM, FIXED),
            doc="the partition key of rows without PARTITIONED BY, a key or a metadata column for it: `random` (without this), or one for all"
            " of the job (`fixed`)",
        ),
        Option(
            "sink.partitioner-field-delimiter",
            string,
            "|",
            "what stands between the values of PARTITIONED BY in the partition key",
        ),
        Option(
            "sink.ordered",
            boolean,
            doc="whether rows of one partition key keep their order even if Kinesis takes only some of a request, so that each request has"
            " one row of a key; without it `true` where rows have keys of their own",
        ),
        Option("sink.batch.max-size", _up_to(MOST_ROWS), MOST_ROWS, "how many records a request has at most"),  # type: ignore[arg-type]
        Option("sink.flush-buffer.size", _size, 5 << 20, "how many bytes a request has at most"),
        Option(
            "sink.flush-buffer.timeout",
            duration,
            0,
            "how long rows may wait for more when the stream pauses; a checkpoint sends them all",
        ),
        Option("sink.requests.max-inflight", positive(integer), 4, "how many requests are under way at a time"),
        Option(
            "sink.record.max-size",
            _size,
            1 << 20,
            "how many bytes a record has at most, with its partition key; a larger row is one that can't be written",
        ),
    ),
)
