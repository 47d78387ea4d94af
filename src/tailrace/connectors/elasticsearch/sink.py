"""The sink: bulk requests, written column by column; each row's own answer is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import polars as pl
from opensearchpy import OpenSearch

from tailrace.connectors.base import Report
from tailrace.connectors.bulk import TAKEN, Bulk, BulkSink, Outcome, Refused, refuse_changes
from tailrace.connectors.elasticsearch.client import PASSING, Server, check_index
from tailrace.connectors.elasticsearch.documents import documents, encoded, glob, index_body, template_body
from tailrace.engine.batch import KIND
from tailrace.engine.changes import REMOVED
from tailrace.errors import TerminalError, TransientError
from tailrace.schema import Schema

_MISSING_INDEX = "index_not_found_exception"


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: `id` and `index` are expressions over the row (None: made by the server; the same for all)."""

    table: str
    pattern: str
    schema: Schema
    id: pl.Expr | None
    index: pl.Expr | None
    stream: bool
    create: bool


class _Error(msgspec.Struct):
    type: str = ""
    reason: str = ""
    caused_by: _Error | None = None


class _Item(msgspec.Struct):
    status: int
    error: _Error | None = None


class _Answer(msgspec.Struct):
    errors: bool = False
    items: list[dict[str, _Item]] = []


class ElasticsearchSink(BulkSink):
    """Indexes documents; with a key it replaces and deletes them by id."""

    def __init__(self, server: Server, target: Target, bulk: Bulk) -> None:
        super().__init__(bulk, effectively_once=target.id is not None)
        self._server = server
        self._target = target
        self._connections = bulk.in_flight
        self._documents = documents(target.schema)
        self._client: OpenSearch | None = None

    def open(self) -> None:
        self._client = self._client or self._server.client(self._connections)
        self._server.version(self._client)
        if self._target.create:
            self._create(self._client)

    def _create(self, client: OpenSearch) -> None:
        """Make the index, or the template by which the server makes it; what is there already stays as it is."""
        t = self._target
        if t.stream or t.index is not None:
            name = "tailrace-" + glob(t.pattern).replace("*", "any").strip("-")
            body = template_body(t.pattern, t.schema, stream=t.stream)
            self._server.ask(client, "PUT", f"/_index_template/{name}", body)
        elif not self._server.exists(client, t.pattern):
            try:
                self._server.ask(client, "PUT", f"/{t.pattern}", index_body(t.schema))
            except TerminalError as error:
                if "already exists" not in error.message:
                    raise

    def write(self, batch: pl.DataFrame) -> None:
        if self._target.id is None:
            refuse_changes(batch, self._target.table)
        super().write(batch)

    def send(self, rows: pl.DataFrame) -> Outcome:
        assert self._client is not None
        path = "/_bulk" if self._target.index is not None else f"/{self._target.pattern}/_bulk"
        keep = "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"
        answer = self._server.ask(self._client, "POST", path, self._body(rows), filter_path=keep)
        found = msgspec.json.decode(answer, type=_Answer)
        return self._outcome(found) if found.errors else TAKEN

    def _body(self, rows: pl.DataFrame) -> str:
        """Give the lines of a request: what to do, and (if it is not to delete) the document."""
        actions = rows.with_columns(self._action(rows).alias("action")).select("action")
        lines = actions.with_columns(
            self._documents.texts(rows.select(list(self._target.schema.names))).alias("document")
        )
        put = pl.concat_str([pl.col("action"), pl.lit("\n"), pl.col("document")])
        if KIND in rows.columns:
            gone = rows[KIND].is_in(REMOVED)
            put = pl.when(gone).then(pl.col("action")).otherwise(put)
        return str(lines.select(put.str.join("\n")).item()) + "\n"

    def _action(self, rows: pl.DataFrame) -> pl.Expr:
        t = self._target
        verb = pl.lit("create" if t.stream else "index")
        if KIND in rows.columns:
            verb = pl.when(pl.col(KIND).is_in(REMOVED)).then(pl.lit("delete")).otherwise(verb)
        fields = [("_id", t.id), ("_index", t.index)]
        parts = [(pl.lit(f'"{name}":'), encoded(value)) for name, value in fields if value is not None]
        inner = [x for pair in parts for x in (pl.lit(","), *pair)][1:]
        return pl.concat_str([pl.lit('{"'), verb, pl.lit('":{'), *inner, pl.lit("}}")])

    def _outcome(self, answer: _Answer) -> Outcome:
        refused: list[Refused] = []
        again: list[int] = []
        for row, item in enumerate(next(iter(i.values())) for i in answer.items):
            error = item.error
            if error is None:  # among them a row to delete that is not there
                continue
            if error.type == _MISSING_INDEX:
                hint = "make it, or set 'tailrace.create-index' = 'true'"
                raise TerminalError(f"there is no index '{self._target.pattern}' at {self._server.shown}", hint=hint)
            if item.status in PASSING:
                again.append(row)
            else:
                cause = f": {error.caused_by.reason}" if error.caused_by is not None else ""
                refused.append(Refused(row, "refused", f"{error.reason}{cause} ({error.type})"))
        why = TransientError(f"Elasticsearch at {self._server.shown} is too busy for {len(again)} rows")
        return Outcome(refused, again, why if again else None)

    def check(self) -> Report:
        t = self._target
        return check_index(self._server, t.pattern, needed=not t.create)

    def close(self) -> None:
        super().close()
        if self._client is not None:
            self._client.close()
            self._client = None
