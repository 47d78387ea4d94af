"""Runs statements on a real Flink cluster through the REST interface of its SQL Gateway."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

SETTINGS = {
    "execution.runtime-mode": "streaming",
    "parallelism.default": "1",
    "table.dml-sync": "true",
    "restart-strategy.type": "none",
    "sql-gateway.session.idle-timeout": "10 min",
}
ATTEMPTS = 5
_UNMAPPED = "Could not map response to JSON"


class RefusedError(Exception):
    """Flink refuses a statement, or its job fails."""


class UnavailableError(Exception):
    """The cluster can't be reached, or does not come to an end in time."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result with Flink's description of its type."""

    name: str
    type: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """Rows as the gateway gives them: row kind and fields; `plain` if the fields are texts (Flink's CAST to STRING)."""

    columns: list[Column]
    rows: list[tuple[str, list[Any]]]
    plain: bool = False


class Gateway:
    """A session of the gateway; `seconds` is how long one statement may take."""

    def __init__(self, url: str, settings: dict[str, str], seconds: float = 120) -> None:
        self._url = url
        self._seconds = seconds
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.version: str = self._call("GET", "/v3/info")["version"]
        opened = self._call("POST", "/v3/sessions", {"properties": SETTINGS | settings})
        self._session = f"/v3/sessions/{opened['sessionHandle']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(self._session)

    def run(self, statement: str) -> Result:
        """
        Run one statement to its end.

        Raises:
            RefusedError: Flink refuses it, or its job fails.
            UnavailableError: no answer, or not in time; the job is ended.
        """
        try:
            return self._run(statement, "JSON")
        except RefusedError as error:
            if _UNMAPPED not in str(error):
                raise
        return self._run(statement, "PLAIN_TEXT")

    def _run(self, statement: str, row_format: str) -> Result:
        body = {"statement": statement}
        handle = self._call("POST", f"{self._session}/statements", body, repeat=False)["operationHandle"]
        operation = f"{self._session}/operations/{handle}"
        try:
            return self._fetch(f"{operation}/result/0?rowFormat={row_format}", plain=row_format != "JSON")
        finally:
            self._close(f"{operation}/close")

    def _fetch(self, page: str | None, *, plain: bool) -> Result:
        end = time.monotonic() + self._seconds
        columns: list[Column] = []
        rows: list[tuple[str, list[Any]]] = []
        pause = 0.02
        while page:
            result = self._call("GET", page)
            given = result.get("results", {})
            columns = [Column(c["name"], c["logicalType"]) for c in given.get("columns", [])] or columns
            found = [(row["kind"], row["fields"]) for row in given.get("data", [])]
            rows += found
            page = result.get("nextResultUri")
            if page and time.monotonic() > end:
                raise UnavailableError(f"no end after {self._seconds:.0f} s; {len(rows)} rows so far")
            if not found:
                time.sleep(pause)
                pause = min(pause * 1.5, 0.3)
        return Result(columns, rows, plain)

    def _close(self, path: str) -> None:
        """End an operation (and its job) or the session; one that is gone already is fine."""
        with contextlib.suppress(RefusedError):
            self._call("DELETE", path)

    def _call(self, method: str, path: str, body: object = None, *, repeat: bool = True) -> dict[str, Any]:
        """Call the gateway; where the connection fails, again, unless that could do a thing twice."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._call_once(method, path, body)
            except urllib.error.HTTPError as error:
                raise RefusedError(root_cause(error.read().decode(errors="replace"))) from None
            except (OSError, http.client.HTTPException) as error:
                refused = isinstance(getattr(error, "reason", error), ConnectionRefusedError)
                if attempt == ATTEMPTS or not (repeat or refused):
                    raise UnavailableError(f"{self._url} does not answer: {error}") from None
                time.sleep(0.2 * 2**attempt)
        raise AssertionError

    def _call_once(self, method: str, path: str, body: object) -> dict[str, Any]:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(  # noqa: S310  the address is the caller's
            self._url + path, data, {"Content-Type": "application/json"}, method=method
        )
        with self._opener.open(request, timeout=60) as answer:
            return dict(json.load(answer, parse_float=Decimal))


def root_cause(text: str) -> str:
    r"""
    Give the last cause of a failure, without the name of its class.

    >>> root_cause(
    ...     '{"errors": ["x", "<Exception:\\nCaused by: a.B: one\\n\\tat c\\nCaused by: d.E: the\\nlast\\n\\tat f"]}'
    ... )
    'E: the last'
    """
    try:
        lines = "\n".join(json.loads(text)["errors"]).splitlines()
    except (ValueError, KeyError, TypeError):
        return text[:500]
    starts = [i for i, line in enumerate(lines) if line.startswith("Caused by: ")]
    if not starts:
        return " ".join(lines)[:500]
    cause = [lines[starts[-1]].removeprefix("Caused by: ")]
    for line in lines[starts[-1] + 1 :]:
        if line.startswith(("\tat ", "\t...", "End of exception")):
            break
        cause.append(line)
    name, _, message = " ".join(cause).partition(": ")
    return f"{name.rpartition('.')[2]}: {message}"[:500]
