"""The connector `druid`: datasources of Apache Druid, asked by SQL and filled by streaming or batch ingestion."""

from tailrace.connectors.druid.connector import CONNECTOR

__all__ = ["CONNECTOR"]
