"""The files that browsers get: our own, and the library for charts from its installed package."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tailrace.web.pages import PAGES

CHARTS = ("chartkick", "django/static/chartkick/Chart.bundle.js")
"""The package that brings Chart.js, and where in it."""

_TYPES = {
    "css": "text/css",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_TOP = ("app.css", "favicon.svg", "login.js")
"""Files with a short address: what the page that asks for the token needs."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, and its compressed form."""

    body: bytes
    packed: bytes
    media_type: str

    def __call__(self, request: Request) -> Response:
        """Send it."""
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                self.packed, media_type=self.media_type, headers={"content-encoding": "gzip", "vary": "accept-encoding"}
            )
        return Response(self.body, media_type=self.media_type, headers={"vary": "accept-encoding"})


def _asset(name: str, body: bytes) -> Asset:
    return Asset(body, gzip.compress(body, 6, mtime=0), _TYPES[name.rpartition(".")[2]])


def asset_routes() -> list[Route]:
    """Give a route for each file: there is no path to be put together, and so none to break out of."""
    found = _assets()
    routes = [Route(f"/static/{name}", asset.__call__, name=name) for name, asset in found.items()]
    routes += [Route(f"/{name}", found[name].__call__, name=f"/{name}") for name in _TOP]
    routes.append(Route("/", found["index.html"].__call__, name="/"))
    routes.append(Route("/login", found["login.html"].__call__, name="/login"))
    return routes


@cache
def _assets() -> dict[str, Asset]:
    package, path = CHARTS
    found = {name: _asset(name, file.read_bytes()) for name, file in _walk(files("tailrace.web") / "static", "")}
    found["charts.js"] = _asset("charts.js", (files(package) / path).read_bytes())
    missing = [p.name for p in PAGES if f"pages/{p.name}.js" not in found]
    assert not missing, f"pages without a module: {missing}"
    return found


def _walk(folder: Traversable, before: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _walk(entry, f"{before}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            yield before + entry.name, entry
