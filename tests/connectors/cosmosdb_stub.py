"""
A server that answers as Azure Cosmos DB does what the emulators at hand don't: it throttles, checks keys, and has a change feed.

It knows items and batches of them, and no queries. A container has two ranges of the feed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from azure.cosmos.partition_key import PartitionKey

KEY = base64.b64encode(b"a key of the stub").decode()
_MIDDLE = "1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
Answer = tuple[int, dict[str, str], Any]


@dataclass
class Container:
    """Items by partition key and id, and their changes in order."""

    paths: tuple[str, ...]
    expires: bool = True
    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    changes: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    def place(self, item: Mapping[str, Any]) -> list[Any]:
        """Give the partition key of an item."""
        values = []
        for path in self.paths:
            value: Any = item
            for name in path.strip("/").split("/"):
                value = value.get(name) if isinstance(value, Mapping) else None
            values.append(value)
        return values

    def range_of(self, key: list[Any]) -> str:
        """Give in which range of the feed a partition key is."""
        many = len(self.paths) > 1
        definition = PartitionKey(list(self.paths), kind="MultiHash") if many else PartitionKey(self.paths[0])
        hashed = definition._get_epk_range_for_partition_key(key if len(key) > 1 else key[0]).min
        return "0" if hashed < _MIDDLE else "1"

    def write(self, item: dict[str, Any], operation: str) -> dict[str, Any]:
        """Keep an item, and its change."""
        key = self.place(item)
        stored = item | {"_etag": f'"{uuid.uuid4()}"', "_ts": int(time.time()), "_rid": "r", "_self": "s"}
        self.items[json.dumps(key), item["id"]] = stored
        self.changes.append((self.range_of(key), stored, {"operationType": operation}))
        return stored

    def delete(self, key: list[Any], id_: str) -> None:
        """Drop an item; the feed of all versions tells of it."""
        self.items.pop((json.dumps(key), id_))
        names = [p.strip("/") for p in self.paths]
        about = {"operationType": "delete", "id": id_, "partitionKey": dict(zip(names, key, strict=True))}
        self.changes.append((self.range_of(key), {}, about))


class Stub:
    """The server; `fault` may answer a request instead of it, given its verb, path and headers."""

    def __init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self.fault: Callable[[str, str, Mapping[str, str]], Answer | None] | None = None
        self.seen: list[tuple[str, str, Mapping[str, str]]] = []
        self.lock = threading.RLock()
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._connections: set[socket.socket] = set()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, at the same port as before."""
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.daemon_threads = True
        self._server.stub = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def kill(self) -> None:
        """Listen no more, and cut all connections."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        with self.lock:
            cut, self._connections = self._connections, set()
        for connection in cut:
            with suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RDWR)

    def options(self, container: str) -> dict[str, str]:
        """Give the options of a table that stands for a container here."""
        given = {"connector": "cosmosdb", "endpoint": f"http://{self.address}/", "key": KEY, "database": "db"}
        return given | {"container": container, "endpoint-discovery": "false", "request-timeout": "5 s"}

    def make(self, name: str, *paths: str, expires: bool = True) -> Container:
        """Make a container."""
        return self.containers.setdefault(name, Container(paths or ("/id",), expires))

    def throttled(self, times: int, milliseconds: int) -> None:
        """Refuse so many writes, and ask to wait."""
        left = [times]

        def fault(verb: str, path: str, _: Mapping[str, str]) -> Answer | None:
            if verb == "GET" or "/docs" not in path or left[0] <= 0:
                return None
            left[0] -= 1
            return 429, {"x-ms-retry-after-ms": str(milliseconds)}, {"message": "Request rate is large"}

        self.fault = fault

    def answer(self, verb: str, path: str, headers: Mapping[str, str], body: Any) -> Answer:
        """Give state, headers and body of an answer."""
        self.seen.append((verb, path, headers))
        if not _is_signed(verb, path, headers):
            return 401, {}, {"message": "The input authorization token can't serve the request."}
        if self.fault is not None and (found := self.fault(verb, path, headers)) is not None:
            return found
        with self.lock:
            return self._answer(verb, [unquote(p) for p in path.strip("/").split("/") if p], headers, body)

    def _answer(self, verb: str, path: list[str], headers: Mapping[str, str], body: Any) -> Answer:
        if not path:
            return 200, {}, _account(self.address)
        container = self.containers.get(path[3]) if len(path) >= 4 and path[1] == "db" else None
        if container is None:
            return 404, {}, {"message": "Owner resource does not exist"}
        match path[4:]:
            case []:
                ttl = {"defaultTtl": -1} if container.expires else {}
                kind = "MultiHash" if len(container.paths) > 1 else "Hash"
                key = {"paths": list(container.paths), "kind": kind, "version": 2}
                return 200, {}, {"id": path[3], "_rid": f"rid-{path[3]}", "partitionKey": key} | ttl
            case ["pkranges"]:
                return _ranges(headers)
            case ["docs"] if verb == "GET":
                return _feed(container, headers)
            case ["docs"] if "x-ms-cosmos-is-batch-request" in headers:
                return _batch(container, headers, body)
            case ["docs"]:
                return _posted(container, headers, body)
            case ["docs", id_]:
                return _one(container, verb, id_, headers, body)
        return 400, {}, {"message": "no such path"}


class _Server(ThreadingHTTPServer):
    stub: Stub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection was cut."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        with self.server.stub.lock:
            self.server.stub._connections.add(self.connection)

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {k.lower(): v for k, v in self.headers.items()}
        status, more, answer = self.server.stub.answer(
            self.command, self.path, headers, json.loads(body) if body else None
        )
        text = b"" if status in (204, 304) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Be quiet."""


