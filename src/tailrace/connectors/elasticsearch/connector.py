"""The connector's face: from the options of a table to a sink or a lookup."""

from __future__ import annotations

import polars as pl

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.bulk import Bulk
from tailrace.connectors.elasticsearch.client import Server
from tailrace.connectors.elasticsearch.documents import ids, indices
from tailrace.connectors.elasticsearch.lookup import ElasticsearchLookup
from tailrace.connectors.elasticsearch.options import OPTIONS
from tailrace.connectors.elasticsearch.sink import ElasticsearchSink, Target
from tailrace.connectors.texts import refuse_textless
from tailrace.errors import ConfigError
from tailrace.formats.base import refuse_variants
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

TIME = "@timestamp"
"""The column that each document of a data stream has."""


class ElasticsearchConnector(Connector):
    """Indices and data streams."""

    name = "elasticsearch"
    doc = "Indices and data streams of Elasticsearch and OpenSearch."
    options = OPTIONS
    place = "index"
    formats = False
    lookups = True

    def refuses_updates(self, table: Table) -> str:
        stream = table.option("data-stream")
        if stream is not None and stream.value.strip().lower() == "true":
            return "a data stream is only added to"
        return "" if table.primary_key else "it has no PRIMARY KEY to find documents by"

    def sink(self, table: Table, options: Values, context: Context) -> ElasticsearchSink:
        schema, stream, pattern = table.written, options["data-stream"], options["index"]
        refuse_variants(schema, "json")
        key = () if stream else table.primary_key
        if stream and TIME not in schema:
            hint = f"add a column `{TIME}` TIMESTAMP_LTZ(3), or leave 'data-stream' out"
            raise ConfigError(f"a data stream needs a column '{TIME}'", hint=hint, location=table.location)
        index = indices(pattern, schema, options.location("index"))
        target = Target(
            table=table.name,
            pattern=pattern,
            schema=schema,
            id=_ids(table, options) if key else None,
            index=index,
            stream=stream,
            create=options["tailrace.create-index"],
        )
        return ElasticsearchSink(Server.of(options), target, Bulk.of(options, key=key, order=None))

    def lookup(
        self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context
    ) -> ElasticsearchLookup:
        if "{" in options["index"]:
            message = "an index that the row names can't be looked up in"
            raise ConfigError(message, hint="name one 'index'", location=options.location("index"))
        by_id = bool(table.primary_key) and set(keys) == set(table.primary_key)
        found = _ids(table, options) if by_id else None
        return ElasticsearchLookup(Server.of(options), options["index"], schema, keys, found)


def _ids(table: Table, options: Values) -> pl.Expr:
    """Give the expression of the id: the values of the primary key."""
    key = Schema(tuple(table.physical[name] for name in table.primary_key))
    refuse_textless(key, "the id of a document", table.location, binary=False)
    return ids(list(key), options["document-id.key-delimiter"])


CONNECTOR = ElasticsearchConnector()
