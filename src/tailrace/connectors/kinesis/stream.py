"""A stream of Kinesis: its shards, iterators and records, and whether it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tailrace.connectors.aws.access import Access
from tailrace.connectors.aws.failures import code_of, reported
from tailrace.connectors.aws.shards import ExpiredIteratorError, Page, Record, Shard, Start, Stream
from tailrace.connectors.base import Report
from tailrace.connectors.kinesis.aggregated import MAGIC, belongs, parts
from tailrace.errors import ConfigError, TailraceError
from tailrace.options import Values

_EXPIRED = "ExpiredIteratorException"
_USABLE = ("ACTIVE", "UPDATING")


@dataclass(frozen=True, slots=True)
class Place:
    """Which stream, and how it is reached."""

    access: Access
    stream: Mapping[str, str]
    """The argument of requests that names it."""
    name: str

    @classmethod
    def of(cls, options: Values, table: str) -> Place:
        """
        Read the options.

        Raises:
            ConfigError: the ARN is none of a stream, or the access is not complete.
        """
        access, arn = Access.of(options), options["stream.arn"]
        if arn is None:
            name = options["stream"] or table
            return cls(access, {"StreamName": name}, name)
        at = options.location("stream.arn")
        if options["stream"] is not None:
            raise ConfigError("'stream' and 'stream.arn' both name a stream", hint="leave one out", location=at)
        part = arn.split(":")
        if len(part) != 6 or part[2] != "kinesis" or not part[5].startswith("stream/"):
            hint = "write it as arn:aws:kinesis:eu-central-1:123456789012:stream/payments"
            raise ConfigError(f"'{arn}' is no ARN of a stream", hint=hint, location=at)
        return cls(replace(access, region=access.region or part[3]), {"StreamARN": arn}, part[5].partition("/")[2])

    def __str__(self) -> str:
        return f"Kinesis stream '{self.name}' in {self.access.shown}"

    def client(self, connections: int = 10) -> Any:
        """
        Make a client.

        Raises:
            ConfigError: there is no region, or no such profile.
        """
        return self.access.client("kinesis", str(self), connections)

    def check(self) -> Report:
        """Ask what state the stream is in."""
        client = None
        try:
            client = self.client()
            with reported(str(self)):
                found = client.describe_stream_summary(**self.stream)["StreamDescriptionSummary"]
        except TailraceError as error:
            return Report.failed(error)
        finally:
            if client is not None:
                client.close()
        status, shards = found["StreamStatus"], found["OpenShardCount"]
        said = f"{self}: {status}, {shards} open shard{'s' * (shards != 1)}, keeps {found['RetentionPeriodHours']} h"
        return Report(status in _USABLE, said)


class KinesisStream(Stream):
    """Asks Kinesis by threads that share a client."""

    def __init__(self, place: Place, connections: int) -> None:
        self.shown = str(place)
        self._place = place
        self._client = place.client(connections)

    def shards(self) -> list[Shard]:
        found: list[Shard] = []
        asked: dict[str, Any] = dict(self._place.stream)
        while True:
            with reported(self.shown):
                answer = self._client.list_shards(**asked)
            found += [_shard(s) for s in answer["Shards"]]
            if not answer.get("NextToken"):
                return found
            asked = {"NextToken": answer["NextToken"]}

    def iterator(self, shard: str, start: Start) -> str:
        asked: dict[str, Any] = {"ShardId": shard, "ShardIteratorType": start.kind, **self._place.stream}
        if start.kind == "AT_TIMESTAMP":
            asked["Timestamp"] = datetime.fromtimestamp(start.time / 1000, UTC)
        elif start.sequence:
            asked["StartingSequenceNumber"] = start.sequence
        with reported(self.shown):
            return str(self._client.get_shard_iterator(**asked)["ShardIterator"])

    def page(self, shard: Shard, iterator: str, rows: int) -> Page:
        with reported(self.shown):
            try:
                answer = self._client.get_records(ShardIterator=iterator, Limit=rows)
            except Exception as error:
                if code_of(error) == _EXPIRED:
                    raise ExpiredIteratorError(f"{self.shown}: an iterator has expired") from None
                raise
        given = answer["Records"]
        return Page(
            [r for record in given for r in _records(record, shard)],
            answer.get("NextShardIterator"),
            answer.get("MillisBehindLatest"),
            sum(len(r["Data"]) + 64 for r in given),
            given[-1]["SequenceNumber"] if given else "",
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


def _shard(given: Mapping[str, Any]) -> Shard:
    parents = tuple(given[k] for k in ("ParentShardId", "AdjacentParentShardId") if given.get(k))
    keys = given["HashKeyRange"]
    return Shard(
        given["ShardId"],
        parents,
        given["SequenceNumberRange"].get("EndingSequenceNumber") is not None,
        (int(keys["StartingHashKey"]), int(keys["EndingHashKey"])),
    )


def _records(given: Mapping[str, Any], shard: Shard) -> list[Record]:
    """Give a record, or those that it is made of, if they belong in the shard."""
    sequence, data, moment = given["SequenceNumber"], given["Data"], given.get("ApproximateArrivalTimestamp")
    time = None if moment is None else round(moment.timestamp() * 1000)
    of = parts(data) if data.startswith(MAGIC) else None
    if of is None:
        return [Record(sequence, data, given["PartitionKey"], time)]
    kept = [(i, part) for i, part in enumerate(of) if belongs(part, shard.keys)]
    last = kept[-1][0] if kept else -1
    return [Record(sequence, part.payload, part.key, time, i, i == last) for i, part in kept]
