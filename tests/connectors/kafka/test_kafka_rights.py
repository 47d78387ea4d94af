"""N10: rights that a broker with ACLs does not give are told apart from topics that are not there."""

from __future__ import annotations

from collections.abc import Callable

import kafka_kit as kit
import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tailrace.connectors.base import AtLeastOnceSink, TransactionalSink
from tailrace.errors import ConfigError, TerminalError

pytestmark = pytest.mark.integration

LOGIN = {
    "properties.security.protocol": "SASL_PLAINTEXT",
    "properties.sasl.mechanism": "PLAIN",
    "properties.sasl.username": "tailrace",
    "properties.sasl.password": "tailrace-secret",
}
EXACTLY_ONCE = {"sink.delivery-guarantee": "exactly-once", "properties.max.block.ms": "5000"}
Deny = Callable[[ResourceType, str, AclOperation], None]


@pytest.fixture
def listener(kafka: str) -> str:
    """Give the listener where one logs in."""
    host, _, port = kafka.rpartition(":")
    return f"{host}:{int(port) + 1}"


@pytest.fixture
def deny(kafka: str) -> Deny:
    """Give a function that takes one right on a thing away from the user `tailrace`, who keeps the others."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})

    def change(kind: ResourceType, name: str, operation: AclOperation) -> None:
        who = (kind, name, ResourcePatternType.LITERAL, "User:tailrace", "*")
        rules = [(AclOperation.ALL, AclPermissionType.ALLOW), (operation, AclPermissionType.DENY)]
        for made in admin.create_acls([AclBinding(*who, *rule) for rule in rules]).values():
            made.result(30)

    return change


def test_a_topic_that_must_not_be_read(kafka: str, listener: str, deny: Deny) -> None:
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, kit.numbered(1))
    deny(ResourceType.TOPIC, topic, AclOperation.READ)
    reader = kit.source(kit.table(listener, topic, kit.EARLIEST | LOGIN)).open({})
    with pytest.raises(TerminalError, match=topic) as error:
        kit.poll_until(reader, 1)
    reader.close()
    assert "an ACL is missing" in error.value.hint


def test_a_topic_that_must_not_be_seen(kafka: str, listener: str, deny: Deny) -> None:
    """`check` says so too, and a topic that does not exist is another matter."""
    topic = kit.new_topic(kafka)
    deny(ResourceType.TOPIC, topic, AclOperation.DESCRIBE)
    source = kit.source(kit.table(listener, topic, kit.EARLIEST | LOGIN))
    with pytest.raises(TerminalError, match=topic) as error:
        source.open({})
    assert "an ACL is missing" in error.value.hint
    assert not source.check().ok
    assert "uthoriz" in source.check().message
    with pytest.raises(ConfigError, match="there is no topic"):
        kit.source(kit.table(listener, f"{topic}-no", kit.EARLIEST | LOGIN)).open({})


@pytest.mark.parametrize("more", [{}, EXACTLY_ONCE], ids=["at-least-once", "exactly-once"])
def test_a_topic_that_must_not_be_written(kafka: str, listener: str, deny: Deny, more: dict[str, str]) -> None:
    topic = kit.new_topic(kafka)
    deny(ResourceType.TOPIC, topic, AclOperation.WRITE)
    sink = kit.sink(kit.table(listener, topic, LOGIN | more))
    assert isinstance(sink, AtLeastOnceSink | TransactionalSink)
    sink.open()
    try:
        with pytest.raises(TerminalError, match=topic) as error:
            _write(sink)
    finally:
        sink.close()
    assert "an ACL is missing" in error.value.hint
    assert kit.consume(kafka, topic) == []


def test_transactions_that_are_not_allowed(kafka: str, listener: str, deny: Deny) -> None:
    topic = kit.new_topic(kafka)
    deny(ResourceType.TRANSACTIONAL_ID, f"tailrace-{topic}-sink-t", AclOperation.WRITE)
    sink = kit.sink(kit.table(listener, topic, LOGIN | EXACTLY_ONCE), topic)
    assert isinstance(sink, TransactionalSink)
    with pytest.raises(TerminalError, match=topic) as error:
        sink.open()
    sink.close()
    assert "an ACL is missing" in error.value.hint


def _write(sink: AtLeastOnceSink | TransactionalSink) -> None:
    sink.write(kit.frame(range(3)))
    sink.prepare(1)
    if isinstance(sink, TransactionalSink):
        sink.commit(1)
