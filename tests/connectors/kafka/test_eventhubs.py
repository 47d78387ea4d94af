"""Azure Event Hubs by its Kafka endpoint; the stand-in is a broker that takes a connection string over TLS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import kafka_kit as kit
import pytest
from login_kit import KEY, STRING

from tailrace.connectors.base import AtLeastOnceSink, Limit
from tailrace.connectors.kafka import logins
from tailrace.connectors.kafka.eventhubs import access
from tailrace.connectors.kafka.properties import Properties
from tailrace.connectors.kafka.source import KafkaSource
from tailrace.errors import ConfigError
from tailrace.plan.catalog import Table


def table(kafka: str, folder: Path, hub: str, more: dict[str, str] | None = None) -> Table:
    """Declare a table of a hub of the stand-in: at an address of its own, with a certificate of its own."""
    options = {
        "connector": "eventhubs",
        "connection-string": STRING,
        "properties.bootstrap.servers": f"127.0.0.1:{int(kafka.rpartition(':')[2]) + 2}",
        "properties.ssl.ca.location": str(folder / "ca.pem"),
    }
    return kit.table(kafka, hub, options | kit.EARLIEST | (more or {}))


@pytest.mark.integration
def test_a_hub_both_ways(kafka: str, kafka_tls: Path) -> None:
    """A hub is checked, written and read."""
    hub = kit.new_topic(kafka, 2)
    sink = kit.sink(table(kafka, kafka_tls, hub))
    assert isinstance(sink, AtLeastOnceSink)
    assert sink.check().ok, sink.check().message
    sink.open()
    sink.write(kit.frame(range(5)))
    sink.prepare(1)
    sink.close()
    assert len(kit.payloads(kit.read(table(kafka, kafka_tls, hub, {"scan.bounded.mode": "latest-offset"})))) == 5


@pytest.mark.integration
def test_consumer_groups(kafka: str, kafka_tls: Path) -> None:
    """A consumer group goes on where it has committed, also as the one that says who reads which partitions."""
    hub = kit.new_topic(kafka, 2)
    kit.produce(kafka, hub, kit.numbered(10, 2))
    of_group = {"consumer-group": hub, "scan.startup.mode": "", "properties.auto.offset.reset": "earliest"}
    for more in ({}, {"tailrace.kafka.assignment": "group", "properties.heartbeat.interval.ms": "500"}):
        reader = kit.source(table(kafka, kafka_tls, hub, of_group | more)).open({})
        blocks, _ = kit.poll_until(reader, 10)
        assert len(kit.payloads(blocks)) == 10
        reader.acknowledge({b.partition: b.position for b in blocks})
        reader.poll(Limit())
        reader.close()
        kit.produce(kafka, hub, kit.numbered(10, 2))


@pytest.mark.integration
def test_what_is_refused_at_the_endpoint(kafka: str, kafka_tls: Path) -> None:
    """A wrong key, and a hub that is not there; the key is not told."""
    wrong = table(kafka, kafka_tls, "a", {"connection-string": STRING.replace(KEY, "bm90LXRoZS1rZXk=")})
    with pytest.raises(ConfigError, match="refused the login") as error:
        kit.source(wrong).open({})
    assert "bm90" not in str(error.value) + kit.sink(wrong).check().message
    hub = kit.new_topic(kafka)
    with pytest.raises(ConfigError, match=f"no topic '{hub}x'"):
        kit.source(table(kafka, kafka_tls, hub + "x")).open({})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"connection-string": ""}, "needs a 'connection-string' or a 'namespace'"),
        ({"namespace": "a"}, "only one of them"),
        ({"connection-string": STRING.replace("SharedAccessKeyName=", "Name=")}, "it lacks SharedAccessKeyName"),
        ({"connection-string": STRING.replace("sb://", "https://")}, "it lacks an Endpoint"),
        ({"connection-string": f"{STRING};EntityPath=other"}, "is for hub 'other'"),
        ({"connection-string": "Endpoint=sb://a/;SharedAccessSignature=x"}, "no SharedAccessSignature"),
        ({"consumer-groups": "x"}, "no option 'consumer-groups'"),
    ],
)
def test_wrong_options(more: dict[str, str], message: str) -> None:
    """What can't be is said before anything is reached, without what is secret."""
    with pytest.raises(ConfigError) as error:
        kit.source(table("127.0.0.1:1", Path("/"), "a", more))
    assert message in error.value.message
    assert KEY not in str(error.value)


def test_where_the_endpoint_is() -> None:
    """By the connection string: of the service over TLS, of the emulator in the clear."""
    assert access(STRING).servers == "tailrace.servicebus.windows.net:9093"
    emulated = access("Endpoint=sb://localhost;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;")
    assert (emulated.servers, emulated.emulated) == ("localhost:9092", True)


def test_the_connection_string_of_a_hub() -> None:
    """It names the topic."""
    given = {"topic": "", "connection-string": f"{STRING};EntityPath=orders"}
    source = kit.source(table("127.0.0.1:1", Path("/"), "", given))
    assert isinstance(source, KafkaSource)
    assert source._plan.topics.names == ("orders",)


def test_an_identity_in_the_place_of_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a namespace the tokens are those of Microsoft Entra ID, for that namespace."""
    asked: list[tuple[str, str]] = []

    def make(properties: Properties, _: object) -> Callable[[], logins.Token]:
        asked.append((properties["bootstrap.servers"].value, properties["tailrace.kafka.login.scope"].value))
        return lambda: logins.Token("x", 0)

    monkeypatch.setitem(logins.MAKERS, "azure", make)
    options = {"connector": "eventhubs", "namespace": "mine", "properties.bootstrap.servers": ""}
    kit.source(kit.table("", "a", options | kit.EARLIEST))
    host = "mine.servicebus.windows.net"
    assert asked[0] == (f"{host}:9093", f"https://{host}/.default")
