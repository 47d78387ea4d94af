"""Requests to Druid's router: answers stay bytes, and errors become ours."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.options import Values

_LOGIN = (401, 403)
_LATER = (408, 425, 429)
_NEVER = (501, 505)
LARGEST = 64 << 20
"""An answer that is read whole may have so many bytes."""


class MissingError(TerminalError):
    """What was asked for is not there."""


class ExistsError(TerminalError):
    """What was to be made is there already."""


class _Said(msgspec.Struct):
    """What Druid says in an error: new and old field names, one of which is there."""

    errorMessage: str | None = None  # noqa: N815  Druid's
    errorCode: str | None = None  # noqa: N815
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """Where the router is and how it is spoken to; `shown` has no secrets."""

    url: str
    shown: str
    seconds: float
    login: tuple[str, str] | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)
    """By which the router's certificate is checked; None where it is not reached by TLS."""

    @classmethod
    def of(cls, options: Values) -> Server:
        """
        Read the options.

        Raises:
            ConfigError: the address or the login can't be.
        """
        url = options["url"].rstrip("/")
        parts = urlsplit(url)
        at = options.location("url")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("'url' is no address of a router", hint="write it as http://localhost:8888", location=at)
        if parts.username or parts.query:
            hint = "give 'username' and 'password'"
            raise ConfigError("'url' has a login or a query in it", hint=hint, location=at)
        return cls(url, parts.netloc, options["request-timeout"] / 1000, _login(options), _context(options))

    def client(self) -> httpx.Client:
        """Make a client; it connects with the first request."""
        auth = httpx.BasicAuth(*self.login) if self.login else None
        verify = self.context or False
        return httpx.Client(base_url=self.url, auth=auth, timeout=self.seconds, verify=verify, trust_env=False)

    def ask(self, client: httpx.Client, method: str, path: str, body: Any = None) -> bytes:
        """
        Send one request and give the answer.

        Raises:
            TransientError: Druid is away, or too busy.
            MissingError, ExistsError, TerminalError: it refuses.
        """
        with self.streamed(client, method, path, body) as answer:
            return read_whole(answer, self.shown)

    @contextmanager
    def streamed(self, client: httpx.Client, method: str, path: str, body: Any = None) -> Iterator[httpx.Response]:
        """
        Send one request and give its answer to read, piece by piece.

        Raises:
            TransientError, MissingError, ExistsError, TerminalError: as for `ask`, also while it is read.
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            with client.stream(method, path, content=content, headers=headers) as answer:
                if answer.status_code >= 300:
                    raise self.refused(answer.status_code, read_whole(answer, self.shown))
                yield answer
        except httpx.HTTPError as error:
            raise self.away(error) from None

    def away(self, error: httpx.HTTPError) -> TransientError:
        """Give an error of the connection as ours."""
        what = str(error).partition("\n")[0][:200] or type(error).__name__
        return TransientError(f"Druid at {self.shown} is away: {what}", hint="look at 'url' and the router")

    def refused(self, status: int, body: bytes) -> TailraceError:
        """Give what the status and body of an answer mean."""
        reason, code = _reason(body)
        place = f"Druid at {self.shown}"
        if status in _LOGIN:
            hint = "set 'username' and 'password', or give the user the right"
            return TerminalError(f"{place} refuses the login or the request (status {status})", hint=hint)
        if status in _LATER or (status >= 500 and status not in _NEVER):
            return TransientError(f"{place} can't for now: {reason} (status {status})")
        if status == 404:
            return MissingError(f"{place}: {reason} (status 404)")
        if code == "entryAlreadyExists":
            return ExistsError(f"{place}: {reason}")
        return TerminalError(f"{place}: {reason} (status {status})")

    def get(self, client: httpx.Client, path: str) -> Any:
        """Give an answer's JSON."""
        return self.decoded(self.ask(client, "GET", path))

    def post(self, client: httpx.Client, path: str, body: Any) -> Any:
        """Send JSON, and give the answer's."""
        return self.decoded(self.ask(client, "POST", path, body))

    def decoded(self, answer: bytes) -> Any:
        """
        Give JSON as Python values.

        Raises:
            TerminalError: it is none, so that something else answers there.
        """
        try:
            return msgspec.json.decode(answer)
        except msgspec.DecodeError:
            message = f"{self.shown} does not answer as Druid does"
            raise TerminalError(message, hint="'url' is to be that of Druid's router") from None

    def version(self, client: httpx.Client) -> str:
        """Give the version of the router."""
        found = self.get(client, "/status")
        if not isinstance(found, dict) or "version" not in found:
            raise TerminalError(f"{self.shown} is no Druid", hint="'url' is to be that of Druid's router")
        return str(found["version"])

    def sees_overlord(self, client: httpx.Client) -> None:
        """
        Make sure that the router hands requests on to the overlord.

        Raises:
            TransientError: there is no overlord.
            ConfigError: the router does not hand them on.
        """
        try:
            self.get(client, "/druid/indexer/v1/supervisor")
        except MissingError:
            hint = "set druid.router.managementProxy.enabled=true there, or give the overlord's address as 'url'"
            message = f"the router at {self.shown} does not hand requests on to the overlord"
            raise ConfigError(message, hint=hint) from None


def read_whole(answer: httpx.Response, shown: str) -> bytes:
    """
    Read an answer to its end.

    Raises:
        TerminalError: it is too large.
    """
    taken = bytearray()
    for piece in answer.iter_bytes():
        taken += piece
        if len(taken) > LARGEST:
            raise TerminalError(f"{shown} answers with more than {LARGEST} bytes")
    return bytes(taken)


def _reason(body: bytes) -> tuple[str, str]:
    """Give what Druid has said, and its code; a body that is no JSON as it is, cut."""
    try:
        said = msgspec.json.decode(body, type=_Said)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return body.decode(errors="replace").strip()[:300] or "it does not say why", ""
    return said.errorMessage or said.error or "it does not say why", said.errorCode or ""


def _login(options: Values) -> tuple[str, str] | None:
    user, password = options["username"], options["password"]
    if (user is None) != (password is None):
        given, missing = ("username", "password") if password is None else ("password", "username")
        raise ConfigError(f"a login needs the option '{missing}' too", location=options.location(given))
    return None if user is None else (user, password)


def _context(options: Values) -> ssl.SSLContext | None:
    if not options["url"].startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=options["ssl.ca-location"])
    except OSError as error:
        at = options.location("ssl.ca-location")
        raise ConfigError(f"'ssl.ca-location' can't be read: {error}", location=at) from None
