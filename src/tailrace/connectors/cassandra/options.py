"""The options of the connector `cassandra`."""

from __future__ import annotations

from tailrace.connectors.bulk import bulk_options
from tailrace.options import Option, OptionSet, at_least, boolean, choice, duration, integer, string

CONSISTENCY = ("ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_ONE", "LOCAL_QUORUM", "EACH_QUORUM")


def _points(text: str) -> tuple[tuple[str, int], ...]:
    found = []
    for point in (p.strip() for p in text.split(";") if p.strip()):
        host, colon, port = point.rpartition(":")
        found.append((host, integer(port)) if colon else (point, 9042))
    if not found or not all(host for host, _ in found):
        raise ValueError("expected hosts as 'localhost:9042', several with ; between them")
    return tuple(found)


def _ttl(text: str) -> int:
    if (value := duration(text)) < 1000:
        raise ValueError("expected a second or more")
    return value // 1000


OPTIONS = OptionSet(
    "connector 'cassandra'",
    (
        Option(
            "contact-points",
            _points,
            doc="hosts to begin with, as `localhost:9042`; several with `;` between them",
            required=True,
        ),
        Option("keyspace", string, doc="the keyspace", required=True),
        Option("table-name", string, doc="the name in the keyspace; without it, that of the table"),
        Option("local-data-center", string, "datacenter1", "the data centre whose nodes are spoken to"),
        Option("username", string, doc="the user"),
        Option("password", string, doc="the password of the user", secret=True),
        Option("ssl.enabled", boolean, False, "speak TLS, and check the server's certificate"),
        Option("ssl.ca-location", string, doc="a file with the certificates that the server's is checked by"),
        Option("request-timeout", duration, 10_000, "how long one request may take"),
        Option(
            "consistency",
            choice(*CONSISTENCY),
            "LOCAL_QUORUM",
            "how many replicas must have a row when it counts as written, or answer when it is looked up",
        ),
        Option("sink.concurrency", at_least(1), 128, "how many rows of a request are under way at a time"),
        Option("ttl", _ttl, doc="how long what is written is kept; it overrides that of the table"),
        Option(
            "write-timestamp-column",
            string,
            doc="the TIMESTAMP column whose value is the time of the write: what is older never overwrites what is newer",
        ),
        Option(
            "tailrace.create-table",
            boolean,
            False,
            "make the table if it is missing; the first column of the primary key is the partition key",
        ),
        *bulk_options(rows=1000, in_flight=2),
    ),
)
