"""The connector `cassandra`: tables of Apache Cassandra, written and looked up in by key."""

from tailrace.connectors.cassandra.connector import CONNECTOR

__all__ = ["CONNECTOR"]
