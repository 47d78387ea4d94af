"""What is wrong with the cluster or the options is said in one clear error."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import kafka_kit as kit
import pytest

from tailrace.connectors.base import AtLeastOnceSink, Block, Limit
from tailrace.connectors.kafka import sink as kafka_sink
from tailrace.connectors.kafka.cluster import Topics
from tailrace.connectors.kafka.failures import failure
from tailrace.connectors.kafka.producer import Producer
from tailrace.connectors.kafka.properties import plain
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError

NOWHERE = "127.0.0.1:1"
ENCRYPTED = {
    "properties.security.protocol": "SASL_SSL",
    "properties.sasl.mechanism": "PLAIN",
    "properties.sasl.username": "tailrace",
    "properties.sasl.password": "tailrace-secret",
}


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"properties.fetch.wait.max.mss": "1"}, "no property 'properties.fetch.wait.max.mss'", "fetch.wait.max.ms"),
        ({"properties.fetch.min.bytes": "many"}, "'properties.fetch.min.bytes' can't be set", ""),
        ({"properties.key.deserializer": "x"}, "can't be set", "key.format"),
        ({"properties.enable.auto.commit": "true"}, "can't be 'true'", "checkpoint"),
        ({"scan.startup.mode": ""}, "needs a 'properties.group.id'", "earliest-offset"),
        ({"scan.startup.mode": "earliest"}, "earliest-offset", ""),
        ({"scan.startup.mode": "timestamp"}, "needs 'scan.startup.timestamp-millis'", ""),
        ({"scan.bounded.mode": "specific-offsets"}, "needs 'scan.bounded.specific-offsets'", ""),
        ({"scan.startup.specific-offsets": "0:5"}, "partition:0,offset:42", ""),
        ({"topic-pattern": "a.*"}, "can't both be given", ""),
        ({"topic": ""}, "needs the option 'topic'", ""),
        ({"topic": "a b"}, "is no name of a topic", ""),
        ({"topic": "", "topic-pattern": "("}, "no regular expression", ""),
        ({"format": ""}, "needs the option 'format'", ""),
        ({"scan.startup.mod": "x"}, "no option 'scan.startup.mod'", "scan.startup.mode"),
    ],
)
def test_wrong_options(options: dict[str, str], message: str, hint: str) -> None:
    """An option that is wrong is refused before anything is reached, with what to write instead."""
    with pytest.raises(ConfigError) as error:
        kit.source(kit.table(NOWHERE, "a", kit.EARLIEST | options))

    assert message in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"topic": "a;b"}, "stands for topics 'a', 'b'"),
        ({"topic": "", "topic-pattern": "a.*"}, "can't be written"),
        ({"sink.partitioner": "org.example.Mine"}, "no Java classes"),
        ({"sink.delivery-guarantee": "none"}, "at-least-once"),
        ({"properties.transactional.id": "x"}, "can't be set"),
        ({"properties.acks": "some"}, "can't be set"),
        (
            {"sink.partitioner": "round-robin", "key.format": "json", "key.fields": "id"},
            "rows without a key",
        ),
    ],
)
def test_wrong_options_of_a_sink(options: dict[str, str], message: str) -> None:
    """So are those of a sink."""
    with pytest.raises(ConfigError) as error:
        kit.sink(kit.table(NOWHERE, "a", options))

    assert message in error.value.message


def test_a_wrong_port() -> None:
    """A port where nobody listens is named, within a bounded time; it may be there later."""
    began = time.monotonic()
    source = kit.source(kit.table(NOWHERE, "a", kit.EARLIEST))
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:1.*refused"):
        source.open({})
    report = source.check()

    assert not report.ok
    assert NOWHERE in report.message
    assert time.monotonic() - began < 5


def test_a_server_that_says_nothing() -> None:
    """A host that takes the connection and never answers ends in an error too."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        report = kit.sink(kit.table(address, "a")).check()

    assert not report.ok
    assert address in report.message
    assert time.monotonic() - began < 10


