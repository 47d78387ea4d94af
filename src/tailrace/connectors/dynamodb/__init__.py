"""The connector `dynamodb`: tables of AWS DynamoDB, written, looked up in and read, and their streams."""

from tailrace.connectors.dynamodb.connector import CONNECTOR

__all__ = ["CONNECTOR"]
