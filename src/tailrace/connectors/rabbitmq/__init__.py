"""The connector `rabbitmq`: queues, streams and exchanges of RabbitMQ."""

from tailrace.connectors.rabbitmq.connector import CONNECTOR

__all__ = ["CONNECTOR"]
