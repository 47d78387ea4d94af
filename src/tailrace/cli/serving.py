"""The server of `--listen` and `--ui`, for as long as a script runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from tailrace.cli.jobs import stopped_by_signals
from tailrace.errors import ConfigError
from tailrace.web.address import address, is_free
from tailrace.web.jobs import Watched
from tailrace.web.opening import server

UI = "9280"
"""Where the dashboard is if no address is named; another port if this one is taken."""

_log = structlog.get_logger("tailrace.cli")


@dataclass(frozen=True, slots=True)
class Served:
    """What is served while a job runs: where, and whether its dashboard may change what the job has written."""

    listen: str
    actions: bool = False
    ui: bool = False


def served_at(listen: str | None, ui: str | None, *, actions: bool) -> Served | None:
    """
    Say what is to be served, from the options of a command.

    Raises:
        ConfigError: they do not fit each other.
    """
    if listen is not None and ui is not None:
        raise ConfigError(
            "there is one server, and two addresses for it", hint="give one of --listen and --ui; it serves both"
        )
    where = ui if listen is None else listen
    if where is None:
        if actions:
            raise ConfigError("--allow-actions is for a dashboard, and there is none", hint="add --ui")
        return None
    return Served(where, actions, ui is not None)


@contextmanager
def served(watched: Watched, what: Served | None, told: Callable[[str], None] | None = None) -> Iterator[None]:
    """
    Serve what is seen of a job meanwhile, if that is asked for; `told` is given the address of the dashboard.

    Raises:
        ConfigError: as `server`.
    """
    if what is None:
        yield
        return
    where = _free_if_taken(what.listen) if what.ui else what.listen
    with server(where, lambda: [watched], actions=what.actions) as opened:
        if told is not None:
            told(opened.url)
        else:
            _log.info("dashboard" if what.ui else "listening", url=opened.url)
        yield


def show_others(addresses: Sequence[str], listen: str, *, actions: bool) -> None:
    """
    Show the jobs of other servers on one page, until Ctrl-C.

    Raises:
        ConfigError: as `server`.
    """
    over = threading.Event()
    with (
        server(_free_if_taken(listen), list, actions=actions, others=addresses) as opened,
        stopped_by_signals(_Stop(over)),
    ):
        _log.info("dashboard", url=opened.url)
        while not over.wait(0.25):  # in pieces, so that a signal is heard
            pass


@dataclass(frozen=True, slots=True)
class _Stop:
    over: threading.Event

    def stop(self) -> None:
        """End it."""
        self.over.set()


def _free_if_taken(listen: str) -> str:
    """Give any free port if nobody asked for a certain one, and the usual one is taken."""
    if listen != UI:
        return listen
    return listen if is_free(address(listen)) else "0"


def with_default(arguments: Sequence[str]) -> list[str]:
    """
    Give `--ui` its usual address where none follows.

    >>> with_default(["run", "--ui", "job.sql"])
    ['run', '--ui', '9280', 'job.sql']
    >>> with_default(["run", "--ui", "8080", "job.sql"]), with_default(["run", "--ui=8080"])
    (['run', '--ui', '8080', 'job.sql'], ['run', '--ui=8080'])
    """
    found: list[str] = []
    for place, argument in enumerate(arguments):
        found.append(argument)
        if argument == "--ui" and not _is_address(arguments[place + 1 : place + 2]):
            found.append(UI)
    return found


def _is_address(arguments: Sequence[str]) -> bool:
    try:
        return bool(arguments) and address(arguments[0]) is not None
    except ConfigError:
        return False
