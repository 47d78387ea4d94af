"""The connector `nexmark`: the events of an online auction, each a function of the seed and its number."""

from tailrace.connectors.nexmark.connector import CONNECTOR

__all__ = ["CONNECTOR"]
