"""The connector's face: from the options of a table to a source, sink or lookup."""

from __future__ import annotations

import re

from tailrace.connectors.base import Connector, Context, Source
from tailrace.connectors.bulk import WHOLE, Bulk
from tailrace.connectors.encoding import RowEncoder
from tailrace.connectors.http.bodies import ARRAY, ROW
from tailrace.connectors.http.endpoint import Endpoint
from tailrace.connectors.http.lookup import HttpLookup, check_template
from tailrace.connectors.http.options import OPTIONS
from tailrace.connectors.http.poll import Polling, PollSource
from tailrace.connectors.http.signing import Signer
from tailrace.connectors.http.sink import WebhookSink
from tailrace.connectors.http.webhook import LOCAL, METADATA, Hook, WebhookSource
from tailrace.connectors.table_options import FormatChoice, TableOptions, with_format
from tailrace.connectors.texts import refuse_textless
from tailrace.errors import ConfigError
from tailrace.formats.base import MetadataKey
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema
from tailrace.settings import value

_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/\s]*):(?P<port>\d{1,5})")
_CONTENT = {"json": "application/json", "csv": "text/csv", "raw": "text/plain"}


class HttpConnector(Connector):
    """Rows by HTTP."""

    name = "http"
    doc = "HTTP: webhooks that come in and go out, addresses that are polled, lookups by requests."
    options = OPTIONS
    place = "url"
    lookups = True
    metadata = (
        MetadataKey("timestamp", "TIMESTAMP_LTZ(3) NOT NULL", "when the request came in (webhooks)"),
        MetadataKey(
            "headers", "MAP<STRING, BYTES>", "the headers of the request, but those with credentials (webhooks)"
        ),
    )

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> Source:
        with_format(table, self)
        wanted = tuple(m.key for m in table.metadata if m.name in schema and m.key in METADATA)
        if options["listen"] is not None:
            return WebhookSource(_hook(options, context, wanted))
        if wanted:
            message = f"metadata '{wanted[0]}' is of webhooks ('listen'), and table '{table.name}' polls"
            raise ConfigError(message, hint="leave the column out", location=table.location)
        polling = Polling(
            Endpoint.of(options, "GET"),
            options["body"] or ARRAY,
            options["poll.items"],
            options["poll.cursor-field"],
            options["poll.cursor-parameter"],
            options["poll.follow-links"],
            options["poll.interval"] / 1000,
            options["scan.bounded"],
        )
        return PollSource(polling)

    def sink(self, table: Table, options: Values, context: Context) -> WebhookSink:
        body, resolved = options["body"] or ARRAY, with_format(table, self)
        chosen = _value(resolved).format.name
        if body == ARRAY and chosen != "json":
            hint = "set 'body' = 'row' or 'lines', or 'format' = 'json'"
            raise ConfigError(
                f"rows of format '{chosen}' are no JSON array", hint=hint, location=options.location("body")
            )
        order = table.primary_key or WHOLE if options["sink.ordered"] else None
        bulk = Bulk.of(options, order=order)
        if body == ROW:
            bulk = Bulk(1, bulk.bytes, bulk.in_flight, bulk.linger_seconds, order=order)
        content = _CONTENT.get(chosen, "application/octet-stream")
        keyed = bool(table.primary_key)
        endpoint = Endpoint.of(options, "POST")
        encoder = RowEncoder(table, resolved)
        return WebhookSink(table.name, endpoint, encoder, bulk, body, content, keyed=keyed, traces=_styles(context))

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> HttpLookup:
        endpoint = Endpoint.of(options, "GET")
        key = table.physical.select(keys)
        if endpoint.method == "GET":
            refuse_textless(key, "a URL", table.location, binary=False)
            check_template(endpoint.url, keys, options.location("url"))
        choice = _value(with_format(table, self))
        in_flight = options["lookup.in-flight"]
        return HttpLookup(endpoint, schema, key, choice, options["poll.items"], in_flight, _styles(context))


def _styles(context: Context) -> tuple[str, ...]:
    """Give the styles in which headers tell of traces."""
    return tuple(value(context.settings, "tailrace.traces.propagation"))


def _value(resolved: TableOptions) -> FormatChoice:
    assert resolved.value is not None
    return resolved.value


def _hook(options: Values, context: Context, metadata: tuple[str, ...]) -> Hook:
    """
    Read the options of a webhook.

    Raises:
        ConfigError: the address is none, or anybody could write to it.
    """
    at = options.location("listen")
    found = _LISTEN.fullmatch(options["listen"].strip())
    if found is None or int(found["port"]) > 65_535:
        raise ConfigError(
            f"'{options['listen']}' is no address to listen on", hint="write HOST:PORT, or :8080", location=at
        )
    host = found["host"].strip("[]") or LOCAL[0]
    signer = Signer.of(options)
    if host not in LOCAL and signer is None and not options["allow-anonymous"]:
        hint = "set 'hmac.secret', so that only those who know it can; or 'allow-anonymous' = 'true'"
        raise ConfigError(f"anybody who reaches {host} could write rows", hint=hint, location=at)
    path = options["path"]
    if not path.startswith("/") or "{" in path:
        raise ConfigError("'path' begins with '/'", location=options.location("path"))
    return Hook(
        host,
        int(found["port"]),
        path,
        options["body"] or ROW,
        signer,
        options["deduplicate.header"],
        options["deduplicate.for"] / 1000,
        options["max-body-size"],
        options["timeout"] / 1000,
        options["journal.max-rows"],
        options["journal.max-size"],
        options["max-connections"],
        context.folder,
        metadata,
        context.traced,
    )


CONNECTOR = HttpConnector()