def test_an_unknown_host() -> None:
    """A host without an address is named."""
    report = kit.source(kit.table("no-such-host.invalid:9092", "a", kit.EARLIEST)).check()

    assert not report.ok
    assert "no-such-host.invalid" in report.message


@pytest.mark.integration
def test_a_missing_topic(kafka: str) -> None:
    """A topic that does not exist is named, with the one that was likely meant; reading makes none."""
    topic = kit.new_topic(kafka, 2)
    for name in (topic + "x", topic[:-1]):
        source = kit.source(kit.table(kafka, name, kit.EARLIEST))
        with pytest.raises(ConfigError, match=f"no topic '{name}'") as error:
            source.open({})
        assert topic in error.value.hint
        assert topic in source.check().message
        assert not kit.sink(kit.table(kafka, name)).check().ok


@pytest.mark.integration
def test_check(kafka: str) -> None:
    """A table that can be used is reported with its partitions, and its sink's guarantee."""
    topic = kit.new_topic(kafka, 3)
    once = {"sink.delivery-guarantee": "exactly-once"}
    reports = [
        kit.source(kit.table(kafka, topic, kit.EARLIEST)).check(),
        kit.sink(kit.table(kafka, topic)).check(),
        kit.sink(kit.table(kafka, topic, once)).check(),
    ]

    assert [r.ok for r in reports] == [True] * 3
    assert all("3 partitions" in r.message for r in reports)
    assert "at-least-once" in reports[1].message
    assert "exactly-once" in reports[2].message


