"""The sources that read the stream of a table: its changes, or what stands at each key, from the start or behind a scan."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from botocore.exceptions import ClientError

from tailrace.connectors.aws.failures import code_of, reported
from tailrace.connectors.aws.shard_reader import Pace, ShardReader
from tailrace.connectors.aws.shards import ExpiredIteratorError, Page, Record, Shard, Start, Stream
from tailrace.connectors.base import Block, Change, Ended, Limit, Position, Positions, Reader, Report, Source
from tailrace.connectors.dynamodb.client import Found, check, found_at, refuse_other_types, require_key
from tailrace.connectors.dynamodb.scan import Scan, Scanning, as_text, block
from tailrace.connectors.dynamodb.types import Item, frame_of
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError, TerminalError

METADATA: dict[str, pl.DataType] = {
    "sequence-number": pl.String(),
    "shard": pl.String(),
    "timestamp": pl.Datetime("ms", "UTC"),
}
KEYS_ONLY, BOTH = "KEYS_ONLY", "NEW_AND_OLD_IMAGES"
_NEW = ("NEW_IMAGE", BOTH)
_PAGE = 1000
_MARGIN_MS = 60_000
"""So much before a time records are read from: theirs are cut to the second or minute, clocks differ, and a scan may give what stood there a moment ago."""
_GONE = "TrimmedDataAccessException"
_EXPIRED = "ExpiredIteratorException"

Changed = tuple[RowKind, Item, Record]
"""A row that a record makes: what it does, and its attributes."""


class TableStream(Stream):
    """The stream of a table, as DynamoDB Streams tells of it."""

    def __init__(self, client: Any, arn: str, shown: str) -> None:
        self.shown = f"the stream of {shown}"
        self._client = client
        self._arn = arn
        self._since: dict[str, int] = {}

    def shards(self) -> list[Shard]:
        found: list[Shard] = []
        last: dict[str, str] = {}
        while True:
            with reported(self.shown):
                told = self._client.describe_stream(StreamArn=self._arn, **last)["StreamDescription"]
            found += map(_shard, told["Shards"])
            if not told.get("LastEvaluatedShardId"):
                return found
            last = {"ExclusiveStartShardId": told["LastEvaluatedShardId"]}

    def iterator(self, shard: str, start: Start) -> str:
        kind: str = start.kind
        if kind == "AT_TIMESTAMP":  # it knows no times: older records are left out one by one
            kind, self._since[shard] = "TRIM_HORIZON", start.time - _MARGIN_MS
        given = {"SequenceNumber": start.sequence} if start.sequence else {}
        asked = {"StreamArn": self._arn, "ShardId": shard, "ShardIteratorType": kind, **given}
        return str(self._asked("get_shard_iterator", asked)["ShardIterator"])

    def page(self, shard: Shard, iterator: str, rows: int) -> Page:
        answer = self._asked("get_records", {"ShardIterator": iterator, "Limit": min(rows, _PAGE)})
        records = list(map(_record, answer["Records"]))
        since = self._since.get(shard.name)
        return Page(
            records if since is None else [r for r in records if r.time is None or r.time >= since],
            answer.get("NextShardIterator"),
            None if records else 0,
            sum(int(r["dynamodb"].get("SizeBytes", 0)) for r in answer["Records"]),
            records[-1].sequence if records else "",
        )

    def _asked(self, operation: str, given: Mapping[str, Any]) -> Any:
        """
        Ask.

        Raises:
            ExpiredIteratorError: the iterator is good no more.
            TerminalError: records behind a position are gone.
        """
        with reported(self.shown):
            try:
                return getattr(self._client, operation)(**given)
            except ClientError as error:
                if code_of(error) == _EXPIRED:
                    raise ExpiredIteratorError(f"{self.shown}: an iterator was kept too long") from None
                if code_of(error) != _GONE:
                    raise
                hint = (
                    "a stream keeps a day; begin with new state, as by 'scan.mode' = 'scan-then-stream': rows are lost"
                )
                message = f"{self.shown}: records behind the position of the checkpoint are there no more"
                raise TerminalError(message, hint=hint) from None


def _shard(told: Mapping[str, Any]) -> Shard:
    parent = told.get("ParentShardId")
    closed = "EndingSequenceNumber" in told.get("SequenceNumberRange", {})
    return Shard(told["ShardId"], (parent,) if parent else (), closed)


def _record(told: Mapping[str, Any]) -> Record:
    made: datetime | None = told["dynamodb"].get("ApproximateCreationDateTime")
    return Record(told["dynamodb"]["SequenceNumber"], told, time=None if made is None else int(made.timestamp() * 1000))


# -- what a record makes


def changes_of(record: Record) -> list[Changed]:
    """Give the rows of a record with both images: what was before is taken back."""
    told, image = record.payload["eventName"], record.payload["dynamodb"]
    if told == "INSERT":
        return [(RowKind.INSERT, image["NewImage"], record)]
    if told == "REMOVE":
        return [(RowKind.DELETE, image["OldImage"], record)]
    before, after = (
        (RowKind.UPDATE_BEFORE, image["OldImage"], record),
        (RowKind.UPDATE_AFTER, image["NewImage"], record),
    )
    return [before, after]


def upserts_of(record: Record) -> list[Changed]:
    """Give what stands at the key of a record now."""
    image = record.payload["dynamodb"]
    if record.payload["eventName"] == "REMOVE":
        return [(RowKind.DELETE, image["Keys"], record)]
    return [(RowKind.UPDATE_AFTER, image.get("NewImage", image["Keys"]), record)]


@dataclass(frozen=True, slots=True)
class Streaming:
    """What is read of a stream: as upserts or changes, from where, and whether the table is scanned before."""

    scanning: Scanning
    key: tuple[str, ...]
    pace: Pace
    upserts: bool
    scanned: bool = False

    def require(self, found: Found) -> None:
        """
        Make sure that the stream of a table has what is needed.

        Raises:
            ConfigError: it has none, or with other images; the key is another.
        """
        place, schema = self.scanning.place, self.scanning.schema
        if self.key:
            require_key(found, place, schema, self.key)
        refuse_other_types(found, place, schema)
        if not found.stream:
            raise ConfigError(f"{place.shown} has no stream", hint=f"enable it, with StreamViewType {self._wanted}")
        keys_do = self.upserts and not self.scanned and found.images == KEYS_ONLY
        if keys_do and all(name in found.key for name in schema.names):
            return
        if found.images not in (_NEW if self.upserts else (BOTH,)):
            message = f"the stream of {place.shown} has {found.images}, and {self._wanted} are needed"
            hint = (
                "make another stream" if self.upserts else "make another stream, or set 'scan.mode' = 'upsert-stream'"
            )
            raise ConfigError(message, hint=f"{hint}; of KEYS_ONLY the columns of the key alone can be read")

    @property
    def _wanted(self) -> str:
        return " or ".join(_NEW) if self.upserts else BOTH


class StreamSource(Source):
    """Reads the stream of a table, with or without a scan before."""

    def __init__(self, streaming: Streaming) -> None:
        self.streaming = streaming

    def open(self, positions: Positions) -> Reader:
        streaming = self.streaming
        place = streaming.scanning.place
        found = found_at(place)
        streaming.require(found)
        shards = {name: p for name, p in positions.items() if not _is_segment(name)}
        reader = StreamReader(streaming, found.stream, shards)
        if not streaming.scanned:
            return reader
        return ScanThenStreamReader(streaming, {n: p for n, p in positions.items() if _is_segment(n)}, reader)

    def check(self) -> Report:
        return check(self.streaming.scanning.place, self._usable)

    def _usable(self, found: Found) -> str:
        self.streaming.require(found)
        return f", stream with {found.images}"


def _is_segment(partition: str) -> bool:
    return "/" in partition


class StreamReader(ShardReader):
    """Records of a stream as rows that say what has changed."""

    def __init__(self, streaming: Streaming, arn: str, positions: Positions) -> None:
        self._streaming = streaming
        self._client = streaming.scanning.place.streams()
        super().__init__(TableStream(self._client, arn, streaming.scanning.place.shown), streaming.pace, positions)

    def block(self, shard: str, records: list[Record], position: Position) -> Block:
        read = upserts_of if self._streaming.upserts else changes_of
        rows = [row for record in records for row in read(record)]
        scanning = self._streaming.scanning
        frame, bad = frame_of([item for _, item, _ in rows], scanning.schema)
        bad = {i: r for i, r in bad.items() if r.code != "missing" or rows[i][0] is not RowKind.DELETE}
        kinds = pl.Series(KIND, [int(kind) for kind, _, _ in rows], dtype=pl.Int8)
        return Block(
            shard,
            frame.with_columns(kinds) if len(scanning.schema) else kinds.to_frame(),
            position,
            metadata=self._metadata(shard, rows) if scanning.metadata else None,
            rejects=tuple(bad[i] for i in sorted(bad)),
            originals={i: as_text(rows[i][1]).encode() for i in bad},
        )

    def _metadata(self, shard: str, rows: Sequence[Changed]) -> pl.DataFrame:
        values: dict[str, list[Any]] = {
            "sequence-number": [r.sequence for _, _, r in rows],
            "shard": [shard] * len(rows),
            "timestamp": [r.time for _, _, r in rows],
        }
        return pl.DataFrame({n: pl.Series(values[n], dtype=t) for n, t in self._streaming.scanning.metadata.items()})

    def first(self) -> list[Block]:
        """Give the positions of shards that are begun, and no records."""
        found, self._first = self._first, []
        return found

    def close(self) -> None:
        super().close()
        self._client.close()


class ScanThenStreamReader(Reader):
    """Gives all items of a table, and then what has happened to them since before the scan began, by key."""

    def __init__(self, streaming: Streaming, positions: Positions, stream: StreamReader) -> None:
        self._scanning = streaming.scanning
        self._stream = stream
        try:
            self._scan = Scan(streaming.scanning, positions)
        except BaseException:
            stream.close()
            raise
        self._changes: list[Change] = self._scan.announced()
        self._announced = False

    @property
    def throttled(self) -> float:
        return self._scan.throttled + self._stream.throttled

    def poll(self, limit: Limit) -> list[Block]:
        if not self._announced:
            return []
        blocks = self._stream.first()
        if blocks:
            return blocks
        if not self._scan.live:
            return self._stream.poll(limit)
        found = self._scan.page(limit)
        if found is None:
            time.sleep(limit.wait_seconds)
            return []
        name, items, position, first = found
        if position[0] is None:
            self._changes.append(Ended(name))
        kinds = pl.repeat(int(RowKind.UPDATE_AFTER), len(items), dtype=pl.Int8, eager=True)
        return [block(self._scanning, name, items, position, first, kinds)]

    def changes(self) -> list[Change]:
        self._announced = True
        found, self._changes = self._changes, []
        return [*found, *self._stream.changes()]

    def behind(self) -> Collection[str]:
        return [*self._scan.live, *self._stream.behind()]

    def lags(self) -> Mapping[str, int | None]:
        return dict.fromkeys(self._scan.live) | dict(self._stream.lags())

    def sent_times(self) -> Sequence[int]:
        return self._stream.sent_times()

    def close(self) -> None:
        self._scan.close()
        self._stream.close()
