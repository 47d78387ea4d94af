"""The options of the connector `redis`."""

from __future__ import annotations

from tailrace.connectors.bulk import bulk_options
from tailrace.options import Option, OptionSet, at_least, boolean, choice, duration, name_list, string

HASH, STRING, SET, STREAM, CHANNEL = "hash", "string", "set", "stream", "channel"


OPTIONS = OptionSet(
    "connector 'redis'",
    (
        Option(
            "url",
            string,
            doc="the server, as `redis://localhost:6379/0`; `rediss://` for TLS, `unix://` for a socket",
            required=True,
        ),
        Option("username", string, doc="the user, if it is not in the URL"),
        Option("password", string, doc="the password of the user", secret=True),
        Option("ssl.ca-location", string, doc="a file with the certificates that the server's is checked by"),
        Option(
            "data-type",
            choice(HASH, STRING, SET, STREAM, CHANNEL),
            HASH,
            "what a row is: a `hash` with a field for each column, a `string` or an element of a `set` (in `format`), an entry of a"
            " `stream`, or a message to a `channel` (publish)",
        ),
        Option("key-prefix", string, doc="what keys begin with, before the values of the key; without it `<table>:`"),
        Option(
            "key-columns", name_list, doc="the columns whose values are the key, as `a;b`; without it the primary key"
        ),
        Option(
            "stream",
            name_list,
            doc="the stream, or the channel; several streams are read as `a;b`; without it the table's name",
        ),
        Option("stream.max-length", at_least(1), doc="about how many entries a stream keeps; the oldest go"),
        Option("ttl", duration, doc="how long what is written is kept, from each time that it is written"),
        Option(
            "scan.startup.mode",
            choice("earliest-offset", "latest-offset"),
            "earliest-offset",
            "where a stream is read from when there is no checkpoint",
        ),
        Option("scan.bounded", boolean, False, "end at the last entry of a stream that is there at the start"),
        Option("timeout", duration, 5000, "how long one answer of the server may take"),
        *bulk_options(rows=2000),
    ),
)
