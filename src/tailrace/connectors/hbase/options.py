"""The options of the connector `hbase`; Flink's names where Flink has them."""

from __future__ import annotations

from tailrace.options import Option, OptionSet, at_least, boolean, choice, duration, integer, memory_size, string


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        return text.strip(), 9090
    if not host:
        raise ValueError("expected a host with a port, as 'localhost:9090'")
    return host, integer(port)


OPTIONS = OptionSet(
    "connector 'hbase'",
    (
        Option("thrift-address", _address, doc="the Thrift server, as `localhost:9090`", required=True),
        Option("table-name", string, doc="the table, as `namespace:name`; without it, the name of this table"),
        Option("zookeeper.quorum", string, doc="taken as in Flink; the Thrift server knows it"),
        Option("zookeeper.znode.parent", string, doc="taken as in Flink; the Thrift server knows it"),
        Option("thrift.transport", choice("buffered", "framed"), "buffered", "how the Thrift server is spoken to"),
        Option("thrift.protocol", choice("binary", "compact"), "binary", "the protocol of the Thrift server"),
        Option("request-timeout", duration, 10_000, "how long one request may take"),
        Option("column-family", string, "cf", "the family of columns that are no ROW and not in the row key"),
        Option("row-key.delimiter", string, ":", "what stands between the values of a row key of several columns"),
        Option("scan.row-start", string, "", "the first row key that is read, as text"),
        Option("scan.row-end", string, "", "the row key before which reading ends, as text"),
        Option("scan.fetch-size", at_least(1), 1000, "how many rows are read at a time"),
        Option("sink.buffer-flush.max-rows", at_least(1), 1000, "how many rows a request has at most"),
        Option(
            "sink.buffer-flush.max-size", memory_size, 2 << 20, "how many bytes of rows a request has at most, about"
        ),
        Option(
            "sink.buffer-flush.interval",
            duration,
            0,
            "how long rows may wait for more when the stream pauses; a checkpoint sends them all",
        ),
        Option("sink.max-in-flight", at_least(1), 4, "how many requests are under way at a time"),
        Option("sink.ignore-null-value", boolean, False, "a NULL leaves its cell as it was, instead of deleting it"),
        Option(
            "write-timestamp-column",
            string,
            doc="the TIMESTAMP column whose value is the version of the cells: what is older never hides what is newer",
        ),
        Option("tailrace.create-table", boolean, False, "make the table with its families if it is missing"),
    ),
)
