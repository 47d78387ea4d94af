"""The options of the connector `memcached`."""

from __future__ import annotations

from tailrace.connectors.bulk import bulk_options
from tailrace.connectors.lookup_options import key_prefix, lifetime
from tailrace.options import Option, OptionSet, duration, name_list, positive, string

OPTIONS = OptionSet(
    "connector 'memcached'",
    (
        Option("servers", name_list, doc="the servers, as `localhost:11211;other:11211`", required=True),
        Option("username", string, doc="the user, where servers have a file of logins (`memcached -Y`)"),
        Option("password", string, doc="the password of the user", secret=True),
        Option(
            "key-prefix", key_prefix, doc="what keys begin with, before the values of the key; without it `<table>:`"
        ),
        Option(
            "ttl", lifetime, doc="how long what is written is kept, in whole seconds; without it until it is pushed out"
        ),
        Option("timeout", positive(duration), 5000, "how long one answer of a server may take"),
        *bulk_options(rows=2000),
    ),
)
