"""The options of the connector `cosmosdb`."""

from __future__ import annotations

from tailrace.connectors.bulk import bulk_options
from tailrace.options import (
    Option,
    OptionSet,
    at_least,
    boolean,
    choice,
    duration,
    integer,
    name_list,
    positive,
    string,
)

UPSERT, PATCH = "upsert", "patch"
REFUSE, OVERWRITE = "refuse", "overwrite"
EARLIEST, LATEST, TIMESTAMP = "earliest-offset", "latest-offset", "timestamp"
ALL_VERSIONS = "all-versions-and-deletes"


def _url(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise ValueError("expected an address as 'https://my-account.documents.azure.com:443/'")
    return text.strip()


def _paths(text: str) -> tuple[str, ...]:
    paths = tuple(p if p.startswith("/") else f"/{p}" for p in name_list(text))
    if not 1 <= len(paths) <= 3:
        raise ValueError("expected a path as '/tenant', at most three with ; between them")
    return paths


OPTIONS = OptionSet(
    "connector 'cosmosdb'",
    (
        Option("endpoint", _url, doc="the account, as `https://my-account.documents.azure.com:443/`"),
        Option("key", string, doc="a key of the account", secret=True),
        Option("connection-string", string, doc="endpoint and key in one, as the portal shows it", secret=True),
        Option("database", string, doc="the database", required=True),
        Option("container", string, doc="the container; without it the name of the table"),
        Option(
            "partition-key",
            _paths,
            doc="the path of the partition key, as `/tenant` (several of a hierarchy with `;`): compared with the container's",
        ),
        Option("id.key-delimiter", string, "_", "what stands between the values of a key in the id of an item"),
        Option(
            "preferred-regions", name_list, doc="regions to read from, the first that answers; with `;` between them"
        ),
        Option(
            "endpoint-discovery",
            boolean,
            True,
            "ask the account for its regions; `false`: all goes to `endpoint`, as with an emulator or a proxy",
        ),
        Option("request-timeout", duration, 30_000, "how long one request may take"),
        Option("ssl.ca-location", string, doc="a file with the certificates that the server's is checked by"),
        Option("ssl.verify", boolean, True, "check the server's certificate; `false` is for emulators alone"),
        Option(
            "scan.startup.mode",
            choice(EARLIEST, LATEST, TIMESTAMP),
            EARLIEST,
            "where the change feed is read from: its beginning, now, or a time",
        ),
        Option("scan.startup.timestamp-millis", integer, doc="for `timestamp`: milliseconds since 1970"),
        Option("scan.bounded", boolean, False, "end where the change feed ends now"),
        Option(
            "scan.change-feed.mode",
            choice("latest-version", ALL_VERSIONS),
            "latest-version",
            "what the feed tells: the last version of items, or each version and what was deleted",
        ),
        Option("scan.fetch-size", at_least(1), 1000, "how many changes one request gives at most"),
        Option("scan.poll-interval", duration, 1000, "how long a range of the feed rests that had nothing new"),
        Option(
            "sink.mode",
            choice(UPSERT, PATCH),
            UPSERT,
            "write items whole, or set the table's columns in them and leave their other properties alone",
        ),
        Option(
            "sink.etag",
            choice(REFUSE, OVERWRITE),
            REFUSE,
            "with a column `_etag`: what becomes of a row whose item was changed by another since",
        ),
        Option("sink.ttl", positive(duration), doc="how long items live after their last change (whole seconds)"),
        Option(
            "sink.transactional-batch",
            boolean,
            False,
            "write up to 100 items of one partition key by one request, all or none of them",
        ),
        Option("sink.concurrency", at_least(1), 32, "how many items (or batches of them) are written at a time"),
        *bulk_options(rows=1000, size=4 << 20, in_flight=2),
    ),
)
