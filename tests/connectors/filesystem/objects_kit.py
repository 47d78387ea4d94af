"""What the tests of object stores share: buckets, tables in them, and a proxy whose answers can be spoilt."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

import obstore
from botocore.session import get_session
from obstore.store import AzureStore, GCSStore, S3Store

ACCOUNT = "devstoreaccount1"
SECRET = "tailrace-secret"  # noqa: S105  of a server that starts for a test
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account of Azurite, the same in all its documentation."""


@dataclass(slots=True)
class Bucket:
    """A bucket of a test: its URI, the options that reach it, and a client of the library that no code of ours made."""

    uri: str
    options: dict[str, str]
    store: Any

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        obstore.put(self.store, key, data)

    def get(self, key: str) -> bytes:
        """Read an object."""
        return bytes(obstore.get(self.store, key).bytes())

    def listed(self, prefix: str = "") -> list[str]:
        """List the keys below a prefix, sorted."""
        return sorted(o["path"] for o in obstore.list(self.store, prefix or None).collect())


def _call(endpoint: str, method: str, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=10)
    connection.request(method, path, headers={"Content-Length": "0"} | headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def _client(endpoint: str) -> Any:
    login = {"aws_access_key_id": "tailrace", "aws_secret_access_key": SECRET}
    return get_session().create_client("s3", "us-east-1", endpoint_url=endpoint, **login)


def s3_bucket(endpoint: str, name: str, via: str | None = None) -> Bucket:
    """Make a bucket in a store that speaks like S3; `via` is the endpoint that its options name."""
    _client(endpoint).create_bucket(Bucket=name)
    store = S3Store(
        name,
        endpoint=endpoint,
        region="us-east-1",
        access_key_id="tailrace",
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )
    options = {"s3.endpoint": via or endpoint, "s3.access-key": "tailrace", "s3.secret-key": SECRET}
    return Bucket(f"s3://{name}", options, store)


def azure_container(endpoint: str, name: str) -> Bucket:
    """Make a container in Azurite."""
    server = endpoint.removesuffix(f"/{ACCOUNT}")
    headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    signed = "PUT" + "\n" * 12 + "".join(f"{k}:{v}\n" for k, v in sorted(headers.items()))
    signed += f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    digest = hmac.new(base64.b64decode(ACCOUNT_KEY), signed.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    assert _call(server, "PUT", f"/{ACCOUNT}/{name}?restype=container", headers) == 201
    store = AzureStore(
        name,
        account_name=ACCOUNT,
        account_key=ACCOUNT_KEY,
        endpoint=endpoint,
        client_options={"allow_http": True},
    )
    options = {"azure.endpoint": endpoint, "azure.account": ACCOUNT, "azure.account-key": ACCOUNT_KEY}
    return Bucket(f"az://{name}", options, store)


def google_bucket(endpoint: str, name: str, via: str) -> Bucket:
    """Make a bucket in fake-gcs-server, which is reached through `GoogleXml`; no token is asked for."""
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=10)
    body = json.dumps({"name": name})
    connection.request("POST", "/storage/v1/b?project=tailrace", body, {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()
    key = json.dumps({"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""})
    store = GCSStore(name, base_url=via, service_account_key=key, client_options={"allow_http": True})
    return Bucket(f"gs://{name}", {"gs.endpoint": via, "gs.service-account-key": key}, store)


@dataclass(slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(slots=True)
class Request:
    """What a client asked, and the way to the server."""

    method: str
    path: str
    forward: Callable[[], Answer]


Spoil = Callable[[Request], Answer | None]
"""Gives what to answer (None: cut the connection)."""


@dataclass(slots=True)
class Proxy:
    """An HTTP proxy before a server; `spoil` may answer in its place. It counts what passed."""

    target: str
    spoil: Spoil | None = None
    requests: list[str] = field(default_factory=list)
    endpoint: str = ""
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.requests.append(f"{self.command} {self.path}")
                headers = dict(self.headers.items())
                asked = Request(self.command, self.path, partial(proxy.forward, self.command, self.path, headers, body))
                answer = proxy.spoil(asked) if proxy.spoil else asked.forward()
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers:
                    if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                        self.send_header(name, value)
                if not any(name.lower() == "content-length" for name, _ in answer.headers):
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _answer  # noqa: N815

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Ask the server itself."""
        connection = http.client.HTTPConnection(self.target.removeprefix("http://"), timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()


class GoogleXml(Proxy):
    """
    Google's XML API before fake-gcs-server, for what that has in its JSON API alone: a PUT of an object and its condition.

    So a put that must be the first of its name is decided by the server; the rest passes as it is.
    """

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Ask the server itself; while it is away the connection is cut."""
        url = urlsplit(path)
        if method != "PUT" or url.query:
            # by its host it tells buckets in paths from those in names of hosts: the client of Python names the right one
            answer = super().forward(method, path, {n: v for n, v in headers.items() if n.lower() != "host"}, body)
            return self._without_bucket(answer, url.path)
        bucket, _, key = unquote(url.path)[1:].partition("/")
        put = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(key, safe='')}"
        known = {name.lower(): value for name, value in headers.items()}
        if (generation := known.get("x-goog-if-generation-match")) is not None:
            put += f"&ifGenerationMatch={generation}"
        kept = {name: value for name, value in headers.items() if name.lower() == "content-type"}
        answer = super().forward("POST", put, kept, body)
        if answer.status != 200:
            return answer
        made: dict[str, str] = json.loads(answer.body)
        return Answer(200, [("ETag", f'"{made["etag"]}"'), ("x-goog-generation", made["generation"])], b"")

    def _without_bucket(self, answer: Answer, path: str) -> Answer:
        """Say of a bucket that is not there what Google says; the server tells of an error of its own."""
        if answer.status != 500 or super().forward("GET", f"/storage/v1/b{path}", {}, b"").status != 404:
            return answer
        said = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist.</Message></Error>"
        return Answer(404, [("Content-Type", "application/xml")], said)


def cut_while_away(asked: Request) -> Answer | None:
    """Ask the server; while it is away cut the connection, as it would itself."""
    try:
        return asked.forward()
    except (OSError, http.client.HTTPException):
        return None
