"""Topics that a sink makes, rights that are missing, and brokers that hold clients back."""

from __future__ import annotations

import socket
import struct
import time
import uuid
from typing import Any

import kafka_kit as kit
import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from tailrace.connectors.base import AtLeastOnceSink, Limit
from tailrace.errors import ConfigError, TailraceError, TerminalError

CREATE = {
    "tailrace.kafka.topic.create": "true",
    "tailrace.kafka.topic.partitions": "3",
    "tailrace.kafka.topic.config.retention.ms": "3600000",
}


def fresh() -> str:
    """Give a name that no topic has."""
    return f"made-{uuid.uuid4().hex[:8]}"


def config_of(kafka: str, topic: str) -> dict[str, str]:
    """Give the configuration of a topic."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    return {k: v.value for k, v in admin.describe_configs([resource])[resource].result(10).items()}


def topics(kafka: str) -> dict[str, Any]:
    """Give what the broker knows of its topics."""
    found: dict[str, Any] = AdminClient({"bootstrap.servers": kafka, "log_level": 0}).list_topics(timeout=10).topics
    return found


@pytest.mark.integration
def test_a_topic_is_made(kafka: str) -> None:
    """The check asks whether it can be, and makes nothing; the start makes it as it is asked for, and uses it later."""
    topic = fresh()
    sink = kit.sink(kit.table(kafka, topic, CREATE))
    assert isinstance(sink, AtLeastOnceSink)
    report = sink.check()
    assert report.ok
    assert "will be made, with 3 partitions, retention.ms=3600000" in report.message
    assert topic not in topics(kafka)
    for _ in range(2):
        sink.open()
        sink.write(kit.frame(range(4)))
        sink.prepare(1)
        sink.close()
    assert len(topics(kafka)[topic].partitions) == 3
    assert config_of(kafka, topic)["retention.ms"] == "3600000"
    assert len(kit.consume(kafka, topic)) == 8
    assert "3 partitions" in sink.check().message


@pytest.mark.integration
def test_a_topic_that_is_there(kafka: str) -> None:
    """It is left as it is, and the check says how it differs."""
    topic = kit.new_topic(kafka, 2, **{"retention.ms": "1000000"})
    sink = kit.sink(kit.table(kafka, topic, CREATE))
    report = sink.check()
    assert report.ok
    assert "it has 2 partitions, and 3 are asked for" in report.message
    assert "its retention.ms is 1000000, and 3600000 is asked for" in report.message
    assert isinstance(sink, AtLeastOnceSink)
    sink.open()
    sink.close()
    assert len(topics(kafka)[topic].partitions) == 2


@pytest.mark.integration
@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"tailrace.kafka.topic.replicas": "3"}, "'tailrace.kafka.topic.replicas'"),
        ({"tailrace.kafka.topic.config.retention.ms": "soon"}, "'tailrace.kafka.topic.config.*'"),
        ({"tailrace.kafka.topic.config.retension.ms": "1"}, "'tailrace.kafka.topic.config.*'"),
    ],
)
def test_a_topic_that_can_not_be_made(kafka: str, options: dict[str, str], hint: str) -> None:
    """What the broker does not take is said by the check, and at the start; nothing is made."""
    topic = fresh()
    sink = kit.sink(kit.table(kafka, topic, CREATE | options))
    assert isinstance(sink, AtLeastOnceSink)
    report = sink.check()
    assert not report.ok
    assert hint in report.message
    with pytest.raises(ConfigError, match=f"topic '{topic}' can't be made"):
        sink.open()
    assert topic not in topics(kafka)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tailrace.kafka.topic.partitions": "3"}, "needs 'tailrace.kafka.topic.create'"),
        ({"tailrace.kafka.topic.config.a": "3"}, "needs 'tailrace.kafka.topic.create'"),
        (CREATE | {"tailrace.kafka.topic.partitions": "0"}, "above zero"),
        (CREATE | {"tailrace.kafka.topic.partition": "3"}, "no option"),
    ],
)
def test_wrong_options(options: dict[str, str], message: str) -> None:
    """They are refused before anything is reached."""
    with pytest.raises(ConfigError) as error:
        kit.sink(kit.table("127.0.0.1:1", "a", options))
    assert message in error.value.message


@pytest.mark.integration
def test_a_topic_of_rows_by_key_is_compacted(kafka: str) -> None:
    """A table by key makes a topic that keeps the last row of each key, unless it says otherwise."""
    from dataclasses import replace  # noqa: PLC0415

    for more, policy in (({}, "compact"), ({"tailrace.kafka.topic.config.cleanup.policy": "delete"}, "delete")):
        topic = fresh()
        given = {"connector": "upsert-kafka", "format": "", "key.format": "json", "value.format": "json"}
        table = replace(kit.table(kafka, topic, given | CREATE | more), primary_key=("id",))
        sink = kit.sink(table)
        assert isinstance(sink, AtLeastOnceSink)
        sink.open()
        sink.close()
        assert config_of(kafka, topic)["cleanup.policy"] == policy


def only_for(kafka: str, kind: ResourceType, name: str, user: str = "somebody") -> None:
    """Give all rights on a thing to one user, so that nobody else has any."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    acl = AclBinding(
        kind, name, ResourcePatternType.LITERAL, f"User:{user}", "*", AclOperation.ALL, AclPermissionType.ALLOW
    )
    for done in admin.create_acls([acl]).values():
        done.result(10)


