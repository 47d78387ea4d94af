"""The connector `redis`: hashes, strings, sets, streams and channels of a Redis server."""

from tailrace.connectors.redis.connector import CONNECTOR

__all__ = ["CONNECTOR"]
