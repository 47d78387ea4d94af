"""Streams of Kinesis as sources: the sequence number of a record is its position, so that a restart goes on exactly behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.aws.shard_reader import Pace, ShardReader
from tailrace.connectors.aws.shards import OLDEST, Record, Start
from tailrace.connectors.base import Block, Position, Positions, Report, Source
from tailrace.connectors.kinesis.options import AT_TIMESTAMP, LATEST
from tailrace.connectors.kinesis.stream import KinesisStream, Place
from tailrace.errors import ConfigError
from tailrace.formats.base import Rows
from tailrace.options import Values

METADATA: dict[str, pl.DataType] = {
    "timestamp": pl.Datetime("ms", "UTC"),
    "shard-id": pl.String(),
    "sequence-number": pl.String(),
    "sub-sequence-number": pl.Int64(),
    "partition-key": pl.String(),
}
_DIGITS = 18
"""So many digits of a sequence number are told in reports and dead letters as the number of a row: the last ones."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the stream is read: where it begins, and how it is asked."""

    start: Start
    bounded: bool
    threads: int
    rows: int
    empty_seconds: float
    pause_seconds: float
    discovery_seconds: float

    @classmethod
    def of(cls, options: Values) -> Reading:
        """
        Read the options.

        Raises:
            ConfigError: a time is missing, or not wanted.
        """
        return cls(
            _start(options),
            options["scan.bounded"],
            options["source.requests.max-inflight"],
            options["source.shard.get-records.max-record-count"],
            options["source.reader.empty-records-fetch-interval"] / 1000,
            options["source.reader.nonempty-records-fetch-interval"] / 1000,
            options["source.shard.discovery.interval"] / 1000,
        )

    def pace(self, now_ms: int) -> Pace:
        """Give what a reader that begins now is told."""
        return Pace(
            self.start,
            now_ms,
            self.bounded,
            self.threads,
            self.rows,
            self.empty_seconds,
            self.pause_seconds,
            self.discovery_seconds,
        )


def _start(options: Values) -> Start:
    mode, moment = options["source.init.position"], options["source.init.timestamp"]
    at = options.location("source.init.position") or options.location("source.init.timestamp")
    if mode == AT_TIMESTAMP:
        if moment is None:
            hint = "add 'source.init.timestamp' = '2026-01-01T00:00:00Z'"
            raise ConfigError("'source.init.position' = 'AT_TIMESTAMP' needs a time", hint=hint, location=at)
        return Start("AT_TIMESTAMP", time=moment)
    if moment is not None:
        hint = "add 'source.init.position' = 'AT_TIMESTAMP'"
        raise ConfigError(f"'source.init.timestamp' is not for '{mode}'", hint=hint, location=at)
    return Start("LATEST") if mode == LATEST else OLDEST


class KinesisSource(Source):
    """Reads all shards of a stream, through splits and merges."""

    def __init__(self, place: Place, reading: Reading, metadata: tuple[str, ...], clock: Clock) -> None:
        self.bounded = reading.bounded
        self.place = place
        self.reading = reading
        self.metadata = metadata
        self.clock = clock

    def open(self, positions: Positions) -> KinesisReader:
        return KinesisReader(self, positions)

    def check(self) -> Report:
        return self.place.check()


class KinesisReader(ShardReader):
    """Gives the bytes of records, and what Kinesis says of them."""

    def __init__(self, source: KinesisSource, positions: Positions) -> None:
        self._metadata = source.metadata
        self._kinesis = KinesisStream(source.place, source.reading.threads + 1)
        super().__init__(self._kinesis, source.reading.pace(source.clock.now_ms()), positions)

    def block(self, shard: str, records: list[Record], position: Position) -> Block:
        columns = {key: pl.Series(key, _values(key, shard, records), METADATA[key]) for key in self._metadata}
        return Block(
            shard,
            Rows.of([r.payload for r in records]),
            position,
            np.array([int(r.sequence[-_DIGITS:]) for r in records], np.int64),
            Rows.of([(r.key or "").encode() for r in records]),
            pl.DataFrame(columns) if columns else None,
        )

    def close(self) -> None:
        super().close()
        self._kinesis.close()


def _values(key: str, shard: str, records: list[Record]) -> list[object]:
    match key:
        case "timestamp":
            return [r.time for r in records]
        case "shard-id":
            return [shard] * len(records)
        case "sequence-number":
            return [r.sequence for r in records]
        case "sub-sequence-number":
            return [r.sub for r in records]
    return [r.key for r in records]
