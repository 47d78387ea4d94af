"""The connector `hbase`: tables of Apache HBase by its Thrift server, scanned, written and looked up in by row key."""

from tailrace.connectors.hbase.connector import CONNECTOR

__all__ = ["CONNECTOR"]
