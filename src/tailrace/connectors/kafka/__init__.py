"""The connector `kafka`: topics of Apache Kafka as tables."""

from tailrace.connectors.kafka.connector import CONNECTOR

__all__ = ["CONNECTOR"]
