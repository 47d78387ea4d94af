"""Tasks of batch ingestion, by names that are the same in a replay, so that Druid itself refuses to do one twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from tailrace.connectors.druid.client import ExistsError, MissingError, Server
from tailrace.errors import TerminalError, TransientError

_PATH = "/druid/indexer/v1/task"
_LOOK_SECONDS = 0.5
_DONE = "COMPLETED"
SUCCESS, FAILED = "SUCCESS", "FAILED"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task stands: `status` as Druid names it, and what it says."""

    status: str
    reason: str = ""


class Tasks:
    """Gives Druid tasks, and waits for them."""

    def __init__(self, server: Server, *, seconds: float, attempts: int) -> None:
        self._server = server
        self._seconds = seconds
        self._attempts = attempts

    def run(self, client: httpx.Client, wanted: dict[str, Callable[[str], dict[str, Any]]]) -> None:
        """
        Have tasks done, those that are not yet: by name, each with what makes its spec of the name to give it.

        Raises:
            TransientError: Druid is away; what it was given goes on, and is asked for by the next call.
            TerminalError: a task has failed, or takes too long.
        """
        deadline = time.monotonic() + self._seconds
        running = {name: self._begun(client, name, spec) for name, spec in wanted.items()}
        while running:
            for name, (task, attempt) in list(running.items()):
                ended = self.status(client, task)
                if ended.status == SUCCESS:
                    del running[name]
                elif ended.status == FAILED:
                    running[name] = self._again(client, name, (task, attempt), ended, wanted[name])
            if running and time.monotonic() > deadline:
                tasks = ", ".join(task for task, _ in running.values())
                hint = "look at the tasks in Druid's console, or raise 'sink.task.timeout'"
                raise TerminalError(f"Druid at {self._server.shown} has not done in time: {tasks}", hint=hint)
            if running:
                time.sleep(_LOOK_SECONDS)

    def _begun(self, client: httpx.Client, name: str, spec: Callable[[str], dict[str, Any]]) -> tuple[str, int]:
        """Give the last attempt of a task that Druid knows, or make the first."""
        task, attempt = name, 1
        if self.status(client, name).status:
            while self.status(client, following := _named(name, attempt + 1)).status:
                task, attempt = following, attempt + 1
            return task, attempt
        self._submit(client, spec(name))
        return task, attempt

    def _submit(self, client: httpx.Client, spec: dict[str, Any]) -> None:
        try:
            self._server.post(client, _PATH, spec)
        except ExistsError:
            return  # the answer to an earlier request was lost

    def _again(
        self,
        client: httpx.Client,
        name: str,
        of: tuple[str, int],
        ended: Ended,
        spec: Callable[[str], dict[str, Any]],
    ) -> tuple[str, int]:
        """
        Give the rows of a task that has failed to another, where it is sure that it has published nothing.

        Raises:
            TerminalError: that is not sure, or it was tried often enough.
        """
        task, attempt = of
        message = f"Druid's task {task} has failed: {ended.reason}"
        state = self._state(client, task)
        if state is None or state == _DONE:
            hint = (
                "it is not known whether its rows are in the datasource: look for them, and begin at another"
                " checkpoint, or with a new datasource"
            )
            raise TerminalError(message, hint=hint)
        if attempt >= self._attempts:
            raise TerminalError(message, hint=f"see its log in Druid's console; {attempt} attempts were made")
        following = _named(name, attempt + 1)
        self._submit(client, spec(following))
        return following, attempt + 1

    def status(self, client: httpx.Client, task: str) -> Ended:
        """Ask how a task stands; of one that Druid does not know the status is empty."""
        try:
            found = self._server.get(client, f"{_PATH}/{quote(task, safe='')}/status").get("status") or {}
        except MissingError:
            return Ended("")
        return Ended(str(found.get("statusCode") or ""), str(found.get("errorMsg") or "it does not say why"))

    def _state(self, client: httpx.Client, task: str) -> str | None:
        """Tell how far a task that has ended came; None if it has left no report."""
        try:
            report = self._server.get(client, f"{_PATH}/{quote(task, safe='')}/reports")
        except MissingError:
            return None
        except TransientError:
            raise
        payload = report.get("ingestionStatsAndErrors", {}).get("payload", {}) if isinstance(report, dict) else {}
        state = payload.get("ingestionState")
        return None if state is None else str(state)


def _named(name: str, attempt: int) -> str:
    return name if attempt == 1 else f"{name}-{attempt}"
