"""Connections to Redis, and its errors as ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import redis
from redis import exceptions as errors
from redis.backoff import NoBackoff
from redis.retry import Retry

from tailrace.connectors.base import Report
from tailrace.errors import ConfigError, Location, TailraceError, TerminalError, TransientError
from tailrace.options import Values

_PASSING = (
    errors.ConnectionError,
    errors.TimeoutError,
    errors.BusyLoadingError,
    errors.TryAgainError,
    errors.ClusterDownError,
    errors.MasterDownError,
    errors.ReadOnlyError,
    errors.OutOfMemoryError,
)
_RIGHTS = (errors.AuthenticationError, errors.AuthenticationWrongNumberOfArgsError, errors.NoPermissionError)
_SCHEMES = ("redis", "rediss", "unix")


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is and how it is spoken to; `shown` is its address without secrets."""

    url: str = field(repr=False)
    shown: str
    timeout: float
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, options: Values) -> Server:
        """
        Read the options.

        Raises:
            ConfigError: the URL is none.
        """
        url, at = options["url"], options.location("url")
        login = (options["username"], options["password"])
        return cls.at(url, at, "url", options["timeout"], login, options["ssl.ca-location"])

    @classmethod
    def at(
        cls,
        url: str,
        location: Location | None,
        option: str,
        milliseconds: int,
        login: tuple[str | None, str | None],
        authorities: str | None = None,
    ) -> Server:
        """
        Give the server at an address, which `option` has.

        Raises:
            ConfigError: the URL is none.
        """
        shown = _shown(url, location, option)
        given = {"username": login[0], "password": login[1], "ssl_ca_certs": authorities or None}
        arguments = {k: v for k, v in given.items() if v is not None}
        server = cls(url, shown, milliseconds / 1000, arguments)
        try:
            server.client().close()
        except (ValueError, TypeError) as error:
            raise ConfigError(f"'{option}' can't be read: {error}", location=location) from None
        return server

    def client(self) -> redis.Redis:
        """Make a client; it connects with the first command."""
        return redis.Redis.from_url(self.url, **self._arguments())

    def _arguments(self) -> dict[str, Any]:
        limits = {"socket_timeout": self.timeout, "socket_connect_timeout": self.timeout}
        # what fails is tried again by the runtime, with pauses and a limit
        return {**self.arguments, **limits, "retry": Retry(NoBackoff(), 0), "health_check_interval": 0}


def _shown(url: str, at: Location | None, option: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        hint = "write it as redis://localhost:6379/0"
        raise ConfigError(f"'{option}' is no address of a Redis server", hint=hint, location=at)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextmanager
def reported(server: Server) -> Iterator[None]:
    """
    Turn errors of Redis into ours.

    Raises:
        TransientError: it is away or busy for now.
        TerminalError: the login or a right is missing, or a command is refused.
    """
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise as_ours(error, server) from None


def as_ours(error: Exception, server: Server) -> TailraceError:
    """Give an error of Redis as ours."""
    if isinstance(error, _RIGHTS) or "invalid username-password" in str(error):
        hint = "set 'username' and 'password', or give the user the right"
        return TerminalError(f"Redis at {server.shown} refuses the login or a command: {error}", hint=hint)
    if isinstance(error, (*_PASSING, OSError)):
        return TransientError(f"Redis at {server.shown} is away: {error}", hint="look at the address and the server")
    return TerminalError(f"Redis at {server.shown}: {error}")


def is_passing(error: Exception) -> bool:
    """Tell whether a command may be sent again later."""
    return isinstance(error, _PASSING)


def check_server(server: Server, what: str) -> Report:
    """Reach a server, and say its version."""
    client = server.client()
    try:
        with reported(server):
            version = client.info("server").get("redis_version", "of an unknown version")
    except TailraceError as error:
        return Report.failed(error)
    finally:
        client.close()
    return Report(True, f"{what} at {server.shown}, Redis {version}")
