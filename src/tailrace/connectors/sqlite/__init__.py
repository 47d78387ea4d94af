"""The connector `sqlite`: tables of a SQLite file, so that results can be queried at once without a server."""

from tailrace.connectors.sqlite.connector import CONNECTOR

__all__ = ["CONNECTOR"]
