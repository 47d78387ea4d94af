"""The connector `http`: webhooks in and out, polled addresses, and lookups by requests."""

from tailrace.connectors.http.connector import CONNECTOR

__all__ = ["CONNECTOR"]
