"""A server as a table names it: requests to it, answers within limits, and what their status means."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from tailrace.connectors.http import reach
from tailrace.connectors.http.signing import Signer
from tailrace.errors import ConfigError, DataError, TailraceError, TerminalError, TransientError
from tailrace.options import Values

_LATER = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 508, 520, 521, 522, 523, 524})
_RIGHTS = frozenset({401, 403, 407})
_NOWHERE = frozenset({404, 405, 410, 501, 505})
_LONGEST_PAUSE = 3600.0
TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go and how; `shown` is the address without what may be secret."""

    url: str = field(repr=False)
    shown: str
    method: str
    headers: Mapping[str, str] = field(repr=False)
    seconds: float = 10.0
    largest: int = 16 << 20
    signer: Signer | None = None
    guarded: bool = True
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    @classmethod
    def of(cls, options: Values, method: str) -> Endpoint:
        """
        Read the options; `method` is what is used if they name none.

        Raises:
            ConfigError: the URL is none, or not of the web.
        """
        at = options.location("url")
        url = options["url"] or ""
        shown = shown_url(url)
        if not shown:
            hint = "write it as https://host/path"
            raise ConfigError("'url' is no address of a web server", hint=hint, location=at)
        parts = urlsplit(url)
        if "{" in parts.netloc:
            raise ConfigError("'url' has a column in its host: only path and query may depend on rows", location=at)
        headers = options.family("header")
        for name, value in headers.items():
            if not name or not name.isascii() or any(c in name + value for c in "\r\n\0"):
                raise ConfigError(f"'header.{name}' is no header", location=at)
        return cls(
            url,
            shown,
            options["method"] or method,
            headers,
            options["timeout"] / 1000,
            options["max-response-size"],
            Signer.of(options),
            not options["allow-link-local"],
            reach.tls(options["ssl.ca-location"]),
        )

    def client(self) -> httpx.Client:
        """Make a client for threads."""
        return reach.client(self.context, self.seconds, guarded=self.guarded)

    def async_client(self) -> httpx.AsyncClient:
        """Make a client for an event loop."""
        return reach.async_client(self.context, self.seconds, guarded=self.guarded)

    def reach(self, client: httpx.Client) -> None:
        """
        Make sure that somebody answers, whatever the answer is.

        Raises:
            TransientError: nobody does in time.
            TerminalError: the address is not one to reach.
        """
        try:
            client.request("OPTIONS", self.url, **self.request(None, {}))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.failed(error) from None

    def request(self, body: bytes | None, more: Mapping[str, str]) -> dict[str, Any]:
        """Give what a client needs for a request beside its method and URL."""
        headers = {**more, **self.headers}
        if self.signer is not None:
            headers |= self.signer.headers(body or b"", time.time())
        return {"content": body, "headers": headers}

    def ask(self, client: httpx.Client, url: str, body: bytes | None, more: Mapping[str, str]) -> Answer:
        """
        Send a request and give the answer, whatever its status.

        Raises:
            TransientError: there is none in time.
            TerminalError: it is too large, or the address is not one to reach.
        """
        deadline = time.monotonic() + self.seconds
        try:
            with client.stream(self.method, url, **self.request(body, more)) as answer:
                taken = bytearray()
                for piece in answer.iter_bytes():
                    self._grow(taken, piece, deadline)
                return Answer(answer.status_code, answer.headers, bytes(taken))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.failed(error) from None

    async def ask_async(
        self, client: httpx.AsyncClient, url: str, body: bytes | None, more: Mapping[str, str]
    ) -> Answer:
        """Do the same on an event loop."""
        deadline = time.monotonic() + self.seconds
        try:
            async with client.stream(self.method, url, **self.request(body, more)) as answer:
                taken = bytearray()
                async for piece in answer.aiter_bytes():
                    self._grow(taken, piece, deadline)
                return Answer(answer.status_code, answer.headers, bytes(taken))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.failed(error) from None

    def _grow(self, taken: bytearray, piece: bytes, deadline: float) -> None:
        taken += piece
        if len(taken) > self.largest:
            hint = "ask for less at a time, or raise 'max-response-size'"
            raise TerminalError(f"{self.shown} answers with more than {self.largest} bytes", hint=hint)
        if time.monotonic() > deadline:
            raise TransientError(f"{self.shown} has not answered in full within {self.seconds:g} s")

    def failed(self, error: Exception) -> TailraceError:
        """Give an error of the client as ours."""
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return TerminalError(f"{self.shown} can't be asked: the URL is not valid", hint="mend 'url'")
        what = str(error).partition("\n")[0][:200] or type(error).__name__
        return TransientError(f"{self.shown} does not answer: {what}", hint="look at 'url', and at the server")

    def refused(self, answer: Answer) -> TailraceError | None:
        """
        Say what the status of an answer means; None if all is well.

        A DataError is about what was sent. The body of the answer is not shown: it may be anything.
        """
        status, message = answer.status, f"{self.shown} answers with status {answer.status}"
        if 200 <= status < 300:
            return None
        if status in _LATER or status > 599:
            error = TransientError(message)
            error.after = pause_of(answer.headers.get("retry-after", ""), datetime.now(UTC))
            return error
        if 300 <= status < 400:
            return TerminalError(f"{message}, and redirects are not followed", hint="write where it leads to as 'url'")
        if status in _RIGHTS:
            return TerminalError(message, hint="look at 'header.Authorization', 'hmac.secret' and what they allow")
        if status in _NOWHERE:
            return TerminalError(message, hint="look at 'url' and 'method'")
        return DataError(message)


def shown_url(url: str) -> str:
    """
    Give an address without user, password and query, which may be secret; empty if it is none of the web.

    >>> shown_url("https://user:pass@host:8443/a?token=x"), shown_url("file:///etc/passwd")
    ('https://host:8443/a', '')
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path}"


def pause_of(text: str, now: datetime) -> float:
    """
    Read the header Retry-After, in seconds; 0 if there is none to read.

    >>> pause_of("7", datetime.now(UTC)), pause_of("soon", datetime.now(UTC))
    (7.0, 0.0)
    """
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, min((moment - now).total_seconds(), _LONGEST_PAUSE))
