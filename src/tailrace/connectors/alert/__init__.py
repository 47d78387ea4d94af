"""The connector `alert`: rows that people are told of."""

from tailrace.connectors.alert.connector import CONNECTOR

__all__ = ["CONNECTOR"]
