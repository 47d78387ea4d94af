"""The supervisor that reads a topic into a datasource: given to Druid, and watched while the job writes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from tailrace.connectors.druid.client import MissingError, Server
from tailrace.connectors.druid.spec import Datasource, Reading, differs, supervisor_spec
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError

_log = structlog.get_logger("tailrace.connectors.druid")
_PATH = "/druid/indexer/v1/supervisor"


@dataclass(frozen=True, slots=True)
class Health:
    """How a supervisor was when it was looked at: `unparseable` rows it could not read, `lag` rows wait in the topic."""

    state: str = "UNKNOWN"
    healthy: bool = True
    errors: tuple[str, ...] = ()
    lag: int = 0
    unparseable: int = 0

    @property
    def reason(self) -> str:
        """What it says of itself."""
        return self.errors[0] if self.errors else "it does not say why"


class Supervisor:
    """One supervisor; its name is that of the datasource."""

    def __init__(self, server: Server, datasource: Datasource, reading: Reading) -> None:
        self.server = server
        self.name = datasource.name
        self._reading = reading
        self._spec = supervisor_spec(datasource, reading)
        self._path = f"{_PATH}/{quote(datasource.name, safe='')}"

    def ensure(self, client: httpx.Client, *, submit: bool) -> None:
        """
        Give Druid the supervisor, if it has not one that is the same already; that would end its tasks.

        Raises:
            ConfigError: there is one that reads another topic, or none and none is to be made.
            TransientError, TerminalError: Druid is away, or refuses it.
        """
        there = self.find(client)
        if there is None and not submit:
            hint = "leave 'supervisor.submit' out, or give Druid the supervisor"
            raise ConfigError(f"Druid at {self.server.shown} has no supervisor '{self.name}'", hint=hint)
        changed = "all of it" if there is None else differs(self._spec, there)
        if changed and submit:
            self.server.post(client, _PATH, self._spec)
            _log.info("gave Druid the supervisor", supervisor=self.name, topic=self._reading.topic, changed=changed)

    def find(self, client: httpx.Client) -> Any | None:
        """
        Give the spec that Druid has; None if it has none.

        Raises:
            ConfigError: it reads another topic.
        """
        try:
            there = self.server.get(client, self._path)
        except MissingError:
            return None
        topic = there.get("spec", {}).get("ioConfig", {}).get("topic")
        if there.get("type") not in ("kafka", "NoopSupervisorSpec") or topic not in (None, self._reading.topic):
            read = f"topic '{topic}'" if topic else f"by '{there.get('type')}'"
            hint = "write to that topic, or to another datasource"
            raise ConfigError(f"the supervisor '{self.name}' reads {read} already", hint=hint)
        return there if topic else None  # one that was ended leaves a stone behind

    def health(self, client: httpx.Client) -> Health:
        """Ask how it is."""
        said = self.server.get(client, f"{self._path}/status")["payload"]
        stats = self.server.get(client, f"{self._path}/stats")
        errors = tuple(str(e.get("message", e)) for e in said.get("recentErrors") or ())
        state = str(said.get("detailedState") or said.get("state"))
        healthy = bool(said.get("healthy")) and not said.get("suspended")
        return Health(state, healthy, errors[::-1], int(said.get("aggregateLag") or 0), _unparseable(stats))


def _unparseable(stats: Any) -> int:
    """Add up, over groups and tasks, the rows that tasks could not parse."""
    tasks = [task for group in stats.values() for task in group.values()] if isinstance(stats, dict) else []
    totals = [t.get("totals", {}).get("buildSegments", {}) for t in tasks if isinstance(t, dict)]
    return sum(int(t.get("unparseable", 0)) for t in totals)


class Watch:
    """Looks after a supervisor on a thread of its own, and says what has changed."""

    def __init__(self, supervisor: Supervisor, seconds: float, *, fails: bool) -> None:
        self._supervisor = supervisor
        self._seconds = seconds
        self._fails = fails
        self._stopped = threading.Event()
        self._away = False
        self._thread = threading.Thread(target=self._run, name="tailrace-druid-watch", daemon=True)
        self.health = Health()

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def _run(self) -> None:
        with self._supervisor.server.client() as client:
            while not self._stopped.is_set():
                self.look(client)
                self._stopped.wait(self._seconds)

    def look(self, client: httpx.Client) -> None:
        """Look once. Where Druid is away rows wait in the topic, so that this is no error of the job."""
        try:
            found = self._supervisor.health(client)
        except TransientError as error:
            if not self._away:
                _log.warning(
                    "Druid is away: rows wait in the topic", supervisor=self._supervisor.name, why=error.message
                )
            self._away = True
        except TailraceError as error:
            self._note(Health("LOST", healthy=False, errors=(error.message,)))
        else:
            self._away = False
            self._note(found)

    def _note(self, found: Health) -> None:
        before, self.health = self.health, found
        name = self._supervisor.name
        if not found.healthy and (before.healthy or before.state != found.state):
            _log.error("Druid's supervisor ingests nothing", supervisor=name, state=found.state, why=found.reason)
        elif found.healthy and not before.healthy:
            _log.info("Druid's supervisor is well again", supervisor=name, state=found.state)
        if found.unparseable > before.unparseable:
            more = found.unparseable - before.unparseable
            _log.error("Druid could not parse rows of the topic", supervisor=name, rows=more)

    def heed(self) -> None:
        """
        End the job if it is to end with an unhealthy supervisor.

        Raises:
            TerminalError: it is unhealthy.
        """
        health = self.health
        if self._fails and not health.healthy:
            message = f"Druid's supervisor '{self._supervisor.name}' is {health.state}: {health.reason}"
            raise TerminalError(message, hint="mend it in Druid's console, or set 'supervisor.on-unhealthy' = 'warn'")

    @property
    def readings(self) -> Mapping[str, float]:
        """What is measured of it."""
        health = self.health
        return {
            "supervisor_healthy": float(health.healthy),
            "supervisor_lag": float(health.lag),
            "supervisor_unparseable": float(health.unparseable),
        }

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(1.0)  # a request that hangs ends by itself, and the thread with it
