"""Connections to a Thrift server of HBase, and its errors as ours."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import happybase
from thriftpy2.thrift import TException

from tailrace.connectors.base import Report
from tailrace.connectors.hbase.layout import Layout
from tailrace.errors import ConfigError, DataError, TailraceError, TerminalError, TransientError, did_you_mean
from tailrace.options import Values

thrift: Any = import_module("Hbase_thrift")
"""What happybase has made of HBase's interface; it is there once happybase is loaded."""

_BAD = (
    "IllegalArgumentException",
    "DoNotRetryIOException",
    "KeyValue size too large",
    "Row length",
    "FailedSanityCheck",
)
_GONE = ("TableNotFoundException", "NoSuchColumnFamilyException", "TableNotEnabledException", "AccessDeniedException")


@dataclass(frozen=True, slots=True)
class Server:
    """Where the Thrift server is and how it is spoken to."""

    host: str
    port: int
    timeout_ms: int
    transport: str
    protocol: str

    @classmethod
    def of(cls, options: Values) -> Server:
        """Read the options."""
        host, port = options["thrift-address"]
        return cls(host, port, options["request-timeout"], options["thrift.transport"], options["thrift.protocol"])

    @property
    def shown(self) -> str:
        """The address, for messages."""
        return f"{self.host}:{self.port}"

    def connect(self) -> Any:
        """
        Connect.

        Raises:
            TransientError: nobody answers.
        """
        with self.reported():
            return happybase.Connection(
                self.host,
                self.port,
                timeout=self.timeout_ms,
                transport=self.transport,
                protocol=self.protocol,
            )

    @contextmanager
    def reported(self) -> Iterator[None]:
        """
        Turn errors of the client into ours.

        Raises:
            TransientError: it is away or busy for now.
            DataError: it refuses a row.
            TerminalError: a table or family is not there, or a right is missing.
        """
        try:
            yield
        except (TException, OSError, EOFError) as error:
            raise self._as_ours(error) from None

    def _as_ours(self, error: Exception) -> TailraceError:
        said = getattr(error, "message", None)
        text = (said.decode(errors="replace") if isinstance(said, bytes) else str(said or error)).strip()
        first = text.partition("\n")[0][:500]
        place = f"HBase at {self.shown}"
        if any(word in text for word in _GONE):
            return TerminalError(f"{place}: {first}", hint="make the table with its families, or give the right")
        if isinstance(error, thrift.IllegalArgument) or any(word in text for word in _BAD):
            return DataError(f"{place} refuses a row: {first}")
        return TransientError(f"{place} is away: {first or type(error).__name__}", hint="look at 'thrift-address'")


class Connections:
    """Connections that threads share, each used by one at a time; one that has failed is dropped."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()

    @contextmanager
    def one(self) -> Iterator[Any]:
        """
        Lend a connection.

        Raises:
            TransientError, DataError, TerminalError: as `Server.reported`.
        """
        try:
            connection = self._free.get_nowait()
        except queue.Empty:
            connection = self._server.connect()
        try:
            with self._server.reported():
                yield connection
        except DataError:
            self._free.put(connection)
            raise
        except BaseException:
            _close(connection)
            raise
        self._free.put(connection)

    def close(self) -> None:
        """Close those that nobody uses."""
        while not self._free.empty():
            _close(self._free.get_nowait())


def _close(connection: Any) -> None:
    with suppress(Exception):
        connection.close()


def look(server: Server, connection: Any, layout: Layout) -> None:
    """
    Make sure that the table is there, with all families.

    Raises:
        ConfigError: it is not.
    """
    tables = [t.decode() for t in connection.tables()]
    if layout.table not in tables:
        hint = did_you_mean(layout.table, tables) or "create it, or set 'tailrace.create-table' = 'true'"
        raise ConfigError(f"HBase at {server.shown} has no table '{layout.table}'", hint=hint)
    families = [f.decode().rstrip(":") for f in connection.table(layout.table).families()]
    for family in layout.families:
        if family not in families:
            hint = did_you_mean(family, families) or f"it has: {', '.join(families)}"
            raise ConfigError(f"HBase table '{layout.table}' has no family '{family}'", hint=hint)


def create(connection: Any, layout: Layout) -> None:
    """Make the table if it is missing."""
    if layout.table.encode() not in connection.tables():
        with suppress(thrift.AlreadyExists):
            connection.create_table(layout.table, {family: {} for family in layout.families})


def check(server: Server, layout: Layout, *, created: bool) -> Report:
    """Reach a table; with `created` it may be missing."""
    connections = Connections(server)
    try:
        with connections.one() as connection:
            missing = created and layout.table.encode() not in connection.tables()
            if not missing:
                look(server, connection, layout)
    except TailraceError as error:
        return Report.failed(error)
    finally:
        connections.close()
    return Report(True, f"table '{layout.table}' at {server.shown}{' (it will be made)' if missing else ''}")
