"""Webhook out: rows as bodies of requests, sent again with the same key until they are taken or refused."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Sequence

import httpx
import polars as pl

from tailrace.connectors import trace_headers
from tailrace.connectors.base import Report
from tailrace.connectors.bulk import TAKEN, Bulk, BulkSink, Outcome, Refused, refuse_changes
from tailrace.connectors.encoding import RowEncoder, messages
from tailrace.connectors.http.bodies import CONTENT, joined
from tailrace.connectors.http.endpoint import TOO_LARGE, Endpoint
from tailrace.engine.batch import TRACEPARENT
from tailrace.errors import DataError, TailraceError, TransientError

_MOST_KEYS = 10_000
_WRONG, _NOT_THERE, _UNKNOWN_METHOD = (401, 403, 407), (404, 410), 501


class WebhookSink(BulkSink):
    """
    Sends rows in bodies. Each request has an idempotency key, which stays the same when it is sent again.

    With a primary key it is made of the body alone, so that a row which comes again after a crash has the same key too.
    `traces` are the styles in which its headers tell of a trace.
    """

    traced = True

    def __init__(
        self,
        table: str,
        endpoint: Endpoint,
        encoder: RowEncoder,
        bulk: Bulk,
        body: str,
        content: str,
        *,
        keyed: bool,
        traces: Sequence[str] = ("w3c",),
    ) -> None:
        super().__init__(bulk)
        self._traces = traces
        self._table = table
        self._endpoint = endpoint
        self._encoder = encoder
        self._encoding = threading.Lock()
        self._body = body
        self._content = CONTENT.get(body, content)
        self._keyed = keyed
        self._run = secrets.token_hex(8)
        self._sent = 0
        self._unsure: dict[bytes, str] = {}
        self._client: httpx.Client | None = None

    def open(self) -> None:
        self._client = self._client or self._endpoint.client()
        self._encoder.open()
        self._endpoint.reach(self._client)

    def write(self, batch: pl.DataFrame) -> None:
        refuse_changes(batch, self._table)
        super().write(batch)

    def send(self, rows: pl.DataFrame) -> Outcome:
        assert self._client is not None
        told = trace_headers.of_request(rows[TRACEPARENT], self._traces) if TRACEPARENT in rows.columns else {}
        with self._encoding:
            values = [m.value or b"" for m in messages(self._encoder.encode(rows.drop(TRACEPARENT, strict=False)))]
        body = joined(values, self._body)
        digest = hashlib.blake2b(body, digest_size=16).digest()
        headers = {"Content-Type": self._content, "Idempotency-Key": self._key(digest), **told}
        answer = self._endpoint.ask(self._client, self._endpoint.url, body, headers)
        error = self._endpoint.refused(answer)
        if not isinstance(error, TransientError):
            self._unsure.pop(digest, None)
        if error is None:
            return TAKEN
        if answer.status == TOO_LARGE and len(rows) == 1:
            return Outcome([Refused(0, "too-large", error.message, "the server takes no row of this size")])
        if isinstance(error, DataError) and len(rows) == 1:
            return Outcome([Refused(0, f"status-{answer.status}", error.message)])
        raise error

    def _key(self, digest: bytes) -> str:
        if self._keyed:
            return digest.hex()
        with self._encoding:
            if digest not in self._unsure:
                self._sent += 1
                self._unsure[digest] = f"{self._run}-{self._sent}"
                if len(self._unsure) > _MOST_KEYS:
                    del self._unsure[next(iter(self._unsure))]
            return self._unsure[digest]

    def check(self) -> Report:
        return reached(self._endpoint, "OPTIONS", f"posts rows to {self._endpoint.shown}, at least once")

    def close(self) -> None:
        super().close()
        if self._client is not None:
            self._client.close()
            self._client = None


def reached(endpoint: Endpoint, method: str, good: str, *, path: bool = True) -> Report:
    """
    Ask a server something that changes nothing, and report what is wrong; a method that it does not know is not.

    Without `path` it need not know the path alone, as it stands for many.
    """
    try:
        with endpoint.client() as client:
            answer = client.request(method, endpoint.url, headers=dict(endpoint.headers))
    except httpx.HTTPError as error:
        return Report.failed(endpoint.failed(error))
    except TailraceError as error:
        return Report.failed(error)
    status = answer.status_code
    wrong = (
        status in _WRONG
        or (path and status in _NOT_THERE)
        or 300 <= status < 400
        or (status >= 500 and status != _UNKNOWN_METHOD)
    )
    if wrong:
        return Report(False, f"{endpoint.shown} answers a request by {method} with status {status}")
    return Report(True, good)
