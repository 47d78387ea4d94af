"""Sessions of Cassandra, what a table there looks like, and its errors as ours."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

import cassandra
from cassandra import cluster as driver
from cassandra.auth import PlainTextAuthProvider
from cassandra.policies import (
    ConstantReconnectionPolicy,
    DCAwareRoundRobinPolicy,
    FallthroughRetryPolicy,
    TokenAwarePolicy,
)
from cassandra.query import tuple_factory

from tailrace.connectors.base import Report
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError, did_you_mean
from tailrace.options import Values
from tailrace.schema import Schema

_REFUSED = (cassandra.InvalidRequest,)
_RIGHTS = (cassandra.AuthenticationFailed, cassandra.Unauthorized)
RECONNECT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """A table of a cluster, and how it is spoken to."""

    points: tuple[tuple[str, int], ...]
    keyspace: str
    table: str
    data_center: str
    consistency: str
    timeout: float
    login: tuple[str, str] | None = field(default=None, repr=False)
    tls: bool = False
    certificates: str | None = None

    @classmethod
    def of(cls, options: Values, table: str) -> Place:
        """
        Read the options.

        Raises:
            ConfigError: the login is not whole.
        """
        user, password = options["username"], options["password"]
        if (user is None) != (password is None):
            missing = "password" if password is None else "username"
            raise ConfigError(f"a login needs the option '{missing}' too", location=options.location("username"))
        return cls(
            options["contact-points"],
            options["keyspace"],
            options["table-name"] or table,
            options["local-data-center"],
            options["consistency"],
            options["request-timeout"] / 1000,
            None if user is None else (user, password),
            options["ssl.enabled"] or options["ssl.ca-location"] is not None,
            options["ssl.ca-location"],
        )

    @property
    def shown(self) -> str:
        """The hosts, for messages."""
        return ", ".join(f"{host}:{port}" for host, port in self.points)

    @property
    def name(self) -> str:
        """The name of the table in statements."""
        return f"{quote(self.keyspace)}.{quote(self.table)}"

    def connect(self) -> driver.Session:
        """
        Connect.

        Raises:
            TransientError: no host answers.
            TerminalError: the login is refused.
        """
        made = self._cluster()
        try:
            return made.connect()
        except Exception as error:  # noqa: BLE001  the driver raises of many kinds
            made.shutdown()
            raise self.as_ours(error) from None

    def _cluster(self) -> driver.Cluster:
        balancing = TokenAwarePolicy(DCAwareRoundRobinPolicy(self.data_center))
        profile = driver.ExecutionProfile(
            load_balancing_policy=balancing,
            retry_policy=FallthroughRetryPolicy(),  # the runtime tries again, with pauses and a limit
            consistency_level=getattr(cassandra.ConsistencyLevel, self.consistency),
            request_timeout=self.timeout,
            row_factory=tuple_factory,
        )
        return driver.Cluster(
            [driver.DefaultEndPoint(host, port) for host, port in self.points],
            auth_provider=PlainTextAuthProvider(*self.login) if self.login else None,
            ssl_context=ssl.create_default_context(cafile=self.certificates) if self.tls else None,
            execution_profiles={driver.EXEC_PROFILE_DEFAULT: profile},
            reconnection_policy=ConstantReconnectionPolicy(RECONNECT_SECONDS, max_attempts=None),
            connect_timeout=self.timeout,
            control_connection_timeout=self.timeout,
            idle_heartbeat_interval=max(1, int(self.timeout)),
            idle_heartbeat_timeout=max(1, int(self.timeout)),
        )

    def as_ours(self, error: Exception) -> TailraceError:
        """Give an error of the driver as ours."""
        if isinstance(error, TailraceError):
            return error
        place = f"Cassandra at {self.shown}"
        causes = [error, *(error.errors.values() if isinstance(error, driver.NoHostAvailable) else ())]
        if any(isinstance(c, _RIGHTS) for c in causes):
            hint = "set 'username' and 'password', or give the user the right"
            return TerminalError(f"{place} refuses the login or a statement", hint=hint)
        if isinstance(error, (*_REFUSED, cassandra.protocol.SyntaxException)):
            return TerminalError(f"{place}: {_text(error)}")
        return TransientError(f"{place} is away: {_text(causes[-1])}", hint="look at 'contact-points' and the server")


def _text(error: Exception) -> str:
    return str(getattr(error, "message", "") or error) or type(error).__name__


def quote(name: str) -> str:
    """
    Write a name so that it is one, whatever is in it.

    >>> print(quote('a"B'))
    "a""B"
    """
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Found:
    """What a table there has: its columns, the columns of its partition key, and all of its primary key."""

    columns: tuple[str, ...]
    partition: tuple[str, ...]
    primary: tuple[str, ...]


def look(session: driver.Session, place: Place, schema: Schema) -> Found:
    """
    Look at a table.

    Raises:
        ConfigError: it is not there, or lacks a column.
    """
    keyspaces: dict[str, Any] = session.cluster.metadata.keyspaces
    if place.keyspace not in keyspaces:
        hint = did_you_mean(place.keyspace, keyspaces) or "create it first"
        raise ConfigError(f"Cassandra at {place.shown} has no keyspace '{place.keyspace}'", hint=hint)
    tables: dict[str, Any] = keyspaces[place.keyspace].tables
    if place.table not in tables:
        hint = did_you_mean(place.table, tables) or "create it, or set 'tailrace.create-table' = 'true'"
        raise ConfigError(f"keyspace '{place.keyspace}' at {place.shown} has no table '{place.table}'", hint=hint)
    table = tables[place.table]
    for name in schema.names:
        if name not in table.columns:
            hint = did_you_mean(name, table.columns) or f"it has: {', '.join(table.columns)}"
            raise ConfigError(f"table '{place.table}' of keyspace '{place.keyspace}' has no column '{name}'", hint=hint)
    keys = (tuple(c.name for c in part) for part in (table.partition_key, table.primary_key))
    return Found(tuple(table.columns), *keys)


def check(place: Place, schema: Schema, *, created: bool, then: Any = None) -> Report:
    """Reach a table; `then` looks further at what was found. With `created` it may be missing."""
    try:
        session = place.connect()
        try:
            missing = created and place.table not in _tables(session, place)
            if not missing:
                found = look(session, place, schema)
                if then is not None:
                    then(found)
            version = session.execute("SELECT release_version FROM system.local").one()[0]
        finally:
            session.cluster.shutdown()
    except TailraceError as error:
        return Report.failed(error)
    except Exception as error:  # noqa: BLE001  the driver raises of many kinds
        return Report.failed(place.as_ours(error))
    more = " (it will be made)" if missing else ""
    return Report(True, f"table '{place.keyspace}.{place.table}' at {place.shown}, Cassandra {version}{more}")


def _tables(session: driver.Session, place: Place) -> dict[str, Any]:
    keyspace = session.cluster.metadata.keyspaces.get(place.keyspace)
    return keyspace.tables if keyspace is not None else {place.table: None}
