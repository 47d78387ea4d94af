"""The connector `datagen`: made-up rows, each a function of the seed and its number."""

from tailrace.connectors.datagen.connector import CONNECTOR

__all__ = ["CONNECTOR"]
