"""DynamoDB Local for tests, and its tables by the plain client, with the values of boto3's serializer."""

from __future__ import annotations

import ast
import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

import botocore.session
from botocore.config import Config
from server_kit import Recipe, free_ports, running

LOGIN = {"aws.credentials.basic.accesskeyid": "tailrace", "aws.credentials.basic.secretkey": "local"}
LETTERS = {"STRING": "S", "BYTES": "B"}


@contextmanager
def served(folder: Path, *, disk: bool = False) -> Iterator[tuple[Recipe, str]]:
    """Start a server, in memory or with its tables in files; give it with its address."""
    given = {"DYNAMODB_PORT": str(free_ports(1)), "DYNAMODB_HEAP": "256m"} | ({"DYNAMODB_DISK": "yes"} if disk else {})
    with running("dynamodb", folder, given) as found:
        yield found


def client(at: str, service: str = "dynamodb") -> Any:
    """Give a plain client."""
    return botocore.session.get_session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=f"http://{at}",
        aws_access_key_id="tailrace",
        aws_secret_access_key="local",  # noqa: S106  any will do
        config=Config(retries={"total_max_attempts": 10, "mode": "standard"}),
    )


@dataclass
class Table:
    """A table there, with the SQL types of its columns."""

    at: str
    name: str
    columns: dict[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ("id",)

    @cached_property
    def client(self) -> Any:
        """The plain client."""
        return client(self.at)

    def create(self, images: str = "") -> None:
        """Make it, with a stream of these images."""
        stream = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": images}} if images else {}
        self.client.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": n, "KeyType": k} for n, k in zip(self.key, ("HASH", "RANGE"), strict=False)],
            AttributeDefinitions=[
                {"AttributeName": n, "AttributeType": LETTERS.get(self.columns[n], "N")} for n in self.key
            ],
            BillingMode="PAY_PER_REQUEST",
            **stream,
        )

    def put(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows."""
        for some in (rows[i : i + 25] for i in range(0, len(rows), 25)):
            requests = [{"PutRequest": {"Item": {n: written(r[n]) for n in r}}} for r in some]
            while requests:
                answer = self.client.batch_write_item(RequestItems={self.name: requests})
                requests = answer["UnprocessedItems"].get(self.name, [])

    def items(self) -> list[dict[str, Any]]:
        """Give all items as they are."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def rows(self) -> list[dict[str, Any]]:
        """Give all items as rows of Python values."""
        return [{n: read(i.get(n, {"NULL": True}), t) for n, t in self.columns.items()} for i in self.items()]


def written(value: Any) -> dict[str, Any]:
    """Give a Python value as an attribute."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float() | Decimal():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case datetime():
            return {"S": value.isoformat().replace("+00:00", "Z")}
        case date() | time():
            return {"S": value.isoformat()}
        case list():
            return {"L": [written(v) for v in value]}
        case dict():
            return {"M": {k: written(v) for k, v in value.items()}}
    raise TypeError(type(value))


def read(attribute: Mapping[str, Any], type_: str) -> Any:
    """Give an attribute as the Python value of a column."""
    ((letter, value),) = attribute.items()
    if letter == "NULL":
        return None
    if letter == "L":
        inner = type_[6:-1]
        return [read(v, inner) for v in value]
    if letter == "M" and type_.startswith("MAP"):
        return {k: read(v, type_.partition(", ")[2][:-1]) for k, v in value.items()}
    if letter == "M":
        fields = dict(re.findall(r"(\w+) (\w+)", type_[4:-1]))
        return {k: read(v, fields[k]) for k, v in value.items()}
    if letter == "N":
        return _number(value, type_)
    for name, of in (("DATE", date), ("TIMESTAMP", datetime), ("TIME(", time)):
        if type_.startswith(name):
            return of.fromisoformat(value)
    return value


def _number(text: str, type_: str) -> Any:
    if type_.startswith("DECIMAL"):
        _, scale = ast.literal_eval(type_[7:])
        return Decimal(text).quantize(Decimal(1).scaleb(-scale)) if len(text) < 25 else Decimal(text)
    return float(text) if type_ in ("FLOAT", "DOUBLE") else int(text)


Answer = tuple[int, dict[str, Any]] | None
"""The status and body of an answer; None passes the request on."""


class Request(NamedTuple):
    """A request: its operation, its body, and what asks the server for another one instead."""

    operation: str
    body: dict[str, Any]
    ask: Callable[[dict[str, Any]], dict[str, Any]]


class ApiProxy:
    """A proxy that reads requests of DynamoDB, notes them, and answers some by itself."""

    def __init__(self, at: str) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.rule: Callable[[Request], Answer] = lambda _: None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                proxy.seen.append((operation, body))
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length")}

                def ask(given: dict[str, Any]) -> dict[str, Any]:
                    status, told = _forward(at, given, headers)
                    assert status == 200, told
                    return told

                try:
                    status, told = proxy.rule(Request(operation, body, ask)) or _forward(at, body, headers)
                except ConnectionAbortedError:
                    self.close_connection = True
                    return
                data = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def bodies(self, operation: str) -> list[dict[str, Any]]:
        """Give the requests of an operation."""
        return [body for name, body in self.seen if name == operation]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _forward(at: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Ask the server; the signature of a request that was changed is not looked at by DynamoDB Local."""
    host, _, port = at.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request("POST", "/", json.dumps(body), dict(headers))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def error(code: str, message: str = "injected") -> Answer:
    """Give the answer of an error."""
    return 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
