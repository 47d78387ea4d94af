"""The connector `elasticsearch`, also by the name `opensearch`: indices and data streams."""

from tailrace.connectors.elasticsearch.connector import CONNECTOR

__all__ = ["CONNECTOR"]
