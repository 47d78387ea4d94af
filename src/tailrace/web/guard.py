"""
Who is let in: the host that was asked for, the page that asks, and the token.

Against other pages in the same browser (a name that is made to point here, a form on another page) and other machines.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailrace.web.address import LOCAL, Address
from tailrace.web.gate import Gate

OPEN = frozenset({"/health/live", "/health/ready", "/login", "/login.js", "/app.css", "/favicon.svg", "/api/session"})
"""What is answered without a token: probes (without reasons then), and what is needed to show one."""

SAFE = frozenset({"GET", "HEAD"})
HEADERS = {
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
}
MOST_HEADERS = 16_384
"""The headers of a request may have so many bytes."""


class Guard:
    """Wraps an application: refuses what must not come in, and puts the headers that browsers obey on all answers."""

    def __init__(self, app: ASGIApp, where: Address, gate: Gate) -> None:
        self._app = app
        self._hosts = {*LOCAL, where.host}
        self._any_host = not where.local and gate.locked
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no websockets here
            await send({"type": "websocket.close", "code": 1008})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        scope["tailrace.known"] = self._gate.knows(headers)
        refused = self._refusal(scope, headers)
        await (refused or self._app)(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if sum(len(name) + len(value) for name, value in headers.raw) > MOST_HEADERS:
            return _error(431, "the headers are too long")
        if not self._any_host and _host(headers.get("host", "")) not in self._hosts:
            return _error(421, "this host is not served here")
        if scope["method"] not in SAFE and not _own_page(headers):
            return _error(403, "only pages of this server may do that")
        if not scope["tailrace.known"] and scope["path"] not in OPEN:
            if scope["path"] == "/" and "text/html" in headers.get("accept", ""):
                return RedirectResponse("/login", 303)
            return _error(401, "show the token: header 'Authorization: Bearer …', or sign in at /login")
        return None


def _error(status: int, message: str) -> JSONResponse:
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": message}, status, headers)


def _host(header: str) -> str:
    """
    Give the host of a Host header, without its port.

    >>> _host("localhost:80"), _host("[::1]:80"), _host("evil.example")
    ('localhost', '::1', 'evil.example')
    """
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _own_page(headers: Headers) -> bool:
    """Tell whether a request that changes something comes from a page of this server, or from no page at all."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return False
    return headers.get("content-type", "").partition(";")[0] == "application/json"
