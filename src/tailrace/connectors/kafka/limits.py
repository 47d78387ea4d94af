"""How large a message may be: what the client allows, and what the topic takes."""

from __future__ import annotations

import structlog

from tailrace.connectors.kafka.logins import plain_conf
from tailrace.connectors.kafka.properties import Properties, connection_properties

CLIENT_LIMIT = 1_000_000
"""The client's own default of `message.max.bytes`."""

OVERHEAD = 100
"""What a broker adds to a single message, at most, before it compares it with the topic's limit."""

ASK_SECONDS = 5.0

_log = structlog.get_logger("tailrace.kafka")


def largest_message(properties: Properties, most: int | None) -> int:
    """
    Give the most bytes that a message may have, where the topic takes `most`.

    A compressed message may be larger than the topic's limit, so that counts without compression alone. Where the
    cluster does not tell, the client's limit is all that is known.
    """
    mine = properties.get("message.max.bytes")
    limit = int(mine.value) if mine else CLIENT_LIMIT
    compression = next((properties[k].value for k in _COMPRESSION if k in properties), "none")
    if compression != "none":
        return limit
    return limit if most is None else min(limit, most - OVERHEAD)


_COMPRESSION = ("compression.type", "compression.codec")


def topic_limit(topic: str, properties: Properties) -> int | None:
    """Ask the cluster for the `max.message.bytes` of a topic; None if it does not tell."""
    from confluent_kafka import KafkaException  # noqa: PLC0415 - an extra, and slow to load
    from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # noqa: PLC0415

    admin = AdminClient(plain_conf(connection_properties(properties)))
    wanted = ConfigResource(ResourceType.TOPIC, topic)
    try:
        found = admin.describe_configs([wanted], request_timeout=ASK_SECONDS)[wanted].result(ASK_SECONDS + 1)
        return int(found["max.message.bytes"].value)
    except (KafkaException, KeyError, ValueError, TimeoutError) as error:
        _log.info("the topic's limit of a message's size is not known", topic=topic, error=str(error))
        return None
