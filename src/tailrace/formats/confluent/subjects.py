"""The subject under which a schema is registered, by the strategies of Confluent's serializers."""

from __future__ import annotations

TOPIC_NAME, RECORD_NAME, TOPIC_RECORD_NAME = "TopicNameStrategy", "RecordNameStrategy", "TopicRecordNameStrategy"
STRATEGIES = (TOPIC_NAME, RECORD_NAME, TOPIC_RECORD_NAME)


def subject(strategy: str, *, topic: str, record: str, key: bool = False) -> str:
    """
    Give the subject of a record's schema on a topic.

    >>> subject(TOPIC_NAME, topic="orders", record="shop.Order")
    'orders-value'
    >>> subject(TOPIC_RECORD_NAME, topic="orders", record="shop.Order")
    'orders-shop.Order'

    Raises:
        ValueError: the strategy needs a topic or the name of a record, and there is none.
    """
    if strategy != RECORD_NAME and not topic:
        raise ValueError(f"{strategy} needs a topic")
    if strategy != TOPIC_NAME and not record:
        raise ValueError(f"{strategy} needs a record with a name")
    if strategy == RECORD_NAME:
        return record
    if strategy == TOPIC_RECORD_NAME:
        return f"{topic}-{record}"
    return f"{topic}-{'key' if key else 'value'}"
