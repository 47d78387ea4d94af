"""Clients of an account, what its containers look like, and its errors as ours."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.documents import ConnectionPolicy
from azure.cosmos.exceptions import CosmosHttpResponseError

from tailrace.connectors.base import Report
from tailrace.connectors.event_loop import EventLoop
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.options import Values

T = TypeVar("T")
PASSING = (408, 410, 429, 449, 500, 502, 503, 504)
"""The states of a request that may be sent again."""
_FAILING_OVER = (3, 1008)
"""Reasons of state 403 that pass: another region has begun to write, or the account is just made."""
_LOGIN_HINT = "set 'key', 'connection-string', or give the identity a data role of the account"


@dataclass(frozen=True, slots=True)
class Place:
    """A container of an account, and how it is spoken to; `shown` has no secrets."""

    endpoint: str
    database: str
    container: str
    timeout: float
    paths: tuple[str, ...] = ()
    key: str | None = field(default=None, repr=False)
    arguments: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, options: Values, table: str) -> Place:
        """
        Read the options.

        Raises:
            ConfigError: the login is not whole, or there are two.
        """
        endpoint, key = _login(options)
        verify: Any = options["ssl.ca-location"] or options["ssl.verify"]
        seconds = options["request-timeout"] / 1000
        given: dict[str, Any] = {"connection_verify": verify, "connection_timeout": seconds, "read_timeout": seconds}
        given["enable_endpoint_discovery"] = options["endpoint-discovery"]
        if options["preferred-regions"]:
            given["preferred_locations"] = list(options["preferred-regions"])
        container = options["container"] or table
        return cls(endpoint, options["database"], container, seconds, options["partition-key"] or (), key, given)

    @property
    def shown(self) -> str:
        """The account, for messages."""
        return f"Cosmos DB at {urlsplit(self.endpoint).netloc}"

    @property
    def name(self) -> str:
        """The container, for messages."""
        return f"{self.database}/{self.container}"

    async def connect(self) -> Connection:
        """
        Connect; what fails is tried again by the runtime, not by the client.

        Raises:
            TransientError: the account is away.
            TerminalError: the login is refused.
            ConfigError: there is no such container, or it has another partition key.
        """
        identity = None if self.key else _identity()
        login: Any = self.key or identity
        connection = Connection(self, CosmosClient(self.endpoint, login, **self._policies()), identity)
        try:
            await self.asked(connection.client.__aenter__())
            await connection.look()
        except BaseException:
            await connection.close()
            raise
        return connection

    def _policies(self) -> dict[str, Any]:
        policy = ConnectionPolicy()
        policy.RetryOptions._max_retry_attempt_count = 0  # noqa: SLF001  its argument takes no 0
        retries = {f"retry_{name}": 0 for name in ("total", "connect", "read", "status")}
        return {**self.arguments, **retries, "connection_policy": policy}

    async def asked(self, work: Awaitable[T]) -> T:
        """
        Wait for a request.

        Raises:
            TailraceError: what went wrong.
        """
        try:
            return await work
        except (AzureError, OSError, TimeoutError) as error:
            raise self.as_ours(error) from None

    def as_ours(self, error: Exception) -> TailraceError:
        """Give an error of the client as ours."""
        if isinstance(error, TailraceError):
            return error
        status = getattr(error, "status_code", None)
        if isinstance(error, ClientAuthenticationError) or status in (401, 403):
            if getattr(error, "sub_status", None) in _FAILING_OVER:
                return TransientError(f"{self.shown} is failing over to another region")
            return TerminalError(f"{self.shown} refuses the login or the request ({status or 401})", hint=_LOGIN_HINT)
        if status == 404:
            hint = "create it first, or mend the options 'database' and 'container'"
            return ConfigError(f"{self.shown} has no container '{self.name}'", hint=hint)
        if isinstance(status, int) and status not in (0, *PASSING):
            return TerminalError(f"{self.shown}: {reason(error)} (status {status})")
        return self._passing(error, status)

    def _passing(self, error: Exception, status: int | None) -> TransientError:
        if status == 429:
            made = TransientError(f"{self.shown} throttles: the requests are above what the container is given")
            made.after = wait_of(error)
            return made
        what = f"can't answer (status {status})" if status else f"is away: {reason(error)}"
        return TransientError(f"{self.shown} {what}", hint="look at 'endpoint' and the account")


def wait_of(error: Exception) -> float:
    """Give the seconds that the service asks to wait, by `x-ms-retry-after-ms`."""
    headers = getattr(error, "headers", None) or {}
    try:
        return float(headers.get("x-ms-retry-after-ms", 0)) / 1000
    except ValueError:
        return 0.0


def reason(error: Exception) -> str:
    """Give what was said, on one line, without the ids of the request."""
    text = getattr(error, "http_error_message", None) or getattr(error, "message", None) or str(error)
    return str(text).strip().partition("\n")[0][:300] or type(error).__name__


def _login(options: Values) -> tuple[str, str | None]:
    """Give the endpoint and the key; without a key it is an identity that logs in."""
    endpoint, key, both = options["endpoint"], options["key"], options["connection-string"]
    if both is None:
        if endpoint is None:
            raise ConfigError("connector 'cosmosdb' needs 'endpoint' or 'connection-string'")
        return str(endpoint), key
    if endpoint is not None or key is not None:
        message = "'connection-string' is endpoint and key in one; give it alone"
        raise ConfigError(message, location=options.location("connection-string"))
    parts = dict(p.split("=", 1) for p in str(both).strip().rstrip(";").split(";") if "=" in p)
    if not parts.get("AccountEndpoint") or not parts.get("AccountKey"):
        hint = "it is AccountEndpoint=https://...;AccountKey=...;"
        message = "'connection-string' has no AccountEndpoint or no AccountKey"
        raise ConfigError(message, hint=hint, location=options.location("connection-string"))
    return parts["AccountEndpoint"], parts["AccountKey"]


def _identity() -> Any:
    try:
        return importlib.import_module("azure.identity.aio").DefaultAzureCredential()
    except ModuleNotFoundError as error:
        hint = "pip install 'tailrace[azure]', or give 'key' or 'connection-string'"
        raise ConfigError(f"a login without a key needs '{error.name}'", hint=hint) from None


class Connection:
    """A client that is connected, and what it found: the paths of the partition key, and whether items may expire."""

    def __init__(self, place: Place, client: CosmosClient, identity: Any) -> None:
        self.place = place
        self.client = client
        self._identity = identity
        self.container: ContainerProxy = client.get_database_client(place.database).get_container_client(
            place.container
        )
        self.paths: tuple[str, ...] = ()
        self.expires = False

    async def look(self) -> None:
        """Look at the container, and compare its partition key with that of the options."""
        found = await self.place.asked(self.container.read())
        self.paths = tuple((found.get("partitionKey") or {}).get("paths") or ("/id",))
        self.expires = found.get("defaultTtl") is not None
        wanted = self.place.paths
        if wanted and wanted != self.paths:
            message = (
                f"container '{self.place.name}' has the partition key {';'.join(self.paths)}, not {';'.join(wanted)}"
            )
            raise ConfigError(message, hint=f"set 'partition-key' = '{';'.join(self.paths)}', or leave it out")

    async def close(self) -> None:
        """Let go of it."""
        await self.client.close()
        if self._identity is not None:
            await self._identity.close()


def check(place: Place, then: Callable[[Connection], None]) -> Report:
    """Reach a container; `then` looks further at it."""

    async def reach() -> tuple[str, ...]:
        connection = await place.connect()
        try:
            then(connection)
            return connection.paths
        finally:
            await connection.close()

    loop = EventLoop("tailrace-cosmosdb-check")
    try:
        paths = loop.run(reach(), place.timeout * 2)
    except TailraceError as error:
        return Report.failed(error)
    except CosmosHttpResponseError as error:
        return Report.failed(place.as_ours(error))
    finally:
        loop.close()
    return Report(True, f"container '{place.name}' with partition key {';'.join(paths)}, {place.shown}")
