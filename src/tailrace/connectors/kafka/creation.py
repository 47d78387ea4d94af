"""Topics that a sink makes, and what to say of those that are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import Any

import structlog

from tailrace.connectors.kafka.client import Client
from tailrace.connectors.kafka.cluster import Topics
from tailrace.connectors.kafka.failures import Code, failure
from tailrace.connectors.kafka.library import CONSUMER
from tailrace.connectors.kafka.logins import plain_conf
from tailrace.connectors.kafka.properties import Properties, connection_properties
from tailrace.errors import ConfigError, Location

ASK_SECONDS = 10.0
_EXISTS = 36
_WRONG = {37: "partitions", 38: "replicas", 39: "replicas", 40: "config.*", 42: "partitions", 44: "config.*"}
"""What is wrong with a topic, by the broker's code: the option that says it."""

_log = structlog.get_logger("tailrace.kafka")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as it is to be made; what is not said (-1) is the broker's to say."""

    name: str
    partitions: int = -1
    replicas: int = -1
    config: Mapping[str, str] | None = None
    location: Location | None = None

    def __str__(self) -> str:
        given = [f"{k}={v}" for k, v in sorted((self.config or {}).items())]
        count = "as many partitions as the broker says" if self.partitions < 0 else _partitions(self.partitions)
        return ", ".join([count, *given])

    def make(self, properties: Properties, *, only_ask: bool = False) -> bool:
        """
        Make it, if it is not there; tells whether it was made. With `only_ask` the broker tells whether it would, and makes nothing.

        Raises:
            ConfigError: the broker does not take these options.
            TransientError, TerminalError: it can't be asked, or a right is missing.
        """
        from confluent_kafka import KafkaException  # noqa: PLC0415 - an extra, and slow to load
        from confluent_kafka.admin import NewTopic  # noqa: PLC0415

        topic = NewTopic(self.name, self.partitions, self.replicas, config=dict(self.config or {}))
        admin = _admin(properties)
        try:
            asked = admin.create_topics([topic], request_timeout=ASK_SECONDS, validate_only=only_ask)
            asked[self.name].result(ASK_SECONDS + 1)
        except KafkaException as error:
            if error.args[0].code() == _EXISTS:
                return False
            raise self._failed(error.args[0]) from None
        except TimeoutError:
            raise failure(Code.TIMED_OUT, "the broker does not answer", self._what, self.location) from None
        return True

    @property
    def _what(self) -> str:
        return f"topic '{self.name}' can't be made"

    def _failed(self, error: Any) -> Exception:
        option = _WRONG.get(error.code())
        if option is None:
            return failure(error.code(), error.str(), self._what, self.location)
        hint = f"look at 'tailrace.kafka.topic.{option}'"
        return ConfigError(f"{self._what}: {error.str()}", hint=hint, location=self.location)

    def ensure(self, topics: Topics, properties: Properties) -> None:
        """
        Make the topic, or say by a warning how the one that is there differs; that is not changed.

        Raises:
            ConfigError, TransientError, TerminalError: as for `make`.
        """
        if self.make(properties):
            _log.info("the topic was made", topic=self.name, made=str(self))
            return
        with Client(CONSUMER, connection_properties(properties)) as client:
            differences = self._differences(properties, len(topics.partitions(client)))
        for difference in differences:
            _log.warning("the topic is not as it would be made", topic=self.name, difference=difference)

    def report(self, topics: Topics, client: Client, properties: Properties) -> str:
        """
        Say what is there, or what will be made; nothing is.

        Raises:
            ConfigError, TransientError, TerminalError: as for `make`.
        """
        where = f"{topics} on {client.bootstrap}"
        if self.make(properties, only_ask=True):
            return f"{where}: will be made, with {self}"
        found = topics.partitions(client)
        differences = self._differences(properties, len(found))
        return "; ".join([f"{where}: {counted(found)}", *differences])

    def _differences(self, properties: Properties, partitions: int) -> list[str]:
        found = []
        if self.partitions >= 0 and partitions != self.partitions:
            found.append(f"it has {_partitions(partitions)}, and {self.partitions} are asked for")
        given = _config(self.name, properties) if self.config else {}
        for key, wanted in sorted((self.config or {}).items()):
            if key in given and given[key] != wanted:
                found.append(f"its {key} is {given[key]}, and {wanted} is asked for")
        return found


def _admin(properties: Properties) -> Any:
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    return AdminClient(plain_conf(connection_properties(properties)))


def _config(topic: str, properties: Properties) -> dict[str, str]:
    """Give the configuration of a topic; nothing if the cluster does not tell."""
    from confluent_kafka import KafkaException  # noqa: PLC0415
    from confluent_kafka.admin import ConfigResource, ResourceType  # noqa: PLC0415

    admin = _admin(properties)  # it ends what is under way when it is let go of
    asked = ConfigResource(ResourceType.TOPIC, topic)
    try:
        found = admin.describe_configs([asked], request_timeout=ASK_SECONDS)[asked].result(ASK_SECONDS + 1)
    except (KafkaException, TimeoutError) as error:
        _log.info("the topic's configuration is not known", topic=topic, error=str(error))
        return {}
    return {name: entry.value for name, entry in found.items()}


def counted(partitions: Sized) -> str:
    """Say how many partitions there are."""
    return _partitions(len(partitions))


def _partitions(count: int) -> str:
    return "1 partition" if count == 1 else f"{count} partitions"
