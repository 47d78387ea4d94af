"""The connector `kinesis`: streams of Amazon Kinesis Data Streams."""

from tailrace.connectors.kinesis.connector import CONNECTOR

__all__ = ["CONNECTOR"]
