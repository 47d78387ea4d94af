"""The connector `memcached`: values by key of Memcached servers."""

from tailrace.connectors.memcached.connector import CONNECTOR

__all__ = ["CONNECTOR"]
