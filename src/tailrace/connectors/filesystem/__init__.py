"""Files as tables: NDJSON, CSV, Parquet and raw lines, read or written, with exactly-once output."""

from tailrace.connectors.filesystem.connector import CONNECTOR

__all__ = ["CONNECTOR"]
