"""Log lines to OpenSearch or Elasticsearch, by their bulk interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import httpx

from tailrace.observe.logs.ecs import line
from tailrace.observe.logs.tee import Line
from tailrace.settings import value

SECONDS = 10.0


class BulkLines:
    """Adds lines to an index or data stream; each is a document in the Elastic Common Schema."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        user, password, key = (value(settings, f"tailrace.opensearch.{k}") for k in ("user", "password", "api-key"))
        headers = {"content-type": "application/x-ndjson"} | ({"authorization": f"ApiKey {key}"} if key else {})
        self._client = httpx.Client(
            base_url=value(settings, "tailrace.opensearch.url"),
            auth=(user, password or "") if user else None,
            headers=headers,
            timeout=SECONDS,
        )
        self._path = f"/{value(settings, 'tailrace.opensearch.index')}/_bulk"

    def send(self, lines: Sequence[Line]) -> bool:
        """
        Send lines; tell whether all were taken.

        Raises:
            HTTPError: the server is away, or refuses them.
        """
        body = "".join('{"create":{}}\n' + _document(given) + "\n" for given in lines)
        answer = self._client.post(self._path, content=body.encode()).raise_for_status()
        return not answer.json()["errors"]

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


def _document(given: Line) -> str:
    stamp = datetime.fromtimestamp(given.time / 1e9, UTC).isoformat(timespec="milliseconds")
    return line(given.logger, given.level, {**given.event, "@timestamp": stamp})