@pytest.mark.integration
def test_rights_that_are_missing(kafka: str) -> None:
    """N10: no right to read or write a topic, or for a group, is told as such, and not as a topic that is missing."""
    login = {
        "properties.security.protocol": "SASL_PLAINTEXT",
        "properties.sasl.mechanism": "PLAIN",
        "properties.sasl.username": "guest",
        "properties.sasl.password": "guest-secret",
    }
    address = f"127.0.0.1:{int(kafka.rpartition(':')[2]) + 1}"
    topic, free, group = kit.new_topic(kafka), kit.new_topic(kafka), fresh()
    only_for(kafka, ResourceType.TOPIC, topic)
    only_for(kafka, ResourceType.GROUP, group)
    of_group = {"scan.startup.mode": "", "properties.group.id": group}
    shared = {"tailrace.kafka.assignment": "group", "properties.group.id": group}

    def opened(name: str, more: dict[str, str]) -> TailraceError:
        table = kit.table(address, name, kit.EARLIEST | login | more)
        with pytest.raises(TailraceError) as error:
            kit.poll_until(kit.source(table).open({}), 1)
        return error.value

    table = kit.table(address, topic, kit.EARLIEST | login)
    sink = kit.sink(table)
    assert isinstance(sink, AtLeastOnceSink)
    with pytest.raises(TailraceError) as error:
        sink.open()
    sink.close()
    for found in (opened(topic, {}), opened(free, of_group), opened(free, shared), error.value):
        assert isinstance(found, TerminalError), found
        assert "an ACL is missing" in found.hint
        assert "no topic" not in found.message
    for report in (sink.check(), kit.source(table).check()):
        assert not report.ok
        assert "an ACL is missing" in report.message


def set_quota(kafka: str, client: str, key: str, value: float) -> None:
    """Limit the bytes a second of a client, by the request that the usual libraries lack."""

    def text(value: str) -> bytes:
        return struct.pack(">h", len(value)) + value.encode()

    entity = struct.pack(">i", 1) + text("client-id") + text(client)
    change = struct.pack(">i", 1) + text(key) + struct.pack(">d?", value, False)
    header = struct.pack(">hhi", 49, 0, 1) + text("test")
    body = header + struct.pack(">i", 1) + entity + change + b"\0"
    host, _, port = kafka.rpartition(":")
    with socket.create_connection((host, int(port)), 10) as s:
        s.sendall(struct.pack(">i", len(body)) + body)
        answer = b""
        while len(answer) < 18:
            answer += s.recv(4096) or pytest.fail("the broker has hung up")
    # length, correlation, throttle time, one entry, its error
    assert struct.unpack(">iiiih", answer[:18])[3:] == (1, 0)


@pytest.mark.integration
def test_a_broker_that_holds_back(kafka: str) -> None:
    """Quotas make reading and writing slow, and nothing else: it can be seen for how long."""
    topic, client = kit.new_topic(kafka), fresh()
    for key in ("producer_byte_rate", "consumer_byte_rate"):
        set_quota(kafka, client, key, 1024)
    named = kit.EARLIEST | {"properties.client.id": client}
    table = kit.table(kafka, topic, named)
    sink, reader = kit.sink(table), kit.source(table).open({})
    assert isinstance(sink, AtLeastOnceSink)
    assert reader.throttled == sink.throttled == 0
    sink.open()
    for at in range(0, 600, 300):
        sink.write(kit.frame(range(at, at + 300)))
        sink.prepare(1)
    blocks, _ = kit.poll_until(reader, 600, 40)
    end = time.monotonic() + 5
    while not reader.throttled and time.monotonic() < end:
        reader.poll(Limit(wait_seconds=0.05))
    assert reader.throttled > 0.2
    assert sink.throttled > 0.2
    sink.close()
    reader.close()
    assert sum(map(len, blocks)) == 600
