"""The connector `jdbc`: tables of PostgreSQL, MySQL and DuckDB, with the options of Flink's connector of this name."""

from tailrace.connectors.jdbc.connector import CONNECTOR

__all__ = ["CONNECTOR"]