@pytest.mark.integration
def test_a_topic_that_goes_away(kafka: str) -> None:
    """A topic that is deleted while it is read stops the job clearly."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, kit.numbered(1))
    options = kit.EARLIEST | {"scan.topic-partition-discovery.interval": "100 ms"}
    reader = kit.source(kit.table(kafka, topic, options)).open({})
    kit.poll_until(reader, 1)
    kit.delete_topic(kafka, topic)
    with pytest.raises((TerminalError, ConfigError), match=topic):
        kit.poll_until(reader, 1)
    reader.close()


@pytest.mark.integration
def test_a_wrong_password(kafka: str) -> None:
    """A login that is refused is an error of the options, not a broker that is away; the password is not shown."""
    login = {
        "properties.security.protocol": "SASL_PLAINTEXT",
        "properties.sasl.mechanism": "PLAIN",
        "properties.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
        'username="tailrace" password="not-the-secret";',
    }
    host, _, port = kafka.rpartition(":")
    source = kit.source(kit.table(f"{host}:{int(port) + 1}", "a", kit.EARLIEST | login))
    with pytest.raises(ConfigError, match="refused the login") as error:
        source.open({})

    assert "sasl" in error.value.hint
    assert "not-the-secret" not in str(error.value) + source.check().message


@pytest.mark.integration
def test_a_certificate_that_is_not_trusted(kafka: str) -> None:
    """N15: a certificate that nobody has signed is refused, as an error of the options, within a bounded time."""
    host, _, port = kafka.rpartition(":")
    source = kit.source(kit.table(f"{host}:{int(port) + 2}", "a", kit.EARLIEST | ENCRYPTED))
    with pytest.raises(ConfigError, match="certificate") as error:
        source.open({})
    assert "properties.ssl" in error.value.hint
    assert "tailrace-secret" not in str(error.value) + source.check().message


@pytest.mark.integration
def test_a_certificate_that_need_not_be_trusted(kafka: str) -> None:
    """What the options say of certificates holds for the check of a sink too, as it does when rows are written."""
    host, _, port = kafka.rpartition(":")
    trusting = ENCRYPTED | {"properties.enable.ssl.certificate.verification": "false"}
    sink = kit.sink(kit.table(f"{host}:{int(port) + 2}", kit.new_topic(kafka), trusting))
    report = sink.check()
    assert report.ok, report.message


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        (29, TerminalError, "an ACL is missing"),
        (30, TerminalError, "an ACL is missing"),
        (58, ConfigError, "properties.sasl"),
        (82, TerminalError, "properties.group.instance.id"),
        (90, TerminalError, "another run of this job has taken over"),
        (-195, TransientError, ""),
        (6, TransientError, ""),
        (87, TerminalError, ""),
    ],
)
def test_what_an_error_code_means(code: int, kind: type[TailraceError], hint: str) -> None:
    """N10: a right that is missing, a wrong login, another run and a broker that is away are told apart."""
    error = failure(code, "the broker's words", "topic 'a' can't be read")
    assert type(error) is kind
    assert error.message == "topic 'a' can't be read: the broker's words"
    assert hint in error.hint


@pytest.mark.integration
def test_a_broker_that_restarts(own_kafka: tuple[str, Callable[[str], object]]) -> None:
    """While a broker is away reading says so; when it is back, both go on where they were, and nothing is lost."""
    bootstrap, broker = own_kafka
    topic = kit.new_topic(bootstrap)
    kit.produce(bootstrap, topic, kit.numbered(5))
    options = {"properties.reconnect.backoff.max.ms": "500"}
    table = kit.table(bootstrap, topic, kit.EARLIEST | options)
    reader, sink = kit.source(table).open({}), kit.sink(table)
    assert isinstance(sink, AtLeastOnceSink)
    sink.open()
    kit.poll_until(reader, 5)
    broker("stop")
    with pytest.raises(TransientError, match=bootstrap):
        kit.poll_until(reader, 1)
    with pytest.raises(TransientError, match=bootstrap):
        reader.poll(Limit())
    sink.write(kit.frame(range(5, 8)))
    broker("start")
    sink.prepare(1)
    blocks: list[Block] = []
    end = time.monotonic() + 20
    while sum(map(len, blocks)) < 3 and time.monotonic() < end:
        try:
            blocks += reader.poll(Limit())
        except TransientError:
            time.sleep(0.1)
    sink.close()
    reader.close()

    assert [(p or b"")[1:7] for p in kit.payloads(blocks)] == [b'"id":5', b'"id":6', b'"id":7']


EXACTLY_ONCE = {"sink.delivery-guarantee": "exactly-once"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"properties.transaction.timeout.ms": "1000"}, "is not longer than the checkpoint interval (1000 ms)"),
        (
            {"properties.transaction.timeout.ms": "30000", "properties.delivery.timeout.ms": "60000"},
            "is longer than a transaction lasts",
        ),
        (
            {"properties.transaction.timeout.ms": "30000", "properties.delivery.timeout.ms": "29500"},
            "beyond the checkpoint interval (1000 ms)",
        ),
        ({"properties.transaction.timeout.ms": "1500"}, "by the second that a checkpoint needs"),
        ({"properties.transaction.timeout.ms": "soon"}, "must be a number"),
        ({"properties.max.block.ms": "0"}, "must be a number above zero"),
    ],
)
def test_transactions_must_outlast_checkpoints(options: dict[str, str], message: str) -> None:
    """N5: a transaction that would be over before its checkpoint is refused before anything runs."""
    with pytest.raises(ConfigError) as error:
        kit.sink(kit.table(NOWHERE, "a", EXACTLY_ONCE | options))

    assert message in error.value.message
    kit.sink(kit.table(NOWHERE, "a", EXACTLY_ONCE | {"properties.transaction.timeout.ms": "30000"}))


def test_a_call_that_never_comes_back_is_given_up() -> None:
    """N3: librdkafka may wait for a coordinator for ever; the sink does not, and leaves that client alone."""
    producer = Producer(Topics(("a",)), plain({"bootstrap.servers": NOWHERE}), "default", 1, 1, 1.0)
    over = threading.Event()
    with pytest.raises(TransientError, match="does not answer"):
        kafka_sink._bounded(producer, lambda: over.wait(60) and None, 0.05)
    assert producer.stuck
    over.set()
    assert kafka_sink._bounded(producer, lambda: 7, 5.0) == 7
    producer.close()
