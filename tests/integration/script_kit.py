"""Scripts that run in this process, to their end or until told to stop, with the rows of their SELECT at hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.base import AtLeastOnceSink, Report
from tailrace.runtime.script import Script
from tailrace.runtime.summary import Status, Summary
from tailrace.sql.session import Session

PATIENCE = 120.0
"""So many seconds anything may take, on the slowest machine."""


class RowsSink(AtLeastOnceSink):
    """Keeps the rows of a SELECT."""

    def __init__(self) -> None:
        self.batches: list[pl.DataFrame] = []

    def open(self) -> None:
        pass

    def write(self, batch: pl.DataFrame) -> None:
        self.batches.append(batch)

    def prepare(self, epoch: int) -> None:
        pass

    def check(self) -> Report:
        return Report(ok=True, message="")

    def close(self) -> None:
        pass


class Running:
    """A script on a thread of its own."""

    def __init__(
        self, sql: str, state: Path | None = None, *, allow_state_drop: bool = False, clock: Clock | None = None
    ) -> None:
        session = Session()
        statements = session.bind(sql, "job.sql")
        self._rows = RowsSink()
        self._script = Script(
            "job",
            statements,
            session.tables,
            session.settings,
            state=state,
            clock=clock,
            query_sink=lambda _: self._rows,
            allow_state_drop=allow_state_drop,
        )
        self._outcome: list[Summary | BaseException] = []
        self._thread = threading.Thread(target=self._run, name="script", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome.append(self._script.run()[-1])
        except BaseException as error:  # noqa: BLE001  it is raised again by whoever waits
            self._outcome.append(error)

    @property
    def rows(self) -> pl.DataFrame:
        """The rows of the SELECT so far."""
        return pl.concat(list(self._rows.batches)) if self._rows.batches else pl.DataFrame()

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    @property
    def status(self) -> Status | None:
        """Its counters, once it runs."""
        return self._script.status()

    @property
    def read(self) -> int:
        """How many rows its sources have read."""
        status = self.status
        return sum(s.rows for s in status.sources) if status else 0

    def waits(self) -> bool:
        """Whether it says that it waits for something; one that begins anew has no sources yet, and waits by its sinks."""
        status = self.status
        if status is None:
            return False
        return any(s.waiting for s in status.sources) or any(s.waiting for s in status.sinks)

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened; fail if the script ends before."""
        end = time.monotonic() + PATIENCE
        while not happened():
            if self.over:
                self.finish()
                assert happened(), "the script ended before it happened"
            assert time.monotonic() < end, f"it did not happen within {PATIENCE:g} s: {self.status}"
            time.sleep(0.01)

    def stop(self) -> Summary:
        """End it in good order."""
        self._script.stop()
        return self.finish()

    def finish(self) -> Summary:
        """Wait for its end; raises what the script raised."""
        self._thread.join(PATIENCE)
        assert self.over, f"it did not end within {PATIENCE:g} s"
        (outcome,) = self._outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def run(sql: str, state: Path | None = None, *, allow_state_drop: bool = False) -> tuple[pl.DataFrame, Summary]:
    """Run a script to its end; give the rows of its SELECT."""
    running = Running(sql, state, allow_state_drop=allow_state_drop)
    summary = running.finish()
    return running.rows, summary


def options(**given: str) -> str:
    """Write table options; `_` in a name stands for `-`, `__` for `.`."""
    named = {key.replace("__", ".").replace("_", "-"): value for key, value in given.items()}
    return ", ".join(f"'{key}' = '{value}'" for key, value in named.items())
