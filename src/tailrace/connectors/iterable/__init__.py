"""The connector `iterable`: rows that Python code of this process makes, one after the other."""

from tailrace.connectors.iterable.connector import CONNECTOR

__all__ = ["CONNECTOR"]