def _is_signed(verb: str, path: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request is signed by the key of the account."""
    given = dict(p.split("=", 1) for p in unquote(headers.get("authorization", "")).split("&") if "=" in p)
    parts = [unquote(p) for p in path.strip("/").split("/") if p]
    link, kind = ("/".join(parts), parts[-2]) if len(parts) % 2 == 0 and parts else ("/".join(parts[:-1]), "")
    kind = kind or (parts[-1] if parts else "")
    text = f"{verb.lower()}\n{kind.lower()}\n{link}\n{headers.get('x-ms-date', '').lower()}\n\n"
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
    return given.get("sig") == signature


def _account(address: str) -> dict[str, Any]:
    here = [{"name": "Here", "databaseAccountEndpoint": f"http://{address}/"}]
    policy = {"defaultConsistencyLevel": "Session"}
    return {"id": "stub", "writableLocations": here, "readableLocations": here, "userConsistencyPolicy": policy}


def _ranges(headers: Mapping[str, str]) -> Answer:
    if headers.get("if-none-match") == '"1"':
        return 304, {"etag": '"1"'}, None
    ends = [("0", "", _MIDDLE), ("1", _MIDDLE, "FF")]
    found = [{"id": i, "minInclusive": low, "maxExclusive": high, "_rid": "r", "parents": []} for i, low, high in ends]
    return 200, {"etag": '"1"'}, {"_rid": "r", "PartitionKeyRanges": found, "_count": 2}


def _feed(container: Container, headers: Mapping[str, str]) -> Answer:
    """Give the changes behind a continuation, of one range: the number of a change is its LSN."""
    wanted = headers["x-ms-documentdb-partitionkeyrangeid"]
    given = headers.get("if-none-match")
    count = len(container.changes)
    after = count if given == "*" else int(given.strip('"')) if given else 0
    every = headers["a-im"].startswith("Full")
    most = int(headers.get("x-ms-max-item-count", 100))
    since = headers.get("if-modified-since")
    least = 0.0 if since is None else time.mktime(time.strptime(since, "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    behind = [
        (lsn, item, about)
        for lsn, (of, item, about) in enumerate(container.changes, start=1)
        if of == wanted and lsn > after and (every or item) and item.get("_ts", time.time()) >= least
    ]
    if not every:  # of each item its last version
        last = {(json.dumps(container.place(item)), item["id"]): lsn for lsn, item, _ in behind}
        behind = [(lsn, i, a) for lsn, i, a in behind if last[json.dumps(container.place(i)), i["id"]] == lsn]
    page = behind[:most]
    if not page:
        return 304, {"etag": f'"{count}"'}, None
    documents = [{"current": i, "metadata": a | {"lsn": n, "crts": int(time.time())}} for n, i, a in page]
    found = documents if every else [i | {"_lsn": n} for n, i, _ in page]
    return 200, {"etag": f'"{page[-1][0]}"'}, {"_rid": "r", "Documents": found, "_count": len(found)}


def _posted(container: Container, headers: Mapping[str, str], item: dict[str, Any]) -> Answer:
    key = json.loads(headers["x-ms-documentdb-partitionkey"])
    if key != container.place(item):
        return 400, {"x-ms-substatus": "1001"}, {"message": "PartitionKey extracted from document doesn't match"}
    if len(json.dumps(item)) > 2 << 20:
        return 413, {}, {"message": "Request size is too large"}
    current = container.items.get((json.dumps(key), item["id"]))
    if current is not None and "x-ms-documentdb-is-upsert" not in headers:
        return 409, {}, {"message": "Entity with the specified id already exists"}
    return (201 if current is None else 200), {}, container.write(item, "replace" if current else "create")


def _one(container: Container, verb: str, id_: str, headers: Mapping[str, str], body: Any) -> Answer:
    key = json.loads(headers["x-ms-documentdb-partitionkey"])
    current = container.items.get((json.dumps(key), id_))
    if current is None:
        return 404, {}, {"message": "Entity with the specified id does not exist"}
    if headers.get("if-match") not in (None, current["_etag"]):
        return 412, {}, {"message": "One of the specified pre-condition is not met"}
    if verb == "DELETE":
        container.delete(key, id_)
        return 204, {}, None
    if verb == "GET":
        return 200, {"etag": current["_etag"]}, current
    if verb == "PATCH":
        body = current | {o["path"].strip("/"): o["value"] for o in body["operations"]}
    return 200, {}, container.write(body, "replace")


def _batch(container: Container, headers: Mapping[str, str], operations: list[dict[str, Any]]) -> Answer:
    """Take all operations or none."""
    key = json.loads(headers["x-ms-documentdb-partitionkey"])
    missing = [
        i
        for i, o in enumerate(operations)
        if o["operationType"] == "Delete" and (json.dumps(key), o["id"]) not in container.items
    ]
    if missing or len(operations) > 100:
        bad = missing[0] if missing else 0
        failed = [{"statusCode": 404 if i == bad else 424, "requestCharge": 0} for i in range(len(operations))]
        return 207, {}, failed
    for operation in operations:
        if operation["operationType"] == "Delete":
            container.delete(key, operation["id"])
        else:
            container.write(operation["resourceBody"], "replace")
    return 200, {}, [{"statusCode": 200, "requestCharge": 1} for _ in operations]


@contextmanager
def stub() -> Iterator[Stub]:
    """Run one."""
    server = Stub()
    server.start()
    try:
        yield server
    finally:
        server.kill()
