"""A stub of the HTTP API of Azure's schema registry, as its reference says it: nobody but Azure runs the real one."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class AzureStub(BaseHTTPRequestHandler):
    """The requests of the API 2022-10 that are used, with the statuses and headers that its reference gives them."""

    schemas: dict[str, str] = {}  # noqa: RUF012  of one server
    names: dict[str, list[str]] = {}  # noqa: RUF012  of one server
    status = 0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as the base class names it
        pass

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        name, _, version = path.removeprefix("/$schemaGroups/shop/schemas/").partition("/versions")
        if name == path:
            number = path.removeprefix("/$schemaGroups/$schemas/")
        elif not version:
            return self._pages(name)
        else:
            number = self.names[name][int(version[1:]) - 1]
        return self._answer(200 if number in self.schemas else 404, number, self.schemas.get(number, ""))

    def _pages(self, name: str) -> None:
        """Give the numbers of versions, one a page."""
        found = self.names.get(name, [])
        at = int(dict(parse_qsl(urlsplit(self.path).query)).get("from", "1"))
        page: dict[str, Any] = {"Value": [at]}
        if at < len(found):
            link = f"/$schemaGroups/shop/schemas/{name}/versions?from={at + 1}&api-version=2022-10"
            page["NextLink"] = f"http://elsewhere.test{link}"
        self._answer(200 if found else 404, "", json.dumps(page))

    def do_POST(self) -> None:
        name, _, action = urlsplit(self.path).path.removeprefix("/$schemaGroups/shop/schemas/").partition(":")
        assert action == "get-id"
        text = self._body()
        found = next((n for n in self.names.get(name, []) if self.schemas[n] == text), "")
        self._answer(204 if found else 404, found)

    def do_PUT(self) -> None:
        path = urlsplit(self.path).path
        if not path.startswith("/$schemaGroups/shop/schemas/"):
            self._answer(404, "")
            return
        text, number = self._body(), uuid.uuid4().hex
        self.schemas[number] = text
        self.names.setdefault(path.rpartition("/")[2], []).append(number)
        self._answer(204, number)

    def _body(self) -> str:
        return self.rfile.read(int(self.headers["Content-Length"])).decode()

    def _answer(self, status: int, number: str, text: str = "") -> None:
        right = self.headers["Authorization"] == "Bearer right" and "api-version=2022-10" in urlsplit(
            self.path
        ).query.split("&")
        self.send_response(type(self).status or (status if right else 401))
        self.send_header("Schema-Id", number)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Run a registry without schemas; give the options that lead to it."""
    handler = type("Handler", (AzureStub,), {"schemas": {}, "names": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {"url": f"http://127.0.0.1:{server.server_port}", "schema.group": "shop", "bearer-auth.token": "right"}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
