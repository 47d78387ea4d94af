"""What a suite has to know of a system: hooks that the test of a connector gives, and tests that need them."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

NOWHERE = "127.0.0.1:1"
"""An address at which nobody listens."""

F = TypeVar("F", bound=Callable[..., Any])


def hook(function: F) -> F:
    """Mark a hook that a system may lack: tests that need it are then not collected."""
    function.__dict__["lacking"] = True
    return function


def needs(*names: str) -> Callable[[F], F]:
    """Mark a test that needs hooks, or properties of the system that are true."""

    def mark(function: F) -> F:
        function.__dict__["needs"] = names
        return function

    return mark


class System:
    """
    A system as its test describes it; the base of the suites.

    The hooks without a default must be given. Of the others a test gives those that the system has; a test that needs
    one that is missing is not collected, and is named by `omitted`, so that nothing passes in silence.

    `columns` gives the SQL type of each column, `key` the primary key (empty: none). Rows are dictionaries of Python values as
    Polars gives them: `datetime` (with UTC for TIMESTAMP_LTZ), `Decimal`, `bytes`; a MAP is a dictionary.
    """

    connector: ClassVar[str] = ""
    """The name of the connector."""
    title: ClassVar[str] = ""
    """The name of the system, for the table of results."""
    part: ClassVar[str] = ""
    """What of the system it is, where suites of one system differ by that: `scan`, `change feed`."""
    stand_in: ClassVar[str] = ""
    """What it is tested on, if that is not the system itself."""
    refused_types: ClassVar[tuple[str, ...]] = ()
    """Which of `values.TYPES` are refused when the script is bound or checked, as the connector's page says."""
    other_values: ClassVar[Mapping[str, Sequence[Any]]] = {}
    """Values of types that the system can't carry in full, instead of those of `values.TYPES`."""
    keyed: ClassVar[bool] = False
    """Whether each table needs a PRIMARY KEY."""
    remote: ClassVar[bool] = False
    """Whether it is reached at an address, so that `at` of `options` leads elsewhere."""
    recording: ClassVar[bool] = "TAILRACE_CONFORMANCE" in os.environ
    """Whether speed is measured, and results are kept."""
    many: ClassVar[int] = 20_000
    """How many rows a large run has."""
    timed: ClassVar[int] = 0
    """How many rows speed is measured with, enough for a second or so; 0: five times as many as a large run has."""

    needing: ClassVar[dict[str, Any]] = {}
    """The tests of the class itself that need something."""

    @property
    def timed_rows(self) -> int:
        """How many rows speed is measured with."""
        return self.timed or 5 * self.many

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        """Give the options of a table, with `connector`; `at` is another address (host:port) to reach the system by."""
        raise NotImplementedError

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        """Make the table (topic, queue, index) on the system, if it does not make itself."""

    @hook
    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows by the system's plain client."""
        raise NotImplementedError

    @hook
    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        """Give all rows that stand in a table, by the system's plain client; sees what was written before."""
        raise NotImplementedError

    @hook
    def address(self) -> str:
        """Give where the server listens, as host:port; clients reach it through any other address in front of it."""
        raise NotImplementedError

    def settle(self) -> None:
        """Wait until tables that were made, and rows that were put, outlast a kill of the server, if they do not at once."""

    @hook
    def kill(self) -> None:
        """Kill the server (by SIGKILL, where it keeps what it has confirmed)."""
        raise NotImplementedError

    @hook
    def start(self) -> None:
        """Start the server again, at the same address and with its data; returns when it answers."""
        raise NotImplementedError

    @hook
    def wrong_login(self, table: str) -> dict[str, str]:
        """Give the options of a table with a login that the server refuses, and no secret but `wrong-secret` in them."""
        raise NotImplementedError

    @hook
    def missing(self, table: str) -> dict[str, str]:
        """Give the options of a table that is not there, where that is an error."""
        raise NotImplementedError

    @hook
    def version(self) -> str:
        """Give the version of the server."""
        raise NotImplementedError

    @classmethod
    def has(cls, name: str) -> bool:
        """Tell whether the system has a hook, or a property that is true."""
        found = getattr(cls, name, None)
        return not getattr(found, "lacking", False) if callable(found) else bool(found)

    @classmethod
    def omitted(cls) -> list[str]:
        """Name the tests that are not collected, as the system lacks what they need."""
        return sorted(name for name in _tests(cls) if cls.__dict__.get(name, ...) is None)

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        cls.needing = {n: f for n, f in cls.__dict__.items() if hasattr(f, "needs")}
        for name, function in _tests(cls).items():
            lacks = not all(map(cls.has, function.__dict__["needs"]))
            setattr(cls, name, None if lacks else function)

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key of tables whose rows are only added."""
        return ("id",) if self.keyed else ()

    def new_table(self, columns: Mapping[str, str], key: Sequence[str] | None = None) -> str:
        """Make a table of a name that was never used."""
        name = f"t{uuid.uuid4().hex[:10]}"
        self.make(name, columns, self.key if key is None else key)
        return name

    def types(self, values: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        """Give the types that it carries, with values."""
        return {t: self.other_values.get(t, v) for t, v in values.items() if t not in self.refused_types}


def _tests(cls: type) -> dict[str, Any]:
    """Give the tests that need something, as the most derived class that has them wrote them."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        found |= base.__dict__.get("needing", {})
    return found


def answers(address: str) -> bool:
    """Tell whether somebody listens at an address."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 1.0).close()
    except OSError:
        return False
    return True


def gone(address: str, seconds: float = 10.0) -> bool:
    """Tell whether nobody listens at an address any more; a process that was killed may need a moment."""
    end = time.monotonic() + seconds
    while answers(address):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def ddl(name: str, columns: Mapping[str, str], options: Mapping[str, str], key: Sequence[str] = ()) -> str:
    """
    Write CREATE TABLE.

    >>> print(ddl("t", {"id": "BIGINT"}, {"connector": "blackhole"}, ["id"]))
    CREATE TABLE `t` (`id` BIGINT, PRIMARY KEY (`id`) NOT ENFORCED) WITH ('connector' = 'blackhole');
    """
    declared = [f"`{n}` {t}" for n, t in columns.items()]
    if key:
        declared.append(f"PRIMARY KEY ({', '.join(f'`{n}`' for n in key)}) NOT ENFORCED")
    given = ", ".join(f"{_text(k)} = {_text(v)}" for k, v in options.items())
    return f"CREATE TABLE `{name}` ({', '.join(declared)}) WITH ({given});"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def patience() -> float:
    """Give how many seconds anything may take, on the slowest machine (`TAILRACE_PATIENCE`, 120)."""
    return float(os.environ.get("TAILRACE_PATIENCE", "120"))
