"""Requests to Elasticsearch and OpenSearch: answers stay bytes, and errors become ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3
from opensearchpy import OpenSearch, exceptions
from opensearchpy.serializer import Serializer

from tailrace.connectors.base import Report
from tailrace.connectors.elasticsearch.options import check_login
from tailrace.errors import ConfigError, DataError, TailraceError, TerminalError, TransientError
from tailrace.options import Values

PASSING = (408, 429, 502, 503, 504)
"""The states of a request, or of a row, that may be sent again."""
_LOGIN = (401, 403)


class _Plain(Serializer):
    """Leaves texts as they are, both ways."""

    mimetype = "application/json"

    def dumps(self, data: Any) -> Any:
        return data

    def loads(self, s: str) -> Any:
        return s


class _Version(msgspec.Struct):
    number: str = "of an unknown version"
    distribution: str = "elasticsearch"


class _Root(msgspec.Struct):
    version: _Version = msgspec.field(default_factory=_Version)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the nodes are and how they are spoken to; `shown` has no secrets."""

    hosts: tuple[str, ...]
    shown: str
    timeout: float
    prefix: str = ""
    arguments: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, options: Values) -> Server:
        """
        Read the options.

        Raises:
            ConfigError: an address or the login can't be.
        """
        check_login(options)
        hosts: tuple[str, ...] = options["hosts"]
        parts = [urlsplit(h) for h in hosts]
        if any(p.username or not p.hostname for p in parts):
            message = "'hosts' has an address without a host, or with a login"
            raise ConfigError(message, hint="give 'username' and 'password'", location=options.location("hosts"))
        given: dict[str, Any] = {}
        if options["username"] is not None:
            given["http_auth"] = (options["username"], options["password"])
        if options["api-key"] is not None:
            given["headers"] = {"Authorization": f"ApiKey {options['api-key']}"}
        if options["ssl.ca-location"]:
            given["ca_certs"] = options["ssl.ca-location"]
        shown = ", ".join(p.netloc for p in parts)
        prefix = options["connection.path-prefix"].strip("/")
        return cls(hosts, shown, options["connection.request-timeout"] / 1000, prefix, given)

    def client(self, connections: int = 10) -> OpenSearch:
        """Make a client; it connects with the first request. What fails is tried again by the runtime, not by it."""
        more: dict[str, Any] = {"url_prefix": self.prefix} if self.prefix else {}
        return OpenSearch(
            list(self.hosts),
            timeout=self.timeout,
            max_retries=0,
            retry_on_timeout=False,
            serializer=_Plain(),
            pool_maxsize=connections,
            **more,
            **self.arguments,
        )

    def ask(self, client: OpenSearch, method: str, path: str, body: str | None = None, **parameters: str) -> str:
        """
        Send one request and give the text of the answer.

        Raises:
            TransientError: no node answers, or it is too busy.
            DataError: the request is too large.
            TerminalError: it is refused.
        """
        kind = "application/x-ndjson" if path.endswith(("_bulk", "_msearch")) else "application/json"
        headers = {"content-type": kind} if body is not None else {}
        try:
            answer = client.transport.perform_request(method, path, params=parameters, body=body, headers=headers)
        except (exceptions.OpenSearchException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self.as_ours(error) from None
        return answer if isinstance(answer, str) else ""

    def as_ours(self, error: Exception) -> TailraceError:
        """Give an error of the client as ours."""
        place = f"Elasticsearch at {self.shown}"
        status = getattr(error, "status_code", None) if isinstance(error, exceptions.TransportError) else None
        if status in _LOGIN:
            hint = "set 'username' and 'password' or 'api-key', or give the user the right"
            return TerminalError(f"{place} refuses the login or the request (status {status})", hint=hint)
        if status == 413:
            return DataError(f"{place} takes no request of that size", hint="lower 'sink.bulk-flush.max-size'")
        if isinstance(status, int) and status not in PASSING:
            return TerminalError(f"{place}: {_reason(error)} (status {status})")
        what = f"is too busy (status {status})" if isinstance(status, int) else f"is away: {_reason(error)}"
        return TransientError(f"{place} {what}", hint="look at 'hosts' and the server")

    def version(self, client: OpenSearch) -> str:
        """Give the name and version of the server."""
        found = msgspec.json.decode(self.ask(client, "GET", "/"), type=_Root).version
        return f"{'OpenSearch' if found.distribution == 'opensearch' else 'Elasticsearch'} {found.number}"

    def exists(self, client: OpenSearch, index: str) -> bool:
        """Tell whether there is an index, alias or data stream of a name."""
        try:
            self.ask(client, "GET", f"/{index}/_mapping", ignore_unavailable="false")
        except TerminalError as error:
            if "(status 404)" in error.message:
                return False
            raise
        return True


def _reason(error: Exception) -> str:
    """Give what the server has said, without the payload."""
    info = getattr(error, "info", None)
    if isinstance(info, str):
        try:
            found = msgspec.json.decode(info)
        except msgspec.DecodeError:
            return str(getattr(error, "error", error))
        reason = found.get("error") if isinstance(found, dict) else None
        return str(reason.get("reason", reason)) if isinstance(reason, dict) else str(reason)
    return str(getattr(error, "error", error))


def check_index(server: Server, index: str, *, needed: bool) -> Report:
    """Reach the server and look for an index; one that is not `needed` may still be made."""
    client = server.client(1)
    try:
        version = server.version(client)
        there = "{" in index or server.exists(client, index)
        if not there and needed:
            hint = "mend the option 'index', or write to it first"
            raise ConfigError(f"there is no index '{index}' at {server.shown}", hint=hint)
    except TailraceError as error:
        return Report.failed(error)
    finally:
        client.close()
    return Report(True, f"index '{index}' at {server.shown}, {version}{'' if there else ' (it will be made)'}")
