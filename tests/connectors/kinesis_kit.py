"""What the tests of Kinesis share: its own client, streams, and a server in front of it that answers what it never would."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.config import Config
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from http_kit import Api, Asked, Said

LOGIN = {"aws.credentials.basic.accesskeyid": "key", "aws.credentials.basic.secretkey": "secret"}
_BYTES, _STRING, _UINT64, _MESSAGE = 12, 9, 4, 11


def client_of(endpoint: str) -> Any:
    """Give AWS's own client."""
    return botocore.session.Session().create_client(
        "kinesis",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="key",
        aws_secret_access_key="secret",  # noqa: S106  the mock takes any
        config=Config(retries={"total_max_attempts": 1}),
    )


def make(client: Any, name: str, shards: int = 1) -> str:
    """Make a stream, and wait until it is there."""
    client.create_stream(StreamName=name, ShardCount=shards)
    until_active(client, name)
    return name


def until_active(client: Any, name: str, seconds: float = 30.0) -> None:
    """Wait until a stream can be changed."""
    end = time.monotonic() + seconds
    while client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"] != "ACTIVE":
        assert time.monotonic() < end, "the stream does not become active"
        time.sleep(0.05)


def put(client: Any, name: str, rows: Iterable[tuple[str, bytes]]) -> None:
    """Put records by key, one by one, so that they stay in order."""
    for key, data in rows:
        client.put_record(StreamName=name, PartitionKey=key, Data=data)


def put_many(client: Any, name: str, rows: list[tuple[str, bytes]]) -> None:
    """Put records by the request for many."""
    for at in range(0, len(rows), 500):
        records = [{"PartitionKey": k, "Data": d} for k, d in rows[at : at + 500]]
        assert client.put_records(StreamName=name, Records=records)["FailedRecordCount"] == 0


def shards(client: Any, name: str) -> list[dict[str, Any]]:
    """List the shards of a stream."""
    found: list[dict[str, Any]] = client.list_shards(StreamName=name)["Shards"]
    return found


def records(client: Any, name: str) -> list[dict[str, Any]]:
    """Read all records of a stream, shard by shard in the order in which they were made."""
    found = []
    for shard in shards(client, name):
        iterator = client.get_shard_iterator(
            StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            answer = client.get_records(ShardIterator=iterator)
            found += answer["Records"]
            if not answer["Records"] and not answer.get("MillisBehindLatest"):
                break
            iterator = answer.get("NextShardIterator")
    return found


def open_shards(client: Any, name: str) -> list[dict[str, Any]]:
    """List the shards that take records, by their keys."""
    live = [s for s in shards(client, name) if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
    return sorted(live, key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))


def split(client: Any, name: str, at: int = 0) -> None:
    """Split an open shard in its middle."""
    shard = open_shards(client, name)[at]
    keys = shard["HashKeyRange"]
    middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"])) // 2
    client.split_shard(StreamName=name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle))
    until_active(client, name)


def merge(client: Any, name: str) -> None:
    """Merge the first two open shards."""
    first, second = open_shards(client, name)[:2]
    client.merge_shards(StreamName=name, ShardToMerge=first["ShardId"], AdjacentShardToMerge=second["ShardId"])
    until_active(client, name)


@dataclass(slots=True)
class Front:
    """Stands before Kinesis: `rule` answers a request by its action and body itself, or gives None, and it is handed on."""

    target: str
    rule: Callable[[str, dict[str, Any]], Said | None] = field(default=lambda *_: None)
    actions: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Said:
        action = asked.headers["x-amz-target"].rpartition(".")[2]
        self.actions.append(action)
        return self.rule(action, json.loads(asked.body)) or self.hand_on(action, asked.body)

    def hand_on(self, action: str, body: bytes) -> Said:
        """Ask Kinesis itself."""
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"Kinesis_20131202.{action}",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=x",
        }
        try:
            request = urllib.request.Request(self.target, body, headers)  # noqa: S310  a server of this test
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return Said(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            return Said(error.code, error.read())


def refused(code: str, status: int = 400, message: str = "why") -> Said:
    """Give an error as Kinesis says it."""
    return Said(status, json.dumps({"__type": code, "message": message}).encode())


def front(target: str) -> tuple[Api, Front]:
    """Make a server that stands before Kinesis."""
    made = Front(target)
    return Api(made), made


def _field(number: int, name: str, kind: int, *, repeated: bool = False, of: str = "") -> Any:
    label = 3 if repeated else 1
    made = descriptor_pb2.FieldDescriptorProto(name=name, number=number, type=kind, label=label)
    if of:
        made.type_name = of
    return made


def _aggregated() -> Any:
    """Give the class of the message of Kinesis's producer library."""
    file = descriptor_pb2.FileDescriptorProto(name="kpl.proto", package="kpl", syntax="proto2")
    record = file.message_type.add(name="Record")
    record.field.extend(
        [
            _field(1, "partition_key_index", _UINT64),
            _field(2, "explicit_hash_key_index", _UINT64),
            _field(3, "data", _BYTES),
        ]
    )
    whole = file.message_type.add(name="AggregatedRecord")
    whole.field.extend(
        [
            _field(1, "partition_key_table", _STRING, repeated=True),
            _field(2, "explicit_hash_key_table", _STRING, repeated=True),
            _field(3, "records", _MESSAGE, repeated=True, of=".kpl.Record"),
        ]
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("kpl.AggregatedRecord"))


AGGREGATED = _aggregated()


def aggregated(rows: list[tuple[str, bytes]], hashes: dict[int, int] | None = None) -> bytes:
    """Put rows into one record, as the producer library does; `hashes` gives some an explicit hash key."""
    message = AGGREGATED()
    for number, (key, data) in enumerate(rows):
        if key not in message.partition_key_table:
            message.partition_key_table.append(key)
        made = message.records.add(partition_key_index=list(message.partition_key_table).index(key), data=data)
        if hashes and number in hashes:
            made.explicit_hash_key_index = len(message.explicit_hash_key_table)
            message.explicit_hash_key_table.append(str(hashes[number]))
    body: bytes = message.SerializeToString()
    return b"\xf3\x89\x9a\xc2" + body + hashlib.md5(body, usedforsecurity=False).digest()
